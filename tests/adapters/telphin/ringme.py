"""A plain client of Telphin and a plain hook for tests of the simulator: they know nothing of our adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.kit.listener import Listener
from adapters.telphin.simulator import TelphinSimulator

SECRET = "app-secret-3f19"
EVENTS = ("dial-in", "answer", "hangup")


class Reply(NamedTuple):
    status: int
    body: Any
    headers: Any

    @property
    def reason(self) -> str | None:
        """The word of a refusal; its text is there as well."""
        assert self.body["message"]
        reason: str | None = self.body.get("status")
        return reason


class Client:
    """An application that has a token."""

    def __init__(self, sim: TelphinSimulator, http: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.http = http
        self.token = ""

    async def sign_in(self, secret: str = SECRET, **form: str) -> Reply:
        given = {"grant_type": "client_credentials", "client_id": self.sim.app_id, "client_secret": secret} | form
        return await self._send("POST", f"{self.sim.url}/oauth/token", {}, data=given)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        if body is not None:
            more["json"] = body
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self._send(method, f"{self.sim.url}/api/ver1.0/{path}", headers, **more)

    async def _send(self, method: str, url: str, headers: dict[str, str], **more: Any) -> Reply:
        async with self.http.request(method, url, headers=headers, **more) as response:
            text = await response.text()
            return Reply(response.status, await response.json() if text else None, response.headers)

    async def current_calls(self) -> list[dict[str, Any]]:
        reply = await self.ask("GET", "client/@me/current_calls/")
        assert reply.status == 200
        calls: list[dict[str, Any]] = reply.body
        return calls

    async def subscribe(self, room: str, url: str, *types: str, method: str = "POST") -> list[int]:
        ids = []
        for event_type in types or EVENTS:
            body = {"url": url, "event_type": event_type, "method": method}
            reply = await self.ask("POST", f"extension/{room}/event/", body)
            assert reply.status == 201, reply
            ids.append(reply.body["id"])
        return ids


class Hook:
    """Whoever is told of events, and answers as told."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.methods: list[str] = []
        self.status = 200
        self.silent = False
        self.called = asyncio.Event()
        self._listener = Listener(
            Starlette(routes=[Route("/hook", self._take, methods=["GET", "POST"])]), "127.0.0.1", 0
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/hook"

    def told(self) -> list[str]:
        return [one["EventType"] for one in self.got]

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop()

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if request.method == "POST":
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        self.raw.append(body)
        self.methods.append(request.method)
        self.got.append(dict(parse_qsl(body.decode()) if request.method == "POST" else request.query_params))
        self.called.set()
        if self.silent:
            await request.receive()
        return Response(status_code=self.status)


@asynccontextmanager
async def hooked() -> AsyncIterator[Hook]:
    hook = Hook()
    await hook.start()
    try:
        yield hook
    finally:
        await hook.stop()


@asynccontextmanager
async def telphin(
    prepare: Callable[[TelphinSimulator], object] = lambda _: None, **settings: Any
) -> AsyncIterator[Client]:
    """A running simulator and an application with a token."""
    async with TelphinSimulator(app_secret=SECRET, **settings) as sim, aiohttp.ClientSession() as http:
        prepare(sim)
        client = Client(sim, http)
        client.token = (await client.sign_in()).body["access_token"]
        yield client
