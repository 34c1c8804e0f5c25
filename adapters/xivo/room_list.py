"""Asking for the list of rooms: once for all who want it, again for those who came while it was being asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from adapters.kit.understanding import JsonObject
from adapters.xivo.wire import web
from gateway.model.errors import GatewayError
from gateway.model.room import Room

_ASK = web("getList", objectType="meetme")
"""XiVO announces that this will be replaced: nothing else here knows how the list is asked for."""
_GAP_S = 0.1

Answer = asyncio.Future[Sequence[Room]]


class RoomList:
    """The question that is under way, and who waits for its answer.

    Shape: `send` is that of the list account. XiVO pushes lists as well, and nothing tells one from an answer: the next
           that comes is taken for it.
    """

    def __init__(self, send: Callable[[JsonObject], Awaitable[None]]) -> None:
        self._send = send
        self._asked_at: datetime | None = None
        self._waiting: list[Answer] = []
        self._later: list[Answer] = []
        self._not_before = 0.0
        self.is_refused = False

    async def want(self) -> None:
        """Ask, unless an answer is to come, or was asked for a moment ago: lists may lag behind what is wanted of them.

        Errors: LinkDown.
        """
        if self._asked_at is None and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + _GAP_S
            await self._ask()

    async def ask(self) -> Answer:
        """Ask, if need be, and give a future that `answered` hands out once a list asked for from now on is there.

        Errors: LinkDown.
        """
        waiter: Answer = asyncio.get_running_loop().create_future()
        if self._asked_at is not None:
            self._later.append(waiter)
        else:
            self._waiting.append(waiter)
            await self._ask()
        return waiter

    async def answered(self) -> tuple[datetime | None, list[Answer]]:
        """Take note of a list; give when it was asked for (None: it was not), and who has waited for it.

        Errors: LinkDown, when others wait for the next one and it cannot be asked for.
        """
        asked_at, waited = self._asked_at, self._waiting
        self._asked_at, self._waiting, self._later, self.is_refused = None, self._later, [], False
        if self._waiting:
            await self._ask()
        return asked_at, waited

    def refused(self) -> None:
        """Learn of an error that may be the answer."""
        self.is_refused = self._asked_at is not None
        self._asked_at = None

    def give_up(self, error: GatewayError) -> None:
        """Let all who wait know that there will be no answer."""
        for waiter in (*self._waiting, *self._later):
            if not waiter.done():
                waiter.set_exception(type(error)(str(error)))
        self._asked_at, self._waiting, self._later = None, [], []

    async def _ask(self) -> None:
        self._asked_at = datetime.now(UTC)
        await self._send(_ASK)
