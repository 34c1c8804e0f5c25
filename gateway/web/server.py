"""Runs an application on uvicorn for as long as a block lasts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

_DRAIN_S = 3
"""How long open requests and sockets have to end at shutdown."""


class _Server(uvicorn.Server):
    """A uvicorn server that says when it serves, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, *, message_max_bytes: int = 262_144) -> AsyncIterator[int]:
    """Serve while the block runs, and give the port (that which was found free, for 0).

    Errors: OSError when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=1024)
    # Accepted sockets inherit it; without it an answer in two writes waits 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=message_max_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_DRAIN_S,
        log_config=None,
        log_level="warning",
        access_log=False,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    started = asyncio.create_task(server.serving.wait())
    try:
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        yield listener.getsockname()[1]
    finally:
        started.cancel()
        server.should_exit = True
        await running
