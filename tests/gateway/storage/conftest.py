"""Each storage test runs on SQLite and on Postgres, and nothing in it may block the event loop."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from blockbuster import blockbuster_ctx
from psycopg.sql import SQL, Identifier
from sqlalchemy import event
from sqlalchemy.engine import make_url

from gateway.storage.engine import Database, parse_url
from gateway.storage.migrate import upgrade

Outage = Callable[[], AbstractContextManager[None]]
OpenDatabase = Callable[..., Awaitable[Database]]
RunScript = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    with blockbuster_ctx("gateway"):
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'storage.sqlite3'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def migrated_url(url: str) -> str:
    """Give the URL of a database with our tables."""
    upgrade(parse_url(url))
    return url


@pytest.fixture
async def databases(migrated_url: str) -> AsyncIterator[OpenDatabase]:
    """Open the same database as often as asked, each time with an engine of its own."""
    opened: list[Database] = []

    async def another(answer_within_s: float = 60.0) -> Database:
        opened.append(await asyncio.to_thread(Database, parse_url(migrated_url), answer_within_s=answer_within_s))
        return opened[-1]

    yield another
    for database in opened:
        await database.aclose()


@pytest.fixture
async def database(databases: OpenDatabase) -> Database:
    return await databases()


@pytest.fixture
def outage(migrated_url: str, request: pytest.FixtureRequest) -> Outage:
    """Keep everybody from writing while the block runs: SQLite's file is locked, Postgres lets nobody in."""
    if migrated_url.startswith("sqlite"):
        return lambda: _locked_file(make_url(migrated_url).database or "")
    return lambda: _closed_database(request.getfixturevalue("postgres_server"), make_url(migrated_url).database or "")


@contextmanager
def _locked_file(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _closed_database(server_url: str, name: str) -> Iterator[None]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(Identifier(name)))


@pytest.fixture
async def run_script() -> AsyncIterator[RunScript]:
    """Start a program from the folder `programs` in a process of its own."""
    started: list[asyncio.subprocess.Process] = []

    async def run(name: str, *arguments: str) -> asyncio.subprocess.Process:
        path = str(Path(__file__).parent / "programs" / name)
        process = await asyncio.create_subprocess_exec(sys.executable, path, *arguments, stdout=asyncio.subprocess.PIPE)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until the condition holds; fail when it does not within ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  conditions are counters, which nobody announces
            await asyncio.sleep(0)


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    return until


@pytest.fixture
def count_transactions() -> Callable[[Database], list[str]]:
    """Give a way to list the commits of a database from now on."""

    def listen(database: Database) -> list[str]:
        commits: list[str] = []
        event.listen(database._engine.sync_engine, "commit", lambda _: commits.append("COMMIT"))
        return commits

    return listen


@pytest.fixture
def count_statements() -> Callable[[Database], list[str]]:
    """Give a way to list the statements of a database from now on, without BEGIN and PRAGMA."""

    def listen(database: Database) -> list[str]:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                statements.append(statement)

        event.listen(database._engine.sync_engine, "before_cursor_execute", note)
        return statements

    return listen
