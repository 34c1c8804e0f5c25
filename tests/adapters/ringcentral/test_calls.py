"""The rules by which calls and conferences become rooms, each a sentence; then a whole conference, event by event."""

from datetime import timedelta

import pytest

from adapters.ringcentral.events import Code, End, Party, Peer
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport, EndReport, PictureReport, UpdateReport
from gateway.model.room import Participant, ParticipantRole, RoomState
from tests.adapters.ringcentral.told import ANN, BOB, HOST, HOST_END, ROOM, Line, gone, host, member, own, remote

SECOND, THIRD = ParticipantId("p-C-2"), ParticipantId("p-C-3")


@pytest.fixture(name="line")
def _line() -> Line:
    return Line()


@pytest.fixture(name="live")
def _live() -> Line:
    line = Line()
    line.create()
    line.host_comes()
    return line


# ---- a room ----


def test_a_created_room_is_idle_until_its_host_is_in_it(line: Line) -> None:
    line.create("Standup")
    assert (line.watcher.room().state, line.watcher.room().name) == (RoomState.IDLE, "Standup")
    assert line.watcher.room().permanent is False
    line.tell(ROOM, host(Code.SETUP))
    line.tell(ROOM, host(Code.PROCEEDING))
    assert line.watcher.room().state is RoomState.IDLE
    assert line.calls.host_of(ROOM) is None
    line.tell(ROOM, host(Code.ANSWERED))
    assert line.watcher.room().state is RoomState.ACTIVE
    assert line.watcher.room().name == "Standup"
    assert line.calls.host_of(ROOM) == HOST
    assert line.calls.all() == [line.calls.one(ROOM)]


def test_a_room_that_another_program_made_appears_by_its_first_event_and_has_no_name(line: Line) -> None:
    line.tell(ROOM, host(Code.SETUP))
    assert (line.watcher.room().state, line.watcher.room().name) == (RoomState.IDLE, None)
    assert line.calls.rooms_known() == [ROOM]


def test_a_host_who_does_not_come_within_38_seconds_makes_the_room_doubtful_once(line: Line) -> None:
    line.create()
    assert line.calls.next_due == line.clock() + timedelta(seconds=38)
    line.clock.pass_s(38)
    line.overdue()
    line.overdue()
    assert line.watcher.doubts == [ROOM]
    assert line.calls.next_due is None


def test_a_host_who_came_is_not_waited_for(live: Line) -> None:
    assert live.calls.next_due is None


def test_a_room_that_ends_before_its_host_came_has_ended(line: Line) -> None:
    line.create()
    line.watcher.take(line.calls.ended(ROOM))
    assert line.watcher.room().state is RoomState.ENDED
    assert line.calls.one(ROOM) is None
    assert line.calls.rooms_known() == []


def test_the_host_is_a_moderator_under_their_own_number(live: Line) -> None:
    shown = live.watcher.room().participants[HOST]
    assert shown.role is ParticipantRole.MODERATOR
    assert (shown.number, shown.display_name, shown.user_id) == ("+15550109999", "Agent", "EXT")
    assert (shown.leg_id, shown.deafened, shown.talking) == (HOST, None, None)


def test_a_host_without_role_is_known_by_the_extension(line: Line) -> None:
    line.tell(ROOM, host(Code.ANSWERED, is_host=None))
    assert line.calls.host_of(ROOM) == HOST


def test_mute_and_hold_of_the_host_are_told_by_events(live: Line) -> None:
    live.tell(ROOM, host(Code.ANSWERED, muted=True))
    assert live.watcher.room().participants[HOST].muted is True
    live.tell(ROOM, host(Code.HOLD, muted=True))
    assert live.watcher.room().participants[HOST].on_hold is True
    live.tell(ROOM, host(Code.ANSWERED))
    assert (live.watcher.room().participants[HOST].muted, live.watcher.room().participants[HOST].on_hold) == (
        False,
        False,
    )


# ---- joining ----


