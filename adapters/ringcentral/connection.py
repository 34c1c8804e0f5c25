"""One websocket to RingCentral: the handshake with a token of its own, its introduction, and frames in and out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import ClientError, ClientWebSocketResponse, ClientWSTimeout, WSMsgType, WSServerHandshakeError
from yarl import URL

from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, decoded, shaped
from adapters.ringcentral.client import Client
from adapters.ringcentral.errors import RefusedError, as_link_errors, link_error, refusal
from adapters.ringcentral.wire import ConnectionJson, MetaJson, WsTokenJson
from gateway.model.errors import GatewayError, LinkDown

_LARGEST_FRAME_BYTES = 4 * 1024 * 1024
_GOODBYE_S = 2.0
_BAD_WSC = "WSG-400"

_WebSocket = ClientWebSocketResponse[bool]


@dataclass(frozen=True, slots=True)
class Wsc:
    """By what a connection can be taken up again, for as long as RingCentral keeps what it would have sent."""

    token: str = field(repr=False)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: what it is, and what it says, if anything."""

    meta: MetaJson
    body: object


class Connection:
    """One open websocket, introduced by RingCentral.

    Shape: `recovered` is whether the subscription of the connection before lives on here, and what was missed comes
           first; None if none was to be taken up. `wsc` is the newest. `heard_at` is by the loop's clock.
    """

    def __init__(self, websocket: _WebSocket, complaints: Complaints) -> None:
        self.recovered: bool | None = None
        self.wsc: Wsc | None = None
        self.heard_at = asyncio.get_running_loop().time()
        self._websocket = websocket
        self._complaints = complaints

    @classmethod
    async def open(cls, client: Client, wsc: Wsc | None, complaints: Complaints) -> "Connection":
        """Open a connection, taking up the one before if there is one; a new one where RingCentral knows that no more.

        Errors: SignInRefused, LinkDown.
        """
        opened = await cls._try(client, wsc, complaints)
        if isinstance(opened, RefusedError) and wsc is not None and _BAD_WSC in opened.codes:
            opened = await cls._try(client, None, complaints)
            if isinstance(opened, Connection):
                opened.recovered = False
        if isinstance(opened, RefusedError):
            raise link_error(opened)
        if isinstance(opened, GatewayError):
            raise opened
        return opened

    async def next(self) -> Frame | None:
        """Wait for a frame that can be understood; None when the connection has ended."""
        while True:
            message = await self._websocket.receive()
            self.heard_at = asyncio.get_running_loop().time()
            if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                return None
            try:
                frame = _read(message.data)
            except NotUnderstoodError as error:
                self._complaints.add(error)
                continue
            self._keep_newest(frame.meta)
            return frame

    async def send(self, meta: JsonObject, body: JsonObject | None = None) -> None:
        """Send a frame.

        Errors: ClientError, OSError; whether it has arrived is not known.
        """
        await self._websocket.send_str(msgspec.json.encode([meta] if body is None else [meta, body]).decode())

    async def aclose(self) -> None:
        """Say goodbye."""
        await self._websocket.close()

    @property
    def farewell(self) -> str:
        """How the connection ended, without RingCentral's own words."""
        code = self._websocket.close_code
        return "the event socket broke" if code in (None, 1006) else f"RingCentral closed the event socket ({code})"

    @classmethod
    async def _try(
        cls, client: Client, wsc: Wsc | None, complaints: Complaints
    ) -> "Connection | RefusedError | GatewayError":
        with as_link_errors():
            token = await client.wstoken()
        websocket = await _handshake(client, address(client.transport.settings.url, token, wsc))
        if isinstance(websocket, LinkDown):
            return websocket
        connection = cls(websocket, complaints)
        refused: RefusedError | LinkDown | None = LinkDown("RingCentral opened the event socket and said nothing")
        try:
            async with asyncio.timeout(client.transport.settings.request_timeout_s):
                refused = await connection._introduced(wsc)
        except TimeoutError:
            pass  # it has said nothing
        finally:
            if refused is not None:
                await websocket.close()
        return refused or connection

    async def _introduced(self, wsc: Wsc | None) -> RefusedError | LinkDown | None:
        """Read the first frame: what the connection is, or why there is none."""
        frame = await self.next()
        if frame is None:
            return LinkDown(self.farewell)
        if frame.meta["type"] == "Error":
            return refusal(frame.meta.get("status") or 0, frame.body)
        if frame.meta["type"] != "ConnectionDetails":
            return LinkDown("RingCentral did not introduce the event socket")
        try:
            details = shaped(frame.body, ConnectionJson, "ConnectionDetails")
        except NotUnderstoodError as error:
            return LinkDown(str(error))
        if wsc is not None:
            self.recovered = details.get("recoveryState") == "Successful"
            self.wsc = self.wsc or (wsc if self.recovered else None)
        return None

    def _keep_newest(self, meta: MetaJson) -> None:
        found = meta.get("wsc")
        if found is None:
            return
        sequence = found.get("sequence") or 0
        if self.wsc is None or sequence >= self.wsc.sequence:
            self.wsc = Wsc(found["token"], sequence)


def address(base_url: str, token: WsTokenJson, wsc: Wsc | None) -> URL:
    """Write the address of the socket: it comes from RingCentral, and our token must not go in clear where we do not.

    Errors: LinkDown.
    """
    try:
        url = URL(token["uri"])
    except ValueError:
        url = URL()
    if url.scheme not in (("wss",) if base_url.startswith("https:") else ("ws", "wss")) or not url.host:
        raise LinkDown("RingCentral says that its event socket is at an address that cannot be used")
    query: Mapping[str, str] = {"access_token": token["ws_access_token"]}
    return url.update_query(query if wsc is None else {**query, "wsc": wsc.token})


async def _handshake(client: Client, url: URL) -> _WebSocket | LinkDown:
    """Try to open the socket.

    aiohttp's exceptions hold the URL, and with it the token: they end here, and are not even a context of ours.
    """
    transport = client.transport
    try:
        async with asyncio.timeout(transport.settings.request_timeout_s):
            return await transport.session.ws_connect(
                url,
                timeout=ClientWSTimeout(ws_close=_GOODBYE_S),
                max_msg_size=_LARGEST_FRAME_BYTES,
                decode_text=False,
            )
    except WSServerHandshakeError as error:
        return LinkDown(f"the event socket answered {error.status} instead of opening")
    except (ClientError, OSError, TimeoutError) as error:
        return LinkDown(f"the event socket cannot be opened ({type(error).__name__})")


def _read(raw: bytes) -> Frame:
    """Read a frame.

    Errors: NotUnderstoodError.
    """
    parts = shaped(decoded(raw, "frame"), list[object], "frame")
    if not parts:
        raise NotUnderstoodError("frame: it is empty")
    return Frame(shaped(parts[0], MetaJson, "frame"), parts[1] if len(parts) > 1 else None)
