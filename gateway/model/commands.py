"""What viewers may ask for, as adapters are told it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.capability import Capability
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import ParticipantRole


class Action(StrEnum):
    """Every command by name; the audit keeps these."""

    MUTE = "MUTE"
    UNMUTE = "UNMUTE"
    DEAFEN = "DEAFEN"
    UNDEAFEN = "UNDEAFEN"
    HOLD = "HOLD"
    UNHOLD = "UNHOLD"
    KICK = "KICK"
    MUTE_ME = "MUTE_ME"
    UNMUTE_ME = "UNMUTE_ME"
    MUTE_ALL = "MUTE_ALL"
    UNMUTE_ALL = "UNMUTE_ALL"
    DEAFEN_ALL = "DEAFEN_ALL"
    UNDEAFEN_ALL = "UNDEAFEN_ALL"
    KICK_ALL = "KICK_ALL"
    LOCK = "LOCK"
    UNLOCK = "UNLOCK"
    HOLD_ROOM = "HOLD_ROOM"
    UNHOLD_ROOM = "UNHOLD_ROOM"
    CLOSE = "CLOSE"
    INVITE = "INVITE"
    PLAY_MEDIA = "PLAY_MEDIA"
    START_RECORDING = "START_RECORDING"
    STOP_RECORDING = "STOP_RECORDING"
    CREATE_ROOM = "CREATE_ROOM"
    UPDATE_SETTINGS = "UPDATE_SETTINGS"
    DELETE_ROOM = "DELETE_ROOM"
    START_CONFERENCE = "START_CONFERENCE"
    ADOPT_ROOM = "ADOPT_ROOM"

    @property
    def capability(self) -> Capability:
        """Which ability of the backend it needs."""
        return _SHARED.get(self) or Capability(self.value)


_SHARED: dict[Action, Capability] = {
    Action.UNMUTE_ME: Capability.MUTE_ME,
    Action.UNHOLD_ROOM: Capability.HOLD_ROOM,
    Action.START_RECORDING: Capability.RECORD,
    Action.STOP_RECORDING: Capability.RECORD,
}

SettingsPatch = Mapping[str, object]
"""Fields of RoomSettings by name: absent means unchanged, None means cleared."""


@dataclass(frozen=True, slots=True)
class ParticipantCommand:
    """Act on one participant: MUTE … KICK, or MUTE_ME and UNMUTE_ME on the viewer's own presence."""

    action: Action
    room_id: RoomId
    participant_id: ParticipantId


@dataclass(frozen=True, slots=True)
class BulkCommand:
    """Act on everybody in a room as the backend itself does it (see `Support.spares`)."""

    action: Action
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class RoomCommand:
    """Act on the room: LOCK, UNLOCK, HOLD_ROOM, UNHOLD_ROOM, CLOSE, START_RECORDING, STOP_RECORDING, DELETE_ROOM."""

    action: Action
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class Invite:
    """Call somebody into the room. `early_join`: the room hears the ringback."""

    room_id: RoomId
    destination: str
    role: ParticipantRole = ParticipantRole.PARTICIPANT
    early_join: bool = False
    display_name: str | None = None

    action = Action.INVITE


@dataclass(frozen=True, slots=True)
class PlayMedia:
    """Play a sound to the room, or to one participant."""

    room_id: RoomId
    media: str
    participant_id: ParticipantId | None = None

    action = Action.PLAY_MEDIA


@dataclass(frozen=True, slots=True)
class CreateRoom:
    """Make a room."""

    name: str | None
    settings: SettingsPatch

    action = Action.CREATE_ROOM


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Change a room's name (None: unchanged) and settings."""

    room_id: RoomId
    name: str | None
    settings: SettingsPatch

    action = Action.UPDATE_SETTINGS


@dataclass(frozen=True, slots=True)
class StartConference:
    """Join the viewer's own current calls into one conference."""

    action = Action.START_CONFERENCE


@dataclass(frozen=True, slots=True)
class AdoptRoom:
    """Serve a conference that was made elsewhere, which the backend does not list; again does no harm.

    Shape: `native_id` is the backend's own id, as whoever asks gave it: it may be anything; `name` is what to call the
           room (None: as the backend does).
    """

    native_id: str
    name: str | None = None

    action = Action.ADOPT_ROOM


Command = (
    ParticipantCommand
    | BulkCommand
    | RoomCommand
    | Invite
    | PlayMedia
    | CreateRoom
    | UpdateSettings
    | StartConference
    | AdoptRoom
)
