"""Frames of xuc: each known type is translated or ignored by name, unknown types are no fault, garbage counts."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.kit.understanding import JsonObject
from adapters.xivo.events import IGNORED, TRANSLATED, Interpreter
from adapters.xivo.told import (
    CallsTold,
    CallTold,
    CommandFailed,
    Described,
    Entered,
    ErrorTold,
    Exited,
    LineTold,
    ListedRoom,
    Member,
    PersonKind,
    PersonTold,
    RoomsListed,
    SignedOn,
    SignOnFailed,
    Told,
)
from gateway.model.room import ParticipantRole
from tests.fuzzing import anything

RECORDINGS = Path(__file__).parents[2] / "recordings" / "xivo"
MEMBER: JsonObject = {"joinOrder": 1, "joinTime": 1519659524032, "muted": True, "name": "James Bond", "number": "1002"}
PERSON: JsonObject = {
    "index": 2,
    "callerIdName": "James Bond",
    "callerIdNum": "1002",
    "since": 42,
    "isTalking": True,
    "role": "Organizer",
    "isMuted": False,
    "isMe": True,
    "username": "jbond",
    "isDeaf": False,
}
JAMES = Described(
    index=2,
    name="James Bond",
    number="1002",
    username="jbond",
    role=ParticipantRole.MODERATOR,
    muted=False,
    deafened=False,
    talking=True,
    is_me=True,
    since_s=42,
)

EVENT: JsonObject = {"conferenceNumber": "4001", "uniqueId": "1519658665.8"}
CALL: JsonObject = {"eventType": "EventEstablished", "DN": "1002", "otherDN": "4001", "uniqueId": "1519658665.8"}
CALLED = CallTold(kind="EventEstablished", unique_id="1519658665.8", other_number="4001")

EXAMPLES: list[tuple[str, object, Told]] = [
    ("ConferenceList", [], RoomsListed(rooms=())),
    (
        "ConferenceList",
        [{"number": "4000", "name": "public", "pinRequired": False, "startTime": 1519659524032, "members": [MEMBER]}],
        RoomsListed(
            rooms=(
                ListedRoom(
                    number="4000",
                    name="public",
                    pin_required=False,
                    started_ms=1519659524032,
                    members=(Member(order=1, joined_ms=1519659524032, name="James Bond", number="1002", muted=True),),
                ),
            )
        ),
    ),
    (
        "ConferenceEvent",
        {**EVENT, "eventType": "Join", "conferenceName": "support", "participants": [PERSON], "since": 7},
        Entered(room="4001", room_name="support", unique_id="1519658665.8", people=(JAMES,)),
    ),
    (
        "ConferenceEvent",
        {**EVENT, "eventType": "Leave", "participants": [PERSON]},
        Exited(room="4001", unique_id="1519658665.8"),
    ),
    *[
        (
            "ConferenceParticipantEvent",
            {**EVENT, "eventType": kind, **PERSON},
            PersonTold(kind=PersonKind(kind), room="4001", unique_id="1519658665.8", person=JAMES),
        )
        for kind in ("Join", "Leave", "Update")
    ],
    ("ConferenceCommandError", {"error": "NotAMember"}, CommandFailed("NotAMember")),
    ("ConferenceCommandError", {"error": "x" * 1000}, CommandFailed("x" * 64)),
    ("Error", {"Error": "hunter2"}, ErrorTold()),
    ("Error", "hunter2", ErrorTold()),
    ("LoggedOn", None, SignedOn()),
    ("LoggedOnError", {"Error": "loggedOnTimeout"}, SignOnFailed("loggedOnTimeout")),
    ("LoggedOnError", None, SignOnFailed("")),
    ("LineConfig", {"id": "17", "password": "hunter2"}, LineTold(True)),
    ("LineConfig", {"id": "-"}, LineTold(False)),
    ("LineConfig", {"id": ""}, LineTold(False)),
    ("LineConfig", {}, LineTold(False)),
    ("PhoneEvent", CALL, CALLED),
    ("CurrentCallsPhoneEvents", {"events": [CALL]}, CallsTold(calls=(CALLED,))),
]


def frame(name: str, payload: object) -> bytes:
    return json.dumps({"msgType": name, "ctiMessage": payload}).encode()


def read(raw: bytes, *, misunderstood: int = 0) -> Told | None:
    interpreter = Interpreter()
    told = interpreter.read(raw)
    assert interpreter.misunderstood == misunderstood
    return told


def test_every_type_that_is_translated_has_an_example() -> None:
    assert {name for name, _, _ in EXAMPLES} == set(TRANSLATED)


@pytest.mark.parametrize(("name", "payload", "told"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_a_frame_tells_what_it_is_named_for(name: str, payload: object, told: Told) -> None:
    assert read(frame(name, payload), misunderstood=int((name, payload) == ("LoggedOnError", None))) == told


@pytest.mark.parametrize("name", IGNORED)
def test_a_frame_of_no_use_is_ignored_by_name_and_with_a_reason(name: str) -> None:
    assert IGNORED[name]
    assert name not in TRANSLATED
    assert read(frame(name, {"anything": 1})) is None


def test_the_answer_to_a_ping_has_no_type_and_is_ignored() -> None:
    assert read(b'{"claz":"ping"}') is None


def test_another_frame_without_type_is_counted() -> None:
    assert read(b'{"claz":"pong"}', misunderstood=1) is None
    assert read(b"{}", misunderstood=1) is None


def test_types_that_xuc_adds_are_no_fault_and_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    interpreter = Interpreter()
    with caplog.at_level(logging.DEBUG):
        for _ in range(10):
            assert interpreter.read(frame("VideoEvent", {"secret": "hunter2"})) is None
        for number in range(10_000):
            interpreter.read(frame(f"New{number}", {}))
    assert interpreter.misunderstood == 0
    assert [record.levelno for record in caplog.records if "VideoEvent" in record.getMessage()] == [logging.INFO]
    assert len(caplog.records) < 300
    assert "hunter2" not in caplog.text


def test_of_a_line_nothing_is_kept_but_that_it_is_there() -> None:
    told = read(frame("LineConfig", {"id": "17", "name": "line", "password": "hunter2", "xivoIp": "192.0.2.1"}))
    assert told == LineTold(True)
    assert "17" not in repr(told)


# ---- what is malformed ----

BAD_MEMBERS: list[object] = [
    7,
    {},
    {**MEMBER, "joinOrder": -1},
    {**MEMBER, "joinOrder": 2**31},
    {**MEMBER, "joinOrder": 10**30},
    {**MEMBER, "joinOrder": 1.5},
    {**MEMBER, "joinOrder": "1"},
    {**MEMBER, "joinTime": -1},
    {**MEMBER, "joinTime": 1e300},
    {**MEMBER, "joinTime": 10**40},
    {**MEMBER, "joinTime": None},
    {**MEMBER, "muted": "yes"},
    {**MEMBER, "name": ["hunter2"]},
]


@pytest.mark.parametrize("bad", BAD_MEMBERS, ids=repr)
def test_a_malformed_member_costs_that_member_only(bad: object) -> None:
    told = read(frame("ConferenceList", [{"number": "4000", "members": [bad, MEMBER]}]), misunderstood=1)
    assert isinstance(told, RoomsListed)
    assert [member.order for member in told.rooms[0].members] == [1]


@pytest.mark.parametrize("bad", [7, {}, {"number": ""}, {"number": 4000}, {"number": "4", "members": {}}], ids=repr)
def test_a_malformed_room_costs_that_room_only(bad: object) -> None:
    told = read(frame("ConferenceList", [bad, {"number": "4000"}]), misunderstood=1)
    assert isinstance(told, RoomsListed)
    assert [room.number for room in told.rooms] == ["4000"]


@pytest.mark.parametrize("bad", [7, {}, {**PERSON, "index": -1}, {**PERSON, "index": "2"}, {**PERSON, "isMuted": 1}])
def test_a_malformed_participant_costs_that_participant_only(bad: object) -> None:
    payload = {**EVENT, "eventType": "Join", "participants": [bad, PERSON]}
    told = read(frame("ConferenceEvent", payload), misunderstood=1)
    assert isinstance(told, Entered)
    assert told.people == (JAMES,)


def test_a_malformed_call_costs_that_call_only() -> None:
    told = read(frame("CurrentCallsPhoneEvents", {"events": [7, {}, CALL]}), misunderstood=2)
    assert told == CallsTold(calls=(CALLED,))


@pytest.mark.parametrize("since", [None, -1, 1e300, 10**40])
def test_an_impossible_since_is_not_said(since: object) -> None:
    told = read(frame("ConferenceParticipantEvent", {**EVENT, "eventType": "Update", **PERSON, "since": since}))
    assert isinstance(told, PersonTold)
    assert told.person.since_s is None


@pytest.mark.parametrize("started", [None, 0, -1, 1e300, 10**40])
def test_an_impossible_start_of_a_room_is_none(started: object) -> None:
    told = read(frame("ConferenceList", [{"number": "4000", "startTime": started}]))
    assert told == RoomsListed(rooms=(ListedRoom(number="4000"),))


def test_an_unknown_role_is_unknown() -> None:
    told = read(frame("ConferenceParticipantEvent", {**EVENT, "eventType": "Join", **PERSON, "role": "Owner"}))
    assert isinstance(told, PersonTold)
    assert told.person.role is None


def test_an_external_caller_may_be_without_number_name_and_user() -> None:
    payload = {**EVENT, "eventType": "Join", "index": 1, "callerIdName": "", "callerIdNum": None}
    told = read(frame("ConferenceParticipantEvent", payload))
    assert isinstance(told, PersonTold)
    assert told.person == Described(index=1)


GARBAGE = [
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"7",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"msgType":7}',
    b'{"msgType":null}',
    b'{"msgType":"ConferenceList"}',
    b'{"msgType":"ConferenceList","ctiMessage":{}}',
    b'{"msgType":"ConferenceList","ctiMessage":NaN}',
    b'{"msgType":"ConferenceList","ctiMessage":[' + b"9" * 5000 + b"]}",
    b'{"msgType":"ConferenceEvent","ctiMessage":{}}',
    b'{"msgType":"ConferenceEvent","ctiMessage":{"eventType":"Join","conferenceNumber":""}}',
    b'{"msgType":"ConferenceEvent","ctiMessage":{"eventType":"Dance","conferenceNumber":"4001"}}',
    b'{"msgType":"ConferenceEvent","ctiMessage":{"eventType":"Join","conferenceNumber":4001}}',
    b'{"msgType":"ConferenceParticipantEvent","ctiMessage":{"eventType":"Dance","conferenceNumber":"1","index":1}}',
    b'{"msgType":"ConferenceParticipantEvent","ctiMessage":{"eventType":"Join","conferenceNumber":"1"}}',
    b'{"msgType":"ConferenceCommandError","ctiMessage":{}}',
    b'{"msgType":"ConferenceCommandError","ctiMessage":{"error":["hunter2"]}}',
    b'{"msgType":"LineConfig","ctiMessage":"hunter2"}',
    b'{"msgType":"PhoneEvent","ctiMessage":{}}',
    b'{"msgType":"CurrentCallsPhoneEvents","ctiMessage":{}}',
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[:60]))
def test_garbage_is_counted_and_costs_itself_only(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    interpreter = Interpreter()
    assert interpreter.read(raw) is None
    assert interpreter.misunderstood == 1
    assert interpreter.read(frame("LoggedOn", {})) == SignedOn()
    assert "hunter2" not in caplog.text


SAMPLES: list[JsonObject] = [{"msgType": name, "ctiMessage": payload} for name, payload, _ in EXAMPLES]
SAMPLES += [json.loads(path.read_text()) for path in sorted(RECORDINGS.glob("facts-*.json"))]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(anything(SAMPLES))
def test_whatever_arrives_reading_it_does_not_raise(raw: bytes) -> None:
    interpreter = Interpreter()
    interpreter.read(raw)
    assert interpreter.read(frame("LoggedOn", {})) == SignedOn()