def test_somebody_has_joined_when_the_leg_of_their_call_is_gone_into_the_conference(live: Line) -> None:
    live.merge("A", 2, ANN)
    assert live.watcher.room().participants[SECOND] == Participant(
        id=SECOND,
        leg_id="p-A-1",
        display_name="Ann",
        number="+15550100001",
        role=ParticipantRole.PARTICIPANT,
        joined_at=live.clock(),
    )
    assert live.calls.original_of(ROOM, SECOND) == ("s-A", "p-A-1")
    assert live.calls.original_of(ROOM, HOST) is None


def test_of_a_call_that_came_in_the_caller_is_who_joins(live: Line) -> None:
    live.tell("s-A", gone("A", 2, HOST_END, inbound=True, caller=ANN))
    assert live.watcher.room().participants[SECOND].number == ANN.number


def test_of_a_leg_without_direction_nobody_knows_who_it_is(live: Line) -> None:
    live.tell("s-A", gone("A", 2, ANN, inbound=None))
    shown = live.watcher.room().participants[SECOND]
    assert (shown.number, shown.display_name) == (None, None)


@pytest.mark.parametrize("reason", ["AttendedTransfer", "Supervising", None])
def test_gone_for_another_reason_is_no_join(live: Line, reason: str | None) -> None:
    live.tell("s-A", gone("A", 2, ANN, reason=reason))
    assert set(live.watcher.room().participants) == {HOST}


def test_a_join_without_peer_is_none(live: Line) -> None:
    live.tell("s-A", own("A", Code.GONE, ANN, reason="Conference"))
    assert set(live.watcher.room().participants) == {HOST}


def test_the_answer_to_bring_in_is_no_join(live: Line) -> None:
    live.watcher.take(live.calls.party(ROOM, member(2, Code.SETUP)))
    assert set(live.watcher.room().participants) == {HOST}
    live.merge("A", 2, ANN)
    assert live.watcher.room().participants[SECOND].number == ANN.number
    assert live.watcher.room().participants[SECOND].muted is False


def test_hold_and_mute_of_the_call_before_it_was_merged_are_not_the_participants(live: Line) -> None:
    live.tell("s-A", own("A", Code.HOLD, ANN, muted=True))
    live.tell("s-A", gone("A", 2, ANN, muted=True))
    assert (live.watcher.room().participants[SECOND].on_hold, live.watcher.room().participants[SECOND].muted) == (
        None,
        None,
    )


def test_a_join_into_a_room_never_seen_is_kept_until_the_room_is_read(line: Line) -> None:
    assert line.calls.told(line.event("s-A", gone("A", 2, ANN))) == [DoubtReport(room_id=ROOM)]
    assert line.calls.all() == []
    assert line.calls.rooms_known() == [ROOM]
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    assert line.watcher.history() == ["p-C-1 joined as +15550109999", "p-C-2 joined as +15550100001"]
    assert line.calls.wanted == []


def test_a_join_that_comes_before_its_room_waits_for_the_rooms_own_events(line: Line) -> None:
    line.tell("s-A", gone("A", 2, ANN))
    line.tell(ROOM, host(Code.SETUP))
    assert line.watcher.room().participants == {}
    line.tell(ROOM, host(Code.ANSWERED))
    assert set(line.watcher.room().participants) == {HOST, SECOND}


def test_events_of_a_participants_own_leg_say_the_same_as_those_of_the_call(live: Line) -> None:
    live.tell("s-A", own("A", Code.ANSWERED, ANN))
    live.tell(ROOM, member(2, Code.SETUP))
    live.tell(ROOM, member(2, Code.GONE, "A"))
    live.tell("s-A", gone("A", 2, ANN))
    live.tell(ROOM, member(2, Code.GONE, "A", muted=True))
    assert live.watcher.room().participants[SECOND].muted is True
    live.tell(ROOM, member(2, Code.DISCONNECTED, "A"))
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    assert live.watcher.history()[1:] == ["p-C-2 joined as +15550100001", "p-C-2 left"]
    assert live.watcher.room().state is RoomState.ACTIVE


