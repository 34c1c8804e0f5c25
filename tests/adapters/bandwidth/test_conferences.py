"""Conferences: what events and readings come to, whichever of them is first, and when to ask again."""

import pytest

from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.events import CallState, CallTold, ConferenceTold, MemberTold
from adapters.bandwidth.wire import MemberJson
from gateway.model.reports import DoubtReport, EndReport, PictureReport, Report
from gateway.model.room import RoomState
from tests.adapters.bandwidth.told import (
    CONFERENCE,
    ROOM,
    START,
    Line,
    at_s,
    call_json,
    conference_json,
    member_json,
)

DOUBT: list[Report] = [DoubtReport(room_id=ROOM)]


@pytest.fixture(name="line")
def _line() -> Line:
    """A conference that was read while nobody was in it."""
    line = Line()
    line.read(conference=conference_json("created"))
    return line


# ---- which are served ----


def test_a_conference_is_no_room_before_it_has_been_read() -> None:
    line = Line()
    assert list(line.conferences.ids()) == [CONFERENCE]
    assert line.conferences.served(CONFERENCE)
    assert line.conferences.all() == []
    assert line.conferences.one(CONFERENCE) is None


def test_what_happens_in_a_conference_that_was_not_read_yet_has_it_read() -> None:
    line = Line()
    assert line.tell(ConferenceTold(conference_id=CONFERENCE, completed=False)) == DOUBT
    assert line.member(1) == DOUBT


def test_what_was_told_before_the_first_reading_is_not_lost() -> None:
    line = Line()
    line.member(1, mute=True)
    line.read(conference=conference_json("created"), asked_s=0)
    assert line.somebody(1).muted is True
    assert line.watcher.room.state is RoomState.ACTIVE


def test_of_a_conference_that_is_not_served_nothing_is_reported() -> None:
    conferences = Conferences()
    assert conferences.told(MemberTold(conference_id="conf-9", member_id="m", present=True, at=START), START) == []
    assert conferences.told(ConferenceTold(conference_id="conf-9", completed=True), START) == []
    assert conferences.told(ConferenceTold(conference_id="conf-9", completed=False), START) == []
    assert conferences.told(CallTold(call_id="c-9", state=CallState.OVER), START) == []
    assert conferences.read(conference_json(), [member_json(1)], START) == []
    assert conferences.gone(CONFERENCE) == []
    assert conferences.calls_wanted(CONFERENCE) == []
    assert conferences.own_mute(CONFERENCE, "member-1") is None
    assert conferences.is_muted_as_a_whole(CONFERENCE) is None
    assert conferences.member_of_call(CONFERENCE, "c-1") is None
    assert conferences.is_held_as_a_whole(CONFERENCE) is None
    assert conferences.muted_themselves(CONFERENCE) == []
    assert conferences.created_at(CONFERENCE) is None
    assert not conferences.ids()


def test_a_conference_that_is_forgotten_is_served_no_longer(line: Line) -> None:
    line.conferences.forget(CONFERENCE)
    assert line.member(1) == []
    assert line.conferences.all() == []
    line.conferences.forget(CONFERENCE)


def test_a_room_has_the_name_that_we_gave_it(line: Line) -> None:
    assert line.watcher.room.name == "Board"
    line.conferences.serve(CONFERENCE, "Supervisory board")
    line.read(conference=conference_json("created"))
    assert line.watcher.room.name == "Supervisory board"


# ---- the life of a conference ----


def test_a_conference_waits_idle_until_somebody_is_in_it_and_ends_for_good(line: Line) -> None:
    states = [(line.watcher.room.state, line.watcher.room.permanent)]
    line.member(1, count=1)
    states.append((line.watcher.room.state, line.watcher.room.permanent))
    assert line.watcher.room.started_at == line.somebody(1).joined_at
    line.member(1, present=False, count=0)
    states.append((line.watcher.room.state, line.watcher.room.permanent))
    assert line.completed() == [EndReport(room_id=ROOM)]
    states.append((line.watcher.room.state, line.watcher.room.permanent))
    active = (RoomState.ACTIVE, False)
    assert states == [(RoomState.IDLE, True), active, active, (RoomState.ENDED, False)]
    assert line.watcher.history() == ["member-1 joined", "member-1 left", "over"]
    assert not line.conferences.served(CONFERENCE)
    assert line.doubts == 0


