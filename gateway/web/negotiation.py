"""In which form an answer goes out: what the client accepts, what it prefers, and what fits the operation.

Source: RFC 9110, section 12.5.1 (`Accept`); GraphQL over HTTP; Apollo's multipart subscriptions (`subscriptionSpec`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Representation(StrEnum):
    """The forms there are; the value is the media type."""

    JSON = "application/json"
    GRAPHQL_RESPONSE = "application/graphql-response+json"
    SSE = "text/event-stream"
    MULTIPART = "multipart/mixed"


_STREAMS = (Representation.SSE, Representation.MULTIPART)
_SINGLE = (Representation.JSON, Representation.GRAPHQL_RESPONSE)

_READ_AT_MOST = 1000
"""Characters of a header that are looked at; what browsers and clients send has two hundred at most."""

_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;"]*))')


def choose(accept: str | None, *, subscription: bool) -> Representation | None:
    """Choose the form of the answer; None is answered with 406.

    A query or mutation is streamed only to a client that accepts nothing else. A subscription is streamed only to a
    client that asks for a stream by name: one that takes anything would wait for the end of the answer.
    """
    return _choose((accept or "")[:_READ_AT_MOST], subscription)


def refusal(*, subscription: bool) -> str:
    """Say what could have been asked for."""
    if not subscription:
        return f"`Accept` names nothing that can be answered: there is {', '.join(Representation)}"
    spec = f"{Representation.MULTIPART};subscriptionSpec=1.0"
    return (
        f"a subscription is answered with a stream: accept {Representation.SSE} or {spec}, or use graphql-transport-ws"
    )


def status_for(representation: Representation, *, data_absent: bool) -> int:
    """Give the status of the answer to a well-formed request.

    As application/json every such answer is 200, because clients trust no other. The specification of September 2026
    would rather have 422 for what does not validate, and 294 for data with errors; graphql-http's audit, and clients
    older than that, want 400 and 200.
    """
    return 400 if data_absent and representation is Representation.GRAPHQL_RESPONSE else 200


@dataclass(frozen=True, slots=True)
class _Range:
    """One member of an Accept header. Shape: `place` is its number, for those that are wanted equally."""

    media_type: str
    parameters: dict[str, str]
    place: int

    @property
    def quality(self) -> float:
        try:
            quality = float(self.parameters.get("q", "1"))
        except ValueError:
            return 1.0
        return quality if 0 <= quality <= 1 else 1.0

    def specificity(self, representation: Representation) -> int:
        """Tell how exactly it means a form: 3 by name, 2 by `text/*`, 1 by `*/*`, 0 not at all."""
        if self.media_type == representation:
            return 0 if representation is Representation.MULTIPART and not self._is_for_subscriptions else 3
        if self.media_type == f"{representation.partition('/')[0]}/*":
            return 2
        return 1 if self.media_type == "*/*" else 0

    @property
    def _is_for_subscriptions(self) -> bool:
        """Tell Apollo's multipart subscriptions from parts of another shape, as those of `@defer`."""
        return self.parameters.get("subscriptionspec") == "1.0"


@lru_cache(maxsize=256)
def _choose(accept: str, subscription: bool) -> Representation | None:
    ranges = _ranges(accept)
    if subscription:
        return _preferred(_STREAMS, ranges, least=3)
    if not ranges:
        return Representation.JSON
    return _preferred(_SINGLE, ranges, least=1) or _preferred(_STREAMS, ranges, least=2)


def _ranges(accept: str) -> list[_Range]:
    members = (member.strip() for member in _MEMBER.findall(accept))
    return [_range(member, place) for place, member in enumerate(members) if "/" in member.partition(";")[0]]


def _range(member: str, place: int) -> _Range:
    media_type = member.partition(";")[0].strip().lower()
    parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(member)}
    return _Range(media_type, parameters, place)


def _preferred(offered: Iterable[Representation], ranges: list[_Range], *, least: int) -> Representation | None:
    """Give what is wanted most; among equals what is named most exactly, then what is named first, then our order."""
    wanted: list[tuple[float, int, int, Representation]] = []
    for each in offered:
        # Only the most exact of the ranges that mean it says how much it is wanted: `*/*, text/html;q=0` is no to HTML.
        meant = max(ranges, key=lambda one: one.specificity(each), default=None)
        if meant is not None and meant.specificity(each) >= least and meant.quality > 0:
            wanted.append((-meant.quality, -meant.specificity(each), meant.place, each))
    return min(wanted, key=lambda one: one[:3])[3] if wanted else None
