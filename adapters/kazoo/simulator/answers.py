"""What Crossbar answers: a payload in an envelope, or a failure with its code, message and data."""

from dataclasses import dataclass, field
from typing import NoReturn

from .shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A success: `data` and what stands beside it in the envelope."""

    data: object
    status: int = 200
    envelope: Json = field(default_factory=dict)
    revision: str | None = None
    location: str | None = None


class CrossbarError(Exception):
    """A refusal as Crossbar words it; `error` in the envelope is the status as a string."""

    def __init__(self, status: int, message: str, data: object) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.data = data


def bad_identifier(cause: str) -> CrossbarError:
    """Say that no such conference is stored."""
    return CrossbarError(404, "bad_identifier", {"message": "bad identifier", "cause": cause})


def forbidden() -> CrossbarError:
    """Say that the token is not this account's."""
    return CrossbarError(403, "forbidden", {"message": "forbidden"})


def bad_token() -> CrossbarError:
    """Refuse a missing, expired or unknown token; a refused login has an underscore in its message."""
    return CrossbarError(401, "invalid credentials", {})


def bad_login() -> CrossbarError:
    """Refuse a sign-in; a refused token has a space in its message."""
    return CrossbarError(401, "invalid_credentials", {"message": "invalid credentials"})


def bad_method() -> CrossbarError:
    """Refuse the HTTP method."""
    return CrossbarError(405, "invalid_method", {"message": "method not allowed"})


def faulty_request() -> CrossbarError:
    """Refuse an action on a room or on everybody that is unknown or not named."""
    return CrossbarError(404, "faulty_request", {"message": "faulty request"})


def not_found() -> CrossbarError:
    """Say that nothing is served at this path."""
    return CrossbarError(404, "not_found", {"message": "not found"})


_BY_STATUS = {
    400: "bad_request",
    401: "invalid credentials",
    402: "accept charges",
    403: "forbidden",
    404: "not_found",
    409: "datastore_conflict",
    429: "too_many_requests",
    500: "unspecified_fault",
    502: "unspecified_fault",
    503: "datastore_unreachable",
}
_TEXTS = {409: "conflicting documents", 429: "too many requests"}


def of_status(status: int) -> CrossbarError:
    """Make the failure that a fault switch asked for."""
    message = _BY_STATUS.get(status, "unspecified_fault")
    return CrossbarError(status, message, {"message": _TEXTS.get(status, message.replace("_", " "))})


class Complaints:
    """Schema errors as they are found: field path, then code, then what was wrong with it."""

    def __init__(self) -> None:
        self.found: dict[str, Json] = {}

    def add(self, path: str, code: str, message: str, **details: object) -> None:
        """Note what is wrong with one field."""
        self.found.setdefault(path, {})[code] = {"message": message, **details}

    def raise_any(self, message: str) -> None:
        """Refuse with everything that was found, if anything was."""
        if self.found:
            raise CrossbarError(400, message, self.found)


def complain(title: str, path: str, code: str, message: str, **details: object) -> NoReturn:
    """Refuse for one field."""
    raise CrossbarError(400, title, {path: {code: {"message": message, **details}}})
