"""XiVO's failures in our words: each code has one meaning, and only plain ones are repeated."""

import pytest

from adapters.kit.understanding import NotUnderstoodError
from adapters.xivo.errors import RefusedError, UnreachableError, command_error, sign_in_failed, sign_on_failed
from gateway.model.errors import CommandErrorCode, LinkDown, SignInRefused


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("NotAMember", CommandErrorCode.NOT_A_MEMBER),
        ("NotOrganizer", CommandErrorCode.NOT_ORGANIZER),
        ("CannotKickOrganizer", CommandErrorCode.CANNOT_KICK_ORGANIZER),
        ("ParticipantNotFound", CommandErrorCode.PARTICIPANT_NOT_FOUND),
        ("notAMember", CommandErrorCode.BACKEND_REFUSED),
        ("", CommandErrorCode.BACKEND_REFUSED),
    ],
)
def test_each_code_of_a_command_has_its_meaning(code: str, ours: CommandErrorCode) -> None:
    error = command_error(code)
    assert error.code is ours
    assert error.message


def test_an_unknown_code_is_kept_as_it_is_if_it_is_plain() -> None:
    assert command_error("NoSuchExten: 42").message == "XiVO refused the command: NoSuchExten: 42"


@pytest.mark.parametrize("code", ["<script>", "a\nb", "x" * 65, "é", "a/b?token=1"])
def test_a_code_that_is_not_plain_is_not_repeated(code: str) -> None:
    assert code not in command_error(code).message
    assert code not in str(sign_on_failed("ada", code))
    assert code not in str(sign_in_failed("ada", RefusedError(400, code)))


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_wrong_password_is_one_whatever_the_status(status: int) -> None:
    error = sign_in_failed("ada", RefusedError(status, "InvalidCredentials"))
    assert isinstance(error, SignInRefused)
    assert "'ada'" in str(error)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (RefusedError(200, "UnhandledError"), LinkDown),
        (RefusedError(401, "UnhandledError"), LinkDown),
        (RefusedError(401, "TokenExpired"), LinkDown),
        (RefusedError(502, None), LinkDown),
        (RefusedError(503, "Overloaded"), LinkDown),
        (UnreachableError("XiVO did not answer in time"), LinkDown),
        (NotUnderstoodError("no token in the answer"), LinkDown),
        (RefusedError(400, "InvalidJson"), SignInRefused),
        (RefusedError(403, "UserNotFound"), SignInRefused),
        (RefusedError(404, None), SignInRefused),
        (RefusedError(302, None), SignInRefused),
    ],
)
def test_what_an_operator_must_do_is_told_from_what_passes(
    error: RefusedError | UnreachableError | NotUnderstoodError, ours: type[Exception]
) -> None:
    assert type(sign_in_failed("ada", error)) is ours


def test_an_answer_that_is_not_xivos_points_to_the_url() -> None:
    assert str(sign_in_failed("ada", RefusedError(404, None))).endswith("with 404: is `url` right?")
