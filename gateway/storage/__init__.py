"""What outlives a restart: secrets, adapters' notes, answers to repeated commands, audit, and who was where when."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Self

from sqlmodel import select

from gateway.storage.engine import Database, parse_url
from gateway.storage.errors import StorageError, StorageUnavailable
from gateway.storage.history import BadPageKey, History, HistoryFilter, HistoryPage, page_key
from gateway.storage.idempotency import (
    ABANDONED_AFTER_S,
    KEPT_S,
    Abandoned,
    Answered,
    Conflict,
    Idempotency,
    InProgress,
    KeyOwner,
    Reservation,
    Reserved,
)
from gateway.storage.migrate import upgrade
from gateway.storage.notes import StoredNotes
from gateway.storage.records import (
    AuditRecord,
    Conference,
    ConferenceEnded,
    ConferenceStarted,
    Record,
    Stay,
    StayEnded,
    StayStarted,
    new_id,
    utc_now,
)
from gateway.storage.tables import SecretRow
from gateway.storage.writer import FLUSH_TIMEOUT_S, QUEUE_MAX_RECORDS, BatchWriter

__all__ = [
    "Abandoned",
    "Answered",
    "AuditRecord",
    "BadPageKey",
    "BatchWriter",
    "Conference",
    "ConferenceEnded",
    "ConferenceStarted",
    "Conflict",
    "History",
    "HistoryFilter",
    "HistoryPage",
    "Idempotency",
    "InProgress",
    "KeyOwner",
    "Record",
    "Reservation",
    "Reserved",
    "Stay",
    "StayEnded",
    "StayStarted",
    "Storage",
    "StorageError",
    "StorageUnavailable",
    "StoredNotes",
    "new_id",
    "page_key",
    "utc_now",
]

log = logging.getLogger(__name__)

_SECRET_BYTES = 32
_PURGE_EVERY_S = 3_600.0


class Storage:
    """One open database and all that is done with it."""

    def __init__(self, database: Database, idempotency: Idempotency, writer: BatchWriter) -> None:
        self._database = database
        self.idempotency = idempotency
        self.writer = writer
        self.history = History(database)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        answers_kept_s: float = KEPT_S,
        abandoned_after_s: float = ABANDONED_AFTER_S,
        queue_max_records: int = QUEUE_MAX_RECORDS,
        flush_timeout_s: float = FLUSH_TIMEOUT_S,
    ) -> AsyncIterator[Self]:
        """Bring the database to this version's tables and open it; leaving writes what still waits.

        Errors: StorageError when the URL is not one of ours or the database cannot be opened.
        """
        parsed = parse_url(url)
        await asyncio.to_thread(upgrade, parsed)
        async with AsyncExitStack() as stack:
            database = await asyncio.to_thread(Database, parsed)  # looks at the file system and imports drivers
            stack.push_async_callback(database.aclose)
            idempotency = Idempotency(database, kept_s=answers_kept_s, abandoned_after_s=abandoned_after_s)
            writer = BatchWriter(database, queue_max_records=queue_max_records, flush_timeout_s=flush_timeout_s)
            stack.push_async_callback(writer.aclose)
            await stack.enter_async_context(_purging(idempotency))
            yield cls(database, idempotency, writer)

    async def secret(self, name: str) -> bytes:
        """Give the random secret of this name, made when first asked for; all processes of one database get the same.

        Errors: StorageUnavailable.
        """
        made = {"name": name, "value": os.urandom(_SECRET_BYTES), "created_at": utc_now()}
        async with self._database.write() as session:
            await session.exec(self._database.insert(SecretRow).values(made).on_conflict_do_nothing())
            return (await session.exec(select(SecretRow.value).where(SecretRow.name == name))).one()

    def notes(self, backend_id: str) -> StoredNotes:
        """Give the notes of one backend's adapter."""
        return StoredNotes(self._database, backend_id)


@asynccontextmanager
async def _purging(idempotency: Idempotency) -> AsyncIterator[None]:
    """Delete expired answers every hour while the block runs; never cut short, for which drivers log a traceback."""
    ended = asyncio.Event()
    task = asyncio.create_task(_purge_regularly(idempotency, ended), name="storage purge")
    try:
        yield
    finally:
        ended.set()
        await task


async def _purge_regularly(idempotency: Idempotency, ended: asyncio.Event) -> None:
    while not ended.is_set():
        try:
            await idempotency.purge()
        except StorageError as error:
            log.warning("storage: expired answers stay for another hour: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _PURGE_EVERY_S)
