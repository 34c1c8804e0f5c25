"""One client on a WebSocket that speaks graphql-ws, the deprecated protocol of npm's subscriptions-transport-ws."""

import asyncio
from collections.abc import Sequence

from graphql import GraphQLError

from gateway.operations.execution import written
from gateway.web.messages import CloseCode, Fault, Message
from gateway.web.session import Session

_KEEP_ALIVE = b'{"type":"ka"}'


class LegacySession(Session):
    """A client that speaks the old protocol: other words, and results for queries and mutations are called data too."""

    protocol = "graphql-ws"
    heartbeat = None
    _keeping_alive: asyncio.TimerHandle | None = None

    def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                self._let_in(message.payload)
                self.send([b'{"type":"connection_ack"}'])
                self._keep_alive()
            case "start":
                self._begin(message.id, message.payload)
            case "stop":
                self._stop(message.id)
            case "connection_terminate":
                self._socket.close(CloseCode.DONE, "")
            case _:
                raise Fault(CloseCode.BAD_MESSAGE, "unknown message type")

    def gone(self) -> None:
        """Stop everything."""
        super().gone()
        if self._keeping_alive is not None:
            self._keeping_alive.cancel()

    def _keep_alive(self) -> None:
        """Say that the gateway lives; clients that were told once expect to be told again and again."""
        if not self.blocked:
            self.send([_KEEP_ALIVE])
        self._keeping_alive = asyncio.get_running_loop().call_later(self._limits.keep_alive_s, self._keep_alive)

    def _prefix(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"data","payload":'

    def _errors(self, operation_id: str, errors: Sequence[GraphQLError]) -> list[bytes]:
        """Send the errors as a result and complete: `error` carries one only, and clients stop at it."""
        result = {"data": None, "errors": [error.formatted for error in errors]}
        return [self._prefix(operation_id) + written(result) + b"}", self._complete(operation_id)]

    def _complete(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"complete"}'
