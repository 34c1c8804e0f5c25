"""Who is in a room and who is who, by the room list and by the accounts that sit in it: each rule as a sentence."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

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
from adapters.xivo.views import Seat
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import PictureReport, Report, RosterDoubtReport, UpdateReport
from gateway.model.room import Participant, ParticipantRole, Room, RoomDetail, RoomState

ROOM = RoomId("4001")
NOON_MS = 1_719_662_400_000
HER_CALL = "1719650000.8"
JOIN, LEAVE, UPDATE = PersonKind.JOIN, PersonKind.LEAVE, PersonKind.UPDATE
MODERATOR, PARTICIPANT = ParticipantRole.MODERATOR, ParticipantRole.PARTICIPANT


class Telephone:
    """A clock, the rooms, and short words for what xuc tells."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS
        self.rooms = Rooms(clock=self.clock)

    def clock(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.now_ms)

    def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    def lists(self, *members: Member, asked_s_ago: float | None = None) -> list[Report]:
        room = ListedRoom(number=ROOM, name="support", pin_required=True, started_ms=NOON_MS, members=members)
        asked_at = None if asked_s_ago is None else self.clock() - timedelta(seconds=asked_s_ago)
        return self.rooms.listed(RoomsListed(rooms=(room,)), asked_at)

    def enters(self, login: str, *people: Described, call: str = HER_CALL) -> list[Report]:
        return self.rooms.entered(login, Entered(room=ROOM, room_name="support", unique_id=call, people=people))

    def told(self, login: str, kind: PersonKind, person: Described, room: str = ROOM) -> list[Report]:
        return self.rooms.person(login, PersonTold(kind=kind, room=room, unique_id=HER_CALL, person=person))

    def exits(self, login: str, call: str = HER_CALL) -> list[Report]:
        return self.rooms.exited(login, Exited(room=ROOM, unique_id=call))

    @property
    def room(self) -> Room:
        room = self.rooms.one(ROOM)
        assert room is not None
        return room

    @property
    def ids(self) -> list[ParticipantId]:
        return list(self.room.participants)

    def one(self, participant_id: str) -> Participant:
        return self.room.participants[ParticipantId(participant_id)]

    def occupant(self, participant_id: str, login: str = "ada") -> Described | None:
        return self.rooms.occupant(ROOM, ParticipantId(participant_id), login)


@pytest.fixture(name="phone")
def _phone() -> Telephone:
    return Telephone()


def member(order: int, ago_s: float, number: str | None = "0612345678", **more: object) -> Member:
    fields: dict[str, object] = {"name": number, "muted": False, **more}
    return Member(order=order, joined_ms=NOON_MS - int(ago_s * 1000), number=number, **fields)  # as named


def person(index: int, number: str | None = "0612345678", since: float | None = 0, **more: object) -> Described:
    fields: dict[str, object] = {
        "name": number,
        "role": PARTICIPANT,
        "muted": False,
        "deafened": False,
        "talking": False,
        **more,
    }
    return Described(index=index, number=number, since_s=since, **fields)  # as named


def ada(index: int = 1, since: float = 60, **more: object) -> Described:
    return person(index, "1002", since, **{"username": "ada", "is_me": True, "role": MODERATOR, **more})


ADA_LISTED = member(1, 60, "1002", username="ada")
ADA = f"1-{NOON_MS - 60_000}"


def picture(reports: list[Report]) -> Room:
    (report,) = reports
    assert isinstance(report, PictureReport)
    return report.room


# ---- the list alone ----


def test_a_listed_room_is_a_summary_whose_people_are_named_by_order_and_time(phone: Telephone) -> None:
    room = picture(phone.lists(member(2, 30)))
    assert (room.state, room.detail, room.permanent, room.pin_required) == (
        RoomState.ACTIVE,
        RoomDetail.SUMMARY,
        True,
        True,
    )
    (caller,) = room.participants.values()
    assert caller.id == f"2-{NOON_MS - 30_000}"
    assert (caller.muted, caller.role, caller.talking, caller.deafened, caller.index) == (False, None, None, None, None)