def test_an_event_of_a_participants_own_leg_does_not_replace_the_hosts(line: Line) -> None:
    line.create()
    line.tell(ROOM, member(2, Code.GONE, "A"))
    assert line.watcher.room().state is RoomState.IDLE


def test_a_join_into_a_room_whose_host_seems_not_to_be_there_has_it_read(line: Line) -> None:
    line.create()
    line.tell("s-A", gone("A", 2, ANN))
    assert line.watcher.doubts == [ROOM]
    assert line.watcher.room().state is RoomState.IDLE


def test_a_parked_join_is_forgotten_after_a_minute(line: Line) -> None:
    line.tell("s-A", gone("A", 2, ANN))
    line.clock.pass_s(61)
    line.tell("s-B", own("B", Code.SETUP, BOB))
    assert line.calls.rooms_known() == []
    line.host_comes()
    assert set(line.watcher.room().participants) == {HOST}


def test_parked_joins_are_bounded(line: Line) -> None:
    for number in range(1_000):
        line.tell(f"s-A{number}", gone(f"A{number}", 2, ANN, room=f"s-C{number}"))
    assert len(line.calls.rooms_known()) == 256
    assert len(line.calls._merged) == 256


# ---- leaving ----


def test_somebody_has_left_when_the_leg_of_their_call_is_disconnected(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    assert live.watcher.history()[1:] == ["p-C-2 joined as +15550100001", "p-C-2 left"]


def test_gone_never_means_left_in_a_conference(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.tell(ROOM, host(Code.GONE))
    live.tell(ROOM, member(2, Code.GONE))
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE))
    assert set(live.watcher.room().participants) == {HOST, SECOND}


def test_the_end_of_another_call_is_nobodys_leave(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.tell("s-B", own("B", Code.ANSWERED, BOB))
    live.tell("s-B", own("B", Code.DISCONNECTED, BOB))
    assert set(live.watcher.room().participants) == {HOST, SECOND}


def test_a_leg_that_answers_show_disconnected_has_left(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.DISCONNECTED))
    assert live.watcher.history()[-1] == "p-C-2 left"


def test_an_answer_from_before_a_leave_brings_nobody_back(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    live.watcher.take(live.calls.party(ROOM, member(2, Code.GONE, "A", muted=True)))
    assert live.watcher.history()[1:] == ["p-C-2 joined as +15550100001", "p-C-2 left"]


def test_who_was_in_one_answer_and_is_not_in_the_next_has_left(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.read(ROOM, host(Code.ANSWERED), asked_at=live.clock())
    assert SECOND in live.watcher.room().participants  # the answer may be older than the join
    live.clock.pass_s(1)
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"), asked_at=live.clock())
    live.clock.pass_s(1)
    live.read(ROOM, host(Code.ANSWERED), asked_at=live.clock())
    assert live.watcher.history()[-1] == "p-C-2 left"


# ---- order ----


def test_of_two_events_about_one_leg_the_older_overwrites_nothing_and_the_same_does_no_harm(live: Line) -> None:
    live.tell(ROOM, host(Code.ANSWERED, muted=True), sequence=9)
    live.tell(ROOM, host(Code.ANSWERED, muted=False), sequence=8)
    assert live.watcher.room().participants[HOST].muted is True
    assert live.calls.told(live.event(ROOM, host(Code.ANSWERED, muted=True), sequence=9)) == []


def test_sequences_of_a_call_and_of_the_conference_are_unrelated(live: Line) -> None:
    live.tell(ROOM, host(Code.ANSWERED, muted=True), sequence=900)
    live.tell("s-A", gone("A", 2, ANN), sequence=3)
    assert SECOND in live.watcher.room().participants


def test_an_event_that_comes_twice_is_told_once(live: Line) -> None:
    event = live.event("s-A", gone("A", 2, ANN), uuid="u1")
    assert live.calls.told(event)
    assert live.calls.told(event) == []


def test_the_uuids_remembered_are_bounded(line: Line) -> None:
    for number in range(10_000):
        line.tell("s-A", own("A", Code.ANSWERED, ANN), uuid=f"u{number}")
    assert len(line.calls._uuids) <= 4_096


def test_a_join_that_comes_after_the_end_of_its_leg_is_a_join_and_a_leave(live: Line) -> None:
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN), sequence=11)
    live.tell("s-A", gone("A", 2, ANN), sequence=9)
    live.tell("s-A", own("A", Code.ANSWERED, ANN), sequence=6)
    assert live.watcher.history()[1:] == ["p-C-2 joined as +15550100001", "p-C-2 left"]


