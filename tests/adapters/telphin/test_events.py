"""Events of calls: three kinds are translated, others ignored by name or counted, garbage costs itself."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.events import IGNORED, TRANSLATED, CallTold, Interpreter, Kind, instant
from tests.adapters.telphin.told import fields
from tests.fuzzing import mutated

HANGUP = {
    "EventType": "hangup",
    "CallStatus": "ANSWER",
    "CallFlow": "in",
    "CallID": "c0ffee",
    "SubCallID": "193958-c0ffee",
    "CallAPIID": "3584709139-3849618a-cd61-11e9",
    "CallerIDNum": "79990001122",
    "CalledNumber": "0000*101",
    "CalledExtension": "0000*101@sipproxy.telphin.ru",
    "CalledExtensionID": "193958",
    "EventTime": "1567500000000001",
    "Duration": "7529999",
    "RecID": "193958-3a84",
}
"""A client's sample, with one more microsecond."""


@pytest.fixture(name="interpreter")
def _interpreter() -> Interpreter:
    return Interpreter()


def test_the_end_of_a_call_is_told_to_the_microsecond(interpreter: Interpreter) -> None:
    assert interpreter.understand(HANGUP) == CallTold(
        kind=Kind.HANGUP,
        extension_id="193958",
        leg_id="193958-c0ffee",
        call_id="c0ffee",
        call_api_id="3584709139-3849618a-cd61-11e9",
        number="79990001122",
        at=datetime(2019, 9, 3, 8, 40, 0, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_who_calls_is_the_other_end_of_the_leg(interpreter: Interpreter, kind: Kind) -> None:
    found = interpreter.understand(fields(kind, "c1", phone="101"))
    assert found is not None
    assert (found.kind, found.number, found.name, found.caller_extension_id) == (kind, "2101", "Ann", "101")


def test_of_a_call_that_the_room_made_it_is_the_called(interpreter: Interpreter) -> None:
    given = fields("answer", "c1", CallFlow="out", CallerIDNum="850", CalledNumber="2102", CalledExtensionID="102")
    found = interpreter.understand(given)
    assert found is not None
    assert (found.extension_id, found.number, found.name, found.caller_extension_id) == ("501", "2102", None, "102")


def test_the_room_and_the_leg_are_found_in_either_field(interpreter: Interpreter) -> None:
    without_called = interpreter.understand(fields("answer", "c1", CalledExtensionID=""))
    without_leg = interpreter.understand(fields("answer", "c1", SubCallID=""))
    for found in (without_called, without_leg):
        assert found is not None
        assert (found.extension_id, found.leg_id) == ("501", "501-c1")


def test_what_an_event_can_do_without_is_left_open(interpreter: Interpreter) -> None:
    bare = {"EventType": "dial-in", "SubCallID": "501-c1", "CallAPIID": "../x", "CallerExtensionID": "a/b"}
    assert interpreter.understand(bare) == CallTold(kind=Kind.DIAL_IN, extension_id="501", leg_id="501-c1")
    assert interpreter.misunderstood == 0


@pytest.mark.parametrize(
    "more",
    [
        {"EventType": "barge-in"},
        {"EventType": ""},
        {"SubCallID": "501"},
        {"SubCallID": "../x-c1"},
        {"SubCallID": "", "CallID": ""},
        {"CalledExtensionID": "50 1"},
        {"EventTime": "soon"},
        {"EventTime": "1714564800"},
        {"EventTime": "1714564800000"},
        {"EventTime": "9" * 19},
        {"EventTime": "-1"},
        {"EventTime": "１"},
    ],
)
def test_what_makes_no_sense_is_counted_and_costs_itself(interpreter: Interpreter, more: dict[str, str]) -> None:
    assert interpreter.understand({**fields("answer", "c1"), **more}) is None
    assert interpreter.misunderstood == 1
    assert interpreter.understand(fields("answer", "c1")) is not None


@pytest.mark.parametrize("kind", IGNORED)
def test_kinds_that_say_nothing_of_rooms_are_ignored_by_name(interpreter: Interpreter, kind: str) -> None:
    assert IGNORED[kind]
    for name in ("EventType", "event_type"):
        assert interpreter.understand({name: kind}) is None
    assert interpreter.misunderstood == 0


def test_no_kind_is_both_translated_and_ignored() -> None:
    assert not TRANSLATED.keys() & IGNORED.keys()


def test_times_are_microseconds_and_nothing_else() -> None:
    assert instant("1714564800123456") == datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert instant(None) is instant("") is None
    with pytest.raises(NotUnderstoodError):
        instant("1714564800123")


def test_complaints_repeat_nothing_of_what_was_sent(interpreter: Interpreter, caplog: pytest.LogCaptureFixture) -> None:
    interpreter.understand({**fields("answer", "c1"), "EventTime": "s3cret", "EventType": "answer"})
    interpreter.understand({"EventType": "s3cret"})
    assert interpreter.misunderstood == 2
    assert "s3cret" not in caplog.text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=mutated([HANGUP, fields("dial-in", "c1", phone="101")]))
def test_mutilated_events_never_raise(raw: bytes) -> None:
    interpreter = Interpreter()
    try:
        found = json.loads(raw)
    except ValueError:
        return
    interpreter.understand(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
    )


@settings(max_examples=100, deadline=None)
@given(form=st.dictionaries(st.sampled_from(sorted(HANGUP)), st.text(max_size=30)))
def test_forms_of_anything_never_raise(form: dict[str, str]) -> None:
    told = Interpreter().understand({"EventType": "answer", **form})
    assert told is None or told.leg_id
