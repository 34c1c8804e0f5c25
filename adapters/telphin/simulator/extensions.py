"""The extensions of the one client: phones, rooms and what else has a number.

Inferred: a number is digits; a name that is taken is 409; the filter `name` wants the whole name or the number; of a
          body just `name`, `type`, `label`, `caller_id_name` and `status` are looked at.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from random import Random

from .failures import ApiError, invalid, not_found
from .paging import page_of
from .shapes import Json

CONFERENCE = "conference"
PHONE = "phone"
DOMAIN = "sipproxy.telphin.ru"
_TYPES = (PHONE, "queue", "ivr", "fax", CONFERENCE)
_STATUSES = ("active", "blocked")
_NAME = re.compile(r"(?:(?P<prefix>\d+)\*)?(?P<number>\d{1,10})(?:@(?P<domain>[\w.-]+))?", re.ASCII)


@dataclass(slots=True, eq=False, kw_only=True)
class Extension:
    """One extension; `name` is the prefix of the client, `*` and the number.

    Units: created_at is Unix seconds.
    """

    extension_id: int
    name: str
    kind: str
    label: str | None
    caller_id_name: str | None
    status: str
    created_at: float

    @property
    def number(self) -> str:
        """What colleagues dial."""
        return self.name.partition("*")[2]

    @property
    def address(self) -> str:
        """The name as events have it."""
        return f"{self.name}@{DOMAIN}"


class Extensions:
    """Every extension by its id.

    Units: `clock` gives Unix seconds.
    """

    def __init__(self, clock: Callable[[], float], rng: Random) -> None:
        self.by_id: dict[int, Extension] = {}
        self.client_id = rng.randrange(1_000, 10_000)
        self.prefix = f"{rng.randrange(10_000):04d}"
        self._clock = clock
        self._ids = count(rng.randrange(100_000, 900_000))

    def named(self, which: str) -> Extension:
        """Find the extension that a path names, by its id or by `@` and its number.

        Errors: ApiError 404.
        """
        found = self.with_number(which[1:]) if which.startswith("@") else self._with_id(which)
        if found is None:
            raise not_found("extension")
        return found

    def with_number(self, dialled: str) -> Extension | None:
        """Find the extension that a number reaches, written short or in full."""
        try:
            name = self._full(dialled)
        except ApiError:
            return None
        return next((one for one in self.by_id.values() if one.name == name), None)

    def free_number(self, first: int) -> str:
        """Find a number that nobody has."""
        return next(number for number in map(str, count(first)) if self.with_number(number) is None)

    def listed(self, query: Mapping[str, str], *, by_type: bool) -> list[Extension]:
        """List a page.

        Errors: ApiError 400.
        """
        return [one for one in self.by_id.values() if _wanted(one, query, by_type=by_type)][page_of(query).part]

    def draft(self, body: Json) -> Extension:
        """Make the extension that a body describes; it is not there yet.

        Errors: ApiError 400, 409.
        """
        name, kind = body.get("name"), body.get("type")
        if not isinstance(name, str):
            raise invalid("name")
        if kind not in _TYPES:
            raise invalid("type")
        name = self._full(name)
        if any(one.name == name for one in self.by_id.values()):
            raise ApiError(409, "Extension already exists", "already_exists")
        made = Extension(
            extension_id=next(self._ids),
            name=name,
            kind=str(kind),
            label=None,
            caller_id_name=None,
            status="blocked",
            created_at=self._clock(),
        )
        change(made, body)
        return made

    def add(self, extension: Extension) -> None:
        """Let an extension be there."""
        self.by_id[extension.extension_id] = extension

    def _with_id(self, which: str) -> Extension | None:
        return self.by_id.get(int(which)) if which.isascii() and which.isdigit() and len(which) < 19 else None

    def _full(self, name: str) -> str:
        parts = _NAME.fullmatch(name)
        if parts is None or parts["prefix"] not in (None, self.prefix) or parts["domain"] not in (None, DOMAIN):
            raise invalid("name")
        return f"{self.prefix}*{parts['number']}"


def change(extension: Extension, body: Json) -> None:
    """Change what a body names, and nothing if anything of it cannot be.

    Errors: ApiError 400.
    """
    label = body.get("label", extension.label)
    caller_id_name = body.get("caller_id_name", extension.caller_id_name)
    status = body.get("status", extension.status)
    if not (label is None or isinstance(label, str)):
        raise invalid("label")
    if not (caller_id_name is None or isinstance(caller_id_name, str)):
        raise invalid("caller_id_name")
    if status not in _STATUSES:
        raise invalid("status")
    extension.label, extension.caller_id_name, extension.status = label, caller_id_name, str(status)


def _wanted(one: Extension, query: Mapping[str, str], *, by_type: bool) -> bool:
    if by_type and query.get("type", one.kind) != one.kind:
        return False
    return query.get("name", one.name) in (one.name, one.number)
