"""Calling back: the events of one conference or call one after another, with one try at the address for failures.

Inferred: any answer but 2xx is a failure, redirects are not followed; by GET the properties of an event are the query,
          with `true` and `false` as words; nothing is sent while the simulator is stopped, and what waits is lost then.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
import msgspec
from yarl import URL

from .hooks import Hooks
from .shapes import Json

_MOST_WAITING = 10_000
_AGENT = {"User-Agent": "BandwidthAPI/v1 (simulated)"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Message(NamedTuple):
    """Something to send, in the line of its conference or call; bytes go as they are, by POST."""

    line: str
    hooks: Hooks
    event: Json | bytes


@dataclass(slots=True)
class _Line:
    waiting: deque[Message] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    worker: asyncio.Task[None] | None = None


class Callbacks:
    """Sends messages; `sent` are the latest events that went out, `failed` counts those that did not arrive."""

    def __init__(self, stirred: Callable[[], None]) -> None:
        self.sent: deque[Json] = deque(maxlen=_MOST_WAITING)
        self.failed = 0
        self._stirred = stirred
        self._http: aiohttp.ClientSession | None = None
        self._lines: dict[str, _Line] = {}

    @property
    def are_sent(self) -> bool:
        """Whether the simulator runs."""
        return self._http is not None

    @property
    def under_way(self) -> bool:
        """Whether something waits or has not been answered yet."""
        return bool(self._lines)

    def start(self) -> None:
        """Begin to send."""
        self._http = aiohttp.ClientSession(headers=_AGENT, auto_decompress=False)

    async def stop(self) -> None:
        """End every delivery; what waits is lost."""
        http, self._http = self._http, None
        workers = [line.worker for line in self._lines.values() if line.worker is not None]
        self._lines.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if http is not None:
            await http.close()

    def send(self, message: Message) -> None:
        """Put a message at the end of its line."""
        if self._http is None:
            return
        line = self._lines.setdefault(message.line, _Line())
        line.waiting.append(message)
        if line.worker is None:
            line.worker = asyncio.create_task(self._work(message.line, line, self._http), name="callbacks")

    async def _work(self, name: str, line: _Line, http: aiohttp.ClientSession) -> None:
        while line.waiting:
            message = line.waiting.popleft()
            if isinstance(message.event, dict):
                self.sent.append(message.event)
                self._stirred()
            if not await self._arrived(http, message):
                self.failed += 1
            if not line.waiting:
                del self._lines[name]
            self._stirred()

    async def _arrived(self, http: aiohttp.ClientSession, message: Message) -> bool:
        for address in (message.hooks.url, message.hooks.fallback_url):
            if address is not None and await self._taken(http, URL(address), message):
                return True
        return False

    @staticmethod
    async def _taken(http: aiohttp.ClientSession, url: URL, message: Message) -> bool:
        headers = {}
        if url.user is not None:
            headers["Authorization"] = aiohttp.encode_basic_auth(url.user, url.password or "")
        url, method, data = url.with_user(None), "POST", None
        if isinstance(message.event, bytes):
            headers |= _JSON
            data = message.event
        elif message.hooks.method.upper() == "POST":
            headers |= _JSON
            data = msgspec.json.encode(message.event)
        else:
            url, method = url.update_query(_words(message.event)), "GET"
        try:
            async with (
                asyncio.timeout(message.hooks.timeout_ms / 1000),
                http.request(method, url, data=data, headers=headers, allow_redirects=False) as answer,
            ):
                return 200 <= answer.status < 300
        except (TimeoutError, aiohttp.ClientError):
            return False


def _words(event: Json) -> dict[str, str]:
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in event.items()}
