"""WebSockets on uvicorn whose frames go straight to the transport."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar, cast

import uvicorn
from uvicorn.server import ServerState
from websockets.frames import CloseCode

from gateway.operations.frames import PING, binary_frame, close_frame, frames_of
from gateway.web.heart import Heart
from gateway.web.limits import SocketLimits
from gateway.web.opening import Opening, checker
from gateway.web.reading import Reader, Readers
from gateway.web.socket import Listener

DIRECT = "conference_gateway.direct"
"""The member of a scope's `extensions` that is the socket."""
log = logging.getLogger(__name__)
_CLOSE_S = 2.0
"""How long a client has to answer a close frame, and to take what waits for it then."""
STOP_S = 1.0
"""How long when the server stops."""
_Told = ParamSpec("_Told")
_Said = TypeVar("_Said")


class _Nobody:
    """Listens to a socket that is accepted only to be closed."""

    def received(self, message: str | bytes) -> None:
        """Do nothing."""

    def held(self) -> None:
        """Do nothing."""

    def drained(self) -> None:
        """Do nothing."""

    def stopping(self) -> str:
        """Have no reason."""
        return ""

    def gone(self) -> None:
        """Do nothing."""


class Shared:
    """What all connections of one server have in common."""

    def __init__(self, limits: SocketLimits) -> None:
        self.limits = limits
        self.heart = Heart(limits.heartbeat_s)
        self.readers = Readers(limits.message_max_bytes)
        self.checker = checker(compression=limits.compression)
        self.stopping = False


