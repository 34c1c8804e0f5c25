"""A plain client of RingCentral for tests of the simulator: it knows the protocol sheet and nothing of our adapter."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple

import aiohttp

from adapters.ringcentral.simulator import Extension, RingCentralSimulator

OWN = "/restapi/v1.0/account/~/extension/~/telephony/sessions"
WHOLE = "/restapi/v1.0/account/~/telephony/sessions"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
WAIT_S = 5

Frame = list[dict[str, Any]]


class Reply(NamedTuple):
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The code of a failure, which stands in the envelope twice."""
        assert self.body["errors"][0]["message"]
        first: str = self.body["errors"][0]["errorCode"]
        assert self.body.get("errorCode") in (first, "TokenInvalid", None)
        return first


class Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._ids = count(1)
        self._notified: list[dict[str, Any]] = []

    async def next(self) -> Frame:
        frame: Frame = await self.socket.receive_json(timeout=WAIT_S)
        return frame

    async def ask(self, method: str, path: str, body: Any = None, **meta: Any) -> Frame:
        """Send a request and give its answer; notifications that come first are kept."""
        message_id = f"m{next(self._ids)}"
        asked = {"type": "ClientRequest", "messageId": message_id, "method": method, "path": path, **meta}
        await self.socket.send_json([asked] if body is None else [asked, body])
        while (frame := await self.next())[0]["messageId"] != message_id:
            self._keep(frame)
        return frame

    async def subscribe(self, *filters: str) -> Frame:
        wanted = {"eventFilters": list(filters or (OWN,)), "deliveryMode": {"transportType": "WebSocket"}}
        answer = await self.ask("POST", "/restapi/v1.0/subscription", wanted)
        assert answer[0]["status"] == 200, answer
        return answer

    async def told(self) -> list[dict[str, Any]]:
        """Give the notifications that are on their way: a heartbeat comes back after them."""
        beat = {"type": "Heartbeat", "messageId": f"h{next(self._ids)}"}
        await self.socket.send_json([beat])
        while (frame := await self.next()) != [beat]:
            self._keep(frame)
        told, self._notified = self._notified, []
        return told

    async def changes(self) -> list[tuple[str, int, str, str]]:
        """Give what is on its way as session, sequence, number of the party, state."""
        return [change(one) for one in await self.told()]

    async def over(self) -> int | None:
        """Wait for the end of the connection, and give the code of the close frame, None without one."""
        while (last := await self.socket.receive(timeout=WAIT_S)).type is aiohttp.WSMsgType.TEXT:
            pass
        return int(last.data) if last.type is aiohttp.WSMsgType.CLOSE else None

    def _keep(self, frame: Frame) -> None:
        meta, body = frame
        assert (meta["type"], meta["messageId"]) == ("ServerNotification", body["uuid"])
        self._notified.append(body)


class Client:
    """Ada, signed in, with an app of hers; she is the host of every conference."""

    def __init__(self, sim: RingCentralSimulator, http: aiohttp.ClientSession, ada: Extension) -> None:
        self.sim = sim
        self.http = http
        self.ada = ada
        self.token = ""

    # Sign-in

    async def oauth(self, what: str, form: dict[str, str], secret: str | None = None) -> Reply:
        basic = aiohttp.encode_basic_auth(self.sim.client_id, secret or self.sim.client_secret)
        return await self._send("POST", f"{self.sim.url}/restapi/oauth/{what}", {"Authorization": basic}, data=form)

    async def sign_in(self, jwt: str | None = None, secret: str | None = None) -> Reply:
        return await self.oauth("token", {"grant_type": BEARER, "assertion": jwt or self.ada.jwt}, secret)

    async def refresh(self, token: str) -> Reply:
        return await self.oauth("token", {"grant_type": "refresh_token", "refresh_token": token})

    # Requests

    async def rest(self, method: str, path: str, body: Any = None, token: str | None = None, **more: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            more["json"] = body
        return await self._send(method, f"{self.sim.url}/restapi/v1.0/{path}", headers, **more)

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        """Ask something of telephony."""
        return await self.rest(method, f"account/~/telephony/{path}", body)

    async def _send(self, method: str, url: str, headers: dict[str, str], **more: Any) -> Reply:
        async with self.http.request(method, url, headers=headers, **more) as response:
            text = await response.text()
            return Reply(response.status, await response.json() if text else None, response.headers)

    async def me(self, token: str) -> int:
        """Tell how a request with this token is answered."""
        return (await self.rest("GET", "account/~/extension/~", token=token)).status

    # Conferences

    async def conference(self, *, hosted: bool = True) -> str:
        reply = await self.call("POST", "conference")
        assert reply.status == 201
        conference: str = reply.body["session"]["id"]
        if hosted:
            self.sim.host_dials(conference)
        return conference

    async def bring_in(self, conference: str, call: str, party: str | None = None) -> Reply:
        body = {"sessionId": call, "partyId": party or self.sim.own_party_id(call)}
        return await self.call("POST", f"sessions/{conference}/parties/bring-in", body)

    async def brought_in(self, conference: str, number: str = "+12025550100") -> tuple[str, str]:
        """Call somebody and bring them in: the call, and the leg in the conference."""
        call = self.sim.make_call(self.ada, number)
        reply = await self.bring_in(conference, call)
        assert reply.status == 201, reply
        return call, reply.body["id"]

    async def legs(self, conference: str) -> dict[str, Any]:
        """Read a conference: state of each leg, by its number."""
        reply = await self.call("GET", f"sessions/{conference}")
        assert reply.status == 200
        return {one["id"].rpartition("-")[2]: one["status"]["code"] for one in reply.body["parties"]}

    # Sockets

    async def socket_token(self, token: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        reply = await self._send("POST", f"{self.sim.url}/restapi/oauth/wstoken", headers)
        assert reply.status == 200
        body: dict[str, Any] = reply.body
        return body

    @asynccontextmanager
    async def socket(self, wsc: str | None = None, token: str | None = None) -> AsyncIterator[tuple[Socket, Frame]]:
        """A socket and its first frame."""
        given = await self.socket_token(token)
        params = {"access_token": given["ws_access_token"]} | ({} if wsc is None else {"wsc": wsc})
        async with self.http.ws_connect(given["uri"], params=params) as websocket:
            socket = Socket(websocket)
            yield socket, await socket.next()

    @asynccontextmanager
    async def subscribed(self, *filters: str) -> AsyncIterator[Socket]:
        async with self.socket() as (socket, _):
            await socket.subscribe(*filters)
            yield socket


@asynccontextmanager
async def ringcentral(
    prepare: Callable[[RingCentralSimulator], object] = lambda _: None, **settings: Any
) -> AsyncIterator[Client]:
    """A running simulator with ada and ben, and a client who is signed in as ada."""
    async with RingCentralSimulator(**settings) as sim, aiohttp.ClientSession() as http:
        ada = sim.add_extension("Ada Lambert", "101")
        sim.add_extension("Ben Rowe", "102")
        prepare(sim)
        client = Client(sim, http, ada)
        client.token = (await client.sign_in()).body["access_token"]
        yield client


def change(notification: dict[str, Any]) -> tuple[str, int, str, str]:
    """Session, sequence, number of the party and its state."""
    body = notification["body"]
    [party] = body["parties"]
    number = party["id"].rpartition("-")[2]
    return body["telephonySessionId"], body["sequence"], number, party["status"]["code"]
