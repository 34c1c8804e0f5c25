"""RingCentral as far as its pages and recordings tell: calls, conferences, the events they emit, and what GET answers.

A history is written first, then delivered: an event may be late by some places, or come twice. What is asked for is
answered with the truth of the moment, which is that of the latest event which has been delivered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapters.ringcentral.calls import Calls
from adapters.ringcentral.events import Code, End, Party, Peer, SessionRead, SessionTold
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from tests.adapters.ringcentral.told import CONFERENCE_END, HOST_END, START, Clock, Watcher

HOST_WITHIN_S = 38
Sessions = dict[str, SessionRead]
Command = Callable[[Calls], list[Report]]


@dataclass(frozen=True)
class Entry:
    """Something that happens: an event, a command of ours with its answer, or nothing that is told.

    Shape: `sessions` is what GET would answer from now on. What `proves_join` in a `room` is not delivered later than
           what `ends` it: of a room that is over, nothing is believed any more.
    """

    at: datetime
    sessions: Sessions
    event: SessionTold | None = None
    command: Command | None = None
    room: str | None = None
    remote: bool = False
    proves_join: bool = False
    ends: bool = False


@dataclass
class Call:
    """A call of the host's with somebody outside."""

    id: str
    who: End
    inbound: bool
    merged: str | None = None
    up: bool = True

    @property
    def own_end(self) -> tuple[End, End]:
        return (self.who, HOST_END) if self.inbound else (HOST_END, self.who)


