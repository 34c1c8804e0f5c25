"""What every open feed has: reports waiting to be taken, and work that makes them for as long as it is open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractContextManager, asynccontextmanager

from adapters.kit.reports import Reports
from gateway.model.errors import GatewayError, LinkDown
from gateway.model.reports import Report

Work = Callable[[], Coroutine[object, object, None]]


class OpenFeed:
    """What an adapter holds while it is connected; `as_link_errors` are its backend's failures as the link's."""

    def __init__(self, as_link_errors: Callable[[], AbstractContextManager[None]]) -> None:
        self.reports = Reports()
        self._as_link_errors = as_link_errors

    async def report(self, reports: Iterable[Report]) -> None:
        """Hand on what was made known, however it was, in the order in which it was."""
        await self.reports.add(*reports)

    @asynccontextmanager
    async def _working(self, *all_work: Work) -> AsyncIterator[None]:
        """Have all this done until the context is left; the end of any of it is that of the feed."""
        tasks = [asyncio.create_task(self._to_the_end(work)) for work in all_work]
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

    async def _to_the_end(self, work: Work) -> None:
        """Work until something ends it, and let that end the feed."""
        try:
            with self._as_link_errors():
                await work()
        except GatewayError as error:
            self.reports.end(error)
        finally:
            self.reports.end(LinkDown("the feed has stopped"))
