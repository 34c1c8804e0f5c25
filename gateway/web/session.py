"""One client on a WebSocket that speaks graphql-transport-ws.

Whatever is wrong with one operation is answered on that operation; what is no message of the protocol closes the
socket, with the code the protocol gives it.
Source: the protocol's description in the repository of npm's `graphql-ws`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from graphql import GraphQLError, OperationType

from gateway.model.viewer import Viewer
from gateway.operations.batch import Batch
from gateway.operations.delivery import read_wish
from gateway.operations.execution import Answer, RequestRefused, written
from gateway.operations.frames import REASON_MAX_BYTES
from gateway.operations.operations import Operations, Prepared
from gateway.operations.request import BadRequest, read_request
from gateway.operations.shared import Follower, Lane
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.web.messages import CloseCode, Fault, Message, checked_object, decoded
from gateway.web.socket import Socket


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one client may do.

    Units: `let_in_s` seconds until `connection_init` has to be there; `max_operations` at the same time. Who speaks the
           old protocol is told every `keep_alive_s` that the gateway lives: most wait 30 s for it before they give up.
    """

    let_in_s: float = 10.0
    max_operations: int = 1000
    keep_alive_s: float = 10.0


_PONG = b'{"type":"pong"}'
_GOING_AWAY = "going away"
_GATHER_MAX_BYTES = 65_536
"""What operations send in one turn goes out at once from here on, so that a socket is blocked in time."""


