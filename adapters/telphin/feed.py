"""One open feed: what the hook is told and what our own questions are answered, as reports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager

from adapters.kit.reports import Reports
from adapters.telphin.errors import as_link_errors
from adapters.telphin.events import Interpreter
from adapters.telphin.hooks import Hooks
from adapters.telphin.rooms import Rooms
from adapters.telphin.webhook import Hook
from gateway.model.errors import GatewayError, LinkDown
from gateway.model.reports import Report
from gateway.model.room import Room


class Feed:
    """What the adapter holds while it is connected."""

    def __init__(self, rooms: Rooms, interpreter: Interpreter, hook: Hook, hooks: Hooks) -> None:
        self.reports = Reports()
        self._rooms = rooms
        self._interpreter = interpreter
        self._hook = hook
        self._hooks = hooks

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take what the hook is told, and look after its subscriptions, until the context is left."""
        tasks = [asyncio.create_task(self._to_the_end(work)) for work in (self._take, self._keep)]
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
        rooms = self._rooms.all()
        await self.reports.when_taken(lambda: None if answer.done() else answer.set_result(rooms))
        return await answer

    async def _to_the_end(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Work until something ends it, and let that end the feed."""
        try:
            with as_link_errors():
                await work()
        except GatewayError as error:
            self.reports.end(error)
        finally:
            self.reports.end(LinkDown("the feed has stopped"))

    async def _take(self) -> None:
        async for arrived in self._hook:
            told = self._interpreter.understand(arrived.fields)
            if told is not None:
                await self.report(self._rooms.told(told, arrived.at))

    async def _keep(self) -> None:
        await self._hooks.keep(self._rooms.ids)
