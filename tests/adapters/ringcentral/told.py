"""What the tests of RingCentral tell, and somebody who believes nothing and folds the reports into histories."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from adapters.ringcentral.calls import Calls
from adapters.ringcentral.events import Code, End, Party, Peer, SessionRead, SessionTold
from gateway.model.events import ParticipantJoined, ParticipantLeft, RoomEnded
from gateway.model.history import appearance
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.repair import RoomMemory, repair
from gateway.model.reports import DoubtReport, PictureReport, Report, RosterDoubtReport
from gateway.model.room import LeaveReason, Room
from tests.gateway.model.invariants import Follower

START = datetime(2024, 2, 27, 16, 0, tzinfo=UTC)
ROOM = RoomId("s-C")
HOST = ParticipantId("p-C-1")
HOST_END = End("+15550109999", "Agent", "EXT")
CONFERENCE_END = End("conference", "Conference")
ANN, BOB = End("+15550100001", "Ann"), End("+15550100002", "Bob")


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Watcher:
    """Folds reports as the gateway's table does, and checks each event."""

    def __init__(self) -> None:
        self.followers: dict[RoomId, Follower] = {}
        self.memories: dict[RoomId, RoomMemory] = {}
        self.doubts: list[RoomId] = []

    def take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            assert not isinstance(report, RosterDoubtReport)
            if isinstance(report, DoubtReport):
                self.doubts.append(report.room_id)
                continue
            follower = self.followers.get(report.room_id)
            if follower is None:
                assert isinstance(report, PictureReport), "a room appears by a picture"
                follower = self.followers[report.room_id] = Follower()
                memory = self.memories[report.room_id] = RoomMemory()
                events = appearance(report.room, START)
            else:
                assert follower.room is not None
                memory = self.memories[report.room_id]
                repaired = repair(follower.room, memory, report, START)
                assert not repaired.doubt
                events = repaired.events
                assert events, "a report without news"
            for event in events:
                if follower.room is not None:
                    memory.note(follower.room, event)
                follower.take(event)

    def room(self, room_id: RoomId = ROOM) -> Room:
        found = self.followers[room_id].room
        assert found is not None
        return found

    def history(self, room_id: RoomId = ROOM) -> list[str]:
        """What happened to people, and the end."""
        said: list[str] = []
        for event in self.followers[room_id].events:
            match event:
                case ParticipantJoined(_, participant):
                    said.append(f"{participant.id} joined as {participant.number}")
                case ParticipantLeft(_, participant, LeaveReason.ROOM_CLOSED):
                    said.append(f"{participant.id} left with the room")
                case ParticipantLeft(_, participant, _):
                    said.append(f"{participant.id} left")
                case RoomEnded():
                    said.append("over")
        return said


class Line:
    """Calls with a clock, told by events that number themselves, and watched."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls = Calls(clock=self.clock, extension_id="EXT")
        self.watcher = Watcher()
        self.sequences: dict[str, int] = {}

    def tell(self, session_id: str, *parties: Party, sequence: int | None = None, uuid: str | None = None) -> None:
        self.watcher.take(self.calls.told(self.event(session_id, *parties, sequence=sequence, uuid=uuid)))

    def event(
        self, session_id: str, *parties: Party, sequence: int | None = None, uuid: str | None = None
    ) -> SessionTold:
        if sequence is None:
            sequence = self.sequences[session_id] = self.sequences.get(session_id, 1) + 1
        return SessionTold(
            session_id=session_id,
            sequence=sequence,
            uuid=uuid,
            at=self.clock(),
            is_conference=session_id.startswith("s-C"),
            parties=parties,
        )

    def read(self, session_id: str, *parties: Party, asked_at: datetime | None = None) -> None:
        session = SessionRead(id=session_id, is_conference=session_id.startswith("s-C"), parties=parties)
        self.watcher.take(self.calls.read(session, asked_at))

    def create(self, name: str | None = None) -> None:
        self.watcher.take(self.calls.created(SessionRead(id=ROOM, is_conference=True), name))

    def host_comes(self) -> None:
        for code in (Code.SETUP, Code.PROCEEDING, Code.ANSWERED):
            self.tell(ROOM, host(code))

    def merge(self, call: str, n: int, who: End) -> None:
        """Have the host's call with somebody set up, and brought in as leg n."""
        self.tell(f"s-{call}", own(call, Code.SETUP, who))
        self.tell(f"s-{call}", own(call, Code.ANSWERED, who))
        self.tell(f"s-{call}", gone(call, n, who))

    def overdue(self) -> None:
        self.watcher.take(self.calls.overdue())


def own(call: str, code: Code, who: End, **more: object) -> Party:
    """The host's own leg of a call that the host dialled."""
    party = Party(
        id=f"p-{call}-1", code=code, inbound=False, caller=HOST_END, callee=who, extension_id="EXT", muted=False
    )
    return replace(party, **more)  # type: ignore[arg-type]  # fields of Party by name


def remote(call: str, code: Code, who: End, **more: object) -> Party:
    """The outside leg of the same call, which only an account-wide subscription tells."""
    party = Party(id=f"p-{call}-2", code=code, inbound=True, caller=HOST_END, callee=who, muted=False)
    return replace(party, **more)  # type: ignore[arg-type]  # fields of Party by name


def gone(call: str, n: int, who: End, room: str = ROOM, **more: object) -> Party:
    """The own leg of a call that was merged, as leg n of the conference."""
    merged = own(call, Code.GONE, who, reason="Conference", peer=Peer(room, f"p-{room[2:]}-{n}"))
    return replace(merged, **more)  # type: ignore[arg-type]  # fields of Party by name


def host(code: Code, n: int = 1, room: str = ROOM, **more: object) -> Party:
    """The host's leg of a conference."""
    party = Party(
        id=f"p-{room[2:]}-{n}",
        code=code,
        inbound=False,
        caller=HOST_END,
        callee=CONFERENCE_END,
        is_host=True,
        extension_id="EXT",
        muted=False,
    )
    return replace(party, **more)  # type: ignore[arg-type]  # fields of Party by name


def member(n: int, code: Code, call: str | None = None, room: str = ROOM, **more: object) -> Party:
    """A participant's leg of a conference, in which everything is the host's."""
    party = Party(
        id=f"p-{room[2:]}-{n}",
        code=code,
        inbound=True,
        caller=HOST_END,
        callee=CONFERENCE_END,
        is_host=False,
        muted=False,
        peer=Peer(f"s-{call}", f"p-{call}-1") if call else None,
    )
    return replace(party, **more)  # type: ignore[arg-type]  # fields of Party by name