def test_a_late_setup_brings_no_room_back(live: Line) -> None:
    live.tell(ROOM, host(Code.DISCONNECTED))
    live.clock.pass_s(59)
    live.tell(ROOM, host(Code.SETUP), sequence=2)
    live.tell(ROOM, host(Code.ANSWERED), sequence=4)
    live.tell("s-A", gone("A", 2, ANN))
    live.read(ROOM, host(Code.ANSWERED))
    assert live.watcher.history() == ["p-C-1 joined as +15550109999", "p-C-1 left with the room", "over"]
    assert live.calls.all() == []


def test_a_session_first_seen_when_it_is_over_is_none(line: Line) -> None:
    line.tell(ROOM, host(Code.DISCONNECTED), sequence=5)
    line.tell(ROOM, host(Code.ANSWERED), sequence=4)
    line.read(RoomId("s-C2"), host(Code.DISCONNECTED, room="s-C2"))
    assert line.calls.rooms_known() == []
    assert line.watcher.followers == {}


def test_what_is_over_is_forgotten_after_a_minute(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    live.watcher.take(live.calls.ended(ROOM))
    live.clock.pass_s(61)
    live.tell("s-B", own("B", Code.SETUP, BOB))
    assert set(live.calls._legs._calls) == {"s-B"}
    assert (live.calls._over, live.calls._merged) == ({}, {})


def test_the_calls_remembered_are_bounded(line: Line) -> None:
    for number in range(3_000):
        line.tell(f"s-A{number}", own(f"A{number}", Code.ANSWERED, ANN))
    assert len(line.calls._legs._calls) == 1_000


def test_a_room_through_which_many_pass_does_not_grow(live: Line) -> None:
    for number in range(2, 1_000):
        live.merge(f"A{number}", number, ANN)
        live.tell(f"s-A{number}", own(f"A{number}", Code.DISCONNECTED, ANN))
    assert len(live.calls._rooms[ROOM].presences) <= 256
    assert live.calls._merged == {}
    assert set(live.watcher.room().participants) == {HOST}


# ---- who is who ----


def test_whoever_is_only_known_by_an_answer_is_held_back_until_the_call_is_read(line: Line) -> None:
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    assert line.calls.wanted == ["s-A"]
    assert set(line.watcher.room().participants) == {HOST}
    line.read("s-A", gone("A", 2, ANN), remote("A", Code.ANSWERED, ANN))
    assert line.calls.wanted == []
    assert line.watcher.history() == ["p-C-1 joined as +15550109999", "p-C-2 joined as +15550100001"]


def test_who_cannot_be_identified_in_time_joins_without_name_and_number_and_gets_them_later(line: Line) -> None:
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    assert line.calls.next_due == line.clock() + timedelta(seconds=2)
    line.clock.pass_s(2)
    line.overdue()
    assert line.watcher.history()[-1] == "p-C-2 joined as None"
    assert (line.calls.wanted, line.calls.next_due) == ([], None)
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    assert line.calls.wanted == ["s-A"]
    line.read("s-A", gone("A", 2, ANN))
    assert line.watcher.room().participants[SECOND].number == ANN.number
    assert len(line.watcher.history()) == 2


@pytest.mark.parametrize("parties", [(), (remote("A", Code.ANSWERED, ANN),)])
def test_a_call_that_does_not_tell_is_not_asked_again(line: Line, parties: tuple[Party, ...]) -> None:
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    line.read("s-A", *parties)
    assert line.calls.wanted == []
    assert line.watcher.history()[-1] == "p-C-2 joined as None"


def test_a_call_that_cannot_be_read_costs_name_and_number(line: Line) -> None:
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    line.watcher.take(line.calls.unreadable("s-A"))
    assert line.calls.wanted == []
    assert line.watcher.history()[-1] == "p-C-2 joined as None"


def test_who_is_held_back_and_leaves_has_joined_and_left(line: Line) -> None:
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"), member(3, Code.GONE, "B"))
    line.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    line.watcher.take(line.calls.ended(ROOM))
    assert sorted(line.watcher.history()[1:]) == [
        "over",
        "p-C-1 left with the room",
        "p-C-2 joined as +15550100001",
        "p-C-2 left",
        "p-C-3 joined as None",
        "p-C-3 left with the room",
    ]


def test_a_call_known_by_events_need_not_be_read(line: Line) -> None:
    line.tell("s-A", own("A", Code.ANSWERED, ANN))
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    assert line.calls.wanted == []
    assert line.watcher.room().participants[SECOND].number == ANN.number


def test_outside_legs_change_nothing(live: Line) -> None:
    live.merge("A", 2, ANN)
    before = live.watcher.room()
    elsewhere = Peer(ROOM, "p-C-9")
    live.tell("s-A", remote("A", Code.GONE, ANN, reason="Conference", peer=elsewhere))
    assert live.watcher.room() == before
    live.tell("s-A", remote("A", Code.DISCONNECTED, ANN))
    assert live.watcher.room() == before


def test_an_outside_leg_may_tell_a_name(live: Line) -> None:
    live.merge("A", 2, End(ANN.number))
    assert live.watcher.room().participants[SECOND].display_name is None
    live.tell("s-A", remote("A", Code.ANSWERED, ANN))
    assert live.watcher.room().participants[SECOND].display_name == "Ann"


def test_an_original_leg_that_is_the_outside_one_says_nothing_of_who_it_is(line: Line) -> None:
    outside = Peer("s-A", "p-A-2")
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, peer=outside))
    line.read("s-A", own("A", Code.GONE, ANN), remote("A", Code.ANSWERED, ANN))
    assert line.watcher.history()[-1] == "p-C-2 joined as None"


