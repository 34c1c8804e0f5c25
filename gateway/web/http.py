"""GraphQL over HTTP at `/graphql`: POST, GET, and GraphiQL for browsers; what goes on is streamed.

It is an ASGI application without a framework around it, as that would cost as much as a quick answer does.
Source: GraphQL over HTTP, https://graphql.github.io/graphql-over-http/draft/.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from gateway.model.viewer import Viewer
from gateway.operations.delivery import read_wish
from gateway.operations.execution import Answer, RequestRefused, as_refused, refusal, written
from gateway.operations.operations import Operations, Prepared
from gateway.operations.request import BadRequest, GraphQLRequest, read_params, read_request
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.web.graphiql import graphiql_page
from gateway.web.limits import SocketLimits
from gateway.web.negotiation import Representation, choose, status_for
from gateway.web.negotiation import refusal as not_acceptable
from gateway.web.streams import FRAMINGS, StreamedSubscription, head_of_stream

_PARAMS_MAX: Final = 20
_NAMES_OF_DOCUMENTS = frozenset(("query", "documentId", "extensions"))
_DOES: Final = {
    "POST": frozenset(OperationType),
    "GET": frozenset((OperationType.QUERY, OperationType.SUBSCRIPTION)),
    "HEAD": frozenset((OperationType.QUERY,)),
}
_METHODS = "GET, HEAD, POST, OPTIONS"
_CONTENT_TYPES = {
    Representation.JSON: (b"content-type", b"application/json; charset=utf-8"),
    Representation.GRAPHQL_RESPONSE: (b"content-type", b"application/graphql-response+json; charset=utf-8"),
}
_NOT_KEPT = (b"cache-control", b"no-store")


class MethodNotAllowed(BadRequest):
    """A method that is not for this; it says which ones are."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(f"{message}: use {allowed}", 405)
        self.allowed = allowed


class ClientGone(Exception):
    """The client left before its request was whole."""


class GraphQLOverHTTP:
    """The endpoint as an ASGI application.

    Units: a request's body may have `body_max_bytes`.
    """

    def __init__(
        self,
        operations: Operations,
        viewer_of: Callable[[HTTPConnection], Viewer],
        body_max_bytes: int,
        limits: SocketLimits,
    ) -> None:
        self._operations = operations
        self._viewer_of = viewer_of
        self._body_max_bytes = body_max_bytes
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it is answered as a GraphQL error."""
        accept = header(scope, b"accept")
        try:
            if is_for_people(scope, accept):
                await graphiql_page()(scope, receive, send)
            elif scope["method"] == "OPTIONS":
                await respond(send, 204, b"", (b"allow", _METHODS.encode()))
            else:
                await self._serve(await self._request(scope, receive), accept, scope, receive, send)
        except BadRequest as fault:
            await respond_to_fault(send, fault, accept)
        except ClientGone:
            return

    async def _request(self, scope: Scope, receive: Receive) -> GraphQLRequest:
        method = scope["method"]
        if method == "POST":
            return read_request(await read_body(scope, receive, self._body_max_bytes))
        if method in _DOES:
            return read_params(params_of(scope))
        raise MethodNotAllowed(f"{method} is not for GraphQL", _METHODS)

    async def _serve(self, request: GraphQLRequest, accept: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            prepared = self._operations.prepare(request, self._viewer_of(HTTPConnection(scope)))
        except RequestRefused as refused:
            await self._respond(refusal(refused.errors), acceptable(accept, subscription=False), send)
            return
        if prepared.kind not in _DOES[scope["method"]]:
            allowed = "GET, POST" if prepared.kind is OperationType.SUBSCRIPTION else "POST"
            raise MethodNotAllowed(f"{scope['method']} is not for a {prepared.kind.value}", allowed)
        is_subscription = prepared.kind is OperationType.SUBSCRIPTION
        form = acceptable(accept, subscription=is_subscription)
        try:
            if is_subscription:
                await self._subscribed(request, prepared, form, scope).serve(scope, receive, send)
                return
            answer = self._operations.answer(prepared)
            if not isinstance(answer, Answer):
                answer = await answer
        except RequestRefused as refused:
            answer = refusal(refused.errors)
        await self._respond(answer, form, send)

    def _subscribed(
        self, request: GraphQLRequest, prepared: Prepared, form: Representation, scope: Scope
    ) -> StreamedSubscription:
        try:
            wish = read_wish(request.extensions, header(scope, b"last-event-id") or None)
        except RequestError as error:
            raise as_refused(error) from None
        return StreamedSubscription(self._operations, prepared, wish, FRAMINGS[form], self._limits)

    async def _respond(self, answer: Answer, form: Representation, send: Send) -> None:
        content_type = _CONTENT_TYPES.get(form)
        if content_type is not None:
            await respond(send, status_for(form, data_absent=not answer.has_data), answer.body, content_type, _NOT_KEPT)
            return
        framing = FRAMINGS[form]
        await send(head_of_stream(framing.content_type))
        body = framing.beginning + framing.result(answer.body) + framing.over
        await send({"type": "http.response.body", "body": body})


async def respond(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole response."""
    told = headers if status == 204 else (*headers, (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


async def respond_to_fault(send: Send, fault: BadRequest, accept: str = "") -> None:
    """Say what is wrong with a request, as JSON whatever the client accepts."""
    body = written({"errors": [{"message": str(fault), "extensions": {"code": RequestErrorCode.BAD_REQUEST}}]})
    form = choose(accept, subscription=False)
    content_type = _CONTENT_TYPES.get(form or Representation.JSON) or _CONTENT_TYPES[Representation.JSON]
    allow = [(b"allow", fault.allowed.encode())] if isinstance(fault, MethodNotAllowed) else []
    await respond(send, fault.status, body, content_type, _NOT_KEPT, *allow)


def acceptable(accept: str, *, subscription: bool) -> Representation:
    """Choose the form of the answer.

    Errors: BadRequest.
    """
    form = choose(accept, subscription=subscription)
    if form is None:
        raise BadRequest(not_acceptable(subscription=subscription), 406)
    return form


def header(scope: Scope, name: bytes) -> str:
    """Give a header, all its lines as one; empty when there is none."""
    values = [value for each, value in scope["headers"] if each == name]
    return (values[0] if len(values) == 1 else b",".join(values)).decode("latin-1")


def params_of(scope: Scope) -> dict[str, str]:
    """Read the query of the URL.

    Errors: BadRequest.
    """
    query = scope["query_string"].decode("latin-1")
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_PARAMS_MAX))
    except ValueError:
        raise BadRequest(f"the URL has more than {_PARAMS_MAX} parameters") from None


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """Read the body, which has to be JSON.

    Errors: BadRequest; ClientGone.
    """
    content_type = header(scope, b"content-type")
    if not _is_json(content_type):
        said = "the request has no content type" if not content_type else f"content type {content_type[:100]!r}"
        raise BadRequest(f"{said}: send JSON in UTF-8 as application/json", 415)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > max_bytes:
            raise BadRequest(f"the request is larger than {max_bytes} bytes", 413)
        if not message.get("more_body", False):
            return body


def is_for_people(scope: Scope, accept: str) -> bool:
    """Tell a browser that was sent here from a client that asks something."""
    return (
        "text/html" in accept
        and scope["method"] in {"GET", "HEAD"}
        and _NAMES_OF_DOCUMENTS.isdisjoint(params_of(scope))
    )


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    named = (parameter.partition("=") for parameter in parameters)
    charsets = {value.strip('"') for name, _, value in named if name == "charset"}
    return media_type == "application/json" and charsets <= {"utf-8", "utf8"}
