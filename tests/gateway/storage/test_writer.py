"""Records reach the database in batches, and nothing that happens to the database is lost in silence."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from gateway.storage import AuditRecord, ConferenceStarted, StayEnded, StayStarted, Storage
from gateway.storage.batches import write_batch
from gateway.storage.engine import Database, parse_url
from gateway.storage.migrate import downgrade, upgrade
from gateway.storage.records import ConferenceEnded, Record
from gateway.storage.tables import AttendanceRow, AuditRow, ConferenceRow
from gateway.storage.writer import BatchWriter
from tests.gateway.storage.conftest import OpenDatabase, Outage

AT = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
Until = Callable[[Callable[[], bool]], Awaitable[None]]


def audit(
    number: int = 0, *, at: datetime = AT, subject: str = "ann", address: str | None = "192.0.2.1"
) -> AuditRecord:
    return AuditRecord(
        at=at,
        tenant="acme",
        subject=subject,
        backend_id="kazoo",
        room_id="sales",
        participant_id="17",
        command=f"MUTE {number}",
        outcome="CONFIRMED",
        duration_ms=12.5,
        address=address,
    )


async def commands(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.exec(select(AuditRow.command).order_by(col(AuditRow.id)))).all())


@pytest.fixture
async def impatient(databases: OpenDatabase) -> Database:
    return await databases(answer_within_s=0.2)


@pytest.fixture
async def writer(impatient: Database) -> AsyncIterator[BatchWriter]:
    writer = BatchWriter(impatient, queue_max_records=100, flush_timeout_s=10)
    yield writer
    await writer.aclose()


async def test_every_field_of_a_command_is_kept(writer: BatchWriter, database: Database) -> None:
    full = audit()
    bare = AuditRecord(
        at=AT, tenant="acme", subject="ann", backend_id="kazoo", command="LOCK", outcome="UNKNOWN", duration_ms=0.25
    )
    refused = AuditRecord(
        at=AT,
        tenant="acme",
        subject="ann",
        backend_id="kazoo",
        command="KICK",
        outcome="REJECTED",
        error_code="FORBIDDEN",
        duration_ms=3e9,
    )
    for record in (full, bare, refused):
        writer.put(record)
    await writer.flush()
    async with database.read() as session:
        rows = (await session.exec(select(AuditRow))).all()
    kept = {row.id: row.model_dump() for row in rows}
    for record in (full, bare, refused):
        assert kept[record.id] == {name: getattr(record, name) for name in AuditRow.model_fields}
    assert (writer.written, writer.dropped, writer.waiting) == (3, 0, 0)


async def test_a_lone_record_is_written_without_being_asked(
    writer: BatchWriter, database: Database, until: Until
) -> None:
    writer.put(audit())
    await until(lambda: writer.written == 1)
    assert await commands(database) == ["MUTE 0"]


async def test_many_records_take_few_transactions(
    database: Database, count_transactions: Callable[[Database], list[str]], until: Until
) -> None:
    writer = BatchWriter(database)
    commits = count_transactions(database)
    for number in range(1_200):
        writer.put(audit(number))
    await until(lambda: writer.written == 1_200)
    assert len(commits) == 3
    await writer.aclose()


async def test_an_outage_loses_nothing_and_is_told_once(
    writer: BatchWriter, database: Database, outage: Outage, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="gateway.storage")
    records = [audit(number) for number in range(60)]
    with outage():
        for record in records[:30]:
            writer.put(record)
        await until(lambda: len(caplog.messages) == 1)
        for record in records[30:]:
            writer.put(record)
        assert (writer.written, writer.waiting) == (0, 60)
    await writer.flush()
    assert sorted(await commands(database)) == sorted(record.command for record in records)
    assert (writer.written, writer.dropped, writer.waiting) == (60, 0, 0)
    assert ["fails" in caplog.messages[0], "works again" in caplog.messages[1], len(caplog.messages)] == [True, True, 2]


async def test_a_missing_table_is_waited_for(
    writer: BatchWriter, database: Database, migrated_url: str, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(downgrade, parse_url(migrated_url), "base")
    writer.put(audit())
    await until(lambda: "audit" in caplog.text)
    await asyncio.to_thread(upgrade, parse_url(migrated_url))
    await writer.flush()
    assert await commands(database) == ["MUTE 0"]


async def test_a_full_queue_drops_the_newcomers_and_says_so_once(
    writer: BatchWriter, database: Database, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    with outage():
        for number in range(150):
            writer.put(audit(number))
        assert (writer.waiting, writer.dropped) == (100, 50)
    await writer.flush()
    assert sorted(await commands(database)) == sorted(f"MUTE {number}" for number in range(100))
    assert (writer.written, writer.dropped) == (100, 50)
    assert len([message for message in caplog.messages if "dropped" in message]) == 1


async def test_put_is_quick_while_the_database_is_away(writer: BatchWriter, outage: Outage, until: Until) -> None:
    with outage():
        begun = time.perf_counter()
        for number in range(1_000):
            writer.put(audit(number))
        assert time.perf_counter() - begun < 0.5
        assert writer.dropped == 900


async def test_closing_writes_what_waits(database: Database) -> None:
    writer = BatchWriter(database)
    for number in range(1_100):
        writer.put(audit(number))
    await writer.aclose()
    assert len(await commands(database)) == 1_100
    writer.put(audit())
    assert (writer.written, writer.dropped) == (1_100, 1)


async def test_closing_without_a_database_ends_in_time_and_counts_what_is_lost(
    impatient: Database, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    writer = BatchWriter(impatient, flush_timeout_s=0.5)
    with outage():
        writer.put(audit())
        async with asyncio.timeout(3):
            await writer.aclose()
    assert (writer.written, writer.dropped, writer.waiting) == (0, 1, 0)
    assert "1 records unwritten" in caplog.text


async def test_a_patient_writer_too_can_be_closed_in_time(database: Database, outage: Outage) -> None:
    """The database gives up after a minute here; closing does not wait for that."""
    writer = BatchWriter(database, flush_timeout_s=0.5)
    with outage():
        writer.put(audit())
        async with asyncio.timeout(3):
            await writer.aclose()
    assert writer.dropped == 1


async def test_a_record_no_database_takes_stops_no_other(
    writer: BatchWriter, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    writer.put(audit(1))
    writer.put(audit(2, at=datetime(2026, 5, 1)))  # noqa: DTZ001  the point
    writer.put(audit(3))
    await writer.flush()
    assert sorted(await commands(database)) == ["MUTE 1", "MUTE 3"]
    assert (writer.written, writer.dropped) == (2, 1)
    assert "AuditRecord" in caplog.text


async def test_text_from_a_phone_may_be_anything(writer: BatchWriter, database: Database) -> None:
    writer.put(audit(subject="A\0nn\ud800 ☎", address="x" * 1_000_000))
    await writer.flush()
    async with database.read() as session:
        row = (await session.exec(select(AuditRow))).one()
    assert (row.subject, row.address) == ("Ann? ☎", "x" * 255)


def conference_with_stays() -> tuple[ConferenceStarted, StayStarted, StayStarted]:
    conference = ConferenceStarted(backend_id="kazoo", room_id="sales", seen_at=AT)
    ann = StayStarted(conference_id=conference.id, participant_id="1", joined_at=AT, role="PARTICIPANT")
    bob = StayStarted(conference_id=conference.id, participant_id="2", joined_at=AT, display_name="Bob")
    return conference, ann, bob


async def contents(database: Database) -> list[dict[str, object]]:
    async with database.read() as session:
        conferences = (await session.exec(select(ConferenceRow).order_by(col(ConferenceRow.id)))).all()
        stays = (await session.exec(select(AttendanceRow).order_by(col(AttendanceRow.id)))).all()
        commands = (await session.exec(select(AuditRow).order_by(col(AuditRow.id)))).all()
        return [row.model_dump() for row in (*conferences, *stays, *commands)]


async def test_a_batch_written_twice_leaves_what_it_left_once(database: Database) -> None:
    conference, ann, bob = conference_with_stays()
    batch: list[Record] = [
        audit(),
        conference,
        ann,
        bob,
        StayEnded(id=ann.id, left_at=AT, leave_reason="KICKED"),
        ConferenceEnded(id=conference.id, ended_at=AT),
    ]
    assert await write_batch(database, batch) == 6
    once = await contents(database)
    assert await write_batch(database, batch) == 6
    assert await contents(database) == once
    assert len(once) == 4


async def test_what_becomes_known_later_is_filled_in_and_nothing_known_is_forgotten(database: Database) -> None:
    conference, ann, bob = conference_with_stays()
    started_at = datetime(2026, 5, 1, 11, tzinfo=UTC)
    known = ConferenceStarted(
        id=conference.id, backend_id="kazoo", room_id="sales", room_name="Sales", started_at=started_at
    )
    promoted = StayStarted(id=ann.id, conference_id=conference.id, participant_id="1", joined_at=AT, role="MODERATOR")
    silent = StayStarted(id=bob.id, conference_id=conference.id, participant_id="2", joined_at=AT)
    await write_batch(database, [conference, ann, bob])
    await write_batch(database, [known, promoted, silent])
    await write_batch(database, [conference])
    room, *people = await contents(database)
    assert (room["room_name"], room["started_at"], room["began_at"]) == ("Sales", started_at, started_at)
    by_id = {person["id"]: person for person in people}
    assert (by_id[ann.id]["role"], by_id[bob.id]["display_name"]) == ("MODERATOR", "Bob")


async def test_a_conference_that_is_over_stays_over(database: Database) -> None:
    conference, ann, _ = conference_with_stays()
    await write_batch(database, [conference, ann])
    await write_batch(
        database, [StayEnded(id=ann.id, left_at=AT), ConferenceEnded(id=conference.id, ended_at=AT), conference, ann]
    )
    room, stay = await contents(database)
    assert (room["open"], room["ended_at"], stay["left_at"], stay["leave_reason"]) == (False, AT, AT, "UNKNOWN")


async def test_a_stay_without_its_conference_is_counted_and_stops_no_other(
    writer: BatchWriter, database: Database
) -> None:
    conference, ann, _ = conference_with_stays()
    lost = StayStarted(conference_id="lost", participant_id="3", joined_at=AT)
    for record in (conference, lost, ann):
        writer.put(record)
    await writer.flush()
    assert (writer.written, writer.dropped) == (2, 1)
    assert [row["id"] for row in await contents(database)] == [conference.id, ann.id]


async def test_leaving_the_storage_writes_what_waits(migrated_url: str, database: Database) -> None:
    async with Storage.open(migrated_url) as storage:
        storage.writer.put(audit())
    assert await commands(database) == ["MUTE 0"]
