"""How requests are refused: a message for people, and often a word for programs.

Inferred: the words `extension_not_found`, `event_not_found`, `call_not_found`, `validation_error`, `already_exists` and
          `limit_exceeded`, and that the last two are 409. The other words are documented.
"""

from typing import Literal

from .shapes import Json

Forbidden = Literal["access_denied", "user_blocked", "user_access_type_deny", "app_access_type_deny"]


class ApiError(Exception):
    """A refusal; `reason` is the word that stands in the member `status`."""

    def __init__(self, status: int, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message} if reason is None else {"message": message, "status": reason}


class OAuthError(ApiError):
    """A refusal of the token endpoint, in OAuth's shape."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(status, error)
        self.body = {"error": error}


def unauthorized() -> ApiError:
    """Refuse a token that is not good (any more)."""
    return ApiError(401, "Unauthorized")


def forbidden(reason: Forbidden) -> ApiError:
    """Refuse what the user or the application may not do."""
    return ApiError(403, "Forbidden", reason)


def not_found(what: str | None = None) -> ApiError:
    """Refuse a place where nothing is."""
    return ApiError(404, "Not Found", f"{what}_not_found" if what else None)


def invalid(field: str) -> ApiError:
    """Refuse a body or a parameter that cannot be."""
    return ApiError(400, f"Invalid value of {field}", "validation_error")


def quota_spent() -> ApiError:
    """Refuse until the next hour."""
    return ApiError(429, "Rate limit exceeded", "rate_limit_exceeded")


def of_status(status: int) -> ApiError:
    """Fail as the whole service does."""
    known = {401: unauthorized(), 403: forbidden("access_denied"), 404: not_found(), 429: quota_spent()}
    return known.get(status, ApiError(status, "Internal Server Error" if status >= 500 else "Refused"))