def test_our_own_leg_of_a_call_is_what_bring_in_wants(line: Line) -> None:
    assert line.calls.own_leg("s-A") is None
    line.tell("s-A", remote("A", Code.ANSWERED, ANN))
    assert line.calls.own_leg("s-A") is None
    line.tell("s-A", Party(id="p-A-3", code=Code.ANSWERED, extension_id="E2"))
    line.tell("s-A", own("A", Code.ANSWERED, ANN))
    assert line.calls.own_leg("s-A") == "p-A-1"
    line.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    assert line.calls.own_leg("s-A") is None
    line.calls.extension_id = None
    assert line.calls.own_leg("s-A") == "p-A-3"


def test_a_call_that_went_on_at_another_device_is_no_longer_ours_here(line: Line) -> None:
    line.tell("s-A", own("A", Code.DISCONNECTED, ANN, reason="CallSwitch"), sequence=9)
    line.tell("s-A", own("A", Code.ANSWERED, ANN), sequence=6)
    assert line.calls.own_leg("s-A") is None


# ---- answers to commands ----


def test_the_answer_to_a_command_is_believed_about_its_leg(live: Line) -> None:
    live.merge("A", 2, ANN)
    said = live.calls.party(ROOM, member(2, Code.GONE, "A", muted=True))
    assert [type(each) for each in said] == [UpdateReport]
    live.watcher.take(said)
    assert live.watcher.room().participants[SECOND].muted is True
    assert live.calls.party(ROOM, member(2, Code.GONE, "A", muted=True)) == []
    live.watcher.take(live.calls.party(ROOM, member(2, Code.HOLD, muted=True)))
    assert live.watcher.room().participants[SECOND].on_hold is True
    live.watcher.take(live.calls.party(ROOM, member(2, Code.ANSWERED, muted=True)))
    assert live.watcher.room().participants[SECOND].on_hold is False
    assert live.calls.party(RoomId("s-X"), member(2, Code.GONE)) == []


