"""Bandwidth's failures and what they mean to us: the only place that reads its codes.

    BandwidthError
    ├── RefusedError         Bandwidth answered a request with an error
    ├── RateLimitedError     it has told us to slow down for longer than the request can wait
    └── UnreachableError     no answer; `sent` says whether the request may have arrived

Its texts may hold anything: codes that look like codes are kept, and nothing else.
"""

import re
from contextlib import AbstractContextManager

from adapters.bandwidth.wire import ErrorJson
from adapters.kit import failures
from adapters.kit.understanding import NotUnderstoodError, objects, shaped
from gateway.model.errors import CommandErrorCode, GatewayError, LinkDown, OutcomeUnknown, SignInRefused, refused

NO_CONFERENCE = "conference-not-found"
NO_MEMBER = "conference-member-not-found"
NO_CALL = "call-not-found"

_NOT_THERE = (NO_CONFERENCE, NO_MEMBER, NO_CALL, "member-not-found")
_OVER = "conference-error"
_NO_USER = "user-not-found"
_TOO_MANY_CALLS = "call-rate-limit"
_CATEGORIES = frozenset(
    {
        "authentication",
        "authorization",
        "bad-request",
        "conflict",
        "credit",
        "forbidden",
        "limit",
        "not-found",
        "payment",
        "too-many-requests",
        "unavailable",
    }
)
_MONEY = ("credit", "payment")
_CODE = re.compile(r"(?=.{3,64}$)[a-z]+(-[a-z]+){1,6}")


class BandwidthError(failures.BackendError):
    """The root of what goes wrong between Bandwidth and us; its text holds no secret."""

    backend = "Bandwidth"


class RefusedError(BandwidthError):
    """Bandwidth answered with an error; both words are None in an answer as a proxy gives it."""

    def __init__(self, status: int, category: str | None = None, code: str | None = None) -> None:
        super().__init__(f"Bandwidth answered {status}{f' {code}' if code else ''}")
        self.status = status
        self.category = category
        self.code = code

    @property
    def is_not_found(self) -> bool:
        """Whether Bandwidth says that something is not there: a 404 that has no word of its is a proxy's."""
        said = self.code is not None or self.category == "not-found"
        return self.status == 404 and said and self.code != _NO_USER

    @property
    def is_gone(self) -> bool:
        """Whether what was asked for is not there, or no longer.

        Any other 404 is a proxy's, of a wrong `url`, or of another fault there, and is no reason to forget a room.
        """
        said = self.code in _NOT_THERE or (self.code is None and self.category == "not-found")
        return self.status == 404 and said

    @property
    def is_over(self) -> bool:
        """Whether a conference was completed before."""
        return self.code == _OVER

    @property
    def is_about_call(self) -> bool:
        """Whether it is a call that makes it impossible, and not the conference."""
        return self.code in _ABOUT_A_CALL

    @property
    def is_limit(self) -> bool:
        """Whether it came too early and has not acted; too many calls are a 403, everything else a 429."""
        return self.status == 429 or (self.status == 403 and self.code == _TOO_MANY_CALLS)


class RateLimitedError(failures.RateLimitedError, BandwidthError):
    """Bandwidth's limit makes this request wait for longer than it can; it was not carried out."""


class UnreachableError(failures.UnreachableError, BandwidthError):
    """There was no answer."""


def refusal(status: int, answer: object) -> RefusedError:
    """Read an answer that is an error; what is none of Bandwidth's has neither category nor code.

    Shape: the category is in upper case in some samples.
    """
    try:
        found = shaped(answer, ErrorJson, "error")
    except NotUnderstoodError:
        return RefusedError(status)
    category = (found.get("category") or "").lower().replace("_", "-")
    code = found.get("code") or ""
    return RefusedError(status, category if category in _CATEGORIES else None, code if _CODE.fullmatch(code) else None)


def reset_of(answer: object) -> str | None:
    """Find when a limit is over in an error answer, which repeats the header.

    Source: rateLimits/resourceRateLimits.md, detail `rateLimitResetTime`.
    """
    details = objects(answer).get("details")
    for detail in map(objects, details if isinstance(details, list) else ()):
        if detail.get("name") == "rateLimitResetTime":
            return str(detail.get("value"))
    return None


# ---- the link ----


def as_link_errors() -> AbstractContextManager[None]:
    """Turn Bandwidth's failures into what the link understands.

    Errors: SignInRefused, LinkDown.
    """
    return failures.link_errors(RefusedError, link_error)


