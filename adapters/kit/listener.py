"""What a simulator listens with: uvicorn without its signal handlers, and a websocket that can be cut like a cable."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

CONNECTION = "listener.connection"
"where the application finds the `EventSocket` in the state of a websocket's scope"
_SLOWEST_CLIENT_BYTES = 16 * 1024 * 1024


def text_frame(payload: bytes) -> bytes:
    """Make a complete frame of a server: it can go to many sockets."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class EventSocket(WebSocketsSansIOProtocol):
    """A websocket connection that takes ready frames and tells when it last heard from its client."""

    heard_at = 0.0
    waiting = 0

    def handle_connect(self, event: Request) -> None:
        """Put this connection where the application finds it."""
        super().handle_connect(event)
        # A refused handshake has no scope; the application task starts only after this method.
        if self.response.status_code == 101:
            self.scope["state"][CONNECTION] = self

    def data_received(self, data: bytes) -> None:
        """Note that the client lives: any frame counts."""
        self.heard_at = self.loop.time()
        super().data_received(data)

    def resume_writing(self) -> None:
        """Forget the backlog: the client has caught up."""
        self.waiting = 0
        super().resume_writing()

    def push(self, frame: bytes, most_waiting: int | None) -> bool:
        """Send a frame, or drop it without a word when the client is slow and `most_waiting` are held for it."""
        if self.close_sent or not self.handshake_complete or self.transport.is_closing():
            return False
        if not self.writable.is_set():
            self.waiting += 1
            if most_waiting is not None and self.waiting > most_waiting:
                return False
            if self.transport.get_write_buffer_size() > _SLOWEST_CLIENT_BYTES:
                self.cut()
                return False
        self.transport.write(frame)
        return True

    def say_goodbye(self, code: int, reason: str = "") -> None:
        """Close from our side without waiting for the client's answer."""
        if self.conn.state is State.OPEN:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()

    def cut(self) -> None:
        """Break the connection: no close frame, no goodbye."""
        self.transport.abort()


class IdleWatch:
    """Ends a websocket whose client has been silent for too long; any frame counts as a sign of life."""

    def __init__(self, connection: EventSocket, idle_s: float, end: Callable[[], None]) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._idle_s = idle_s
        self._end = end
        self._timer = self._loop.call_later(idle_s, self._look)

    def cancel(self) -> None:
        """Stop watching."""
        self._timer.cancel()

    def _look(self) -> None:
        left = self._connection.heard_at + self._idle_s - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._end()


class Listener:
    """One port that serves an application from start to stop, in the running loop and without a task of its own."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._app = app
        self._server: uvicorn.Server | None = None

    async def start(self) -> None:
        """Errors: OSError when the port is taken."""
        with ExitStack() as undo:
            listening = undo.enter_context(socket.create_server((self.host, self.port)))
            # asyncio sets it only on sockets made with an explicit protocol; without it each answer waits for an ACK.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.port = listening.getsockname()[1]
            config = uvicorn.Config(
                self._app,
                ws=EventSocket,
                ws_per_message_deflate=False,
                ws_ping_interval=None,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
            )
            config.load()
            server = uvicorn.Server(config)
            server.lifespan = config.lifespan_class(config)
            await server.startup(sockets=[listening])
            self._server = server
            undo.pop_all()

    async def stop(self) -> None:
        """Close every connection and wait until the work on them has ended."""
        server, self._server = self._server, None
        if server is None:
            return
        for listening in server.servers:
            listening.close()
        state = server.server_state
        for connection in list(state.connections):
            if isinstance(connection, EventSocket):
                connection.say_goodbye(CloseCode.SERVICE_RESTART)
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        for listening in server.servers:
            await listening.wait_closed()


class Serving:
    """A simulator on its port: entered it listens, left it has stopped, and started again it is where it was."""

    _listener: Listener
    _stirred: asyncio.Event
    "set whenever clients or the hand have changed something"

    async def start(self) -> None:
        """Listen; after a stop on the same port as before.

        Errors: OSError when the port is taken.
        """
        await self._listener.start()

    async def stop(self) -> None:
        """Close every connection. What is simulated stays as it is for the next start."""
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port listened on; 0 before the first start when none was asked for."""
        return self._listener.port

    @property
    def address(self) -> str:
        """Host and port as a URL has them."""
        return f"{self._listener.host}:{self.port}"

    async def until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Wait until something that clients or the hand cause has become true.

        Errors: TimeoutError.
        """
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._stirred.clear()
                await self._stirred.wait()
