"""The event socket: taken up again where it broke off, requests and their answers, heartbeats, notifications."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator

from aiohttp import ClientError

from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, objects
from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.connection import Connection, Frame, Wsc
from adapters.ringcentral.errors import RateLimitedError, UnreachableError, link_error, refusal
from adapters.ringcentral.pace import Group
from gateway.model.errors import GatewayError, LinkDown

__all__ = ["Socket", "Wsc"]

_HEARTBEAT_S = 30.0
"""How long RingCentral may be silent before it is asked whether it is there."""
_ANSWER_S = 10.0
_MOST_WAITING = 1000


class Socket(AsyncIterator[JsonObject]):
    """One open connection; it gives the notifications that come, and raises SignInRefused or LinkDown at the end.

    Shape: `recovered` is whether the subscription of the connection before lives on here, and what was missed comes
           first; None if there was none before.
    """

    def __init__(self, connection: Connection, client: Client, limit_s: float, complaints: Complaints) -> None:
        self.recovered = connection.recovered
        self.complaints = complaints
        self._connection = connection
        self._pace = client.transport.pace
        self._limit_s = limit_s
        self._asked: dict[str, asyncio.Future[Frame]] = {}
        self._waiting: deque[JsonObject] = deque()
        self._changed = asyncio.Event()
        self._end: GatewayError | None = None
        self._listening = True
        self._tasks = (
            asyncio.create_task(self._listen(), name="ringcentral: frames"),
            asyncio.create_task(self._keep_alive(), name="ringcentral: heartbeat"),
        )

    @classmethod
    async def open(
        cls, client: Client, settings: RingCentralSettings, wsc: Wsc | None, complaints: Complaints | None = None
    ) -> "Socket":
        """Open the socket, with the `wsc` of the connection before if there was one.

        Errors: SignInRefused, LinkDown.
        """
        complaints = complaints or Complaints("RingCentral")
        connection = await Connection.open(client, wsc, complaints)
        return cls(connection, client, settings.request_timeout_s, complaints)

    @property
    def wsc(self) -> Wsc | None:
        """By what this connection can be taken up again: the newest that RingCentral has sent."""
        return self._connection.wsc

    async def ask(self, method: str, path: str, body: JsonObject) -> JsonObject:
        """Send a request of the medium group over the socket: only here can it be subscribed to.

        Errors: RingCentralError, NotUnderstoodError.
        """
        async with self._pace.turn(Group.MEDIUM, urgent=False) as turn:
            answer = await self._ask_once(method, path, body)
            headers = {name: str(value) for name, value in (answer.meta.get("headers") or {}).items()}
            turn.learned(headers)
            status = answer.meta.get("status") or 0
            if status == 429:
                turn.refused(headers.get("Retry-After"))
        if status == 429:
            raise RateLimitedError(self._pace.wait_s(Group.MEDIUM))
        if answer.meta["type"] == "Error" or not 200 <= status < 300:
            raise refusal(status, answer.body)
        return objects(answer.body)

    async def aclose(self) -> None:
        """Say goodbye; who waits for an answer learns that there will be none."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ended(LinkDown("the event socket was closed"))
        await self._connection.aclose()

    async def __anext__(self) -> JsonObject:
        while not self._waiting:
            if self._end is not None:
                raise type(self._end)(str(self._end))
            await self._change()
        self._changed.set()
        return self._waiting.popleft()

    # ---- what comes ----

    async def _listen(self) -> None:
        while (frame := await self._connection.next()) is not None:
            waiter = self._asked.get(frame.meta.get("messageId") or "")
            match frame.meta["type"]:
                case "ClientRequest" | "Error" if waiter is not None:
                    if not waiter.done():
                        waiter.set_result(frame)
                case "ServerNotification":
                    await self._add(frame.body)
                case "Error":
                    self._ended(_ending(frame))
                case "ClientRequest" | "Heartbeat" | "ConnectionDetails":
                    pass  # an answer that nobody waits for any more, or a sign of life
                case _:
                    self.complaints.add(NotUnderstoodError("a frame of an unknown type"))
        self._ended(LinkDown(self._connection.farewell))

    async def _add(self, body: object) -> None:
        """Keep a notification, when there is room for it: what we do not read waits at RingCentral."""
        if not isinstance(body, dict):
            self.complaints.add(NotUnderstoodError("a notification that is no object"))
            return
        while len(self._waiting) >= _MOST_WAITING:
            self._listening = False
            await self._change()
        if not self._listening:
            self._listening = True
            self._connection.heard_at = asyncio.get_running_loop().time()
        self._waiting.append(body)
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _ended(self, error: GatewayError) -> None:
        """Learn why there is nothing more; only the first reason counts."""
        self._end = self._end or error
        self._changed.set()
        for waiter in self._asked.values():
            if not waiter.done():
                waiter.set_exception(UnreachableError("the event socket was closed", sent=True))

    # ---- what goes ----

    async def _ask_once(self, method: str, path: str, body: JsonObject) -> Frame:
        if self._end is not None:
            raise UnreachableError("the event socket was closed", sent=False)
        message_id = str(uuid.uuid4())
        waiter: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked[message_id] = waiter
        meta: JsonObject = {"type": "ClientRequest", "messageId": message_id, "method": method, "path": path}
        try:
            async with asyncio.timeout(self._limit_s):
                await self._connection.send({**meta, "headers": {}}, body)
                return await waiter
        except TimeoutError:
            raise UnreachableError("the event socket did not answer in time", sent=True) from None
        except (ClientError, OSError) as error:
            raise UnreachableError(f"the event socket broke ({type(error).__name__})", sent=True) from None
        finally:
            del self._asked[message_id]

    async def _keep_alive(self) -> None:
        """Ask whether RingCentral is there when it has been silent, and give it up when it does not say so."""
        loop = asyncio.get_running_loop()
        while True:
            silent_s = loop.time() - self._connection.heard_at if self._listening else 0.0
            if silent_s < _HEARTBEAT_S:
                await asyncio.sleep(_HEARTBEAT_S - silent_s)
            elif not await self._answered(loop.time()):
                break
        self._ended(LinkDown(f"RingCentral did not answer a heartbeat for {_ANSWER_S:g} s"))
        await self._connection.aclose()

    async def _answered(self, asked_at: float) -> bool:
        """Send a heartbeat; any frame is an answer, and who does not listen cannot say that there was none."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._connection.send({"type": "Heartbeat", "messageId": str(uuid.uuid4())})
        except (ClientError, OSError, TimeoutError):
            return False
        await asyncio.sleep(_ANSWER_S)
        return self._connection.heard_at >= asked_at or not self._listening


def _ending(frame: Frame) -> GatewayError:
    """Say what an Error frame means that answers no request: RingCentral closes the connection after it."""
    error = refusal(frame.meta.get("status") or 0, frame.body)
    if error.lacks_permission:
        return link_error(error)
    return LinkDown(f"RingCentral ended the event socket ({' '.join(error.codes) or 'no reason'})")
