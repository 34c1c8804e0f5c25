"""HTTP clients that ask the same again as soon as they are answered, on connections that stay open."""

import json
import re
import select
import socket
import time
from dataclasses import dataclass

_ANSWER_MAX_BYTES = 1 << 20
_HEAD_MAX_BYTES = 2000
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class BadAnswer(Exception):
    """Something other than 200, a body without a length, or a closed connection."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a while of asking came to. Shape: `body` is the last answer; `client_share` of a core was ours."""

    count: int
    per_second: float
    client_share: float
    body: bytes


class _Asker:
    """One connection; answers are read into the same buffer again and again, and only their size is looked at."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(_ANSWER_MAX_BYTES))
        self._got = self._begins = self._ends = 0

    def read(self) -> bool:
        """Say whether an answer is whole; then the next may be asked for."""
        if self._got == self._ends:
            self._got = self._ends = 0
        if not (size := self.socket.recv_into(self._buffer[self._got :])):
            raise BadAnswer("the connection was closed")
        self._got += size
        if not self._ends:
            self._read_head(bytes(self._buffer[: min(self._got, _HEAD_MAX_BYTES)]))
        return self._got == self._ends

    @property
    def body(self) -> bytes:
        """The last answer, once it is whole."""
        return bytes(self._buffer[self._begins : self._ends])

    def _read_head(self, head: bytes) -> None:
        if (split := head.find(b"\r\n\r\n")) < 0:
            return
        length = _LENGTH.search(head, 0, split)
        if not head.startswith(b"HTTP/1.1 200 ") or length is None:
            raise BadAnswer(head.decode(errors="replace"))
        self._begins = split + 4
        self._ends = self._begins + int(length[1])


def ask(port: int, query: str, *, connections: int, seconds: float) -> Answers:
    """Ask by POST for so long, and until there is an answer.

    Errors: BadAnswer.
    """
    question = json.dumps({"query": query}).encode()
    request = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(question)}\r\n\r\n"
    ).encode() + question
    askers = [_Asker(port) for _ in range(connections)]
    by_fd = {each.socket.fileno(): each for each in askers}
    answered, answer = 0, askers[0]
    with select.epoll() as polled:
        for asker in askers:
            polled.register(asker.socket.fileno(), select.EPOLLIN)
            asker.socket.sendall(request)
        began, used = time.monotonic(), time.process_time()
        while not answered or time.monotonic() < began + seconds:
            for descriptor, _ in polled.poll(0.1):
                asker = by_fd[descriptor]
                if asker.read():
                    answered += 1
                    answer = asker
                    asker.socket.sendall(request)
        took, used = time.monotonic() - began, time.process_time() - used
    for asker in askers:
        asker.socket.close()
    return Answers(answered, answered / took, used / took, answer.body)