@dataclass
class RingCentral:
    """The host's extension: its calls, its conferences and the truth about them."""

    now: datetime = START
    entries: list[Entry] = field(default_factory=list)
    sessions: Sessions = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=dict)
    """The host's leg of each conference that has one."""
    joined: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """Everybody who ever was in a conference, with their number."""
    left: set[tuple[str, str]] = field(default_factory=set)

    # ---- what the parts have in common ----

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for room in self.open_rooms():
            created_at = self.sessions[room].created_at
            if not self.sessions[room].parties and created_at and self.now - created_at >= self.patience:
                self.gone(room)
                self.entries.append(Entry(self.now, dict(self.sessions), room=room, ends=True))

    patience = timedelta(seconds=HOST_WITHIN_S)

    def set(self, session_id: str, party: Party) -> None:
        session = self.sessions[session_id]
        parties = {each.id: each for each in session.parties} | {party.id: party}
        self.sessions = {**self.sessions, session_id: replace(session, parties=tuple(parties.values()))}

    def gone(self, session_id: str) -> None:
        self.sessions = {key: value for key, value in self.sessions.items() if key != session_id}

    def emit(self, session_id: str, party: Party, *, room: str | None = None, proves_join: bool = False) -> None:
        """Change a leg and tell of it; only an account-wide subscription is told of legs without extension."""
        self.set(session_id, party)
        self.tell(session_id, party, room=room, proves_join=proves_join)

    def tell(
        self, session_id: str, party: Party, *, room: str | None = None, proves_join: bool = False, ends: bool = False
    ) -> None:
        sequence = self.sequences[session_id] = self.sequences.get(session_id, 1) + 1
        self.now += timedelta(milliseconds=20)
        told = SessionTold(
            uuid=f"u{len(self.entries)}",
            session_id=session_id,
            sequence=sequence,
            at=self.now,
            is_conference=session_id in self.rooms,
            parties=(party,),
        )
        remote = party.extension_id is None
        entry = Entry(self.now, dict(self.sessions), event=told, room=room, remote=remote)
        self.entries.append(replace(entry, proves_join=proves_join, ends=ends))

    def do(self, command: Command) -> None:
        self.entries.append(Entry(self.now, dict(self.sessions), command=command))

    # ---- calls ----

    def leg(self, call: Call, code: Code) -> Party:
        caller, callee = call.own_end
        return Party(
            id=f"p-{call.id[2:]}-1",
            code=code,
            inbound=call.inbound,
            caller=caller,
            callee=callee,
            extension_id="EXT",
            muted=False,
        )

    def outside(self, call: Call, code: Code) -> Party:
        """The other leg: it runs the other way, and sees the host as its other end."""
        leg = self.leg(call, code)
        return replace(leg, id=f"p-{call.id[2:]}-2", inbound=not call.inbound, extension_id=None)

    def call(self, *, inbound: bool, named: bool) -> None:
        n = len(self.calls) + 1
        who = End(f"+1555010{n:04}", f"Guest {n}" if named else None)
        call = Call(f"s-A{n}", who, inbound)
        self.calls.append(call)
        self.sessions = {**self.sessions, call.id: SessionRead(id=call.id)}
        for code in (Code.SETUP, Code.PROCEEDING, Code.ANSWERED):
            self.emit(call.id, self.leg(call, code))
            self.emit(call.id, self.outside(call, code))

    def merge(self, call: Call, room: str, *, by_us: bool) -> None:
        self.emit(call.id, self.leg(call, Code.HOLD))
        leg_id = self.next_leg(room)
        member = self.member(room, leg_id, call, Code.SETUP)
        self.set(room, member)
        if by_us:
            self.do(lambda calls: calls.party(RoomId(room), replace(member, peer=None)))
        self.set(room, replace(member, code=Code.GONE))
        call.merged = leg_id
        self.joined[room, leg_id] = call.who.number
        gone = replace(self.leg(call, Code.GONE), reason="Conference", peer=Peer(room, leg_id))
        self.emit(call.id, gone, room=room, proves_join=True)

    def member(self, room: str, leg_id: str, call: Call, code: Code) -> Party:
        return Party(
            id=leg_id,
            code=code,
            inbound=True,
            caller=HOST_END,
            callee=CONFERENCE_END,
            is_host=False,
            muted=False,
            peer=Peer(call.id, f"p-{call.id[2:]}-1"),
        )

    def mute(self, room: str, call: Call) -> None:
        """Mute a participant by our command: its answer is all that tells."""
        leg = self.leg_of(room, call.merged or "")
        muted = replace(leg, muted=not leg.muted)
        self.set(room, muted)
        self.do(lambda calls: calls.party(RoomId(room), muted))

    def hang_up(self, call: Call, room: str | None) -> None:
        call.up = False
        if room is not None and call.merged is not None:
            self.left.add((room, call.merged))
            if room in self.sessions:
                self.set(room, replace(self.leg_of(room, call.merged), code=Code.DISCONNECTED))
        self.emit(call.id, self.outside(call, Code.DISCONNECTED))
        self.emit(call.id, self.leg(call, Code.DISCONNECTED))

    # ---- conferences ----

    def open_rooms(self) -> list[str]:
        return [room for room in self.rooms if room in self.sessions]

    def create(self, *, by_us: bool) -> None:
        room = f"s-C{len(self.rooms) + 1}"
        self.rooms.append(room)
        session = SessionRead(id=room, created_at=self.now, is_conference=True)
        self.sessions = {**self.sessions, room: session}
        if by_us:
            self.do(lambda calls: calls.created(session, room))

    def host(self, room: str, leg_id: str, code: Code, *, role: bool = True) -> Party:
        return Party(
            id=leg_id,
            code=code,
            inbound=False,
            caller=HOST_END,
            callee=CONFERENCE_END,
            is_host=True if role else None,
            extension_id="EXT",
            muted=False,
        )

    def host_comes(self, room: str, *, role: bool) -> None:
        leg_id = self.hosts[room] = self.next_leg(room)
        for code in (Code.SETUP, Code.PROCEEDING, Code.ANSWERED):
            if code is Code.ANSWERED:
                self.joined[room, leg_id] = HOST_END.number
            self.emit(room, self.host(room, leg_id, code, role=role), room=room, proves_join=code is Code.ANSWERED)

    def host_changes(self, room: str, *, muted: bool, hold: bool) -> None:
        leg = self.leg_of(room, self.hosts[room])
        self.emit(room, replace(leg, muted=muted, code=Code.HOLD if hold else Code.ANSWERED), room=room)

    def host_moves(self, room: str) -> None:
        """Go on at another device: another leg, without a role."""
        before, after = self.hosts[room], self.next_leg(room)
        self.hosts[room] = after
        self.emit(room, self.host(room, after, Code.SETUP, role=False), room=room)
        self.left.add((room, before))
        moved = replace(self.leg_of(room, before), code=Code.DISCONNECTED, reason="CallSwitch")
        self.joined[room, after] = HOST_END.number
        answered = replace(self.host(room, after, Code.ANSWERED, role=False), reason="CallSwitch")
        self.emit(room, answered, room=room, proves_join=True)
        self.emit(room, moved, room=room, proves_join=True)

    def host_leaves(self, room: str) -> None:
        """Leave alone, by our command."""
        leg = self.leg_of(room, self.hosts.pop(room))
        self.left.add((room, leg.id))
        self.do(lambda calls: calls.host_leaves(RoomId(room)) or [])
        self.emit(room, replace(leg, code=Code.DISCONNECTED, reason=None), room=room, proves_join=True)

    def end(self, room: str, *, by_us: bool) -> None:
        host = self.leg_of(room, self.hosts[room]) if room in self.hosts else None
        self.gone(room)
        self.left |= {each for each in self.joined if each[0] == room}
        if host is not None:
            self.tell(room, replace(host, code=Code.DISCONNECTED, reason=None), room=room, ends=True)
        else:
            self.entries.append(Entry(self.now, dict(self.sessions), room=room, ends=True))
        if by_us:
            self.do(lambda calls: calls.ended(RoomId(room)))
        for call in self.inside(room):
            self.hang_up(call, room)

    def inside(self, room: str) -> list[Call]:
        return [call for call in self.calls if call.up and (call.merged or "").startswith(f"p-{room[2:]}-")]

    def leg_of(self, room: str, leg_id: str) -> Party:
        return next(each for each in self.sessions[room].parties if each.id == leg_id)

    def next_leg(self, room: str) -> str:
        return f"p-{room[2:]}-{len(self.sessions[room].parties) + 1}"


