"""What is written to the database behind the live engine, and what history gives back.

Ids are made by the one who writes, so that nothing has to be read back and a batch can be written twice without harm.
Instants are aware; the database keeps them in UTC, to the microsecond. Text is kept up to 255 characters.
"""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


def new_id() -> str:
    """Make an id that is unique and sorts by the time it was made.

    Shape: 32 hexadecimal digits: 48 bits of milliseconds since 1970, then 80 random bits.
    """
    return (time.time_ns() // 1_000_000).to_bytes(6).hex() + os.urandom(10).hex()


def utc_now() -> datetime:
    """Tell the time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One command: who asked for what, when, and how it ended.

    Shape: ids are the backend's own; `address` is where the viewer's request came from.
    """

    at: datetime
    tenant: str
    subject: str
    backend_id: str
    command: str
    outcome: str
    duration_ms: float
    room_id: str | None = None
    participant_id: str | None = None
    error_code: str | None = None
    address: str | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceStarted:
    """A room came to life; a second one of the same `id` fills in what was not known at first.

    Shape: `run_id` is the backend's own name of this run; `seen_at` stands in for a `started_at` it does not tell.
    """

    backend_id: str
    room_id: str
    run_id: str | None = None
    room_name: str | None = None
    started_at: datetime | None = None
    seen_at: datetime = field(default_factory=utc_now)
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceEnded:
    """A conference is over; `ended_at` is None when nobody saw when. Stays still open remain without an end."""

    id: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StayStarted:
    """A participant entered a conference; a second one of the same `id` brings what has become known since."""

    conference_id: str
    participant_id: str
    joined_at: datetime
    display_name: str | None = None
    number: str | None = None
    username: str | None = None
    role: str | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StayEnded:
    """A participant left; `left_at` is None when nobody saw when."""

    id: str
    left_at: datetime | None
    leave_reason: str = "UNKNOWN"


Record = AuditRecord | ConferenceStarted | ConferenceEnded | StayStarted | StayEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One participant's time in one conference, as kept; without a `leave_reason` they are still in it."""

    id: str
    conference_id: str
    participant_id: str
    display_name: str | None
    number: str | None
    username: str | None
    role: str | None
    joined_at: datetime
    left_at: datetime | None
    leave_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference:
    """One run of one room, as kept, with everybody's stay in the order they joined.

    Shape: `began_at` is `started_at` or, where the backend never told, when we first saw it.
    """

    id: str
    backend_id: str
    room_id: str
    run_id: str | None
    room_name: str | None
    started_at: datetime | None
    began_at: datetime
    ended_at: datetime | None
    open: bool
    stays: tuple[Stay, ...]
