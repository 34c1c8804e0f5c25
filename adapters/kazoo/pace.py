"""Keeping within Kazoo's rate limits: a queue for HTTP requests, and a bucket for messages on the event socket."""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from adapters.kazoo.errors import RateLimitedError

_LONGEST_PAUSE_S = 30.0


class Priority(IntEnum):
    """Who goes first when Kazoo lets us in again."""

    SIGN_IN = 0
    COMMAND = 1
    READ = 2


class Gate:
    """Lets some requests through at once, in order of priority; after a 429 nobody goes until a pause is over.

    Units: seconds. The pause is 1 s, and doubles up to 30 s as long as Kazoo refuses: its 429 does not say how long.
    """

    def __init__(self, at_once: int, first_pause_s: float = 1.0) -> None:
        self._free = at_once
        self._first_pause_s = first_pause_s
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._serial = itertools.count()
        self._pause_s = 0.0
        self._pause_began = 0.0
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def wait_s(self) -> float:
        """How long nobody goes."""
        return max(0.0, self._pause_began + self._pause_s - time.monotonic()) if self._paused else 0.0

    @asynccontextmanager
    async def turn(self, priority: Priority, *, lasting: bool, patience_s: float | None) -> AsyncIterator[None]:
        """Wait for a turn; `lasting` ones hold up nobody behind them. Without a `patience_s` one waits any pause out.

        Errors: RateLimitedError, when the pause is longer than the patience; nothing has been sent then.
        """
        if patience_s is not None and self.wait_s > patience_s:
            raise RateLimitedError(self.wait_s)
        await self._enter(priority)
        if lasting:
            self._leave()
        try:
            yield
        finally:
            if not lasting:
                self._leave()

    def refused(self, sent_at: float) -> None:
        """Learn that Kazoo refused a request that was sent at this time.monotonic second."""
        if sent_at < self._pause_began:
            return  # it was under way when the pause began, and says nothing new
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S) if self._pause_s else self._first_pause_s
        self._pause_began = time.monotonic()
        self._paused = True
        self.close()
        self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._resume)

    def passed(self, sent_at: float) -> None:
        """Learn that Kazoo let a request through."""
        if not self._paused and sent_at >= self._pause_began:
            self._pause_s = 0.0

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()

    async def _enter(self, priority: Priority) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._serial), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _resume(self) -> None:
        self._paused = False
        self._admit()

    def _leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._free and not self._paused:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


class Bucket:
    """Our own account of the tokens that Kazoo grants a socket: a few less than it has, so that none is refused.

    Units: Kazoo's are 100, and 10 more each second.
    """

    def __init__(self, most: int = 90, per_s: float = 9.0) -> None:
        self._most = most
        self._per_s = per_s
        self._left = float(most)
        self._filled_at = time.monotonic()
        self._order = asyncio.Lock()

    @property
    def left(self) -> int:
        """How many messages may be sent at once."""
        self._fill()
        return int(self._left)

    def empty(self) -> None:
        """Learn that Kazoo counts differently and has none left."""
        self._fill()
        self._left = min(self._left, 0.0)

    async def take(self) -> None:
        """Wait for a token; who comes first is served first."""
        async with self._order:
            self._fill()
            if self._left < 1:
                await asyncio.sleep((1 - self._left) / self._per_s)
                self._fill()
            self._left -= 1

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._per_s)
        self._filled_at = now
