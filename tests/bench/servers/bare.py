"""The floor: uvloop writing a ready frame to every socket, and nothing else."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from struct import pack
from typing import cast

from gateway.commands.running import run
from tests.bench.servers.control import Control

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ID = "00000000-0000-4000-8000-000000000000"
_EVENT = {
    "__typename": "ParticipantUpdated",
    "position": "p" * 40,
    "occurredAt": "2026-01-01T00:00:00.000000+00:00",
    "changed": ["DISPLAY_NAME"],
}

_writes: list[Callable[[bytes], None]] = []


def _frame(message: object) -> bytes:
    text = json.dumps(message, separators=(",", ":")).encode()
    return (pack("!BB", 0x81, len(text)) if len(text) < 126 else pack("!BBH", 0x81, 126, len(text))) + text


def _next(event: object) -> bytes:
    return _frame({"id": _ID, "type": "next", "payload": {"data": {"roomEvents": event}}})


_ACK = _frame({"type": "connection_ack"})
_SNAPSHOT = _next({**_EVENT, "__typename": "RoomSnapshot"})


class _Bare(asyncio.Protocol):
    """Answers the handshake, then the first message with an ack and the second with a snapshot."""

    __slots__ = ("_answers", "_transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._answers = [_SNAPSHOT, _ACK]

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET "):
            self._transport.write(_handshake(data))
        elif self._answers:
            self._transport.write(self._answers.pop())
            if not self._answers:
                _writes.append(self._transport.write)


def _handshake(request: bytes) -> bytes:
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def _happen(_: int, text: str) -> None:
    participant = {"id": "i" * 30, "displayName": text, "muted": False, "talking": False}
    frame = _next({**_EVENT, "participant": participant})
    for write in _writes:
        write(frame)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Bare, "127.0.0.1", 0, backlog=1024)
    await Control(1, _happen).obey({"port": server.sockets[0].getsockname()[1], "rooms": ["room"]})


if __name__ == "__main__":
    run(_serve())
