"""The CTI socket of one account: opened with its token, kept alive by pings, raw frames in and out."""

import asyncio

import msgspec
from aiohttp import ClientError, ClientWebSocketResponse, ClientWSTimeout, WSMsgType, WSServerHandshakeError
from yarl import URL

from adapters.kit.understanding import JsonObject
from adapters.xivo.config import XivoSettings
from adapters.xivo.errors import handshake_refused
from adapters.xivo.sign_in import SignIn
from adapters.xivo.transport import Transport
from gateway.model.errors import LinkDown

_PING = '{"claz":"ping"}'
_MOST_MISSES = 3
_LARGEST_FRAME_BYTES = 4 * 1024 * 1024
_GOODBYE_S = 2.0

_Socket = ClientWebSocketResponse[bool]


class CtiSocket:
    """One open connection to xuc.

    Shape: `frame` has to be asked for all the time. After the last one, `reason` says why there are no more, and
           `closed_by_xivo` whether XiVO said goodbye.
    """

    def __init__(self, socket: _Socket, settings: XivoSettings) -> None:
        self.reason = "the connection to XiVO broke"
        self.closed_by_xivo = False
        self._socket = socket
        self._keepalive_s = settings.keepalive_s
        self._send_limit_s = settings.request_timeout_s
        self._misses = 0
        self._listening = False
        self._pings = asyncio.create_task(self._keep_alive(), name="xivo: ping")

    @classmethod
    async def open(cls, transport: Transport, sign_in: SignIn) -> "CtiSocket":
        """Open the socket; a token that is not taken is replaced once.

        Errors: SignInRefused, LinkDown.
        """
        for _ in range(2):
            token = await sign_in.token()
            opened = await _handshake(transport, token)
            if isinstance(opened, LinkDown):
                raise opened
            if opened is not None:
                return cls(opened, transport.settings)
            sign_in.reject(token)
        raise handshake_refused(sign_in.login)

    async def aclose(self) -> None:
        """Stop pinging and say goodbye."""
        self._pings.cancel()
        await asyncio.gather(self._pings, return_exceptions=True)
        await self._socket.close()

    async def frame(self) -> bytes | None:
        """Wait for the next frame, as it came; None when the connection has ended."""
        self._listening = True
        try:
            message = await self._socket.receive()
        finally:
            self._listening = False
        self._misses = 0
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                frame: bytes = message.data
                return frame
            case WSMsgType.CLOSE:
                self.closed_by_xivo = True
                self.reason = f"XiVO closed the connection (code {message.data})"
            case WSMsgType.ERROR:
                self.reason = "XiVO sent what is no websocket frame, or one that is too large"
        return None

    async def send(self, frame: JsonObject) -> None:
        """Send a frame just as it is given.

        Errors: LinkDown; whether the frame has arrived is not known.
        """
        if not await self._sent(msgspec.json.encode(frame).decode(), self._send_limit_s):
            raise LinkDown("the connection to XiVO broke")

    async def _sent(self, text: str, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self._socket.send_str(text)
        except (ClientError, OSError, TimeoutError):
            return False
        return True

    async def _keep_alive(self) -> None:
        """Ping, and close the connection when nothing comes from XiVO; any frame is a sign of life.

        A frame that nobody here has fetched yet is no silence of XiVO's: misses count while one is waited for.
        """
        while True:
            await asyncio.sleep(self._keepalive_s)
            if self._misses >= _MOST_MISSES:
                self.reason = f"XiVO has sent nothing for {_MOST_MISSES * self._keepalive_s:g} s"
                break
            self._misses += self._listening
            if not await self._sent(_PING, self._keepalive_s):
                break
        await self._socket.close()


async def _handshake(transport: Transport, token: str) -> _Socket | LinkDown | None:
    """Try to open the socket; None is a token that is not taken.

    aiohttp's exceptions hold the URL, and with it the token: they end here, and are not even a context of ours.
    """
    url = URL(transport.settings.cti_url).with_query(token=token)
    try:
        async with asyncio.timeout(transport.settings.request_timeout_s):
            return await transport.session.ws_connect(
                url,
                timeout=ClientWSTimeout(ws_close=_GOODBYE_S),
                max_msg_size=_LARGEST_FRAME_BYTES,
                decode_text=False,
            )
    except WSServerHandshakeError as error:
        if error.status in (401, 403):
            return None
        return LinkDown(f"the websocket answered {error.status} instead of opening")
    except (ClientError, OSError, TimeoutError) as error:
        return LinkDown(f"the websocket cannot be opened ({type(error).__name__})")
