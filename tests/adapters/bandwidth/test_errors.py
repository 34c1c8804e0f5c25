"""Bandwidth's failures choose our words, and nothing of theirs is repeated but codes."""

import pytest

from adapters.bandwidth.errors import (
    RateLimitedError,
    RefusedError,
    UnreachableError,
    as_command_errors,
    as_link_errors,
    refusal,
    reset_of,
)
from adapters.kit.understanding import NotUnderstoodError
from gateway.model.errors import (
    CommandError,
    CommandErrorCode,
    CommandRefused,
    GatewayError,
    LinkDown,
    OutcomeUnknown,
    SignInRefused,
)

ROOM, PARTICIPANT = CommandErrorCode.ROOM_NOT_FOUND, CommandErrorCode.PARTICIPANT_NOT_FOUND


def refused(error: Exception, missing: CommandErrorCode = ROOM) -> CommandError:
    with pytest.raises(CommandRefused) as caught, as_command_errors(missing):
        raise error
    assert caught.value.__suppress_context__
    (told,) = caught.value.errors
    return told


def of_link(error: Exception) -> GatewayError:
    with pytest.raises(GatewayError) as caught, as_link_errors():
        raise error
    return caught.value


# ---- what an answer says ----


@pytest.mark.parametrize(
    ("answer", "category", "code"),
    [
        (
            {"category": "not-found", "code": "conference-not-found", "message": "x", "details": []},
            "not-found",
            "conference-not-found",
        ),
        ({"category": "NOT_FOUND", "code": "call-not-found"}, "not-found", "call-not-found"),
        ({"category": "limit", "code": "conference-max-members", "details": 7}, "limit", "conference-max-members"),
        ({"category": "too-many-requests", "details": [None]}, "too-many-requests", None),
        ({"category": None, "code": None}, None, None),
        ({"category": "t-secret", "code": "t-secret-6d1f"}, None, None),
        ({"category": "<html>", "code": "the call is not there"}, None, None),
        ({"code": "a" * 40 + "-" + "b" * 40}, None, None),
        ({"code": 7}, None, None),
        ("conference-not-found", None, None),
        ([], None, None),
        (None, None, None),
    ],
)
def test_category_and_code_are_kept_only_when_they_are_such(
    answer: object, category: str | None, code: str | None
) -> None:
    found = refusal(403, answer)
    assert (found.status, found.category, found.code) == (403, category, code)


def test_a_404_that_is_not_bandwidths_is_no_reason_to_forget_a_conference() -> None:
    assert RefusedError(404, "not-found", "conference-not-found").is_gone
    assert RefusedError(404, None, "conference-member-not-found").is_gone
    assert RefusedError(404, "not-found").is_gone
    assert not RefusedError(404).is_gone
    assert not RefusedError(404, "not-found", "user-not-found").is_gone
    assert not RefusedError(403, "forbidden", "call-id-not-found").is_gone


def test_too_many_calls_are_a_403_that_is_a_limit_and_too_many_members_are_not() -> None:
    assert RefusedError(429).is_limit
    assert RefusedError(403, "limit", "call-rate-limit").is_limit
    assert not RefusedError(403, "limit", "conference-max-members").is_limit


