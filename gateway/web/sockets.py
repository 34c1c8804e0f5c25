"""Lets WebSocket clients in at `/graphql`, each with the protocol it speaks."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from gateway.model.viewer import Viewer
from gateway.operations.operations import Operations
from gateway.web.asgi_socket import AsgiSocket
from gateway.web.direct import DIRECT
from gateway.web.legacy import LegacySession
from gateway.web.limits import SocketLimits
from gateway.web.messages import CloseCode
from gateway.web.session import Session, SessionLimits, TransportSession

_NOT_SPOKEN = "Subprotocol not acceptable"


class Sockets:
    """The endpoint for WebSockets as an ASGI application.

    Shape: web pages of other origins than the gateway's own need to be in `allowed_origins`.
    """

    def __init__(
        self,
        operations: Operations,
        viewer_of: Callable[[HTTPConnection], Viewer],
        *,
        allowed_origins: tuple[str, ...],
        legacy: bool,
        session: SessionLimits,
        socket: SocketLimits,
    ) -> None:
        self._operations = operations
        self._viewer_of = viewer_of
        self._allowed_origins = allowed_origins
        self._session_limits = session
        self._socket_limits = socket
        spoken: tuple[type[Session], ...] = (TransportSession, LegacySession) if legacy else (TransportSession,)
        self._spoken = {each.protocol: each for each in spoken}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket; where the server is ours this returns at once, and the socket lives on without a task."""
        connection = HTTPConnection(scope)
        if not self._is_welcome(connection):
            await send({"type": "websocket.close", "code": 1008})
            return
        # A server may leave out what is empty.
        chosen = next((self._spoken[each] for each in scope.get("subprotocols", ()) if each in self._spoken), None)
        viewer = self._viewer_of(connection)
        direct = (scope.get("extensions") or {}).get(DIRECT)
        if direct is None:
            await self._serve(chosen, viewer, receive, send)
        elif chosen is None:
            direct.refuse(CloseCode.UNKNOWN_PROTOCOL, _NOT_SPOKEN)
        else:
            direct.accept(chosen(direct, self._operations, viewer, self._session_limits), chosen.protocol)

    async def _serve(self, chosen: type[Session] | None, viewer: Viewer, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        if chosen is None:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": CloseCode.UNKNOWN_PROTOCOL, "reason": _NOT_SPOKEN})
            return
        await send({"type": "websocket.accept", "subprotocol": chosen.protocol})
        socket = AsgiSocket(send, self._socket_limits)
        await socket.run(chosen(socket, self._operations, viewer, self._session_limits), receive)

    def _is_welcome(self, connection: HTTPConnection) -> bool:
        origin = connection.headers.get("origin")
        if origin is None or origin in self._allowed_origins or "*" in self._allowed_origins:
            return True
        try:
            return urlsplit(origin).netloc == connection.headers.get("host")
        except ValueError:  # a browser sends no such origin
            return False
