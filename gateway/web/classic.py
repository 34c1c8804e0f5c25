"""A WebSocket as ASGI messages, for applications that do not use it directly."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from starlette.types import Message
from uvicorn.protocols.utils import ClientDisconnected

if TYPE_CHECKING:
    from gateway.web.direct import DirectProtocol

_NO_STATUS = 1005


class Classic:
    """The application's side of a socket.

    Shape: the client is read on only after every message was taken, so no more wait than one read brought.
    """

    def __init__(self, socket: "DirectProtocol") -> None:
        self._socket = socket
        self._waiting: deque[Message] = deque([{"type": "websocket.connect"}])
        self._come = asyncio.Event()
        self._writable = asyncio.Event()
        self.accepted = False

    def received(self, message: str | bytes) -> None:
        """Keep a message until it is asked for."""
        self._put({"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message})
        self._socket.hold()

    def held(self) -> None:
        """Do nothing: it is asked before each message."""

    def drained(self) -> None:
        """Let the application send on."""
        self._writable.set()

    def stopping(self) -> str:
        """Give no reason."""
        return ""

    def gone(self) -> None:
        """Tell the application; how the client closed is not known here."""
        self._put({"type": "websocket.disconnect", "code": _NO_STATUS, "reason": ""})
        self._writable.set()

    async def receive(self) -> Message:
        """Wait for the next message."""
        while not self._waiting:
            self._come.clear()
            await self._come.wait()
        message = self._waiting.popleft()
        if not self._waiting:
            self._socket.read_on()
        return message

    async def send(self, message: Message) -> None:
        """Send a message once there is room for it, or close.

        Errors: ClientDisconnected; RuntimeError when it is neither.
        """
        if self._socket.blocked and not self._socket.is_lost:
            self._writable.clear()
            await self._writable.wait()
        if not self._socket.is_open:
            raise ClientDisconnected
        match message:
            case {"type": "websocket.send", "bytes": bytes() as data}:
                self._socket.send_binary(data)
            case {"type": "websocket.send", "text": str() as text}:
                self._socket.send((text.encode(),))
            case {"type": "websocket.close"}:
                self._socket.close(message.get("code", 1000), message.get("reason") or "")
            case _:
                raise RuntimeError(f"{message['type']} cannot be sent on an accepted WebSocket")

    def _put(self, message: Message) -> None:
        self._waiting.append(message)
        self._come.set()
