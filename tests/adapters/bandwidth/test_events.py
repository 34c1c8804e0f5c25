"""Callbacks: what they tell is translated, other kinds are ignored by name or counted, garbage costs itself."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.bandwidth.events import (
    IGNORED,
    TRANSLATED,
    CallState,
    CallTold,
    ConferenceTold,
    Interpreter,
    MemberTold,
    Told,
)
from adapters.kit.understanding import JsonObject, NotUnderstoodError, decoded, objects
from tests.fuzzing import anything

RECORDINGS = Path(__file__).parents[2] / "recordings" / "bandwidth"
EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted(RECORDINGS.glob("facts-event-*.json"))}
JOINED = EVENTS["facts-event-member-joined"]
MEMBER_AT = datetime(2013, 7, 12, 20, 53, 11, 646000, tzinfo=UTC)


@pytest.fixture(name="interpreter")
def _interpreter() -> Interpreter:
    return Interpreter()


def told(present: bool = True, muted: bool = False, active_members: int = 1) -> MemberTold:
    return MemberTold(
        conference_id="conf-1",
        member_id="member-1",
        call_id="c-1",
        present=present,
        muted=muted,
        on_hold=False,
        active_members=active_members,
        at=MEMBER_AT,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("member-joined", told()),
        ("member-muted", told(muted=True)),
        ("member-left", told(present=False, active_members=0)),
        (
            "created",
            ConferenceTold(
                conference_id="conf-1", completed=False, at=datetime(2013, 7, 12, 18, 29, 32, 521000, tzinfo=UTC)
            ),
        ),
        (
            "completed",
            ConferenceTold(
                conference_id="conf-1", completed=True, at=datetime(2013, 7, 12, 18, 45, 10, 103000, tzinfo=UTC)
            ),
        ),
        (
            "answer",
            CallTold(
                call_id="c-1",
                state=CallState.ANSWERED,
                tag="standup",
                at=datetime(2012, 11, 14, 16, 29, 35, 427000, tzinfo=UTC),
            ),
        ),
        (
            "hangup",
            CallTold(
                call_id="c-1",
                state=CallState.OVER,
                cause="NORMAL_CLEARING",
                at=datetime(2012, 11, 14, 15, 56, 12, 636000, tzinfo=UTC),
            ),
        ),
        (
            "rejected",
            CallTold(
                call_id="c-1",
                state=CallState.OVER,
                cause="CALL_REJECTED",
                at=datetime(2014, 4, 23, 14, 53, 43, tzinfo=UTC),
            ),
        ),
        (
            "timeout",
            CallTold(
                call_id="c-1",
                state=CallState.OVER,
                cause="NO_ANSWER",
                at=datetime(2013, 11, 6, 14, 25, 58, 857000, tzinfo=UTC),
            ),
        ),
    ],
)
def test_a_callback_is_told(interpreter: Interpreter, name: str, expected: Told) -> None:
    assert interpreter.understand(EVENTS[f"facts-event-{name}"]) == expected
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize("name", EVENTS)
def test_every_recorded_callback_is_translated_or_ignored_by_name(interpreter: Interpreter, name: str) -> None:
    kind = EVENTS[name]["eventType"]
    assert (interpreter.understand(EVENTS[name]) is None) is (kind in IGNORED)
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize("kind", IGNORED)
def test_a_kind_without_meaning_for_us_is_ignored_with_a_reason(interpreter: Interpreter, kind: str) -> None:
    assert IGNORED[kind]
    assert kind not in TRANSLATED
    assert interpreter.understand({"eventType": kind, "callId": 7}) is None
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize("name", [name for name in EVENTS if EVENTS[name]["eventType"] in TRANSLATED])
def test_a_callback_by_get_tells_the_same_although_all_of_it_is_text(interpreter: Interpreter, name: str) -> None:
    as_text = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in objects(EVENTS[name]).items()
    }
    assert interpreter.understand(as_text) == Interpreter().understand(EVENTS[name])
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize(
    ("name", "without"), [("member-joined", "memberId"), ("created", "conferenceId"), ("hangup", "callId")]
)
def test_an_id_that_is_missing_is_taken_from_the_url(interpreter: Interpreter, name: str, without: str) -> None:
    fields = objects(EVENTS[f"facts-event-{name}"])
    rest = {key: value for key, value in fields.items() if key != without}
    assert interpreter.understand(rest) == interpreter.understand(fields)
    assert interpreter.misunderstood == 0


def test_what_is_not_said_is_not_known(interpreter: Interpreter) -> None:
    least: JsonObject = {"eventType": "conference-member", "conferenceId": "c", "memberId": "m", "state": "active"}
    expected = MemberTold(conference_id="c", member_id="m", present=True)
    assert interpreter.understand(least) == expected
    assert interpreter.understand({**least, "mute": None, "hold": "", "time": None}) == expected
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize(
    ("name", "value"), [("mute", "perhaps"), ("hold", 7), ("activeMembers", -1), ("time", "soon"), ("mute", [])]
)
def test_a_malformed_field_costs_itself_only(interpreter: Interpreter, name: str, value: object) -> None:
    found = interpreter.understand({**JOINED, name: value})
    assert isinstance(found, MemberTold)
    assert (found.member_id, found.present) == ("member-1", True)
    assert interpreter.misunderstood == 1


@pytest.mark.parametrize("cause", ["call me at +12025550199", "normal", "", 7, None, "X" * 100])
def test_a_cause_that_is_no_word_of_theirs_is_not_repeated(interpreter: Interpreter, cause: object) -> None:
    found = interpreter.understand({"eventType": "hangup", "callId": "c-1", "cause": cause})
    assert found == CallTold(call_id="c-1", state=CallState.OVER)


def test_a_rejection_is_one_by_either_name(interpreter: Interpreter) -> None:
    """The pages have it as a hangup; their own client knows a type for it."""
    found = interpreter.understand({"eventType": "reject", "callId": "c-1"})
    assert found == CallTold(call_id="c-1", state=CallState.OVER, cause="CALL_REJECTED")


GARBAGE: list[JsonObject] = [
    {},
    {"eventType": None},
    {"eventType": 7},
    {"eventType": ["conference"]},
    {"eventType": "conference-exploded"},
    {"eventType": "conference"},
    {"eventType": "conference", "conferenceId": "c", "status": "paused"},
    {"eventType": "conference", "conferenceId": "c", "status": []},
    {"eventType": "conference", "conferenceId": 7, "status": "created"},
    {"eventType": "conference-member", "conferenceId": "c", "state": "active"},
    {"eventType": "conference-member", "conferenceId": "c", "memberId": "", "state": "active"},
    {"eventType": "conference-member", "conferenceUri": "///", "memberId": "m", "state": "active"},
    {"eventType": "conference-member", "conferenceId": "c", "memberId": "m"},
    {"eventType": "conference-member", "conferenceId": "c", "memberId": "m", "state": True},
    {"eventType": "hangup"},
    {"eventType": "answer", "callId": {}},
]


@pytest.mark.parametrize("fields", GARBAGE, ids=repr)
def test_garbage_is_counted_and_costs_itself_only(interpreter: Interpreter, fields: JsonObject) -> None:
    assert interpreter.understand(fields) is None
    assert interpreter.misunderstood == 1
    assert interpreter.understand(JOINED) == told()


def test_the_same_complaint_is_logged_once_in_a_while_and_repeats_no_value(
    interpreter: Interpreter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            interpreter.understand({"eventType": f"secret-4711-{number}"})
            interpreter.understand({**JOINED, "state": f"secret-4711-{number}"})
            interpreter.understand({**JOINED, "mute": f"secret-4711-{number}"})
    assert interpreter.misunderstood == 300
    assert len(caplog.records) == 3
    assert "4711" not in caplog.text


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=anything(list(EVENTS.values())))
def test_whatever_arrives_reading_it_does_not_raise(raw: bytes) -> None:
    interpreter = Interpreter()
    try:
        fields = objects(decoded(raw, "callback"))
    except NotUnderstoodError:
        return
    found = interpreter.understand(fields)
    hash(found)  # what is told holds texts, numbers and instants, and nothing that was sent as it stood
    if found is None:
        assert interpreter.misunderstood == 1 or fields["eventType"] in IGNORED
    assert interpreter.understand(JOINED) == told()
