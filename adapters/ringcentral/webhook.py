"""The hook at which RingCentral calls us: its handshake, who may call, and the notifications that wait to be taken."""

import asyncio
import hmac
import logging
import re
from collections import deque
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, decoded, shaped
from gateway.model.errors import LinkDown

log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_LARGEST_BODY_BYTES = 256 * 1024
_FIT_TO_ECHO = re.compile(r"[!-~]{1,512}")
"""A longer one would not fit into the 1024 bytes that our answer may have."""


class Hook(AsyncIterator[JsonObject]):
    """Takes notifications and gives them in the order they came; RingCentral's sequence says the order they have.

    A caller without the token of the subscription learns nothing, not even whether there is a hook. What cannot be
    taken for want of room ends the iteration: what is lost has to be read again.

    Errors: LinkDown out of the iterator.
    """

    def __init__(self, verification_token: str, complaints: Complaints | None = None) -> None:
        self.complaints = complaints or Complaints("RingCentral")
        self.strangers = 0
        self._token: str | None = verification_token
        self._waiting: deque[JsonObject] = deque()
        self._end: LinkDown | None = None
        self._changed = asyncio.Event()

    def expect(self, verification_token: str | None) -> None:
        """Begin again for a new subscription, whose token alone is taken from now on; None: expect nobody."""
        self._token = verification_token
        self._waiting.clear()
        self._end = None

    def end(self, error: LinkDown) -> None:
        """Let the iterator raise this, once it has given what there is; only the first end counts."""
        self._end = self._end or error
        self._changed.set()

    def route(self) -> Route:
        """Make the route, to be mounted at the path of `webhook_url`."""
        return Route("/", self._called, methods=["POST"])

    async def __anext__(self) -> JsonObject:
        while not self._waiting:
            if self._end is not None:
                raise LinkDown(str(self._end))
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    async def _called(self, request: Request) -> Response:
        """Answer RingCentral at once, before anything is done with what it says: it waits for 3 s at most."""
        if self._token is None:
            return Response(status_code=404)
        echo = _echo(request)
        if echo and "Verification-Token" not in request.headers:
            return Response(headers=echo, media_type="application/json")
        if (refusal := self._stranger(request, self._token)) is not None:
            return refusal
        try:
            body = await _body_of(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        if body or not echo:
            self._take(body)
        return Response(headers=echo, media_type="application/json")

    def _stranger(self, request: Request, expected: str) -> Response | None:
        """See who calls: nobody without a token finds anything here, and one with another is turned away."""
        given = request.headers.get("Verification-Token")
        if given is not None and hmac.compare_digest(given.encode(), expected.encode()):
            return None
        self.strangers += 1
        if given is None:
            return Response(status_code=404)
        self.complaints.add(NotUnderstoodError("a notification with the token of another subscription"))
        return Response(status_code=401)

    def _take(self, body: bytes) -> None:
        """Keep a notification; one that is not understood is answered like any other, or RingCentral gives us up."""
        try:
            notification = shaped(decoded(body, "notification"), JsonObject, "notification")
        except NotUnderstoodError as error:
            self.complaints.add(error)
            return
        if len(self._waiting) >= _MOST_WAITING:
            self.end(LinkDown("RingCentral's notifications came faster than they could be taken"))
        if self._end is None:
            self._waiting.append(notification)
            self._changed.set()


def _echo(request: Request) -> dict[str, str]:
    """Write the header that a handshake is answered with, if this is one."""
    token = request.headers.get("Validation-Token", "")
    return {"Validation-Token": token} if _FIT_TO_ECHO.fullmatch(token) else {}


async def _body_of(request: Request) -> bytes | None:
    """Read the body; None for one that is too large."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > _LARGEST_BODY_BYTES:
            return None
    return bytes(parts)
