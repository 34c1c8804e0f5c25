"""RingCentral's failures and what they mean to us: the only place that reads its codes.

    RingCentralError
    ├── RefusedError         RingCentral answered a request with an error
    ├── RateLimitedError     it has told us to slow down for longer than the request can wait
    └── UnreachableError     no answer; `sent` says whether the request may have arrived

Its texts may hold anything: codes and names that look like what they should be are kept, and nothing else.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from adapters.kit import failures
from adapters.kit.understanding import NotUnderstoodError, shaped
from adapters.ringcentral.wire import DisabledFilterJson, FailuresJson
from gateway.model.errors import (
    CommandErrorCode,
    GatewayError,
    LinkDown,
    OutcomeUnknown,
    SignInRefused,
    refused,
)

NOT_ALLOWED_NOW = "TAS-106"
"""What bringing somebody in is refused with, until the host's leg is up."""
_NO_PERMISSION = ("CMN-401", "CMN-408")
"""Missing from the app, and from the user."""
_NO_SUCH_ADDRESS = "CMN-120"

_CODE = re.compile(r"[A-Z]{2,5}-\d{1,5}")
_OAUTH_CODES = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
_NAME = re.compile(r"[A-Za-z]{1,40}(\.[A-Za-z]{1,40}){0,3}")


class RingCentralError(failures.BackendError):
    """The root of what goes wrong between RingCentral and us; its text holds no secret."""

    backend = "RingCentral"


class RefusedError(RingCentralError):
    """RingCentral answered with an error.

    Shape: `codes` are those of the envelope, outermost first; none is an answer as a proxy gives it. `parameter` and
           `permission` are the first it names.
    """

    def __init__(
        self, status: int, codes: Sequence[str] = (), *, parameter: str | None = None, permission: str | None = None
    ) -> None:
        super().__init__(f"RingCentral answered {' '.join((str(status), *codes))}")
        self.status = status
        self.codes = tuple(codes)
        self.parameter = parameter
        self.permission = permission

    @property
    def is_gone(self) -> bool:
        """Whether what was asked for is not there, or no longer; an unknown address is another thing."""
        return self.status == 404 and _NO_SUCH_ADDRESS not in self.codes

    @property
    def is_bad_token(self) -> bool:
        """Whether the token was not taken; a missing permission is seen as a 401, too."""
        return self.status == 401 and not self.lacks_permission

    @property
    def lacks_permission(self) -> bool:
        """Whether the app or the user may not do this at all."""
        return any(code in _NO_PERMISSION for code in self.codes)


class RateLimitedError(failures.RateLimitedError, RingCentralError):
    """RingCentral's limit makes this request wait for longer than it can; it was not carried out."""


class UnreachableError(failures.UnreachableError, RingCentralError):
    """There was no answer."""


def refusal(status: int, answer: object) -> RefusedError:
    """Read an answer that is an error; what is no envelope of RingCentral's has no codes.

    Shape: codes are at the top, in `errors`, or both; the token endpoint has OAuth's `error` as well.
    """
    try:
        found = shaped(answer, FailuresJson, "error")
    except NotUnderstoodError:
        return RefusedError(status)
    failures = [found, *(found.get("errors") or ())]
    named = [found.get("error"), *(failure.get("errorCode") for failure in failures)]
    codes = [code for code in dict.fromkeys(named) if code and (_CODE.fullmatch(code) or code in _OAUTH_CODES)]
    return RefusedError(
        status,
        codes,
        parameter=_first_name(failure.get("parameterName") for failure in failures),
        permission=_first_name(failure.get("permissionName") for failure in failures),
    )


def _first_name(given: Iterator[str | None]) -> str | None:
    return next((name for name in given if name and _NAME.fullmatch(name)), None)


# ---- the link ----


def as_link_errors() -> AbstractContextManager[None]:
    """Turn RingCentral's failures into what the link understands.

    Errors: SignInRefused, LinkDown.
    """
    return failures.link_errors(RefusedError, link_error)


def link_error(error: RefusedError) -> GatewayError:
    """Say what an error answer means for the link."""
    if error.lacks_permission:
        return _no_permission(error)
    if error.status == 401:
        return SignInRefused("RingCentral does not accept its own token")
    if error.status == 403:
        return SignInRefused(f"RingCentral does not let this user read its calls ({_named(error)})")
    return LinkDown(str(error))


def _no_permission(error: RefusedError) -> SignInRefused:
    which = f"the permission {error.permission}" if error.permission else "a permission"
    whom = "app" if "CMN-401" in error.codes else "user"
    return SignInRefused(f"the RingCentral {whom} lacks {which} ({_named(error)})")


