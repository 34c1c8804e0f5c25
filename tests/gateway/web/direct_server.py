"""A server whose sockets a test holds both ends of."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from socket import SO_RCVBUF, SOL_SOCKET, socket

from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.frames import Frame, Opcode
from websockets.utils import apply_mask as masked

from gateway.web.direct import DIRECT, DirectProtocol
from gateway.web.limits import SocketLimits
from gateway.web.server import serving

PATIENCE_S = 10.0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    "GET /any?where=here HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: spoken, other\r\n\r\n"
).encode()
MASK = b"\x01\x02\x03\x04"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Make a client's frame, right or wrong."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    else:
        length = b"\xfe" + size.to_bytes(2) if size < 65_536 else b"\xff" + size.to_bytes(8)
    return bytes((fin << 7 | rsv << 4 | opcode,)) + length + MASK + masked(payload, MASK)


text = functools.partial(frame, Opcode.TEXT)


class Seen:
    """Listens to a socket and remembers; `answer` is what it does with a message."""

    def __init__(self, socket: DirectProtocol) -> None:
        self.socket = socket
        self.messages: list[str | bytes] = []
        self.drained_count = 0
        self.gone_count = 0
        self.last_words: Callable[[], str] = lambda: "until later"
        self.answer: Callable[[str | bytes], object] = lambda _: None

    def received(self, message: str | bytes) -> None:
        assert not self.gone_count
        self.messages.append(message)
        self.answer(message)

    def held(self) -> None:
        assert not self.gone_count

    def drained(self) -> None:
        assert not self.gone_count
        self.drained_count += 1

    def stopping(self) -> str:
        assert not self.gone_count
        return self.last_words()

    def gone(self) -> None:
        self.gone_count += 1


class Host:
    """A server that accepts everybody."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[Seen] = []
        self.scopes: list[Scope] = []
        self.subprotocol: str | None = None

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        self.scopes.append(scope)
        direct = scope["extensions"][DIRECT]
        seen = Seen(direct)
        direct.accept(seen, self.subprotocol)
        self.seen.append(seen)

    async def latest(self, count: int = 1) -> Seen:
        """Wait for so many sockets, and give the last."""
        await until(lambda: len(self.seen) >= count)
        return self.seen[-1]


class Raw:
    """A client that can say anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def head(self) -> bytes:
        """Read the answer to the handshake."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self) -> Frame:
        """Read a frame of the server."""
        first, second = await self.reader.readexactly(2)
        assert second < 128, "a server does not mask"
        size = second
        if second > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if second == 126 else 8))
        return Frame(Opcode(first & 15), await self.reader.readexactly(size), bool(first & 128))

    async def closed(self) -> tuple[int, str]:
        """Read to the close frame, and give its code and reason."""
        while (come := await self.frame()).opcode is not Opcode.CLOSE:
            pass
        data = bytes(come.data)
        return int.from_bytes(data[:2]), data[2:].decode()

    async def rest(self) -> bytes:
        """Read until the server closes or cuts the connection."""
        read = b""
        with suppress(ConnectionError):
            while more := await self.reader.read(65_536):
                read += more
        return read


@asynccontextmanager
async def raw_client(port: int, *, narrow: bool = False) -> AsyncIterator[Raw]:
    """Connect; a narrow client has little room for what it does not read."""
    connection = socket()
    if narrow:
        connection.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096 if narrow else 2**20)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield Raw(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


def served(app: ASGIApp, limits: SocketLimits | None = None) -> AbstractAsyncContextManager[int]:
    """Serve an application that knows nothing of a server's beginning and end."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await app(scope, receive, send)

    return serving(called, "127.0.0.1", 0, limits)


@asynccontextmanager
async def hosting(limits: SocketLimits | None = None, host: Host | None = None) -> AsyncIterator[Host]:
    """Serve."""
    host = host or Host()
    async with served(host, limits) as host.port:
        yield host


@asynccontextmanager
async def accepted(host: Host, *, narrow: bool = False) -> AsyncIterator[tuple[Raw, Seen]]:
    """Give both ends of a new socket."""
    count = len(host.seen) + 1
    async with raw_client(host.port, narrow=narrow) as raw:
        raw.say(REQUEST)
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        yield raw, await host.latest(count)


@asynccontextmanager
async def pair(limits: SocketLimits | None = None, *, narrow: bool = False) -> AsyncIterator[tuple[Raw, Seen]]:
    """Serve, and give both ends of one socket."""
    async with hosting(limits) as host, accepted(host, narrow=narrow) as both:
        yield both


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0)


async def until_gone(seen: Seen) -> None:
    """Wait until a socket is no more."""
    await until(lambda: seen.gone_count)
