"""Delivers what happens to those who watch it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.hub.subscription import Subscription
from gateway.model.events import Event
from gateway.model.ids import BackendId, Position, RoomKey
from gateway.model.room import Room


@dataclass(frozen=True, slots=True)
class Update:
    """An event on its way to watchers, with the room as the event left it."""

    key: RoomKey
    position: Position
    event: Event
    room: Room


class Hub:
    """Knows watchers and rooms' keys, and nothing of backends.

    Shape: `watch_…` registers at once, so that whoever reads the state before the next await misses nothing.
    Units: `max_waiting` items wait for one watcher before it is told of a gap.
    """

    def __init__(self, *, max_waiting: int = 1000) -> None:
        self._max_waiting = max_waiting
        self._of_room: dict[RoomKey, set[Subscription[Update]]] = {}
        self._of_all: set[Subscription[Update]] = set()
        self._of_backends: set[Subscription[BackendId]] = set()
        self._taps: list[Callable[[Update], None]] = []

    @property
    def watchers(self) -> int:
        """How many subscriptions are open."""
        return sum(map(len, self._of_room.values())) + len(self._of_all) + len(self._of_backends)

    def watchers_of(self, key: RoomKey) -> int:
        """How many watch this room by itself."""
        return len(self._of_room.get(key, ()))

    def tap(self, note: Callable[[Update], None]) -> None:
        """Let a part of the gateway see every update as it is published; `note` must be quick and must not fail."""
        self._taps.append(note)

    def watch_room(self, key: RoomKey) -> Subscription[Update]:
        """Follow one room."""
        subscription = Subscription[Update](self._max_waiting, partial(self._forget_room, key))
        self._of_room.setdefault(key, set()).add(subscription)
        return subscription

    def watch_all(self) -> Subscription[Update]:
        """Follow all rooms."""
        subscription = Subscription[Update](self._max_waiting, self._of_all.discard)
        self._of_all.add(subscription)
        return subscription

    def watch_backends(self) -> Subscription[BackendId]:
        """Follow the status of the links: the id of a backend comes whenever its status or reason changed."""
        subscription = Subscription[BackendId](self._max_waiting, self._of_backends.discard)
        self._of_backends.add(subscription)
        return subscription

    def publish(self, update: Update) -> None:
        """Deliver an update to all who watch its room."""
        for note in self._taps:
            note(update)
        for subscription in self._of_room.get(update.key, ()):
            subscription.offer(update)
        for subscription in self._of_all:
            subscription.offer(update)

    def publish_backend(self, backend_id: BackendId) -> None:
        """Tell that a backend's status changed."""
        for subscription in self._of_backends:
            subscription.offer(backend_id)

    def end_room(self, key: RoomKey) -> None:
        """Close the subscriptions of a room that is gone."""
        for subscription in list(self._of_room.get(key, ())):
            subscription.close()

    def _forget_room(self, key: RoomKey, subscription: Subscription[Update]) -> None:
        watchers = self._of_room[key]
        watchers.discard(subscription)
        if not watchers:
            del self._of_room[key]
