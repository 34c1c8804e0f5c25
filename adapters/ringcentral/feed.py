"""One open feed: notifications by socket or hook, and what they and our own questions are worth as reports."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

from adapters.kit.feed import OpenFeed, Work
from adapters.kit.understanding import JsonObject
from adapters.ringcentral.calls import Calls
from adapters.ringcentral.errors import as_link_errors
from adapters.ringcentral.events import Interpreter
from adapters.ringcentral.reading import RoomReader
from gateway.model.reports import Report
from gateway.model.room import Room


class Feed(OpenFeed):
    """What the adapter holds while it is connected."""

    def __init__(self, calls: Calls, interpreter: Interpreter, reader: RoomReader) -> None:
        super().__init__(as_link_errors)
        self._told_of: dict[str, asyncio.Event] = {}
        self._calls = calls
        self._interpreter = interpreter
        self._reader = reader
        self._unknown = asyncio.Event()
        self._waited_for = asyncio.Event()

    def running(self, notifications: AsyncIterator[JsonObject], *more: Work) -> AbstractAsyncContextManager[None]:
        """Take notifications, and find out who is who, until the context is left; `more` is work of the same life."""
        return self._working(partial(self._take, notifications), self._find_out_who, self._wait_no_longer, *more)

    async def report(self, reports: Iterable[Report]) -> None:
        """Hand on what was made known, however it was, in the order in which it was."""
        await super().report(reports)
        self._unknown.set()
        self._waited_for.set()

    async def rooms(self) -> Sequence[Room]:
        """Give the rooms as they are now, once all that was reported of them is taken.

        Errors: SignInRefused, LinkDown.
        """
        return await self.reports.once_taken(self._calls.all())

    async def word_of(self, session_id: str, timeout_s: float) -> None:
        """Wait until a notification tells of a session, but no longer than that."""
        told = self._told_of.setdefault(session_id, asyncio.Event())
        try:
            async with asyncio.timeout(timeout_s):
                await told.wait()
        except TimeoutError:
            return
        finally:
            self._told_of.pop(session_id, None)

    async def _take(self, notifications: AsyncIterator[JsonObject]) -> None:
        async for body in notifications:
            told = self._interpreter.understand(body)
            if told is None:
                continue
            await self.report(self._calls.told(told))
            if (waited_for := self._told_of.get(told.session_id)) is not None:
                waited_for.set()

    async def _find_out_who(self) -> None:
        """Ask for the calls of those whom nobody knows."""
        while True:
            await self._unknown.wait()
            self._unknown.clear()
            if self._calls.wanted:
                await self._reader.whom_calls_carry(self.report)

    async def _wait_no_longer(self) -> None:
        """Show people without a name when finding it out takes too long, and doubt rooms whose host does not come."""
        while True:
            due = self._calls.next_due
            left_s = None if due is None else max(0.0, (due - datetime.now(UTC)).total_seconds())
            try:
                async with asyncio.timeout(left_s):
                    await self._waited_for.wait()
            except TimeoutError:
                await self.report(self._calls.overdue())
            self._waited_for.clear()
