"""Rooms as they are put together: events and current calls of the same people, and what neither can tell."""

from dataclasses import replace

import pytest

from adapters.kit.understanding import shaped
from adapters.telphin.rooms import Rooms
from adapters.telphin.wire import ConferenceJson, CurrentCallJson
from gateway.model.ids import ParticipantId
from gateway.model.reports import DoubtReport, PictureReport, Report
from gateway.model.room import Participant, Room, RoomDetail, RoomState
from tests.adapters.telphin.told import NOW, SALES, SUPPORT, after, current, extension, told

PHONES = ("101", "102")
MENU = "77"
"""An extension by way of which people come, and none of a phone."""
OPEN = ConferenceJson(pin=None, max_members=None)


@pytest.fixture(name="rooms")
def _rooms() -> Rooms:
    rooms = Rooms()
    rooms.listed([extension(SALES)], NOW)
    rooms.settings_read(SALES, OPEN, NOW)
    rooms.shown([SALES])
    for phone in PHONES:
        rooms.judged(phone, is_phone=True)
    return rooms


def people(rooms: Rooms) -> dict[str, Participant]:
    room = rooms.one(SALES)
    assert room is not None
    return {str(each): participant for each, participant in room.participants.items()}


def changed(more: dict[str, object]) -> CurrentCallJson:
    return shaped({**current("c1", "101"), **more}, CurrentCallJson, "call")


def pictured(reports: list[Report]) -> list[list[str]]:
    """Who is in each picture that was told."""
    assert all(isinstance(report, PictureReport) for report in reports)
    return [sorted(report.room.participants) for report in reports if isinstance(report, PictureReport)]


def test_a_room_is_an_extension_with_its_number_and_what_is_never_told_stays_open(rooms: Rooms) -> None:
    room = rooms.one(SALES)
    assert room is not None
    assert room == replace(
        Room(id=SALES, name="Sales", numbers=("850",), state=RoomState.IDLE, detail=RoomDetail.SUMMARY),
        pin_required=False,
        settings=room.settings,
    )
    assert room.settings is not None
    assert room.settings.max_participants == 100
    assert room.settings.native["domain"] == "sip.example.org"


def test_who_dials_in_is_in_and_who_hangs_up_is_out(rooms: Rooms) -> None:
    assert pictured(rooms.told(told("dial-in", "c1", at=after(1.000001)), after(2))) == [["501-api-c1"]]
    assert people(rooms)["501-api-c1"] == Participant(
        id=ParticipantId("501-api-c1"),
        leg_id="501-c1",
        number="79990001122",
        display_name="Ann",
        joined_at=after(1.000001),
    )
    room = rooms.one(SALES)
    assert room is not None
    assert (room.state, room.started_at) == (RoomState.ACTIVE, after(1.000001))
    assert pictured(rooms.told(told("hangup", "c1", at=after(3)), after(4))) == [[]]
    room = rooms.one(SALES)
    assert room is not None
    assert (room.state, room.started_at) == (RoomState.IDLE, None)


def test_an_answer_without_a_dial_in_is_a_join_too_and_the_second_of_both_says_nothing_new(rooms: Rooms) -> None:
    assert pictured(rooms.told(told("answer", "c1", at=after(2)), after(3))) == [["501-api-c1"]]
    assert rooms.told(told("dial-in", "c1", at=after(1)), after(4)) == []
    assert rooms.told(told("answer", "c1", at=after(2)), after(5)) == []


def test_what_comes_after_the_end_of_a_leg_is_late(rooms: Rooms) -> None:
    rooms.told(told("hangup", "c1", at=after(3)), after(4))
    assert rooms.told(told("dial-in", "c1", at=after(1)), after(5)) == []
    assert rooms.told(told("answer", "c1", at=after(1)), after(5)) == []
    assert rooms.told(told("answer", "c1", at=None), after(5)) == []
    assert rooms.told(told("hangup", "c1", at=after(3)), after(6)) == []


