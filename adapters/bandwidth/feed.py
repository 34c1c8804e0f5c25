"""One open feed: callbacks and our own questions, and what they are worth as reports."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.errors import as_link_errors
from adapters.bandwidth.events import CallState, CallTold, Interpreter
from adapters.bandwidth.reading import RoomReader
from adapters.bandwidth.served import Served
from adapters.kit.feed import OpenFeed
from gateway.model.room import Room

_MOST_CALLS = 1000
"""Of how many calls the last word is kept: a callback may be faster than the answer that says which call it is."""


class Feed(OpenFeed):
    """What the adapter holds while it is connected."""

    def __init__(self, conferences: Conferences, interpreter: Interpreter, reader: RoomReader, served: Served) -> None:
        super().__init__(as_link_errors)
        self._conferences = conferences
        self._interpreter = interpreter
        self._reader = reader
        self._served = served
        self._strangers_came = asyncio.Event()
        self._last_word: OrderedDict[str, CallTold] = OrderedDict()
        self._word = asyncio.Condition()

    def running(self, callbacks: AsyncIterator[Mapping[str, object]]) -> AbstractAsyncContextManager[None]:
        """Take callbacks, and find out who is who, until the context is left."""
        return self._working(partial(self._take, callbacks), self._find_out_who)

    async def rooms(self) -> Sequence[Room]:
        """Give the rooms as they are now, once all that was reported of them is taken.

        Errors: SignInRefused, LinkDown.
        """
        return await self.reports.once_taken(self._conferences.all())

    async def word_of(self, call_id: str, within_s: float) -> CallTold | None:
        """Wait until a callback tells whether a call was answered or is over, but no longer than that."""
        try:
            async with asyncio.timeout(within_s), self._word:
                await self._word.wait_for(lambda: call_id in self._last_word)
        except TimeoutError:
            return None
        return self._last_word[call_id]

    async def _take(self, callbacks: AsyncIterator[Mapping[str, object]]) -> None:
        async for fields in callbacks:
            told = self._interpreter.understand(fields)
            if told is None:
                continue
            await self.report(self._conferences.told(told, datetime.now(UTC)))
            if isinstance(told, CallTold):
                await self._note(told)
                continue
            self._strangers_came.set()
            if not self._conferences.served(told.conference_id):
                await self._served.drop(told.conference_id)  # if it was: it is over

    async def _note(self, told: CallTold) -> None:
        async with self._word:
            before = self._last_word.get(told.call_id)
            if before is None or before.state is not CallState.OVER:  # else the answer is told late, or again
                self._last_word[told.call_id] = told
            if len(self._last_word) > _MOST_CALLS:
                self._last_word.popitem(last=False)
            self._word.notify_all()

    async def _find_out_who(self) -> None:
        """Ask for the numbers of those who have come."""
        while True:
            await self._strangers_came.wait()
            self._strangers_came.clear()
            await self._reader.who_they_are(self.report)
