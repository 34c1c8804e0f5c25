"""What a browser gets at the GraphQL endpoint: GraphiQL from `dist`, or a plain page where the build made none."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"

# Monaco writes style elements and attributes at run time; the style sheet holds fonts and icons as data: addresses.
GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PLAIN_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def graphiql_page(dist: Path = DIST) -> Response:
    """Answer a browser that opens the GraphQL endpoint without a query."""
    html, policy = _page(dist)
    return HTMLResponse(html, headers=_headers(policy, cache_control="no-cache"))


def graphiql_routes(path: str = "/graphql", dist: Path = DIST) -> list[BaseRoute]:
    """Make the routes of the page's scripts and styles; to be called once, before the server starts.

    Shape:  `path` is the endpoint's own and ends in /graphql: the page finds its files relative to that. Put these
            routes before one that takes everything below `path`. The list is empty where the build made no `dist`.
    """
    _page(dist)  # read now, so that no request reads a file on the event loop
    if not _is_complete(dist):
        return []
    return [Mount(f"{path}/assets", app=_Assets(directory=dist / "assets"), name="graphiql-assets")]


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content, so a browser may keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A worker is held by the policy of its own response, not by the page's.
        response.headers.update(_headers(GRAPHIQL_POLICY, cache_control="public, max-age=31536000, immutable"))
        return response


def _headers(policy: str, cache_control: str) -> dict[str, str]:
    return {
        "cache-control": cache_control,
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


@cache
def _page(dist: Path) -> tuple[str, str]:
    """Read the page once, with the policy that fits it."""
    if _is_complete(dist):
        return (dist / "index.html").read_text(encoding="utf-8"), GRAPHIQL_POLICY
    html = (HERE / "plain.html").read_text(encoding="utf-8")
    script = html.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return html, PLAIN_POLICY.format(script=digest)


def _is_complete(dist: Path) -> bool:
    """Tell a finished bundle from an interrupted one: the stamp is written last."""
    return (dist / "stamp").is_file()
