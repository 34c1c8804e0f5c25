"""The negotiation of delivery guarantees in a request's `extensions`.

Source: the draft of Cosmo's "at-least-once v1" (2026-09); its names may still move, so all of them are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.schema.errors import RequestError, RequestErrorCode, invalid
from gateway.schema.feed import Resume

CURSOR = "cursor"
AT_MOST_ONCE = "at-most-once"
CAPABILITIES_HEADER = "x-cosmo-at-least-once-capabilities"
_ASKED = "delivery-guarantee"
_AGREED = "at-least-once-capabilities"
_SNAPSHOT_FALLBACK = "snapshot-fallback"
_AGREEMENT = b',"extensions":{' + msgspec.json.encode(_AGREED) + b":" + msgspec.json.encode(CURSOR) + b","


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks of the delivery of its events.

    Shape: `guarantees` as asked, most wanted first; empty: none was asked for.
    """

    guarantees: tuple[str, ...] = ()
    resume: Resume | None = None

    def agree(self, *, resumable: bool) -> bool:
        """Say whether every event has to carry its cursor because it was asked for.

        Errors: RequestError.
        """
        offered = (CURSOR, AT_MOST_ONCE) if resumable else (AT_MOST_ONCE,)
        if self.resume is not None and not resumable:
            raise _unsupported("this subscription has no positions to resume from", offered)
        if not self.guarantees:
            return False
        for guarantee in self.guarantees:
            if guarantee in offered:
                return guarantee == CURSOR
        raise _unsupported(f"none of {', '.join(self.guarantees)} is offered", offered)


NOTHING = Wish()


def read_wish(extensions: Mapping[str, object], last_event_id: str | None = None) -> Wish:
    """Read what a request asks for; `last_event_id` is where a reconnecting event source was.

    Errors: RequestError.
    """
    if not extensions and last_event_id is None:
        return NOTHING
    asked = _text(extensions, _ASKED)
    guarantees = tuple(word for part in (asked or "").split(",") if (word := part.strip()))
    cursor = _text(extensions, CURSOR)
    fallback = extensions.get(_SNAPSHOT_FALLBACK) is True
    if cursor is not None:
        return Wish(guarantees, Resume(cursor, insists=not fallback))
    return Wish(guarantees, None if last_event_id is None else Resume(last_event_id, insists=False))


def extensions_of(cursor: str | None) -> dict[str, object] | None:
    """Give the `extensions` of an event."""
    return None if cursor is None else {CURSOR: cursor}


def with_agreement(payload: bytes) -> bytes:
    """Add to a written event, whose last member is `extensions` with its cursor, what was agreed."""
    head, _, tail = payload.rpartition(b',"extensions":{')
    return head + _AGREEMENT + tail


def _text(extensions: Mapping[str, object], name: str) -> str | None:
    value = extensions.get(name)
    if value is None or isinstance(value, str):
        return value
    raise invalid(f"extensions.{name}", "must be a string")


def _unsupported(message: str, offered: tuple[str, ...]) -> RequestError:
    return RequestError(RequestErrorCode.DELIVERY_GUARANTEE_UNSUPPORTED, message, supported=list(offered))
