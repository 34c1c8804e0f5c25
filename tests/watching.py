"""A watcher of the hub that keeps what it is told until a test takes it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from gateway.hub.hub import Hub, Update, Watch
from gateway.model.ids import BackendId, RoomKey

_Item = TypeVar("_Item")


class Watching(Generic[_Item]):
    """What one watcher was told."""

    def __init__(self, watch: Callable[[Callable[[Any], None]], Watch[Any]]) -> None:
        self._told: deque[_Item | None] = deque()
        self._news = asyncio.Event()
        self._watch = watch(self._note)

    @property
    def waiting(self) -> int:
        """How many have been told and not been taken."""
        return len(self._told)

    async def next(self) -> _Item | None:
        """Wait for the next that is told; None when the room is gone."""
        while not self._told:
            self._news.clear()
            await self._news.wait()
        return self._told.popleft()

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _note(self, item: _Item | None) -> None:
        self._told.append(item)
        self._news.set()


def watching_room(hub: Hub, key: RoomKey) -> Watching[Update]:
    """Watch one room."""
    return Watching(lambda note: hub.watch_room(key, note))


def watching_all(hub: Hub) -> Watching[Update]:
    """Watch all rooms."""
    return Watching(hub.watch_all)


def watching_backends(hub: Hub) -> Watching[BackendId]:
    """Watch the backends."""
    return Watching(hub.watch_backends)
