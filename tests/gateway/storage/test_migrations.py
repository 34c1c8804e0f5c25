"""The migrations make the tables that the code uses, and take them away again."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.storage import Storage, StorageError
from gateway.storage.engine import parse_url
from gateway.storage.migrate import alembic_config, downgrade, migrating, upgrade
from gateway.storage.tables import GatewayTable
from tests.gateway.storage.conftest import RunScript

OURS = set(GatewayTable.metadata.tables)


def tables(url: str) -> set[str]:
    with migrating(parse_url(url)) as connection:
        return set(inspect(connection).get_table_names())


def test_up_down_to_nothing_and_up_again(url: str) -> None:
    upgrade(parse_url(url))
    assert tables(url) == OURS | {"alembic_version"}
    downgrade(parse_url(url), "base")
    assert tables(url) == {"alembic_version"}
    upgrade(parse_url(url))
    assert tables(url) == OURS | {"alembic_version"}


def test_models_and_migrations_say_the_same(migrated_url: str) -> None:
    with migrating(parse_url(migrated_url)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, GatewayTable.metadata) == []
        command.check(alembic_config(connection))


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE audit DROP COLUMN address", "DROP INDEX ix_audit_at", "ALTER TABLE secret ADD COLUMN extra INTEGER"],
)
def test_the_comparison_sees_a_difference(migrated_url: str, change: str) -> None:
    with migrating(parse_url(migrated_url)) as connection:
        connection.execute(text(change))
        assert len(compare_metadata(MigrationContext.configure(connection), GatewayTable.metadata)) == 1


def test_a_failed_migration_leaves_no_half_made_tables(url: str) -> None:
    with migrating(parse_url(url)) as connection:
        connection.execute(text("CREATE TABLE attendance (id INTEGER)"))
    with pytest.raises(StorageError):
        upgrade(parse_url(url))
    assert tables(url) == {"attendance"}


async def test_a_database_of_a_newer_gateway_is_left_alone(migrated_url: str) -> None:
    def age() -> None:
        with migrating(parse_url(migrated_url)) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await asyncio.to_thread(age)
    with pytest.raises(StorageError, match=r"another version of the gateway.*9999"):
        async with Storage.open(migrated_url):
            pass


async def test_processes_that_start_at_once_agree_on_tables_secret_and_key(url: str, run_script: RunScript) -> None:
    started = [await run_script("starting.py", url) for _ in range(4)]
    outputs = [(await process.communicate())[0].decode().split() for process in started]
    assert len({secret for secret, _ in outputs}) == 1
    assert re.fullmatch("[0-9a-f]{64}", outputs[0][0])
    assert sorted(reservation for _, reservation in outputs) == ["InProgress"] * 3 + ["Reserved"]


def test_sqlite_lets_readers_and_the_writer_work_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "storage.sqlite3"
    upgrade(parse_url(f"sqlite:///{path}"))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
