"""What happened in a room: the true history, in order, as clients are told it.

Events are made by `diff` and `repair` only. `at` is when the gateway learned of it, since backends send no times.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.errors import CommandError
from gateway.model.room import LeaveReason, Participant, Room


class ChangedField(StrEnum):
    """Which fields an update changed."""

    DISPLAY_NAME = "DISPLAY_NAME"
    NUMBER = "NUMBER"
    USERNAME = "USERNAME"
    ROLE = "ROLE"
    MUTED = "MUTED"
    DEAFENED = "DEAFENED"
    TALKING = "TALKING"
    FLOOR = "FLOOR"
    INDEX = "INDEX"
    IS_ME = "IS_ME"
    NAME = "NAME"
    NUMBERS = "NUMBERS"
    STATE = "STATE"
    LOCKED = "LOCKED"
    RECORDING = "RECORDING"
    SETTINGS = "SETTINGS"
    STALE = "STALE"
    STARTED_AT = "STARTED_AT"
    DETAIL = "DETAIL"
    ON_HOLD = "ON_HOLD"
    CALL_ID = "CALL_ID"
    JOINED_AT = "JOINED_AT"
    ENDED_AT = "ENDED_AT"
    PIN_REQUIRED = "PIN_REQUIRED"
    RUN = "RUN"
    PERMANENT = "PERMANENT"


PARTICIPANT_FIELDS: dict[str, ChangedField] = {
    "leg_id": ChangedField.CALL_ID,
    "index": ChangedField.INDEX,
    "display_name": ChangedField.DISPLAY_NAME,
    "number": ChangedField.NUMBER,
    "username": ChangedField.USERNAME,
    "user_id": ChangedField.IS_ME,
    "role": ChangedField.ROLE,
    "muted": ChangedField.MUTED,
    "deafened": ChangedField.DEAFENED,
    "on_hold": ChangedField.ON_HOLD,
    "talking": ChangedField.TALKING,
    "floor": ChangedField.FLOOR,
    "joined_at": ChangedField.JOINED_AT,
}
"""Every field of a present participant that may change, and what clients are told has changed."""

ROOM_FIELDS: dict[str, ChangedField] = {
    "name": ChangedField.NAME,
    "numbers": ChangedField.NUMBERS,
    "locked": ChangedField.LOCKED,
    "on_hold": ChangedField.ON_HOLD,
    "pin_required": ChangedField.PIN_REQUIRED,
    "recording": ChangedField.RECORDING,
    "settings": ChangedField.SETTINGS,
    "state": ChangedField.STATE,
    "detail": ChangedField.DETAIL,
    "permanent": ChangedField.PERMANENT,
    "stale": ChangedField.STALE,
    "run_id": ChangedField.RUN,
    "started_at": ChangedField.STARTED_AT,
    "ended_at": ChangedField.ENDED_AT,
}
"""The same for a room."""


@dataclass(frozen=True, slots=True)
class RoomAppeared:
    """The gateway knows of a room: the first event of its stay in memory, though not of every epoch of its log."""

    at: datetime
    room: Room


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody is in the room who was not."""

    at: datetime
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantUpdated:
    """Something about somebody in the room is different; `participant` is as they are now."""

    at: datetime
    participant: Participant
    changed: tuple[ChangedField, ...]


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody is no longer in the room; `participant` is as they last were, with `left_at`."""

    at: datetime
    participant: Participant
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class RoomUpdated:
    """Something about the room is different; `room` is as it is now."""

    at: datetime
    room: Room
    changed: tuple[ChangedField, ...]


@dataclass(frozen=True, slots=True)
class RoomEnded:
    """The conference is over; everybody's leave came before. A permanent room is IDLE now, another ENDED."""

    at: datetime
    room: Room


@dataclass(frozen=True, slots=True)
class RoomRemoved:
    """The room exists no longer: always the last event in a room's log."""

    at: datetime
    room: Room


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A command that had been answered ACCEPTED turned out to have failed."""

    at: datetime
    error: CommandError


Event = (
    RoomAppeared
    | ParticipantJoined
    | ParticipantUpdated
    | ParticipantLeft
    | RoomUpdated
    | RoomEnded
    | RoomRemoved
    | CommandFailed
)
