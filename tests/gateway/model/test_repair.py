"""How reports become a true history, whatever order a backend gives them in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.events import (
    ChangedField,
    CommandFailed,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomEnded,
    RoomUpdated,
)
from gateway.model.history import apply, diff
from gateway.model.ids import ParticipantId
from gateway.model.repair import Repaired, RoomMemory, repair, replay
from gateway.model.reports import (
    CommandFailedReport,
    DoubtReport,
    EndReport,
    JoinReport,
    LeaveReport,
    PictureReport,
    RoomReport,
    RoomReports,
    StartReport,
    UpdateReport,
)
from gateway.model.room import LeaveReason, Participant, Room, RoomFacts, RoomState
from tests.gateway.model.invariants import Follower, assert_bounded, presences
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

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANNA = ParticipantId("anna")
BEN = ParticipantId("ben")


class Picture:
    """A room as it is known, without a table around it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.memory = RoomMemory()
        self.follower = Follower(room)
        self.at = NOON

    def hear(self, *reports: RoomReports) -> bool:
        """Take reports; True when any of them raised a doubt."""
        doubts = [self._hear(report) for report in reports]
        return True in doubts

    def read(self, truth: Room) -> tuple[Event, ...]:
        """Take over an undisturbed reading."""
        self.at += timedelta(seconds=1)
        return self._write(diff(self.room, truth, self.at))

    def _hear(self, report: RoomReports) -> bool:
        self.at += timedelta(seconds=1)
        repaired: Repaired = repair(self.room, self.memory, report, self.at)
        self._write(repaired.events)
        return repaired.doubt

    def _write(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        for event in events:
            self.follower.take(event)
            self.memory.note(self.room, event)
            self.room = apply(self.room, event)
        assert self.follower.room == self.room
        assert_bounded(self.memory, self.room)
        return events


def picture(*participants: Participant, state: RoomState = RoomState.ACTIVE, run_id: str | None = None) -> Picture:
    return Picture(Room(id=ROOM, state=state, run_id=run_id, participants={each.id: each for each in participants}))


def anna(index: int | None = None, **fields: object) -> Participant:
    return replace(Participant(id=ANNA, index=index, joined_at=NOON), **fields)  # type: ignore[arg-type]  # by name


def joined(index: int | None = None, run_id: str | None = None, **fields: object) -> JoinReport:
    return JoinReport(room_id=ROOM, participant=anna(index, joined_at=None, **fields), run_id=run_id)


def updated(index: int | None = None, run_id: str | None = None, **fields: object) -> UpdateReport:
    return UpdateReport(room_id=ROOM, participant=anna(index, joined_at=None, **fields), run_id=run_id)


def left(index: int | None = None, run_id: str | None = None) -> LeaveReport:
    return LeaveReport(room_id=ROOM, participant_id=ANNA, index=index, run_id=run_id, reason=LeaveReason.HUNG_UP)


def started(run_id: str | None = None) -> StartReport:
    return StartReport(room_id=ROOM, run_id=run_id)


def ended(run_id: str | None = None) -> EndReport:
    return EndReport(room_id=ROOM, run_id=run_id)


# ---- histories ----


@given(habits, steps)
def test_reports_that_come_once_and_in_order_give_the_truth_at_each_step(habits: Habits, steps: list[Step]) -> None:
    switch = Switch(habits)
    known = Picture(switch.room)
    for step in steps:
        doubted = known.hear(*switch.do(step))
        assert not (doubted and habits.distinct)
        if doubted:
            known.read(switch.room)
        # What a lock or a name is after the end of a conference is left open, and it stays so for the next.
        assert_true(known.room, switch.room, all_known=False)
    known.read(switch.room)
    assert_true(known.room, switch.room, all_known=True)


@given(habits, steps, deliveries)
def test_whatever_order_reports_come_in_the_history_is_sound_and_the_next_reading_gives_the_truth(
    habits: Habits, steps: list[Step], delivery: Delivery
) -> None:
    switch = Switch(habits)
    known = Picture(switch.room)
    reports = [report for step in steps for report in switch.do(step)]
    known.hear(*delivered(reports, delivery))
    known.read(switch.room)
    assert_true(known.room, switch.room, all_known=True)
    for story in presences(known.follower.events).values():
        assert story[0] == "joined"
        assert story.count("joined") - story.count("left") in (0, 1)
    assert known.read(switch.room) == ()


@given(habits, steps, deliveries, st.lists(st.integers(0, 120), max_size=4))
def test_readings_between_disordered_reports_keep_the_history_sound(
    habits: Habits, steps: list[Step], delivery: Delivery, read_after: list[int]
) -> None:
    switch = Switch(habits)
    truths: list[Room] = []
    reports: list[RoomReports] = []
    for step in steps:
        for report in switch.do(step):
            reports.append(report)
            truths.append(switch.room)
    known = Picture(Room(id=ROOM, permanent=habits.permanent, name="Sales", locked=False, recording=False))
    for turn, report in enumerate(delivered(reports, delivery)):
        known.hear(report)
        if turn in read_after and turn < len(truths):
            known.read(truths[turn])
            assert_true(known.room, truths[turn], all_known=True)
    known.read(switch.room)
    assert_true(known.room, switch.room, all_known=True)


@given(habits.filter(lambda habits: habits.indexed and habits.named), steps)
def test_hearing_everything_twice_ends_in_the_truth_once_a_doubt_has_been_cleared(
    habits: Habits, steps: list[Step]
) -> None:
    switch = Switch(habits)
    known = Picture(switch.room)
    for step in steps:
        for report in switch.do(step):
            known.hear(report)
            before = known.room
            known.hear(report)
            assert known.room == before
    assert_true(known.room, switch.room, all_known=False)


@given(habits.filter(lambda habits: habits.named and habits.indexed), steps, steps, st.randoms(use_true_random=False))
def test_reports_of_runs_that_are_over_change_nothing(
    habits: Habits, before: list[Step], after: list[Step], chance: object
) -> None:
    switch = Switch(habits)
    known = Picture(switch.room)
    old = [report for step in before for report in switch.do(step)]
    known.hear(*old)
    known.hear(*switch.do(("end", 0, True)))
    known.hear(*[report for step in after for report in switch.do(step)])
    runs = list(known.memory.past_runs)
    late = [report for report in old if getattr(report, "run_id", None) in runs]
    chance.shuffle(late)  # type: ignore[attr-defined]  # a random.Random
    was = known.room
    assert not known.hear(*late)
    assert known.room == was


# ---- one by one ----


def test_a_leave_that_overtook_its_join_keeps_the_later_join_out() -> None:
    known = picture()
    assert not known.hear(left(4))
    assert known.hear(joined(4))
    assert ANNA not in known.room.participants


def test_a_leave_whose_join_was_lost_still_keeps_that_join_out_when_an_earlier_presence_was_known() -> None:
    known = picture(anna(1))
    known.hear(left(3))  # neither the leave of presence 1 nor the join of presence 3 has come
    assert ANNA not in known.room.participants
    known.hear(joined(3))
    assert ANNA not in known.room.participants


def test_a_late_leave_of_an_earlier_presence_does_not_let_a_later_one_back_in() -> None:
    known = picture()
    known.hear(left(3))
    known.hear(left(1))
    known.hear(joined(3))
    assert ANNA not in known.room.participants


def test_a_late_join_of_an_earlier_presence_does_not_touch_the_present_one() -> None:
    known = picture(anna(2, muted=True))
    assert known.hear(joined(1, muted=False, number="100"))
    assert known.room.participants[ANNA] == anna(2, muted=True)


def test_a_join_that_comes_again_does_not_turn_back_what_changed_since() -> None:
    known = picture()
    known.hear(joined(1, muted=False, display_name="Anna"))
    known.hear(updated(1, muted=True))
    assert known.hear(joined(1, muted=False, display_name="Anna"))
    assert known.room.participants[ANNA].muted is True


def test_a_join_of_somebody_who_was_read_before_fills_in_what_the_reading_left_open() -> None:
    known = picture(anna(1, muted=True))
    assert not known.hear(joined(1, muted=True, number="100"))
    assert known.room.participants[ANNA] == anna(1, muted=True, number="100")


def test_a_join_with_a_higher_index_means_that_a_leave_was_lost() -> None:
    known = picture(anna(1, talking=True))
    assert not known.hear(joined(2))
    assert [type(event) for event in known.follower.events] == [ParticipantUpdated, ParticipantLeft, ParticipantJoined]
    assert known.room.participants[ANNA].index == 2


def test_an_update_about_a_stranger_asks_for_a_reading() -> None:
    known = picture()
    assert known.hear(updated(muted=True))
    assert known.follower.events == []


@pytest.mark.parametrize("index", [None, 1, 2])
def test_a_late_update_about_somebody_who_left_is_no_reason_to_read(index: int | None) -> None:
    known = picture(anna(2))
    known.hear(left(2))
    assert not known.hear(updated(index, talking=True))
    assert known.room.participants == {}


def test_an_update_about_a_later_presence_asks_for_a_reading() -> None:
    known = picture(anna(1))
    assert known.hear(updated(2, muted=True))
    known.hear(left(1))
    assert known.hear(updated(2, muted=True))


def test_a_leave_of_an_earlier_presence_is_late() -> None:
    known = picture(anna(2))
    assert not known.hear(left(1))
    assert ANNA in known.room.participants


def test_who_talks_stops_before_leaving() -> None:
    known = picture(anna(talking=True))
    known.hear(left())
    stopped, gone = known.follower.events
    assert isinstance(stopped, ParticipantUpdated)
    assert stopped.changed == (ChangedField.TALKING,)
    assert isinstance(gone, ParticipantLeft)
    assert gone.participant.talking is False
    assert gone.reason is LeaveReason.HUNG_UP


def test_a_join_starts_the_conference_when_its_start_was_lost() -> None:
    known = picture(state=RoomState.IDLE)
    assert not known.hear(joined(run_id="r1"))
    start, _ = known.follower.events
    assert isinstance(start, RoomUpdated)
    assert set(start.changed) == {ChangedField.STATE, ChangedField.RUN, ChangedField.STARTED_AT}
    assert known.room.run_id == "r1"


def test_another_run_while_one_is_known_asks_for_a_reading() -> None:
    known = picture(anna(1), run_id="r1")
    assert known.hear(started("r2"))
    assert known.hear(joined(2, "r2"))
    assert known.hear(ended("r2"))
    assert known.follower.events == []


def test_an_end_lets_everybody_leave_first() -> None:
    known = picture(anna(talking=True), Participant(id=BEN), run_id="r1")
    known.hear(ended("r1"))
    assert [type(event) for event in known.follower.events[1:]] == [ParticipantLeft, ParticipantLeft, RoomEnded]
    assert known.room.state is RoomState.IDLE
    assert known.room.locked is None


def test_the_end_of_an_idle_room_says_nothing_but_its_run_is_over() -> None:
    known = picture(state=RoomState.IDLE)
    assert not known.hear(ended("r1"))
    assert not known.hear(started("r1"), joined(1, "r1"))
    assert known.follower.events == []


def test_the_end_of_a_run_that_was_not_named_yet_makes_its_late_reports_known() -> None:
    known = picture(anna(1))
    known.hear(ended("r1"))
    was = list(known.follower.events)
    assert not known.hear(joined(1, "r1"), started("r1"))
    assert known.follower.events == was


def test_a_doubt_and_a_late_refusal_are_handed_on() -> None:
    known = picture()
    assert known.hear(DoubtReport(room_id=ROOM))
    error = CommandError(CommandErrorCode.CONFLICT, "no")
    assert not known.hear(CommandFailedReport(room_id=ROOM, error=error))
    (event,) = known.follower.events
    assert isinstance(event, CommandFailed)
    assert event.error == error


def test_who_is_not_in_a_picture_has_left_and_who_is_new_in_it_has_joined() -> None:
    known = picture(anna(1, talking=True))
    now = Room(id=ROOM, state=RoomState.ACTIVE, participants={BEN: Participant(id=BEN, index=2, muted=True)})
    assert not known.hear(PictureReport(room_id=ROOM, room=now))
    assert set(known.room.participants) == {BEN}
    (left_,) = [event for event in known.follower.events if isinstance(event, ParticipantLeft)]
    assert (left_.participant.id, left_.reason) == (ANNA, LeaveReason.UNKNOWN)
    known.hear(PictureReport(room_id=ROOM, room=Room(id=ROOM)))
    assert isinstance(known.follower.events[-1], RoomEnded)


def test_who_is_missing_in_a_picture_was_kicked_when_that_is_expected() -> None:
    known = picture(anna(1))
    known.memory.expected[ANNA] = LeaveReason.KICKED
    known.hear(PictureReport(room_id=ROOM, room=Room(id=ROOM)))
    assert [event.reason for event in known.follower.events if isinstance(event, ParticipantLeft)] == [
        LeaveReason.KICKED
    ]


def test_a_picture_does_not_hide_that_the_link_was_down() -> None:
    known = Picture(Room(id=ROOM, stale=True))
    known.hear(PictureReport(room_id=ROOM, room=Room(id=ROOM, name="Support")))
    assert (known.room.name, known.room.stale) == ("Support", True)


@given(st.lists(st.lists(st.sampled_from("abc"), unique=True), min_size=1, max_size=5))
def test_pictures_laid_over_an_older_reading_give_the_last_of_them(shown: list[list[str]]) -> None:
    pictures = [
        Room(id=ROOM, state=RoomState.ACTIVE, participants={ParticipantId(who): anna_as(who) for who in people})
        for people in shown
    ]
    now = replay(
        picture(anna(1)).room, RoomMemory(), [PictureReport(room_id=ROOM, room=each) for each in pictures], NOON
    )
    assert set(now.participants) == set(shown[-1])


def anna_as(who: str) -> Participant:
    return replace(anna(), id=ParticipantId(who))


def test_what_is_remembered_of_a_room_is_bounded() -> None:
    known = picture(state=RoomState.IDLE)
    for number in range(1000):
        known.hear(LeaveReport(room_id=ROOM, participant_id=ParticipantId(str(number)), index=number))
        known.hear(ended(f"run {number}"))
    assert len(known.memory.departed) == 256
    assert len(known.memory.past_runs) == 8
    assert "run 999" in known.memory.past_runs


# ---- laying reports over a reading ----


@given(habits.filter(lambda habits: habits.distinct), steps, steps, st.integers(0, 200))
@example(Habits(), [("join", 0, True)], [("end", 0, True)], 0)
@example(Habits(named=False), [("join", 0, True)], [("end", 0, True), ("join", 0, True)], 99)
def test_reports_laid_over_a_reading_of_any_moment_between_give_the_truth(
    habits: Habits, before: list[Step], during: list[Step], moment: int
) -> None:
    switch = Switch(habits)
    known = Picture(switch.room)
    for step in before:
        known.hear(*switch.do(step))
    opened = known.memory.copy()
    moments = [switch.room]
    reports: list[RoomReports] = []
    for step in during:
        reports += switch.do(step)
        moments.append(switch.room)
    answer = moments[moment % len(moments)]
    assert_true(replay(answer, opened, reports, NOON), switch.room, all_known=False)


def test_a_reading_from_before_the_end_of_a_run_does_not_outlive_it() -> None:
    answer = Room(id=ROOM, state=RoomState.ACTIVE, run_id="r1", participants={ANNA: anna(1)})
    now = replay(answer, RoomMemory(), [left(1, "r1"), ended("r1")], NOON)
    assert now.state is RoomState.IDLE
    assert now.participants == {}


def test_a_reading_from_after_a_return_is_not_undone_by_the_leave_before_it() -> None:
    answer = Room(id=ROOM, state=RoomState.ACTIVE, participants={ANNA: anna(2)})
    now = replay(answer, RoomMemory(), [left(), joined(2)], NOON)
    assert ANNA in now.participants


def test_a_reading_from_a_new_conference_is_not_emptied_by_the_end_of_the_old_one() -> None:
    answer = Room(id=ROOM, state=RoomState.ACTIVE, participants={ANNA: anna(2)})
    now = replay(answer, RoomMemory(), [left(1), ended(), started(), joined(2)], NOON)
    assert ANNA in now.participants


def test_laying_reports_over_a_reading_leaves_the_memory_as_it_was() -> None:
    memory = RoomMemory({ANNA: 1}, {"r0": None}, {BEN: LeaveReason.KICKED})
    was = memory.copy()
    answer = Room(id=ROOM, state=RoomState.ACTIVE, run_id="r1", participants={BEN: Participant(id=BEN)})
    locked = RoomReport(room_id=ROOM, facts=RoomFacts(locked=True))
    replay(answer, memory, [joined(2, "r1"), locked, left(2, "r1"), ended("r1")], NOON)
    assert memory == was


def test_what_was_said_of_a_conference_does_not_cling_to_a_reading_from_after_its_end() -> None:
    answer = Room(id=ROOM, locked=False, ended_at=NOON)
    now = replay(answer, RoomMemory(), [RoomReport(room_id=ROOM, facts=RoomFacts(locked=True)), ended()], NOON)
    assert now == Room(id=ROOM, locked=None, ended_at=NOON)
