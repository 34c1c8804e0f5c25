"""Bring a database to the tables of this version; blocking, so it runs in a thread.

A new migration is written by hand in `migrations/versions/`; the tests say whether it and `tables.py` agree.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from gateway.storage.engine import cause_of, connect_args, is_sqlite, shown
from gateway.storage.errors import StorageError

LOCK_WAIT_S = 30.0
_ADVISORY_LOCK = 0x67617465_77617900
"""Any number will do that no other program on the same database uses for its own lock."""


def upgrade(url: URL, revision: str = "head") -> None:
    """Go up to a revision; processes that start at once take turns, and all but the first find nothing to do.

    Errors: StorageError when the database cannot be reached or belongs to a newer version.
    """
    with _failing_clearly(url), migrating(url) as connection:
        command.upgrade(alembic_config(connection), revision)


def downgrade(url: URL, revision: str) -> None:
    """Go down to a revision, `base` for an empty database; what the tables hold is lost.

    Errors: StorageError, as for `upgrade`.
    """
    with _failing_clearly(url), migrating(url) as connection:
        command.downgrade(alembic_config(connection), revision)


def alembic_config(connection: Connection) -> Config:
    """Point Alembic at our migrations and at an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def migrating(url: URL) -> Iterator[Connection]:
    """Open the one transaction that may change tables, after all others have finished theirs."""
    sync_url = url.set(drivername="sqlite" if is_sqlite(url) else "postgresql+psycopg")
    arguments = connect_args(url)
    if is_sqlite(url):
        arguments["timeout"] = LOCK_WAIT_S
        _use_wal(sync_url)
    engine = create_engine(sync_url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    if is_sqlite(url):
        event.listen(engine, "begin", _take_write_lock)
    with engine.begin() as connection:
        if not is_sqlite(url):
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S:g}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        yield connection


def _take_write_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _use_wal(url: URL) -> None:
    """Let readers and the writer work at the same time; the file remembers it.

    SQLite answers "locked" at once when another process is just doing the same, whatever the timeout.
    """
    deadline = time.monotonic() + LOCK_WAIT_S
    with closing(sqlite3.connect(url.database or "", timeout=LOCK_WAIT_S, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


@contextmanager
def _failing_clearly(url: URL) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise StorageError(f"{shown(url)} was made by another version of the gateway: {error}") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StorageError(f"cannot open {shown(url)}: {cause_of(error, url)}") from error
