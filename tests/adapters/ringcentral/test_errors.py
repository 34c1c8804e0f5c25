"""RingCentral's failures choose our words, and nothing of theirs is repeated but codes and names."""

import pytest

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.errors import (
    RateLimitedError,
    RefusedError,
    UnreachableError,
    as_command_errors,
    as_link_errors,
    filters_disabled,
    refusal,
    subscription_refused,
)
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
    ("answer", "codes"),
    [
        ({"errorCode": "CMN-301", "message": "x", "errors": [{"errorCode": "CMN-301"}]}, ("CMN-301",)),
        ({"errors": [{"errorCode": "CMN-102"}, {"errorCode": "CMN-101"}]}, ("CMN-102", "CMN-101")),
        ({"errorCode": "TokenInvalid", "errors": [{"errorCode": "OAU-213"}]}, ("OAU-213",)),
        ({"error": "invalid_client", "errors": [{"errorCode": "OAU-123"}]}, ("invalid_client", "OAU-123")),
        ({"errorCode": "TAS-106"}, ("TAS-106",)),
        ({"errorCode": "<script>", "error": "my-secret"}, ()),
        ({"errorCode": 7}, ()),
        ({"errors": "CMN-101"}, ()),
        ("CMN-101", ()),
        (None, ()),
    ],
)
def test_codes_are_read_in_both_forms_and_only_when_they_are_codes(answer: object, codes: tuple[str, ...]) -> None:
    assert refusal(400, answer).codes == codes


def test_names_are_kept_only_when_they_are_names() -> None:
    named = {"errorCode": "CMN-401", "errors": [{"parameterName": "to.phoneNumber", "permissionName": "ReadPresence"}]}
    found = refusal(403, named)
    assert (found.parameter, found.permission) == ("to.phoneNumber", "ReadPresence")
    found = refusal(403, {"parameterName": "a b", "permissionName": "x" * 41})
    assert (found.parameter, found.permission) == (None, None)


def test_an_address_that_ringcentral_does_not_know_is_not_a_session_that_has_ended() -> None:
    assert RefusedError(404, ("CMN-102",)).is_gone
    assert RefusedError(404).is_gone
    assert not RefusedError(404, ("CMN-120",)).is_gone
    assert not RefusedError(403, ("CMN-102",)).is_gone


def test_a_missing_permission_is_no_bad_token_whatever_its_status() -> None:
    assert RefusedError(401, ("OAU-213",)).is_bad_token
    assert not RefusedError(401, ("CMN-401",)).is_bad_token


# ---- commands ----


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RefusedError(403, ("TAS-106",)), CommandErrorCode.CONFLICT, "the host is not in the conference yet"),
        (RefusedError(403, ("CMN-408",)), CommandErrorCode.FORBIDDEN, "CMN-408"),
        (RefusedError(401, ("OAU-213",)), CommandErrorCode.FORBIDDEN, "its own token"),
        (RefusedError(409, ("TAS-102",)), CommandErrorCode.CONFLICT, "state"),
        (RefusedError(404, ("CMN-102",)), CommandErrorCode.ROOM_NOT_FOUND, "no such conference"),
        (RefusedError(404, ("CMN-120",)), CommandErrorCode.BACKEND_REFUSED, "CMN-120"),
        (RefusedError(400, ("CMN-101",), parameter="to"), CommandErrorCode.INVALID_INPUT, "the input (to)"),
        (RefusedError(418), CommandErrorCode.BACKEND_REFUSED, "418"),
        (RefusedError(500, ("CMN-203",)), CommandErrorCode.BACKEND_UNAVAILABLE, "500 CMN-203"),
        (RefusedError(503), CommandErrorCode.BACKEND_UNAVAILABLE, "503"),
        (RefusedError(502, ("CMN-201",)), CommandErrorCode.BACKEND_UNAVAILABLE, "502"),
        (UnreachableError("x", sent=False), CommandErrorCode.BACKEND_UNAVAILABLE, "cannot be reached"),
        (LinkDown("x"), CommandErrorCode.BACKEND_UNAVAILABLE, "sign in"),
        (SignInRefused("x"), CommandErrorCode.BACKEND_UNAVAILABLE, "sign in"),
    ],
)
def test_a_refusal_has_a_code_and_says_what_is_wrong(error: Exception, code: CommandErrorCode, said: str) -> None:
    told = refused(error)
    assert told.code is code
    assert said in told.message
    assert told.retry_after_ms is None


def test_what_is_missing_depends_on_what_was_asked_for() -> None:
    assert refused(RefusedError(404), PARTICIPANT).code is PARTICIPANT
    assert refused(RefusedError(404), CommandErrorCode.INVALID_INPUT).code is CommandErrorCode.INVALID_INPUT


def test_a_limit_says_when_to_try_again() -> None:
    told = refused(RateLimitedError(29.6))
    assert (told.code, told.retry_after_ms) == (CommandErrorCode.BACKEND_RATE_LIMITED, 29_600)
    assert refused(RateLimitedError(0)).retry_after_ms == 1


@pytest.mark.parametrize(
    "error",
    [UnreachableError("x", sent=True), NotUnderstoodError("x"), RefusedError(502), RefusedError(504)],
)
def test_a_command_without_an_answer_of_ringcentral_may_have_acted(error: Exception) -> None:
    with pytest.raises(OutcomeUnknown), as_command_errors():
        raise error


# ---- the link ----


def test_a_missing_permission_is_named_for_the_operator() -> None:
    app = of_link(RefusedError(403, ("CMN-401",), permission="WebSocketsSubscription"))
    assert isinstance(app, SignInRefused)
    assert str(app) == "the RingCentral app lacks the permission WebSocketsSubscription (403 CMN-401)"
    assert "the RingCentral user lacks a permission" in str(of_link(RefusedError(403, ("CMN-408",))))


@pytest.mark.parametrize("status", [401, 403])
def test_a_user_who_may_not_read_calls_needs_an_operator(status: int) -> None:
    assert isinstance(of_link(RefusedError(status)), SignInRefused)


@pytest.mark.parametrize(
    "error",
    [
        RefusedError(500),
        RefusedError(404),
        RateLimitedError(30),
        UnreachableError("x", sent=True),
        NotUnderstoodError("x"),
    ],
)
def test_anything_else_may_be_better_the_next_time(error: Exception) -> None:
    assert isinstance(of_link(error), LinkDown)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SUB-520", LinkDown),
        ("SUB-521", LinkDown),
        ("SUB-525", LinkDown),
        ("SUB-406", SignInRefused),
        ("SUB-505", SignInRefused),
        ("SUB-508", SignInRefused),
        ("SUB-523", SignInRefused),
        ("CMN-401", SignInRefused),
        ("CMN-203", LinkDown),
    ],
)
def test_a_subscription_that_is_refused_says_why(code: str, kind: type[GatewayError]) -> None:
    found = subscription_refused(RefusedError(400, (code,)))
    assert type(found) is kind
    assert code in str(found)


def test_a_filter_that_is_not_delivered_is_told_by_its_code() -> None:
    found = filters_disabled([{"filter": "secret", "reason": "CMN-408", "message": "secret"}, {"reason": "secret"}])
    assert str(found) == "RingCentral does not deliver what was subscribed to (CMN-408)"
