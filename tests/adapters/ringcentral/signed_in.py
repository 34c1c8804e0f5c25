"""A client of a simulated RingCentral as the adapter has it, without the adapter around it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import unused_port

from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.simulator import Extension, RingCentralSimulator
from adapters.ringcentral.stream import Socket, Wsc
from adapters.ringcentral.transport import Transport

APP_SECRET = "app-secret-8d21"
JWT = "jwt-secret-51c0"
TOKEN = "token-secret-77ab"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def settings_for(url: str, **change: Any) -> RingCentralSettings:
    given = {"url": url, "client_id": "simulated-app", "client_secret": APP_SECRET, "jwt": JWT}
    return RingCentralSettings.model_validate(given | change)


class Seat:
    """What a test has in hand; everything opened is closed at the end."""

    def __init__(self, settings: RingCentralSettings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.transport = Transport(settings)
        self.client = Client(self.transport)
        self._stack = stack

    async def socket(self, wsc: Wsc | None = None) -> Socket:
        socket = await Socket.open(self.client, self.settings, wsc)
        self._stack.push_async_callback(socket.aclose)
        return socket


@asynccontextmanager
async def seat_at(url: str, **change: Any) -> AsyncIterator[Seat]:
    async with AsyncExitStack() as stack:
        seat = Seat(settings_for(url, **change), stack)
        stack.push_async_callback(seat.transport.aclose)
        yield seat


class Scene(Seat):
    """A seat at a simulated RingCentral with one user."""

    sim: RingCentralSimulator
    host: Extension

    def asked(self) -> Counter[str]:
        """Count requests by method and last word of the path."""
        return Counter(f"{each.method} {each.path.rpartition('/')[2]}" for each in self.sim.requests)

    def grants(self) -> int:
        return self.asked()["POST token"]


@asynccontextmanager
async def ringcentral(change: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Scene]:
    """A simulated RingCentral and a client of it."""
    async with RingCentralSimulator(client_secret=APP_SECRET, **options) as sim, AsyncExitStack() as stack:
        scene = Scene(settings_for(sim.url, **(change or {})), stack)
        stack.push_async_callback(scene.transport.aclose)
        scene.sim = sim
        scene.host = sim.add_extension(jwt=JWT)
        yield scene


@asynccontextmanager
async def served(answer: Handler, token: Handler | None = None, socket: Handler | None = None) -> AsyncIterator[str]:
    """A server that answers as a test wants, for faults that the simulator does not know."""
    app = web.Application()
    app.router.add_post("/restapi/oauth/token", token or answering(GRANTED))
    if socket is not None:
        app.router.add_get("/ws", socket)
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


GRANTED = {"access_token": TOKEN, "expires_in": 3600}


def answering(body: object, status: int = 200, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=named)

    return answer


async def wstoken(request: web.Request) -> web.StreamResponse:
    """Name the socket beside which it is served."""
    uri = f"ws://{request.host}/ws"
    return web.json_response({"uri": uri, "ws_access_token": f"{TOKEN}-ws", "expires_in": 30})


def nowhere() -> str:
    """The URL of a port that nobody listens on."""
    return f"http://127.0.0.1:{unused_port()}"