def test_an_answer_that_was_asked_for_before_something_was_said_does_not_overwrite_it(live: Line) -> None:
    live.merge("A", 2, ANN)
    asked_at = live.clock()
    live.clock.pass_s(1)
    live.watcher.take(live.calls.party(ROOM, member(2, Code.GONE, "A", muted=True)))
    live.tell(ROOM, host(Code.ANSWERED, muted=True))
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"), asked_at=asked_at)
    assert [each.muted for each in live.watcher.room().participants.values()] == [True, True]
    live.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"), asked_at=live.clock())
    assert [each.muted for each in live.watcher.room().participants.values()] == [False, False]


# ---- the end ----


def test_with_the_hosts_leg_the_room_is_over(live: Line) -> None:
    live.merge("A", 2, ANN)
    assert live.calls.told(live.event(ROOM, host(Code.DISCONNECTED)))[-1] == EndReport(room_id=ROOM)
    assert live.calls.all() == []


def test_a_session_that_is_deleted_or_not_found_is_over_once(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.watcher.take(live.calls.ended(ROOM))
    assert live.calls.ended(ROOM) == []
    live.tell(ROOM, host(Code.DISCONNECTED))
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    assert live.watcher.history()[-1] == "over"


@pytest.mark.parametrize("reason", ["CallSwitch", "Pickup"])
def test_a_host_who_moves_to_another_device_does_not_end_the_room(live: Line, reason: str) -> None:
    live.tell(ROOM, host(Code.DISCONNECTED, reason=reason))
    assert live.watcher.room().state is RoomState.ACTIVE
    live.tell(ROOM, host(Code.ANSWERED, n=4, is_host=None, reason="CallSwitch"))
    assert set(live.watcher.room().participants) == {"p-C-4"}
    live.tell(ROOM, host(Code.DISCONNECTED, n=4))
    assert live.watcher.history()[-1] == "over"


def test_a_host_who_is_at_the_other_device_before_leaving_the_first_does_not_end_the_room(live: Line) -> None:
    live.tell(ROOM, host(Code.ANSWERED, n=4, is_host=None, reason="CallSwitch"))
    live.tell(ROOM, host(Code.DISCONNECTED, reason="CallSwitch"))
    assert set(live.watcher.room().participants) == {"p-C-4"}
    assert live.calls.host_of(ROOM) == "p-C-4"


def test_the_end_of_one_leg_of_the_host_is_not_that_of_the_room_while_another_is_up(live: Line) -> None:
    live.tell(ROOM, host(Code.ANSWERED, n=4))
    live.tell(ROOM, host(Code.DISCONNECTED))
    assert (live.watcher.room().state, set(live.watcher.room().participants)) == (RoomState.ACTIVE, {"p-C-4"})


def test_a_host_who_comes_back_on_the_same_leg_never_left(live: Line) -> None:
    live.tell(ROOM, host(Code.DISCONNECTED, reason="CallSwitch"))
    live.tell(ROOM, host(Code.ANSWERED, reason="CallSwitch"))
    live.tell(ROOM, host(Code.DISCONNECTED))
    assert live.watcher.history()[1:] == ["p-C-1 left with the room", "over"]


def test_a_call_that_moves_to_another_device_and_is_merged_then_is_one_join(live: Line) -> None:
    live.tell("s-A", own("A", Code.ANSWERED, ANN))
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN, reason="CallSwitch"))
    live.tell("s-A", gone("A", 2, ANN))
    assert SECOND in live.watcher.room().participants


