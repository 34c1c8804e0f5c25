"""Our commands as calls of Kazoo, with the checks Kazoo does not make.

Kazoo answers "ok" once a command is on its bus: also for an idle room, for somebody who left long ago and for nonsense.
So each command is first checked against the room as it is known, and its answer against what a success looks like.
"""

from collections.abc import Callable
from dataclasses import replace

from adapters.kazoo import mapping
from adapters.kazoo.client import Client
from adapters.kazoo.errors import Place, RefusedError, as_command_errors, dial_failed, not_obeyed
from adapters.kazoo.generations import Generation
from adapters.kazoo.mapping import facts_of
from adapters.kazoo.settings import document_of, patch_of, places_in, settings_of
from adapters.kazoo.wire import DialJson, PresenceJson
from adapters.kit.understanding import JsonObject, NotUnderstoodError, shaped
from gateway.adapter import Receipt
from gateway.model.commands import (
    Action,
    BulkCommand,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, refused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import ParticipantRole, Room, RoomState

_ON_ONE = {
    Action.MUTE: "mute",
    Action.MUTE_ME: "mute",
    Action.UNMUTE: "unmute",
    Action.UNMUTE_ME: "unmute",
    Action.DEAFEN: "deaf",
    Action.UNDEAFEN: "undeaf",
    Action.KICK: "kick",
}
_ON_EVERYBODY = {
    Action.MUTE_ALL: "mute",
    Action.UNMUTE_ALL: "unmute",
    Action.DEAFEN_ALL: "deaf",
    Action.UNDEAFEN_ALL: "undeaf",
    Action.KICK_ALL: "kick",
    Action.CLOSE: "kick",
}
_ON_ROOM: dict[Action, tuple[str, JsonObject, str]] = {
    Action.LOCK: ("lock", {}, "ok"),
    Action.UNLOCK: ("unlock", {}, "ok"),
    Action.START_RECORDING: ("record", {"action": "start"}, "starting recording"),
    Action.STOP_RECORDING: ("record", {"action": "stop"}, "stopping recording"),
}
"""The action, its arguments, and what a success answers."""

_DIALLED = {"data.endpoints.1": Place(("destination",)), "data.endpoints": Place(("destination",))}
"""Endpoints are counted from 1, and there is only one."""
_PLAYED = {"data.media_id": Place(("media",))}


class Commander:
    """Carries out commands over HTTP."""

    def __init__(self, client: Client, generation: Callable[[], Generation], dial_timeout_s: int) -> None:
        self._client = client
        self._generation = generation
        self._dial_timeout_s = dial_timeout_s

    async def execute(self, command: Command, room: Room | None) -> Receipt:
        """Do one command.

        Errors: CommandRefused, OutcomeUnknown.
        """
        capability = command.action.capability
        places = _places(command)
        with as_command_errors(places, capability):
            match command:
                case CreateRoom():
                    return await self._create(command)
                case _ if room is None:
                    raise refused(CommandErrorCode.ROOM_NOT_FOUND, "the room is not known", field=("roomId",))
                case ParticipantCommand():
                    return await self._act_on_one(_ON_ONE[command.action], _active(room), command.participant_id)
                case BulkCommand() | RoomCommand(Action.CLOSE):
                    return await self._act_on_everybody(_ON_EVERYBODY[command.action], _active(room))
                case RoomCommand(Action.DELETE_ROOM):
                    await self._client.delete(room.id)
                    return Receipt()
                case RoomCommand():
                    return await self._act_on_room(command.action, _active(room))
                case Invite():
                    return await self._dial(command, room)
                case PlayMedia():
                    return await self._play(command, _active(room))
                case UpdateSettings():
                    return await self._change(command, room)
        raise refused(CommandErrorCode.NOT_SUPPORTED, "Kazoo has no such command", capability=capability)

    # ---- people ----

    async def _act_on_one(
        self, action: str, room: Room, participant_id: ParticipantId, args: JsonObject | None = None
    ) -> Receipt:
        index = await self._index_of(room, participant_id)
        _expect("ok", await self._client.act_on_one(room.id, index, action, args))
        return Receipt()

    async def _index_of(self, room: Room, participant_id: ParticipantId) -> int:
        """Find the number by which Kazoo wants somebody named; after a restart of its own it has to be asked for it."""
        known = room.participants.get(participant_id)
        if known is None:
            raise _absent()
        if known.index is not None:
            return known.index
        for raw in await self._client.participants(room.id):
            read = mapping.sparse(shaped(raw, PresenceJson, "participant"))
            if read.id == participant_id and read.index is not None:
                return read.index
            if read.id == participant_id:
                raise refused(CommandErrorCode.BACKEND_REFUSED, "Kazoo has lost track of this participant's number")
        raise _absent()

    async def _act_on_everybody(self, action: str, room: Room) -> Receipt:
        """Act on all of them: here the answer is the conference, not "ok"."""
        answer = await self._client.act_on_everybody(room.id, action)
        if not isinstance(answer, dict):
            _expect("ok", answer)
        return Receipt()

    async def _dial(self, command: Invite, room: Room) -> Receipt:
        """Dial one phone; Kazoo answers when it has joined or failed, and failures come as a success, too."""
        if command.early_join:
            message = "Kazoo lets a guest in once they have answered: the room cannot hear the ringback"
            raise refused(CommandErrorCode.INVALID_INPUT, message, field=("earlyJoin",))
        args: JsonObject = {"endpoints": [command.destination], "timeout": self._dial_timeout_s}
        if command.role is ParticipantRole.MODERATOR:
            args["participant_flags"] = ["is_moderator"]
        if command.display_name is not None:
            args["caller_id_name"] = command.display_name
        answer = shaped(await self._client.act(room.id, "dial", args, lasting_s=self._dial_timeout_s), DialJson, "dial")
        legs = answer.get("endpoint_responses") or []
        if not legs:
            raise dial_failed(answer.get("message"))
        leg = legs[0]
        if leg.get("status") != "success":
            raise dial_failed(leg.get("hangup_cause") or leg.get("message"))
        call_id = leg.get("call_id")
        return Receipt(participant_id=None if call_id is None else ParticipantId(call_id))

    # ---- the room ----

    async def _act_on_room(self, action: Action, room: Room) -> Receipt:
        name, args, success = _ON_ROOM[action]
        _expect(success, await self._client.act(room.id, name, args))
        return Receipt()

    async def _play(self, command: PlayMedia, room: Room) -> Receipt:
        if not command.media:
            raise refused(CommandErrorCode.INVALID_INPUT, "is a media id or a URL", field=("media",))
        args: JsonObject = {"media_id": command.media}
        if command.participant_id is not None:
            return await self._act_on_one("play", room, command.participant_id, args)
        _expect("ok", await self._client.act(room.id, "play", args))
        return Receipt()

    # ---- settings ----

    async def _create(self, command: CreateRoom) -> Receipt:
        document = await self._client.create(document_of(command.name, command.settings, self._generation()))
        room_id = document.get("id")
        if not isinstance(room_id, str) or not room_id:
            raise NotUnderstoodError("conference: created without id")
        return Receipt(room=_configured(Room(id=RoomId(room_id)), document))

    async def _change(self, command: UpdateSettings, room: Room) -> Receipt:
        """Change a document; one that was changed by others at that very moment is changed in a second try."""
        patch = patch_of(command.name, command.settings, self._generation())
        try:
            document = await self._client.change(room.id, patch)
        except RefusedError as error:
            if error.status != 409:
                raise
            document = await self._client.change(room.id, patch)
        return Receipt(room=_configured(room, document))


def _places(command: Command) -> dict[str, Place]:
    match command:
        case CreateRoom() | UpdateSettings():
            return places_in(command.settings)
        case Invite():
            return _DIALLED
        case PlayMedia():
            return _PLAYED
    return {}


def _active(room: Room) -> Room:
    if room.state is not RoomState.ACTIVE:
        raise refused(CommandErrorCode.ROOM_NOT_ACTIVE, "nobody is in the room", field=("roomId",))
    return room


def _absent() -> Exception:
    return refused(
        CommandErrorCode.PARTICIPANT_NOT_FOUND, "the participant is not in the room", field=("participantId",)
    )


def _expect(success: str, answer: object) -> None:
    """Check that a success is one: where a command crashes inside Kazoo, the answer is the conference document."""
    if answer != success:
        raise not_obeyed()


def _configured(room: Room, document: JsonObject) -> Room:
    facts = facts_of(document)
    return replace(
        room,
        name=facts.name,
        numbers=facts.numbers,
        pin_required=facts.pin_required,
        settings=settings_of(document),
    )
