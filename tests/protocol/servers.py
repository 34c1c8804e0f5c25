"""ASGI servers that are not ours: what is served by them has nothing but ASGI to speak with."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from socket import SO_SNDBUF, SOL_SOCKET, create_server, socket

import pytest
import uvicorn
from starlette.types import ASGIApp

from gateway.web.limits import SocketLimits
from gateway.web.server import serving

Serve = Callable[[ASGIApp, str, int, SocketLimits], AbstractAsyncContextManager[int]]
_SNDBUF_BYTES = 65_536
"""Little enough for a client that does not read to be noticed soon."""


class _Uvicorn(uvicorn.Server):
    """A uvicorn that leaves signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def uvicorn_serving(app: ASGIApp, host: str, port: int, limits: SocketLimits) -> AsyncIterator[int]:
    """Serve on uvicorn with its own WebSockets."""
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_max_size=limits.message_max_bytes, log_config=None, timeout_graceful_shutdown=1
    )
    server, listener = _Uvicorn(config), _listen(host, port)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  nobody announces it
        await asyncio.sleep(0)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def hypercorn_serving(app: ASGIApp, host: str, port: int, limits: SocketLimits) -> AsyncIterator[int]:
    """Serve on Hypercorn."""
    hypercorn = pytest.importorskip("hypercorn.asyncio", reason="Hypercorn is not installed")
    config = pytest.importorskip("hypercorn.config").Config()
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 0.2
    config.websocket_max_message_size = limits.message_max_bytes
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    config.bind = [f"fd://{listener.detach()}"]
    stop = asyncio.Event()
    asyncio_log = logging.getLogger("asyncio")
    asyncio_log.addFilter(_is_no_complaint)
    running = asyncio.create_task(hypercorn.serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield port
    finally:
        stop.set()
        await running
        asyncio_log.removeFilter(_is_no_complaint)


SERVERS: dict[str, Serve] = {"ours": serving, "uvicorn": uvicorn_serving, "hypercorn": hypercorn_serving}


def _is_no_complaint(record: logging.LogRecord) -> bool:
    """Leave out what asyncio's streams say about connections that Hypercorn cancels when it stops."""
    return "StreamReaderProtocol.connection_made" not in record.getMessage()


def _listen(host: str, port: int) -> socket:
    listener = create_server((host, port), backlog=1000)
    listener.setsockopt(SOL_SOCKET, SO_SNDBUF, _SNDBUF_BYTES)
    return listener
