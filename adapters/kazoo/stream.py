"""The event socket: Blackhole's requests and replies, its ping, and the raw frames it sends."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import msgspec
from aiohttp import (
    ClientError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSMsgType,
    WSServerHandshakeError,
)

from adapters.kazoo.errors import UnreachableError, is_bad_token, is_too_fast
from adapters.kazoo.events import Reply
from adapters.kazoo.pace import Bucket
from adapters.kazoo.sign_in import SignIn
from adapters.kit.understanding import JsonObject
from gateway.model.errors import LinkDown

_HEARTBEAT_S = 20.0
"""The websocket's own ping; half of it later the connection counts as lost."""
_LARGEST_FRAME_BYTES = 4 * 1024 * 1024
_TRIES = 5
_SLOWED_S = 1.0


class EventSocket:
    """One open connection to Blackhole.

    Shape: `frames` has to be read all the time, and each Reply in them given to `answered`, or none ever arrives.
    """

    def __init__(self, socket: ClientWebSocketResponse[bool], sign_in: SignIn, timeout_s: float) -> None:
        self.bucket = Bucket()
        self._socket = socket
        self._sign_in = sign_in
        self._timeout_s = timeout_s
        self._serial = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Reply]] = {}

    @classmethod
    async def connect(cls, session: ClientSession, url: str, sign_in: SignIn, timeout_s: float) -> "EventSocket":
        """Open the socket, without a sub-protocol, since Kazoo refuses any.

        Errors: LinkDown.
        """
        try:
            async with asyncio.timeout(timeout_s):
                socket = await session.ws_connect(
                    url,
                    timeout=ClientWSTimeout(ws_close=timeout_s),
                    heartbeat=_HEARTBEAT_S,
                    max_msg_size=_LARGEST_FRAME_BYTES,
                    decode_text=False,
                )
        except WSServerHandshakeError as error:
            raise LinkDown(f"the event socket answered {error.status} instead of opening") from None
        except (ClientError, TimeoutError, OSError) as error:
            raise LinkDown(f"the event socket cannot be opened ({type(error).__name__})") from None
        return cls(socket, sign_in, timeout_s)

    async def aclose(self) -> None:
        """Say goodbye."""
        self._give_up()
        await self._socket.close()

    async def frames(self) -> AsyncIterator[bytes]:
        """Give each frame as it came, until the connection ends."""
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                yield message.data
            else:
                self._give_up()
                return

    def answered(self, reply: Reply) -> None:
        """Take a reply from the frames; one that nobody waits for any more is let go."""
        waiter = self._waiting.get(reply.request_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(reply)

    def _give_up(self) -> None:
        """Tell who waits for a reply that there will be none."""
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(UnreachableError("the event socket was closed", sent=True))

    async def subscribe(self, account_id: str, binding: str) -> list[str] | None:
        """Ask for events; None is success, else Kazoo's reasons for refusing.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        return (await self._ask("subscribe", {"account_id": account_id, "binding": binding})).errors

    async def unsubscribe(self, account_id: str, binding: str) -> None:
        """Ask for no more of them.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        await self._ask("unsubscribe", {"account_id": account_id, "binding": binding})

    async def ping(self) -> None:
        """See that Kazoo still answers: any reply will do, since few versions know the request.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        await self._ask("ping", {})

    async def _ask(self, action: str, data: JsonObject) -> Reply:
        """Ask, again after a pause when we were too fast, and once more with a new token when ours was not taken."""
        tries_left, renewed = _TRIES, False
        while True:
            await self.bucket.take()
            token = await self._sign_in.token()
            reply = await self._ask_once(action, data, token)
            texts = reply.errors or []
            tries_left -= 1
            if is_bad_token(texts) and not renewed:
                renewed = True
                self._sign_in.reject(token)
            elif is_too_fast(texts) and tries_left > 0:
                self.bucket.empty()
                await asyncio.sleep(_SLOWED_S)
            else:
                return reply

    async def _ask_once(self, action: str, data: JsonObject, token: str) -> Reply:
        request_id = f"gateway-{next(self._serial)}"
        body = {"action": action, "auth_token": token, "request_id": request_id, "data": data}
        waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = waiter
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._socket.send_str(msgspec.json.encode(body).decode())
                return await waiter
        except TimeoutError:
            raise UnreachableError("the event socket did not answer in time", sent=True) from None
        except (ClientError, ConnectionError) as error:
            raise UnreachableError(f"the event socket broke ({type(error).__name__})", sent=True) from None
        finally:
            del self._waiting[request_id]
