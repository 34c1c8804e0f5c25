"""Notifications: telephony sessions are translated, other kinds ignored by name or counted, garbage costs itself."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kit.understanding import JsonObject, NotUnderstoodError
from adapters.ringcentral.events import (
    IGNORED,
    TRANSLATED,
    Code,
    End,
    Interpreter,
    Party,
    Peer,
    SessionTold,
    instant,
    kind_of,
    party_read,
    session_read,
)

RECORDINGS = Path(__file__).parents[2] / "recordings" / "ringcentral"
PATH = "/restapi/v1.0/account/ACC/extension/EXT/telephony/sessions"
PARTY: JsonObject = {
    "accountId": "ACC",
    "extensionId": "EXT",
    "id": "p-A-1",
    "direction": "Outbound",
    "to": {"phoneNumber": "+15550100001", "name": "Ann", "extensionId": "E2"},
    "from": {"phoneNumber": "+15550109999", "extensionId": "EXT", "deviceId": "DEV"},
    "status": {"code": "Answered", "rcc": False},
    "park": {},
    "muted": True,
}
READ = Party(
    id="p-A-1",
    code=Code.ANSWERED,
    inbound=False,
    caller=End("+15550109999", None, "EXT"),
    callee=End("+15550100001", "Ann", "E2"),
    extension_id="EXT",
    muted=True,
)


def notification(*parties: object, event: str = PATH, **more: object) -> JsonObject:
    body: JsonObject = {
        "sequence": 9,
        "sessionId": "1229016182016",
        "telephonySessionId": "s-A",
        "eventTime": "2024-02-27T16:04:52.223Z",
        "origin": {"type": "Call"},
        "parties": list(parties),
    }
    return {"uuid": "u1", "event": event, "body": {**body, **more}}


TOLD = SessionTold(
    session_id="s-A",
    sequence=9,
    uuid="u1",
    at=datetime(2024, 2, 27, 16, 4, 52, 223000, tzinfo=UTC),
    is_conference=False,
    parties=(READ,),
)


@pytest.fixture(name="interpreter")
def _interpreter() -> Interpreter:
    return Interpreter()


def test_an_event_is_told_with_its_leg(interpreter: Interpreter) -> None:
    assert interpreter.read(json.dumps(notification(PARTY)).encode()) == TOLD
    assert interpreter.understand(notification(PARTY)) == TOLD
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (PATH, "telephony/sessions"),
        ("/restapi/v1.0/account/ACC/telephony/sessions", "telephony/sessions"),
        (PATH + "?direction=Inbound", "telephony/sessions"),
        ("/restapi/v1.0/account/~/extension/~/presence?detailedTelephonyState=true", "presence"),
        ("/restapi/v1.0/subscription/~?threshold=60&interval=15", "subscription"),
        ("/restapi/v1.0/account/ACC/extension/EXT/message-store", "message-store"),
        ("", ""),
    ],
)
def test_a_kind_is_what_the_path_has_behind_account_and_extension(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize("kind", IGNORED)
def test_a_kind_without_meaning_for_us_is_ignored_by_name_and_with_a_reason(
    interpreter: Interpreter, kind: str
) -> None:
    assert IGNORED[kind]
    assert kind not in TRANSLATED
    assert interpreter.understand({"event": f"/restapi/v1.0/account/A/extension/E/{kind}", "body": 7}) is None
    assert interpreter.misunderstood == 0


def test_a_kind_that_nobody_subscribed_to_is_counted(interpreter: Interpreter) -> None:
    assert interpreter.understand(notification(PARTY, event="/restapi/v1.0/account/A/fax")) is None
    assert interpreter.misunderstood == 1


def test_a_malformed_leg_costs_itself_only(interpreter: Interpreter) -> None:
    for bad in (7, {}, {"id": ""}, {"id": "p", "status": 3}, {"id": "p", "muted": "yes"}):
        found = interpreter.understand(notification(bad, PARTY))
        assert isinstance(found, SessionTold)
        assert found.parties == (READ,)
    assert interpreter.misunderstood == 5


@pytest.mark.parametrize(
    ("raw", "peer"),
    [
        ({"telephonySessionId": "s-C", "sessionId": "0", "partyId": "p-C-2"}, Peer("s-C", "p-C-2")),
        ({"sessionId": "s-C", "partyId": "p-C-2"}, Peer("s-C", "p-C-2")),
        ({"sessionId": "0", "partyId": "p-C-2"}, None),
        ({"telephonySessionId": "s-C"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_peer_is_read_from_whichever_id_is_one(raw: JsonObject | None, peer: Peer | None) -> None:
    assert party_read({"id": "p", "status": {"code": "Gone", "peerId": raw}}).peer == peer


@pytest.mark.parametrize(
    ("more", "is_conference"),
    [
        ({"origin": {"type": "Conference"}}, True),
        ({"origin": {"type": "Call"}, "sessionId": "0"}, False),
        ({"origin": None, "sessionId": "0"}, True),
        ({"origin": {}, "sessionId": "0"}, True),
        ({"origin": None}, False),
    ],
)
def test_a_conference_is_one_by_its_origin(interpreter: Interpreter, more: JsonObject, is_conference: bool) -> None:
    found = interpreter.understand(notification(PARTY, **more))
    assert isinstance(found, SessionTold)
    assert found.is_conference is is_conference


def test_what_is_not_said_is_not_known() -> None:
    assert party_read({"id": "p"}) == Party(id="p")
    assert party_read({"id": "p", "status": {"code": "VoiceMail"}}).code is Code.OTHER
    assert party_read({"id": "p", "status": {"code": ""}}).code is Code.OTHER
    assert party_read({"id": "p", "owner": {"extensionId": "E"}}).extension_id == "E"
    assert party_read({"id": "p", "conferenceRole": "Host"}).is_host is True
    assert party_read({"id": "p", "conferenceRole": "Participant"}).is_host is False


@pytest.mark.parametrize("raw", [None, "", "…Z", "soon", "2024-02-27T16:04:52", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_instant_is_none(raw: str | None) -> None:
    assert instant(raw) is None


def test_an_instant_is_read_in_both_spellings() -> None:
    expected = datetime(2020, 9, 7, 21, 50, 2, 737000, tzinfo=UTC)
    assert instant("2020-09-07T21:50:02.737+0000") == instant("2020-09-07T21:50:02.737Z") == expected


def test_an_answer_with_a_malformed_leg_is_not_complete() -> None:
    complaints: list[NotUnderstoodError] = []
    raw = {"id": "s-C", "origin": {"type": "Conference"}, "creationTime": "2024-02-27T16:00:00Z", "parties": [PARTY, 7]}
    found = session_read(raw, complaints.append)
    assert (found.parties, found.complete, found.is_conference) == ((READ,), False, True)
    assert len(complaints) == 1
    assert session_read({"id": "s-C", "parties": []}, complaints.append).complete
    for bad in ({}, {"id": ""}, 7, {"id": "s", "parties": 7}):
        with pytest.raises(NotUnderstoodError):
            session_read(bad, complaints.append)


GARBAGE = [
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"7",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"{}",
    b'{"event":7}',
    json.dumps({"event": PATH}).encode(),
    json.dumps({"event": PATH, "body": []}).encode(),
    json.dumps({"event": PATH, "body": {"sequence": 1}}).encode(),
    json.dumps(notification(sequence="9")).encode(),
    json.dumps(notification(sequence=-1)).encode(),
    json.dumps(notification(sequence=2**60)).encode(),
    json.dumps(notification(telephonySessionId="")).encode(),
    json.dumps(notification(parties=2)).encode(),
    json.dumps(notification(eventTime=7)).encode(),
    b'"' + b"x" * 1_000_000 + b'"',
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[:40]))
def test_garbage_is_counted_and_costs_itself_only(interpreter: Interpreter, raw: bytes) -> None:
    assert interpreter.read(raw) is None
    assert interpreter.misunderstood == 1
    assert interpreter.understand(notification(PARTY)) == TOLD


def test_the_same_complaint_is_logged_once_in_a_while(
    interpreter: Interpreter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            interpreter.read(b"{")
            interpreter.understand(notification(PARTY, event="/restapi/v1.0/account/A/secret-number-4711"))
    assert interpreter.misunderstood == 200
    assert len(caplog.records) == 2
    assert "4711" not in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
SAMPLES = [json.loads((RECORDINGS / name).read_text()) for name in ("seed-added.json", "event-of-call.json")]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded notification with some of its values replaced, removed or cut."""
    found = json.loads(json.dumps(draw(st.sampled_from(SAMPLES))))
    party = found["body"]["parties"][0]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([found, found.get("body"), party, party.get("status"), party.get("to")]))
        if not isinstance(place, dict) or not place:
            continue
        key = draw(st.sampled_from(sorted(place)))
        if draw(st.booleans()):
            place[key] = draw(JSON)
        else:
            del place[key]
    raw = json.dumps(found).encode()
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(mutated(), st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode())))
def test_whatever_arrives_reading_it_does_not_raise(raw: bytes) -> None:
    interpreter = Interpreter()
    interpreter.read(raw)
    assert interpreter.understand(notification(PARTY)) == TOLD