class Delivery:
    """What arrives of a history, in whichever order, and what is asked for meanwhile."""

    def __init__(self, truth: RingCentral, *, account_wide: bool, answering: bool = True) -> None:
        self.truth = truth
        self.account_wide = account_wide
        self.answering = answering
        self.clock = Clock()
        self.calls = Calls(clock=self.clock, extension_id="EXT")
        self.watcher = Watcher()
        self.sessions: Sessions = {}

    def deliver(self, late: list[int], doubled: list[int]) -> None:
        """Deliver everything.

        `late` says by how many places each event is late, `doubled` by how many more its copy is (0: there is none);
        both begin again when they are used up.
        """
        ends = {entry.room: index for index, entry in enumerate(self.truth.entries) if entry.ends}
        places: list[tuple[float, int]] = []
        for index, entry in enumerate(self.truth.entries):
            place = index + (late[index % len(late)] if late else 0) + 0.25
            if entry.proves_join and entry.room in ends:
                place = min(place, ends[entry.room] - 0.5)
            places.append((place if entry.event else index, index))
            if entry.event and doubled and doubled[index % len(doubled)]:
                places.append((place + doubled[index % len(doubled)], index))
        latest = -1
        for _, index in sorted(places):
            latest = max(latest, index)
            self.arrive(self.truth.entries[index], self.truth.entries[latest])

    def arrive(self, entry: Entry, latest: Entry) -> None:
        """Take one entry; the clock and the answers are those of the latest that has happened."""
        self.pass_until(latest.at)
        self.sessions = latest.sessions
        if entry.command is not None:
            self.take(entry.command(self.calls))
        if entry.event is not None and (self.account_wide or not entry.remote):
            self.take(self.calls.told(entry.event))

    def pass_until(self, at: datetime) -> None:
        while (due := self.calls.next_due) is not None and due <= at:
            self.clock.now = max(self.clock.now, due)
            self.take(self.calls.overdue())
        self.clock.now = max(self.clock.now, at)

    def take(self, reports: list[Report]) -> None:
        """Hand reports on, and read what is doubted or wanted, unless nothing can be read."""
        self.watcher.take(reports)
        if not self.answering:
            self.watcher.doubts.clear()
            return
        while self.watcher.doubts:
            self.get(self.watcher.doubts.pop())
        for session_id in self.calls.wanted:
            self.get(session_id)

    def get(self, session_id: str) -> None:
        session = self.sessions.get(session_id)
        if session is not None:
            self.take(self.calls.read(session, self.clock()))
        elif session_id in self.calls.rooms_known():
            self.take(self.calls.ended(RoomId(session_id)))
        else:
            self.take(self.calls.unreadable(session_id))

    def poll(self) -> None:
        """Read all rooms, as is done once in a while."""
        self.pass_until(self.truth.now + timedelta(seconds=3))
        for room_id in self.calls.rooms_known():
            self.get(room_id)
        self.pass_until(self.clock() + timedelta(seconds=3))
