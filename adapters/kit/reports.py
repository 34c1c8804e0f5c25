"""The reports of an open feed that are waiting to be taken."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from gateway.model.errors import GatewayError
from gateway.model.reports import Report

_MOST_REPORTS = 10_000

_Answer = TypeVar("_Answer")


class Reports(AsyncIterator[Report]):
    """The reports not yet taken: bounded, and full ones hold up whoever adds to them."""

    def __init__(self, most: int = _MOST_REPORTS) -> None:
        self._most = most
        self._kept: deque[Report | Callable[[], None]] = deque()
        self._end: GatewayError | None = None
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()

    async def add(self, *reports: Report) -> None:
        """Add reports when there is room for them; of those who add at the same time, who came first goes first."""
        async with self._turn:
            for report in reports:
                while len(self._kept) >= self._most and self._end is None:
                    await self._change()
                self._kept.append(report)
                self._changed.set()

    async def when_taken(self, tell: Callable[[], None]) -> None:
        """Have this called once the reports added so far have been taken; never, if that does not come to pass.

        For an answer that comes among the reports: if it overtook older ones, they would undo it for a moment, and
        somebody in it would join, leave and join again.
        """
        async with self._turn:
            self._kept.append(tell)
            self._changed.set()

    async def once_taken(self, answer: _Answer) -> _Answer:
        """Give this back once the reports added so far have been taken.

        Errors: what ended the feed, if it has ended before.
        """
        self.check()
        taken = asyncio.Event()
        await self.when_taken(taken.set)
        await taken.wait()
        return answer

    def end(self, error: GatewayError) -> None:
        """Let the iterator raise this, once it has given what there is; only the first end counts."""
        self._end = self._end or error
        self._changed.set()

    def check(self) -> None:
        """Errors: what ended the feed, if it has ended."""
        if self._end is not None:
            raise self._end

    async def __anext__(self) -> Report:
        while True:
            while not self._kept:
                self.check()
                await self._change()
            if len(self._kept) >= self._most:
                self._changed.set()
            kept = self._kept.popleft()
            if not callable(kept):
                return kept
            kept()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
