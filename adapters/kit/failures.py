"""What goes wrong between any backend and us, and what it means to the link and to the command desk.

    BackendError
    ├── RateLimitedError     the backend takes a request later than that can wait; it was not carried out
    └── UnreachableError     no answer; `sent` says whether the request may have arrived

Each backend has these as its own, and a RefusedError beside them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from adapters.kit.understanding import NotUnderstoodError
from gateway.model.errors import CommandErrorCode, GatewayError, LinkDown, OutcomeUnknown, SignInRefused, refused


class BackendError(Exception):
    """The root of what goes wrong between a backend and us; its text holds no secret."""

    backend: ClassVar[str]
    """What the backend is called in texts."""


_Refused = TypeVar("_Refused", bound=BackendError)


class RateLimitedError(BackendError):
    """The backend takes this request later than it can wait; it was not carried out."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    @property
    def limit(self) -> str:
        """What it is that limits us."""
        return f"{self.backend} limits our requests"

    def __str__(self) -> str:
        return f"{self.limit}: it takes another in {max(1, round(self.retry_after_s))} s"


class UnreachableError(BackendError):
    """There was no answer."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


@contextmanager
def link_errors(refusal: type[_Refused], meaning: Callable[[_Refused], GatewayError]) -> Iterator[None]:
    """Turn a backend's failures into what the link understands; a `refusal` is what its `meaning` says.

    Errors: SignInRefused, LinkDown.
    """
    try:
        yield
    except refusal as error:
        raise meaning(error) from None
    except (BackendError, NotUnderstoodError) as error:
        raise LinkDown(str(error)) from None


@contextmanager
def command_errors(refusal: type[_Refused], meaning: Callable[[_Refused], GatewayError]) -> Iterator[None]:
    """Turn a backend's failures into what the command desk understands; a `refusal` is what its `meaning` says.

    Errors: CommandRefused, OutcomeUnknown.
    """
    backend = refusal.backend
    try:
        yield
    except refusal as error:
        raise meaning(error) from None
    except RateLimitedError as error:
        wait_ms = max(1, round(error.retry_after_s * 1000))
        message = f"{error.limit}: try again later"
        raise refused(CommandErrorCode.BACKEND_RATE_LIMITED, message, retry_after_ms=wait_ms) from None
    except UnreachableError as error:
        if error.sent:
            message = f"{backend} did not answer: the command may or may not have been carried out"
            raise OutcomeUnknown(message) from None
        raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"{backend} cannot be reached") from None
    except NotUnderstoodError:
        raise OutcomeUnknown(f"{backend}'s answer could not be understood") from None
    except LinkDown:
        raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"{backend} cannot be reached to sign in") from None
    except SignInRefused:
        message = f"{backend} does not let the gateway sign in"
        raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, message) from None
