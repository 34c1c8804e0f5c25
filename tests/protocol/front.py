"""The real application on a real port over two switchboards, and clients of good and bad manners."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET, socket
from typing import Any

import aiohttp
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.live.live import LiveLimits
from gateway.model.viewer import Viewer
from gateway.operations.operations import Operations
from gateway.web.app import WebLimits, make_app
from gateway.web.server import serving
from tests.gateway.schema.house import ADMIN, LIMITS, MODERATOR, House, house_with
from tests.protocol.servers import Serve

BODY_MAX_BYTES = 65_536
ALLOWED_ORIGIN = "https://app.example.com"
PROTOCOL = Subprotocol("graphql-transport-ws")
_PATIENCE_S = 90.0


class Wire:
    """A socket on which anything can be said; what comes back is sorted by operation."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._come: dict[str | None, deque[dict[str, Any]]] = {}

    async def say(self, message: object) -> None:
        """Send a message, as JSON unless it is text or bytes already."""
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def begin(self) -> None:
        """Be let in."""
        await self.say({"type": "connection_init"})
        assert (await self.next())["type"] == "connection_ack"

    async def subscribe(self, operation_id: str, query: str, **variables: Any) -> None:
        """Begin an operation."""
        await self.say({"id": operation_id, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def complete(self, operation_id: str) -> None:
        """Stop an operation."""
        await self.say({"id": operation_id, "type": "complete"})

    async def next(self, operation_id: str | None = None) -> dict[str, Any]:
        """Give the next message of an operation, or the next that belongs to none."""
        waiting = self._come.setdefault(operation_id, deque())
        async with asyncio.timeout(_PATIENCE_S):
            while not waiting:
                message = json.loads(await self.socket.recv())
                self._come.setdefault(message.get("id"), deque()).append(message)
        return waiting.popleft()

    def waiting(self, operation_id: str) -> int:
        """Say how many messages of an operation have come and not been taken."""
        return len(self._come.get(operation_id, ()))

    async def event(self, operation_id: str) -> Any:
        """Give the next event of a subscription."""
        message = await self.next(operation_id)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (event,) = message["payload"]["data"].values()
        return event

    async def answer(self, operation_id: str, query: str, **variables: Any) -> Any:
        """Do a query or mutation, and take its end."""
        await self.subscribe(operation_id, query, **variables)
        message = await self.next(operation_id)
        assert (await self.next(operation_id)) == {"id": operation_id, "type": "complete"}
        return message["payload"]

    async def refusal(self, operation_id: str) -> dict[str, Any]:
        """Give the first of the errors that end an operation."""
        message = await self.next(operation_id)
        assert message["type"] == "error", message
        error: dict[str, Any] = message["payload"][0]
        return error

    async def end(self) -> tuple[int | None, str | None]:
        """Wait until the server closes, and give its code and reason."""
        async with asyncio.timeout(_PATIENCE_S):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


class Front:
    """The gateway as seen from outside, and from within."""

    def __init__(self, house: House, operations: Operations, port: int, session: aiohttp.ClientSession) -> None:
        self.house = house
        self.operations = operations
        self.port = port
        self.session = session
        self.url = f"http://127.0.0.1:{port}/graphql"
        self.ws_url = f"ws://127.0.0.1:{port}/graphql"

    async def post(self, query: str, operation_name: str | None = None, **variables: Any) -> tuple[int, Any]:
        """Ask by POST as a good client does."""
        body = {"query": query, "variables": variables, "operationName": operation_name}
        async with self.session.post(self.url, json=body) as response:
            return response.status, await response.json()

    async def send(self, body: bytes, content_type: str = "application/json", **options: Any) -> tuple[int, Any]:
        """Send any body by POST."""
        headers = {"Content-Type": content_type}
        async with self.session.post(self.url, data=body, headers=headers, **options) as response:
            return response.status, await response.json()

    async def get(self, **params: str) -> tuple[int, Any]:
        """Ask by GET."""
        async with self.session.get(self.url, params=params) as response:
            return response.status, await response.json()

    @asynccontextmanager
    async def stranger(self, **options: Any) -> AsyncIterator[Wire]:
        """Open a socket that has said nothing yet."""
        options = {"subprotocols": [PROTOCOL], "compression": None, "max_size": None, "proxy": None, **options}
        async with connect(self.ws_url, **options) as opened:
            yield Wire(opened)

    @asynccontextmanager
    async def wire(self, **options: Any) -> AsyncIterator[Wire]:
        """Open a socket and be let in."""
        async with self.stranger(**options) as wire:
            await wire.begin()
            yield wire

    def narrow_socket(self) -> socket:
        """Connect with little room for what is not read yet."""
        narrow = socket()
        narrow.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        narrow.connect(("127.0.0.1", self.port))
        narrow.setblocking(False)
        return narrow

    async def watched_by(self, count: int) -> None:
        """Wait until so many subscriptions are open."""
        async with asyncio.timeout(_PATIENCE_S):
            while self.operations.followers != count:  # noqa: ASYNC110  a counter, which nobody announces
                await asyncio.sleep(0)


@asynccontextmanager
async def front_of(house: House, web: WebLimits, serve: Serve = serving) -> AsyncIterator[Front]:
    """Serve a house to Ada; and to Mo, who says so in a header."""

    def viewer_of(connection: HTTPConnection) -> Viewer:
        return MODERATOR if "x-mo" in connection.headers else ADMIN

    app = make_app(house.live, house.storage, viewer_of, b"secret", web)
    limits = replace(web.socket, message_max_bytes=web.body_max_bytes)
    async with serve(app, "127.0.0.1", 0, limits) as port, aiohttp.ClientSession() as http:
        yield Front(house, app.state.operations, port, http)


@asynccontextmanager
async def front_with(
    folder: Path,
    *,
    limits: LiveLimits = LIMITS,
    origins: tuple[str, ...] = (ALLOWED_ORIGIN,),
    serve: Serve = serving,
    **web: Any,
) -> AsyncIterator[Front]:
    """Run a gateway and serve it; further settings are those of `WebLimits`."""
    async with house_with(folder, limits=limits) as house:
        await house.until_live()
        async with front_of(house, WebLimits(origins, BODY_MAX_BYTES, **web), serve) as front:
            yield front
