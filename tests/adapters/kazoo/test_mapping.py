"""Kazoo's rooms and participants in our words, in every form it has had."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kazoo import mapping
from adapters.kazoo.wire import NumberJson
from adapters.kit.understanding import JsonObject, NotUnderstoodError
from gateway.model.ids import RoomId
from gateway.model.room import ParticipantRole, RoomState

NESTED: JsonObject = {
    "call_id": "c1",
    "participant_id": 4,
    "caller_id_name": "Ann",
    "caller_id_number": "+12025550100",
    "join_time": 63871286410,
    "conference_channel_vars": {
        "is_moderator": True,
        "speak": False,
        "hear": True,
        "talking": True,
        "floor": False,
        "member_id": 4,
    },
    "custom_channel_vars": {"owner_id": "u1", "username": "ann"},
}


def test_a_participant_with_nested_flags() -> None:
    ann = mapping.listed_participant(NESTED)
    assert (ann.id, ann.leg_id, ann.index) == ("c1", "c1", 4)
    assert (ann.display_name, ann.number) == ("Ann", "+12025550100")
    assert (ann.user_id, ann.username, ann.role) == ("u1", "ann", ParticipantRole.MODERATOR)
    assert (ann.muted, ann.deafened, ann.talking, ann.floor, ann.on_hold) == (True, False, True, False, None)
    assert ann.joined_at == datetime(2024, 1, 1, 0, 0, 10, tzinfo=UTC)


def test_a_participant_with_flags_at_top_level() -> None:
    flat = {"call_id": "c1", "participant_id": 1, "speak": True, "hear": False, "is_moderator": False, "talking": False}
    ann = mapping.listed_participant(flat)
    assert (ann.role, ann.muted, ann.deafened) == (ParticipantRole.PARTICIPANT, False, True)
    assert (ann.talking, ann.floor) == (False, None)


def test_after_a_restart_of_the_controller_all_but_the_call_is_unknown() -> None:
    ann = mapping.listed_participant({"call_id": "c1", "duration": 3})
    assert ann == mapping.sparse({"call_id": "c1"})
    assert (ann.index, ann.muted, ann.deafened, ann.role, ann.talking, ann.user_id) == (None,) * 6


@pytest.mark.parametrize(("kind", "role"), [("moderator", "MODERATOR"), ("member", "PARTICIPANT"), ("ghost", None)])
def test_the_role_may_be_said_by_the_kind_of_member_alone(kind: str, role: str | None) -> None:
    ann = mapping.listed_participant({"call_id": "c1", "conference_channel_vars": {"member_type": kind}})
    assert ann.role == (None if role is None else ParticipantRole[role])


def test_numbers_and_flags_may_come_as_text() -> None:
    raw = {"call_id": "c1", "participant_id": "20", "speak": "false", "join_time": "63871286410"}
    ann = mapping.listed_participant(raw)
    assert (ann.index, ann.muted) == (20, True)
    assert ann.joined_at == datetime(2024, 1, 1, 0, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({}, "call_id"),
        ([], "object"),
        ({"call_id": 7}, r"\$.call_id"),
        ({"call_id": "c1", "participant_id": "hunter2"}, "participant_id"),
        ({"call_id": "c1", "participant_id": 1.5}, "participant_id"),
        ({"call_id": "c1", "speak": "hunter2"}, "speak"),
        ({"call_id": "c1", "conference_channel_vars": ["hunter2"]}, r"\$.conference_channel_vars"),
        ({"call_id": "c1", "caller_id_name": ["hunter2"]}, r"\$.caller_id_name"),
    ],
)
def test_a_wrong_type_is_named_by_its_place_and_not_repeated(raw: object, place: str) -> None:
    with pytest.raises(NotUnderstoodError, match=place) as caught:
        mapping.listed_participant(raw)
    assert "hunter2" not in str(caught.value)


def test_the_seconds_of_the_reference_page_count_from_year_0() -> None:
    assert mapping.instant(63635217275, "") == datetime(2016, 7, 8, 17, 14, 35, tzinfo=UTC)


@given(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=400)))
def test_any_instant_is_a_time_or_none_or_not_understood(seconds: NumberJson) -> None:
    try:
        found = mapping.instant(seconds, "join_time")
    except NotUnderstoodError:
        return
    assert found is None or found.tzinfo is UTC


BLOCK: JsonObject = {"members": 1, "moderators": 1, "duration": 42, "is_locked": True, "participants": [NESTED]}


@pytest.mark.parametrize(
    ("data", "metadata"),
    [
        ({"name": "x"}, BLOCK),
        ({"name": "x", "_read_only": BLOCK}, None),
        ({"name": "x", "_read_only": BLOCK}, {"other": 1}),
        ({"name": "x", **BLOCK}, None),
    ],
)
def test_the_realtime_block_is_found_where_each_generation_has_it(data: JsonObject, metadata: object) -> None:
    found = mapping.realtime_of(data, metadata)
    assert (found.people, found.locked, found.running) == (2, True, True)
    assert found.participants == [NESTED]


@pytest.mark.parametrize(
    ("block", "people"),
    [
        ({"members": 2, "admins": 1}, 3),
        ({"members": 2, "moderators": 2}, 4),
        ({"members": 0, "moderators": 0, "participant_count": 5}, 5),
        ({}, 0),
    ],
)
def test_people_are_counted_from_whatever_counts_there_are(block: JsonObject, people: int) -> None:
    assert mapping.realtime_of(block).people == people


def test_a_running_room_has_its_run_and_its_start() -> None:
    block = {"duration": 42, "start_time": 63871286400, "uuid": "run", "locked": False, "members": 1}
    room = mapping.room(RoomId("r1"), {"name": "One"}, mapping.realtime_of(block), (), permanent=True)
    assert (room.state, room.run_id, room.locked) == (RoomState.ACTIVE, "run", False)
    assert room.started_at == datetime(2024, 1, 1, tzinfo=UTC)


def test_without_a_start_time_the_duration_tells_the_start_to_the_second() -> None:
    room = mapping.room(RoomId("r1"), {}, mapping.realtime_of({"run_time": 3600, "members": 1}), (), permanent=True)
    assert room.started_at is not None
    assert (datetime.now(UTC) - room.started_at).total_seconds() == pytest.approx(3600, abs=3)
    assert room.started_at.microsecond == 0
    assert room.name is None


def test_the_run_is_told_by_those_in_it_where_the_room_does_not() -> None:
    block: JsonObject = {"participants": [{"call_id": "c1"}, {"call_id": "c2", "conference_uuid": "run"}]}
    assert mapping.realtime_of(block).run_id == "run"


def test_an_idle_room_has_no_run_and_no_start() -> None:
    room = mapping.room(RoomId("r1"), {}, mapping.realtime_of({"members": 0, "duration": 0}), (), permanent=False)
    assert (room.state, room.run_id, room.started_at, room.permanent) == (RoomState.IDLE, None, None, False)


def test_numbers_of_all_kinds_lead_into_the_room_and_pins_make_it_ask() -> None:
    document: JsonObject = {
        "conference_numbers": ["100", "101"],
        "member": {"numbers": ["101", "102"], "pins": ["1"]},
        "moderator": {"numbers": ["103"]},
    }
    facts = mapping.facts_of(document)
    assert facts.numbers == ("100", "101", "102", "103")
    assert facts.pin_required is True
    assert mapping.facts_of({"member": {"pins": []}}).pin_required is False
    assert mapping.facts_of({}).pin_required is None
