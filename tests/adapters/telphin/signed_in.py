"""A client of a Telphin that answers as a test wants, as the adapter has it, without the adapter around it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from aiohttp import web
from aiohttp.test_utils import unused_port

from adapters.telphin.client import Client
from adapters.telphin.config import TelphinSettings
from adapters.telphin.transport import Transport

APP_ID = "app-1"
APP_SECRET = "app-secret-8d21"
TOKEN = "token-secret-77ab"
HOOK = "http://127.0.0.1:8000/hooks/pbx/"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def settings_for(url: str, **change: Any) -> TelphinSettings:
    given = {"url": url, "app_id": APP_ID, "app_secret": APP_SECRET, "webhook_url": HOOK}
    return TelphinSettings.model_validate(given | change)


class Seat:
    def __init__(self, settings: TelphinSettings) -> None:
        self.settings = settings
        self.transport = Transport(settings)
        self.client = Client(self.transport)


@asynccontextmanager
async def seat_at(url: str, **change: Any) -> AsyncIterator[Seat]:
    seat = Seat(settings_for(url, **change))
    try:
        yield seat
    finally:
        await seat.transport.aclose()


class Server:
    """What has arrived at a server, and what it answers: one after the other, the last of them again and again."""

    def __init__(self, *answers: Handler, token: Handler | None = None) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.sign_ins: list[web.Request] = []
        self._answers = answers or (answering({}),)
        self._token = token or granting()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.requests.append(request)
        return await self._answers[min(len(self.requests), len(self._answers)) - 1](request)

    async def grant(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.sign_ins.append(request)
        return await self._token(request)

    @property
    def tokens(self) -> list[str]:
        return [request.headers["Authorization"] for request in self.requests]

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.raw_path}" for request in self.requests]


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/oauth/token", server.grant)
    app.router.add_route("*", "/{rest:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def seat_before(server: Server, **change: Any) -> AsyncIterator[Seat]:
    async with served(server) as url, seat_at(url, **change) as seat:
        yield seat


def granting(**more: object) -> Handler:
    """Give tokens t1, t2 and so on."""
    numbers = count(1)

    async def grant(request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": f"t{next(numbers)}", "token_type": "Bearer", **more})

    return grant


def answering(body: object, status: int = 200, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=named)

    return answer


def plain(status: int, text: str = "") -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


def counted(limit: int, remaining: int, reset_s: int, status: int = 200, body: object = None) -> Handler:
    """Answer with what Telphin says of the quota."""
    return answering({} if body is None else body, status, **quota(limit, remaining, reset_s))


def quota(limit: int, remaining: int, reset_s: int) -> dict[str, str]:
    found = {"X_RateLimit_Limit": limit, "X_RateLimit_Remaining": remaining, "X_RateLimit_Reset": reset_s}
    return {name: str(number) for name, number in found.items()}


def nowhere() -> str:
    """The URL of a port that nobody listens on."""
    return f"http://127.0.0.1:{unused_port()}"
