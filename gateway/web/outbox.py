"""What is on its way to one client as a response without a known end: bounded, kept alive, and ended in any case."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from gateway.web.limits import SocketLimits
from gateway.web.patience import connection_of

_CHUNK_BYTES = 65_536
"""What waits is sent in pieces of about this size, so that the server's buffer stays small too."""


class Outbox:
    """The body of one response.

    Shape: `blocked` while more waits than the limit; `drained` is called when it no longer is. What is put in then is
           kept all the same: to stop is up to the sender.
    """

    def __init__(self, limits: SocketLimits, heartbeat: bytes, drained: Callable[[], object]) -> None:
        self.blocked = False
        self._limits = limits
        self._heartbeat = heartbeat
        self._drained = drained
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    def put(self, chunk: bytes) -> None:
        """Send a part; does nothing after the end."""
        if not self._ended:
            self._waiting.append(chunk)
            self._waiting_bytes += len(chunk)
            self.blocked = self._waiting_bytes > self._limits.outbox_max_bytes or self.blocked
            self._news.set()

    def end(self, last: bytes = b"") -> None:
        """Send what waits and a last part, and nothing after it."""
        self.put(last)
        self._ended = True

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, head: Message, stopped: Callable[[], object]
    ) -> None:
        """Send the head of the response and what is put in, until the end; or until the client is gone or stalled.

        When the server stops, `stopped` is called and has to `end` it.
        """
        connection = connection_of(scope)
        hearing = asyncio.create_task(self._hear(receive), name="stream: receive")
        self._beat_later()
        try:
            if connection is not None:
                connection.call_when_stopping(stopped)
            await self._send(send, head)
            await self._pump(send)
        except TimeoutError:
            if connection is not None:
                connection.abort()
                await hearing
        except OSError:
            pass  # the client is gone: some servers say it here
        finally:
            self._ended = True
            self._beat_no_more()
            if connection is not None:
                connection.call_when_stopping(None)
            hearing.cancel()
            with suppress(asyncio.CancelledError):
                await hearing

    async def _pump(self, send: Send) -> None:
        while True:
            while not (self._waiting or self._ended):
                self._news.clear()
                await self._news.wait()
            part = self._part()
            is_last = self._ended and not self._waiting
            await self._send(send, {"type": "http.response.body", "body": part, "more_body": not is_last})
            if is_last:
                return
            self._waiting_bytes -= len(part)
            if self.blocked and self._waiting_bytes <= self._limits.outbox_low_bytes:
                self.blocked = False
                self._drained()

    async def _send(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._limits.stalled_s):
            await send(message)

    def _part(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while self._waiting and size < _CHUNK_BYTES:
            parts.append(self._waiting.popleft())
            size += len(parts[-1])
        return b"".join(parts)

    async def _hear(self, receive: Receive) -> None:
        """Learn that the client is gone; until then it has nothing to say."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._waiting.clear()
        self._ended = True
        self._news.set()

    def _beat(self) -> None:
        if not self._waiting:
            self.put(self._heartbeat)
        self._beat_later()

    def _beat_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limits.heartbeat_s, self._beat)

    def _beat_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
