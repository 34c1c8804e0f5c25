"""Tells those who watch what happens."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from gateway.model.events import Event
from gateway.model.ids import BackendId, Position, RoomKey
from gateway.model.room import Room

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Update:
    """An event on its way to watchers, with the room as the event left it."""

    key: RoomKey
    position: Position
    event: Event
    room: Room


Note = Callable[[_Item], None]
"""How a watcher is told. It is called while the state changes: it must be quick, must not fail, and must not wait."""


class Watch(Generic[_Item]):
    """One watcher's place among the watchers of something, until it is closed."""

    __slots__ = ("_forget", "note")

    def __init__(self, note: Note[_Item], forget: Callable[["Watch[_Item]"], None]) -> None:
        self.note = note
        self._forget = forget

    def close(self) -> None:
        """Stop watching; may be called twice."""
        self._forget(self)

    def __enter__(self) -> "Watch[_Item]":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


class Hub:
    """Knows watchers and rooms' keys, and nothing of backends.

    Shape: `watch_…` registers at once, so that whoever reads the state before the next await misses nothing. Who
           watches one room is told None when that room is gone, and nothing after it.
    """

    def __init__(self) -> None:
        self._of_rooms: dict[RoomKey, set[Watch[Update | None]]] = {}
        self._of_all: set[Watch[Update]] = set()
        self._of_backends: set[Watch[BackendId]] = set()
        self._taps: list[Note[Update]] = []
        self._version = 0
        self._backends_version = 0

    @property
    def version(self) -> int:
        """A number that is another one whenever anything that can be read is different."""
        return self._version

    @property
    def backends_version(self) -> int:
        """The same of what is known of the backends themselves."""
        return self._backends_version

    @property
    def watchers(self) -> int:
        """How many watches are open."""
        return sum(map(len, self._of_rooms.values())) + len(self._of_all) + len(self._of_backends)

    def watchers_of(self, key: RoomKey) -> int:
        """How many watch this room by itself."""
        return len(self._of_rooms.get(key, ()))

    def tap(self, note: Note[Update]) -> None:
        """Let a part of the gateway see every update as it is published, before any watcher."""
        self._taps.append(note)

    def watch_room(self, key: RoomKey, note: Note[Update | None]) -> Watch[Update | None]:
        """Follow one room."""
        watch = Watch(note, partial(self._forget, key))
        self._of_rooms.setdefault(key, set()).add(watch)
        return watch

    def watch_all(self, note: Note[Update]) -> Watch[Update]:
        """Follow all rooms."""
        watch = Watch(note, self._of_all.discard)
        self._of_all.add(watch)
        return watch

    def watch_backends(self, note: Note[BackendId]) -> Watch[BackendId]:
        """Follow the status of the links: the id of a backend comes whenever its status or reason changed."""
        watch = Watch(note, self._of_backends.discard)
        self._of_backends.add(watch)
        return watch

    def publish(self, update: Update) -> None:
        """Tell an update to all who watch its room."""
        self._version += 1
        for tap in self._taps:
            tap(update)
        for watch in tuple(self._of_rooms.get(update.key, ())):
            watch.note(update)
        for everything in tuple(self._of_all):
            everything.note(update)

    def publish_backend(self, backend_id: BackendId) -> None:
        """Tell that a backend's status changed."""
        self.touch()
        for watch in tuple(self._of_backends):
            watch.note(backend_id)

    def touch(self) -> None:
        """Learn of a change that is told to nobody, but seen by whoever reads."""
        self._version += 1
        self._backends_version += 1

    def end_room(self, key: RoomKey) -> None:
        """Tell those who watch a room that it is gone."""
        for watch in self._of_rooms.pop(key, ()):
            watch.note(None)

    def _forget(self, key: RoomKey, watch: Watch[Update | None]) -> None:
        if watches := self._of_rooms.get(key):
            watches.discard(watch)
            if not watches:
                del self._of_rooms[key]
