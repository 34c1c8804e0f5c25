"""Calling event handlers: the events of one extension one after another, each once.

Inferred: an answer is waited for, whatever it is, for a few seconds, and nothing is sent again; with GET the
          parameters are the query of the address; redirects are not followed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
from yarl import URL

from .subscriptions import Subscription

ANSWER_WITHIN_S = 3.0
_MOST_WAITING = 10_000
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


class _Delivery(NamedTuple):
    subscription: Subscription
    form: bytes


@dataclass(slots=True)
class _Line:
    """What waits to be told of one extension."""

    waiting: deque[_Delivery] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    worker: asyncio.Task[None] | None = None


class Webhooks:
    """Delivers to addresses.

    Units: `answer_within_s` is seconds.
    """

    def __init__(self, stirred: Callable[[], None], *, answer_within_s: float) -> None:
        self._stirred = stirred
        self._answer_within_s = answer_within_s
        self._http: aiohttp.ClientSession | None = None
        self._lines: dict[int, _Line] = {}

    async def stop(self) -> None:
        """End every delivery; what waits is lost."""
        workers = [line.worker for line in self._lines.values() if line.worker is not None]
        self._lines.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
            self._http = None

    def deliver(self, extension_id: int, subscription: Subscription, form: bytes) -> None:
        """Put an event at the end of what is told of an extension."""
        line = self._lines.setdefault(extension_id, _Line())
        line.waiting.append(_Delivery(subscription, form))
        if line.worker is None or line.worker.done():
            line.worker = asyncio.create_task(self._work(line), name="webhook")

    async def _work(self, line: _Line) -> None:
        while line.waiting:
            try:
                async with (
                    asyncio.timeout(self._answer_within_s),
                    self._request(*line.waiting.popleft()) as answer,
                ):
                    await answer.read()
            except (TimeoutError, aiohttp.ClientError):
                # One try: it is lost, and nobody is told.
                pass
            self._stirred()

    def _request(self, subscription: Subscription, form: bytes) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        if subscription.method == "POST":
            return self._http.post(subscription.url, data=form, headers=_HEADERS, allow_redirects=False)
        joint = "&" if "?" in subscription.url else "?"
        url = URL(f"{subscription.url}{joint}{form.decode('latin-1')}", encoded=True)
        return self._http.get(url, allow_redirects=False)
