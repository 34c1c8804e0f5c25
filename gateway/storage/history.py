"""Conferences and who was in them: the past ones page by page, and those a crash left open."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, tuple_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.storage.engine import Database
from gateway.storage.errors import StorageError
from gateway.storage.records import Conference, Stay
from gateway.storage.tables import AttendanceRow, ConferenceRow, table_of


class BadPageKey(StorageError):
    """The page key is none of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which past conferences; None asks for no restriction, an empty collection lets nothing through.

    Shape: `rooms` are pairs (backend_id, room_id); all conditions given must hold.
    Units: a conference counts when some moment of it lies in [`since`, `until`); one whose end nobody saw counts by its
           begin alone.
    """

    backend_ids: Collection[str] | None = None
    rooms: Collection[tuple[str, str]] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some conferences, newest first; `total` counts all that the filter lets through, on this page or not."""

    conferences: tuple[Conference, ...]
    total: int
    has_next: bool


class _Place(NamedTuple):
    began_at: datetime
    id: str


def page_key(conference: Conference) -> str:
    """Make the opaque key that continues after this conference."""
    text = f"{conference.began_at.astimezone(UTC).isoformat()} {conference.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _place(key: str) -> _Place:
    try:
        began_at, _, id_ = base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True).decode().partition(" ")
        place = _Place(datetime.fromisoformat(began_at), id_)
    except (ValueError, binascii.Error):
        raise BadPageKey("this page key was not given out by the gateway") from None
    if place.began_at.utcoffset() is None or not id_:
        raise BadPageKey("this page key was not given out by the gateway")
    return place


class History:
    """Reads what the writer has written; it may be a moment behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def past(self, wanted: HistoryFilter, *, first: int, after: str | None = None) -> HistoryPage:
        """Give one page of conferences that are over, newest first, with everybody's stay.

        Errors: BadPageKey, StorageUnavailable.
        """
        conditions = _conditions(wanted)
        place = None if after is None else _place(after)
        async with self._database.read() as session:
            total = (await session.exec(select(func.count()).select_from(ConferenceRow).where(*conditions))).one()
            rows = await _newest(session, conditions, place, first + 1)
            conferences = await _with_stays(session, rows[:first])
        return HistoryPage(conferences=conferences, total=total, has_next=len(rows) > first)

    async def open_conferences(self, backend_id: str) -> tuple[Conference, ...]:
        """Give the conferences of a backend that nobody has ended, oldest first, with the stays nobody has ended.

        After a start these are what the last process left behind: resume them by going on with their ids, or end them.

        Errors: StorageUnavailable.
        """
        async with self._database.read() as session:
            statement = (
                select(ConferenceRow)
                .where(col(ConferenceRow.open), ConferenceRow.backend_id == backend_id)
                .order_by(col(ConferenceRow.began_at), col(ConferenceRow.id))
            )
            rows = list((await session.exec(statement)).all())
            return await _with_stays(session, rows, col(AttendanceRow.leave_reason).is_(None))


def _conditions(wanted: HistoryFilter) -> list[ColumnElement[bool]]:
    began, ended = col(ConferenceRow.began_at), col(ConferenceRow.ended_at)
    conditions: list[ColumnElement[bool]] = [col(ConferenceRow.open).is_(False)]
    if wanted.backend_ids is not None:
        conditions.append(col(ConferenceRow.backend_id).in_(wanted.backend_ids))
    if wanted.rooms is not None:
        room = tuple_(col(ConferenceRow.backend_id), col(ConferenceRow.room_id))
        conditions.append(room.in_(list(wanted.rooms)))
    if wanted.since is not None:
        conditions.append(or_(began >= wanted.since, ended > wanted.since))
    if wanted.until is not None:
        conditions.append(began < wanted.until)
    return conditions


async def _newest(
    session: AsyncSession, conditions: list[ColumnElement[bool]], place: _Place | None, limit: int
) -> list[ConferenceRow]:
    began, id_ = col(ConferenceRow.began_at), col(ConferenceRow.id)
    older = [] if place is None else [or_(began < place.began_at, and_(began == place.began_at, id_ < place.id))]
    statement = select(ConferenceRow).where(*conditions, *older).order_by(began.desc(), id_.desc()).limit(limit)
    return list((await session.exec(statement)).all())


async def _with_stays(
    session: AsyncSession, rows: list[ConferenceRow], *conditions: ColumnElement[bool]
) -> tuple[Conference, ...]:
    """Load the stays of all these conferences with one query."""
    stays: dict[str, list[Stay]] = {row.id: [] for row in rows}
    table = table_of(AttendanceRow).c
    if rows:
        statement = table_of(AttendanceRow).select().where(table.conference_id.in_(stays), *conditions)
        connection = await session.connection()
        found = await connection.execute(statement.order_by(table.joined_at, table.id))
        for stay in found.mappings():
            stays[stay["conference_id"]].append(Stay(**stay))
    return tuple(Conference(**row.model_dump(), stays=tuple(stays[row.id])) for row in rows)
