"""A socket on any ASGI server, by plain `send` and `receive`."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from starlette.types import Receive, Send

from gateway.web.limits import SocketLimits
from gateway.web.session import Session

_LOW = 4
"""A socket is blocked until only this part of what may wait is left."""


class AsgiSocket:
    """An accepted socket that keeps what the server has not taken yet."""

    takes_frames = False
    short_way = None

    def __init__(self, send: Send, limits: SocketLimits) -> None:
        self.blocked = False
        self._send = send
        self._limits = limits
        self._outbox: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._heard = True
        self._closing: tuple[int, str] | None = None
        self._aborted = False

    def send(self, messages: Sequence[bytes]) -> None:
        """Queue messages."""
        if self._closing is None and not self._aborted:
            self._outbox.extend(messages)
            self._waiting_bytes += sum(map(len, messages))
            self.blocked = self.blocked or self._waiting_bytes > self._limits.outbox_max_bytes
            self._news.set()

    def write(self, frames: bytes) -> None:
        """Refuse: a server takes no frames."""
        raise RuntimeError("frames cannot be written through ASGI")

    def close(self, code: int, reason: str) -> None:
        """Close once everything queued has been sent."""
        if self._closing is None:
            self._closing = (code, reason.encode()[:123].decode(errors="ignore"))
            self._news.set()

    def abort(self) -> None:
        """Send nothing any more."""
        self._aborted = True
        self._news.set()

    async def run(self, session: Session, receive: Receive) -> None:
        """Serve the socket until it is closed, the client is gone or too slow, or nothing is heard of it any more."""
        tasks = {
            asyncio.create_task(self._receive(session, receive), name="socket: receive"),
            asyncio.create_task(self._pump(session), name="socket: send"),
            asyncio.create_task(self._beat(session), name="socket: heartbeat"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            with suppress(OSError):  # the client is gone, or (TimeoutError) it does not read
                for task in done:
                    task.result()
        finally:
            self._aborted = True
            session.gone()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, session: Session, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            self._heard = True
            text = message.get("text")
            if self._closing is None:
                session.received(message["bytes"] if text is None else text)

    async def _beat(self, session: Session) -> None:
        while self._heard or not session.answers_heartbeats:
            self._heard = False
            self.send([session.heartbeat])
            await asyncio.sleep(self._limits.heartbeat_s)

    async def _pump(self, session: Session) -> None:
        while not self._aborted:
            while self._outbox:
                message = self._outbox.popleft()
                async with asyncio.timeout(self._limits.stalled_s):
                    await self._send({"type": "websocket.send", "text": message.decode()})
                self._waiting_bytes -= len(message)
                if self.blocked and self._waiting_bytes <= self._limits.outbox_max_bytes // _LOW:
                    self.blocked = False
                    session.drained()
            if self._closing is not None:
                code, reason = self._closing
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self._news.clear()
            await self._news.wait()