class DirectProtocol(asyncio.Protocol):
    """One WebSocket, as uvicorn's `ws` class and as the `Socket` of whoever accepts it.

    An application finds it in its scope and may `accept` with a listener; from then on there is no task, queue or timer
    to the socket, and nothing of the handshake. Other applications use it by ASGI messages, as ever.

    Shape: until it is accepted there is an `_opening` and the client is not read; then a `_listener` until it is lost.
           `_open` from when it is accepted until the first close frame, sent or received; `_deaf` once nothing that
           comes matters any more, not even the client's close frame.
           One `_timer` at most: it cuts a client that is blocked for too long or does not answer a close frame.
    """

    __slots__ = (
        "_connections", "_deaf", "_heard", "_held", "_listener", "_open", "_opening", "_reader", "_shared", "_timer",
        "_transport", "blocked",
    )  # fmt: skip

    def __init__(
        self, shared: Shared, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        self.blocked = False
        self._shared = shared
        self._connections: set[Any] = server_state.connections
        self._opening: Opening | None = Opening(self, config, server_state.tasks, app_state)
        self._listener: Listener | None = None
        self._reader: Reader | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._open = self._deaf = self._held = False
        self._heard = True

    @property
    def is_open(self) -> bool:
        """Whether what is sent may still arrive."""
        return self._open

    @property
    def is_lost(self) -> bool:
        """Whether there is no connection any more."""
        return self not in self._connections

    @property
    def short_way(self) -> Callable[[bytes], object] | None:
        """What writes frames at once."""
        return self._transport.write if self._open and not self.blocked and self.takes_frames else None

    @property
    def takes_frames(self) -> bool:
        """Whether `write` may be used."""
        return self._reader is None or not self._reader.compresses

    def accept(self, listener: Listener, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Accept; if the client has left meanwhile the listener learns that soon.

        Errors: RuntimeError when it was accepted before.
        """
        opening, self._opening = self._opening, None
        if opening is None:
            raise RuntimeError("the WebSocket was accepted before")
        if self.is_lost:
            asyncio.get_running_loop().call_soon(self._tell, listener.gone)
            return
        self._listener = listener
        granted = opening.granted(subprotocol, headers)
        if self._transport.is_closing():
            return
        if opening.extensions:
            self._reader = Reader(self._shared.limits.message_max_bytes, opening.extensions)
        outbox_max_bytes = self._shared.limits.outbox_max_bytes
        self._transport.set_write_buffer_limits(outbox_max_bytes, self._shared.limits.outbox_low_bytes)
        self._transport.write(granted)
        self._open = True
        self._shared.heart.add(self)
        self._transport.resume_reading()

    def refuse(self, code: int, reason: str) -> None:
        """Accept, and close at once: the only way to tell a browser why."""
        self.accept(_Nobody(), None)
        self.close(code, reason)

    def send(self, messages: Sequence[bytes]) -> None:
        """Send text messages in one write."""
        if self._open:
            reader = self._reader
            compresses = reader is not None and reader.compresses
            self._transport.write(reader.compressed(messages) if reader and compresses else frames_of(messages))

    def send_binary(self, message: bytes) -> None:
        """Send a binary message, never compressed."""
        if self._open:
            self._transport.write(binary_frame(message))

    def write(self, frames: bytes) -> None:
        """Send what `frames_of` made."""
        if self._open:
            self._transport.write(frames)

    def close(self, code: int, reason: str) -> None:
        """Close in order.

        A client that is blocked has to take what waits for it first, in the time it has for that anyway.
        """
        if not self._open:
            return
        self._transport.write(close_frame(code, reason))
        self._shut()
        self._transport.resume_reading()
        if not self.blocked:
            self._cut_within(_CLOSE_S)

    def abort(self) -> None:
        """Cut the connection."""
        self._shut()
        self._deaf = True
        self._transport.abort()

    def hang_up(self, last: bytes = b"") -> None:
        """Send the last bytes, and close when they are taken, but not much later."""
        self._shut()
        self._deaf = True
        if last:
            self._transport.write(last)
        self._transport.close()
        if self._timer is None and self._transport.get_write_buffer_size():
            self._cut_within(_CLOSE_S)

    def hold(self) -> None:
        """Read no further."""
        self._held = True
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Read on."""
        if self._held:
            self._held = False
            self._heard = True
            if not self.blocked:
                self._transport.resume_reading()

    def beat(self) -> None:
        """Ping a client that was heard since the last time, and cut one that was not.

        One that is not read at present has no say in it.
        """
        if not self._open or self.blocked or self._held:
            return
        if self._heard:
            self._heard = False
            self._transport.write(PING)
        else:
            self.abort()

    def shutdown(self) -> None:
        """Close since the server stops: uvicorn calls it."""
        if self.blocked:
            self.abort()
            return
        if self._opening is not None:
            self._opening.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        elif self._open and self._listener is not None:
            self.close(CloseCode.GOING_AWAY, self._tell(self._listener.stopping) or "")
        self._cut_within(STOP_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; nothing is read until it is accepted, since nothing may come before."""
        self._transport: asyncio.Transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take the request at first, then frames."""
        self._heard = True
        if self._opening is not None:
            self._opening.begin(data, self._transport, self._shared.checker, {DIRECT: self})
        elif not self._deaf:
            self._read(data)

    def eof_received(self) -> None:
        """Learn that no more will come; such a client gets nothing more."""
        self.hang_up()

    def pause_writing(self) -> None:
        """Learn that the client is slow; what it asks for meanwhile has to wait."""
        self.blocked = True
        if self._listener is not None:
            self._tell(self._listener.held)
        self._transport.pause_reading()
        self._cut_within(self._shared.limits.stalled_s)

    def resume_writing(self) -> None:
        """Learn that the client has caught up."""
        self.blocked = False
        self._heard = True
        if not self._open:
            self._cut_within(_CLOSE_S)
            return
        self._forget_timer()
        if not self._held:
            self._transport.resume_reading()
        if self._listener is not None:
            self._tell(self._listener.drained)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it all."""
        self._forget_timer()
        self._shut()
        self._connections.discard(self)
        self._shared.heart.discard(self)
        self._reader = None
        if self._opening is not None:
            self._opening.gone()
        listener, self._listener = self._listener, None
        if listener is not None:
            self._tell(listener.gone)

    def _read(self, data: bytes) -> None:
        reader = self._reader or self._shared.readers.lend()
        self._reader = reader
        for message in reader.read(data):
            if self._open and self._listener is not None:
                self._tell(self._listener.received, message)
        answer = reader.answer()
        if reader.ended:
            self._end(answer, failed=reader.failed)
        elif answer and self._open:
            self._transport.write(answer)
        if reader.idle:
            self._reader = None
            self._shared.readers.take_back(reader)

    def _end(self, answer: bytes, *, failed: bool) -> None:
        """End after a close frame, or after what no client may send.

        In the latter case the client may be sending still, and would lose our close frame if the connection were closed
        now; so only our half of it is, and what comes is thrown away.
        """
        last = answer if self._open else b""
        if failed and self._transport.can_write_eof() and not self._transport.is_closing():
            self._shut()
            self._deaf = True
            self._transport.write(last)
            self._transport.write_eof()
            self._transport.resume_reading()
            self._cut_within(_CLOSE_S)
        else:
            self.hang_up(last)

    def _shut(self) -> None:
        """Send nothing any more."""
        self._open = False
        if self._listener is not None:
            self._tell(self._listener.held)

    def _tell(self, method: Callable[_Told, _Said], *args: _Told.args, **kwargs: _Told.kwargs) -> _Said | None:
        """Tell the listener; if it fails, which is a fault of ours, the socket is closed."""
        try:
            return method(*args, **kwargs)
        except Exception:
            log.exception("a WebSocket is closed after a fault of ours")
            self.close(CloseCode.INTERNAL_ERROR, "")
            return None

    def _cut_within(self, seconds: float) -> None:
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
