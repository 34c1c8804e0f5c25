"""How a batch of records becomes statements; writing the same batch twice leaves what writing it once leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.storage.engine import Database
from gateway.storage.records import AuditRecord, ConferenceEnded, ConferenceStarted, Record, StayEnded, StayStarted
from gateway.storage.tables import AttendanceRow, AuditRow, ConferenceRow, GatewayTable, table_of

_Values = dict[str, object]


async def write_batch(database: Database, records: Sequence[Record]) -> int:
    """Write all in one transaction and tell how many found their place.

    A stay whose conference was never written has none: it is left out rather than refused with all the others.

    Errors: StorageUnavailable, ValueRefused; nothing was written then, unless the answer was lost on its way back.
    """
    async with database.write() as session:
        connection = await session.connection()
        await _insert_new(database, connection, AuditRow, _values(records, AuditRecord))
        await _start_conferences(database, connection, records)
        orphans = await _start_stays(database, connection, records)
        await _end(connection, AttendanceRow, _values(records, StayEnded), "left_at", "leave_reason")
        ended = [values | {"open": False} for values in _values(records, ConferenceEnded)]
        await _end(connection, ConferenceRow, ended, "ended_at", "open")
    return len(records) - orphans


def _values(records: Sequence[Record], kind: type[Record]) -> list[_Values]:
    return [asdict(record) for record in records if isinstance(record, kind)]


async def _insert_new(
    database: Database, connection: AsyncConnection, row: type[GatewayTable], values: list[_Values]
) -> None:
    if values:
        await connection.execute(database.insert(row).on_conflict_do_nothing(), values)


async def _start_conferences(database: Database, connection: AsyncConnection, records: Sequence[Record]) -> None:
    """Insert, or fill in what was unknown; a conference that is over stays over."""
    values = []
    for started in _values(records, ConferenceStarted):
        seen_at = started.pop("seen_at")
        values.append(started | {"began_at": started["started_at"] or seen_at, "open": True, "ended_at": None})
    if not values:
        return
    insert = database.insert(ConferenceRow)
    kept, new = table_of(ConferenceRow).c, insert.excluded
    filled = {name: func.coalesce(new[name], kept[name]) for name in ("run_id", "room_name", "started_at")}
    began_at = func.coalesce(new.started_at, kept.began_at)
    await connection.execute(
        insert.on_conflict_do_update(index_elements=["id"], set_=filled | {"began_at": began_at}), values
    )


async def _start_stays(database: Database, connection: AsyncConnection, records: Sequence[Record]) -> int:
    """Insert, or bring up to date, all stays but those without a conference, whose number is the result."""
    values = _values(records, StayStarted)
    if not values:
        return 0
    id_ = table_of(ConferenceRow).c.id
    asked = {str(stay["conference_id"]) for stay in values}
    known = set((await connection.execute(select(id_).where(id_.in_(asked)))).scalars())
    placed = [stay for stay in values if stay["conference_id"] in known]
    if placed:
        insert = database.insert(AttendanceRow)
        kept, new = table_of(AttendanceRow).c, insert.excluded
        names = ("display_name", "number", "username", "role")
        latest: Mapping[str, object] = {name: func.coalesce(new[name], kept[name]) for name in names}
        await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=latest), placed)
    return len(values) - len(placed)


async def _end(connection: AsyncConnection, row: type[GatewayTable], values: list[_Values], *names: str) -> None:
    """Set the named columns of rows that exist."""
    if not values:
        return
    table = table_of(row)
    statement = table.update().where(table.c.id == bindparam("_id")).values({name: bindparam(name) for name in names})
    await connection.execute(
        statement, [{"_id": each["id"], **{name: each[name] for name in names}} for each in values]
    )
