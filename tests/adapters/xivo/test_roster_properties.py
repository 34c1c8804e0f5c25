"""Histories of a room as xuc tells them, and the picture made of them: nobody is two people, and at rest it is true.

The room numbers its people as MeetMe does: a newcomer gets the highest number present plus one, so that the number of
the last one is given again. Each account inside is told by its own stream, the list comes when it comes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.xivo.roster import Rooms
from adapters.xivo.told import (
    CallsTold,
    CallTold,
    Described,
    Entered,
    Exited,
    ListedRoom,
    Member,
    PersonKind,
    PersonTold,
    RoomsListed,
)
from gateway.model.events import ParticipantJoined
from gateway.model.history import appearance, diff
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.repair import RoomMemory, repair
from gateway.model.reports import Report, RosterDoubtReport
from gateway.model.room import Participant, ParticipantRole, Room, RoomDetail, RoomState
from tests.gateway.model.invariants import Follower, presences

ROOM = RoomId("4001")
START_MS = 1_719_650_000_000
LOGINS = ["ann", "bob"]
PARTICIPANT, MODERATOR = ParticipantRole.PARTICIPANT, ParticipantRole.MODERATOR
OLDEST_ON_THE_WAY_MS = 1_500
"""How late a message may be: less than what two tellings of one moment may differ by, with the seconds being whole."""
APART_MS = 8_000
"""Between two joins that nobody could tell apart."""


@dataclass(frozen=True)
class Person:
    """Somebody who is or was in the room, as they truly are."""

    pid: int
    slot: int
    order: int
    joined_ms: int
    caller: tuple[str | None, str | None]
    login: str | None = None
    role: ParticipantRole = PARTICIPANT
    muted: bool = False
    deafened: bool = False
    talking: bool = False

    @property
    def username(self) -> str | None:
        return self.login

    def seen_by(self, login: str, now_ms: int) -> Described:
        number, name = self.caller
        return Described(
            index=self.slot,
            name=name,
            number=number,
            username=self.username,
            role=self.role,
            muted=self.muted,
            deafened=self.deafened,
            talking=self.talking,
            is_me=self.login == login,
            since_s=(now_ms - self.joined_ms) // 1000,
        )

    def listed(self) -> Member:
        number, name = self.caller
        return Member(
            order=self.order,
            joined_ms=self.joined_ms,
            name=name,
            number=number,
            username=self.username,
            muted=self.muted,
        )


@dataclass
class Message:
    """Something on its way from xuc: how it is taken, and what the account's view of the slots is once it is."""

    sent_ms: int
    take: Callable[[], list[Report]]
    then: Callable[[dict[int, int]], None] = lambda slots: None


@dataclass
class Account:
    """An account with its socket: what is on its way, and who is in which slot by what has arrived."""

    login: str
    connected: bool = True
    unique_id: str = ""
    on_their_way: list[Message] = field(default_factory=list)
    slots: dict[int, int] = field(default_factory=dict)


CALLERS: list[tuple[str | None, str | None]] = [
    ("0612345678", "0612345678"),
    ("0612345678", "0612345678"),
    ("0698765432", None),
    (None, None),
    ("1010", "Grace H"),
]


