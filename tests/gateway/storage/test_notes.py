"""What an adapter notes is there after a restart, whole, and nobody else's."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.model.errors import NotesUnavailable
from gateway.storage import Storage, StoredNotes, utc_now
from gateway.storage.engine import Database
from gateway.storage.tables import AdapterNoteRow
from tests.gateway.storage.conftest import OpenDatabase, Outage


@pytest.fixture
def notes(database: Database) -> StoredNotes:
    return StoredNotes(database, "cloud")


async def test_notes_are_there_after_a_restart(migrated_url: str) -> None:
    async with Storage.open(migrated_url) as storage:
        notes = storage.notes("cloud")
        assert await notes.all() == {}
        await notes.put("room 2", "Jour fixe “Ä” 🎧")
        await notes.put("room 1", "")
    async with Storage.open(migrated_url) as storage:
        notes = storage.notes("cloud")
        assert await notes.all() == {"room 1": "", "room 2": "Jour fixe “Ä” 🎧"}


async def test_a_key_stands_for_its_last_text_until_it_is_dropped(notes: StoredNotes) -> None:
    for text in ("first", "second"):
        await notes.put("hook", text)
    await notes.put("other", "third")
    assert await notes.all() == {"hook": "second", "other": "third"}
    for _ in range(2):
        await notes.drop("hook")
        assert await notes.all() == {"other": "third"}


async def test_each_backend_has_its_own(notes: StoredNotes, database: Database) -> None:
    others = StoredNotes(database, "office")
    await notes.put("hook", "cloud's")
    await others.put("hook", "office's")
    await notes.drop("hook")
    assert (await notes.all(), await others.all()) == ({}, {"hook": "office's"})


async def test_writers_at_once_do_not_hinder_each_other(databases: OpenDatabase) -> None:
    ours, theirs = StoredNotes(await databases(), "cloud"), StoredNotes(await databases(), "cloud")
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task((ours if number % 2 else theirs).put(f"room {number % 5}", "served"))
    assert await ours.all() == await theirs.all() == {f"room {number}": "served" for number in range(5)}


@pytest.mark.parametrize(
    ("key", "text"),
    [("k", "t" * 4001), ("k" * 256, "t"), ("k", "a\0b"), ("a\0b", "t"), ("k", "half \ud83d"), ("\ud83d half", "t")],
    ids=["long text", "long key", "NUL in the text", "NUL in the key", "half a character", "half a character as key"],
)
async def test_what_does_not_fit_is_refused_and_never_cut(notes: StoredNotes, key: str, text: str) -> None:
    with pytest.raises(NotesUnavailable, match=r"a text (of at most|without)") as refusal:
        await notes.put(key, text)
    assert key not in str(refusal.value) or key == "k"
    assert text not in str(refusal.value) or text == "t"
    assert await notes.all() == {}


async def test_what_just_fits_is_kept(notes: StoredNotes) -> None:
    await notes.put("ö" * 255, "ö" * 4000)
    assert await notes.all() == {"ö" * 255: "ö" * 4000}


async def test_a_database_that_is_away_is_told_as_the_port_says(databases: OpenDatabase, outage: Outage) -> None:
    notes = StoredNotes(await databases(answer_within_s=0.2), "cloud")
    with outage():
        for writing in (notes.put("hook", "s3cret"), notes.drop("hook")):
            with pytest.raises(NotesUnavailable) as failure:
                await writing
            assert "s3cret" not in str(failure.value)
    await notes.put("hook", "s3cret")
    assert await notes.all() == {"hook": "s3cret"}


async def test_a_note_shows_its_text_nowhere(
    notes: StoredNotes, database: Database, count_statements: Callable[[Database], list[str]]
) -> None:
    statements = count_statements(database)
    await notes.put("hook", "s3cret")
    assert len(statements) == 1
    assert "s3cret" not in statements[0]
    assert "s3cret" not in repr(AdapterNoteRow(backend_id="cloud", key="hook", text="s3cret", changed_at=utc_now()))