def test_a_call_that_was_transferred_away_and_back_is_in_again_and_its_first_end_is_late(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", at=after(1)), after(1))
    first_end = told("hangup", "c1", at=after(2))
    rooms.told(first_end, after(2))
    assert pictured(rooms.told(told("dial-in", "c1", at=after(3)), after(3))) == [["501-api-c1"]]
    assert rooms.told(first_end, after(4)) == []
    assert pictured(rooms.told(told("hangup", "c1", at=after(5)), after(5))) == [[]]


def test_events_without_a_time_are_believed_as_far_as_that_is_safe(rooms: Rooms) -> None:
    assert pictured(rooms.told(told("dial-in", "c1", at=None), after(1))) == [["501-api-c1"]]
    assert people(rooms)["501-api-c1"].joined_at == after(1)
    assert rooms.told(told("dial-in", "c1", at=None), after(2)) == []
    assert pictured(rooms.told(told("hangup", "c1", at=None), after(3))) == [[]]


def test_an_event_of_a_room_that_there_is_not_tells_nothing(rooms: Rooms) -> None:
    assert rooms.told(told("dial-in", "c1", room="999"), after(1)) == []
    assert rooms.ids() == [SALES]


def test_a_phone_in_the_current_calls_is_in_and_leaves_when_it_is_there_no_more(rooms: Rooms) -> None:
    assert pictured(rooms.calls_read([current("c1", "101", at=after(1))], after(5))) == [["501-api-c1"]]
    assert people(rooms)["501-api-c1"] == Participant(
        id=ParticipantId("501-api-c1"), number="2101", display_name="Ann", user_id="101", joined_at=after(1)
    )
    assert rooms.calls_read([current("c1", "101", at=after(1))], after(6)) == []
    assert pictured(rooms.calls_read([], after(7))) == [[]]


@pytest.mark.parametrize(
    "more",
    [
        {"real_call": False},
        {"answer_time_gmt": None},
        {"answer_time_gmt": ""},
        {"called_number": "999", "called_extension": {"id": 7, "name": "000*999"}},
        {"called_number": "79990001122", "called_extension": None},
        {"call_api_id": "../../user"},
    ],
)
def test_calls_that_do_not_talk_here_show_nobody(rooms: Rooms, more: dict[str, object]) -> None:
    assert rooms.calls_read([changed(more)], after(1)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"called_extension": None, "called_number": "850"},
        {"called_extension": None, "called_number": "000*850"},
        {"called_extension": "000*850@sip.example.org", "called_number": None},
        {"called_extension": 501, "called_number": "7495"},
        {"called_extension": {"extension_id": "501"}, "called_number": None},
        {"called_extension": {"name": "000*850"}, "called_number": None},
        {"call_flow": "in", "called_extension": {"id": 101}, "called_number": "2101", "caller_extension": {"id": 501}},
    ],
)
def test_a_call_names_its_room_in_any_of_these_ways(rooms: Rooms, more: dict[str, object]) -> None:
    assert pictured(rooms.calls_read([changed(more)], after(1))) == [["501-api-c1"]]
    assert people(rooms)["501-api-c1"].number == "2101"


# ---- the same people, told both ways ----


def test_whom_events_told_of_is_the_same_in_a_reading(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101"), after(1))
    assert rooms.calls_read([current("c1", "101")], after(2)) == []
    assert list(people(rooms)) == ["501-api-c1"]


def test_whom_a_reading_showed_keeps_that_id_when_an_event_tells_of_the_call(rooms: Rooms) -> None:
    rooms.calls_read([current("c1", "101")], after(1))
    assert pictured(rooms.told(told("dial-in", "c1", phone="101"), after(2))) == [["501-api-c1"]]
    assert people(rooms)["501-api-c1"].leg_id == "501-c1"
    assert pictured(rooms.told(told("hangup", "c1", phone="101", at=after(3)), after(4))) == [[]]


def test_events_and_readings_that_name_a_call_differently_are_joined_by_the_phone(rooms: Rooms) -> None:
    rooms.calls_read([current("c1", "101")], after(1))
    rooms.told(told("dial-in", "c1", phone="101", CallAPIID="leg-of-the-room"), after(2))
    assert list(people(rooms)) == ["501-api-c1"]
    rooms.told(told("dial-in", "c2", phone="102", CallAPIID="another-leg"), after(3))
    rooms.calls_read([current("c1", "101"), current("c2", "102")], after(4))
    assert list(people(rooms)) == ["501-api-c1", "501-another-leg"]


def test_a_callback_has_one_id_whether_it_is_read_or_told_of_first(rooms: Rooms) -> None:
    rooms.calls_read([current("c1", "101", callback_id="c1")], after(1))
    rooms.told(told("dial-in", "c1", CallAPIID="another"), after(2))
    assert list(people(rooms)) == ["501-api-c1"]


def test_the_end_of_an_earlier_call_of_a_phone_is_not_the_end_of_its_present_one(rooms: Rooms) -> None:
    rooms.calls_read([current("c2", "101", at=after(10))], after(11))
    assert rooms.told(told("hangup", "c1", phone="101", at=after(9)), after(12)) == []
    assert list(people(rooms)) == ["501-api-c2"]


def test_a_phone_that_dials_once_more_may_be_two_devices_which_a_reading_tells(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101", at=after(1)), after(1))
    *pictures, doubt = rooms.told(told("dial-in", "c2", phone="101", at=after(5)), after(5))
    assert pictured(pictures) == [["501-api-c1", "501-api-c2"]]
    assert doubt == DoubtReport(room_id=SALES)
    assert rooms.calls_read([current("c1", "101"), current("c2", "101")], after(6)) == []
    assert pictured(rooms.calls_read([current("c2", "101")], after(7))) == [["501-api-c2"]]


def test_two_who_come_by_way_of_one_menu_are_two_and_no_reading_puts_them_out(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone=MENU), after(1))
    assert pictured(rooms.told(told("dial-in", "c2", phone=MENU), after(2))) == [["501-api-c1", "501-api-c2"]]
    assert rooms.unjudged() == [MENU]
    rooms.judged(MENU, is_phone=False)
    assert rooms.unjudged() == []
    assert rooms.calls_read([current("c9", "102", called_number="7495", called_extension=None)], after(3)) == []


def test_an_extension_is_a_phone_once_current_calls_have_shown_it(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="103"), after(1))
    assert rooms.calls_read([], after(2)) == []
    elsewhere = current("c9", "103", called_number="7495", called_extension=None)
    assert pictured(rooms.calls_read([elsewhere], after(3))) == [[]]
    assert rooms.unjudged() == []


