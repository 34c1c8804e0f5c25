"""Event handlers: who wants to be told of which events of an extension, or of all phones.

Inferred: the limit counts the handlers of the whole client; two that are the same are two; those of all phones want
          the same body; `extension-call-status` can be asked for, and nothing of it is simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from .failures import ApiError, invalid, not_found
from .shapes import Json

_TYPES = frozenset({"dial-in", "dial-out", "answer", "hangup", "message-in", "message-out", "voicemail"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One event handler; `extension_id` is None for one of all phones, and the address may have a secret in it."""

    event_id: int
    extension_id: int | None
    url: str = field(repr=False)
    event_type: str
    method: str


class Subscriptions:
    """All event handlers, by their ids."""

    def __init__(self, limit: int) -> None:
        self.by_id: dict[int, Subscription] = {}
        self.limit = limit
        self._ids = count(1)

    def add(self, extension_id: int | None, body: Mapping[str, object]) -> Subscription:
        """Make what a body describes.

        Errors: ApiError 400, 409.
        """
        url, event_type, method = body.get("url"), body.get("event_type"), body.get("method", "POST")
        if not (isinstance(url, str) and _is_address(url)):
            raise invalid("url")
        if event_type not in (_TYPES if extension_id is not None else _TYPES | {"extension-call-status"}):
            raise invalid("event_type")
        if method not in ("GET", "POST"):
            raise invalid("method")
        if len(self.by_id) >= self.limit:
            raise ApiError(409, "Limit of event handlers exceeded", "limit_exceeded")
        made = Subscription(next(self._ids), extension_id, url, str(event_type), str(method))
        self.by_id[made.event_id] = made
        return made

    def of(self, extension_id: int | None) -> list[Subscription]:
        """List those of an extension, or of all phones."""
        return [one for one in self.by_id.values() if one.extension_id == extension_id]

    def one(self, extension_id: int | None, event_id: str) -> Subscription:
        """Find one of an extension.

        Errors: ApiError 404.
        """
        found = [one for one in self.of(extension_id) if str(one.event_id) == event_id]
        if not found:
            raise not_found("event")
        return found[0]

    def remove(self, subscription: Subscription) -> None:
        """Let it be gone; gone before is as good."""
        self.by_id.pop(subscription.event_id, None)


def subscription_json(one: Subscription) -> Json:
    """Write an event handler."""
    return {"id": one.event_id, "url": one.url, "event_type": one.event_type, "method": one.method}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