def sign_in_failed(error: RingCentralError | NotUnderstoodError) -> GatewayError:
    """Say why there is no token for our JWT."""
    if not isinstance(error, RefusedError):
        return LinkDown(f"sign-in: {error}")
    if error.status not in (400, 401, 403):
        return LinkDown(f"sign-in: {error}")
    if "invalid_client" in error.codes:
        return SignInRefused(f"RingCentral does not know the app, or its secret is another ({_named(error)})")
    if "unauthorized_client" in error.codes:
        return SignInRefused(f"the RingCentral app is not set up to sign in with a JWT ({_named(error)})")
    if not error.codes:
        return SignInRefused(f"RingCentral answered the sign-in with {error.status}: is `url` right?")
    return SignInRefused(f"RingCentral does not accept the JWT ({_named(error)})")


_HOOK_TROUBLES = {
    "SUB-520": "the hook did not answer RingCentral as it should: does `webhook_url` lead to this gateway?",
    "SUB-521": "RingCentral cannot reach `webhook_url`",
    "SUB-525": "the hook did not answer RingCentral as it should: does `webhook_url` lead to this gateway?",
}
_NO_SUBSCRIPTION = {
    "SUB-406": "RingCentral does not let this user subscribe to these events",
    "SUB-505": "this RingCentral user has too many subscriptions",
    "SUB-508": "RingCentral does not know these event filters",
    "SUB-523": "RingCentral wants `webhook_url` to begin with https://",
}


def subscription_refused(error: RefusedError) -> GatewayError:
    """Say why there are no notifications; a hook may yet become reachable, the rest is for an operator to mend."""
    for code in error.codes:
        if code in _HOOK_TROUBLES:
            return LinkDown(f"{_HOOK_TROUBLES[code]} ({code})")
        if code in _NO_SUBSCRIPTION:
            return SignInRefused(f"{_NO_SUBSCRIPTION[code]} ({code})")
    return link_error(error)


def filters_disabled(disabled: Sequence[DisabledFilterJson]) -> SignInRefused:
    """Say that a subscription was made, but not to what was asked for."""
    reasons = {reason for each in disabled if (reason := each.get("reason")) and _CODE.fullmatch(reason)}
    return SignInRefused(f"RingCentral does not deliver what was subscribed to ({', '.join(sorted(reasons)) or '-'})")


def _named(error: RefusedError) -> str:
    return " ".join((str(error.status), *error.codes))


# ---- commands ----


def as_command_errors(missing: CommandErrorCode = CommandErrorCode.ROOM_NOT_FOUND) -> AbstractContextManager[None]:
    """Turn RingCentral's failures into what the command desk understands; `missing` is what a 404 means here.

    Errors: CommandRefused, OutcomeUnknown.
    """
    return failures.command_errors(RefusedError, lambda error: command_error(error, missing))


def command_error(error: RefusedError, missing: CommandErrorCode) -> GatewayError:
    """Say what an error answer means for a command."""
    if error.status == 400:
        what = f" ({error.parameter})" if error.parameter else ""
        return refused(CommandErrorCode.INVALID_INPUT, f"RingCentral refuses the input{what}")
    if error.status == 403 and NOT_ALLOWED_NOW in error.codes:
        return refused(
            CommandErrorCode.CONFLICT, "the host is not in the conference yet, or the call does not allow this now"
        )
    if error.status == 404:
        return _not_found(error, missing)
    if error.status >= 500:
        return _server_error(error)
    code, message = _BY_STATUS.get(error.status, (CommandErrorCode.BACKEND_REFUSED, "RingCentral refused the command"))
    return refused(code, f"{message} ({_named(error)})")


_BY_STATUS = {
    401: (CommandErrorCode.FORBIDDEN, "RingCentral does not accept its own token"),
    403: (CommandErrorCode.FORBIDDEN, "RingCentral does not allow this to the gateway's user"),
    409: (CommandErrorCode.CONFLICT, "the call is in a state that does not allow this"),
}
_NOT_FOUND = {
    CommandErrorCode.ROOM_NOT_FOUND: "RingCentral has no such conference, or no longer",
    CommandErrorCode.PARTICIPANT_NOT_FOUND: "there is no such participant in the conference, or no longer",
}


def _not_found(error: RefusedError, missing: CommandErrorCode) -> GatewayError:
    if not error.is_gone:
        return refused(CommandErrorCode.BACKEND_REFUSED, f"RingCentral does not know the command ({_named(error)})")
    return refused(missing, _NOT_FOUND.get(missing, "RingCentral does not know what the command is about"))


def _server_error(error: RefusedError) -> GatewayError:
    """Say what a failure inside means: a proxy that lost RingCentral's answer cannot say what the command did."""
    if error.status in (502, 504) and not error.codes:
        return OutcomeUnknown(
            "a proxy answered in RingCentral's place: the command may or may not have been carried out"
        )
    return refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"RingCentral failed with {_named(error)}")