def test_whoever_is_in_a_conference_that_is_closed_leaves_it(line: Line) -> None:
    line.member(1)
    line.completed()
    assert line.member(1, present=False) == []
    assert line.completed() == []
    assert line.watcher.history() == ["member-1 joined", "member-1 left", "over"]


def test_a_conference_that_nobody_was_ever_in_is_looked_for_once_it_is_over(line: Line) -> None:
    """No conference ran, so that none ends: that the room is gone is what the reading finds."""
    assert line.completed() == [EndReport(room_id=ROOM), DoubtReport(room_id=ROOM)]
    assert line.watcher.history() == []
    assert line.conferences.one(CONFERENCE) is None


@pytest.mark.parametrize("members", [[], [member_json(1, left=True)], None])
def test_a_reading_tells_the_end_too(line: Line, members: list[MemberJson] | None) -> None:
    line.member(1)
    answer = conference_json("completed", completedTime="2017-01-26T02:00:00Z")
    assert line.conferences.read(answer, members, at_s(0)) == [EndReport(room_id=ROOM)]
    assert not line.conferences.served(CONFERENCE)


def test_a_conference_that_is_not_found_is_over(line: Line) -> None:
    line.member(1)
    assert line.conferences.gone(CONFERENCE) == [EndReport(room_id=ROOM)]
    assert line.conferences.gone(CONFERENCE) == []


def test_a_late_reading_does_not_bring_back_what_is_over(line: Line) -> None:
    line.member(1)
    line.completed()
    assert line.read(member_json(1), asked_s=0) == []


def test_a_conference_that_is_over_is_not_served_again(line: Line) -> None:
    """The notes of which are served may not have been changed yet."""
    line.completed()
    line.conferences.serve(CONFERENCE, "Board")
    assert not line.conferences.served(CONFERENCE)


def test_a_conference_that_was_active_does_not_wait_again(line: Line) -> None:
    line.member(1)
    line.read(member_json(1, left=True), conference=conference_json("created"))
    assert line.watcher.room.state is RoomState.ACTIVE


# ---- who is in it ----


def test_each_change_gives_one_picture(line: Line) -> None:
    for reports in (line.member(1), line.member(1, mute=True), line.member(1, hold=True), line.member(2)):
        assert [type(each) for each in reports] == [PictureReport]
    assert [type(each) for each in line.member(1, present=False)] == [PictureReport]


def test_somebody_who_left_does_not_come_back(line: Line) -> None:
    line.member(1, present=False)
    assert line.member(1, at=0.5) == []
    assert line.member(1) == []
    line.read(member_json(1))
    assert line.watcher.history() == []
    assert line.people() == {}


def test_a_leave_counts_even_if_it_is_dated_before_what_was_told_last(line: Line) -> None:
    """Some times are whole seconds, others are not."""
    line.member(1, at=5.4)
    line.member(1, present=False, at=5)
    assert line.people() == {}


def test_replays_and_older_events_change_nothing(line: Line) -> None:
    line.member(1, at=5)
    line.member(1, mute=True, at=7)
    for at, mute in ((7, True), (5, False), (6, False)):
        assert line.member(1, mute=mute, at=at) == []
    assert line.somebody(1).muted is True


def test_events_of_one_instant_that_contradict_each_other_have_the_room_read(line: Line) -> None:
    line.member(1, mute=True, at=5)
    assert line.member(1, mute=False, at=5) == DOUBT
    assert line.member(1, mute=False, at=5) == []
    assert line.somebody(1).muted is True


def test_an_event_without_time_is_believed_of_who_comes_and_goes_only(line: Line) -> None:
    line.member(1, at=None)
    assert line.member(1, at=None) == []
    assert line.member(1, mute=True, at=None) == DOUBT
    assert line.somebody(1).muted is False
    line.member(1, mute=True)
    assert line.somebody(1).muted is True
    line.member(1, present=False, at=None)
    assert line.watcher.history() == ["member-1 joined", "member-1 left"]


