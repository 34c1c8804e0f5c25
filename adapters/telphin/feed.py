"""One open feed: what the hook is told and what our own questions are answered, as reports."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from adapters.kit.feed import OpenFeed
from adapters.telphin.errors import as_link_errors
from adapters.telphin.events import Interpreter
from adapters.telphin.hooks import Hooks
from adapters.telphin.rooms import Rooms
from adapters.telphin.webhook import Hook
from gateway.model.room import Room


class Feed(OpenFeed):
    """What the adapter holds while it is connected."""

    def __init__(self, rooms: Rooms, interpreter: Interpreter, hook: Hook, hooks: Hooks) -> None:
        super().__init__(as_link_errors)
        self._rooms = rooms
        self._interpreter = interpreter
        self._hook = hook
        self._hooks = hooks

    def running(self) -> AbstractAsyncContextManager[None]:
        """Take what the hook is told, and look after its subscriptions, until the context is left."""
        return self._working(self._take, self._keep)

    async def rooms(self) -> Sequence[Room]:
        """Give the rooms as they are now, once all that was reported of them is taken.

        Errors: SignInRefused, LinkDown.
        """
        return await self.reports.once_taken(self._rooms.all())

    async def _take(self) -> None:
        async for arrived in self._hook:
            told = self._interpreter.understand(arrived.fields)
            if told is not None:
                await self.report(self._rooms.told(told, arrived.at))

    async def _keep(self) -> None:
        await self._hooks.keep(self._rooms.ids)