def link_error(error: RefusedError) -> GatewayError:
    """Say what an error answer means for the link."""
    if error.code == _NO_USER:
        return SignInRefused(f"Bandwidth does not know the user of `user_id` ({_named(error)})")
    if error.code == "user-access-denied":
        return SignInRefused(f"the Bandwidth token is not one of the user of `user_id` ({_named(error)})")
    if error.status == 401:
        return SignInRefused(f"Bandwidth does not accept the token and its secret ({_named(error)})")
    if error.status == 403 and not error.is_limit and error.category not in _MONEY:
        return SignInRefused(f"Bandwidth does not let this user read conferences and calls ({_named(error)})")
    return LinkDown(str(error))


def _named(error: RefusedError) -> str:
    return f"{error.status} {error.code}" if error.code else str(error.status)


# ---- commands ----


def as_command_errors(missing: CommandErrorCode = CommandErrorCode.ROOM_NOT_FOUND) -> AbstractContextManager[None]:
    """Turn Bandwidth's failures into what the command desk understands.

    Shape:  `missing` is what a 404 means here that does not say itself what is not there.
    Errors: CommandRefused, OutcomeUnknown.
    """
    return failures.command_errors(RefusedError, lambda error: command_error(error, missing))


def command_error(error: RefusedError, missing: CommandErrorCode) -> GatewayError:
    """Say what an error answer means for a command."""
    if error.code in _BY_CODE:
        code, message = _BY_CODE[error.code]
        field = ("destination",) if error.code in _ABOUT_A_CALL else None
        return refused(code, f"{message} ({_named(error)})", field=field)
    if error.category in _MONEY:
        return refused(CommandErrorCode.BACKEND_REFUSED, f"{_NO_MONEY} ({_named(error)})")
    if error.is_not_found:
        return refused(missing, f"{_NOT_FOUND.get(missing, 'Bandwidth knows nothing of that name')} ({_named(error)})")
    if error.status >= 500:
        return _server_error(error)
    code, message = _BY_STATUS.get(error.status, (CommandErrorCode.BACKEND_REFUSED, "Bandwidth refused the command"))
    return refused(code, f"{message} ({_named(error)})")


_NO_MONEY = "the balance of the Bandwidth account does not suffice"
_NOT_FOUND = {
    CommandErrorCode.ROOM_NOT_FOUND: "Bandwidth has no such conference, or no longer",
    CommandErrorCode.PARTICIPANT_NOT_FOUND: "there is no such participant in the conference, or no longer",
}
_NO_NUMBER = "the number that this comes from is not one of the Bandwidth account"
_ABOUT_A_CALL = {
    "call-id-not-found": "Bandwidth knows no such call, or no longer",
    "call-invalid-state": "the call is in a state that does not allow this",
    NO_CALL: "Bandwidth knows no such call, or no longer",
    "invalid-call-conference-id": "the call was made for another conference",
    "invalid-call-to-number": "Bandwidth does not call this number",
}
_BY_CODE = {
    **{code: (CommandErrorCode.INVALID_INPUT, message) for code, message in _ABOUT_A_CALL.items()},
    "call-audio-invalid-state": (CommandErrorCode.CONFLICT, "the call is in a state that does not allow this"),
    _OVER: (CommandErrorCode.ROOM_NOT_ACTIVE, "the conference is over"),
    "conference-max-members": (CommandErrorCode.CONFLICT, "the conference is full: it holds 20"),
    "insufficient-available-balance": (CommandErrorCode.BACKEND_REFUSED, _NO_MONEY),
    "member-not-found": (
        CommandErrorCode.PARTICIPANT_NOT_FOUND,
        _NOT_FOUND[CommandErrorCode.PARTICIPANT_NOT_FOUND],
    ),
    "no-allocated-number": (CommandErrorCode.FORBIDDEN, _NO_NUMBER),
    "number-access-denied": (CommandErrorCode.FORBIDDEN, _NO_NUMBER),
    NO_CONFERENCE: (CommandErrorCode.ROOM_NOT_FOUND, _NOT_FOUND[CommandErrorCode.ROOM_NOT_FOUND]),
    NO_MEMBER: (CommandErrorCode.PARTICIPANT_NOT_FOUND, _NOT_FOUND[CommandErrorCode.PARTICIPANT_NOT_FOUND]),
}
_BY_STATUS = {
    400: (CommandErrorCode.INVALID_INPUT, "Bandwidth refuses the input"),
    401: (CommandErrorCode.FORBIDDEN, "Bandwidth does not accept the token and its secret"),
    403: (CommandErrorCode.FORBIDDEN, "Bandwidth does not allow this to the gateway's user"),
    409: (CommandErrorCode.CONFLICT, "something else is being changed there at this moment"),
}


def _server_error(error: RefusedError) -> GatewayError:
    """Say what a failure inside means: a proxy that lost Bandwidth's answer cannot say what the command did."""
    if error.status in (502, 504) and error.code is None:
        return OutcomeUnknown("a proxy answered in Bandwidth's place: the command may or may not have been carried out")
    return refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"Bandwidth failed with {_named(error)}")
