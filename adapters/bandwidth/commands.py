"""Our commands as calls of Catapult.

An answer says that something was accepted. What happens to a member is told by a callback; what happens to a conference
as a whole is not, so that it is read again.
"""

import asyncio
import logging
import re

from adapters.bandwidth.client import Client
from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.config import BandwidthSettings
from adapters.bandwidth.errors import BandwidthError, RefusedError, UnreachableError, as_command_errors
from adapters.bandwidth.events import CallState
from adapters.bandwidth.feed import Feed
from adapters.bandwidth.mapping import body_to_create, body_to_update, is_completed, is_over, is_ringing
from adapters.bandwidth.served import Served
from adapters.bandwidth.webhook import address
from adapters.kit.understanding import JsonObject, NotUnderstoodError
from gateway.adapter import Receipt
from gateway.model.commands import (
    Action,
    AdoptRoom,
    BulkCommand,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, refused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport
from gateway.model.room import ParticipantRole, Room

log = logging.getLogger(__name__)

_CALL_ID = re.compile(r"c-[\w-]+", re.ASCII)
"""How ids of calls look: an invitation of one adds that call."""
_SAID = "tts://"
_LONGEST_SENTENCE = 1000
_LOOK_AGAIN_S = 5.0
"""How often a call that rings is read: the callback of its answer may get lost."""
_GOODBYE_S = 5.0
_GONE, _CHANGED_MEANWHILE = 404, 409
_WE_ARE_WRONG = (
    CommandErrorCode.ROOM_NOT_FOUND,
    CommandErrorCode.ROOM_NOT_ACTIVE,
    CommandErrorCode.PARTICIPANT_NOT_FOUND,
    CommandErrorCode.CONFLICT,
)
"""Refusals that a room has changed before: callbacks get lost, so that it is read again."""
_OVER: JsonObject = {"state": "completed"}
_CHANGES: dict[Action, JsonObject] = {
    Action.MUTE: {"mute": True},
    Action.MUTE_ME: {"mute": True},
    Action.UNMUTE: {"mute": False},
    Action.UNMUTE_ME: {"mute": False},
    Action.HOLD: {"hold": True},
    Action.UNHOLD: {"hold": False},
}
_ROOM_CHANGES: dict[Action, JsonObject] = {
    Action.HOLD_ROOM: {"hold": True},
    Action.UNHOLD_ROOM: {"hold": False},
    Action.CLOSE: _OVER,
    Action.DELETE_ROOM: _OVER,
    Action.MUTE_ALL: {"mute": True},
    Action.UNMUTE_ALL: {"mute": False},
}


class Commander:
    """Carries out commands while a feed is open."""

    def __init__(self, client: Client, conferences: Conferences, served: Served, settings: BandwidthSettings) -> None:
        self._client = client
        self._conferences = conferences
        self._served = served
        self._settings = settings

    async def execute(self, command: Command, room: Room | None, feed: Feed) -> Receipt:
        """Do one command.

        Errors: CommandRefused, OutcomeUnknown.
        """
        match command:
            case CreateRoom():
                return await self._create(command, feed)
            case AdoptRoom():
                return await self._adopt(command, feed)
            case _ if room is None:
                raise refused(CommandErrorCode.ROOM_NOT_FOUND, "the room is not known", field=("roomId",))
        try:
            return await self._in_room(command, room, feed)
        except CommandRefused as refusal:
            if any(error.code in _WE_ARE_WRONG for error in refusal.errors):
                await feed.report([DoubtReport(room_id=room.id)])
            raise

    async def _in_room(self, command: Command, room: Room, feed: Feed) -> Receipt:
        match command:
            case ParticipantCommand():
                with as_command_errors(CommandErrorCode.PARTICIPANT_NOT_FOUND):
                    await self._act_on_one(command, room)
            case BulkCommand() | RoomCommand():
                with as_command_errors():
                    await self._act_on_room(command.action, room.id, feed)
            case UpdateSettings():
                await self._update(command, feed)
            case PlayMedia():
                with as_command_errors(CommandErrorCode.PARTICIPANT_NOT_FOUND):
                    await self._play(command)
            case Invite():
                return await self._invite(command, room, feed)
            case _:
                raise _not_supported(command.action)
        return Receipt()

    # ---- one participant ----

    async def _act_on_one(self, command: ParticipantCommand, room: Room) -> None:
        who = command.participant_id
        if command.action is Action.KICK:
            await self._client.update_member(room.id, who, _OVER)
            # Out of the conference, the call would go on with nobody at the other end.
            kicked = room.participants.get(who)
            if kicked is not None and kicked.leg_id is not None:
                await self._hang_up(kicked.leg_id)
            return
        if command.action not in _CHANGES:
            raise _not_supported(command.action)
        self._be_of_use(command.action, room.id)
        await self._client.update_member(room.id, who, _CHANGES[command.action])

    def _be_of_use(self, action: Action, room_id: RoomId) -> None:
        """Refuse what would change nothing that anybody could hear: the conference's own flags come on top."""
        if action in (Action.UNMUTE, Action.UNMUTE_ME) and self._conferences.is_muted_as_a_whole(room_id):
            raise refused(CommandErrorCode.CONFLICT, "the conference is muted as a whole: unmute everybody")
        if action is Action.UNHOLD and self._conferences.is_held_as_a_whole(room_id):
            raise refused(CommandErrorCode.CONFLICT, "the conference is on hold as a whole: unhold the room")

    async def _hang_up(self, call_id: str) -> None:
        """End a call, if Bandwidth lets us: what it was made or meant for has been dealt with."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._client.update_call(call_id, _OVER)
        except (BandwidthError, NotUnderstoodError, TimeoutError) as error:
            log.info("bandwidth: a call could not be hung up (%s)", type(error).__name__)

    # ---- the conference as a whole ----

    async def _act_on_room(self, action: Action, room_id: RoomId, feed: Feed) -> None:
        if action not in _ROOM_CHANGES:
            raise _not_supported(action)
        try:
            await self._client.update_conference(room_id, _ROOM_CHANGES[action])
            if action is Action.UNMUTE_ALL:
                await self._unmute_themselves(room_id)
        except RefusedError as error:
            if _ROOM_CHANGES[action] is not _OVER or not (error.is_over or error.is_gone):
                raise
        finally:
            await feed.report([DoubtReport(room_id=room_id)])

    async def _unmute_themselves(self, room_id: RoomId) -> None:
        """Unmute those whom the conference leaves muted; one who has gone meanwhile does not cost the others."""
        for who in self._conferences.muted_themselves(room_id):
            try:
                await self._client.update_member(room_id, who, _CHANGES[Action.UNMUTE])
            except RefusedError as error:
                if error.status not in (_GONE, _CHANGED_MEANWHILE):
                    raise

    async def _create(self, command: CreateRoom, feed: Feed) -> Receipt:
        with as_command_errors():
            callback_url = address(self._settings.callback_url, self._served.secret)
            conference_id = await self._client.create_conference(
                body_to_create(command, self._settings.number, callback_url)
            )
        return await self._serve(conference_id, command.name, feed)

    async def _adopt(self, command: AdoptRoom, feed: Feed) -> Receipt:
        """Serve a conference that was made by another application."""
        with as_command_errors():
            conference = await self._client.conference(command.native_id, urgent=True)
        if conference is None:
            message = "Bandwidth has no such conference, or no longer"
            raise refused(CommandErrorCode.ROOM_NOT_FOUND, message, field=("nativeId",))
        if is_completed(conference):
            message = "that conference is over: it cannot be used again"
            raise refused(CommandErrorCode.ROOM_NOT_ACTIVE, message, field=("nativeId",))
        self._conferences.is_not_over(conference["id"])
        return await self._serve(conference["id"], command.name or self._served.names.get(conference["id"]), feed)

    async def _serve(self, conference_id: str, name: str | None, feed: Feed) -> Receipt:
        """Serve a conference, and have it read: whoever asked may have had their answer already."""
        self._conferences.serve(conference_id, name)
        await self._served.add(conference_id, name)
        await feed.report([DoubtReport(room_id=RoomId(conference_id))])
        return Receipt(room=Room(id=RoomId(conference_id), name=name))

    async def _update(self, command: UpdateSettings, feed: Feed) -> None:
        with as_command_errors():
            if body := body_to_update(command):
                await self._client.update_conference(command.room_id, body)
        if command.name is not None:
            await self._serve(command.room_id, command.name, feed)

    async def _play(self, command: PlayMedia) -> None:
        body = _sound(command.media)
        if command.participant_id is None:
            await self._client.play_to_conference(command.room_id, body)
        else:
            await self._client.play_to_member(command.room_id, command.participant_id, body)

    # ---- who comes in ----

    async def _invite(self, command: Invite, room: Room, feed: Feed) -> Receipt:
        """Add a call: one that is up, or one that is made for it; one that was made ends when it cannot be added."""
        _be_possible(command)
        destination = command.destination.strip()
        with as_command_errors():
            if _CALL_ID.fullmatch(destination):
                return await self._added(room.id, destination)
            call_id = await self._client.create_call(self._call_to(destination, room.id))
            self._conferences.call_read({"id": call_id, "direction": "out", "to": destination})  # nobody has to ask
            may_be_in = False
            try:
                await self._answered(call_id, room.id, feed)
                receipt = await self._added(room.id, call_id)
                may_be_in = True
            except RefusedError as error:
                if error.is_about_call:
                    raise refused(CommandErrorCode.BACKEND_REFUSED, "the call was over before it was added") from None
                raise
            except UnreachableError as error:
                may_be_in = error.sent
                raise
            except NotUnderstoodError:
                may_be_in = True
                raise
            finally:
                if not may_be_in:
                    await self._hang_up(call_id)
            return receipt

    def _call_to(self, destination: str, room_id: RoomId) -> JsonObject:
        return {
            "from": self._settings.number,
            "to": destination,
            "conferenceId": room_id,
            "callTimeout": self._settings.ring_s,
            "callbackUrl": address(self._settings.callback_url, self._served.secret),
            "tag": room_id,
        }

    async def _answered(self, call_id: str, room_id: RoomId, feed: Feed) -> None:
        """Wait until a call that rings is answered; Bandwidth itself lets it ring no longer than it was told.

        Errors: CommandRefused, when it is not; BandwidthError.
        """
        now = asyncio.get_running_loop().time
        until = now() + self._settings.ring_s + _LOOK_AGAIN_S
        while now() < until:
            told = await feed.word_of(call_id, _LOOK_AGAIN_S)
            if told is not None and told.state is CallState.ANSWERED:
                return
            if told is not None:
                raise _not_answered(told.cause)
            if not self._conferences.served(room_id):
                raise refused(CommandErrorCode.ROOM_NOT_ACTIVE, "the conference is over: nobody is called any more")
            if not await self._still_rings(call_id):
                return
        raise refused(CommandErrorCode.TIMEOUT, "nobody answered the call in time")

    async def _still_rings(self, call_id: str) -> bool:
        """Read a call; where that is not to be had now, it rings on as far as we know.

        Errors: CommandRefused, when it is over.
        """
        try:
            call = await self._client.call(call_id, urgent=True)
        except (BandwidthError, NotUnderstoodError):
            return True
        if call is None or is_over(call):
            raise _not_answered(None)
        return is_ringing(call)

    async def _added(self, room_id: RoomId, call_id: str) -> Receipt:
        """Add a call that is up, if it has not been added already, by Bandwidth itself or by a second click."""
        known = self._conferences.member_of_call(room_id, call_id)
        if known is None:
            try:
                known = ParticipantId(await self._client.add_member(room_id, {"callId": call_id}))
            except (RefusedError, NotUnderstoodError):
                known = await self._member_with(room_id, call_id)
                if known is None:
                    raise
        return Receipt(participant_id=known)

    async def _member_with(self, room_id: RoomId, call_id: str) -> ParticipantId | None:
        try:
            members = await self._client.members(room_id, urgent=True)
        except (BandwidthError, NotUnderstoodError):
            return None
        return self._conferences.present_with(members, call_id)


def _sound(media: str) -> JsonObject:
    if media.startswith(("http://", "https://")):
        return {"fileUrl": media}
    sentence = media.removeprefix(_SAID)
    if not media.startswith(_SAID) or not 0 < len(sentence) <= _LONGEST_SENTENCE:
        message = f"is the http(s) address of a sound, or {_SAID} and a sentence of up to {_LONGEST_SENTENCE} letters"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("media",))
    return {"sentence": sentence}


def _be_possible(command: Invite) -> None:
    if not command.destination.strip():
        raise refused(CommandErrorCode.INVALID_INPUT, "is the number to call", field=("destination",))
    if command.role is ParticipantRole.MODERATOR:
        message = "Bandwidth's conferences have no moderators"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("role",))
    if command.early_join:
        message = "Bandwidth adds a guest once they have answered: the room cannot hear the ringback"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("earlyJoin",))
    if command.display_name is not None:
        message = "Bandwidth has no names for guests"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("displayName",))


def _not_answered(cause: str | None) -> CommandRefused:
    return refused(CommandErrorCode.BACKEND_REFUSED, f"the call was not answered{f' ({cause})' if cause else ''}")


def _not_supported(action: Action) -> CommandRefused:
    message = "Bandwidth has no such command"
    return refused(CommandErrorCode.NOT_SUPPORTED, message, capability=action.capability)
