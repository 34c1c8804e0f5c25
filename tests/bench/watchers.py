"""Thousands of graphql-transport-ws clients in one process, cheap enough not to be what is measured.

A delivery costs one `recv` and a search for the event's number in its bytes; nothing is decoded. Frames of clients are
masked with zeros, which servers unmask like any others.
"""

import json
import select
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from struct import pack

from tests.bench.tally import Tally

_HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
_MARK = b"#"
"""Begins an event's number and time in its text, and is nowhere else in a message: `#` 8 digits `@` 19 digits."""
_MARK_BYTES = 29
_HEAD_BYTES = 4
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_READ_BYTES = 65_536
_AT_ONCE = 1024
_IN_FLIGHT = 32
_SMALL_BUFFER_BYTES = 4096


class TooSlow(Exception):
    """What was waited for did not happen in time."""


class _Stage(Enum):
    UPGRADING = auto()
    ENTERING = auto()
    SUBSCRIBING = auto()
    WATCHING = auto()


@dataclass(slots=True, eq=False)
class _Watcher:
    number: int
    socket: socket.socket
    operation_id: bytes
    room_id: str
    stage: _Stage = _Stage.UPGRADING
    rest: bytes = b""
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class _Event:
    """What a whole frame with the last event looks like, and when that happened."""

    mark: bytes = b""
    begins: int = 0
    ends: int = 0
    head: bytes = b""
    size: int = 0
    sequence: int = 0
    sent_ns: int = 0


