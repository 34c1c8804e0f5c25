"""Pages of lists that change while they are read.

A cursor holds the sort key of its entry, not its place: the next page goes on behind that key, wherever entries have
moved meanwhile and even if the entry itself is gone.
"""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from gateway.schema.errors import invalid
from gateway.schema.limits import QueryLimits
from gateway.schema.told import given

Entry = TypeVar("Entry")
Key = tuple[int | str, ...]
"""What a list is sorted by, ascending; the last parts are ids, so that no two entries have the same."""
_CURSOR_MAX_CHARS = 4096


@strawberry.type(description="Where a page lies in its list, as the list was when the page was made.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether there are entries behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are entries before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first entry; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last entry, to be given as `after`; null on an empty page."
    )


@dataclass(frozen=True, slots=True)
class Order(Generic[Entry]):
    """How a list is sorted.

    Shape: `name` is written into cursors, since one of another order means nothing; `shape` are the types of a key's
           parts.
    """

    name: str
    key: Callable[[Entry], Key]
    shape: tuple[type, ...]

    def write(self, key: Key) -> str:
        """Write a cursor."""
        plain = json.dumps([self.name, *key], separators=(",", ":"))
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    def read(self, argument: str, cursor: str) -> Key:
        """Read a cursor.

        Errors: RequestError.
        """
        try:
            padded = cursor[:_CURSOR_MAX_CHARS].encode("ascii") + b"=" * (-len(cursor) % 4)
            name, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, RecursionError):
            raise invalid(argument, "this is not a cursor that the gateway gave out") from None
        if name != self.name or tuple(map(type, key)) != self.shape:
            raise invalid(argument, "this cursor is of another list, or of another order")
        return tuple(key)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a list a client asks for.

    Units: entries; `default` when neither `first` nor `last` is given (None: all).
    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    default: int | None = 50


def wanted(
    limits: QueryLimits,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    *,
    whole: bool = False,
) -> Wanted:
    """Gather what a client gave; `whole`: everything, when nothing else is asked for.

    Errors: RequestError.
    """
    for name, count in (("first", first), ("last", last)):
        number = given(count)
        if number is not None and not 0 <= number <= limits.page_max:
            raise invalid(name, f"must be between 0 and {limits.page_max}")
    default = None if whole else limits.page_default
    return Wanted(given(first), given(after), given(last), given(before), default)


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """A part of a list: entries with their cursors, and how many the whole list has."""

    entries: Sequence[tuple[str, Entry]]
    info: PageInfo
    total: int


def page(entries: Iterable[Entry], order: Order[Entry], part: Wanted) -> Page[Entry]:
    """Cut out a part of a list.

    Errors: RequestError.
    """
    keyed = sorted([(order.key(entry), entry) for entry in entries], key=_by_key)
    start, end = 0, len(keyed)
    if part.after is not None:
        start = bisect_right(keyed, order.read("after", part.after), key=_by_key)
    if part.before is not None:
        end = max(start, bisect_left(keyed, order.read("before", part.before), key=_by_key))
    first = part.default if part.first is None and part.last is None else part.first
    if first is not None:
        end = min(end, start + first)
    if part.last is not None:
        start = max(start, end - part.last)
    shown = [(order.write(key), entry) for key, entry in keyed[start:end]]
    info = PageInfo(
        has_next_page=end < len(keyed),
        has_previous_page=start > 0,
        start_cursor=shown[0][0] if shown else None,
        end_cursor=shown[-1][0] if shown else None,
    )
    return Page(shown, info, len(keyed))


def _by_key(keyed: tuple[Key, Entry]) -> Key:
    return keyed[0]


@dataclass
class PageView(Generic[Entry]):
    """What connections read their fields from."""

    page: strawberry.Private[Page[Entry]]

    @property
    def page_info(self) -> PageInfo:
        """Where the page lies."""
        return self.page.info

    @property
    def total_count(self) -> int:
        """How many entries the list has, on this page or not."""
        return self.page.total
