"""The scalars of the schema, and how they are written."""

from datetime import UTC, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

Cursor = NewType("Cursor", str)


def _write_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise GraphQLError("DateTime is an RFC 3339 instant with its offset, as in 2026-01-31T12:00:00Z")
    return instant.astimezone(UTC)


def _read_cursor(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("Cursor is a text that the gateway gave out")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Cursor: strawberry.scalar(
        name="Cursor",
        description="Opaque, signed position in one room's event log (epoch + sequence). Compare only by handing it "
        "back.",
        parse_value=_read_cursor,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant in UTC, to the microsecond where it is known.",
        serialize=_write_instant,
        parse_value=_read_instant,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, as the backend has it.",
    ),
}
