"""Responses that go on: how results are written as server-sent events or as multipart, and one subscription as either.

Source: PROTOCOL.md of npm's `graphql-sse`, "Distinct connections mode"; the WHATWG's server-sent events; Apollo's
        "Multipart HTTP protocol for GraphQL Subscriptions"; RFC 2046, section 5.1.
"""

from collections.abc import Sequence
from typing import Protocol

from graphql import GraphQLError
from starlette.types import Message, Receive, Scope, Send

from gateway.operations.batch import Batch, Delivery
from gateway.operations.delivery import CAPABILITIES_HEADER, CURSOR, Wish
from gateway.operations.execution import refusal, written
from gateway.operations.operations import Operations, Prepared
from gateway.operations.shared import Follower
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.web.limits import SocketLimits
from gateway.web.negotiation import Representation
from gateway.web.outbox import Outbox

SSE_TYPE = b"text/event-stream; charset=utf-8"
SSE_HEARTBEAT = b":\n\n"
AGREEMENT = (CAPABILITIES_HEADER.encode(), CURSOR.encode())
"""The header that says that events carry cursors because they were asked for."""


class Framing(Protocol):
    """How results become the body of a response.

    Shape: a body is the `beginning`, any number of `events`, `result`s and `heartbeat`s, and then `over`, `failed` or
           `stopped`; the last is for when the server stops, and makes clients come again.
    """

    content_type: bytes
    beginning: bytes
    heartbeat: bytes
    over: bytes
    stopped: bytes

    def events(self, deliveries: Sequence[Delivery]) -> bytes:
        """Write some events."""

    def result(self, body: bytes) -> bytes:
        """Write one result."""

    def failed(self, errors: Sequence[GraphQLError]) -> bytes:
        """Write that nothing comes any more because of errors, and the end."""


class _ServerSentEvents:
    """Lines end with LF only: several clients take CRLF for something else.

    When the server stops there is no `complete`, so that clients connect again, and say how far they have come.
    """

    content_type = SSE_TYPE
    beginning = heartbeat = SSE_HEARTBEAT
    over = b"event: complete\ndata:\n\n"
    stopped = b""

    def events(self, deliveries: Sequence[Delivery]) -> bytes:
        """Write some events, each with its position where it has one."""
        parts: list[bytes] = []
        for payload, cursor in deliveries:
            if cursor is not None:
                parts += (b"id: ", cursor.encode(), b"\n")
            parts += (b"event: next\ndata: ", payload, b"\n\n")
        return b"".join(parts)

    def result(self, body: bytes) -> bytes:
        """Write one result."""
        return b"event: next\ndata: " + body + b"\n\n"

    def failed(self, errors: Sequence[GraphQLError]) -> bytes:
        """Write the errors as a result, and the end."""
        return self.result(refusal([*errors]).body) + self.over


class _Multipart:
    """Each part is followed at once by the boundary of the next, which Apollo's client waits for, and says its length.

    Without that aiohttp, and so Python's gql, holds each part back until the next one comes.
    """

    content_type = b"multipart/mixed;boundary=graphql;subscriptionSpec=1.0"
    beginning = b"\r\n--graphql"
    over = b"--\r\n"

    def __init__(self) -> None:
        self.heartbeat = self._part(b"{}")
        stops = RequestError(RequestErrorCode.SERVER_STOPPING, "the server stops; subscribe again")
        self.stopped = self.failed([stops])

    def events(self, deliveries: Sequence[Delivery]) -> bytes:
        """Write some events."""
        return b"".join([self.result(payload) for payload, _ in deliveries])

    def result(self, body: bytes) -> bytes:
        """Write one result."""
        return self._part(b'{"payload":' + body + b"}")

    def failed(self, errors: Sequence[GraphQLError]) -> bytes:
        """Write the errors as the transport's own, and the end."""
        return self._part(written({"payload": None, "errors": [error.formatted for error in errors]})) + self.over

    def _part(self, content: bytes) -> bytes:
        head = b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
        return head + content + b"\r\n--graphql"


FRAMINGS: dict[Representation, Framing] = {
    Representation.SSE: _ServerSentEvents(),
    Representation.MULTIPART: _Multipart(),
}


class StreamedSubscription(Follower):
    """A subscription whose events are the response to one request.

    Errors: RequestRefused when it cannot begin.
    """

    __slots__ = ("_framing", "_is_agreed", "_outbox")

    def __init__(
        self, operations: Operations, prepared: Prepared, wish: Wish, framing: Framing, limits: SocketLimits
    ) -> None:
        super().__init__()
        self._framing = framing
        self._is_agreed = False
        self._outbox = Outbox(limits, framing.heartbeat, self.drained)
        self._outbox.put(framing.beginning)
        operations.follow(prepared, self, wish)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, until the subscription or the client ends."""
        head = head_of_stream(self._framing.content_type, *([AGREEMENT] if self._is_agreed else []))
        try:
            await self._outbox.serve(scope, receive, send, head, self._stop_with_server)
        finally:
            self.stop()

    @property
    def blocked(self) -> bool:
        """Whether the client has too much waiting to be sent more."""
        return self._outbox.blocked

    def agree(self) -> bool:
        """Have a header tell what was agreed, not the first event."""
        self._is_agreed = True
        return False

    def deliver(self, batch: Batch) -> None:
        """Send some events."""
        self._outbox.put(batch.chunk(self._framing.events))

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        """End the response."""
        self._outbox.end(self._framing.failed(errors) if errors else self._framing.over)

    def _stop_with_server(self) -> None:
        self.stop()
        self._outbox.end(self._framing.stopped)


def head_of_stream(content_type: bytes, *more: tuple[bytes, bytes]) -> Message:
    """Make the head of a response that goes on, and that nobody on the way may hold back."""
    headers = [(b"content-type", content_type), (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"), *more]
    return {"type": "http.response.start", "status": 200, "headers": headers}
