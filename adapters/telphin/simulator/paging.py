"""Pages of long lists.

Inferred: a page has 20 entries unless asked for, and 100 at most; the first is number 1; anything else is 400.
"""

from collections.abc import Mapping
from typing import NamedTuple

from .failures import invalid

_PER_PAGE, _MOST_PER_PAGE = 20, 100


class Page(NamedTuple):
    """Which part of a list is wanted."""

    number: int
    size: int

    @property
    def part(self) -> slice:
        """The same as indexes."""
        return slice((self.number - 1) * self.size, self.number * self.size)


def page_of(query: Mapping[str, str]) -> Page:
    """Read which page a query wants.

    Errors: ApiError 400.
    """
    return Page(_counted(query, "page", 1), min(_counted(query, "per_page", _PER_PAGE), _MOST_PER_PAGE))


def _counted(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise invalid(name)
    return int(text)
