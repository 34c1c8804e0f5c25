"""One client on a WebSocket that speaks graphql-ws, the deprecated protocol of npm's subscriptions-transport-ws."""

from collections.abc import Sequence

from graphql import GraphQLError

from gateway.operations.execution import written
from gateway.web.session import CloseCode, Fault, Message, Session


class LegacySession(Session):
    """A client that speaks the old protocol: other words, and results for queries and mutations are called data too."""

    protocol = "graphql-ws"
    heartbeat = b'{"type":"ka"}'
    answers_heartbeats = False

    def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                self._let_in(message.payload)
                self.send([b'{"type":"connection_ack"}', self.heartbeat])
            case "start":
                self._begin(message.id, message.payload)
            case "stop":
                self._stop(message.id)
            case "connection_terminate":
                self._socket.close(1000, "")
            case _:
                raise Fault(CloseCode.BAD_MESSAGE, "unknown message type")

    def _prefix(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"data","payload":'

    def _errors(self, operation_id: str, errors: Sequence[GraphQLError]) -> list[bytes]:
        """Send the errors as a result and complete: `error` carries one only, and clients stop at it."""
        result = {"data": None, "errors": [error.formatted for error in errors]}
        return [self._prefix(operation_id) + written(result) + b"}", self._complete(operation_id)]

    def _complete(self, operation_id: str) -> bytes:
        return b'{"id":' + written(operation_id) + b',"type":"complete"}'
