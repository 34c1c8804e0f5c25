"""The ASGI application: everything the gateway serves on one port."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Route, WebSocketRoute

from gateway.live.live import Live
from gateway.model.viewer import Viewer
from gateway.schema.context import Context
from gateway.schema.cursor import Cursors
from gateway.schema.schema import make_schema
from gateway.storage import Storage
from gateway.web.endpoint import Endpoint
from gateway.web.graphiql import graphiql_routes
from gateway.web.health import health_routes


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What is let in. Shape: `allowed_origins` are those of web pages on other hosts that may use the gateway."""

    allowed_origins: tuple[str, ...] = ()
    body_max_bytes: int = 262_144


def make_app(
    live: Live,
    storage: Storage,
    viewer_of: Callable[[HTTPConnection], Viewer],
    cursor_secret: bytes,
    limits: WebLimits,
) -> Starlette:
    """Join the parts; `viewer_of` says who a connection is."""
    cursors = Cursors(cursor_secret)

    def context_of(connection: HTTPConnection) -> Context:
        return Context(live=live, history=storage.history, viewer=viewer_of(connection), cursors=cursors)

    endpoint = Endpoint(
        make_schema(), context_of, allowed_origins=limits.allowed_origins, body_max_bytes=limits.body_max_bytes
    )
    hooks = [
        Mount(f"/hooks/{link.id}", routes=list(link.adapter.routes()))
        for link in live.links.values()
        if link.adapter.routes()
    ]
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=limits.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["content-type", "authorization"],
    )
    return Starlette(
        routes=[
            *graphiql_routes("/graphql"),
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            *hooks,
            *health_routes(live, storage),
        ],
        middleware=[cross_origin] if limits.allowed_origins else [],
    )
