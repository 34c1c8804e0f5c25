"""The opening handshake of a WebSocket: what is asked, the application that decides, and the answer."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.types import Message, Scope
from uvicorn import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from websockets.datastructures import Headers
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from gateway.web.classic import Classic
from gateway.web.reading import quiet_log

if TYPE_CHECKING:
    from gateway.web.direct import DirectProtocol

log = logging.getLogger(__name__)
_Pairs = Iterable[tuple[bytes, bytes]]


def checker(*, compression: bool) -> ServerProtocol:
    """Make what checks handshakes; one serves all, as it keeps nothing of a handshake but the last extensions."""
    deflate = ServerPerMessageDeflateFactory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    )
    return ServerProtocol(extensions=[deflate] if compression else None, logger=quiet_log)


class Opening:
    """One handshake; it is dropped once the socket is accepted by somebody who knows how to use it directly."""

    __slots__ = (
        "_answered",
        "_app_state",
        "_classic",
        "_config",
        "_denial",
        "_response",
        "_socket",
        "_tasks",
        "extensions",
    )

    def __init__(
        self, socket: "DirectProtocol", config: Config, tasks: set[asyncio.Task[None]], app_state: dict[str, Any]
    ) -> None:
        self._socket = socket
        self._config = config
        self._tasks = tasks
        self._app_state = app_state
        self._response: Response | None = None
        self._answered = False
        self._classic: Classic | None = None
        self._denial: tuple[int, _Pairs, bytearray] | None = None
        self.extensions: list[Extension] = []

    def begin(
        self, rebuilt: bytes, transport: asyncio.Transport, check: ServerProtocol, offered: Mapping[str, object]
    ) -> None:
        """Check the request as uvicorn hands it over, already parsed and written anew, and ask the application.

        Shape: what is `offered` is added to the extensions of the scope.
        """
        line, *lines = rebuilt.removesuffix(b"\r\n\r\n").split(b"\r\n")
        headers = [_pair(each) for each in lines]
        method, target, _ = line.decode("latin-1").split(" ")
        response = check.accept(Request(target, _texts(headers), method))
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._answer(response)
            return
        del response.headers["Date"]
        self._response = response
        self.extensions = check.extensions
        task = asyncio.get_running_loop().create_task(self._ask(self._scope(target, headers, transport, offered)))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def granted(self, subprotocol: str | None, headers: _Pairs) -> bytes:
        """Give the answer that accepts.

        Errors: RuntimeError when nobody asked.
        """
        if self._response is None:
            raise RuntimeError("there is no handshake to accept")
        self._answered = True
        if subprotocol is not None:
            self._response.headers["Sec-WebSocket-Protocol"] = subprotocol
        self._response.headers.update(_texts(headers))
        return self._response.serialize()

    def refuse(self, status: HTTPStatus, body: bytes = b"", headers: _Pairs = ()) -> None:
        """Answer that there will be no socket, unless it has been answered."""
        if self._answered:
            return
        told = _texts(headers)
        for name, value in (
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
            ("Content-Type", "text/plain"),
        ):
            told.setdefault(name, value)
        self._answer(Response(status, status.phrase, told, body))

    def gone(self) -> None:
        """Learn that the client left before it was answered."""
        self._answered = True
        if self._classic is not None:
            self._classic.gone()

    async def receive(self) -> Message:
        """Be the application's `receive`."""
        return await self._messages().receive()

    async def send(self, message: Message) -> None:
        """Be the application's `send`.

        Errors: ClientDisconnected; RuntimeError when the message may not be sent now.
        """
        if self._classic is not None and self._classic.accepted:
            await self._classic.send(message)
        elif self._answered:
            self._not_now(message)
        else:
            self._decide(message)

    async def _ask(self, scope: Scope) -> None:
        await self._config.loaded_app(scope, self.receive, self.send)

    def _decide(self, message: Message) -> None:
        match message["type"], self._denial:
            case "websocket.accept", None:
                self._messages().accepted = True
                self._socket.accept(self._messages(), message.get("subprotocol"), message.get("headers", ()))
            case "websocket.close", None:
                self.refuse(HTTPStatus.FORBIDDEN)
            case "websocket.http.response.start", None:
                self._denial = message["status"], message.get("headers", ()), bytearray()
            case "websocket.http.response.body", (status, headers, body):
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    self.refuse(HTTPStatus(status), bytes(body), headers)
            case _:
                raise RuntimeError(f"{message['type']} cannot be sent during the handshake")

    def _not_now(self, message: Message) -> None:
        if self._socket.is_lost:
            raise ClientDisconnected
        raise RuntimeError(f"{message['type']} cannot be sent after the handshake was answered")

    def _scope(
        self,
        target: str,
        headers: list[tuple[bytes, bytes]],
        transport: asyncio.Transport,
        offered: Mapping[str, object],
    ) -> Scope:
        """Describe the socket to the application, as uvicorn does."""
        path, _, query = target.partition("?")
        root = self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root,
            "path": root + unquote(path),
            "raw_path": (root + path).encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": headers,
            "subprotocols": [
                each.strip().decode("latin-1")
                for name, value in headers
                if name == b"sec-websocket-protocol"
                for each in value.split(b",")
            ],
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, **offered},
        }

    def _messages(self) -> Classic:
        if self._classic is None:
            self._classic = Classic(self._socket)
        return self._classic

    def _answer(self, response: Response) -> None:
        self._answered = True
        self._socket.hang_up(response.serialize())

    def _done(self, task: asyncio.Task[None]) -> None:
        """See what became of the application: a socket is never left with nobody behind it."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ClientDisconnected):
            log.error("the application failed at a WebSocket", exc_info=error)
        elif not self._answered:
            log.error("the application neither accepted nor refused a WebSocket")
        if not self._answered:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        elif error is not None:
            self._socket.close(1011, "")
        elif self._classic is not None:
            self._socket.close(1000, "")


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b": ")
    return name, value


def _texts(headers: _Pairs) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