def test_who_is_no_longer_listed_has_left_and_a_list_that_says_the_same_is_no_news(phone: Telephone) -> None:
    phone.lists(member(2, 30))
    assert phone.lists(member(2, 30)) == []
    room = picture(phone.lists())
    assert (room.state, room.participants) == (RoomState.IDLE, {})


def test_the_next_in_a_slot_is_another_although_order_number_and_name_are_the_same(phone: Telephone) -> None:
    phone.lists(member(2, 30))
    phone.lists(member(2, 1))
    assert phone.ids == [f"2-{NOON_MS - 1_000}"]


def test_a_room_that_is_listed_no_longer_makes_all_rooms_doubtful(phone: Telephone) -> None:
    phone.lists(member(2, 30))
    assert phone.rooms.listed(RoomsListed(rooms=())) == [RosterDoubtReport()]
    assert phone.rooms.all() == []


# ---- an account inside ----


def test_an_account_inside_gives_full_detail_to_those_who_are_listed(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    room = picture(phone.enters("ada", ada(), person(2, since=30, talking=True)))
    assert room.detail is RoomDetail.FULL
    assert list(room.participants) == [ADA, f"2-{NOON_MS - 30_000}"]
    caller = phone.one(f"2-{NOON_MS - 30_000}")
    assert (caller.index, caller.role, caller.talking, caller.deafened) == (2, PARTICIPANT, True, False)
    assert (phone.one(ADA).role, phone.one(ADA).user_id) == (MODERATOR, "ada")


def test_who_is_marked_as_the_account_itself_is_that_login_without_a_username(phone: Telephone) -> None:
    phone.lists(member(1, 60, "1002"))
    phone.enters("ada", ada(username=None))
    assert phone.one(ADA).user_id == "ada"


def test_an_update_of_somebody_known_is_an_update(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    (report,) = phone.told("ada", UPDATE, ada(muted=True))
    assert isinstance(report, UpdateReport)
    assert (report.participant.id, report.participant.muted, report.participant.role) == (ADA, True, MODERATOR)
    assert phone.told("ada", UPDATE, ada(muted=True)) == []


def test_what_an_update_does_not_say_stays_as_it_was(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", UPDATE, ada(talking=True, muted=None, role=None))
    assert (phone.one(ADA).talking, phone.one(ADA).muted, phone.one(ADA).role) == (True, False, MODERATOR)


def test_the_list_does_not_undo_what_an_event_has_told(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", UPDATE, ada(muted=True))
    assert phone.lists(ADA_LISTED) == []
    assert phone.one(ADA).muted is True


@pytest.mark.parametrize(("event_s_ago", "muted"), [(2.0, False), (0.5, True)])
def test_an_answer_knows_better_than_an_event_from_well_before_the_question(
    phone: Telephone, event_s_ago: float, muted: bool
) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", UPDATE, ada(muted=True))
    phone.wait(event_s_ago)
    phone.lists(ADA_LISTED, asked_s_ago=0)
    assert phone.one(ADA).muted is muted


def test_when_the_account_leaves_it_has_left_and_roles_are_unknown_again(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    room = picture(phone.exits("ada"))
    assert room.detail is RoomDetail.SUMMARY
    (caller,) = room.participants.values()
    assert (caller.id, caller.index, caller.role, caller.talking) == (f"2-{NOON_MS - 30_000}", 2, None, None)


def test_the_end_of_the_call_is_the_end_of_the_seat(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    assert phone.rooms.call("ada", CallTold(kind="EventReleased", unique_id="another")) == []
    phone.rooms.call("ada", CallTold(kind="EventReleased", unique_id=HER_CALL))
    assert phone.ids == [f"2-{NOON_MS - 30_000}"]
    assert phone.rooms.seats(ROOM) == []
    assert phone.told("ada", UPDATE, person(2, since=30)) == []  # still on its way
    assert phone.rooms.seats(ROOM) == []


def test_a_leave_of_another_call_of_the_account_is_not_about_this_seat(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    assert phone.exits("ada", call="another") == []
    assert phone.rooms.seats(ROOM) == [Seat("ada", 1, MODERATOR, HER_CALL)]


def test_a_lost_session_is_no_leave(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    room = picture(phone.rooms.lost("ada"))
    assert (room.detail, list(room.participants), phone.rooms.seats(ROOM)) == (RoomDetail.SUMMARY, [ADA], [])


# ---- joins and leaves ----


def test_who_joins_is_held_back_until_the_list_names_them(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    assert phone.told("ada", JOIN, person(2)) == []
    assert phone.rooms.wants_list
    assert phone.told("ada", UPDATE, person(2, muted=True)) == []
    room = picture(phone.lists(ADA_LISTED, member(2, 0)))
    assert room.participants[ParticipantId(f"2-{NOON_MS}")].muted is True
    assert not phone.rooms.wants_list
    assert phone.rooms.next_due is None


def test_a_room_is_active_while_its_only_one_is_held_back(phone: Telephone) -> None:
    phone.lists()
    room = picture(phone.enters("ada", ada(since=0)))
    assert (room.state, room.participants) == (RoomState.ACTIVE, {})


def test_who_is_not_listed_in_time_is_named_by_slot_and_time_and_keeps_that_name(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", JOIN, person(2))
    assert phone.rooms.next_due == phone.clock() + timedelta(seconds=1)
    assert phone.rooms.overdue() == []
    phone.wait(1)
    assert list(picture(phone.rooms.overdue()).participants) == [ADA, f"2~{NOON_MS}"]
    assert not phone.rooms.wants_list
    phone.lists(ADA_LISTED, member(2, 0))
    assert phone.ids == [ADA, f"2~{NOON_MS}"]
    phone.lists(ADA_LISTED)
    assert phone.ids == [ADA]


def test_without_lists_everybody_is_named_at_once(phone: Telephone) -> None:
    phone.rooms.has_lists = False
    room = picture(phone.enters("ada", ada(since=0), person(2, since=30)))
    assert list(room.participants) == [f"1~{NOON_MS}", f"2~{NOON_MS - 30_000}"]
    assert (room.permanent, phone.rooms.wants_list, phone.rooms.next_due) == (False, False, None)
    assert phone.rooms.lost("ada") == [RosterDoubtReport()]
    assert phone.rooms.all() == []


def test_who_leaves_before_being_named_has_joined_and_left(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", JOIN, person(2))
    joined, left = phone.told("ada", LEAVE, person(2))
    assert isinstance(joined, PictureReport)
    assert isinstance(left, PictureReport)
    assert list(joined.room.participants) == [ADA, f"2~{NOON_MS}"]
    assert list(left.room.participants) == [ADA]
    assert phone.lists(ADA_LISTED, member(2, 0)) == []  # the list lags


def test_a_list_that_lags_does_not_bring_back_who_has_left_unless_it_insists(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    phone.told("ada", LEAVE, person(2, since=30))
    assert phone.lists(ADA_LISTED, member(2, 30)) == []
    phone.wait(31)
    assert list(picture(phone.lists(ADA_LISTED, member(2, 30))).participants) == [ADA, f"2-{NOON_MS - 30_000}"]


def test_who_is_in_no_list_stays_on_the_word_of_events(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", JOIN, person(2))
    phone.wait(60)
    phone.rooms.overdue()
    assert phone.lists(ADA_LISTED) == []
    assert phone.ids == [ADA, f"2~{NOON_MS}"]


def test_a_list_may_tell_of_a_leave_and_the_next_join_before_the_events_do(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30, muted=True))
    phone.lists(ADA_LISTED, member(2, 0))
    newcomer = f"2-{NOON_MS}"
    assert phone.ids == [ADA, newcomer]
    assert (phone.one(newcomer).muted, phone.one(newcomer).index) == (False, None)
    assert phone.occupant(newcomer) is None
    assert phone.told("ada", LEAVE, person(2, since=30, muted=True)) == []
    phone.told("ada", JOIN, person(2))
    assert phone.ids == [ADA, newcomer]
    assert phone.occupant(newcomer) == person(2)


# ---- slots ----


def test_a_doubled_join_is_one_presence(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada())
    phone.told("ada", JOIN, person(2))
    phone.lists(ADA_LISTED, member(2, 0))
    phone.wait(2)
    assert phone.told("ada", JOIN, person(2, since=0)) == []


def test_a_doubled_leave_is_not_about_the_next_in_the_slot(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    phone.told("ada", LEAVE, person(2, since=30))
    phone.told("ada", JOIN, person(2))
    phone.lists(ADA_LISTED, member(2, 0))
    assert phone.told("ada", LEAVE, person(2, since=30)) == []
    assert phone.told("ada", LEAVE, person(2, "1010", since=30)) == []
    assert phone.ids == [ADA, f"2-{NOON_MS}"]


@pytest.mark.parametrize("kind", [JOIN, UPDATE])
def test_another_number_in_a_slot_means_that_a_leave_was_lost(phone: Telephone, kind: PersonKind) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    assert list(picture(phone.told("ada", kind, person(2, "1010"))).participants) == [ADA]
    assert phone.occupant(f"2-{NOON_MS - 30_000}") is None
    phone.lists(ADA_LISTED, member(2, 0, "1010"))
    assert phone.ids == [ADA, f"2-{NOON_MS}"]


def test_the_same_caller_who_joins_later_has_left_and_come_back(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    assert list(picture(phone.told("ada", JOIN, person(2, since=0))).participants) == [ADA]
    phone.lists(ADA_LISTED, member(2, 0))
    assert phone.ids == [ADA, f"2-{NOON_MS}"]


def test_a_number_that_becomes_known_is_the_same_presence(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30, None))
    phone.enters("ada", ada(), person(2, None, since=30))
    (report,) = phone.told("ada", UPDATE, person(2, "0698765432", since=30))
    assert isinstance(report, UpdateReport)
    assert (report.participant.id, report.participant.number) == (f"2-{NOON_MS - 30_000}", "0698765432")


def test_two_callers_without_number_are_told_apart_by_their_slots(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30, None), member(3, 30, None))
    phone.enters("ada", ada(), person(3, None, since=30, muted=True), person(2, None, since=30))
    assert phone.one(f"3-{NOON_MS - 30_000}").muted is True
    assert phone.one(f"2-{NOON_MS - 30_000}").muted is False


def test_an_order_that_is_not_the_slot_is_found_out_by_a_user(phone: Telephone) -> None:
    phone.lists(member(7, 60, "1002", username="ada"), member(8, 30))
    phone.enters("ada", ada(), person(2, since=30))
    assert phone.one(f"7-{NOON_MS - 60_000}").index == 1
    assert phone.one(f"8-{NOON_MS - 30_000}").index == 2


@pytest.mark.parametrize("skew_s", [-20, 20])
def test_a_clock_that_differs_does_not_double_people(phone: Telephone, skew_s: float) -> None:
    phone.lists(member(1, 60 + skew_s, "1002", username="ada"), member(2, 30 + skew_s))
    phone.enters("ada", ada(), person(2, since=30))
    assert phone.ids == [f"1-{NOON_MS - 60_000 - skew_s * 1000}", f"2-{NOON_MS - 30_000 - skew_s * 1000}"]
    assert {each.index for each in phone.room.participants.values()} == {1, 2}


# ---- several accounts ----


def test_only_the_first_that_entered_makes_reports(phone: Telephone) -> None:
    bob = person(2, "1003", since=30, username="bob")
    phone.lists(ADA_LISTED, member(2, 30, "1003", username="bob"))
    phone.enters("ada", ada(), bob)
    assert phone.enters("bob", ada(is_me=False), bob, call="his") == []
    assert phone.told("bob", UPDATE, ada(is_me=False, muted=True)) == []
    assert phone.told("bob", LEAVE, ada(is_me=False)) == []
    assert phone.occupant(ADA, "ada") is not None
    assert phone.occupant(ADA, "bob") is None
    assert [seat.login for seat in phone.rooms.seats(ROOM)] == ["ada", "bob"]


def test_when_the_first_is_lost_the_next_complete_view_takes_over_with_its_differences(phone: Telephone) -> None:
    bob = person(2, "1003", since=30, username="bob")
    phone.lists(ADA_LISTED, member(2, 30, "1003", username="bob"))
    phone.enters("ada", ada(), bob)
    phone.enters("bob", ada(is_me=False), bob, call="his")
    phone.told("bob", UPDATE, ada(is_me=False, muted=True))
    room = picture(phone.rooms.lost("ada"))
    assert (room.detail, room.participants[ParticipantId(ADA)].muted) == (RoomDetail.FULL, True)


def test_the_end_of_the_first_takes_nobody_else_with_it(phone: Telephone) -> None:
    bob = person(2, "1003", since=30, username="bob")
    phone.lists(ADA_LISTED, member(2, 30, "1003", username="bob"))
    phone.enters("ada", ada(), bob)
    phone.enters("bob", ada(is_me=False), bob, call="his")
    room = picture(phone.exits("ada"))
    assert (room.detail, list(room.participants)) == (RoomDetail.FULL, [f"2-{NOON_MS - 30_000}"])
    assert phone.told("bob", LEAVE, ada(is_me=False)) == []


BOB_LISTED = member(2, 30, "1003", username="bob")


def bob(**more: object) -> Described:
    return person(2, "1003", since=30, username="bob", **more)


def both_inside(phone: Telephone) -> str:
    """Ada, whose events are believed, Bob, and a caller in slot 3."""
    phone.lists(ADA_LISTED, BOB_LISTED, member(3, 20))
    phone.enters("ada", ada(), bob(), person(3, since=20))
    phone.enters("bob", ada(is_me=False), bob(is_me=True), person(3, since=20), call="his")
    return f"3-{NOON_MS - 20_000}"


def test_a_view_that_is_behind_does_not_take_the_newcomer_for_who_it_has_in_the_slot(phone: Telephone) -> None:
    caller = both_inside(phone)
    phone.told("ada", LEAVE, person(3, since=20))
    phone.told("ada", JOIN, person(3, "1010"))
    phone.lists(ADA_LISTED, BOB_LISTED, member(3, 0, "1010"))
    newcomer = f"3-{NOON_MS}"
    assert phone.occupant(newcomer, "ada") == person(3, "1010")
    assert phone.occupant(newcomer, "bob") is None
    assert phone.occupant(caller, "bob") is None
    phone.told("bob", LEAVE, person(3, since=20))
    phone.told("bob", JOIN, person(3, "1010"))
    assert phone.occupant(newcomer, "bob") == person(3, "1010")


def test_a_view_that_is_ahead_does_not_take_the_newcomer_for_who_was_in_the_slot(phone: Telephone) -> None:
    caller = both_inside(phone)
    phone.told("bob", LEAVE, person(3, since=20))
    phone.told("bob", JOIN, person(3, since=18))
    assert phone.occupant(caller, "ada") == person(3, since=20)
    assert phone.occupant(caller, "bob") is None


def test_a_view_that_takes_over_while_behind_brings_nobody_back_and_ends_nobody(phone: Telephone) -> None:
    both_inside(phone)
    phone.told("ada", LEAVE, person(3, since=20))
    phone.told("ada", JOIN, person(3, "1010"))
    phone.lists(ADA_LISTED, BOB_LISTED, member(3, 0, "1010"))
    phone.rooms.lost("ada")
    assert phone.ids == [ADA, f"2-{NOON_MS - 30_000}", f"3-{NOON_MS}"]
    phone.told("bob", LEAVE, person(3, since=20))
    phone.told("bob", JOIN, person(3, "1010"))
    assert phone.ids == [ADA, f"2-{NOON_MS - 30_000}", f"3-{NOON_MS}"]
    assert phone.one(f"3-{NOON_MS}").deafened is False


def test_who_has_just_taken_a_slot_does_not_lose_it_to_a_view_that_was_told_before(phone: Telephone) -> None:
    phone.lists(member(1, 1, "1003", username="bob"))
    phone.enters("ada", ada(since=0))
    phone.enters("bob", person(1, "1003", since=1, username="bob", is_me=True), call="his")
    phone.rooms.lost("ada")
    assert phone.rooms.wants_list
    phone.lists(member(1, 0, "1002", username="ada"))
    assert phone.ids == [f"1-{NOON_MS}"]


# ---- after a reconnect ----


def test_a_call_to_a_room_is_a_seat_without_detail_and_single_updates_are_taken(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.rooms.in_calls("ada", in_room())
    assert phone.rooms.seats(ROOM) == [Seat("ada", None, None, HER_CALL)]
    assert phone.room.detail is RoomDetail.SUMMARY
    phone.told("ada", UPDATE, person(2, since=30, talking=True))
    caller = phone.one(f"2-{NOON_MS - 30_000}")
    assert (phone.room.detail, caller.talking, phone.one(ADA).talking) == (RoomDetail.SUMMARY, True, None)
    phone.told("ada", UPDATE, ada())
    assert phone.rooms.seats(ROOM) == [Seat("ada", 1, MODERATOR, HER_CALL)]


def test_a_call_that_was_told_before_any_list_is_a_seat_once_its_number_is_known_as_a_room(phone: Telephone) -> None:
    """As it is when the gateway starts while people of its accounts are in rooms."""
    assert phone.rooms.in_calls("ada", in_room()) == []
    phone.lists(ADA_LISTED)
    assert phone.rooms.seats(ROOM) == [Seat("ada", None, None, HER_CALL)]
    phone.rooms.lost("ada")
    phone.lists(ADA_LISTED)
    assert phone.rooms.seats(ROOM) == []


@pytest.mark.parametrize("call", [CallTold(kind="EventRinging", other_number=ROOM), CallTold(kind="EventEstablished")])
def test_a_call_that_rings_or_goes_elsewhere_is_no_seat(phone: Telephone, call: CallTold) -> None:
    phone.lists(ADA_LISTED)
    assert phone.rooms.in_calls("ada", CallsTold(calls=(call,))) == []
    assert phone.rooms.seats(ROOM) == []


def test_a_repeated_own_join_tells_who_has_left_meanwhile(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    phone.rooms.lost("ada")
    phone.wait(10)
    room = picture(phone.enters("ada", ada(since=70)))
    assert (room.detail, list(room.participants)) == (RoomDetail.FULL, [ADA])


def test_after_a_reconnect_the_same_slot_with_the_same_caller_is_the_same_presence(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    phone.rooms.lost("ada")
    phone.wait(10)
    phone.enters("ada", ada(since=70), person(2, since=40))
    assert phone.ids == [ADA, f"2-{NOON_MS - 30_000}"]


def test_after_a_reconnect_the_same_caller_who_joined_later_is_another_presence(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    phone.enters("ada", ada(), person(2, since=30))
    phone.rooms.lost("ada")
    phone.wait(10)
    phone.enters("ada", ada(since=70), person(2, since=4))
    assert phone.ids == [ADA]
    phone.lists(ADA_LISTED, member(2, -6))
    assert phone.ids == [ADA, f"2-{NOON_MS + 6_000}"]
    assert phone.occupant(f"2-{NOON_MS + 6_000}") == person(2, since=4)


def test_a_caller_whom_a_list_had_already_gone_does_not_join_by_late_events_but_may_come_back_elsewhere(
    phone: Telephone,
) -> None:
    phone.lists(ADA_LISTED, member(2, 0))
    phone.lists(ADA_LISTED)
    phone.enters("ada", ada(), person(2, since=0))
    assert phone.ids == [ADA]
    phone.told("ada", LEAVE, person(2, since=0))
    phone.exits("ada")
    phone.enters("ada", ada(since=0), person(3, since=0), call="next")
    phone.lists(member(1, 0, "1002", username="ada"), member(3, 0))
    assert phone.ids == [f"1-{NOON_MS}", f"3-{NOON_MS}"]
    assert phone.one(f"3-{NOON_MS}").index == 3


# ---- rooms never seen ----


def test_an_event_about_a_listed_room_proves_that_the_account_sits_there_but_a_leave_does_not(phone: Telephone) -> None:
    phone.lists(ADA_LISTED)
    assert phone.told("ada", LEAVE, ada()) == []
    assert phone.rooms.seats(ROOM) == []
    phone.told("ada", UPDATE, ada())
    assert phone.rooms.seats(ROOM) == [Seat("ada", 1, MODERATOR, HER_CALL)]


def test_an_event_about_a_room_never_seen_is_not_believed_and_asks_once_for_the_rooms(phone: Telephone) -> None:
    phone.lists()
    assert phone.told("ada", JOIN, person(2), room="4999") == [RosterDoubtReport()]
    assert phone.told("ada", UPDATE, person(2), room="4999") == []
    assert phone.rooms.wants_list
    assert phone.rooms.one(RoomId("4999")) is None
    phone.lists()
    assert not phone.rooms.wants_list


def test_a_room_that_only_an_account_knows_is_gone_when_it_leaves(phone: Telephone) -> None:
    phone.lists()
    entered = Entered(room="4999", unique_id=HER_CALL, people=(ada(),))
    assert picture(phone.rooms.entered("ada", entered)).permanent is False
    left = phone.rooms.exited("ada", Exited(room="4999", unique_id=HER_CALL))
    assert left[-1] == RosterDoubtReport()
    assert phone.rooms.one(RoomId("4999")) is None


# ---- commands ask ----


def test_the_occupant_is_the_participant_and_never_the_next_in_the_slot(phone: Telephone) -> None:
    phone.lists(ADA_LISTED, member(2, 30))
    caller = f"2-{NOON_MS - 30_000}"
    phone.enters("ada", ada(), person(2, since=30))
    assert phone.occupant(caller) == person(2, since=30)
    assert phone.occupant(caller, "bob") is None
    phone.told("ada", LEAVE, person(2, since=30))
    assert phone.occupant(caller) is None
    phone.told("ada", JOIN, person(2))
    assert phone.occupant(caller) is None
    assert phone.rooms.at(ROOM, "ada", 2) == person(2)


@pytest.mark.parametrize(
    "ask",
    [
        lambda rooms: rooms.one(RoomId("9")),
        lambda rooms: rooms.seats(RoomId("9")) or None,
        lambda rooms: rooms.occupant(RoomId("9"), ParticipantId("1"), "ada"),
        lambda rooms: rooms.at(RoomId("9"), "ada", 1),
    ],
)
def test_nothing_is_known_of_a_room_that_is_not_there(phone: Telephone, ask: Callable[[Rooms], object]) -> None:
    assert ask(phone.rooms) is None


def in_room() -> CallsTold:
    return CallsTold(calls=(CallTold(kind="EventEstablished", unique_id=HER_CALL, other_number=ROOM),))
