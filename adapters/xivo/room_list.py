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
_GAP_AFTER_REFUSAL_S = 3.0
ASK_AGAIN_S = 2.0
"""How long a question is waited for before it is asked again: its answer may have been lost."""

Answer = asyncio.Future[Sequence[Room]]


class RoomList:
    """The question that is under way, and who waits for its answer.

    Shape: `send` is that of the list account. XiVO pushes lists as well, and nothing tells one from an answer: the next
           that comes is taken for it.
    """

    def __init__(self, send: Callable[[JsonObject], Awaitable[None]]) -> None:
        self._send = send
        self._asked_at: datetime | None = None
        self._sent_at = 0.0
        self._waiting: list[Answer] = []
        self._later: list[Answer] = []
        self._not_before = 0.0
        self.is_refused = False

    async def want(self) -> None:
        """Ask, unless an answer is to come, or was asked for a moment ago: lists may lag behind what is wanted of them.

        Errors: LinkDown.
        """
        now = time.monotonic()
        if now >= self._not_before and not self._is_awaited():
            self._not_before = now + _GAP_S
            await self._ask()

    async def remind(self) -> None:
        """Ask, unless an answer is to come; soon after a refusal as well.

        Errors: LinkDown.
        """
        if not self._is_awaited():
            await self._ask()

    async def ask(self) -> Answer:
        """Ask, if need be, and give a future that `answered` hands out once a list asked for from now on is there.

        Errors: LinkDown.
        """
        waiter: Answer = asyncio.get_running_loop().create_future()
        (self._waiting if self._asked_at is None else self._later).append(waiter)
        await self.remind()
        return waiter

    async def answered(self) -> tuple[datetime | None, list[Answer]]:
        """Take note of a list; give when it was asked for (None: it was not), and who has waited for it.

        Errors: LinkDown, when others wait for the next one and it cannot be asked for.
        """
        asked_at, waited = self._asked_at, self._waiting
        self._asked_at, self._waiting, self._later, self.is_refused = None, self._later, [], False
        self._not_before = min(self._not_before, time.monotonic() + _GAP_S)
        if self._waiting:
            await self._ask()
        return asked_at, waited

    def refused(self) -> None:
        """Learn that there may be no answer to the question under way; who waits for it needs another one."""
        if self._asked_at is not None:
            self.is_refused = True
            self._asked_at = None
            self._not_before = time.monotonic() + _GAP_AFTER_REFUSAL_S

    def give_up(self, error: GatewayError) -> None:
        """Let all who wait know that there will be no answer."""
        for waiter in (*self._waiting, *self._later):
            if not waiter.done():
                waiter.set_exception(type(error)(str(error)))
        self._asked_at, self._waiting, self._later = None, [], []

    @property
    def is_open(self) -> bool:
        """Whether a question is under way."""
        return self._asked_at is not None

    def _is_awaited(self) -> bool:
        return self.is_open and time.monotonic() - self._sent_at < ASK_AGAIN_S

    async def _ask(self) -> None:
        if self._asked_at is None:  # what comes after a second asking may still be the answer to the first
            self._asked_at = datetime.now(UTC)
        self._sent_at = time.monotonic()
        await self._send(_ASK)
