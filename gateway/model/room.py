"""The state of a room and of those in it; `None` always means that the backend has not said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from gateway.model.ids import ParticipantId, RoomId


class RoomState(StrEnum):
    """Whether a conference runs in the room now; ENDED is for a room that existed only while it ran."""

    IDLE = "IDLE"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class RoomDetail(StrEnum):
    """How much the backend tells: FULL has roles and flags, SUMMARY only what its room list says."""

    FULL = "FULL"
    SUMMARY = "SUMMARY"


class ParticipantRole(StrEnum):
    """A moderator may act on others."""

    PARTICIPANT = "PARTICIPANT"
    MODERATOR = "MODERATOR"


class LeaveReason(StrEnum):
    """Why somebody left; FOUND_GONE: nobody reported it, a later reading no longer had them."""

    HUNG_UP = "HUNG_UP"
    KICKED = "KICKED"
    ROOM_CLOSED = "ROOM_CLOSED"
    FOUND_GONE = "FOUND_GONE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One presence in one room.

    Shape: `leg_id` is the call that carries it; `index` the backend's short number for it, where it has one (commands
           of some backends want it); `user_id` the backend's user, by which a viewer recognises their own presence.
    """

    id: ParticipantId
    leg_id: str | None = None
    index: int | None = None
    display_name: str | None = None
    number: str | None = None
    username: str | None = None
    user_id: str | None = None
    role: ParticipantRole | None = None
    muted: bool | None = None
    deafened: bool | None = None
    on_hold: bool | None = None
    talking: bool | None = None
    floor: bool | None = None
    joined_at: datetime | None = None
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """How a room is configured, in our words; `native` holds whatever else the backend stores, in its words.

    PINs are secrets: they are left out of `repr`, as is `native`, where a backend may keep passwords.
    """

    max_participants: int | None = None
    member_pins: tuple[str, ...] | None = field(default=None, repr=False)
    moderator_pins: tuple[str, ...] | None = field(default=None, repr=False)
    member_numbers: tuple[str, ...] | None = None
    moderator_numbers: tuple[str, ...] | None = None
    join_muted: bool | None = None
    join_deafened: bool | None = None
    moderator_join_muted: bool | None = None
    moderator_join_deafened: bool | None = None
    require_moderator: bool | None = None
    wait_for_moderator: bool | None = None
    announce_joins_by_name: bool | None = None
    entry_tone: str | None = None
    exit_tone: str | None = None
    music_on_hold: str | None = None
    welcome_prompt: bool | None = None
    recording_enabled: bool | None = None
    owner_id: str | None = None
    native: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """What can be said of a room apart from who is in it; in a report, `None` means: not said, keep what is known."""

    name: str | None = None
    numbers: tuple[str, ...] | None = None
    locked: bool | None = None
    on_hold: bool | None = None
    pin_required: bool | None = None
    recording: bool | None = None
    settings: RoomSettings | None = None


NOBODY: Mapping[ParticipantId, Participant] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(RoomFacts):
    """A conference that can be joined, and who is in it.

    Shape: `run_id` is the backend's name for the conference now running in the room; `permanent` rooms exist while
           nobody is in them; `stale` says that the link to the backend is down and this is the last known state.
    """

    id: RoomId
    state: RoomState = RoomState.IDLE
    detail: RoomDetail = RoomDetail.FULL
    permanent: bool = True
    stale: bool = False
    run_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    participants: Mapping[ParticipantId, Participant] = field(default_factory=lambda: NOBODY)

    @property
    def moderator_count(self) -> int | None:
        """How many are known to be moderators; None as long as anybody's role is unknown."""
        roles = [participant.role for participant in self.participants.values()]
        return None if None in roles else roles.count(ParticipantRole.MODERATOR)
