"""What hooks have in common: bodies of bounded size, secrets compared in constant time, what waits to be taken."""

import asyncio
import hmac
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from starlette.requests import Request

from gateway.model.errors import LinkDown

_MOST_WAITING = 10_000
_LARGEST_BODY_BYTES = 256 * 1024

_Kept = TypeVar("_Kept")


class TooLargeError(Exception):
    """The body of a request is larger than any that a backend has reason to send."""


async def body_sent(request: Request, most_bytes: int = _LARGEST_BODY_BYTES) -> bytes:
    """Read the body of a request.

    Errors: TooLargeError; starlette.requests.ClientDisconnect.
    """
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most_bytes:
            raise TooLargeError
    return bytes(parts)


def is_secret(given: str, expected: str) -> bool:
    """Compare what a caller gave with a secret, in a time that does not tell how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


class Waiting(AsyncIterator[_Kept], Generic[_Kept]):
    """What a backend has told us and nobody has taken yet, in the order it came.

    A hook answers at once and leaves it here. What cannot be kept for want of room ends the iteration: what is lost
    has to be read again.

    Errors: LinkDown out of the iterator.
    """

    def __init__(self, sender: str, most: int = _MOST_WAITING) -> None:
        self._sender = sender
        self._most = most
        self._kept: deque[_Kept] = deque()
        self._end: LinkDown | None = None
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """Forget what was told to an earlier feed."""
        self._kept.clear()
        self._end = None

    def add(self, told: _Kept) -> None:
        """Keep what was told."""
        if len(self._kept) >= self._most:
            self.end(LinkDown(f"what {self._sender} told came faster than it could be taken"))
        if self._end is None:
            self._kept.append(told)
            self._changed.set()

    def end(self, error: LinkDown) -> None:
        """Let the iterator raise this, once it has given what there is; only the first end counts."""
        self._end = self._end or error
        self._changed.set()

    async def __anext__(self) -> _Kept:
        while not self._kept:
            if self._end is not None:
                raise LinkDown(str(self._end))
            self._changed.clear()
            await self._changed.wait()
        return self._kept.popleft()