class Session(ABC):
    """A client on a socket; what its protocol calls the messages is left to subclasses.

    Shape: `heartbeat` is a message that a client has to answer; None where the protocol has none. What is `_running` as
           a task is a query or mutation that has to wait. When its client waits no longer it is `_abandoned`, but never
           cancelled: a mutation that has arrived is done.
    """

    protocol: ClassVar[str]
    heartbeat: ClassVar[bytes | None]

    def __init__(self, socket: Socket, operations: Operations, viewer: Viewer, limits: SessionLimits) -> None:
        self._socket = socket
        self._operations = operations
        self._viewer = viewer
        self._limits = limits
        self._running: dict[str, Follower | asyncio.Task[None]] = {}
        self._abandoned = 0
        self._put_off: deque[str | bytes] | None = None
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._is_let_in = False
        loop = asyncio.get_running_loop()
        self._too_late: asyncio.TimerHandle | None = loop.call_later(limits.let_in_s, self._close_too_late)

    # ---- what the socket tells ----

    def received(self, message: str | bytes) -> None:
        """Take a message; one that arrived together with others may have to wait until the client reads answers."""
        if not self._socket.blocked:
            self._handle(message)
            return
        if self._put_off is None:
            self._put_off = deque()
        self._put_off.append(message)

    def held(self) -> None:
        """Learn that the socket is blocked."""
        self._relane()

    def drained(self) -> None:
        """Go on with what was held up."""
        while self._put_off and not self._socket.blocked:
            self._handle(self._put_off.popleft())
        for operation_id, operation in list(self._running.items()):
            if isinstance(operation, Follower):
                if operation.lagging and not self.blocked:
                    # Others come first the next time: the socket may be blocked again before it is everybody's turn.
                    self._running[operation_id] = self._running.pop(operation_id)
                operation.drained()

    def stopping(self) -> str:
        """Give the reason to close with: which position each operation has come to, of as many as there is room for."""
        self.flush()
        reason = _GOING_AWAY
        for operation_id, operation in self._running.items():
            cursor = operation.last_cursor if isinstance(operation, Follower) else None
            if cursor is not None:
                longer = f"{reason}; {operation_id}={cursor}"
                reason = longer if len(longer.encode()) <= REASON_MAX_BYTES else reason
        return reason

    def gone(self) -> None:
        """Stop everything."""
        self._no_longer_wait()
        self._put_off = None
        running, self._running = self._running, {}
        for operation in running.values():
            self._end(operation)

    # ---- what a protocol defines ----

    @abstractmethod
    def _take(self, message: Message) -> None:
        """Take a message.

        Errors: Fault.
        """

    @abstractmethod
    def _prefix(self, operation_id: str) -> bytes:
        """Make what stands before the payload of an event."""

    @abstractmethod
    def _errors(self, operation_id: str, errors: Sequence[GraphQLError]) -> list[bytes]:
        """Make the messages that end an operation with errors."""

    @abstractmethod
    def _complete(self, operation_id: str) -> bytes:
        """Make the message that ends an operation."""

    # ---- operations ----

    def _handle(self, message: str | bytes) -> None:
        try:
            self._take(decoded(message))
        except Fault as fault:
            self._put_off = None
            self._socket.close(fault.code, str(fault))

    def _let_in(self, payload: msgspec.Raw) -> None:
        checked_object(payload)
        if self._is_let_in:
            raise Fault(CloseCode.LET_IN_ALREADY, "Too many initialisation requests")
        self._is_let_in = True
        self._no_longer_wait()

    def _begin(self, operation_id: str | None, payload: msgspec.Raw) -> None:
        if not operation_id:
            raise Fault(CloseCode.BAD_MESSAGE, "an operation needs an id")
        if not self._is_let_in:
            raise Fault(CloseCode.NOT_LET_IN, "Unauthorized")
        if operation_id in self._running:
            raise Fault(CloseCode.ID_IN_USE, f"Subscriber for {operation_id} already exists")
        try:
            request = read_request(payload)
        except BadRequest as fault:
            raise Fault(CloseCode.BAD_MESSAGE, str(fault)) from None
        try:
            self._be_modest()
            prepared = self._operations.prepare(request, self._viewer)
            if prepared.kind is OperationType.SUBSCRIPTION:
                self._follow(operation_id, prepared, request.extensions)
            else:
                self._do(operation_id, prepared)
        except RequestRefused as refused:
            self._remove(operation_id)
            self.send(self._errors(operation_id, refused.errors))

    def _stop(self, operation_id: str | None) -> None:
        if not operation_id:
            raise Fault(CloseCode.BAD_MESSAGE, "an operation has an id")
        operation = self._remove(operation_id)
        if operation is not None:
            self._end(operation)

    def _end(self, operation: Follower | asyncio.Task[None]) -> None:
        if isinstance(operation, Follower):
            operation.stop()
        else:
            self._abandoned += 1

    def _be_modest(self) -> None:
        if len(self._running) + self._abandoned >= self._limits.max_operations:
            message = f"{self._limits.max_operations} operations at the same time are allowed on a socket"
            raise RequestRefused([RequestError(RequestErrorCode.TOO_MANY_OPERATIONS, message)])

    def _follow(self, operation_id: str, prepared: Prepared, extensions: dict[str, object]) -> None:
        try:
            wish = read_wish(extensions)
        except RequestError as error:
            raise RequestRefused([error]) from None
        follower = _SocketFollower(self, operation_id, self._prefix(operation_id))
        self._add(operation_id, follower)
        self._operations.follow(prepared, follower, wish)

    def _do(self, operation_id: str, prepared: Prepared) -> None:
        answer = self._operations.answer(prepared)
        if isinstance(answer, Answer):
            self._answer(operation_id, answer)
        else:
            work = self._answer_later(operation_id, answer)
            self._add(operation_id, self._operations.spawn(work, "operation on a socket"))

    async def _answer_later(self, operation_id: str, answer: Awaitable[Answer]) -> None:
        try:
            done = await answer
        except Exception:
            self._socket.close(CloseCode.FAULT, "")  # the event loop logs why
            raise
        if self._running.get(operation_id) is asyncio.current_task():
            self._remove(operation_id)
            self._answer(operation_id, done)
        else:
            self._abandoned -= 1

    def _add(self, operation_id: str, operation: Follower | asyncio.Task[None]) -> None:
        self._running[operation_id] = operation
        if len(self._running) == 2:
            self._relane()

    def _remove(self, operation_id: str) -> Follower | asyncio.Task[None] | None:
        operation = self._running.pop(operation_id, None)
        if len(self._running) == 1:
            self.flush()
            self._relane()
        return operation

    def _relane(self) -> None:
        for operation in self._running.values():
            if isinstance(operation, Follower):
                operation.relane()

    def _answer(self, operation_id: str, answer: Answer) -> None:
        self.send([self._prefix(operation_id) + answer.body + b"}", self._complete(operation_id)])

    # ---- sending ----

    @property
    def blocked(self) -> bool:
        """Whether the client has too much waiting."""
        return self._socket.blocked

    @property
    def short_way(self) -> Callable[[bytes], object] | None:
        """What writes frames of an operation that has the socket to itself; None while nothing may pass `deliver`."""
        return self._socket.short_way if len(self._running) == 1 else None

    def deliver(self, batch: Batch, prefix: bytes) -> None:
        """Send events of one operation; those of several go out together at the end of the turn."""
        if not self._socket.takes_frames:
            self._socket.send(batch.messages(prefix))
        elif len(self._running) == 1:
            self._socket.write(batch.frames(prefix))
        else:
            if not self._gathered:
                self._operations.turns.at_end(self.flush)
            frames = batch.frames(prefix)
            self._gathered.append(frames)
            self._gathered_bytes += len(frames)
            if self._gathered_bytes > _GATHER_MAX_BYTES:
                self.flush()

    def flush(self) -> None:
        """Send what was gathered."""
        if self._gathered:
            gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
            self._socket.write(b"".join(gathered))

    def send(self, messages: Sequence[bytes]) -> None:
        """Send messages, after everything that was sent before."""
        self.flush()
        self._socket.send(messages)

    def finish(self, operation_id: str, errors: Sequence[GraphQLError]) -> None:
        """Say that an operation is over."""
        if self._remove(operation_id) is not None:
            self.send(self._errors(operation_id, errors) if errors else [self._complete(operation_id)])

    def _close_too_late(self) -> None:
        self._socket.close(CloseCode.TOO_LATE, "Connection initialisation timeout")

    def _no_longer_wait(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None


class TransportSession(Session):
    """A client that speaks graphql-transport-ws."""

    protocol = "graphql-transport-ws"
    heartbeat = b'{"type":"ping"}'

    def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                self._let_in(message.payload)
                self.send([b'{"type":"connection_ack"}'])
            case "subscribe":
                self._begin(message.id, message.payload)
            case "complete":
                self._stop(message.id)
            case "ping":
                payload = checked_object(message.payload)
                self.send([_PONG if payload is None else b'{"type":"pong","payload":' + bytes(message.payload) + b"}"])
            case "pong":
                checked_object(message.payload)
            case _:
                raise Fault(CloseCode.BAD_MESSAGE, "unknown message type")

    def _prefix(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"next","payload":'

    def _errors(self, operation_id: str, errors: Sequence[GraphQLError]) -> list[bytes]:
        return [written({"id": operation_id, "type": "error", "payload": [error.formatted for error in errors]})]

    def _complete(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"complete"}'


class _SocketFollower(Follower):
    """A subscription of a session."""

    __slots__ = ("_operation_id", "_prefix", "_session")

    def __init__(self, session: Session, operation_id: str, prefix: bytes) -> None:
        super().__init__()
        self._session = session
        self._operation_id = operation_id
        self._prefix = prefix

    @property
    def blocked(self) -> bool:
        return self._session.blocked

    def deliver(self, batch: Batch) -> None:
        self._session.deliver(batch, self._prefix)

    def lane(self) -> Lane | None:
        write = self._session.short_way
        return None if write is None else (write, self._prefix)

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        self._session.finish(self._operation_id, errors)
