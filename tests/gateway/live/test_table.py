"""The rooms of a backend: readings and reports joined without gap or double, events numbered, watchers told."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.hub.hub import Hub, Update
from gateway.hub.subscription import Gap
from gateway.live.table import Reading, RoomTable
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.events import (
    ChangedField,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomEnded,
    RoomRemoved,
    RoomUpdated,
)
from gateway.model.history import apply
from gateway.model.ids import BackendId, ParticipantId, Position, RoomId, RoomKey
from gateway.model.reports import (
    CommandFailedReport,
    DoubtReport,
    EndReport,
    JoinReport,
    LeaveReport,
    RoomReport,
    RoomReports,
    StartReport,
    UpdateReport,
)
from gateway.model.room import LeaveReason, Participant, ParticipantRole, Room, RoomFacts, RoomState
from tests.gateway.model.invariants import Follower, assert_bounded
from tests.gateway.model.switch import (
    ROOM,
    Delivery,
    Habits,
    Step,
    Switch,
    assert_true,
    delivered,
    deliveries,
    habits,
    steps,
)

PBX = BackendId("pbx")
KEY = RoomKey(PBX, ROOM)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANNA = ParticipantId("anna")
BEN = ParticipantId("ben")
AT_ONCE = timedelta(0)
NEVER = timedelta(days=999)
one_step = steps.filter(len).map(lambda some: some[0])


def new_table(hub: Hub | None = None, *, log_max_events: int = 256) -> RoomTable:
    return RoomTable(PBX, hub or Hub(), log_max_events=log_max_events)


def read(table: RoomTable, *rooms: Room) -> None:
    """Take over an undisturbed reading."""
    reading = table.open_reading()
    for room in rooms:
        table.take(reading, room)
    table.close_reading(reading)


def holding(*people: Participant, room_id: RoomId = ROOM, permanent: bool = True, run_id: str | None = None) -> Room:
    inside = {each.id: each for each in people}
    return Room(id=room_id, state=RoomState.ACTIVE, permanent=permanent, run_id=run_id, participants=inside)


def person(name: ParticipantId = ANNA, index: int | None = None, *, muted: bool | None = None) -> Participant:
    return Participant(id=name, index=index, muted=muted, joined_at=NOON)


def joined(name: ParticipantId = ANNA, index: int | None = None, run_id: str | None = None) -> JoinReport:
    return JoinReport(room_id=ROOM, participant=Participant(id=name, index=index), run_id=run_id)


def left(name: ParticipantId = ANNA, reason: LeaveReason = LeaveReason.UNKNOWN) -> LeaveReport:
    return LeaveReport(room_id=ROOM, participant_id=name, reason=reason)


def muted(value: bool, name: ParticipantId = ANNA) -> UpdateReport:
    return UpdateReport(room_id=ROOM, participant=Participant(id=name, muted=value))


def room_of(table: RoomTable, room_id: RoomId = ROOM) -> Room:
    at = table.get(room_id)
    assert at is not None
    return at.room


def position_of(table: RoomTable) -> Position:
    at = table.get(ROOM)
    assert at is not None
    return at.position


def following(hub: Hub) -> list[Event]:
    """Give a list that grows with what is published."""
    events: list[Event] = []
    hub.tap(lambda update: events.append(update.event))
    return events


# ---- histories ----


class _Machine(RuleBasedStateMachine):
    """A switch, a table, reports on their way between them, and readings that take their time."""

    @initialize(habits=habits)
    def begin(self, habits: Habits) -> None:
        self.switch = Switch(habits)
        self.hub = Hub()
        self.table = new_table(self.hub, log_max_events=16)
        self.follower = Follower()
        self.hub.tap(self.follower.note)
        self.on_their_way: list[RoomReports] = []
        self.reading: Reading | None = None
        self.answer: Room | None = None
        self.doubts = 0
        self.doubts_cleared = 0
        self.doubts_at_opening = 0

    @rule(step=one_step)
    def act(self, step: Step) -> None:
        self.on_their_way += self.switch.do(step)

    @precondition(lambda self: self.reading is None)
    @rule()
    def open_a_reading(self) -> None:
        self.reading = self.table.open_reading()
        self.answer = None
        self.doubts_at_opening = self.doubts

    @precondition(lambda self: self.reading is not None)
    @rule()
    def the_backend_answers(self) -> None:
        self.answer = self.switch.room

    @precondition(lambda self: self.answer is not None)
    @rule(close=st.booleans())
    def take_the_answer(self, close: bool) -> None:
        assert self.reading is not None
        assert self.answer is not None
        self.table.take(self.reading, self.answer)
        self.doubts_cleared = self.doubts_at_opening
        if close:
            self.table.close_reading(self.reading)
            self.reading = self.answer = None

    @rule()
    def the_link_is_lost(self) -> None:
        self.table.mark_stale()

    def come(self, report: RoomReports) -> bool:
        doubted = self.table.report(report)
        self.doubts += doubted
        return doubted

    @invariant()
    def everything_adds_up(self) -> None:
        at = self.table.get(ROOM)
        assert (at.room if at else None) == self.follower.room
        assert at is None or at.position.sequence == 0 or at.position == self.follower.position
        for entry in self.table._entries.values():
            assert_bounded(entry.memory, entry.room)

    def teardown(self) -> None:
        if hasattr(self, "table"):
            read(self.table, self.switch.room)
            assert_true(room_of(self.table), self.switch.room, all_known=True)
            assert not room_of(self.table).stale
            self.everything_adds_up()


class InOrder(_Machine):
    """Reports come once and in order, though late: without a doubt what is known is the truth once all have come."""

    @rule(how_many=st.integers(1, 9))
    def some_come(self, how_many: int) -> None:
        coming, self.on_their_way = self.on_their_way[:how_many], self.on_their_way[how_many:]
        for report in coming:
            self.come(report)

    @rule()
    def all_come(self) -> None:
        self.some_come(len(self.on_their_way))

    @invariant()
    def what_is_not_doubted_is_true(self) -> None:
        if not self.on_their_way and self.doubts == self.doubts_cleared and self.table.get(ROOM):
            assert_true(room_of(self.table), self.switch.room, all_known=False)


class AtOnce(_Machine):
    """Reports come at once: what is taken is the truth, and in a room we know distinct presences raise no doubt."""

    @rule(step=one_step)
    def act(self, step: Step) -> None:
        for report in self.switch.do(step):
            known = self.table.get(ROOM) is not None
            assert not (self.come(report) and known and self.switch.habits.distinct)

    @invariant()
    def what_was_taken_is_true(self) -> None:
        if self.table.get(ROOM) and (self.switch.habits.distinct or self.doubts == self.doubts_cleared):
            assert_true(room_of(self.table), self.switch.room, all_known=False)


class Disorder(_Machine):
    """Reports come in any order, again and again, or never; rooms are swept and removed: the history stays sound."""

    @precondition(lambda self: self.on_their_way)
    @rule(which=st.integers(0, 200), again=st.booleans())
    def one_comes(self, which: int, again: bool) -> None:
        report = self.on_their_way[which % len(self.on_their_way)]
        self.come(report)
        if not again:
            self.on_their_way.remove(report)

    @precondition(lambda self: self.on_their_way)
    @rule()
    def the_next_comes(self) -> None:
        self.come(self.on_their_way.pop(0))

    @precondition(lambda self: self.on_their_way)
    @rule(which=st.integers(0, 200))
    def one_is_lost(self, which: int) -> None:
        self.on_their_way.pop(which % len(self.on_their_way))

    @rule(ended=st.booleans())
    def sweep(self, ended: bool) -> None:
        self.table.sweep(ended_for=AT_ONCE if ended else NEVER, idle_for=AT_ONCE)

    @rule()
    def the_room_is_removed(self) -> None:
        self.table.remove(ROOM)


TestReportsInOrder = InOrder.TestCase
TestReportsAtOnce = AtOnce.TestCase
TestReportsInDisorder = Disorder.TestCase
TestReportsInOrder.settings = TestReportsAtOnce.settings = TestReportsInDisorder.settings = settings(
    stateful_step_count=40
)


@given(habits, steps, steps, st.integers(0, 200))
def test_a_reading_of_any_moment_while_it_is_open_joins_the_reports_without_gap_or_double(
    habits: Habits, before: list[Step], during: list[Step], moment: int
) -> None:
    switch, table = Switch(habits), new_table()
    read(table, switch.room)
    doubted = [table.report(report) for step in before for report in switch.do(step)]
    reading = table.open_reading()
    moments = [switch.room]
    for step in during:
        doubted += [table.report(report) for report in switch.do(step)]
        moments.append(switch.room)
    events = following(table._hub)
    table.take(reading, moments[moment % len(moments)])
    table.close_reading(reading)
    if True not in doubted:
        assert_true(room_of(table), switch.room, all_known=False)
        # Nobody and nothing came or went in between: at most there is news of the times.
        assert not [event for event in events if isinstance(event, ParticipantJoined | ParticipantLeft | RoomEnded)]


@given(habits, steps, deliveries, st.lists(st.integers(0, 12), max_size=40), st.integers(1, 8))
async def test_a_watcher_who_follows_gaps_by_reading_the_state_always_ends_with_it(
    habits: Habits, steps: list[Step], delivery: Delivery, takes: list[int], most: int
) -> None:
    hub = Hub(max_waiting=most)
    switch, table = Switch(habits), new_table(hub)
    reports = [report for step in steps for report in switch.do(step)]
    with hub.watch_room(KEY) as watching:
        read(table, Switch(habits).room)
        follower = Follower()
        coming = delivered(reports, delivery)
        for turn, report in enumerate(coming):
            table.report(report)
            for _ in range(takes[turn] if turn < len(takes) else 0):
                if watching._items or watching._overflown:
                    follower = _took(follower, await watching.next(), table)
        while watching._items or watching._overflown:
            follower = _took(follower, await watching.next(), table)
        assert follower.room == room_of(table)
        assert follower.position == position_of(table)


def _took(follower: Follower, item: Update | Gap | None, table: RoomTable) -> Follower:
    if isinstance(item, Gap):
        at = table.get(ROOM)
        assert at is not None
        return Follower(at.room, at.position)
    assert item is not None
    follower.note(item)
    return follower


@given(habits, steps, st.integers(1, 20))
def test_the_log_gives_what_was_missed_since_any_position_or_nothing(
    habits: Habits, steps: list[Step], kept: int
) -> None:
    switch, table = Switch(habits), new_table(log_max_events=kept)
    read(table, switch.room)
    seen = [table.get(ROOM)]
    for step in steps:
        for report in switch.do(step):
            table.report(report)
            seen.append(table.get(ROOM))
    last = seen[-1]
    assert last is not None
    for then in seen:
        assert then is not None
        missed = table.events_after(ROOM, then.position)
        if last.position.sequence - then.position.sequence > kept:
            assert missed is None
            continue
        assert missed is not None
        room = then.room
        for numbered in missed:
            room = apply(room, numbered.event)
        assert room == last.room
        assert [each.position.sequence for each in missed] == list(
            range(then.position.sequence + 1, last.position.sequence + 1)
        )


# ---- readings ----


def test_a_room_that_is_read_first_appears_and_then_fills() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN)))
    assert [type(event) for event in events] == [RoomAppeared, ParticipantJoined, ParticipantJoined]
    assert position_of(table).sequence == 3
    assert len(table) == len(list(table)) == 1


@pytest.mark.parametrize(
    "report",
    [
        StartReport(room_id=ROOM),
        joined(),
        muted(True),
        RoomReport(room_id=ROOM, facts=RoomFacts(locked=True)),
        DoubtReport(room_id=ROOM),
    ],
)
def test_a_report_of_life_in_a_room_that_is_not_known_asks_for_a_reading(report: RoomReports) -> None:
    assert new_table().report(report)


@pytest.mark.parametrize(
    "report",
    [
        left(),
        EndReport(room_id=ROOM),
        CommandFailedReport(room_id=ROOM, error=CommandError(CommandErrorCode.CONFLICT, "no")),
    ],
)
def test_the_end_of_what_was_not_known_asks_for_nothing(report: RoomReports) -> None:
    assert not new_table().report(report)


def test_a_conference_that_ended_while_it_was_read_does_not_come_back() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(index=1), run_id="r1"))
    reading = table.open_reading()
    answer = holding(person(index=1), run_id="r1")
    table.report(LeaveReport(room_id=ROOM, participant_id=ANNA, index=1, run_id="r1"))
    table.report(EndReport(room_id=ROOM, run_id="r1"))
    events = following(hub)
    table.take(reading, answer)
    table.close_reading(reading)
    assert events == []
    assert room_of(table).state is RoomState.IDLE


def test_a_conference_that_began_while_the_one_before_was_read_stays() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(index=1), run_id="r1"))
    reading = table.open_reading()
    table.report(EndReport(room_id=ROOM, run_id="r1"))
    table.report(joined(BEN, 2, "r2"))
    events = following(hub)
    table.take(reading, holding(person(index=1), run_id="r1"))
    table.close_reading(reading)
    assert [event for event in events if not isinstance(event, RoomUpdated)] == []
    assert set(room_of(table).participants) == {BEN}


def test_a_leave_while_an_unknown_room_is_read_is_not_undone_by_the_answer() -> None:
    table = new_table()
    reading = table.open_reading()
    table.report(left())
    table.take(reading, holding(person(), person(BEN)))
    table.close_reading(reading)
    assert set(room_of(table).participants) == {BEN}


def test_reports_before_the_reading_was_opened_do_not_count_in_it() -> None:
    table = new_table()
    read(table, holding(person(muted=False)))
    table.report(muted(True))
    reading = table.open_reading()
    table.take(reading, holding(person(muted=False)))
    table.close_reading(reading)
    assert room_of(table).participants[ANNA].muted is False


def test_an_answer_that_empties_a_room_is_noticed_unless_a_join_came_meanwhile() -> None:
    table = new_table()
    read(table, holding(person()))
    nobody = Room(id=ROOM)
    reading = table.open_reading()
    assert table.would_empty(reading, nobody)
    assert not table.would_empty(reading, holding(person()))
    table.report(joined(BEN))
    assert not table.would_empty(reading, nobody)
    table.close_reading(reading)


def test_rooms_an_answer_leaves_out_are_missing_but_not_those_that_appeared_meanwhile() -> None:
    table = new_table()
    other = RoomId("other")
    read(table, Room(id=ROOM), Room(id=other))
    reading = table.open_reading()
    table.take(reading, Room(id=RoomId("new")))
    assert [at.room.id for at in table.missing([Room(id=other)], reading)] == [ROOM]
    table.close_reading(reading)


def test_a_reading_that_kept_all_it_may_says_that_it_is_spoiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.live.table._REPORTS_KEPT_PER_READING", 2)
    table = new_table()
    reading = table.open_reading()
    table.report(joined())
    table.report(left())
    assert not reading.spoiled
    table.report(joined(BEN))
    assert reading.spoiled
    assert len(reading.reports[ROOM]) == 2
    table.close_reading(reading)


def test_what_is_stale_is_so_until_it_is_read_again() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, Room(id=ROOM), Room(id=RoomId("other")))
    at = table.get(ROOM)
    events = following(hub)
    table.mark_stale()
    table.mark_stale()
    assert [getattr(event, "changed", None) for event in events] == [(ChangedField.STALE,)] * 2
    assert room_of(table).stale
    read(table, Room(id=ROOM))
    assert not room_of(table).stale
    assert room_of(table, RoomId("other")).stale
    again = table.get(ROOM)
    assert at is not None
    assert again is not None
    assert again.active_at == at.active_at


# ---- watchers ----


async def test_every_watcher_of_a_room_sees_every_event_once_and_in_order() -> None:
    hub = Hub()
    table = new_table(hub)
    followers = []
    with hub.watch_room(KEY) as first, hub.watch_room(KEY) as second, hub.watch_all() as everything:
        read(table, holding(person()))
        for report in (muted(True), muted(True), joined(BEN), left(), EndReport(room_id=ROOM)):
            table.report(report)
        for watching in (first, second, everything):
            follower = Follower()
            while watching._items:
                item = await watching.next()
                assert isinstance(item, Update)
                follower.note(item)
            followers.append(follower.events)
    assert [type(event) for event in followers[0]] == [
        RoomAppeared,
        ParticipantJoined,
        ParticipantUpdated,
        ParticipantJoined,
        ParticipantLeft,
        ParticipantLeft,
        RoomEnded,
    ]
    assert followers[0] == followers[1] == followers[2]


async def test_removing_a_room_lets_everybody_leave_ends_it_and_closes_its_watchers() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person()))
    with hub.watch_room(KEY) as watching:
        table.remove(ROOM)
        kinds = []
        while (item := await watching.next()) is not None:
            assert isinstance(item, Update)
            kinds.append(type(item.event))
    assert kinds == [ParticipantLeft, RoomEnded, RoomRemoved]
    assert table.get(ROOM) is None
    assert table.events_after(ROOM, Position(1, 1)) is None
    table.remove(ROOM)


def test_a_room_that_comes_back_has_a_new_log() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    old = position_of(table)
    table.remove(ROOM)
    read(table, Room(id=ROOM))
    assert position_of(table).epoch != old.epoch
    assert position_of(table).sequence == 1
    assert table.events_after(ROOM, old) is None


# ---- commands ----


async def test_a_future_is_done_at_the_event_that_shows_the_effect() -> None:
    table = new_table()
    read(table, holding(person()))
    waiter = table.until(ROOM, lambda room: room is not None and bool(room.participants[ANNA].muted))
    table.report(joined(BEN))
    assert not waiter.done()
    table.report(muted(True))
    position = position_of(table)
    table.report(muted(False))
    assert waiter.result() == position


async def test_a_future_for_an_effect_among_several_events_has_the_position_of_its_own() -> None:
    table = new_table()
    read(table, holding(person(), person(BEN)))
    start = position_of(table)
    waiter = table.until(ROOM, lambda room: room is not None and ANNA not in room.participants)
    table.report(EndReport(room_id=ROOM))  # two leaves and the end
    assert waiter.result() == Position(start.epoch, start.sequence + 1)


async def test_a_future_that_wants_a_room_gone_is_done_when_it_is_removed() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    gone = table.until(ROOM, lambda room: room is None)
    locked = table.until(ROOM, lambda room: room is not None and bool(room.locked))
    position = position_of(table)
    table.remove(ROOM)
    assert gone.result() == Position(position.epoch, position.sequence + 1)
    # Whoever waits for something else must not be cancelled by it: a cancelled future would cancel the command itself.
    assert not locked.done()


async def test_a_future_for_a_room_that_is_not_known_is_never_done() -> None:
    table = new_table()
    waiter = table.until(ROOM, lambda room: True)
    read(table, Room(id=ROOM))
    assert not waiter.done()


async def test_futures_that_were_given_up_are_not_kept() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    for _ in range(10):
        table.until(ROOM, lambda room: False).cancel()
    assert len(table._entries[ROOM].waiting) <= 1
    old = position_of(table)
    table.sweep(ended_for=NEVER, idle_for=AT_ONCE)
    assert position_of(table).epoch != old.epoch


def test_a_leave_that_a_command_was_about_to_cause_has_its_reason() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN), person(ParticipantId("carl"))))
    table.expect(ROOM, {ANNA: LeaveReason.KICKED, BEN: LeaveReason.KICKED, ParticipantId("carl"): LeaveReason.KICKED})
    table.no_longer_expect(ROOM, [BEN, ParticipantId("dora")])
    table.report(left(ANNA))
    table.report(left(BEN))
    table.report(left(ParticipantId("carl"), LeaveReason.HUNG_UP))
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.KICKED, LeaveReason.UNKNOWN, LeaveReason.HUNG_UP]


def test_an_expected_leave_counts_once() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(index=1)))
    table.expect(ROOM, {ANNA: LeaveReason.KICKED})
    table.report(left())
    table.report(joined(ANNA, 2))
    table.report(left())
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.KICKED, LeaveReason.UNKNOWN]


def test_everybody_who_leaves_a_room_that_is_being_closed_has_that_reason() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN)))
    table.expect(ROOM, dict.fromkeys((ANNA, BEN), LeaveReason.ROOM_CLOSED))
    table.report(left())
    table.report(EndReport(room_id=ROOM))
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.ROOM_CLOSED] * 2


def test_expecting_those_who_are_not_there_leaves_nothing_behind() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    for number in range(100):
        table.expect(ROOM, {ParticipantId(str(number)): LeaveReason.KICKED})
    table.expect(RoomId("nowhere"), {ANNA: LeaveReason.KICKED})
    assert table._entries[ROOM].memory.expected == {}


# ---- memory ----


async def test_ended_rooms_leave_memory_when_their_time_is_over() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(), permanent=False))
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert len(table) == 1
    table.report(EndReport(room_id=ROOM))
    assert room_of(table).state is RoomState.ENDED
    table.sweep(ended_for=NEVER, idle_for=AT_ONCE)
    assert len(table) == 1
    with hub.watch_room(KEY) as watching:
        table.sweep(ended_for=AT_ONCE, idle_for=NEVER)
        last = await watching.next()
        assert isinstance(last, Update)
        assert isinstance(last.event, RoomRemoved)
        assert await watching.next() is None
    assert len(table) == 0


def test_a_room_long_idle_keeps_its_state_and_lets_its_log_go_once() -> None:
    table = new_table()
    read(table, Room(id=ROOM, name="Sales"))
    old = position_of(table)
    table.sweep(ended_for=AT_ONCE, idle_for=NEVER)
    assert position_of(table) == old
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    new = position_of(table)
    assert new.epoch != old.epoch
    assert new.sequence == 0
    assert room_of(table).name == "Sales"
    assert table.events_after(ROOM, old) is None
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == new
    table.report(joined())
    assert position_of(table) == Position(new.epoch, 2)
    assert [type(each.event) for each in table.events_after(ROOM, new) or ()] == [RoomUpdated, ParticipantJoined]


async def test_a_log_is_not_let_go_while_somebody_watches_or_waits_for_an_effect() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, Room(id=ROOM))
    old = position_of(table)
    with hub.watch_room(KEY):
        table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old
    waiter: asyncio.Future[Position] = table.until(ROOM, lambda room: False)
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old
    waiter.cancel()
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) != old


def test_a_conference_that_goes_on_keeps_its_log_however_quiet_it_is() -> None:
    table = new_table()
    read(table, holding(person()))
    old = position_of(table)
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old


def crowd(room: int, size: int = 50) -> Sequence[Participant]:
    """Give participants as a switch would tell them: no string is shared but what really repeats."""
    return [
        Participant(
            id=ParticipantId(f"{room:08x}-{number:04x}-4a7b-9c3d-{room * 1000 + number:012x}"),
            leg_id=f"{room:08x}-{number:04x}-4a7b-9c3d-{room * 1000 + number:012x}",
            index=room * 1000 + number,
            display_name=f"Person {number} of room {room}",
            number=f"+331{room:04}{number:04}",
            username=f"user_{room}_{number}@example.test",
            user_id=f"{room * 7919 + number:032x}",
            role=ParticipantRole.PARTICIPANT,
            muted=False,
            deafened=False,
            talking=False,
            floor=False,
            joined_at=datetime(2024, 5, 1, 12, tzinfo=UTC) + timedelta(seconds=number),
        )
        for number in range(size)
    ]


def test_fifty_thousand_participants_in_a_thousand_rooms_take_two_kilobytes_each_at_most() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        table = new_table()
        for number in range(1000):
            read(table, holding(*crowd(number), room_id=RoomId(f"{number:032x}"), run_id=f"{number:036x}"))
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(at.room.participants) for at in table) == 50_000
    assert held / 50_000 <= 2000
