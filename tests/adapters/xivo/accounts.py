"""Accounts of a simulated XiVO as the adapter has them, without the adapter around them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import unused_port
from pydantic import SecretStr

from adapters.xivo.config import XivoSettings
from adapters.xivo.events import Interpreter
from adapters.xivo.session import Account, Session
from adapters.xivo.simulator import XivoSimulator
from adapters.xivo.told import Told
from adapters.xivo.transport import Transport

PASSWORD = "pw-secret-7f3a"
LOGGED_ON = '{"msgType":"LoggedOn","ctiMessage":{}}'
LINE = '{"msgType":"LineConfig","ctiMessage":{"id":"3","password":"sip-secret-91c2"}}'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[web.WebSocketResponse], Coroutine[object, object, None]]


def settings_for(url: str, **change: Any) -> XivoSettings:
    return XivoSettings.model_validate({"url": url, "login": "ada", "password": PASSWORD, **change})


class Seat:
    """The sign-in of one XiVO as tests use it; everything opened is closed at the end."""

    def __init__(self, transport: Transport, clock: Callable[[], float], stack: AsyncExitStack) -> None:
        self.transport = transport
        self.interpreter = Interpreter()
        self._clock = clock
        self._stack = stack

    def account(self, login: str = "ada", password: str = PASSWORD) -> Account:
        return Account(login, SecretStr(password), self.transport, self._clock)

    async def signed_on(self, account: Account | None = None) -> Session:
        session = await Session.open(account or self.account(), self.interpreter)
        self._stack.push_async_callback(session.aclose)
        return session


@asynccontextmanager
async def seat_at(url: str, clock: Callable[[], float] = time.monotonic, **change: Any) -> AsyncIterator[Seat]:
    transport = Transport(settings_for(url, **change))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(transport.aclose)
        yield Seat(transport, clock, stack)


@asynccontextmanager
async def xivo(**options: Any) -> AsyncIterator[XivoSimulator]:
    """A simulated XiVO with one user who has a line, and a room."""
    async with XivoSimulator(**options) as sim:
        sim.add_user("ada", PASSWORD, number="1001")
        sim.add_room("4000")
        yield sim


@asynccontextmanager
async def served(login: Handler, socket: Handler | None = None, check: Handler | None = None) -> AsyncIterator[str]:
    """A server that answers as a test wants, for faults that the simulator does not know."""
    app = web.Application()
    app.router.add_post("/xuc/api/2.0/auth/login", login)
    app.router.add_get("/xuc/api/2.0/auth/check", check or login)
    if socket is not None:
        app.router.add_get("/xuc/api/2.0/cti", socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def nowhere() -> str:
    """The URL of a port that nobody listens on."""
    return f"http://127.0.0.1:{unused_port()}"


def answering(body: object, status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


TOKEN = answering({"login": "ada", "token": "token-secret-55d1", "TTL": 3600})


def talking(talk: Talk) -> Handler:
    """A websocket that says and hears what a test wants."""

    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    return upgrade


async def listen(socket: web.WebSocketResponse) -> None:
    """Hear the client out, and say nothing."""
    async for _ in socket:
        pass


async def sign_on(socket: web.WebSocketResponse, line: str = LINE) -> None:
    """Do what xuc does at the beginning of a session."""
    await socket.send_str(LOGGED_ON)
    await socket.receive()
    await socket.send_str(line)


async def told_of(session: Session, kind: type[Told]) -> Told:
    """Read on to the next of a kind."""
    async for told in session:
        if isinstance(told, kind):
            return told
    raise AssertionError("the session ended without an exception")