class RoomInXivo(RuleBasedStateMachine):
    """A room, the accounts, what is on its way, and the adapter's and the gateway's pictures of it."""

    orders_are_slots = True

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = START_MS
        self.rooms = Rooms(clock=self.clock)
        self.people: dict[int, Person] = {}
        self.everybody: list[Person] = []
        self.accounts = {login: Account(login) for login in LOGINS}
        self.lists: list[Message] = []
        self.order = 0
        self.blind: dict[int, int] = {}
        self.memory = RoomMemory()
        self.follower = Follower()
        self.owners: dict[ParticipantId, int] = {}

    def clock(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.now_ms)

    # ---- the room ----

    @initialize()
    def the_list_is_asked_for(self) -> None:
        self.an_earlier_day()
        self.gateway(self.rooms.listed(self.list_now(), self.clock()))

    def an_earlier_day(self) -> None:
        """What happened before; nothing."""

    def list_now(self) -> RoomsListed:
        members = tuple(person.listed() for person in self.people.values())
        started_ms = min((person.joined_ms for person in self.people.values()), default=0)
        room = ListedRoom(number=ROOM, name="support", pin_required=True, started_ms=started_ms, members=members)
        return RoomsListed(rooms=(room,))

    def push_list(self) -> None:
        told = self.list_now()
        self.lists.append(Message(self.now_ms, lambda: self.rooms.listed(told)))

    def inside(self) -> Iterator[Account]:
        """The accounts that are told what happens."""
        here = {person.login for person in self.people.values()}
        return (account for account in self.accounts.values() if account.login in here and account.connected)

    def send(
        self, account: Account, told: Entered | Exited | PersonTold, then: Callable[[dict[int, int]], None]
    ) -> None:
        take: Callable[[], list[Report]]
        match told:
            case Entered():
                take = lambda: self.rooms.entered(account.login, told)  # noqa: E731
            case Exited():
                take = lambda: self.rooms.exited(account.login, told)  # noqa: E731
            case PersonTold():
                take = lambda: self.rooms.person(account.login, told)  # noqa: E731
        account.on_their_way.append(Message(self.now_ms, take, then))

    def tell(self, kind: PersonKind, person: Person, *, doubled: bool = False, but: str | None = None) -> None:
        """Tell everybody inside; `but` is who is not told, because it is lost or told otherwise."""
        for account in self.inside():
            if account.login == but:
                continue
            seen = person.seen_by(account.login, self.now_ms)
            told = PersonTold(kind=kind, room=ROOM, unique_id=account.unique_id, person=seen)

            def then(slots: dict[int, int], *, slot: int = person.slot, pid: int = person.pid) -> None:
                if kind is PersonKind.LEAVE:
                    slots.pop(slot, None)
                else:
                    slots[slot] = pid

            for _ in range(2 if doubled else 1):
                self.send(account, told, then)

    def tell_all(self, account: Account) -> None:
        """Tell an account that it has entered, and whom it finds."""
        people = list(self.people.values())
        described = tuple(person.seen_by(account.login, self.now_ms) for person in people)
        told = Entered(room=ROOM, room_name="support", unique_id=account.unique_id, people=described)
        slots_then = {person.slot: person.pid for person in people}

        def then(slots: dict[int, int]) -> None:
            slots.clear()
            slots.update(slots_then)

        self.send(account, told, then)

    def enter(self, caller: tuple[str | None, str | None], login: str | None, *, doubled: bool, role: bool) -> None:
        slot = max(self.people, default=0) + 1
        if not self.can_be_told_apart(caller, slot):
            return
        self.order += 1
        self.now_ms += 1  # nobody takes a slot in the very moment in which another did
        person = Person(
            pid=len(self.everybody),
            slot=slot,
            order=slot if self.orders_are_slots else self.order,
            joined_ms=self.now_ms,
            caller=caller,
            login=login,
            role=MODERATOR if role else PARTICIPANT,
        )
        self.everybody.append(person)
        self.people[slot] = person
        if login is not None and self.accounts[login].connected:
            account = self.accounts[login]
            account.unique_id = f"{self.now_ms}.{person.pid}"
            self.tell_all(account)
        self.tell(PersonKind.JOIN, person, doubled=doubled, but=login)
        self.push_list()

    def can_be_told_apart(self, caller: tuple[str | None, str | None], slot: int) -> bool:
        """Whether this join could be told from others by anybody, who may have lost a leave."""
        if self.now_ms - self.blind.get(slot, 0) < APART_MS:
            return False
        twins = [each for each in self.everybody if each.caller == caller and self.now_ms - each.joined_ms < APART_MS]
        redialled = any(each.login is not None for each in twins)  # faster than anybody dials
        return not redialled and not any(each.slot == slot or not self.orders_are_slots for each in twins)

    @rule(caller=st.sampled_from(CALLERS), doubled=st.booleans(), role=st.booleans())
    def somebody_joins(self, caller: tuple[str | None, str | None], doubled: bool, role: bool) -> None:
        if len(self.people) < 6:
            self.enter(caller, None, doubled=doubled, role=role)

    @precondition(lambda self: self.outside())
    @rule(which=st.integers(0, 1), doubled=st.booleans(), role=st.booleans())
    def an_account_joins(self, which: int, doubled: bool, role: bool) -> None:
        login = self.outside()[which % len(self.outside())]
        self.enter(({"ann": "1002", "bob": "1003"}[login], login), login, doubled=doubled, role=role)

    def outside(self) -> list[str]:
        here = {person.login for person in self.people.values()}
        return [login for login in LOGINS if login not in here]

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 20), doubled=st.booleans(), lost=st.sampled_from([None, None, None, *LOGINS]))
    def somebody_leaves(self, which: int, doubled: bool, lost: str | None) -> None:
        person = list(self.people.values())[which % len(self.people)]
        account = self.accounts[person.login] if person.login else None
        if lost is not None:
            self.blind[person.slot] = self.now_ms
        del self.people[person.slot]
        self.tell(PersonKind.LEAVE, person, doubled=doubled, but=lost)
        if account is not None and account.connected:
            self.send(account, Exited(room=ROOM, unique_id=account.unique_id), lambda slots: slots.clear())
        self.push_list()

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 20), flag=st.sampled_from(["muted", "deafened", "talking"]), doubled=st.booleans())
    def something_changes(self, which: int, flag: str, doubled: bool) -> None:
        person = list(self.people.values())[which % len(self.people)]
        person = self.people[person.slot] = replace(person, **{flag: not getattr(person, flag)})
        self.tell(PersonKind.UPDATE, person, doubled=doubled)
        if flag == "muted":
            self.push_list()

    # ---- the way to us ----

    def arrive(self, queue: list[Message], account: Account | None) -> None:
        message = queue.pop(0)
        self.gateway(message.take())
        if account is not None:
            message.then(account.slots)

    @precondition(lambda self: self.lists)
    @rule()
    def a_list_arrives(self) -> None:
        self.arrive(self.lists, None)

    @precondition(lambda self: self.told())
    @rule(which=st.integers(0, 1), count=st.integers(1, 4))
    def events_arrive(self, which: int, count: int) -> None:
        account = self.told()[which % len(self.told())]
        for _ in range(min(count, len(account.on_their_way))):
            self.arrive(account.on_their_way, account)

    def told(self) -> list[Account]:
        return [account for account in self.accounts.values() if account.on_their_way]

    @rule(ms=st.sampled_from([1, 50, 300, 900, 1_100, 5_000, 20_000, 3_600_000]))
    def time_passes(self, ms: int) -> None:
        """No message is on its way for long; whatever is overdue is named."""
        while (due := self.oldest_ms() + OLDEST_ON_THE_WAY_MS) < self.now_ms + ms:
            self.now_ms, ms = max(self.now_ms, due), ms - max(0, due - self.now_ms)
            self.name_the_late()
            for queue, account in self.queues():
                while queue and queue[0].sent_ms + OLDEST_ON_THE_WAY_MS <= self.now_ms:
                    self.arrive(queue, account)
        self.now_ms += ms
        self.name_the_late()

    def name_the_late(self) -> None:
        due = self.rooms.next_due
        if due is not None and due <= self.clock():
            self.gateway(self.rooms.overdue())

    def queues(self) -> list[tuple[list[Message], Account | None]]:
        return [(self.lists, None), *((account.on_their_way, account) for account in self.accounts.values())]

    def oldest_ms(self) -> int:
        return min((queue[0].sent_ms for queue, _ in self.queues() if queue), default=2**62)

    @precondition(lambda self: any(self.inside()))
    @rule(which=st.integers(0, 1))
    def a_session_is_lost(self, which: int) -> None:
        inside = list(self.inside())
        account = inside[which % len(inside)]
        account.connected = False
        account.on_their_way.clear()
        account.slots.clear()
        self.gateway(self.rooms.lost(account.login))

    @precondition(lambda self: not all(account.connected for account in self.accounts.values()))
    @rule(repeated=st.booleans())
    def a_session_is_back(self, repeated: bool) -> None:
        account = next(each for each in self.accounts.values() if not each.connected)
        login, account.connected = account.login, True
        if any(person.login == login for person in self.people.values()):
            account.unique_id = account.unique_id or f"{self.now_ms}.{login}"
            if repeated:
                self.tell_all(account)
            else:
                call = CallTold(kind="EventEstablished", unique_id=account.unique_id, other_number=ROOM)
                self.gateway(self.rooms.in_calls(login, CallsTold(calls=(call,))))

    @rule()
    def all_arrives(self) -> None:
        """At rest the picture is the truth, and what is not known is not said."""
        for queue, account in self.queues():
            while queue:
                self.arrive(queue, account)
        self.now_ms += 3_500
        self.name_the_late()
        self.gateway(self.rooms.listed(self.list_now(), self.clock()))
        assert not self.rooms.wants_list
        room = self.room
        assert (room.state is RoomState.ACTIVE) == bool(self.people)
        assert (room.name, room.pin_required) == ("support", True)
        assert {self.owners[each.id] for each in room.participants.values()} == {
            person.pid for person in self.people.values()
        }
        for participant in room.participants.values():
            self.assert_true(participant, room)

    def assert_true(self, participant: Participant, room: Room) -> None:
        person = next(each for each in self.people.values() if each.pid == self.owners[participant.id])
        flags = (participant.role, participant.muted, participant.deafened, participant.talking)
        truth = (person.role, person.muted, person.deafened, person.talking)
        if room.detail is RoomDetail.FULL:
            assert flags == truth
            assert participant.index == person.slot
        else:
            assert all(said in (None, true) for said, true in zip(flags, truth, strict=True))
            assert participant.muted is person.muted
            assert participant.index in (None, person.slot)
        assert (participant.number, participant.display_name) == person.caller
        assert participant.user_id == person.login

    # ---- the gateway ----

    @property
    def room(self) -> Room:
        assert self.follower.room is not None
        return self.follower.room

    def gateway(self, reports: list[Report]) -> None:
        """Let the gateway's own model take the reports, and check what it makes of them."""
        for report in reports:
            assert not isinstance(report, RosterDoubtReport)
            if self.follower.room is None:
                events = appearance(report.room, self.clock())
            else:
                repaired = repair(self.room, self.memory, report, self.clock())
                assert not repaired.doubt
                events = repaired.events
            for event in events:
                if self.follower.room is not None:
                    self.memory.note(self.room, event)
                self.follower.take(event)
                if isinstance(event, ParticipantJoined):
                    self.own(event.participant)
        told = self.rooms.one(ROOM)
        assert told is not None
        assert set(told.participants) == set(self.room.participants)
        assert not diff(self.room, told, self.clock())

    def own(self, participant: Participant) -> None:
        """Find out whose presence has this name; nobody else has had it, and they have had no other."""
        owner = self.owner(participant)
        assert self.owners.setdefault(participant.id, owner.pid) == owner.pid
        assert list(self.owners.values()).count(owner.pid) == 1

    def owner(self, participant: Participant) -> Person:
        if "-" in participant.id:
            order, joined_ms = (int(each) for each in participant.id.split("-"))
            return next(each for each in self.everybody if (each.order, each.joined_ms) == (order, joined_ms))
        slot, near_ms = (int(each) for each in participant.id.split("~"))
        (found,) = (
            each
            for each in self.everybody
            if each.slot == slot
            and abs(each.joined_ms - near_ms) <= 3_000
            and each.caller == (participant.number, participant.display_name)
        )
        return found

    @invariant()
    def everybody_comes_and_goes_once(self) -> None:
        for told in presences(self.follower.events).values():
            assert told.count("joined") == 1
            assert told.count("left") <= 1

    @invariant()
    def who_is_said_to_be_in_a_slot_is_nobody_else(self) -> None:
        for participant in self.room.participants.values() if self.follower.room else ():
            for account in self.accounts.values():
                seen = self.rooms.occupant(ROOM, participant.id, account.login)
                if seen is not None:
                    assert account.slots.get(seen.index, self.owners[participant.id]) == self.owners[participant.id]

    def teardown(self) -> None:
        if self.follower.room is not None:
            self.all_arrives()


class RoomWithOtherOrders(RoomInXivo):
    """The list counts those who join, and does not name their slots."""

    orders_are_slots = False

    def an_earlier_day(self) -> None:
        """Learn from a user in another room that it is so."""
        carl = Person(pid=-1, slot=1, order=7, joined_ms=self.now_ms, caller=("1004", "carl"), login="carl")
        self.rooms.listed(RoomsListed(rooms=(ListedRoom(number="4002", members=(carl.listed(),)),)))
        self.rooms.entered("carl", Entered(room="4002", people=(carl.seen_by("carl", self.now_ms),)))
        self.rooms.lost("carl")
        self.rooms.listed(RoomsListed(rooms=()))


TestRoom = RoomInXivo.TestCase
TestRoomWithOtherOrders = RoomWithOtherOrders.TestCase
TestRoom.settings = TestRoomWithOtherOrders.settings = settings(stateful_step_count=40, deadline=None)
