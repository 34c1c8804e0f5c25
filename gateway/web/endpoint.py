"""`/graphql`: POST, GET for queries, graphql-transport-ws, and GraphiQL for browsers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import starlette.websockets
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry import Schema
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from gateway.schema.context import Context
from gateway.web.graphiql import graphiql_page

_BAD_REQUEST = "BAD_REQUEST"
_WHAT_HTTP_DOES = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}


class _Socket(ASGIWebSocketAdapter):
    """The stock socket, which says in one way only that the client is gone."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send a message.

        Errors: WebSocketDisconnected.
        """
        with _gone():
            await super().send_json(message)

    async def close(self, code: int, reason: str) -> None:
        """Close.

        Errors: WebSocketDisconnected.
        """
        with _gone():
            await super().close(code, reason)


class _WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """The stock handler, held back from falling over messages of the wrong shape."""

    async def handle_message(self, message: Any) -> None:
        """Close with 4400 on what is no message of the protocol."""
        if _is_message(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("not a graphql-transport-ws message")

    async def handle_task_exception(self, error: Exception) -> None:
        """Log what went wrong with an operation; that the client went away while it was sent something is no fault."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """Answer a faulty document on its operation; the stock handler closes the socket for a syntax error."""
        return None


class Endpoint(GraphQL[Context, None]):
    """The GraphQL endpoint as an ASGI application.

    Units: a request's body may have `body_max_bytes`.
    """

    graphql_transport_ws_handler_class = _WebSocketHandler
    websocket_adapter_class = _Socket

    def __init__(
        self,
        schema: Schema,
        context_of: Callable[[HTTPConnection], Context],
        *,
        allowed_origins: tuple[str, ...],
        body_max_bytes: int,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            allowed_origins=allowed_origins,
        )
        self._context_of = context_of
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; whatever is wrong with a request is answered as a GraphQL error."""
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        try:
            response = await self.run(Request(scope, self._limited(receive)))
        except HTTPException as refusal:
            errors = [{"message": refusal.reason, "extensions": {"code": _BAD_REQUEST}}]
            response = JSONResponse({"errors": errors}, refusal.status_code)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Say who asks, and of what."""
        return self._context_of(request)

    async def render_graphql_ide(self, request: Request) -> Response:
        """Show browsers GraphiQL."""
        return graphiql_page()

    def decode_json(self, data: str | bytes) -> object:
        """Read a request or message: always an object.

        Errors: json.JSONDecodeError, whatever is wrong with it: that is what the stock code expects.
        """
        try:
            decoded = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise json.JSONDecodeError("not valid JSON", "", 0) from None
        if not isinstance(decoded, dict):
            raise json.JSONDecodeError("not a JSON object", "", 0)
        return decoded

    def encode_json(self, data: object) -> str:
        """Write an answer or message; a name from a backend may hold half a character, which only an escape can say."""
        try:
            return msgspec.json.encode(data).decode()
        except UnicodeEncodeError:
            return json.dumps(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Read a request, and check what the stock code does not."""
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData) and not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "`operationName` must be a string or null, if provided.")
        return data

    async def execute_single(  # noqa: PLR0917  # the stock signature
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute a query, or with POST a mutation; a subscription needs a transport that can stream."""
        if not request_data.query:
            raise HTTPException(400, "No GraphQL query found in the request: send JSON with `query`.")
        method = request_adapter.method.upper()
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=_WHAT_HTTP_DOES[method],
            )
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from None
        except InvalidOperationTypeError as error:
            hint = "use WebSocket (graphql-transport-ws)" if "subscription" in str(error).lower() else "use POST"
            raise HTTPException(400, f"{error.as_http_error_reason(method)}: {hint}") from None

    def _limited(self, receive: Receive) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_max_bytes:
                raise HTTPException(413, f"The request is larger than {self._body_max_bytes} bytes.")
            return message

        return limited


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except (WebSocketDisconnect, starlette.websockets.WebSocketDisconnected):
        raise WebSocketDisconnected from None


def _is_message(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(kind := message.get("type"), str):
        return False
    match kind:
        case "connection_init":
            return isinstance(message.get("payload"), dict | None)
        case "complete":
            return _is_id(message.get("id"))
        case "subscribe":
            return _is_id(message.get("id")) and _is_request(message.get("payload"))
        case _:
            return kind in ("ping", "pong") and isinstance(message.get("payload"), dict | None)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_request(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
        and isinstance(payload.get("extensions"), dict | None)
    )
