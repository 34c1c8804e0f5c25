"""A plain Kazoo client for tests of the simulator: it knows the protocol sheet and nothing of our adapter."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from adapters.kazoo.simulator import Generation, KazooSimulator


class Reply(NamedTuple):
    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        return self.body["data"]


class KazooClient:
    def __init__(self, sim: KazooSimulator, session: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.session = session
        self.token = ""

    @property
    def rooms(self) -> str:
        return f"accounts/{self.sim.account_id}/conferences"

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        headers = {"X-Auth-Token": self.token} | options.pop("headers", {})
        async with self.session.request(
            method, f"{self.sim.base_url}/v2/{path}", json=body, headers=headers, **options
        ) as response:
            found = await response.json() if await response.read() else {}
            return Reply(response.status, found, response.headers)

    async def sign_in(self) -> Reply:
        plain = f"{self.sim.username.lower()}:{self.sim.password}".encode()
        data = {"credentials": hashlib.md5(plain).hexdigest(), "account_name": self.sim.account_name}
        reply = await self.call("PUT", "user_auth", {"data": data})
        self.token = reply.body.get("auth_token", "")
        return reply

    async def room(self, room_id: str) -> Reply:
        return await self.call("GET", f"{self.rooms}/{room_id}")

    async def act(self, path: str, action: str | None, /, **args: Any) -> Reply:
        return await self.call("PUT", f"{self.rooms}/{path}", {"data": {"action": action, "data": args}})


class EventClient:
    def __init__(self, sim: KazooSimulator, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self.sim = sim
        self.socket = socket
        self.token = token

    async def ask(self, action: str, data: Any = None, **more: Any) -> dict[str, Any]:
        request = {"action": action, "auth_token": self.token, "request_id": "r1", "data": data or {}} | more
        await self.socket.send_json(request)
        return await self.next()

    async def subscribe(self, binding: str) -> dict[str, Any]:
        return await self.ask("subscribe", {"account_id": self.sim.account_id, "binding": binding})

    async def next(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.socket.receive_json(timeout=5)
        return found

    async def names(self, count: int) -> list[str]:
        return [(await self.next())["data"]["event"] for _ in range(count)]


@asynccontextmanager
async def kazoo(generation: Generation = Generation.K4_3, **settings: Any) -> AsyncIterator[KazooClient]:
    """A running simulator and a client signed in to it."""
    async with KazooSimulator(generation=generation, **settings) as sim, aiohttp.ClientSession() as session:
        client = KazooClient(sim, session)
        await client.sign_in()
        yield client


@asynccontextmanager
async def blackhole(client: KazooClient, **settings: Any) -> AsyncIterator[EventClient]:
    async with client.session.ws_connect(client.sim.socket_url, **settings) as socket:
        yield EventClient(client.sim, socket, client.token)
