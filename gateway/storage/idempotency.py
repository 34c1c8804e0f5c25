"""Which commands have been asked before, so that a repeat gets the first answer and does not act again.

reserve ── Reserved ──> act ──> finish(answer)      acted, or may have acted
                            └─> release()           nothing was sent
        ├─ Answered(answer)    done before
        ├─ InProgress          being done now
        ├─ Abandoned           begun by a process that is gone: it may have acted, nobody knows
        └─ Conflict            the key stands for another command
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import col, delete, select, tuple_, update
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.storage.engine import Database
from gateway.storage.errors import StorageError
from gateway.storage.records import new_id, utc_now
from gateway.storage.tables import IdempotencyRow

KEPT_S = 86_400.0
ABANDONED_AFTER_S = 60.0
_PURGE_BATCH_ROWS = 1_000


class KeyOwner(NamedTuple):
    """Whose keys these are: two viewers may choose the same key."""

    tenant: str
    subject: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """The command is yours to do; `finish` or `release` it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was done; this was its answer."""

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """The key was used for another command."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The command is being done now."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The process that began the command is gone; whether it acted is not known."""


Reservation = Reserved | Answered | Conflict | InProgress | Abandoned


class Idempotency:
    """The memory of commands; each instance stands for one start of one process.

    Units: both from the reservation on: `kept_s` until a key may be used again, `abandoned_after_s` until an unfinished
           one of another instance counts as given up, so far above the time any command takes.
    """

    def __init__(
        self,
        database: Database,
        *,
        kept_s: float = KEPT_S,
        abandoned_after_s: float = ABANDONED_AFTER_S,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._kept = timedelta(seconds=kept_s)
        self._abandoned_after = timedelta(seconds=abandoned_after_s)
        self._clock = clock
        self._instance = new_id()

    async def reserve(self, owner: KeyOwner, key: str, fingerprint: str) -> Reservation:
        """Ask to do a command; of all who ask at once, exactly one gets Reserved.

        Shape: `fingerprint` is the same for the same command and input, and only then.
        Errors: StorageUnavailable: do not act.
        """
        now = self._clock()
        asked = IdempotencyRow(
            tenant=owner.tenant,
            subject=owner.subject,
            key=_digest(key),
            fingerprint=_digest(fingerprint),
            instance=self._instance,
            reserved_at=now,
            expires_at=now + self._kept,
        )
        while True:
            async with self._database.write() as session:
                reservation = await self._insert_or_judge(session, asked)
            if reservation is not None:
                return reservation

    async def _insert_or_judge(self, session: AsyncSession, asked: IdempotencyRow) -> Reservation | None:
        """Try once; None when the row that stood in the way was deleted meanwhile."""
        insert = self._database.insert(IdempotencyRow).values(asked.model_dump()).on_conflict_do_nothing()
        # Not the row count: a session's INSERT does not have one on Postgres.
        if (await session.exec(insert.returning(col(IdempotencyRow.key)))).first() is not None:
            return Reserved()
        row = await session.get(IdempotencyRow, (asked.tenant, asked.subject, asked.key), with_for_update=True)
        if row is None:
            return None
        if row.expires_at <= asked.reserved_at:
            row.sqlmodel_update(asked)
            return Reserved()
        return self._judge(row, asked)

    def _judge(self, row: IdempotencyRow, asked: IdempotencyRow) -> Reservation:
        if row.fingerprint != asked.fingerprint:
            return Conflict()
        if row.answer is not None:
            return Answered(row.answer)
        theirs = row.instance != self._instance
        if theirs and asked.reserved_at - row.reserved_at > self._abandoned_after:
            return Abandoned()
        return InProgress()

    async def finish(self, owner: KeyOwner, key: str, answer: dict[str, Any]) -> None:
        """Keep the answer for whoever repeats the command.

        Errors: StorageError when this instance has not reserved the key; StorageUnavailable.
        """
        async with self._database.write() as session:
            statement = update(IdempotencyRow).where(*self._mine(owner, key)).values(answer=answer)
            if (await session.exec(statement)).rowcount != 1:
                raise StorageError("only a reserved command can be finished, by the process that reserved it")

    async def release(self, owner: KeyOwner, key: str) -> None:
        """Forget a reservation: nothing was sent, and a repeat may act.

        Errors: StorageUnavailable.
        """
        async with self._database.write() as session:
            await session.exec(delete(IdempotencyRow).where(*self._mine(owner, key)))

    async def purge(self) -> int:
        """Delete what has expired, a thousand rows a transaction, and tell how many.

        Errors: StorageUnavailable.
        """
        primary_key = tuple_(col(IdempotencyRow.tenant), col(IdempotencyRow.subject), col(IdempotencyRow.key))
        expired = (
            select(IdempotencyRow.tenant, IdempotencyRow.subject, IdempotencyRow.key)
            .where(col(IdempotencyRow.expires_at) <= self._clock())
            .limit(_PURGE_BATCH_ROWS)
        )
        total = 0
        while True:
            async with self._database.write() as session:
                deleted = (await session.exec(delete(IdempotencyRow).where(primary_key.in_(expired)))).rowcount
            total += deleted
            if deleted < _PURGE_BATCH_ROWS:
                return total

    def _mine(self, owner: KeyOwner, key: str) -> tuple[Any, ...]:
        return (
            col(IdempotencyRow.tenant) == owner.tenant,
            col(IdempotencyRow.subject) == owner.subject,
            col(IdempotencyRow.key) == _digest(key),
            col(IdempotencyRow.instance) == self._instance,
            col(IdempotencyRow.answer).is_(None),
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
