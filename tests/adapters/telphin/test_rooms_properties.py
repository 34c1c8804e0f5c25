"""Random comings and goings, told late, twice or never, and read in between: nobody twice, left once, true at last.

The model is a PBX that knows who is where. What it tells is delivered in any order; a reading shows some moment between
its question and its answer, and calls of phones only.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from adapters.telphin.events import CallTold
from adapters.telphin.rooms import Rooms
from adapters.telphin.wire import CurrentCallJson
from gateway.model.history import apply, diff
from gateway.model.ids import RoomId
from gateway.model.reports import PictureReport, Report
from gateway.model.room import Room
from tests.adapters.telphin.told import SALES, SUPPORT, after, current, extension, told
from tests.gateway.model.invariants import Follower, presences

PHONES = ("101", "102")
STRANGERS = ("79990000001",)
EVERYBODY = (*PHONES, *STRANGERS)
ROOMS = (SALES, SUPPORT)
STEP_S = 3
"""Time between any two things: the PBX's answers have whole seconds."""


@dataclass
class Call:
    """One call of somebody, in one room at a time."""

    id: str
    who: str
    room: RoomId
    at: datetime
    visits: Counter[RoomId] = field(default_factory=Counter)

    def told(self, kind: str, room: RoomId, at: datetime) -> CallTold:
        phone = self.who if self.who in PHONES else None
        number = f"2{phone}" if phone else self.who
        return told(kind, self.id, room=room, at=at, phone=phone, CallerIDNum=number)

    def shown(self) -> CurrentCallJson:
        return current(self.id, self.who, room=self.room, at=self.at)


class Coming(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.time_s = 0
        self.rooms = Rooms()
        self.here: dict[str, Call] = {}
        self.calls: list[Call] = []
        self.under_way: list[CallTold] = []
        self.spoiled: set[str] = set()
        """Strangers of whom something was lost: nothing would ever put that right."""
        self.shown: dict[RoomId, Room] = {}
        self.followers: dict[RoomId, Follower] = {}
        self.question: tuple[datetime, list[CurrentCallJson]] | None = None

    @initialize()
    def begin(self) -> None:
        extensions = [extension(room, f"Room {room}") for room in ROOMS]
        self.rooms.listed(extensions, self.now())
        self.rooms.shown(ROOMS)
        for phone in PHONES:
            self.rooms.judged(phone, is_phone=True)
        self.shown = {room.id: room for room in self.rooms.all()}
        self.followers = {room.id: Follower(room) for room in self.rooms.all()}

    def now(self) -> datetime:
        self.time_s += STEP_S
        return after(self.time_s)

    # ---- what happens ----

    @rule(who=st.sampled_from(EVERYBODY), room=st.sampled_from(ROOMS))
    def come(self, who: str, room: RoomId) -> None:
        if who not in self.here:
            call = Call(f"c{len(self.calls)}", who, room, after(self.time_s))
            self.calls.append(call)
            self._enter(call, room)

    def _enter(self, call: Call, room: RoomId) -> None:
        at = self.now()
        call.room, call.at = room, at
        call.visits[room] += 1
        self.here[call.who] = call
        self.under_way += [call.told("dial-in", room, at), call.told("answer", room, at)]

    @rule(who=st.sampled_from(EVERYBODY))
    def leave(self, who: str) -> None:
        if (call := self.here.pop(who, None)) is not None:
            self.under_way.append(call.told("hangup", call.room, self.now()))

    @rule(who=st.sampled_from(EVERYBODY))
    def go_over(self, who: str) -> None:
        """A transfer: the call keeps its ids, and may come back to the same leg."""
        if (call := self.here.get(who)) is not None:
            self.leave(who)
            self._enter(call, SUPPORT if call.room == SALES else SALES)

    # ---- what is told ----

    @rule(which=st.integers(0, 3), keep=st.sampled_from([False, False, True]))
    def deliver(self, which: int, *, keep: bool) -> None:
        if self.under_way:
            event = self.under_way[which % len(self.under_way)]
            if not keep:  # else it comes once more
                self.under_way.remove(event)
            self._take(self.rooms.told(event, self.now()))

    @rule()
    def deliver_in_order(self) -> None:
        while self.under_way:
            self.deliver(0, keep=False)

    @rule(which=st.integers(0, 3))
    def lose(self, which: int) -> None:
        if self.under_way:
            event = self.under_way.pop(which % len(self.under_way))
            if event.caller_extension_id is None:
                self.spoiled.add(f"{event.extension_id}-{event.call_api_id}")

    # ---- what is read ----

    @rule()
    def ask(self) -> None:
        if self.question is None:
            self.question = (self.now(), self._current())

    @rule(late=st.booleans())
    def answer(self, *, late: bool) -> None:
        if self.question is not None:
            asked_at, calls = self.question
            self.question = None
            self._take(self.rooms.calls_read(self._current() if late else calls, asked_at))

    def _current(self) -> list[CurrentCallJson]:
        return [call.shown() for who, call in self.here.items() if who in PHONES]

    # ---- what must be so ----

    def _take(self, reports: list[Report]) -> None:
        for report in reports:
            if isinstance(report, PictureReport):
                known = self.shown[report.room_id]
                for event in diff(known, report.room, after(self.time_s)):
                    self.followers[report.room_id].take(event)
                    known = apply(known, event)
                self.shown[report.room_id] = known

    @invariant()
    def what_was_told_is_what_is_known(self) -> None:
        for room in self.rooms.all():
            assert set(self.shown[room.id].participants) == set(room.participants)

    @invariant()
    def everybody_joined_once_and_left_once(self) -> None:
        for room, follower in self.followers.items():
            joined = Counter[str]()
            for who, said in presences(follower.events).items():
                coming = [each for each in said if each != "updated"]
                assert coming == ["joined", "left"] * (len(coming) // 2) + ["joined"] * (len(coming) % 2)
                joined[who] += coming.count("joined")
            for call in self.calls:
                assert joined[f"{room}-api-{call.id}"] <= call.visits[room]

    def teardown(self) -> None:
        if not self.shown:
            return
        self.deliver_in_order()
        self.answer(late=False)
        self.ask()
        self.answer(late=True)
        self.everybody_joined_once_and_left_once()
        for room in ROOMS:
            known = self.shown[room].participants.values()
            inside = [call for call in self.here.values() if call.room == room]
            assert sorted(each.user_id for each in known if each.user_id) == sorted(
                call.who for call in inside if call.who in PHONES
            )
            assert {each.id for each in known if not each.user_id} - self.spoiled == {
                f"{room}-api-{call.id}" for call in inside if call.who in STRANGERS
            } - self.spoiled


Coming.TestCase.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestWhoIsIn = Coming.TestCase
