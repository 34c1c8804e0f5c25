"""Whatever reports and readings come in whatever order, the table stays sound and ends up true."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.hub.hub import Hub
from gateway.live.table import Reading
from gateway.model.events import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEnded,
)
from gateway.model.history import apply
from gateway.model.reports import (
    RoomReports,
)
from gateway.model.room import Room
from tests.gateway.live.rooms import AT_ONCE, NEVER, following, new_table, read, room_of
from tests.gateway.model.invariants import Follower, assert_bounded
from tests.gateway.model.switch import (
    ROOM,
    Habits,
    Step,
    Switch,
    assert_true,
    habits,
    steps,
)

one_step = steps.filter(len).map(lambda some: some[0])


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
