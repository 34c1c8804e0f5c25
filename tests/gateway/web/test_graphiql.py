"""The page a browser gets at the GraphQL endpoint: GraphiQL where it was bundled, a plain page where it was not."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from graphql import build_schema, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from yarl import URL

from gateway.web.graphiql import graphiql_page, graphiql_routes, pages

ROOT = Path(__file__).resolve().parents[3]
PUBLIC_SCHEMA = ROOT / "schema.graphql"
BUNDLED = pytest.mark.skipif(
    not (pages.DIST / "stamp").is_file(),
    reason="GraphiQL was not bundled: npm was out of reach",
)
WORKERS = ("editor-", "graphql-", "json-")
LOADED = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)|url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Make a folder of the shape that the build leaves."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-0A1B.js").write_text("export {};")
    (tmp_path / "index.html").write_text('<script type="module" src="graphql/assets/main-0A1B.js"></script>')
    (tmp_path / "stamp").write_text("0")
    return tmp_path


@asynccontextmanager
async def serving(dist: Path, prefix: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """Serve the page and its files on loopback, below `prefix`, as a proxy might."""

    async def endpoint(_request: Request) -> Response:
        return graphiql_page(dist)

    routes = [*graphiql_routes(dist=dist), Route("/graphql", endpoint)]
    app = Starlette(routes=[Mount(prefix, routes=routes)] if prefix else routes)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    # Listening before the server runs, so there is nothing to wait for.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
            server.should_exit = True


def loaded_by(html: str) -> list[str]:
    """List what a browser would fetch for this page, data: addresses aside."""
    found = ("".join(groups) for groups in LOADED.findall(html))
    return [address for address in found if not address.startswith("data:")]


def policy(response: Response | aiohttp.ClientResponse) -> dict[str, list[str]]:
    """Take the Content-Security-Policy apart: directive -> sources."""
    directives = (part.split() for part in response.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in directives}


def text(response: Response) -> str:
    return bytes(response.body).decode()


async def test_a_browser_gets_graphiql_and_its_scripts_where_it_was_bundled(bundle: Path) -> None:
    async with serving(bundle) as client, client.get("/graphql") as page:
        assert page.status == 200
        assert page.content_type == "text/html"
        assert page.headers["cache-control"] == "no-cache"
        [script] = loaded_by(await page.text())
        async with client.get(page.url.join(URL(script))) as asset:
            assert asset.status == 200
            assert asset.content_type == "text/javascript"
            assert await asset.text() == "export {};"


async def test_a_proxy_may_put_a_prefix_before_the_page_and_its_scripts(bundle: Path) -> None:
    async with serving(bundle, prefix="/voice") as client, client.get("/voice/graphql") as page:
        [script] = loaded_by(await page.text())
        async with client.get(page.url.join(URL(script))) as asset:
            assert asset.status == 200


async def test_a_browser_keeps_the_scripts_for_good_and_asks_for_the_page_again(bundle: Path) -> None:
    async with serving(bundle) as client:
        async with client.get("/graphql/assets/main-0A1B.js") as asset:
            assert "immutable" in asset.headers["cache-control"]
            etag = asset.headers["etag"]
        async with client.get("/graphql/assets/main-0A1B.js", headers={"if-none-match": etag}) as again:
            assert again.status == 304


@pytest.mark.parametrize("path", ["/graphql/assets/none.js", "/graphql/assets/%2e%2e/stamp", "/graphql/assets/"])
async def test_nothing_but_the_bundled_files_is_served(bundle: Path, path: str) -> None:
    async with serving(bundle) as client, client.get(URL(path, encoded=True)) as response:
        assert response.status == 404


async def test_a_worker_is_held_by_the_same_policy_as_the_page(bundle: Path) -> None:
    async with serving(bundle) as client, client.get("/graphql/assets/main-0A1B.js") as asset:
        assert policy(asset) == policy(graphiql_page(bundle))
        assert asset.headers["x-content-type-options"] == "nosniff"


def test_graphiql_may_load_and_call_nothing_but_its_own_origin(bundle: Path) -> None:
    rules = policy(graphiql_page(bundle))
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["worker-src"] == rules["connect-src"] == ["'self'"]
    assert rules["frame-ancestors"] == ["'none'"]
    sources = {source for listed in rules.values() for source in listed}
    assert sources <= {"'none'", "'self'", "'unsafe-inline'", "data:"}


def test_a_plain_page_says_that_graphiql_is_missing_and_how_to_ask_without_it(tmp_path: Path) -> None:
    page = text(graphiql_page(tmp_path))
    assert "GraphiQL is not part of this build" in page
    assert "curl" in page
    assert "uv sync --reinstall-package conference-gateway" in page
    assert graphiql_routes(dist=tmp_path) == []


def test_a_bundle_whose_build_was_interrupted_does_not_count(bundle: Path) -> None:
    (bundle / "stamp").unlink()
    assert "GraphiQL is not part of this build" in text(graphiql_page(bundle))
    assert graphiql_routes(dist=bundle) == []


def test_the_plain_page_loads_nothing_and_runs_its_own_script_only(tmp_path: Path) -> None:
    page = graphiql_page(tmp_path)
    assert loaded_by(text(page)) == []
    rules = policy(page)
    assert rules["default-src"] == ["'none'"]
    [source] = rules["script-src"]
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", source)
    assert "connect-src" not in rules


@BUNDLED
def test_the_bundled_page_names_only_files_that_were_bundled_with_it() -> None:
    names = loaded_by(text(graphiql_page()))
    assert names
    for name in names:
        assert name.startswith("graphql/assets/")
        assert (pages.DIST / name.removeprefix("graphql/")).is_file()


@BUNDLED
def test_no_bundled_style_loads_from_another_origin() -> None:
    styles = list((pages.DIST / "assets").glob("*.css"))
    assert styles
    assert [address for style in styles for address in loaded_by(style.read_text(encoding="utf-8"))] == []


@BUNDLED
def test_the_workers_are_bundled_and_the_page_knows_their_names() -> None:
    scripts = {file.name: file.read_text(encoding="utf-8") for file in (pages.DIST / "assets").glob("*.js")}
    page = "".join(script for name, script in scripts.items() if not name.startswith(WORKERS))
    for kind in WORKERS:
        assert any(f'{kind[:-1]}:"{name}"' in page for name in scripts), kind


@pytest.mark.skipif(not PUBLIC_SCHEMA.is_file(), reason="schema.graphql is not printed yet")
@pytest.mark.parametrize("name", ["rooms.graphql", "room_events.graphql"])
def test_the_welcome_tabs_are_valid_in_the_public_schema(name: str) -> None:
    schema = build_schema(PUBLIC_SCHEMA.read_text(encoding="utf-8"))
    document = parse((pages.HERE / "welcome" / name).read_text(encoding="utf-8"))
    assert validate(schema, document) == []
