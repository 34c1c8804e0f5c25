"""A socket on any ASGI server, by plain `send` and `receive`."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress

from starlette.types import Receive, Send

from gateway.operations.frames import cut_to_fit
from gateway.web.limits import SocketLimits
from gateway.web.messages import CloseCode
from gateway.web.session import Session

_CLOSE_S = 1.0
"""How long a client has to take a close frame, and when the server stops to take what waits for it."""


class AsgiSocket:
    """An accepted socket that keeps what the server has not taken yet.

    Shape: while it is `blocked` nothing is received, so that a client cannot ask for more than it reads.
    """

    takes_frames = False
    short_way = None

    def __init__(self, send: Send, limits: SocketLimits) -> None:
        self.blocked = False
        self._send = send
        self._limits = limits
        self._outbox: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._heard = True
        self._left = False
        self._closing: tuple[int, str] | None = None
        self._cut_at = 0.0

    def send(self, messages: Sequence[bytes]) -> None:
        """Queue messages."""
        if self._closing is None and not self._left:
            self._outbox.extend(messages)
            self._waiting_bytes += sum(map(len, messages))
            if not self.blocked and self._waiting_bytes > self._limits.outbox_max_bytes:
                self.blocked = True
                self._cut_at = self._in(self._limits.stalled_s)
            self._news.set()

    def write(self, frames: bytes) -> None:
        """Refuse: a server takes no frames."""
        raise RuntimeError("frames cannot be written through ASGI")

    def close(self, code: int, reason: str) -> None:
        """Close once everything queued has been sent."""
        if self._closing is None:
            self._closing = (code, cut_to_fit(reason).decode())
            self._news.set()

    async def run(self, session: Session, receive: Receive) -> None:
        """Serve the socket until it is closed, the client is gone or too slow, or nothing is heard of it any more.

        Errors: a fault of ours, once the client has been told that there was one.
        """
        sending = asyncio.create_task(self._pump(session), name="socket: send")
        tasks = {sending, asyncio.create_task(self._receive(session, receive), name="socket: receive")}
        if session.heartbeat is not None:
            tasks.add(asyncio.create_task(self._beat(session.heartbeat), name="socket: heartbeat"))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the server stops, and some say so in no other way
            await self._take_leave(session, sending)
            raise
        finally:
            session.gone()
            await self._end(tasks)

    async def _receive(self, session: Session, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            self._heard = True
            text = message.get("text")
            data: bytes = message["bytes"] if text is None else text.encode()
            if self._closing is not None:
                continue
            if len(data) > self._limits.message_max_bytes:
                self.close(CloseCode.TOO_LARGE, "")
            else:
                session.received(data if text is None else text)
            while self.blocked:
                self._room.clear()
                await self._room.wait()
        self._left = True

    async def _beat(self, heartbeat: bytes) -> None:
        """Ask now and then whether the client lives, unless something waits that it has to read first."""
        await asyncio.sleep(self._limits.heartbeat_s)
        while self._heard or self._waiting_bytes:
            self._heard = self._waiting_bytes > 0
            if not self._heard:
                self.send([heartbeat])
            await asyncio.sleep(self._limits.heartbeat_s)
        # With this code clients connect again.
        self.close(CloseCode.GOING_AWAY, "nothing was heard of the client")

    async def _pump(self, session: Session) -> None:
        """Send what is queued; TimeoutError when the client does not take it."""
        while self._outbox or self._closing is None:
            if not self._outbox:
                self._news.clear()
                await self._news.wait()
                continue
            message = self._outbox.popleft()
            async with asyncio.timeout_at(self._cut_at if self.blocked else self._in(self._limits.stalled_s)):
                await self._send({"type": "websocket.send", "text": message.decode()})
            self._waiting_bytes -= len(message)
            if self.blocked and self._waiting_bytes <= self._limits.outbox_low_bytes:
                self.blocked = False
                self._room.set()
                session.drained()

    async def _take_leave(self, session: Session, sending: asyncio.Task[None]) -> None:
        if not (self.blocked or self._left):
            self.close(CloseCode.GOING_AWAY, session.stopping())
            await asyncio.wait({sending}, timeout=_CLOSE_S)

    async def _end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        # An OSError is no fault: the client is gone, or (TimeoutError) it does not read.
        faults = [each for each in ended if isinstance(each, Exception) and not isinstance(each, OSError)]
        if faults:
            self._closing = CloseCode.FAULT, ""
        if self._closing is not None and not self._left:
            code, reason = self._closing
            with suppress(OSError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._send({"type": "websocket.close", "code": code, "reason": reason})
        for fault in faults:
            raise fault

    @staticmethod
    def _in(seconds: float) -> float:
        return asyncio.get_running_loop().time() + seconds
