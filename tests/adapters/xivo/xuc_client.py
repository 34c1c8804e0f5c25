"""A plain xuc client for tests of the simulator: it knows the protocol sheet and nothing of our adapter."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from adapters.xivo.simulator import XivoSimulator

EARLY = {"UserConfigUpdate", "RightProfile", "PhoneStatusUpdate"}
WAIT_S = 5

Frame = dict[str, Any]


class Reply(NamedTuple):
    status: int
    body: Any


class Phone:
    """One socket of one user."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> Frame:
        frame: Frame = await self.socket.receive_json(timeout=WAIT_S)
        return frame

    async def send(self, frame: Frame) -> None:
        await self.socket.send_json(frame)

    async def web(self, command: str, **fields: Any) -> None:
        await self.send({"claz": "web", "command": command, **fields})

    async def so_far(self) -> list[Frame]:
        """Everything that is on its way: a ping comes back after it."""
        seen: list[Frame] = []
        await self.send({"claz": "ping"})
        while (frame := await self.next()) != {"claz": "ping"}:
            seen.append(frame)
        return seen

    async def told(self) -> list[Frame]:
        """The messages on their way, without what concerns the phone alone."""
        return [one for one in await self.so_far() if one.get("msgType") != "PhoneEvent"]

    async def do(self, command: str, **fields: Any) -> list[Frame]:
        """Send a command and read what comes of it."""
        await self.web(command, **fields)
        return await self.told()

    async def fails(self, command: str, **fields: Any) -> str:
        """Send a conference command that must fail, and give its code."""
        [frame] = await self.do(command, **fields)
        assert frame["msgType"] == "ConferenceCommandError"
        assert set(frame["ctiMessage"]) == {"error"}
        code: str = frame["ctiMessage"]["error"]
        return code

    async def rooms(self) -> Any:
        """Ask for the list; what was pushed before the answer is passed over."""
        told = await self.do("getList", objectType="meetme")
        return [one["ctiMessage"] for one in told if one["msgType"] == "ConferenceList"][-1]

    async def over(self) -> int | None:
        """Wait for the end of the connection, and give the code of the close frame, None without one."""
        while (last := await self.socket.receive(timeout=WAIT_S)).type is aiohttp.WSMsgType.TEXT:
            pass
        # The socket's own close_code is 1006 as well when its answer to the close frame finds the connection gone.
        return int(last.data) if last.type is aiohttp.WSMsgType.CLOSE else None


class XucClient:
    def __init__(self, sim: XivoSimulator, http: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.http = http

    @property
    def base(self) -> str:
        return f"{self.sim.url}/xuc/api/2.0"

    async def login(self, login: str, password: str | None = None) -> Reply:
        body = {"login": login, "password": password or f"pw-{login}"}
        async with self.http.post(f"{self.base}/auth/login", json=body) as response:
            return Reply(response.status, await response.json())

    async def check(self, token: str) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(f"{self.base}/auth/check", headers=headers) as response:
            return Reply(response.status, await response.json())

    async def token(self, login: str) -> str:
        token: str = (await self.login(login)).body["token"]
        return token

    @asynccontextmanager
    async def socket(self, login: str, token: str | None = None) -> AsyncIterator[Phone]:
        """A socket as it is right after the handshake."""
        async with self.http.ws_connect(f"{self.base}/cti", params={"token": token or await self.token(login)}) as ws:
            yield Phone(ws)

    @asynccontextmanager
    async def phone(self, login: str) -> AsyncIterator[Phone]:
        """A socket whose early messages have been read."""
        async with self.socket(login) as phone:
            await phone.so_far()
            yield phone


@asynccontextmanager
async def xuc(prepare: Callable[[XivoSimulator], object] = lambda _: None, **settings: Any) -> AsyncIterator[XucClient]:
    """A running simulator with a few users and rooms: ada, ben and cleo have lines, web has none."""
    async with XivoSimulator(**settings) as sim, aiohttp.ClientSession() as http:
        for login, name, number in (("ada", "Ada L", "1002"), ("ben", "Ben R", "1003"), ("cleo", "Cleo T", "1004")):
            sim.add_user(login, f"pw-{login}", name=name, number=number)
        sim.add_user("web", "pw-web")
        sim.add_room("4000", "open")
        sim.add_room("4001", "support", pin="1234", organizer_pin="9876")
        prepare(sim)
        yield XucClient(sim, http)


def payload(frame: Frame, kind: str) -> Any:
    """The payload of a message that must be of this type."""
    assert frame["msgType"] == kind, frame
    return frame["ctiMessage"]


def events(frames: list[Frame]) -> list[tuple[str, str, int | None]]:
    """What conference events tell: type of message, type of event, slot."""
    return [
        (one["msgType"], one["ctiMessage"]["eventType"], one["ctiMessage"].get("index"))
        for one in frames
        if one["msgType"] in ("ConferenceEvent", "ConferenceParticipantEvent")
    ]
