"""uvicorn's HTTP with an end to its patience."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from starlette.types import Scope
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.web.direct import STOP_S, Shared

_CONNECTION = "conference_gateway.connection"
"""The member of a request's `extensions` that is its connection."""

_HEAD_MAX_BYTES = 65_536
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(Protocol):
    """What an answer that may last can ask of its connection."""

    def call_when_stopping(self, stopped: Callable[[], object] | None) -> None:
        """Have something called when the server stops, at once if it is stopping; None: no more."""

    def abort(self) -> None:
        """Cut the connection."""


def connection_of(scope: Scope) -> Connection | None:
    """Find the connection of a request; other servers than ours offer none."""
    return cast("Connection | None", (scope.get("extensions") or {}).get(_CONNECTION))


class PatientHttp(HttpToolsProtocol):
    """One HTTP connection, which is cut when a request does not come to its end, or an answer is not taken at shutdown.

    Shape: there is a `_deadline` while a request is waited for of which nothing has come yet, or only a part. How long
           a connection may be idle once it was answered is uvicorn's matter.
    """

    def __init__(
        self,
        shared: Shared,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._shared = shared
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._stopped: Callable[[], object] | None = None

    def call_when_stopping(self, stopped: Callable[[], object] | None) -> None:
        """Be asked by the answer that is on its way."""
        self._stopped = stopped
        if stopped is not None and self._shared.stopping:
            stopped()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request; a connection that comes when the server stops comes too late."""
        super().connection_made(transport)
        if self._shared.stopping:
            transport.abort()
        else:
            self._wait(self._shared.limits.request_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, but no head without end: uvicorn and its parser would keep all of it."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_MAX_BYTES:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        """Be content with the head."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {_CONNECTION: self})
        if self._deadline is None:
            self._wait(self._shared.limits.request_s)

    def on_message_complete(self) -> None:
        """Wait no more: the request is there."""
        self._wait_no_more()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand over, and leave nothing behind: the parser and the scope know this object, and it knows them."""
        self._wait_no_more()
        super().handle_websocket_upgrade()
        del self.parser, self.scope

    def shutdown(self) -> None:
        """Close, though not before an answer that is on its way has been taken, within reason."""
        super().shutdown()
        if self._stopped is not None:
            self._stopped()
        self._wait_no_more()
        self._deadline = self.loop.call_later(STOP_S, self.transport.abort)

    def _wait(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._out_of_patience)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _out_of_patience(self) -> None:
        """Cut the connection, unless it is we who do not read, as an earlier request is being answered."""
        if self.flow.read_paused:
            self._wait(self._shared.limits.request_s)
        else:
            self.transport.abort()
