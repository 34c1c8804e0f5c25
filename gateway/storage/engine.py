"""The connection to the database: which URLs we take, and transactions that lose no update."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql, registry, sqlite
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.storage.errors import StorageError, StorageUnavailable, ValueRefused
from gateway.storage.tables import GatewayTable, table_of

logging.getLogger("aiosqlite").setLevel(logging.INFO)  # at DEBUG it logs whatever is written, secrets too

ACCEPTED = "sqlite:///path/to/file.sqlite3 or postgresql://user:password@host:5432/database"
ANSWER_WITHIN_S = 10.0
_SQLITE_BUSY_S = 0.5
"""How long one attempt for SQLite's write lock blocks its thread: short, so that a cancelled caller is free soon."""
_POSTGRES_DEFAULTS = {"connect_timeout": "5", "tcp_user_timeout": "10000"}
_READING = "gateway_reading"


def parse_url(text: str) -> URL:
    """Read a storage URL.

    Errors: StorageError naming what is accepted; no part of the text is repeated, for a slip may sit in the password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StorageError(f"the storage URL cannot be read; accepted: {ACCEPTED}") from None
    if url.drivername in ("sqlite", "sqlite+aiosqlite"):
        return _sqlite_url(url)
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgres_url(url)
    raise StorageError(f"no storage of the kind {url.drivername!r}; accepted: {ACCEPTED}")


def _sqlite_url(url: URL) -> URL:
    if url.host or url.username:
        raise StorageError(f"a SQLite URL has three slashes before its path; accepted: {ACCEPTED}")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StorageError(f"SQLite needs a plain file that all connections share; accepted: {ACCEPTED}")
    if url.query:
        raise StorageError(f"a SQLite URL takes no parameters; accepted: {ACCEPTED}")
    return url.set(drivername="sqlite+aiosqlite")


def _postgres_url(url: URL) -> URL:
    if "@" in (url.host or ""):
        raise StorageError("an @ in the user name or password of the storage URL is written %40")
    return url.set(drivername="postgresql+psycopg")


def is_sqlite(url: URL) -> bool:
    """Tell the two kinds of database apart."""
    return url.get_backend_name() == "sqlite"


def shown(url: URL) -> str:
    """Write a URL for people: without password, and without parameters, which may hold one too."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def cause_of(error: Exception, url: URL) -> str:
    """Say in one line what the database complained about, without the password."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    passwords = [url.password, url.query.get("password")]
    for password in passwords:
        if isinstance(password, str) and password:
            lines[0] = lines[0].replace(password, "***")
    return lines[0]


def connect_args(url: URL) -> dict[str, object]:
    """Give what each connection is opened with, for the engine in use and for migrations alike.

    `isolation_level=None` keeps SQLite's driver from beginning transactions: it would do so only before the first
    write, and two who read the same row and then write it would overwrite each other.
    """
    if is_sqlite(url):
        return {"isolation_level": None, "timeout": _SQLITE_BUSY_S}
    return {name: value for name, value in _POSTGRES_DEFAULTS.items() if name not in url.query}


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction that holds the write lock from its start, or a reading one that needs no lock.

    Waits for the lock without limit; the one who asks sets the limit. Each attempt waits in SQLite for half a second.
    """
    statement = "BEGIN" if connection.get_execution_options().get(_READING) else "BEGIN IMMEDIATE"
    while True:
        try:
            connection.exec_driver_sql(statement)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                raise
        else:
            return


class GatewaySQLite(SQLiteDialect_aiosqlite):
    """SQLAlchemy's own dialect, but for how it drops the connection of a task that was cancelled.

    There the close runs shielded, and a second cancel stops the connection's thread under it: the close then waits for
    ever, and with it the end of the event loop. A plain close in the task itself survives any number of them.
    """

    has_terminate = False
    supports_statement_cache = True

    def do_terminate(self, dbapi_connection: DBAPIConnection) -> None:
        """Close as usual."""
        dbapi_connection.close()


registry.register("sqlite.gateway", __name__, GatewaySQLite.__name__)


def _enforce_foreign_keys(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _make_engine(url: URL) -> AsyncEngine:
    arguments = connect_args(url)
    if not is_sqlite(url):
        return create_async_engine(url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True)
    url = url.set(drivername="sqlite+gateway")
    engine = create_async_engine(url, connect_args=arguments, hide_parameters=True, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _enforce_foreign_keys)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class Database:
    """One database, of either kind; every transaction ends within `answer_within_s` or fails."""

    def __init__(self, url: URL, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._url = url
        self._answer_within_s = answer_within_s
        self._engine = _make_engine(url)
        if is_sqlite(url):
            self._reading = self._engine.execution_options(**{_READING: True})
            # SQLite has one writer; taking turns here spares our own tasks its polling for the lock.
            self._turn: AbstractAsyncContextManager[object] = asyncio.Lock()
        else:
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._turn = nullcontext()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that may write; it commits when the block ends well.

        A row read to be changed is read `with_for_update()`: on Postgres that is its lock, on SQLite the whole file is
        locked from the start.

        Errors: StorageUnavailable, ValueRefused.
        """
        async with (
            self._answering(),
            self._turn,
            AsyncSession(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that sees one state of the database and hinders no writer.

        Errors: StorageUnavailable.
        """
        async with self._answering(), AsyncSession(self._reading, expire_on_commit=False) as session:
            yield session

    def insert(self, row: type[GatewayTable]) -> sqlite.Insert | postgresql.Insert:
        """Start an INSERT that can say ON CONFLICT, which each database spells in its own class."""
        return sqlite.insert(table_of(row)) if is_sqlite(self._url) else postgresql.insert(table_of(row))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._answer_within_s):
                yield
        except TimeoutError:
            raise StorageUnavailable(f"{shown(self._url)} did not answer in {self._answer_within_s:g} s") from None
        except (SQLAlchemyError, OSError) as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> StorageError:
        # A StatementError that is no DBAPIError comes from our own column types, before anything was sent.
        unfit = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
        kind = ValueRefused if unfit or isinstance(error, (DataError, IntegrityError)) else StorageUnavailable
        return kind(f"{shown(self._url)}: {cause_of(error, self._url)}")
