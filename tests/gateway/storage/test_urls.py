"""Which storage URLs are taken, and what is said about the others."""

from pathlib import Path

import pytest

from gateway.storage import Storage, StorageError
from gateway.storage.engine import cause_of, is_sqlite, parse_url, shown


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///gateway.sqlite3", "sqlite+aiosqlite"),
        ("sqlite:////var/lib/gateway.sqlite3", "sqlite+aiosqlite"),
        ("postgresql://ann:pw@db:5432/gateway", "postgresql+psycopg"),
        ("postgres://ann:pw@db/gateway", "postgresql+psycopg"),
        ("postgresql+psycopg://ann@/gateway?host=/run/postgresql", "postgresql+psycopg"),
    ],
)
def test_sqlite_files_and_postgres_are_taken(text: str, driver: str) -> None:
    url = parse_url(text)
    assert url.drivername == driver
    assert is_sqlite(url) == text.startswith("sqlite")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gateway.sqlite3",
        "mysql://ann:hunter2@db/gateway",
        "postgresql+asyncpg://ann:hunter2@db/gateway",
        "postgresql://ann:x@hunter2@db/gateway",
        "postgresql://ann:x@db:hunter2/gateway",
        "sqlite://gateway.sqlite3",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:gateway?mode=memory",
        "sqlite:///gateway.sqlite3?timeout=1",
    ],
)
async def test_any_other_url_is_refused_with_what_is_accepted_and_without_the_password(text: str) -> None:
    with pytest.raises(StorageError) as caught:
        async with Storage.open(text):
            pass
    assert "sqlite:///" in str(caught.value) or "%40" in str(caught.value)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


async def test_a_file_in_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nowhere/gateway\.sqlite3: unable to open"):
        async with Storage.open(f"sqlite:///{tmp_path}/nowhere/gateway.sqlite3"):
            pass


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("This is not a database. " * 100)
    with pytest.raises(StorageError, match=r"notes\.txt: file is not a database"):
        async with Storage.open(f"sqlite:///{path}"):
            pass


async def test_a_postgres_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StorageError, match=r"postgresql://ann:\*\*\*@127\.0\.0\.1:1/gateway: connection") as caught:
        async with Storage.open("postgresql://ann:hunter2@127.0.0.1:1/gateway"):
            pass
    assert "hunter2" not in str(caught.value)


def test_a_password_in_a_parameter_is_not_shown_either() -> None:
    url = parse_url("postgresql://ann@db/gateway?password=hunter2")
    assert "hunter2" not in shown(url)
    assert cause_of(ValueError("bad option hunter2\nsecond line"), url) == "bad option ***"
