"""One open feed: callbacks and our own questions, and what they are worth as reports."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.errors import as_link_errors
from adapters.bandwidth.events import CallState, CallTold, Interpreter
from adapters.bandwidth.reading import RoomReader
from adapters.bandwidth.served import Served
from adapters.kit.reports import Reports
from gateway.model.errors import GatewayError, LinkDown
from gateway.model.reports import Report
from gateway.model.room import Room

_MOST_CALLS = 1000
"""Of how many calls the last word is kept: a callback may be faster than the answer that says which call it is."""


class Feed:
    """What the adapter holds while it is connected."""

    def __init__(self, conferences: Conferences, interpreter: Interpreter, reader: RoomReader, served: Served) -> None:
        self.reports = Reports()
        self._conferences = conferences
        self._interpreter = interpreter
        self._reader = reader
        self._served = served
        self._strangers_came = asyncio.Event()
        self._last_word: OrderedDict[str, CallTold] = OrderedDict()
        self._word = asyncio.Condition()

    @asynccontextmanager
    async def running(self, callbacks: AsyncIterator[Mapping[str, object]]) -> AsyncIterator[None]:
        """Take callbacks, and find out who is who, until the context is left."""

        async def take() -> None:
            await self._take(callbacks)

        tasks = [asyncio.create_task(self._to_the_end(work)) for work in (take, self._find_out_who)]
        try:
            yield
        finally:
            self.reports.end(LinkDown("the feed was closed"))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in tasks:
                if not task.cancelled():
                    task.result()  # a fault of ours, which is more telling than that the feed has stopped

    async def report(self, reports: Iterable[Report]) -> None:
        """Hand on what was made known, however it was, in the order in which it was."""
        await self.reports.add(*reports)

    async def rooms(self) -> Sequence[Room]:
        """Give the rooms as they are now, once all that was reported of them is taken.

        Errors: SignInRefused, LinkDown.
        """
        self.reports.check()
        answer: asyncio.Future[Sequence[Room]] = asyncio.get_running_loop().create_future()
        rooms = self._conferences.all()
        await self.reports.when_taken(lambda: None if answer.done() else answer.set_result(rooms))
        return await answer

    async def word_of(self, call_id: str, within_s: float) -> CallTold | None:
        """Wait until a callback tells whether a call was answered or is over, but no longer than that."""
        try:
            async with asyncio.timeout(within_s), self._word:
                await self._word.wait_for(lambda: call_id in self._last_word)
        except TimeoutError:
            return None
        return self._last_word[call_id]

    async def _to_the_end(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Work until something ends it, and let that end the feed."""
        try:
            with as_link_errors():
                await work()
        except GatewayError as error:
            self.reports.end(error)
        finally:
            self.reports.end(LinkDown("the feed has stopped"))

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
