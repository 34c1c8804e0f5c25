"""What can be done; every refusal is part of the answer, none is raised."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Protocol, TypeVar

import strawberry

from gateway.live.asks import Ask
from gateway.live.results import CommandResult, rejected
from gateway.model.commands import Action
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused
from gateway.schema import asks
from gateway.schema.commands import (
    AdoptRoomInput,
    AdoptRoomPayload,
    BulkCommandInput,
    BulkCommandPayload,
    CreateRoomInput,
    CreateRoomPayload,
    DeleteRoomPayload,
    InviteParticipantInput,
    InviteParticipantPayload,
    ParticipantCommandInput,
    ParticipantCommandPayload,
    PlayMediaInput,
    RoomCommandInput,
    RoomCommandPayload,
    StartConferenceInput,
    UpdateRoomSettingsInput,
)
from gateway.schema.context import Context, Info
from gateway.schema.told import given


class _Wish(Protocol):
    idempotency_key: str | None


_Input = TypeVar("_Input", bound=_Wish)
_Payload = TypeVar("_Payload")


def _command(
    description: str,
    takes: type[_Input],
    answers: Callable[[Context, CommandResult], _Payload],
    ask: Callable[[_Input], Ask],
) -> Any:
    """Declare a mutation: what it takes, how that is asked of the desk, and as what the result is shown."""

    async def resolver(info: Info, wish: _Input) -> _Payload:
        return answers(info.context, await _done(info.context, wish, ask))

    argument = strawberry.argument(name="input", description="What to act on, and how.")
    resolver.__annotations__ = {"info": Info, "wish": Annotated[takes, argument], "return": answers}
    return strawberry.mutation(resolver=resolver, description=description)


async def _done(context: Context, wish: _Input, ask: Callable[[_Input], Ask]) -> CommandResult:
    try:
        asked = ask(wish)
    except CommandRefused as refusal:
        return rejected(*refusal.errors)
    result = await context.live.desk.do(context.viewer, asked, given(wish.idempotency_key))
    return replace(result, errors=tuple(_by_its_input(wish, error) for error in result.errors))


def _by_its_input(wish: _Wish, error: CommandError) -> CommandError:
    """Name what the client gave: its id holds those of room and backend too, and the wrong part may be any of them."""
    if error.field not in (("roomId",), ("backendId",)):
        return error
    if isinstance(wish, ParticipantCommandInput):
        message = "there is no such participant, or no longer"
        return replace(error, code=CommandErrorCode.PARTICIPANT_NOT_FOUND, message=message, field=("participantId",))
    if error.field == ("backendId",) and not isinstance(wish, AdoptRoomInput | CreateRoomInput | StartConferenceInput):
        return replace(error, code=CommandErrorCode.ROOM_NOT_FOUND, message="there is no such room", field=("roomId",))
    return error


def _on_participant(action: Action, description: str) -> Any:
    ask = partial(asks.on_participant, action)
    return _command(f"{description} Needs MODERATOR.", ParticipantCommandInput, ParticipantCommandPayload, ask)


def _on_me(action: Action, description: str) -> Any:
    return _command(description, RoomCommandInput, RoomCommandPayload, partial(asks.on_me, action))


def _on_everybody(action: Action, description: str) -> Any:
    ask = partial(asks.on_everybody, action)
    return _command(f"{description} Needs MODERATOR.", BulkCommandInput, BulkCommandPayload, ask)


def _on_room(action: Action, description: str) -> Any:
    return _command(
        f"{description} Needs MODERATOR.", RoomCommandInput, RoomCommandPayload, partial(asks.on_room, action)
    )


@strawberry.type(
    description="What can be done. Every mutation waits a few seconds for the event that shows its effect, and answers "
    "what was observed; refusals are in the payload's `errors`."
)
class Mutation:
    """What can be done."""

    mute_participant: ParticipantCommandPayload = _on_participant(Action.MUTE, "The others no longer hear them.")
    unmute_participant: ParticipantCommandPayload = _on_participant(Action.UNMUTE, "The others hear them again.")
    deafen_participant: ParticipantCommandPayload = _on_participant(Action.DEAFEN, "They no longer hear the room.")
    undeafen_participant: ParticipantCommandPayload = _on_participant(Action.UNDEAFEN, "They hear the room again.")
    hold_participant: ParticipantCommandPayload = _on_participant(Action.HOLD, "Put them on hold.")
    unhold_participant: ParticipantCommandPayload = _on_participant(Action.UNHOLD, "Take them off hold.")
    kick_participant: ParticipantCommandPayload = _on_participant(Action.KICK, "Remove them from the room.")

    mute_me: RoomCommandPayload = _on_me(Action.MUTE_ME, "Mute yourself in a room where you are a participant.")
    unmute_me: RoomCommandPayload = _on_me(Action.UNMUTE_ME, "Unmute yourself in a room where you are a participant.")

    mute_all: BulkCommandPayload = _on_everybody(Action.MUTE_ALL, "Mute everybody in a room.")
    unmute_all: BulkCommandPayload = _on_everybody(Action.UNMUTE_ALL, "Unmute everybody in a room.")
    deafen_all: BulkCommandPayload = _on_everybody(Action.DEAFEN_ALL, "Deafen everybody in a room.")
    undeafen_all: BulkCommandPayload = _on_everybody(Action.UNDEAFEN_ALL, "Let everybody in a room hear again.")
    kick_all: BulkCommandPayload = _on_everybody(Action.KICK_ALL, "Remove everybody from a room.")

    lock_room: RoomCommandPayload = _on_room(Action.LOCK, "Let nobody new join.")
    unlock_room: RoomCommandPayload = _on_room(Action.UNLOCK, "Let people join again.")
    hold_room: RoomCommandPayload = _on_room(Action.HOLD_ROOM, "Put the whole conference on hold.")
    unhold_room: RoomCommandPayload = _on_room(Action.UNHOLD_ROOM, "Take the whole conference off hold.")
    close_room: RoomCommandPayload = _on_room(Action.CLOSE, "End the conference; everybody leaves.")
    invite_participant: InviteParticipantPayload = _command(
        "Call somebody into the room. Needs MODERATOR.", InviteParticipantInput, InviteParticipantPayload, asks.invite
    )
    play_media: RoomCommandPayload = _command(
        "Play a sound to the room, or to one participant. Nothing shows when it was heard, so that the outcome is "
        "ACCEPTED. Needs MODERATOR.",
        PlayMediaInput,
        RoomCommandPayload,
        asks.play,
    )
    start_recording: RoomCommandPayload = _on_room(Action.START_RECORDING, "Record the conference.")
    stop_recording: RoomCommandPayload = _on_room(Action.STOP_RECORDING, "No longer record the conference.")

    create_room: CreateRoomPayload = _command(
        "Make a room. Needs ADMIN.", CreateRoomInput, CreateRoomPayload, asks.create
    )
    update_room_settings: RoomCommandPayload = _command(
        "Change a room's name and settings. Needs ADMIN.", UpdateRoomSettingsInput, RoomCommandPayload, asks.update
    )
    delete_room: DeleteRoomPayload = _command(
        "Delete a room. Needs ADMIN.", RoomCommandInput, DeleteRoomPayload, partial(asks.on_room, Action.DELETE_ROOM)
    )
    start_conference: RoomCommandPayload = _command(
        "Join the viewer's own current calls into one conference (XiVO phone-set conference).",
        StartConferenceInput,
        RoomCommandPayload,
        asks.start,
    )
    adopt_room: AdoptRoomPayload = _command(
        "Serve a conference that was made elsewhere, by the backend's own id: for backends that list none. It stays "
        "among the rooms, also after a restart, until it is over. Needs ADMIN.",
        AdoptRoomInput,
        AdoptRoomPayload,
        asks.adopt,
    )