@pytest.mark.parametrize(
    ("answer", "reset"),
    [
        ({"details": [{"name": "requestMethod"}, {"name": "rateLimitResetTime", "value": "1479308598680"}]}, True),
        ({"details": [7, {"name": "rateLimitResetTime", "value": 1479308598680}]}, True),
        ({"details": [{"name": "remoteAddress", "value": "127.0.0.1"}]}, False),
        ({"details": {"name": "rateLimitResetTime"}}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_when_a_limit_is_over_is_in_the_details_too(answer: object, reset: bool) -> None:
    assert reset_of(answer) == ("1479308598680" if reset else None)


# ---- commands ----


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RefusedError(403, "limit", "conference-max-members"), CommandErrorCode.CONFLICT, "holds 20"),
        (RefusedError(403, "forbidden", "conference-error"), CommandErrorCode.ROOM_NOT_ACTIVE, "is over"),
        (RefusedError(404, "not-found", "conference-not-found"), ROOM, "no such conference"),
        (RefusedError(404, "not-found", "conference-member-not-found"), PARTICIPANT, "no such participant"),
        (RefusedError(404, "not-found", "member-not-found"), PARTICIPANT, "no such participant"),
        (RefusedError(404, "not-found"), ROOM, "no such conference"),
        (RefusedError(404), CommandErrorCode.BACKEND_REFUSED, "404"),
        (RefusedError(404, "not-found", "user-not-found"), CommandErrorCode.BACKEND_REFUSED, "user-not-found"),
        (RefusedError(409, "conflict", "conference-update-conflict"), CommandErrorCode.CONFLICT, "being changed"),
        (RefusedError(403, None, "call-audio-invalid-state"), CommandErrorCode.CONFLICT, "state"),
        (RefusedError(403, "credit", "insufficient-available-balance"), CommandErrorCode.BACKEND_REFUSED, "balance"),
        (RefusedError(403, "credit"), CommandErrorCode.BACKEND_REFUSED, "the balance"),
        (RefusedError(402, "payment"), CommandErrorCode.BACKEND_REFUSED, "does not suffice"),
        (RefusedError(400, "bad-request", "missing-property"), CommandErrorCode.INVALID_INPUT, "missing-property"),
        (RefusedError(401), CommandErrorCode.FORBIDDEN, "token"),
        (RefusedError(401, None, "number-access-denied"), CommandErrorCode.FORBIDDEN, "not one of the Bandwidth"),
        (RefusedError(403, "authorization"), CommandErrorCode.FORBIDDEN, "gateway's user"),
        (RefusedError(418), CommandErrorCode.BACKEND_REFUSED, "418"),
        (RefusedError(500, None, "backend-protocol-support-failure"), CommandErrorCode.BACKEND_UNAVAILABLE, "500"),
        (RefusedError(503, "unavailable", "call-unavailable"), CommandErrorCode.BACKEND_UNAVAILABLE, "unavailable"),
        (RefusedError(503), CommandErrorCode.BACKEND_UNAVAILABLE, "503"),
        (UnreachableError("x", sent=False), CommandErrorCode.BACKEND_UNAVAILABLE, "cannot be reached"),
    ],
)
def test_a_refusal_has_a_code_and_says_what_is_wrong(error: Exception, code: CommandErrorCode, said: str) -> None:
    told = refused(error)
    assert told.code is code
    assert said in told.message
    assert (told.retry_after_ms, told.field) == (None, None)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "call-not-found"),
        (403, "call-id-not-found"),
        (403, "call-invalid-state"),
        (403, "invalid-call-conference-id"),
        (403, "invalid-call-to-number"),
    ],
)
def test_a_call_that_cannot_be_brought_in_is_a_mistake_of_who_named_it(status: int, code: str) -> None:
    told = refused(RefusedError(status, "forbidden", code))
    assert (told.code, told.field) == (CommandErrorCode.INVALID_INPUT, ("destination",))
    assert code in told.message


def test_what_is_missing_depends_on_what_was_asked_for_unless_bandwidth_says_it() -> None:
    assert refused(RefusedError(404, "not-found", "resource-not-found"), PARTICIPANT).code is PARTICIPANT
    assert refused(RefusedError(404, "not-found"), CommandErrorCode.INVALID_INPUT).code is (
        CommandErrorCode.INVALID_INPUT
    )
    assert refused(RefusedError(404, "not-found", "conference-not-found"), PARTICIPANT).code is ROOM


def test_a_limit_says_when_to_try_again() -> None:
    told = refused(RateLimitedError(2.6))
    assert (told.code, told.retry_after_ms) == (CommandErrorCode.BACKEND_RATE_LIMITED, 2_600)
    assert refused(RateLimitedError(0)).retry_after_ms == 1


@pytest.mark.parametrize(
    "error",
    [UnreachableError("x", sent=True), NotUnderstoodError("x"), RefusedError(502), RefusedError(504)],
)
def test_a_command_without_an_answer_of_bandwidth_may_have_acted(error: Exception) -> None:
    with pytest.raises(OutcomeUnknown) as caught, as_command_errors():
        raise error
    assert caught.value.__suppress_context__


# ---- the link ----


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RefusedError(401), "the token and its secret"),
        (RefusedError(401, "authentication", "user-access-denied"), "`user_id`"),
        (RefusedError(404, "not-found", "user-not-found"), "`user_id`"),
        (RefusedError(403, "authorization"), "does not let this user"),
    ],
)
def test_what_an_operator_has_to_mend_is_told(error: RefusedError, said: str) -> None:
    told = of_link(error)
    assert isinstance(told, SignInRefused)
    assert said in str(told)


@pytest.mark.parametrize(
    "error",
    [
        RefusedError(500),
        RefusedError(404),
        RefusedError(404, "not-found", "conference-not-found"),
        RefusedError(403, "credit", "insufficient-available-balance"),
        RefusedError(403, "limit", "call-rate-limit"),
        RateLimitedError(30),
        UnreachableError("x", sent=True),
        NotUnderstoodError("x"),
    ],
)
def test_anything_else_may_be_better_the_next_time(error: Exception) -> None:
    assert isinstance(of_link(error), LinkDown)
