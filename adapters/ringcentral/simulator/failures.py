"""How requests are refused: one failure, written in RingCentral's envelope.

Inferred: the code of 409 "Incorrect State" (TAS-102), of a full conference (TAS-107, 409) and of the permission a leg
          or session of somebody else lacks (404 CMN-102, as if there were none).
"""

from collections.abc import Mapping
from typing import NamedTuple

from .shapes import Json, without_none


class Entry(NamedTuple):
    """One entry of the list in the envelope."""

    code: str
    message: str


class ApiError(Exception):
    """A refusal; the top of the envelope repeats its first entry unless `top` is given."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        parameter: tuple[str, str] | None = None,
        top: Entry | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = dict(headers or {})
        name, value = parameter or (None, None)
        entry = without_none(errorCode=code, message=message, parameterName=name, parameterValue=value)
        shown = top or Entry(code, message)
        self.body: Json = {"errorCode": shown.code, "message": shown.message, "errors": [entry]}


class OAuthError(ApiError):
    """A refusal of the token endpoint: OAuth's shape, and the list beside it."""

    def __init__(self, status: int, error: str, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.body = {"error": error, "error_description": message, "errors": self.body["errors"]}


def bad_value(name: str, value: object = "") -> ApiError:
    """Refuse a parameter that cannot be."""
    return ApiError(400, "CMN-101", f"Parameter [{name}] value is invalid", parameter=(name, str(value)))


def not_found(name: str, value: str) -> ApiError:
    """Refuse what is not there, or not the asker's."""
    message = f"Resource for parameter [{name}] is not found"
    return ApiError(404, "CMN-102", message, parameter=(name, value))


def not_allowed() -> ApiError:
    """Refuse as telephony does, for one a bring-in before the host is there."""
    return ApiError(403, "TAS-106", "Operation is not allowed")


def incorrect_state() -> ApiError:
    """Refuse what a leg cannot do now."""
    return ApiError(409, "TAS-102", "Incorrect State")


def full() -> ApiError:
    """Refuse for a conference that takes nobody more."""
    return ApiError(409, "TAS-107", "Maximum number of parties is reached")


def token_not_found() -> ApiError:
    """Refuse an access token that is not good (any more)."""
    return ApiError(401, "OAU-213", "Token not found", top=Entry("TokenInvalid", "Token not found"))


def of_status(status: int) -> ApiError:
    """Fail as the whole service does."""
    codes = {401: "OAU-213", 403: "CMN-408", 404: "CMN-102", 429: "CMN-301", 503: "CMN-201"}
    return ApiError(status, codes.get(status, "CMN-203"), "Internal Server Error" if status >= 500 else "Refused")
