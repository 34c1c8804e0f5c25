"""The tables; `migrations/` must say the same, which a test checks."""

from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import JSON, Dialect, Index, MetaData, String, Table, TypeDecorator, inspect
from sqlmodel import Field, SQLModel

TEXT_MAX_CHARACTERS = 255
NOTE_MAX_CHARACTERS = 4000


class ShortText(TypeDecorator[str]):
    """Text from the outside, made fit for both databases and for their indexes.

    Shape: no NUL (Postgres refuses it), no lone surrogate (neither can encode it), at most 255 characters (Postgres
           indexes at most 2704 bytes a row), and a plain `str` (psycopg would store an enum by its name).
    """

    impl = String(TEXT_MAX_CHARACTERS)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean one value on its way in."""
        if value is None:
            return None
        if not isinstance(value, str):
            raise TypeError(f"text expected, not {type(value).__name__}")
        plain = value[:TEXT_MAX_CHARACTERS].replace("\0", "")
        return plain.encode("utf-8", "replace").decode("utf-8")


class ExactText(TypeDecorator[str]):
    """Text that is kept as it is or not at all, since half of it would be worse than none.

    Errors: ValueError for what is longer than the column, or has a NUL or a lone surrogate; it repeats nothing of it.
    """

    impl = String
    cache_ok = True

    def __init__(self, max_characters: int) -> None:
        super().__init__(max_characters)
        self.max_characters = max_characters

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Look at one value on its way in."""
        if value is None:
            return None
        if len(value) > self.max_characters:
            raise ValueError(f"a text of at most {self.max_characters} characters expected, not of {len(value)}")
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise ValueError("a text without NUL and lone surrogates expected")
        return value


class GatewayTable(SQLModel):
    """The root of our tables, with a catalogue of its own: a stranger's SQLModel table is none of our migrations'."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SecretRow(GatewayTable, table=True):
    """A random secret shared by all processes of one gateway."""

    __tablename__ = "secret"

    name: str = Field(primary_key=True, sa_type=ShortText)
    value: bytes = Field(repr=False)
    created_at: datetime


class AdapterNoteRow(GatewayTable, table=True):
    """What an adapter still has to know after a restart; the text may hold a secret."""

    __tablename__ = "adapter_note"

    backend_id: str = Field(primary_key=True, sa_type=ExactText(TEXT_MAX_CHARACTERS))
    key: str = Field(primary_key=True, sa_type=ExactText(TEXT_MAX_CHARACTERS))
    text: str = Field(sa_type=ExactText(NOTE_MAX_CHARACTERS), repr=False)
    changed_at: datetime


class IdempotencyRow(GatewayTable, table=True):
    """A command that must act once.

    Shape: key and fingerprint are SHA-256, since a client chooses them and may choose anything; `instance` names the
           start of the process that reserved it. The answer is JSON rather than JSONB: a repeat gets the same bytes,
           and names with an escaped NUL, which JSONB refuses, are kept.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "expires_at"),)

    tenant: str = Field(primary_key=True, sa_type=ShortText)
    subject: str = Field(primary_key=True, sa_type=ShortText)
    key: str = Field(primary_key=True, sa_type=ShortText)
    fingerprint: str = Field(sa_type=ShortText)
    instance: str = Field(sa_type=ShortText)
    reserved_at: datetime
    expires_at: datetime
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True), repr=False)


class AuditRow(GatewayTable, table=True):
    """One command."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"),)

    id: str = Field(primary_key=True, sa_type=ShortText)
    at: datetime
    tenant: str = Field(sa_type=ShortText)
    subject: str = Field(sa_type=ShortText)
    backend_id: str = Field(sa_type=ShortText)
    room_id: str | None = Field(default=None, sa_type=ShortText)
    participant_id: str | None = Field(default=None, sa_type=ShortText)
    command: str = Field(sa_type=ShortText)
    outcome: str = Field(sa_type=ShortText)
    error_code: str | None = Field(default=None, sa_type=ShortText)
    duration_ms: float
    address: str | None = Field(default=None, sa_type=ShortText)


class ConferenceRow(GatewayTable, table=True):
    """One run of one room; `began_at` is never null, so that history has an order."""

    __tablename__ = "conference"
    __table_args__ = (
        Index(None, "began_at", "id"),
        Index(None, "backend_id", "room_id", "began_at"),
        Index(None, "open", "backend_id"),
    )

    id: str = Field(primary_key=True, sa_type=ShortText)
    backend_id: str = Field(sa_type=ShortText)
    room_id: str = Field(sa_type=ShortText)
    run_id: str | None = Field(default=None, sa_type=ShortText)
    room_name: str | None = Field(default=None, sa_type=ShortText)
    started_at: datetime | None = None
    began_at: datetime
    ended_at: datetime | None = None
    open: bool


class AttendanceRow(GatewayTable, table=True):
    """One participant's stay in one conference."""

    __tablename__ = "attendance"
    __table_args__ = (Index(None, "conference_id", "joined_at"),)

    id: str = Field(primary_key=True, sa_type=ShortText)
    conference_id: str = Field(foreign_key="conference.id", sa_type=ShortText)
    participant_id: str = Field(sa_type=ShortText)
    display_name: str | None = Field(default=None, sa_type=ShortText)
    number: str | None = Field(default=None, sa_type=ShortText)
    username: str | None = Field(default=None, sa_type=ShortText)
    role: str | None = Field(default=None, sa_type=ShortText)
    joined_at: datetime
    left_at: datetime | None = None
    leave_reason: str | None = Field(default=None, sa_type=ShortText)


def table_of(row: type[GatewayTable]) -> Table:
    """Give the table behind a class, for statements over many rows, which the ORM would only slow down."""
    return cast("Table", inspect(row).local_table)
