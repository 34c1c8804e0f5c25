"""A client of one room that rebuilds the room's state, and can be made to stall, to vanish and to come back."""

import asyncio
import base64
import socket
from collections.abc import Callable
from enum import Enum
from random import Random
from typing import Any

import msgspec

QUERY = """subscription ($room: ID!, $after: Cursor) { roomEvents(roomId: $room, after: $after) { __typename position
    ... on RoomSnapshot { snapshotReason room { name locked participants { edges { node { id muted talking } } } } }
    ... on RoomUpdated { room { name locked } }
    ... on ParticipantJoined { participant { id muted talking } }
    ... on ParticipantUpdated { participant { id muted talking } }
    ... on ParticipantLeft { participant { id } } } }"""
_REQUEST = (
    b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: "
)


class Resuming(Enum):
    """How a client comes back."""

    BY_ARGUMENT = "after"
    BY_EXTENSION = "extensions.cursor"
    AFRESH = "afresh"


class Picture:
    """A room as a client puts it together; `seen` are the positions since the last snapshot, that included."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.seen: list[str] = []
        self.reasons: list[str] = []

    def take(self, event: dict[str, Any]) -> None:
        """Apply an event."""
        match event["__typename"]:
            case "RoomSnapshot":
                room = event["room"]
                self.facts = {"name": room["name"], "locked": room["locked"]}
                self.people = {edge["node"]["id"]: edge["node"] for edge in room["participants"]["edges"]}
                self.reasons.append(event["snapshotReason"])
                self.seen.clear()
            case "RoomUpdated":
                self.facts = event["room"]
            case "ParticipantLeft":
                del self.people[event["participant"]["id"]]
            case "ParticipantJoined" | "ParticipantUpdated":
                self.people[event["participant"]["id"]] = event["participant"]
        self.seen.append(event["position"])


class Client(asyncio.Protocol):
    """One subscriber over all its connections; `told` is called with each event."""

    def __init__(self, rng: Random, port: int, room: str, told: Callable[[dict[str, Any]], None]) -> None:
        self.rng = rng
        self.room = room
        self.picture = Picture()
        self.deliveries = 0
        self.connections = 0
        self.resuming = Resuming.AFRESH
        self._port = port
        self._told = told
        self._buffer = bytearray()
        self._is_open = False
        self._stalled = False
        self.transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        """Connect, and resume in one of the ways there are."""
        self.resuming = self.rng.choice(list(Resuming)) if self.picture.seen else Resuming.AFRESH
        self._buffer.clear()
        self._is_open = self._stalled = False
        self.connections += 1
        loop = asyncio.get_running_loop()
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await loop.sock_connect(narrow, ("127.0.0.1", self._port))
        self.transport, _ = await loop.create_connection(lambda: self, sock=narrow)

    def stall(self) -> None:
        """Read no more."""
        if self.transport is not None and not self._stalled:
            self._stalled = True
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        if self.transport is not None and self._stalled:
            self._stalled = False
            self.transport.resume_reading()

    def vanish(self) -> None:
        """Be gone without a word."""
        if self.transport is not None:
            self.transport.abort()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self.transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(_REQUEST + base64.b64encode(self.rng.randbytes(16)) + b"\r\n\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Be without connection until `connect` is called again."""
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Take what comes, at whatever places it is cut."""
        self._buffer += data
        if not self._is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._buffer = rest
            self._is_open = True
            self._say({"type": "connection_init"})
            self._say({"id": "1", "type": "subscribe", "payload": self._request()})
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == 1:
                self._take(msgspec.json.decode(payload))
            elif kind == 9:
                self._send(10, payload)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "connection_ack":
            return
        if message["type"] == "error" and self.resuming is Resuming.BY_EXTENSION:
            assert message["payload"][0]["extensions"]["code"] == "DELIVERY_GUARANTEE_UNSATISFIABLE", message
            self.picture = Picture()
            self._say({"id": "1", "type": "subscribe", "payload": {"query": QUERY, "variables": {"room": self.room}}})
            return
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        event = message["payload"]["data"]["roomEvents"]
        assert message["payload"]["extensions"]["cursor"] == event["position"]
        self.picture.take(event)
        self.deliveries += 1
        self._told(event)

    def _request(self) -> dict[str, Any]:
        request: dict[str, Any] = {"query": QUERY, "variables": {"room": self.room}}
        if self.resuming is Resuming.BY_ARGUMENT:
            request["variables"]["after"] = self.picture.seen[-1]
        elif self.resuming is Resuming.BY_EXTENSION:
            request["extensions"] = {"cursor": self.picture.seen[-1], "delivery-guarantee": "cursor"}
        else:
            self.picture = Picture()
        return request

    def _say(self, message: object) -> None:
        self._send(1, msgspec.json.encode(message))

    def _send(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((0x80 | kind, 0x80 | size)) if size < 126 else bytes((0x80 | kind, 0xFE)) + size.to_bytes(2)
        assert self.transport is not None
        self.transport.write(head + b"\0\0\0\0" + payload)

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:start])
        if len(buffer) < max(start + size, start):
            return None
        kind, payload = buffer[0] & 15, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return kind, payload