def test_flags_that_an_event_leaves_open_stay_as_they_were(line: Line) -> None:
    line.member(1, mute=None, hold=None)
    assert (line.somebody(1).muted, line.somebody(1).on_hold) == (None, None)
    line.member(1, mute=True, hold=None)
    line.member(1, mute=None, hold=True)
    assert (line.somebody(1).muted, line.somebody(1).on_hold) == (True, True)


def test_an_event_that_counts_others_than_we_know_has_the_room_read(line: Line) -> None:
    assert DOUBT[0] not in line.member(1, count=1)
    assert DOUBT[0] in line.member(3, count=3)
    assert DOUBT[0] not in line.member(2, count=3)
    assert DOUBT[0] not in line.member(2, present=False, count=2)


def test_how_many_there_are_is_shown_as_it_was_last_told(line: Line) -> None:
    line.member(1, count=1)
    room = line.conferences.one(CONFERENCE)
    assert room is not None
    assert room.settings is not None
    assert (room.settings.native["activeMembers"], room.settings.native["state"]) == (1, "active")
    line.read(conference=conference_json("created"), asked_s=1)
    assert line.conferences.one(CONFERENCE) == room


# ---- readings ----


def test_a_reading_says_who_is_in_and_who_was(line: Line) -> None:
    line.read(member_json(1, mute=True), member_json(2, left=True), member_json(3, hold=True))
    assert list(line.people()) == ["member-1", "member-3"]
    assert line.somebody(1).joined_at == at_s(1)
    assert (line.somebody(1).muted, line.somebody(1).on_hold) == (True, False)
    assert (line.somebody(3).muted, line.somebody(3).on_hold) == (False, True)
    assert line.watcher.room.started_at == at_s(1)
    assert line.doubts == 0


def test_the_same_reading_again_gives_nothing(line: Line) -> None:
    line.read(member_json(1))
    assert line.read(member_json(1)) == []


def test_an_answer_that_a_later_one_overtook_is_worth_nothing(line: Line) -> None:
    line.read(member_json(1, mute=True), asked_s=6)
    assert line.read(member_json(1, mute=False), asked_s=5) == []
    assert line.somebody(1).muted is True


def test_whoever_joined_after_the_question_is_not_lost_by_the_answer(line: Line) -> None:
    line.now_s = 9
    line.member(1, count=1)
    assert DOUBT[0] not in line.read(conference=conference_json("created"), asked_s=9)
    assert list(line.people()) == ["member-1"]
    line.read(member_json(1))
    assert list(line.people()) == ["member-1"]


def test_what_an_event_told_after_the_question_holds_until_another_reading(line: Line) -> None:
    line.member(1)
    line.now_s = 9
    line.member(1, mute=True)
    assert DOUBT[0] in line.read(member_json(1, mute=False), asked_s=9)
    assert line.somebody(1).muted is True
    assert DOUBT[0] not in line.read(member_json(1, mute=False))
    assert line.somebody(1).muted is False


def test_a_reading_that_says_what_an_event_told_leaves_no_doubt(line: Line) -> None:
    line.now_s = 9
    line.member(1, mute=True)
    assert DOUBT[0] not in line.read(member_json(1, mute=True), asked_s=9)


def test_that_somebody_left_is_believed_whatever_was_told_after_the_question(line: Line) -> None:
    line.now_s = 9
    line.member(1, mute=True)
    line.read(member_json(1, left=True), asked_s=9)
    assert line.people() == {}
    assert line.doubts == 0


def test_an_event_that_may_be_older_than_the_reading_does_not_undo_it(line: Line) -> None:
    line.member(1, at=1)
    line.now_s = 9
    line.read(member_json(1, mute=False))
    assert line.member(1, mute=True, at=5) == DOUBT
    assert line.member(1, mute=True, at=5) == []
    assert line.member(1, mute=False, at=6) == []
    assert line.somebody(1).muted is False
    line.member(1, mute=True)
    assert line.somebody(1).muted is True


