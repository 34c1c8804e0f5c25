"""A client of a small server that answers as a test wants, as the adapter has it, without the adapter around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import unused_port

from adapters.bandwidth.client import Client
from adapters.bandwidth.config import BandwidthSettings
from adapters.bandwidth.transport import Transport

TOKEN = "t-token-secret-6d1f"
SECRET = "basic-secret-93ba"
USER = "u-4711"
BASE = f"/v1/users/{USER}"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def settings_for(url: str, **change: Any) -> BandwidthSettings:
    given = {
        "url": url,
        "user_id": USER,
        "token": TOKEN,
        "secret": SECRET,
        "number": "+12025550100",
        "callback_url": "http://127.0.0.1/hooks/bw",
        "requests_per_second": 1000,
    }
    return BandwidthSettings.model_validate(given | change)


class Seat:
    """What a test has in hand."""

    def __init__(self, settings: BandwidthSettings) -> None:
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


class Asked:
    """What has arrived at a server, and what it answers next; the last answer is given again and again."""

    def __init__(self, *answers: Handler) -> None:
        self.requests: list[web.Request] = []
        self._answers = answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.requests.append(request)
        return await self._answers[min(len(self.requests), len(self._answers)) - 1](request)

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.raw_path}" for request in self.requests]


@asynccontextmanager
async def served(answer: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def seat_before(asked: Asked, **change: Any) -> AsyncIterator[Seat]:
    async with served(asked.answer) as url, seat_at(url, **change) as seat:
        yield seat


def answering(body: object, status: int = 200, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=named)

    return answer


def plain(status: int, text: str = "", **headers: str) -> Handler:
    """An answer as it is: an empty one may well call itself JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=text.encode(), headers=named)

    return answer


def failing(status: int, code: str | None = None, category: str | None = None, **headers: str) -> Handler:
    return answering({"category": category, "code": code, "message": "of theirs", "details": []}, status, **headers)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


def nowhere() -> str:
    """The URL of a port that nobody listens on."""
    return f"http://127.0.0.1:{unused_port()}"