class Watchers:
    """Clients of one server.

    Shape: `ended` says of each socket that closed, or operation that failed, why. `message_bytes` is the size of the
           last event's message. `checks_ids` is off for a server that writes one ready frame to all.
    """

    def __init__(self, port: int, document: str, tally: Tally, *, checks_ids: bool = True) -> None:
        self.tally = tally
        self.ended: list[str] = []
        self.message_bytes = 0
        self._port = port
        self._document = document
        self._checks_ids = checks_ids
        self._epoll = select.epoll()
        self._all: list[_Watcher] = []
        self._by_fd: dict[int, _Watcher] = {}
        self._watching = 0
        self._stalled: list[_Watcher] = []
        self._last = _Event()

    def open(self, count: int, rooms: Sequence[str], patience_s: float) -> float:
        """Open so many more, spread over the rooms; give the seconds until each had its first event.

        Errors: TooSlow.
        """
        began = time.monotonic()
        target = len(self._all) + count
        while self._watching < target:
            while len(self._all) < target and len(self._all) - self._watching < _IN_FLIGHT:
                watcher = self._connect(len(self._all), rooms[len(self._all) % len(rooms)])
                self._all.append(watcher)
            self._turn(0.1)
            if self.ended or time.monotonic() - began > patience_s:
                raise TooSlow(f"{self._watching:,} of {target:,} sockets: {self.ended[:1] or f'{patience_s:.0f} s'}")
        return time.monotonic() - began

    def open_stalled(self, count: int, room: str, patience_s: float) -> None:
        """Open sockets with little room for what is not read, and never read from them once their first event is there.

        Errors: TooSlow.
        """
        deadline = time.monotonic() + patience_s
        new = [self._connect(-1, room, stalled=True) for _ in range(count)]
        while any(each.stage is not _Stage.WATCHING for each in new):
            self._turn(0.1)
            if time.monotonic() > deadline:
                raise TooSlow("the stalled readers could not subscribe")
        self._stalled.extend(new)

    def ask_unread(self, query: str, times: int) -> None:
        """Let each stalled socket ask for answers that it does not read."""
        for each in self._stalled:
            for number in range(times):
                message = {"id": f"unread {number}", "type": "subscribe", "payload": {"query": query}}
                self._say(each, _TEXT, json.dumps(message).encode())

    def stalled_left(self) -> int:
        """How many of the stalled sockets the server has not cut."""
        hangups = select.epoll()
        for each in self._stalled:
            hangups.register(each.socket.fileno(), select.EPOLLRDHUP)
        gone = len(hangups.poll(0, max(1, len(self._stalled))))
        hangups.close()
        return len(self._stalled) - gone

    def run_until(self, done: Callable[[], bool], patience_s: float) -> None:
        """Read until something is so, or for so long."""
        deadline = time.monotonic() + patience_s
        while not done() and time.monotonic() < deadline:
            self._turn(0.05)

    def close(self) -> None:
        """Close all sockets."""
        for each in (*self._all, *self._stalled):
            each.socket.close()
        self._epoll.close()

    def __len__(self) -> int:
        return len(self._all)

    # ---- one socket ----

    def _connect(self, number: int, room_id: str, *, stalled: bool = False) -> _Watcher:
        opened = socket.socket()
        if stalled:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER_BYTES)
        opened.connect(("127.0.0.1", self._port))
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.send(_HANDSHAKE.format(port=self._port).encode())
        watcher = _Watcher(number, opened, str(uuid.uuid4()).encode(), room_id, stalled=stalled)
        self._by_fd[opened.fileno()] = watcher
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        return watcher

    def _turn(self, timeout_s: float) -> None:
        by_fd, read = self._by_fd, self._read
        for descriptor, _ in self._epoll.poll(timeout_s, _AT_ONCE):
            read(by_fd[descriptor])

    def _read(self, watcher: _Watcher) -> None:
        try:
            data = watcher.socket.recv(_READ_BYTES)
        except OSError as error:
            self._end(watcher, str(error))
            return
        last = self._last
        if (
            len(data) == last.size
            and data[last.begins : last.ends] == last.mark
            and data.startswith(last.head)
            and not watcher.rest
        ):  # the one message that everybody gets now: nearly always, and cheap
            self._count(watcher, data, time.monotonic_ns())
            return
        if not data:
            self._end(watcher, "closed by the server")
            return
        if watcher.rest:
            data = watcher.rest + data
        if watcher.stage is _Stage.UPGRADING:
            data = self._upgraded(watcher, data)
        watcher.rest = self._frames(watcher, data) if watcher.stage is not _Stage.UPGRADING else data

    def _frames(self, watcher: _Watcher, data: bytes) -> bytes:
        """Take all whole frames, and give the rest."""
        now = time.monotonic_ns()
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            end = start + length
            if end > size or start > size:
                break
            if data[at] == _TEXT and (mark := data.find(_MARK, start, end)) > 0:
                self.message_bytes = length
                self._last = _event(data[at:end], mark - at)
                self._count(watcher, data[at:end], now)
            else:
                self._told(watcher, data[at], data[start:end])
            at = end
        return data[at:]

    def _count(self, watcher: _Watcher, data: bytes, now: int) -> None:
        if self._checks_ids and watcher.operation_id not in data:
            self.tally.foreign += 1
        self.tally.take(watcher.number, self._last.sequence, now - self._last.sent_ns)

    def _upgraded(self, watcher: _Watcher, data: bytes) -> bytes:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if not separator:
            return data
        if b" 101 " not in head[:16]:
            self._end(watcher, f"refused: {head[:40]!r}")
            return b""
        watcher.stage = _Stage.ENTERING
        self._say(watcher, _TEXT, b'{"type":"connection_init"}')
        return rest

    def _told(self, watcher: _Watcher, kind: int, payload: bytes) -> None:
        """Answer what is no event."""
        if kind == _PING:
            self._say(watcher, _PONG, payload)
        elif kind == _CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self._end(watcher, f"closed with {code} {payload[2:].decode(errors='replace')}")
        elif kind == _TEXT:
            self._understood(watcher, json.loads(payload))

    def _understood(self, watcher: _Watcher, message: dict[str, object]) -> None:
        match message["type"]:
            case "connection_ack":
                self._subscribe(watcher)
            case "next" if watcher.stage is _Stage.SUBSCRIBING:
                watcher.stage = _Stage.WATCHING
                if watcher.stalled:
                    self._epoll.unregister(watcher.socket.fileno())
                else:
                    self._watching += 1
            case "ping":
                self._say(watcher, _TEXT, b'{"type":"pong"}')
            case "error" | "complete":
                self.ended.append(str(message))

    def _subscribe(self, watcher: _Watcher) -> None:
        watcher.stage = _Stage.SUBSCRIBING
        payload = {"query": self._document, "variables": {"room": watcher.room_id}}
        subscribe = {"id": watcher.operation_id.decode(), "type": "subscribe", "payload": payload}
        self._say(watcher, _TEXT, json.dumps(subscribe).encode())

    def _say(self, watcher: _Watcher, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = pack("!BB", kind, 0x80 | size) if size < 126 else pack("!BBH", kind, 0x80 | 126, size)
        watcher.socket.send(head + bytes(4) + payload)

    def _end(self, watcher: _Watcher, reason: str) -> None:
        self._epoll.unregister(watcher.socket.fileno())
        del self._by_fd[watcher.socket.fileno()]
        self.ended.append(reason)


def _event(frame: bytes, mark: int) -> _Event:
    ends = mark + _MARK_BYTES
    text = frame[mark:ends]
    return _Event(text, mark, ends, frame[:_HEAD_BYTES], len(frame), int(text[1:9]), int(text[10:]))