def test_who_came_by_way_of_a_menu_is_proved_by_the_call_of_their_phone_though_it_names_the_menu(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101"), after(1))
    by_menu = {"called_number": "500", "called_extension": {"id": int(MENU), "name": "000*500"}}
    call = shaped({**current("c1", "101"), **by_menu}, CurrentCallJson, "call")
    assert rooms.calls_read([call], after(2)) == []
    assert pictured(rooms.calls_read([], after(3))) == [[]]
    assert rooms.calls_read([call], after(4)) == []  # it lets nobody in


def test_who_was_transferred_to_another_room_is_not_proved_by_the_call_there(rooms: Rooms) -> None:
    rooms.listed([extension(SUPPORT, "Support")], NOW)
    rooms.told(told("dial-in", "c1", phone="101"), after(1))
    assert pictured(rooms.calls_read([current("c1", "101", room=SUPPORT)], after(2))) == [[]]


def test_calls_that_are_not_all_understood_prove_nobody_gone(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101"), after(1))
    assert rooms.calls_read([], after(2), complete=False) == []
    assert pictured(rooms.calls_read([], after(2))) == [[]]


def test_who_was_kicked_is_gone_at_the_next_reading_unless_it_shows_them(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1"), after(1))
    rooms.told(told("dial-in", "c2", phone="101"), after(1))
    for who in ("501-api-c1", "501-api-c2", "nobody"):
        rooms.kicked(SALES, ParticipantId(who))
    rooms.kicked(SUPPORT, ParticipantId("501-api-c1"))
    assert pictured(rooms.calls_read([current("c2", "101")], after(2))) == [["501-api-c2"]]


def test_a_phone_with_two_calls_in_a_reading_is_there_twice_as_it_says(rooms: Rooms) -> None:
    rooms.calls_read([current("c1", "101"), current("c2", "101")], after(1))
    assert list(people(rooms)) == ["501-api-c1", "501-api-c2"]
    rooms.calls_read([current("c2", "101")], after(2))
    assert list(people(rooms)) == ["501-api-c2"]


# ---- readings and what is told meanwhile ----


def test_what_was_told_after_a_reading_was_asked_for_wins(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101"), after(5))
    assert rooms.calls_read([], after(4)) == []
    rooms.told(told("hangup", "c1", phone="101", at=after(6)), after(6))
    assert rooms.calls_read([current("c1", "101")], after(5)) == []


def test_an_answer_that_was_on_the_way_does_not_make_who_is_gone_look_present(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101", at=after(1)), after(1))
    assert rooms.told(told("answer", "c1", phone="101", at=after(2)), after(5)) == []
    assert pictured(rooms.calls_read([], after(4))) == [[]]


def test_who_came_back_after_a_reading_was_asked_for_stays(rooms: Rooms) -> None:
    rooms.calls_read([current("c1", "101", at=after(1))], after(2))
    rooms.told(told("dial-in", "c1", phone="101", at=after(4)), after(4))
    assert rooms.calls_read([], after(3)) == []
    rooms.told(told("dial-in", "c1", phone="101", at=after(6)), after(6))
    assert rooms.calls_read([], after(5)) == []


def test_a_call_that_may_be_over_under_another_name_is_read_once_more(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101", CallAPIID="leg"), after(1))
    rooms.told(told("hangup", "c1", phone="101", at=after(3), CallAPIID="leg"), after(3))
    assert rooms.calls_read([current("c1", "101")], after(2)) == [DoubtReport(room_id=SALES)]
    assert pictured(rooms.calls_read([current("c1", "101")], after(4))) == [["501-api-c1"]]


def test_a_call_that_rings_again_does_not_put_out_who_was_told_of(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101"), after(1))
    assert rooms.calls_read([current("c1", "101", answer_time_gmt=None)], after(2)) == []
    assert list(people(rooms)) == ["501-api-c1"]


def test_somebody_outside_stays_whatever_the_current_calls_say_but_not_for_ever(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1"), after(0))
    assert rooms.calls_read([], after(86_399)) == []
    assert pictured(rooms.calls_read([], after(86_400))) == [[]]
    assert rooms.told(told("answer", "c1", at=after(1)), after(86_401)) == []


# ---- whose call can be ended ----


def test_a_phone_is_hung_up_at_the_phone_and_somebody_outside_at_the_room(rooms: Rooms) -> None:
    rooms.told(told("dial-in", "c1", phone="101", CallAPIID="leg"), after(1))
    rooms.told(told("dial-in", "c2"), after(1))
    rooms.told(told("dial-in", "c3", CallAPIID=""), after(1))
    rooms.told(told("dial-in", "c4", phone=MENU), after(1))
    assert list(rooms.hung_up_by(SALES, ParticipantId("501-leg"))) == [("101", "leg")]
    assert list(rooms.hung_up_by(SALES, ParticipantId("501-api-c2"))) == [(SALES, "api-c2")]
    assert list(rooms.hung_up_by(SALES, ParticipantId("501-api-c4"))) == [(MENU, "api-c4"), (SALES, "api-c4")]
    assert not rooms.hung_up_by(SALES, ParticipantId("501-c3"))
    assert not rooms.hung_up_by(SALES, ParticipantId("nobody"))
    assert not rooms.hung_up_by(SUPPORT, ParticipantId("501-api-c1"))
    rooms.calls_read([current("c1", "101")], after(2))
    assert list(rooms.hung_up_by(SALES, ParticipantId("501-leg"))) == [("101", "api-c1")]


# ---- rooms that come and go ----


def test_a_new_room_is_not_told_of_before_a_reading_has_shown_it(rooms: Rooms) -> None:
    assert rooms.listed([extension(SALES), extension(SUPPORT, "Support")], after(1)) == []
    assert rooms.told(told("dial-in", "c1", room=SUPPORT), after(2)) == []
    assert rooms.settings_read(SUPPORT, OPEN, after(3)) == []
    rooms.shown([SUPPORT])
    room = rooms.one(SUPPORT)
    assert room is not None
    assert list(room.participants) == ["502-api-c1"]
    assert pictured(rooms.told(told("hangup", "c1", room=SUPPORT, at=after(4)), after(4))) == [[]]


def test_a_room_that_is_listed_no_more_is_missing_unless_it_was_made_since(rooms: Rooms) -> None:
    rooms.extension_read(extension(SUPPORT), after(5))
    assert rooms.missing([], after(4)) == [SALES]
    assert rooms.missing([extension(SALES)], after(6)) == [SUPPORT]


def test_a_room_that_was_deleted_is_not_brought_back_by_an_older_list(rooms: Rooms) -> None:
    rooms.gone(SALES, after(5))
    rooms.listed([extension(SALES)], after(4))
    assert rooms.ids() == []
    rooms.listed([extension(SALES)], after(6))
    assert rooms.ids() == [SALES]


def test_settings_and_label_are_told_when_they_change_and_older_answers_are_not_taken(rooms: Rooms) -> None:
    assert rooms.settings_read(SALES, OPEN, after(1)) == []
    [report] = rooms.settings_read(SALES, ConferenceJson(pin="1234"), after(2))
    assert isinstance(report, PictureReport)
    assert report.room.pin_required
    assert rooms.settings_read(SALES, OPEN, after(1)) == []
    assert rooms.settings_at(SALES) == after(2)
    [report] = rooms.extension_read(extension(SALES, "Sales and more"), after(3))
    assert isinstance(report, PictureReport)
    assert report.room.name == "Sales and more"
    assert rooms.extension_read(extension(SALES), after(2)) == []


def test_a_room_without_a_label_has_its_number_for_a_name(rooms: Rooms) -> None:
    rooms.extension_read(extension(SALES, None), after(1))
    room = rooms.one(SALES)
    assert room is not None
    assert room.name == "850"


def test_no_pin_is_shown_where_a_room_is_printed(rooms: Rooms) -> None:
    rooms.extension_read(extension(SALES, extra_params={"password": "7351"}), after(1))
    rooms.settings_read(SALES, ConferenceJson(pin="7351", moderator_pin="9152"), after(1))
    for shown in (repr(rooms.all()), repr(vars(rooms))):
        assert "7351" not in shown
        assert "9152" not in shown
