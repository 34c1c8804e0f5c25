"""What adapters still have to know after a restart, kept in the database backend by backend."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlmodel import col, delete, select

from gateway.model.errors import NotesUnavailable
from gateway.storage.engine import Database
from gateway.storage.errors import StorageError, ValueRefused
from gateway.storage.records import utc_now
from gateway.storage.tables import AdapterNoteRow

log = logging.getLogger(__name__)


class StoredNotes:
    """The notes of one backend; every process on the same database has the same."""

    def __init__(self, database: Database, backend_id: str) -> None:
        self._database = database
        self._backend_id = backend_id

    async def all(self) -> Mapping[str, str]:
        """Give the texts by their keys.

        Errors: NotesUnavailable.
        """
        mine = select(AdapterNoteRow.key, AdapterNoteRow.text).where(AdapterNoteRow.backend_id == self._backend_id)
        async with _as_notes_unavailable(), self._database.read() as session:
            return dict((await session.exec(mine.order_by(col(AdapterNoteRow.key)))).all())

    async def put(self, key: str, text: str) -> None:
        """Keep a text in the place of what the key stood for.

        Errors: NotesUnavailable.
        """
        changed = {"text": text, "changed_at": utc_now()}
        statement = self._database.insert(AdapterNoteRow).values(backend_id=self._backend_id, key=key, **changed)
        async with _as_notes_unavailable(), self._database.write() as session:
            await session.exec(statement.on_conflict_do_update(index_elements=["backend_id", "key"], set_=changed))

    async def drop(self, key: str) -> None:
        """Forget a key; one that is unknown is forgotten already.

        Errors: NotesUnavailable.
        """
        mine = (col(AdapterNoteRow.backend_id) == self._backend_id, col(AdapterNoteRow.key) == key)
        async with _as_notes_unavailable(), self._database.write() as session:
            await session.exec(delete(AdapterNoteRow).where(*mine))


@asynccontextmanager
async def _as_notes_unavailable() -> AsyncIterator[None]:
    try:
        yield
    except ValueRefused as error:
        raise NotesUnavailable(str(error)) from error
    except StorageError as error:
        log.warning("notes: %s", error)  # here alone: what is raised is shown to whoever may see the backend
        raise NotesUnavailable("the gateway's storage does not take or give notes now") from error
