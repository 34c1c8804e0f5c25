"""Frames of Blackhole: every name that Kazoo publishes is translated, others are ignored by name, garbage counts."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.kazoo.events import IGNORED, TRANSLATED, Interpreter, Reply, UnknownEventError, translate
from adapters.kazoo.simulator import EVENT_NAMES
from adapters.kit.understanding import JsonObject
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import (
    EndReport,
    JoinReport,
    LeaveReport,
    Report,
    RoomReport,
    StartReport,
    UpdateReport,
)
from gateway.model.room import Participant, ParticipantRole, RoomFacts
from tests.fuzzing import anything

RECORDINGS = Path(__file__).parents[2] / "recordings" / "kazoo"
ACCOUNT = "9d351ad7ffd6f846313af9eed3bb7b85"
OF_SEED = [
    "add-member",
    "del-member",
    "stop-talking",
    "start-talking",
    "mute-member",
    "unmute-member",
    "deaf-member",
    "undeaf-member",
]
ROOM, RUN = RoomId("r1"), "run"
FLAGS: JsonObject = {"is_moderator": True, "speak": True, "hear": True, "talking": True, "floor": True}
WHO: JsonObject = {"call_id": "c1", "participant_id": 20, "caller_id_name": "Ann", "caller_id_number": "100"}


def event(name: str, *, flat: bool = False, **more: object) -> JsonObject:
    head: JsonObject = {"event": name, "conference_id": ROOM, "instance_id": RUN, "account_id": ACCOUNT}
    if name in OF_SEED:
        head |= {**WHO, **FLAGS} if flat else {**WHO, "conference_channel_vars": FLAGS}
    return {**head, **more}


def who(**flags: bool) -> Participant:
    return Participant(id=ParticipantId("c1"), leg_id="c1", index=20, **flags)  # type: ignore[arg-type]  # all flags


JOINED = Participant(
    id=ParticipantId("c1"),
    leg_id="c1",
    index=20,
    display_name="Ann",
    number="100",
    role=ParticipantRole.MODERATOR,
    muted=False,
    deafened=False,
    talking=True,
    floor=True,
)
EXPECTED: dict[str, Report] = {
    "conference-create": StartReport(room_id=ROOM, run_id=RUN),
    "conference-destroy": EndReport(room_id=ROOM, run_id=RUN),
    "lock": RoomReport(room_id=ROOM, run_id=RUN, facts=RoomFacts(locked=True)),
    "unlock": RoomReport(room_id=ROOM, run_id=RUN, facts=RoomFacts(locked=False)),
    "add-member": JoinReport(room_id=ROOM, run_id=RUN, participant=JOINED),
    "del-member": LeaveReport(room_id=ROOM, run_id=RUN, participant_id=ParticipantId("c1"), index=20),
    "mute-member": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(muted=True)),
    "unmute-member": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(muted=False)),
    "deaf-member": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(deafened=True)),
    "undeaf-member": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(deafened=False)),
    "start-talking": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(talking=True)),
    "stop-talking": UpdateReport(room_id=ROOM, run_id=RUN, participant=who(talking=False)),
}


def test_every_name_of_the_page_and_of_the_source_is_translated() -> None:
    assert set(TRANSLATED) == set(EXPECTED) == set(EVENT_NAMES)
    assert set(OF_SEED) < set(TRANSLATED)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_says_what_it_is_named_for_and_nothing_else(name: str, flat: bool) -> None:
    assert translate(event(name, flat=flat), ACCOUNT) == EXPECTED[name]


@pytest.mark.parametrize("name", IGNORED)
def test_an_event_without_meaning_for_us_is_ignored_by_name_and_with_a_reason(name: str) -> None:
    assert IGNORED[name]
    assert translate(event(name), ACCOUNT) is None


def test_an_event_of_another_account_is_not_ours() -> None:
    assert translate(event("lock", account_id="other"), ACCOUNT) is None
    of_leg = event("add-member", account_id=None, custom_channel_vars={"account_id": "other"})
    assert translate(of_leg, ACCOUNT) is None
    assert translate(event("lock", account_id=None), ACCOUNT) == EXPECTED["lock"]


def test_an_unknown_event_is_unknown() -> None:
    with pytest.raises(UnknownEventError, match="teleport-member"):
        translate(event("teleport-member"), ACCOUNT)


def frame(data: object) -> bytes:
    return json.dumps({"action": "event", "name": "event", "data": data}).encode()


def test_the_same_event_over_two_bindings_is_told_once() -> None:
    interpreter = Interpreter()
    raw = frame(event("lock", msg_id="m1"))
    assert interpreter.read(raw, ACCOUNT) == EXPECTED["lock"]
    assert interpreter.read(raw, ACCOUNT) is None
    assert interpreter.read(frame(event("lock", msg_id="m2")), ACCOUNT) == EXPECTED["lock"]
    assert interpreter.misunderstood == 0


def test_an_event_without_id_is_told_each_time() -> None:
    interpreter = Interpreter()
    assert [interpreter.read(frame(event("lock")), ACCOUNT) for _ in range(2)] == [EXPECTED["lock"]] * 2


def test_what_is_remembered_of_events_is_bounded() -> None:
    interpreter = Interpreter()
    for number in range(10_000):
        interpreter.read(frame(event("lock", msg_id=f"m{number}")), ACCOUNT)
    assert len(interpreter._seen) <= 5_000


def test_replies_are_read_with_their_errors() -> None:
    interpreter = Interpreter()
    good = b'{"action":"reply","request_id":"1","status":"success","data":{"subscribed":[]}}'
    bad = b'{"action":"reply","request_id":"2","status":"error","data":{"errors":["no"]}}'
    assert interpreter.read(good, ACCOUNT) == Reply("1", None, {"subscribed": []})
    assert interpreter.read(bad, ACCOUNT) == Reply("2", ["no"], {})


GARBAGE = [
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"7",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"action":"dance"}',
    b'{"action":7}',
    b'{"action":"event"}',
    b'{"action":"event","data":[]}',
    b'{"action":"event","data":{"event":"lock"}}',
    b'{"action":"event","data":{"event":7,"conference_id":"r1"}}',
    b'{"action":"event","data":{"event":"teleport","conference_id":"r1"}}',
    b'{"action":"event","data":{"event":"add-member","conference_id":"r1"}}',
    b'{"action":"event","data":{"event":"add-member","conference_id":"r1","call_id":"c","hear":"perhaps"}}',
    b'{"action":"event","data":{"event":"del-member","conference_id":"r1","call_id":{}}}',
    b'{"action":"event","data":{"event":"lock","conference_id":"r1","n":' + b"9" * 5000 + b"}}x",
    b'{"action":"reply","request_id":"1","status":"error","data":{"errors":7}}',
    b'{"action":"event","data":"' + b"x" * 1_000_000 + b'"}',
    b'"' + b"x" * 1_000_000,
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[:40]))
def test_garbage_is_counted_and_costs_itself_only(raw: bytes) -> None:
    interpreter = Interpreter()
    assert interpreter.read(raw, ACCOUNT) is None
    assert interpreter.misunderstood == 1
    assert interpreter.read(frame(event("lock")), ACCOUNT) == EXPECTED["lock"]


def test_a_frame_of_a_megabyte_is_simply_read() -> None:
    interpreter = Interpreter()
    assert interpreter.read(frame(event("lock", note="x" * 1_000_000)), ACCOUNT) == EXPECTED["lock"]


def test_the_same_complaint_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    interpreter = Interpreter()
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            interpreter.read(b"{", ACCOUNT)
            interpreter.read(frame(event("teleport")), ACCOUNT)
        for number in range(1000):
            interpreter.read(frame(event(f"odd-{number}")), ACCOUNT)
    assert interpreter.misunderstood == 1200
    assert len(caplog.records) < 100


SAMPLES = [json.loads((RECORDINGS / name).read_text()) for name in ("event-of-participant.json", "event-of-room.json")]
SAMPLES += [{"action": "event", "data": json.loads((RECORDINGS / "seed-event.json").read_text())}]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(anything(SAMPLES))
def test_whatever_arrives_reading_it_does_not_raise(raw: bytes) -> None:
    interpreter = Interpreter()
    found = interpreter.read(raw, ACCOUNT)
    assert interpreter.misunderstood <= 1
    if found is not None:
        assert interpreter.misunderstood == 0
    assert interpreter.read(frame(event("unlock", msg_id="fuzz")), ACCOUNT) == EXPECTED["unlock"]
