"""What a command is meant to bring about, as something that can be seen in a room."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.adapter import Receipt
from gateway.hub.log import Numbered
from gateway.live.table import Wanted
from gateway.model.commands import (
    Action,
    Command,
    Invite,
    ParticipantCommand,
    RoomCommand,
    UpdateSettings,
)
from gateway.model.history import apply
from gateway.model.ids import ParticipantId, Position
from gateway.model.room import Participant, Room, RoomState


@dataclass(frozen=True, slots=True)
class Effect:
    """What to wait for.

    Shape: `told` says that backends report it by themselves; if not, the room is read at once instead.
    """

    wanted: Wanted
    told: bool = True


_FLAGS: dict[Action, tuple[str, bool]] = {
    Action.MUTE: ("muted", True),
    Action.UNMUTE: ("muted", False),
    Action.MUTE_ME: ("muted", True),
    Action.UNMUTE_ME: ("muted", False),
    Action.DEAFEN: ("deafened", True),
    Action.UNDEAFEN: ("deafened", False),
    Action.HOLD: ("on_hold", True),
    Action.UNHOLD: ("on_hold", False),
}
_ROOM_FLAGS: dict[Action, tuple[str, bool]] = {
    Action.LOCK: ("locked", True),
    Action.UNLOCK: ("locked", False),
    Action.HOLD_ROOM: ("on_hold", True),
    Action.UNHOLD_ROOM: ("on_hold", False),
    Action.START_RECORDING: ("recording", True),
    Action.STOP_RECORDING: ("recording", False),
}
ONE_BY_ONE: dict[Action, Action] = {
    Action.MUTE_ALL: Action.MUTE,
    Action.UNMUTE_ALL: Action.UNMUTE,
    Action.DEAFEN_ALL: Action.DEAFEN,
    Action.UNDEAFEN_ALL: Action.UNDEAFEN,
    Action.KICK_ALL: Action.KICK,
}
"""What a command for everybody does to each of them."""


def effect_of(command: Command, receipt: Receipt) -> Effect | None:
    """Say how the effect of a command shows; None where nothing ever shows it, as with a sound that is played."""
    match command:
        case ParticipantCommand(action, _, participant_id):
            return effect_on(action, participant_id)
        case RoomCommand(Action.CLOSE):
            return Effect(_is_over)
        case RoomCommand(Action.DELETE_ROOM):
            return Effect(lambda room: room is None or not room.permanent, told=False)
        case RoomCommand(action):
            return Effect(_room_has(*_ROOM_FLAGS[action]))
        case Invite() if (joined := receipt.participant_id) is not None:
            return Effect(lambda room: room is not None and joined in room.participants)
        case UpdateSettings():
            return Effect(_has_settings(command), told=False)
        case _:
            return None


def effect_on(action: Action, participant_id: ParticipantId) -> Effect:
    """Say how the effect of a command on one participant shows."""
    if action is Action.KICK:
        return Effect(lambda room: room is None or participant_id not in room.participants)
    return Effect(_participant_has(participant_id, *_FLAGS[action]))


def shown_in(room: Room, events: Sequence[Numbered], wanted: Wanted) -> Position | None:
    """Find the event after which a room, as it was before `events`, first is as wanted."""
    for numbered in events:
        room = apply(room, numbered.event)
        if wanted(room):
            return numbered.position
    return None


def _participant_has(participant_id: ParticipantId, flag: str, value: bool) -> Wanted:
    def wanted(room: Room | None) -> bool:
        participant: Participant | None = None if room is None else room.participants.get(participant_id)
        return participant is not None and getattr(participant, flag) is value

    return wanted


def _room_has(flag: str, value: bool) -> Wanted:
    return lambda room: room is not None and getattr(room, flag) is value


def _is_over(room: Room | None) -> bool:
    return room is None or room.state is not RoomState.ACTIVE or not room.participants


def _has_settings(command: UpdateSettings) -> Wanted:
    expected = {name: tuple(value) if isinstance(value, list) else value for name, value in command.settings.items()}
    expected.pop("native", None)

    def wanted(room: Room | None) -> bool:
        if room is None or room.settings is None or (command.name is not None and room.name != command.name):
            return False
        return all(getattr(room.settings, name) in _alike(value) for name, value in expected.items())

    return wanted


def _alike(value: object) -> tuple[object, ...]:
    """Give what a backend may answer for a setting: cleared lists come back empty, cleared values absent."""
    return (None, (), "") if value in (None, ()) else (value,)
