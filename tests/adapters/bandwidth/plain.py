"""A plain client of Bandwidth for tests of the simulator: it knows the protocol sheet and nothing of our adapter."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.bandwidth.simulator import BandwidthSimulator
from adapters.kit.listener import Listener


class Reply(NamedTuple):
    status: int
    body: Any
    headers: Any

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, category and code; each refusal has a message and says what it is about."""
        assert self.body["message"]
        details = {one["name"]: one["value"] for one in self.body["details"]}
        assert details["remoteAddress"] == "127.0.0.1"
        assert details["requestPath"].startswith("users/")
        return self.status, self.body["category"], self.body["code"]

    @property
    def made(self) -> str:
        assert (self.status, self.body) == (201, None)
        assert "Content-Type" not in self.headers
        return str(self.headers["Location"]).rpartition("/")[2]


class Client:
    def __init__(self, sim: BandwidthSimulator, http: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        """Ask for what follows the user."""
        more.setdefault("auth", (self.sim.token, self.sim.secret))
        basic = aiohttp.encode_basic_auth(*more.pop("auth"))
        url = f"{self.sim.url}/v1/users/{more.pop('user', self.sim.user_id)}/{path}"
        if body is not None:
            more["data"] = body if isinstance(body, bytes) else json.dumps(body)
        async with self.http.request(method, url, headers={"Authorization": basic}, **more) as response:
            text = await response.text()
            return Reply(response.status, json.loads(text) if text else None, response.headers)

    async def get(self, path: str, **more: Any) -> Any:
        reply = await self.ask("GET", path, **more)
        assert reply.status == 200, reply
        return reply.body

    async def post(self, path: str, body: Any) -> None:
        """Change something."""
        reply = await self.ask("POST", path, body)
        assert (reply.status, reply.body) == (200, None), reply
        assert "Content-Type" not in reply.headers

    async def make(self, path: str, body: Any) -> str:
        return (await self.ask("POST", path, body)).made

    async def refused(self, path: str, body: Any) -> tuple[int, str, str]:
        return (await self.ask("POST", path, body)).refusal

    async def conference(self, **more: Any) -> str:
        return await self.make("conferences", {"from": self.sim.number, **more})

    async def call(self, to: str = "+12025550101", **more: Any) -> str:
        return await self.make("calls", {"from": self.sim.number, "to": to, **more})


@asynccontextmanager
async def bandwidth(**settings: Any) -> AsyncIterator[Client]:
    async with BandwidthSimulator(**settings) as sim, aiohttp.ClientSession() as http:
        yield Client(sim, http)


class Hook:
    """Whom callbacks go to, who answers as told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.requests: list[Request] = []
        self.status = 200
        self.silent = False
        self._came = asyncio.Event()
        self._listener = Listener(
            Starlette(routes=[Route("/{path}", self._take, methods=["GET", "POST"])]), "127.0.0.1", 0
        )

    def url(self, path: str = "hook", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self._listener.port}/{path}"

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many events."""
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()
        assert len(self.got) == count
        return self.got

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Hook"]:
        await self._listener.start()
        try:
            yield self
        finally:
            await self._listener.stop()

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append(request)
        if self.silent:
            await request.receive()
        if self.status == 200:
            self.raw.append(body)
            self.got.append(_event(request, body))
        self._came.set()
        return Response(status_code=self.status)


def _event(request: Request, body: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query_params)
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
