"""The ASGI application: everything the gateway serves on one port."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from gateway.live.live import Live
from gateway.model.viewer import Viewer
from gateway.operations.delivery import CAPABILITIES_HEADER
from gateway.operations.operations import Operations, OperationSettings
from gateway.operations.persisted import PersistedDocuments
from gateway.schema.cursor import Cursors
from gateway.storage import Storage
from gateway.web.graphiql import graphiql_routes
from gateway.web.health import health_routes
from gateway.web.http import GraphQLOverHTTP
from gateway.web.limits import SocketLimits
from gateway.web.session import SessionLimits
from gateway.web.single_stream import STREAM_TOKEN, SingleStreams
from gateway.web.sockets import Sockets

_GRAPHQL = "/graphql"
_STREAM = "/graphql/stream"


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What is let in, and how it is served.

    Shape: `allowed_origins` are those of web pages on other hosts that may use the gateway; `legacy_graphql_ws` lets in
           the deprecated WebSocket protocol too.
    """

    allowed_origins: tuple[str, ...] = ()
    body_max_bytes: int = 262_144
    legacy_graphql_ws: bool = False
    persisted: PersistedDocuments = field(default_factory=PersistedDocuments)
    operations: OperationSettings = field(default_factory=OperationSettings)
    session: SessionLimits = field(default_factory=SessionLimits)
    socket: SocketLimits = field(default_factory=SocketLimits)


class _Application(Starlette):
    """Asks some applications directly, by type and path: Starlette's way to them costs as much as a quick answer.

    They are among the routes as well, for when the gateway is mounted below another path.
    """

    def __init__(
        self,
        direct: Mapping[tuple[str, str], ASGIApp],
        routes: Sequence[BaseRoute],
        middleware: Sequence[Middleware],
        lifespan: Lifespan[Starlette],
    ) -> None:
        super().__init__(routes=routes, middleware=middleware, lifespan=lifespan)
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        app = self._direct.get((scope["type"], scope.get("path", "")))
        await (super().__call__ if app is None else app)(scope, receive, send)


def make_app(
    live: Live,
    storage: Storage,
    viewer_of: Callable[[HTTPConnection], Viewer],
    cursor_secret: bytes,
    limits: WebLimits,
) -> Starlette:
    """Join the parts; `viewer_of` says who a connection is.

    Shape: `state.operations` of what is given runs all operations; it is closed when the application's lifespan ends.
    """
    operations = Operations(live, storage.history, Cursors(cursor_secret), limits.persisted, limits.operations)
    endpoint = GraphQLOverHTTP(operations, viewer_of, limits.body_max_bytes, limits.socket)
    streams = SingleStreams(
        endpoint,
        operations,
        viewer_of,
        body_max_bytes=limits.body_max_bytes,
        session=limits.session,
        limits=limits.socket,
    )
    sockets = Sockets(
        operations,
        viewer_of,
        allowed_origins=limits.allowed_origins,
        legacy=limits.legacy_graphql_ws,
        session=limits.session,
        socket=limits.socket,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        streams.close()
        await operations.aclose()

    cross_origin = _cross_origin(limits.allowed_origins)
    app = _Application(
        {
            ("http", _GRAPHQL): _behind(cross_origin, endpoint),
            ("http", _STREAM): _behind(cross_origin, streams),
            ("websocket", _GRAPHQL): sockets,
        },
        [
            *graphiql_routes(_GRAPHQL),
            Route(_GRAPHQL, endpoint),
            Route(_STREAM, streams),
            WebSocketRoute(_GRAPHQL, sockets),
            *_hooks(live),
            *health_routes(live, storage),
        ],
        cross_origin,
        lifespan,
    )
    app.state.operations = operations
    return app


def _hooks(live: Live) -> list[Mount]:
    """Make the routes on which backends call us."""
    routes = {link.id: list(link.adapter.routes()) for link in live.links.values()}
    return [Mount(f"/hooks/{backend_id}", routes=each) for backend_id, each in routes.items() if each]


def _behind(middleware: Sequence[Middleware], app: ASGIApp) -> ASGIApp:
    for each in middleware:
        app = each.cls(app, *each.args, **each.kwargs)
    return app


def _cross_origin(allowed_origins: tuple[str, ...]) -> list[Middleware]:
    if not allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=allowed_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["content-type", "authorization", "last-event-id", STREAM_TOKEN.decode()],
            expose_headers=[CAPABILITIES_HEADER],
        )
    ]
