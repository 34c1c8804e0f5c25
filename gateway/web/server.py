"""Runs an application on uvicorn for as long as a block lasts."""

import asyncio
import functools
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from gateway.web.direct import DirectProtocol, Shared
from gateway.web.limits import SocketLimits
from gateway.web.patience import PatientHttp

_DRAIN_S = 3
"""How long open requests have to end at shutdown."""
_BACKLOG = 4096
_KERNEL_OUTBOX_BYTES = 131_072
"""What the kernel keeps for a client that does not read, beside our own outbox; by default it would be 4 MB."""


class _Server(uvicorn.Server):
    """A uvicorn server that says when it serves and stops, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config, shared: Shared) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()
        self._shared = shared

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._shared.stopping = True
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, limits: SocketLimits | None = None) -> AsyncIterator[int]:
    """Serve while the block runs, and give the port (that which was found free, for 0).

    Errors: OSError when the address cannot be listened on.
    """
    shared = Shared(limits or SocketLimits())
    listener = _listen(host, port, shared.limits)
    server = _Server(_config(app, shared), shared)
    running = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    started = asyncio.create_task(server.serving.wait())
    beating = asyncio.create_task(shared.heart.run(), name="heartbeats")
    try:
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        yield listener.getsockname()[1]
    finally:
        started.cancel()
        beating.cancel()
        server.should_exit = True
        await running
        with suppress(asyncio.CancelledError):
            await beating


def _listen(host: str, port: int, limits: SocketLimits) -> socket.socket:
    """Listen; connections inherit what is set here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Without it an answer in two writes waits 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_OUTBOX_BYTES)
    if sys.platform == "linux":
        # Cuts those who take nothing of what was sent, streams over HTTP too, of which we would not know.
        unanswered_s = max(2 * limits.heartbeat_s, limits.stalled_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * unanswered_s))
    return listener


def _config(app: ASGIApp, shared: Shared) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="auto",
        # uvicorn only calls them, so what makes a protocol is as good as a class.
        http=cast("type[asyncio.Protocol]", functools.partial(PatientHttp, shared)),
        ws=cast("type[asyncio.Protocol]", functools.partial(DirectProtocol, shared)),
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_DRAIN_S,
        log_config=None,
        log_level="warning",
        access_log=False,
    )
