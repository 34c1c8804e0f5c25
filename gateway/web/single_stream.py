"""Server-sent events at `/graphql/stream`: many operations, each asked for by a request of its own, over one stream.

A client reserves a stream (PUT), opens it (GET), and then starts (POST) and stops (DELETE) operations on it.
Source: PROTOCOL.md of npm's `graphql-sse`, "Single connection mode".
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from graphql import GraphQLError, OperationType
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.model.viewer import Viewer
from gateway.operations.batch import Batch
from gateway.operations.delivery import read_wish
from gateway.operations.execution import Answer, RequestRefused, refusal, written
from gateway.operations.operations import Operations, Prepared
from gateway.operations.request import BadRequest, GraphQLRequest, read_request
from gateway.operations.shared import Follower
from gateway.schema.errors import RequestError
from gateway.web.http import (
    ClientGone,
    MethodNotAllowed,
    header,
    params_of,
    read_body,
    respond,
    respond_to_fault,
)
from gateway.web.limits import SocketLimits
from gateway.web.outbox import Outbox
from gateway.web.session import SessionLimits
from gateway.web.streams import AGREEMENT, SSE_HEARTBEAT, SSE_TYPE, head_of_stream

_METHODS: Final = "PUT, GET, POST, DELETE, OPTIONS"
_OPENED_WITHIN_S = 15.0
_RESERVED_MAX = 1000
"""Reservations nobody has opened yet."""
STREAM_TOKEN: Final = b"x-graphql-event-stream-token"
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


class SingleStreams:
    """The endpoint as an ASGI application.

    Shape: a stream is known by its token, to the viewer who reserved it and to nobody else; it is `_reserved` until it
           is `_open`. Requests without a token are for `distinct`, since clients use one address for both modes.
    Units: a request's body may have `body_max_bytes`.
    """

    def __init__(
        self,
        distinct: ASGIApp,
        operations: Operations,
        viewer_of: Callable[[HTTPConnection], Viewer],
        *,
        body_max_bytes: int,
        session: SessionLimits,
        limits: SocketLimits,
    ) -> None:
        self._distinct = distinct
        self._operations = operations
        self._viewer_of = viewer_of
        self._body_max_bytes = body_max_bytes
        self._max_operations = session.max_operations
        self._limits = limits
        self._reserved: dict[str, _Stream] = {}
        self._open: dict[str, _Stream] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._serve(scope, receive, send)
        except BadRequest as fault:
            await respond_to_fault(send, fault)
        except ClientGone:
            return

    def close(self) -> None:
        """Give up all reservations."""
        for token in list(self._reserved):
            self._expire(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer = self._viewer_of(HTTPConnection(scope))
        token = header(scope, STREAM_TOKEN) or params_of(scope).get("token", "")
        match scope["method"]:
            case "PUT":
                await respond(send, 201, self._reserve(viewer).encode(), _TEXT)
            case "OPTIONS":
                await respond(send, 204, b"", (b"allow", _METHODS.encode()))
            case "GET" | "POST" | "HEAD" if not token:
                await self._distinct(scope, receive, send)
            case "GET":
                await self._serve_stream(token, viewer, scope, receive, send)
            case "POST":
                request = read_request(await read_body(scope, receive, self._body_max_bytes))
                await self._start(self._find(token, viewer), request, viewer, send)
            case "DELETE":
                self._find(token, viewer).stop(_checked_id(params_of(scope).get("operationId")))
                await respond(send, 200, b"")
            case method:
                raise MethodNotAllowed(f"{method} is not for streams", _METHODS)

    def _reserve(self, viewer: Viewer) -> str:
        if len(self._reserved) >= _RESERVED_MAX:
            raise BadRequest("too many streams are reserved and not opened: try again later", 503)
        token = secrets.token_urlsafe(32)
        expiring = asyncio.get_running_loop().call_later(_OPENED_WITHIN_S, self._expire, token)
        self._reserved[token] = _Stream(self._operations, viewer, self._limits, expiring)
        return token

    def _expire(self, token: str) -> None:
        self._reserved.pop(token).end()

    def _find(self, token: str, viewer: Viewer) -> "_Stream":
        stream = self._reserved.get(token) or self._open.get(token)
        if stream is None or not stream.is_of(viewer):
            raise BadRequest("there is no such stream: reserve one with PUT", 404)
        return stream

    async def _serve_stream(self, token: str, viewer: Viewer, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._find(token, viewer)
        if token in self._open:
            raise BadRequest("the stream is open already", 409)
        self._open[token] = self._reserved.pop(token)
        try:
            await stream.serve(scope, receive, send)
        finally:
            del self._open[token]

    async def _start(self, stream: "_Stream", request: GraphQLRequest, viewer: Viewer, send: Send) -> None:
        operation_id = _checked_id(request.extensions.get("operationId"))
        if operation_id in stream.running:
            raise BadRequest(f"an operation with the id {operation_id!r} is running", 409)
        if stream.operations >= self._max_operations:
            raise BadRequest(f"{self._max_operations} operations at the same time are allowed on a stream", 429)
        if stream.blocked:
            raise BadRequest("too much waits on the stream: read it first", 429)
        try:
            prepared = self._operations.prepare(request, viewer)
        except RequestRefused as refused:
            content_type = (b"content-type", b"application/json; charset=utf-8")
            await respond(send, 400, refusal(refused.errors).body, content_type)
            return
        is_agreed = stream.start(operation_id, prepared, request.extensions)
        await respond(send, 202, b"", *([AGREEMENT] if is_agreed else []))


class _Stream:
    """One stream and what runs on it.

    Shape: a query or mutation that waits is `_abandoned`, not cancelled, when nobody waits for it any more: a mutation
           that has arrived is done.
    """

    def __init__(
        self, operations: Operations, viewer: Viewer, limits: SocketLimits, expiring: asyncio.TimerHandle
    ) -> None:
        self.running: dict[str, _Operation | asyncio.Task[None]] = {}
        self._abandoned = 0
        self._operations = operations
        self._viewer = viewer
        self._expiring = expiring
        self._outbox = Outbox(limits, SSE_HEARTBEAT, self._drained)
        self._outbox.put(SSE_HEARTBEAT)

    @property
    def blocked(self) -> bool:
        """Whether the client has too much waiting."""
        return self._outbox.blocked

    @property
    def operations(self) -> int:
        """How many operations there are, with those that nobody waits for any more."""
        return len(self.running) + self._abandoned

    def is_of(self, viewer: Viewer) -> bool:
        """Tell whether a viewer is the one who reserved it; their rights may have changed meanwhile."""
        return (viewer.tenant, viewer.subject) == (self._viewer.tenant, self._viewer.subject)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be the response to the request that opens it, until the client is gone."""
        self._expiring.cancel()
        try:
            await self._outbox.serve(scope, receive, send, head_of_stream(SSE_TYPE), self.end)
        finally:
            self.end()

    def start(self, operation_id: str, prepared: Prepared, extensions: dict[str, object]) -> bool:
        """Start an operation, and say whether its events carry cursors because that was asked for."""
        try:
            if prepared.kind is OperationType.SUBSCRIPTION:
                return self._follow(operation_id, prepared, extensions)
            answer = self._operations.answer(prepared)
        except RequestRefused as refused:
            self.finish(operation_id, refused.errors)
        except RequestError as error:
            self.finish(operation_id, [error])
        else:
            self._do(operation_id, answer)
        return False

    def stop(self, operation_id: str) -> None:
        """Stop an operation, if it is running."""
        operation = self.running.pop(operation_id, None)
        if isinstance(operation, _Operation):
            operation.stop()
        elif operation is not None:
            self._abandoned += 1

    def end(self) -> None:
        """Stop everything; without `complete`, so that clients connect again if it was not their wish."""
        self._expiring.cancel()
        for operation_id in list(self.running):
            self.stop(operation_id)
        self._outbox.end()

    def put(self, chunk: bytes) -> None:
        """Send something."""
        self._outbox.put(chunk)

    def finish(self, operation_id: str, errors: Sequence[GraphQLError]) -> None:
        """Say that an operation is over."""
        self.running.pop(operation_id, None)
        last = _prefix(operation_id) + refusal([*errors]).body + b"}\n\n" if errors else b""
        self.put(last + b'event: complete\ndata: {"id":' + written(operation_id) + b"}\n\n")

    def _follow(self, operation_id: str, prepared: Prepared, extensions: dict[str, object]) -> bool:
        wish = read_wish(extensions)
        operation = self.running[operation_id] = _Operation(self, operation_id)
        self._operations.follow(prepared, operation, wish)
        return operation.is_agreed

    def _do(self, operation_id: str, answer: Answer | Awaitable[Answer]) -> None:
        if isinstance(answer, Answer):
            self._answer(operation_id, answer)
        else:
            work = self._answer_later(operation_id, answer)
            self.running[operation_id] = self._operations.spawn(work, "operation on a stream")

    async def _answer_later(self, operation_id: str, answer: Awaitable[Answer]) -> None:
        done = await answer
        if self.running.get(operation_id) is asyncio.current_task():
            self._answer(operation_id, done)
        else:
            self._abandoned -= 1

    def _answer(self, operation_id: str, answer: Answer) -> None:
        self.put(_prefix(operation_id) + answer.body + b"}\n\n")
        self.finish(operation_id, ())

    def _drained(self) -> None:
        for operation in list(self.running.values()):
            if isinstance(operation, _Operation):
                operation.drained()


class _Operation(Follower):
    """A subscription on a stream."""

    __slots__ = ("_operation_id", "_prefix", "_stream", "is_agreed")

    def __init__(self, stream: _Stream, operation_id: str) -> None:
        super().__init__()
        self.is_agreed = False
        self._stream = stream
        self._operation_id = operation_id
        self._prefix = _prefix(operation_id)

    @property
    def blocked(self) -> bool:
        """Whether the client has too much waiting to be sent more."""
        return self._stream.blocked

    def agree(self) -> bool:
        """Have the answer to the request tell what was agreed, not the first event."""
        self.is_agreed = True
        return False

    def deliver(self, batch: Batch) -> None:
        """Send some events."""
        self._stream.put(b"".join([message + b"\n\n" for message in batch.messages(self._prefix)]))

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        """Say that it is over."""
        self._stream.finish(self._operation_id, errors)


def _checked_id(operation_id: object) -> str:
    if not isinstance(operation_id, str) or not operation_id:
        raise BadRequest("an operation needs an id, as `extensions.operationId`, and as `?operationId=` to stop it")
    return operation_id


def _prefix(operation_id: str) -> bytes:
    return b'event: next\ndata: {"id":' + written(operation_id) + b',"payload":'