def test_whoever_is_not_listed_any_more_is_gone_if_a_second_reading_says_so_too(line: Line) -> None:
    """Lists keep those who left."""
    line.member(1)
    line.member(2)
    assert DOUBT[0] in line.read(member_json(2))
    assert list(line.people()) == ["member-1", "member-2"]
    line.read(member_json(1), member_json(2))
    assert DOUBT[0] in line.read(member_json(2))
    assert DOUBT[0] not in line.read(member_json(2))
    assert list(line.people()) == ["member-2"]


def test_whoever_was_not_listed_is_shown_again_only_if_a_reading_says_so(line: Line) -> None:
    line.member(1)
    line.member(2)
    line.read(member_json(2))
    line.read(member_json(2))
    assert line.member(1, mute=True) == DOUBT
    line.read(member_json(2))
    assert list(line.people()) == ["member-2"]
    line.read(member_json(1), member_json(2))
    assert len(line.people()) == 2


def test_a_reading_without_members_leaves_them_as_they_are(line: Line) -> None:
    line.member(1, mute=True)
    line.read(conference=conference_json(hold=True), with_members=False)
    assert (line.somebody(1).muted, line.somebody(1).on_hold) == (True, True)
    assert line.watcher.room.on_hold is True


# ---- muted as a whole ----


def test_somebody_is_muted_if_they_or_the_conference_are(line: Line) -> None:
    line.read(member_json(1), member_json(2, mute=True), conference=conference_json(mute=True))
    assert [each.muted for each in line.people().values()] == [True, True]
    assert line.conferences.is_muted_as_a_whole(CONFERENCE) is True
    assert line.conferences.own_mute(CONFERENCE, "member-1") is False
    assert line.conferences.own_mute(CONFERENCE, "member-2") is True
    line.read(member_json(1), member_json(2, mute=True), conference=conference_json(mute=False))
    assert [each.muted for each in line.people().values()] == [False, True]
    assert line.conferences.is_muted_as_a_whole(CONFERENCE) is False


def test_a_hold_of_the_conference_is_one_of_the_room_and_of_all_in_it(line: Line) -> None:
    line.read(member_json(1), conference=conference_json(hold=True))
    assert line.watcher.room.on_hold is True
    assert line.somebody(1).on_hold is True
    assert line.conferences.is_held_as_a_whole(CONFERENCE) is True
    assert line.member(1, hold=False) == DOUBT


def test_an_event_says_not_muted_while_the_conference_is(line: Line) -> None:
    """Either it tells the member's own flag, or the conference is no longer muted: only a reading can say."""
    line.read(member_json(1, mute=True), conference=conference_json(mute=True))
    assert DOUBT[0] in line.member(1, mute=False)
    assert line.somebody(1).muted is True
    assert line.conferences.own_mute(CONFERENCE, "member-1") is False
    line.read(member_json(1), conference=conference_json(mute=False))
    assert line.somebody(1).muted is False


def test_an_event_says_muted_while_the_conference_is(line: Line) -> None:
    line.read(member_json(1), conference=conference_json(mute=True))
    assert DOUBT[0] in line.member(1, mute=True)
    assert line.somebody(1).muted is True
    assert line.conferences.own_mute(CONFERENCE, "member-1") is None
    assert line.conferences.muted_themselves(CONFERENCE) == ["member-1"]
    line.read(member_json(1), conference=conference_json(mute=True))
    assert line.conferences.own_mute(CONFERENCE, "member-1") is False
    assert line.conferences.muted_themselves(CONFERENCE) == []


def test_an_event_that_tells_nothing_new_may_be_of_the_conference(line: Line) -> None:
    line.member(1, count=1)
    assert line.member(1, count=1) == DOUBT


def test_an_event_since_the_question_may_be_that_the_conference_is_no_longer_muted(line: Line) -> None:
    line.member(1, mute=True)
    line.now_s = 9
    line.member(1, mute=False)
    assert DOUBT[0] in line.read(member_json(1), conference=conference_json(mute=True), asked_s=9)