def test_a_host_who_leaves_alone_by_our_command_does_not_end_the_room(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.calls.host_leaves(ROOM)
    live.tell(ROOM, host(Code.DISCONNECTED))
    assert set(live.watcher.room().participants) == {SECOND}
    assert live.calls.host_of(ROOM) is None
    assert live.watcher.doubts == []
    live.tell("s-A", own("A", Code.DISCONNECTED, ANN))
    assert live.watcher.doubts == [ROOM]  # whether an empty conference goes on, nobody says


def test_a_host_who_was_refused_to_leave_alone_ends_the_room_when_leaving(live: Line) -> None:
    live.calls.host_leaves(ROOM)
    live.calls.host_stays(ROOM)
    live.tell(ROOM, host(Code.DISCONNECTED))
    assert live.watcher.history()[-1] == "over"


def test_an_answer_without_the_host_is_of_a_room_that_goes_on(line: Line) -> None:
    line.tell("s-A", gone("A", 2, ANN))
    line.read(ROOM, host(Code.DISCONNECTED), member(2, Code.GONE, "A"))
    assert (line.watcher.room().state, set(line.watcher.room().participants)) == (RoomState.ACTIVE, {SECOND})
    line.read(ROOM, host(Code.DISCONNECTED), member(2, Code.DISCONNECTED, "A"))
    assert line.watcher.history()[-1] == "over"


def test_a_forgotten_room_is_not_reported_and_may_be_met_again(live: Line) -> None:
    live.merge("A", 2, ANN)
    live.calls.forget(ROOM)
    assert (live.calls.all(), live.calls.rooms_known(), live.calls._merged) == ([], [], {})
    assert live.calls.told(live.event("s-A", own("A", Code.DISCONNECTED, ANN))) == []
    assert isinstance(live.calls.told(live.event(ROOM, host(Code.ANSWERED)))[0], PictureReport)


# ---- a whole conference ----


def test_a_conference_with_two_of_whom_one_is_muted_and_removed() -> None:
    line = Line()
    line.tell("s-A", own("A", Code.SETUP, ANN), sequence=2)
    line.tell("s-A", own("A", Code.PROCEEDING, ANN), sequence=4)
    line.tell("s-A", own("A", Code.ANSWERED, ANN), sequence=6)
    line.tell("s-A", own("A", Code.HOLD, ANN), sequence=7)
    line.tell("s-B", own("B", Code.SETUP, BOB), sequence=2)
    line.tell("s-B", own("B", Code.ANSWERED, BOB), sequence=6)
    assert line.watcher.followers == {}

    line.create("Standup")
    assert line.watcher.room().state is RoomState.IDLE
    for sequence, code in enumerate((Code.SETUP, Code.PROCEEDING, Code.ANSWERED), start=2):
        line.tell(ROOM, host(code), sequence=sequence)
    assert line.watcher.room().state is RoomState.ACTIVE
    assert line.watcher.history() == ["p-C-1 joined as +15550109999"]

    assert line.calls.own_leg("s-A") == "p-A-1"
    line.watcher.take(line.calls.party(ROOM, member(2, Code.SETUP)))
    assert len(line.watcher.history()) == 1
    line.tell("s-A", gone("A", 2, ANN), sequence=9)
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.GONE, "A"))
    line.tell("s-B", gone("B", 3, BOB), sequence=9)
    assert line.watcher.history()[1:] == ["p-C-2 joined as +15550100001", "p-C-3 joined as +15550100002"]

    line.watcher.take(line.calls.party(ROOM, member(2, Code.GONE, "A", muted=True)))
    assert line.watcher.room().participants[SECOND].muted is True
    line.tell("s-A", own("A", Code.DISCONNECTED, ANN), sequence=11)
    assert line.watcher.history()[-1] == "p-C-2 left"
    line.read(ROOM, host(Code.ANSWERED), member(2, Code.DISCONNECTED, "A"), member(3, Code.GONE, "B"))
    assert set(line.watcher.room().participants) == {HOST, THIRD}

    line.watcher.take(line.calls.ended(ROOM))
    line.tell(ROOM, host(Code.DISCONNECTED), sequence=5)
    line.tell("s-B", own("B", Code.DISCONNECTED, BOB), sequence=11)
    assert line.watcher.room().state is RoomState.ENDED
    assert line.watcher.history()[4:] == ["p-C-1 left with the room", "p-C-3 left with the room", "over"]
    assert line.watcher.doubts == []
