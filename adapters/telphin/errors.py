"""Telphin's failures and what they mean to us: the only place that reads its words for them.

    TelphinError
    ├── RefusedError         Telphin answered a request with an error
    ├── RateLimitedError     the quota of requests is spent; this one was not carried out
    └── UnreachableError     no answer; `sent` says whether the request may have arrived

Its texts may hold anything: words that look like its `status` words are kept, and nothing else.
"""

import re
from contextlib import AbstractContextManager

from adapters.kit import failures
from adapters.kit.understanding import NotUnderstoodError, shaped
from adapters.telphin.wire import ErrorJson
from gateway.model.errors import (
    CommandErrorCode,
    GatewayError,
    LinkDown,
    OutcomeUnknown,
    SignInRefused,
    refused,
)

_REASON = re.compile(r"[a-z]{2,20}(_[a-z]{2,20}){1,5}")
_NO_SUCH_CLIENT = "client_not_found"

_DENIALS = {
    "app_access_type_deny": "the application has the access level Call API: "
    "ask the administrator of the PBX to grant it the access level All",
    "user_access_type_deny": "the user who made the application may not do this: "
    "ask the administrator of the PBX to raise the user's access type",
    "access_denied": "the application's user has no access to this: "
    "ask the administrator of the PBX to let the user manage the conference extensions",
    "user_blocked": "the user who made the application is blocked: "
    "ask the administrator of the PBX to unblock the user",
}


class TelphinError(failures.BackendError):
    """The root of what goes wrong between Telphin and us; its text holds no secret."""

    backend = "Telphin"


class RefusedError(TelphinError):
    """Telphin answered with an error; `reason` is its word for it, which many of its errors lack."""

    def __init__(self, status: int, reason: str | None = None) -> None:
        super().__init__(f"Telphin answered {status}{f' {reason}' if reason else ''}")
        self.status = status
        self.reason = reason

    @property
    def is_gone(self) -> bool:
        """Whether what was asked for is not there, or no longer; a client that is not there is another thing."""
        return self.status == 404 and self.reason != _NO_SUCH_CLIENT


class RateLimitedError(failures.RateLimitedError, TelphinError):
    """Telphin's quota is spent, or what is left of it is for others; the request was not carried out."""

    limit = "Telphin's hourly quota of requests is spent"


class UnreachableError(failures.UnreachableError, TelphinError):
    """There was no answer."""


def refusal(status: int, answer: object) -> RefusedError:
    """Read an answer that is an error; `error` is what the token endpoint says instead of `status`."""
    try:
        found = shaped(answer, ErrorJson, "error")
    except NotUnderstoodError:
        return RefusedError(status)
    words = (found.get("status"), found.get("error"))
    reasons = [word for word in words if isinstance(word, str) and _REASON.fullmatch(word)]
    return RefusedError(status, reasons[0] if reasons else None)


def _named(error: RefusedError) -> str:
    return f"{error.status} {error.reason}" if error.reason else str(error.status)


# ---- the link ----


def as_link_errors() -> AbstractContextManager[None]:
    """Turn Telphin's failures into what the link understands.

    Errors: SignInRefused, LinkDown.
    """
    return failures.link_errors(RefusedError, link_error)


def link_error(error: RefusedError) -> GatewayError:
    """Say what an error answer means for the link."""
    if error.status == 401:
        return SignInRefused("Telphin does not accept its own token")
    if error.status == 403:
        return SignInRefused(_denied(error))
    if error.reason == _NO_SUCH_CLIENT:
        return SignInRefused(f"Telphin does not know the client that the application is of ({_named(error)})")
    return LinkDown(str(error))


def _denied(error: RefusedError) -> str:
    why = _DENIALS.get(error.reason or "", "Telphin does not allow this to the application")
    return f"{why} ({_named(error)})"


def sign_in_failed(error: TelphinError | NotUnderstoodError) -> GatewayError:
    """Say why there is no token for our application."""
    if not isinstance(error, RefusedError) or error.status not in (400, 401, 403):
        return LinkDown(f"sign-in: {error}")
    if error.reason == "invalid_client":
        return SignInRefused(f"Telphin does not know the application, or its secret is another ({_named(error)})")
    if error.reason in ("unauthorized_client", "unsupported_grant_type"):
        return SignInRefused(f"the application at Telphin is not of the type trusted ({_named(error)})")
    if error.reason in _DENIALS:
        return SignInRefused(_denied(error))
    return SignInRefused(f"Telphin refused the sign-in ({_named(error)}): are `url`, `app_id` and `app_secret` right?")


# ---- commands ----


def as_command_errors(missing: CommandErrorCode = CommandErrorCode.ROOM_NOT_FOUND) -> AbstractContextManager[None]:
    """Turn Telphin's failures into what the command desk understands; `missing` is what a 404 means here.

    Errors: CommandRefused, OutcomeUnknown.
    """
    return failures.command_errors(RefusedError, lambda error: command_error(error, missing))


def command_error(error: RefusedError, missing: CommandErrorCode) -> GatewayError:
    """Say what an error answer means for a command."""
    if error.status == 403:
        return refused(CommandErrorCode.FORBIDDEN, _denied(error))
    if error.is_gone:
        return refused(missing, _NOT_FOUND.get(missing, "Telphin does not know what the command is about"))
    if error.status in (502, 504) and not error.reason:
        return OutcomeUnknown("a proxy answered in Telphin's place: the command may or may not have been carried out")
    if error.status >= 500:
        return refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"Telphin failed with {_named(error)}")
    code, message = _BY_STATUS.get(error.status, (CommandErrorCode.BACKEND_REFUSED, "Telphin refused the command"))
    return refused(code, f"{message} ({_named(error)})")


_BY_STATUS = {
    400: (CommandErrorCode.INVALID_INPUT, "Telphin refuses the input"),
    401: (CommandErrorCode.FORBIDDEN, "Telphin does not accept its own token"),
    409: (CommandErrorCode.CONFLICT, "the extension is in a state that does not allow this"),
}
_NOT_FOUND = {
    CommandErrorCode.ROOM_NOT_FOUND: "Telphin has no such conference extension, or no longer",
    CommandErrorCode.PARTICIPANT_NOT_FOUND: "the participant's call is over",
}
