"""One watcher's bounded queue."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Generic, Literal, TypeVar

Item = TypeVar("Item")


class Gap(Enum):
    """What a watcher gets in place of items that were lost because it was too slow."""

    OVERFLOWN = "OVERFLOWN"


class Subscription(Generic[Item]):
    """Items for one watcher, in order; when more than `max_items` wait, all of them give way to one Gap.

    The watcher that gets the Gap takes the state as it is at that moment; later items follow it without a hole.
    """

    __slots__ = ("_closed", "_forget", "_items", "_max_items", "_overflown", "_waiter")

    def __init__(self, max_items: int, forget: Callable[["Subscription[Item]"], None]) -> None:
        self._items: deque[Item] = deque()
        self._max_items = max_items
        self._overflown = False
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None
        self._forget = forget

    def offer(self, item: Item) -> None:
        """Queue an item; never blocks, never fails."""
        if self._overflown:
            return
        if len(self._items) >= self._max_items:
            self._items.clear()
            self._overflown = True
        else:
            self._items.append(item)
        self._wake()

    async def next(self) -> Item | Literal[Gap.OVERFLOWN] | None:
        """Wait for the next item; None when the subscription was closed and everything queued before has been taken."""
        while True:
            if self._overflown:
                self._overflown = False
                return Gap.OVERFLOWN
            if self._items:
                return self._items.popleft()
            if self._closed:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def close(self) -> None:
        """End the subscription; may be called twice."""
        if not self._closed:
            self._closed = True
            self._forget(self)
            self._wake()

    def __enter__(self) -> "Subscription[Item]":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