def test_a_flag_of_the_conference_that_was_told_and_is_missing_now_is_not_set(line: Line) -> None:
    line.read(member_json(1), conference=conference_json(mute=True, hold=True))
    line.read(member_json(1), conference={"id": CONFERENCE, "state": "active"})
    assert line.somebody(1).muted is False
    assert line.watcher.room.on_hold is False


def test_the_sample_of_the_page_leaves_the_flags_of_the_conference_open() -> None:
    line = Line()
    line.read(
        member_json(1, mute=True),
        member_json(2),
        conference={"activeMembers": 2, "from": "+19703255647", "id": CONFERENCE, "state": "active"},
    )
    assert [each.muted for each in line.people().values()] == [True, False]
    assert line.conferences.is_muted_as_a_whole(CONFERENCE) is None
    assert line.watcher.room.on_hold is None


# ---- calls ----


def test_a_number_is_asked_for_once_and_shown_when_it_is_known(line: Line) -> None:
    line.member(1)
    line.member(2)
    assert line.conferences.calls_wanted(CONFERENCE) == ["c-1", "c-2"]
    line.watcher.take(line.conferences.call_read(call_json(1)))
    assert (line.somebody(1).number, line.somebody(1).user_id) == ("+12025550001", "+12025550001")
    assert line.somebody(2).number is None
    line.conferences.gave_up("c-2")
    assert line.conferences.calls_wanted(CONFERENCE) == []


def test_a_call_whose_direction_is_not_told_is_not_asked_for_again(line: Line) -> None:
    line.member(1)
    assert line.conferences.call_read({"id": "c-1"}) == []
    assert line.conferences.calls_wanted(CONFERENCE) == []


def test_a_number_that_is_known_before_somebody_comes_by_the_call_is_shown_at_once(line: Line) -> None:
    assert line.conferences.call_read(call_json(1)) == []
    line.conferences.gave_up("c-1")
    line.member(1)
    assert line.somebody(1).number == "+12025550001"
    assert line.conferences.calls_wanted(CONFERENCE) == []


def test_nobody_asks_for_calls_of_those_who_left(line: Line) -> None:
    line.member(1)
    line.member(1, present=False)
    assert line.conferences.calls_wanted(CONFERENCE) == []


def test_whoever_hung_up_has_left_whatever_comes_late(line: Line) -> None:
    line.member(1, count=1)
    line.hung_up(1)
    assert line.hung_up(1) == []
    assert line.member(1, present=False, count=0) == []
    line.read(member_json(1), asked_s=0.5)
    assert line.watcher.history() == ["member-1 joined", "member-1 left"]


def test_whoever_hung_up_before_their_join_was_told_is_not_shown(line: Line) -> None:
    line.hung_up(1)
    line.member(1)
    line.read(member_json(1))
    assert line.watcher.history() == []


def test_a_call_that_is_read_and_over_carries_nobody(line: Line) -> None:
    line.member(1)
    line.watcher.take(line.conferences.call_read(call_json(1, "completed")))
    assert line.people() == {}


def test_that_a_call_was_answered_says_nothing_of_the_conference(line: Line) -> None:
    assert line.tell(CallTold(call_id="c-1", state=CallState.ANSWERED)) == []


def test_who_came_by_a_call_is_known_while_they_are_there(line: Line) -> None:
    line.member(1)
    assert line.conferences.member_of_call(CONFERENCE, "c-1") == "member-1"
    assert line.conferences.member_of_call(CONFERENCE, "c-2") is None
    line.member(1, present=False)
    assert line.conferences.member_of_call(CONFERENCE, "c-1") is None
    assert line.conferences.own_mute(CONFERENCE, "member-1") is None


def test_who_came_by_a_call_can_be_told_from_a_list(line: Line) -> None:
    members = [member_json(1), member_json(2, left=True)]
    assert line.conferences.present_with(members, "c-1") == "member-1"
    assert line.conferences.present_with(members, "c-2") is None


def test_when_a_conference_was_created_is_known_once_it_was_read(line: Line) -> None:
    assert line.conferences.created_at(CONFERENCE) == at_s(-1)
    assert Line().conferences.created_at(CONFERENCE) is None
