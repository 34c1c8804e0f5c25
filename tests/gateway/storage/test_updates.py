"""No update is lost, however many write at once, and whoever gives up leaves no lock behind."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col
from sqlmodel import select as select_rows

from gateway.storage import StorageUnavailable
from gateway.storage.engine import Database
from gateway.storage.errors import ValueRefused
from gateway.storage.tables import SecretRow
from tests.gateway.storage.conftest import OpenDatabase, Outage, RunScript
from tests.gateway.storage.programs.counting import add_one, count, counter


@pytest.fixture
async def counted(database: Database) -> Callable[[], Awaitable[int]]:
    """Make the counter, and give a way to read it."""
    async with database.write() as session:
        connection = await session.connection()
        await connection.run_sync(counter.create)
        await connection.execute(counter.insert().values(total=0))

    async def total() -> int:
        async with database.read() as session:
            connection = await session.connection()
            return int((await connection.execute(select(counter.c.total))).scalar_one())

    return total


async def test_twenty_writers_with_four_engines_lose_nothing(
    databases: OpenDatabase, counted: Callable[[], Awaitable[int]]
) -> None:
    async with asyncio.TaskGroup() as group:
        for shared in [await databases() for _ in range(4)]:
            for _ in range(5):
                group.create_task(count(shared, 10))
    assert await counted() == 200


async def test_twenty_writers_in_four_processes_lose_nothing(
    migrated_url: str, counted: Callable[[], Awaitable[int]], run_script: RunScript
) -> None:
    started = [await run_script("counting.py", migrated_url, "5", "10") for _ in range(4)]
    assert [await process.wait() for process in started] == [0] * 4
    assert await counted() == 200


async def test_a_failing_block_changes_nothing(database: Database, counted: Callable[[], Awaitable[int]]) -> None:
    async def fail() -> None:
        async with database.write() as session:
            await (await session.connection()).execute(counter.update().values(total=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await counted() == 0


async def test_a_database_that_does_not_answer_is_given_up_in_time(
    databases: OpenDatabase, counted: Callable[[], Awaitable[int]], outage: Outage
) -> None:
    impatient = await databases(answer_within_s=0.2)
    with outage(), pytest.raises(StorageUnavailable):
        await add_one(impatient)
    await add_one(impatient)
    assert await counted() == 1


async def test_a_cancelled_writer_leaves_no_lock_behind(
    database: Database, counted: Callable[[], Awaitable[int]], tmp_path: Path
) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with database.write() as session:
            await (await session.connection()).execute(counter.update().values(total=7))
            inside.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await inside.wait()
    waiting = asyncio.create_task(add_one(database))
    for task in (waiting, holder):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await add_one(database)
    assert await counted() == 1


async def test_a_writer_cancelled_twice_while_it_waits_for_the_lock_ends(
    database: Database, counted: Callable[[], Awaitable[int]], outage: Outage
) -> None:
    asked = asyncio.Event()

    async def add() -> None:
        async with database.write() as session:
            asked.set()
            await (await session.connection()).execute(counter.update().values(total=7))

    with outage():
        task = asyncio.create_task(add())
        await asked.wait()
        others = asyncio.all_tasks() - {task}
        for _ in range(2):
            for _ in range(20):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(5):
            while asyncio.all_tasks() - others:  # noqa: ASYNC110  tasks that end tell nobody
                await asyncio.sleep(0)
    assert await counted() == 0


async def test_reading_goes_on_while_somebody_writes(database: Database, counted: Callable[[], Awaitable[int]]) -> None:
    async with database.write() as session:
        await (await session.connection()).execute(counter.update().values(total=7))
        assert await counted() == 0
    assert await counted() == 7


async def test_instants_are_kept_to_the_microsecond_and_come_back_in_utc(database: Database) -> None:
    at = datetime(2026, 3, 29, 3, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    async with database.write() as session:
        session.add(SecretRow(name="a", value=b"", created_at=at))
    async with database.read() as session:
        kept = (await session.exec(select_rows(SecretRow.created_at).where(col(SecretRow.name) == "a"))).one()
    assert kept == at
    assert kept.tzinfo is UTC


async def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueRefused, match="timezone"):
        async with database.write() as session:
            session.add(SecretRow(name="a", value=b"", created_at=datetime(2026, 3, 29)))  # noqa: DTZ001  the point


async def test_foreign_keys_hold_on_sqlite_too(tmp_path: Path, database: Database) -> None:
    async with database.write() as session:
        connection = await session.connection()
        if connection.dialect.name == "sqlite":
            assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1


def test_no_table_shows_its_secret() -> None:
    assert "hunter2" not in repr(SecretRow(name="a", value=b"hunter2", created_at=datetime.now(UTC)))


def test_the_counter_can_lose_updates_without_our_care(tmp_path: Path) -> None:
    """Show that the tests above can fail: two connections with the driver's defaults overwrite each other."""
    path = tmp_path / "careless.sqlite3"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path)) as other:
        one.execute("CREATE TABLE counter (total INTEGER)")
        one.execute("INSERT INTO counter VALUES (0)")
        one.commit()
        for connection in (one, other):
            connection.execute("SELECT total FROM counter").fetchall()
        for connection in (one, other):
            connection.execute("UPDATE counter SET total = 1")
            connection.commit()
        assert one.execute("SELECT total FROM counter").fetchone() == (1,)
