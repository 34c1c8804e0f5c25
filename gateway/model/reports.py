"""What a backend says, as adapters hand it on: it may be late, doubled, out of order, incomplete or about an older run.

Reports are not events: `repair` turns them into the events of a true history. In a sparse Participant or RoomFacts,
`None` means that this report does not speak of the field. `run_id` is None where a backend does not name a room's runs.
"""

from dataclasses import dataclass

from gateway.model.errors import CommandError
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import LeaveReason, Participant, Room, RoomFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReport:
    """A conference began in the room."""

    room_id: RoomId
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndReport:
    """The conference in the room is over; whoever was in it has left."""

    room_id: RoomId
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinReport:
    """Somebody joined; `participant` holds all that the report says of them."""

    room_id: RoomId
    participant: Participant
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveReport:
    """Somebody left. `index`, where a backend has it, tells this presence from others with the same id."""

    room_id: RoomId
    participant_id: ParticipantId
    reason: LeaveReason = LeaveReason.UNKNOWN
    index: int | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """Something about a participant changed: the fields of the sparse `participant` that are not None."""

    room_id: RoomId
    participant: Participant
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReport:
    """Something about the room changed."""

    room_id: RoomId
    facts: RoomFacts
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReport:
    """All that the backend tells of the room, told by itself: who is not in it has left, whatever the reason.

    It is as complete as a reading, but stands in order with the other reports.
    """

    room_id: RoomId
    room: Room


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtReport:
    """Something happened in the room that the backend did not describe: it has to be read again."""

    room_id: RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailedReport:
    """A command that had been accepted turned out to have failed."""

    room_id: RoomId
    error: CommandError


@dataclass(frozen=True, slots=True)
class RosterDoubtReport:
    """Rooms may have come or gone: all of them have to be read again."""


RoomReports = (
    StartReport
    | EndReport
    | JoinReport
    | LeaveReport
    | UpdateReport
    | RoomReport
    | PictureReport
    | DoubtReport
    | CommandFailedReport
)
"""A report about one room."""
Report = RoomReports | RosterDoubtReport
