"""How requests are refused: a category, a code for programs and a message for people.

Inferred: which code belongs to credentials that are not good (`invalid-credentials`); that a member who has left is
          refused with 409, and a call that is in the conference already too; that a body which is no JSON object, or
          a value that cannot be, is `validation-error`; and `forbidden` as the category of 403, which the list of
          categories lacks and the list of codes has.
"""

from .shapes import Json

_STATUSES = {400: "bad-request", 401: "authorization", 404: "not-found", 409: "conflict", 429: "too-many-requests"}
_CATEGORIES = {
    "invalid-credentials": "authentication",
    "conference-max-members": "limit",
    "call-rate-limit": "limit",
    "insufficient-available-balance": "credit",
}


def _category(status: int, code: str) -> str:
    if status >= 500:
        return "unavailable"
    return _CATEGORIES.get(code) or _STATUSES.get(status, "forbidden")


class ApiError(Exception):
    """A refusal; `more` are details beside those of every refusal, and a message of None is left out."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str | None,
        *,
        headers: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self._message = message
        self._more = more or {}

    def body(self, method: str, remote: str, path: str) -> Json:
        """Write it as the answer to one request."""
        details = self._more | {"requestMethod": method, "remoteAddress": remote, "requestPath": path.strip("/")}
        body: Json = {"category": _category(self.status, self.code), "code": self.code}
        if self._message is not None:
            body["message"] = self._message
        return {**body, "details": [{"name": name, "value": value} for name, value in details.items()]}


def bad_value(name: str, wanted: str) -> ApiError:
    """Refuse a property that cannot be."""
    return ApiError(400, "validation-error", f"The resource property '{name}' must be {wanted}")


def missing(name: str) -> ApiError:
    """Refuse a body that lacks something."""
    return ApiError(400, "missing-property", f"The '{name}' property is required but was not specified")


def bad_url(url: str) -> ApiError:
    """Refuse an address for callbacks."""
    return ApiError(400, "callback-url-invalid", f"The callback URL {url} is not a valid URL")


def conference_not_found(conference_id: str) -> ApiError:
    """Refuse for a conference that there never was."""
    return ApiError(404, "conference-not-found", f"The conference {conference_id} could not be found")


def member_not_found(member_id: str) -> ApiError:
    """Refuse for a member that was never in this conference."""
    return ApiError(404, "conference-member-not-found", f"The conference member {member_id} could not be found")


def call_not_found(call_id: str) -> ApiError:
    """Refuse for a call that there never was."""
    return ApiError(404, "call-not-found", f"The call {call_id} could not be found")


def conference_over(conference_id: str) -> ApiError:
    """Refuse for a conference that has been completed."""
    message = f"Unable to update conference {conference_id}. Invalid conference state completed"
    return ApiError(403, "conference-error", message)


def member_gone(member_id: str) -> ApiError:
    """Refuse for a member who has left."""
    message = f"The conference member {member_id} was updated by somebody else"
    return ApiError(409, "conference-member-update-conflict", message)


def full(conference_id: str) -> ApiError:
    """Refuse for a conference that takes nobody more."""
    return ApiError(403, "conference-max-members", f"The conference {conference_id} reached the max number of members")


def wrong_state(call_id: str, state: str) -> ApiError:
    """Refuse what a call cannot do now."""
    return ApiError(403, "call-invalid-state", f"Unable to update call {call_id}. Invalid call state {state}")
