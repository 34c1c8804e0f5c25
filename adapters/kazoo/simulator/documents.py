"""The conference documents of the account: created, checked, merged and deleted as Crossbar does it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from .answers import Complaints, bad_identifier
from .checks import check_schema, numbers_of
from .generation import Traits
from .shapes import Json, gregorian, merge

_DEFAULTS: Json = {
    "conference_numbers": [],
    "member": {"join_deaf": False, "join_muted": True, "numbers": [], "pins": []},
    "moderator": {"join_deaf": False, "join_muted": False, "numbers": [], "pins": []},
    "play_name": False,
}
_NOT_THE_CLIENTS = ("id", "_read_only")


@dataclass(slots=True)
class Stored:
    """One document with what the database adds to it.

    Units:  created and modified are Gregorian seconds.
    """

    document: Json
    revision: str
    created: int
    modified: int


class Documents:
    """The account's conferences by id."""

    def __init__(self, traits: Traits, clock: Callable[[], float], rng: Random) -> None:
        self.stored: dict[str, Stored] = {}
        self._room_of_number: dict[str, str] = {}
        self._traits = traits
        self._clock = clock
        self._rng = rng

    def defaults(self, room_id: str) -> Json:
        """Make up what an unknown id looks like where rooms need no document."""
        filled = merge(_DEFAULTS, {"allow_shareable_link": False} if self._traits.kazoo5 else {})
        return {**filled, "id": room_id}

    def get(self, room_id: str) -> Stored:
        """Find a stored document.

        Errors: CrossbarError 404.
        """
        if room_id not in self.stored:
            raise bad_identifier(room_id)
        return self.stored[room_id]

    def create(self, fields: Json, room_id: str | None = None) -> Stored:
        """Store a new document under this id, or under one of its own.

        Errors: CrossbarError 400 with field paths.
        """
        room_id = room_id or f"{self._rng.getrandbits(128):032x}"
        return self._save(room_id, fields)

    def replace(self, room_id: str, fields: Json) -> Stored:
        """POST: what is left out falls back to its default."""
        self.get(room_id)
        return self._save(room_id, fields)

    def patch(self, room_id: str, change: Json) -> Stored:
        """Merge a change into a document; null clears a field."""
        return self._save(room_id, merge(self.get(room_id).document, _public(change)))

    def delete(self, room_id: str) -> Stored:
        """Soft in the database; to a client the id is unknown afterwards."""
        gone = self.get(room_id)
        del self.stored[room_id]
        self._hand_out(room_id, set())
        return gone

    def _save(self, room_id: str, fields: Json) -> Stored:
        own = _public(fields)
        self._check(room_id, own)
        now = gregorian(self._clock())
        before = self.stored.get(room_id)
        count = int(before.revision.partition("-")[0]) + 1 if before else 1
        self.stored[room_id] = Stored(
            document=merge(self.defaults(room_id), own),
            revision=f"{count}-{self._rng.getrandbits(128):032x}",
            created=before.created if before else now,
            modified=now,
        )
        self._hand_out(room_id, numbers_of(own))
        return self.stored[room_id]

    def _hand_out(self, room_id: str, numbers: set[str]) -> None:
        given_back = [number for number, owner in self._room_of_number.items() if owner == room_id]
        for number in given_back:
            del self._room_of_number[number]
        self._room_of_number.update(dict.fromkeys(numbers, room_id))

    def _check(self, room_id: str, fields: Json) -> None:
        found = Complaints()
        check_schema(found, fields, flat=self._traits.flat)
        taken = sorted(n for n in numbers_of(fields) if self._room_of_number.get(n, room_id) != room_id)
        if taken:
            found.add("numbers", "unique", "Numbers already in use", cause=", ".join(taken))
        if self._traits.kazoo5:
            others = (kept.document for other, kept in self.stored.items() if other != room_id)
            _check_name(found, fields, others)
        found.raise_any(self._traits.invalid_message)


def _check_name(found: Complaints, fields: Json, others: Iterable[Json]) -> None:
    """Kazoo 5 wants a name, and no other conference of the account with the same one."""
    name = fields.get("name")
    if name is None:
        found.add("name", "required", "Field is required but missing")
    elif any(other.get("name") == name for other in others):
        found.add("name", "unique", "Name already in use", cause=name)


def _public(fields: Json) -> Json:
    return {key: value for key, value in fields.items() if key not in _NOT_THE_CLIENTS and not key.startswith("pvt_")}
