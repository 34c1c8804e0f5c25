"""Telphin's failures choose our words, and nothing of theirs is repeated but the words for them."""

import pytest

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.errors import (
    RateLimitedError,
    RefusedError,
    TelphinError,
    UnreachableError,
    as_command_errors,
    as_link_errors,
    refusal,
    sign_in_failed,
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

DENIALS = [
    ("app_access_type_deny", "has the access level Call API: ask the administrator of the PBX to grant it .* All"),
    ("user_access_type_deny", "ask the administrator of the PBX to raise the user's access type"),
    ("access_denied", "ask the administrator of the PBX to let the user manage"),
    ("user_blocked", "ask the administrator of the PBX to unblock the user"),
]


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
    ("answer", "reason"),
    [
        ({"message": "Forbidden", "status": "app_access_type_deny"}, "app_access_type_deny"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"message": "rate_limit_exceeded"}, None),
        ({"status": 404, "error": "invalid_client"}, "invalid_client"),
        ({"status": "<script>"}, None),
        ({"status": "PIN 4711"}, None),
        ({"status": "pin_4711"}, None),
        ({"status": "x" * 100}, None),
        ({"status": "_".join(["ab"] * 10)}, None),
        ({"status": ["access_denied"]}, None),
        ([], None),
        ("access_denied", None),
        (None, None),
    ],
)
def test_a_word_is_kept_only_when_it_looks_like_one_of_telphins(answer: object, reason: str | None) -> None:
    found = refusal(403, answer)
    assert (found.status, found.reason) == (403, reason)


def test_a_client_that_telphin_does_not_know_is_not_a_room_that_was_removed() -> None:
    assert RefusedError(404).is_gone
    assert RefusedError(404, "extension_not_found").is_gone
    assert not RefusedError(404, "client_not_found").is_gone
    assert not RefusedError(403).is_gone


# ---- commands ----


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RefusedError(400), CommandErrorCode.INVALID_INPUT, "refuses the input (400)"),
        (RefusedError(401), CommandErrorCode.FORBIDDEN, "its own token"),
        (RefusedError(403), CommandErrorCode.FORBIDDEN, "does not allow this to the application (403)"),
        (RefusedError(403, "new_word"), CommandErrorCode.FORBIDDEN, "(403 new_word)"),
        (RefusedError(404), CommandErrorCode.ROOM_NOT_FOUND, "no such conference extension"),
        (RefusedError(404, "client_not_found"), CommandErrorCode.BACKEND_REFUSED, "404 client_not_found"),
        (RefusedError(409), CommandErrorCode.CONFLICT, "state"),
        (RefusedError(418), CommandErrorCode.BACKEND_REFUSED, "418"),
        (RefusedError(500), CommandErrorCode.BACKEND_UNAVAILABLE, "500"),
        (RefusedError(502, "try_later"), CommandErrorCode.BACKEND_UNAVAILABLE, "502 try_later"),
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


@pytest.mark.parametrize(("reason", "said"), DENIALS)
def test_who_may_not_is_told_what_to_ask_the_administrator_for(reason: str, said: str) -> None:
    told = refused(RefusedError(403, reason))
    assert told.code is CommandErrorCode.FORBIDDEN
    with pytest.raises(SignInRefused, match=said):
        raise of_link(RefusedError(403, reason))
    assert told.message == str(of_link(RefusedError(403, reason)))


def test_what_is_missing_depends_on_what_was_asked_for() -> None:
    told = refused(RefusedError(404), PARTICIPANT)
    assert (told.code, told.message) == (PARTICIPANT, "the participant's call is over")
    assert refused(RefusedError(404), CommandErrorCode.INVALID_INPUT).code is CommandErrorCode.INVALID_INPUT


def test_a_quota_that_is_spent_says_when_to_try_again() -> None:
    told = refused(RateLimitedError(1799.6))
    assert (told.code, told.retry_after_ms) == (CommandErrorCode.BACKEND_RATE_LIMITED, 1_799_600)
    assert "quota" in told.message
    assert refused(RateLimitedError(0)).retry_after_ms == 1


@pytest.mark.parametrize(
    "error", [UnreachableError("x", sent=True), NotUnderstoodError("x"), RefusedError(502), RefusedError(504)]
)
def test_a_command_without_an_answer_of_telphin_may_have_acted(error: Exception) -> None:
    with pytest.raises(OutcomeUnknown), as_command_errors():
        raise error


# ---- the link ----


@pytest.mark.parametrize("error", [RefusedError(401), RefusedError(403), RefusedError(404, "client_not_found")])
def test_an_application_that_may_not_read_needs_an_operator(error: RefusedError) -> None:
    assert isinstance(of_link(error), SignInRefused)


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


def test_a_link_without_quota_says_for_how_long() -> None:
    assert "another in 1800 s" in str(of_link(RateLimitedError(1800)))


# ---- signing in ----


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (RefusedError(401, "invalid_client"), SignInRefused, "does not know the application, or its secret is another"),
        (RefusedError(400, "invalid_client"), SignInRefused, "does not know the application, or its secret is another"),
        (RefusedError(400, "unauthorized_client"), SignInRefused, "not of the type trusted"),
        (RefusedError(400, "unsupported_grant_type"), SignInRefused, "not of the type trusted"),
        (RefusedError(403, "user_blocked"), SignInRefused, "unblock the user"),
        (RefusedError(401), SignInRefused, "are `url`, `app_id` and `app_secret` right?"),
        (RefusedError(404), LinkDown, "sign-in: Telphin answered 404"),
        (RefusedError(500), LinkDown, "sign-in: Telphin answered 500"),
        (UnreachableError("no answer", sent=True), LinkDown, "sign-in: no answer"),
        (NotUnderstoodError("no token"), LinkDown, "sign-in: no token"),
    ],
)
def test_a_sign_in_that_fails_says_whether_an_operator_is_needed(
    error: TelphinError | NotUnderstoodError, kind: type[GatewayError], said: str
) -> None:
    found = sign_in_failed(error)
    assert type(found) is kind
    assert said in str(found)
