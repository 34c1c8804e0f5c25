"""Our commands as requests of Telphin's API.

An answer says that something was accepted, not that it has happened. What is wrong with the input is said before
anything is sent.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from adapters.kit.understanding import JsonObject, NotUnderstoodError
from adapters.telphin.client import Client
from adapters.telphin.errors import (
    RateLimitedError,
    RefusedError,
    TelphinError,
    UnreachableError,
    as_command_errors,
)
from adapters.telphin.feed import Feed
from adapters.telphin.hooks import Hooks
from adapters.telphin.mapping import CONFERENCE, room_id
from adapters.telphin.rooms import Rooms
from adapters.telphin.settings import number_wanted, patch_to_wire
from adapters.telphin.wire import ConferenceJson
from gateway.adapter import Receipt
from gateway.model.commands import (
    Action,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    RoomCommand,
    UpdateSettings,
)
from gateway.model.errors import (
    CommandError,
    CommandErrorCode,
    CommandRefused,
    GatewayError,
    OutcomeUnknown,
    refused,
)
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import ParticipantRole, Room

log = logging.getLogger(__name__)

_DESTINATION = re.compile(r"[+*#0-9A-Za-z._@-]{1,64}")
_PIN_PAUSE = "W"
"""One second, so that the room has begun to ask."""
_PIN_END = "#"


class Commander:
    """Carries out commands while a feed is open."""

    def __init__(self, client: Client, rooms: Rooms, hooks: Hooks) -> None:
        self._client = client
        self._rooms = rooms
        self._hooks = hooks
        self._settling: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()
        self._ends_at_rooms = False
        """Whether this Telphin has ended a call at the room: what it does not find there is over then."""

    async def execute(self, command: Command, room: Room | None, feed: Feed) -> Receipt:
        """Do one command.

        Errors: CommandRefused, OutcomeUnknown.
        """
        match command:
            case CreateRoom():
                return await self._create(command)
            case _ if room is None:
                raise refused(CommandErrorCode.ROOM_NOT_FOUND, "the room is not known", field=("roomId",))
            case ParticipantCommand(Action.KICK):
                await self._kick(room.id, command.participant_id)
            case Invite():
                return await self._invite(command, room)
            case UpdateSettings():
                await self._update(command, room.id, feed)
                return Receipt(room=self._rooms.one(room.id))
            case RoomCommand(Action.DELETE_ROOM):
                await self._delete(room.id)
            case _:
                message = "Telphin has no such command"
                raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=command.action.capability)
        return Receipt()

    # ---- who is in ----

    async def _kick(self, room: RoomId, who: ParticipantId) -> None:
        """End somebody's call: a phone's at the phone, where that is documented, any other at the room."""
        places = self._rooms.hung_up_by(room, who)
        if not places:
            message = "Telphin has not told by which id this participant's call can be ended"
            raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=Action.KICK.capability)
        with as_command_errors(CommandErrorCode.PARTICIPANT_NOT_FOUND):
            for extension_id, call_api_id in places:
                if await self._hung_up(extension_id, call_api_id):
                    self._ends_at_rooms |= extension_id == room
                    self._rooms.kicked(room, who)
                    return
        if places[-1][0] == room and not self._ends_at_rooms:
            message = "Telphin finds no such call at the room: it is over, or one that can only be ended elsewhere"
            raise refused(CommandErrorCode.BACKEND_REFUSED, message)
        self._rooms.kicked(room, who)
        raise refused(CommandErrorCode.PARTICIPANT_NOT_FOUND, "the participant's call is over")

    async def _hung_up(self, extension_id: str, call_api_id: str) -> bool:
        try:
            await self._client.hang_up(extension_id, call_api_id)
        except RefusedError as error:
            if not error.is_gone:
                raise
            return False
        return True

    async def _invite(self, command: Invite, room: Room) -> Receipt:
        """Call somebody, and have their call dial the room, with the PIN that the settings have at this moment."""
        _be_possible(command)
        if not room.numbers:
            raise refused(CommandErrorCode.BACKEND_REFUSED, "Telphin has told no number of this room")
        with as_command_errors():
            conference = await self._conference(room.id)
            body: JsonObject = {"src_num": [command.destination.strip()], "dst_num": room.numbers[0]}
            if (pin := _pin_for(command.role, conference)) is not None:
                body["dst_dtmf"] = f"{_PIN_PAUSE}{pin}{_PIN_END}"
            if command.display_name:
                body["caller_id_name"] = command.display_name
            try:
                answer = await self._client.call_back(room.id, body)
            except RefusedError as error:
                if error.status != 400:
                    raise
                message = "is no number that Telphin can call for a room: a phone's, or one outside"
                raise refused(CommandErrorCode.INVALID_INPUT, message, field=("destination",)) from None
        call = answer.get("call_api_id")
        return Receipt(participant_id=ParticipantId(f"{room.id}-{call}") if call else None)

    async def _conference(self, room: RoomId) -> ConferenceJson:
        """Read the settings of a room as they are now.

        Errors: CommandRefused; those of the client.
        """
        conference = await self._client.conference(room, urgent=True)
        if conference is None:
            raise refused(CommandErrorCode.ROOM_NOT_FOUND, "Telphin has no such conference extension, or no longer")
        return conference

    # ---- rooms ----

    async def _create(self, command: CreateRoom) -> Receipt:
        """Make an extension, and then set it up; when that fails it is removed again.

        It is blocked until it has its settings: nobody enters without the PIN that it is to have.
        """
        conference, extension = patch_to_wire(command.settings)
        number = number_wanted(command.settings)
        wanted = {"status": "active", **extension}
        at_first = {**wanted, "status": "blocked"} if conference else wanted
        body: JsonObject = {"type": CONFERENCE, "name": number, "label": command.name, **at_first}
        with as_command_errors():
            try:
                made = await self._client.create_extension(body)
            except RefusedError as error:
                if error.status != 409:
                    raise
                message = "there is an extension with this number already"
                place = ("settings", "native", "number")
                raise refused(CommandErrorCode.CONFLICT, message, field=place) from None
            new = room_id(made)
            self._rooms.extension_read(made, datetime.now(UTC))
            if conference:
                await self._set_up(new, conference, {} if wanted == at_first else wanted)
        self._hooks.doubt(new)
        return Receipt(room=self._rooms.one(new))

    async def _set_up(self, room: RoomId, conference: JsonObject, extension: JsonObject) -> None:
        try:
            said = await self._client.update_conference(room, conference)
            self._rooms.settings_read(room, said, datetime.now(UTC))
            if extension:
                opened = await self._client.update_extension(room, extension)
                self._rooms.extension_read(opened, datetime.now(UTC))
        except (TelphinError, NotUnderstoodError, GatewayError) as error:
            await self._remove_again(room)
            if isinstance(error, UnreachableError | NotUnderstoodError):
                message = "Telphin did not say that it took the settings: the room was removed again"
                raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, message) from None
            raise

    async def _remove_again(self, room: RoomId) -> None:
        try:
            await self._client.delete_extension(room)
        except (TelphinError, NotUnderstoodError, GatewayError) as error:
            log.warning("a room whose settings Telphin did not take could not be removed (%s)", type(error).__name__)
            message = "the room was made, but Telphin did not take its settings, and it could not be removed again"
            raise OutcomeUnknown(message) from None
        self._rooms.gone(room, datetime.now(UTC))

    async def _update(self, command: UpdateSettings, room: RoomId, feed: Feed) -> None:
        """Change the settings of a room, and then what its extension has: the name, and whether it is blocked."""
        if command.name is not None and not command.name.strip():
            raise refused(CommandErrorCode.INVALID_INPUT, "must not be empty", field=("name",))
        async with self._settling.setdefault(room, asyncio.Lock()):
            conference, extension = await self._update_conference(command, room, feed)
        if command.name is not None:
            extension = {**extension, "label": command.name}
        if extension:
            await self._update_extension(room, extension, feed, changed=bool(conference))

    async def _update_conference(
        self, command: UpdateSettings, room: RoomId, feed: Feed
    ) -> tuple[JsonObject, JsonObject]:
        """Change what there is, one command after the other, since all of it is sent; give what was, and what is left.

        Errors: CommandRefused, OutcomeUnknown.
        """
        with as_command_errors():
            stored = await self._conference(room) if command.settings.keys() - {"native"} else ConferenceJson()
            conference, extension = patch_to_wire(command.settings, stored)
            if conference:
                said = await self._client.update_conference(room, conference)
                await feed.report(self._rooms.settings_read(room, said, datetime.now(UTC)))
        return conference, extension

    async def _update_extension(self, room: RoomId, body: JsonObject, feed: Feed, *, changed: bool) -> None:
        try:
            with as_command_errors():
                said = await self._client.update_extension(room, body)
        except CommandRefused as refusal:
            raise _half_done(refusal.errors) if changed else refusal from None
        await feed.report(self._rooms.extension_read(said, datetime.now(UTC)))

    async def _delete(self, room: RoomId) -> None:
        """Remove a room with our subscriptions; they are made again if it stays."""
        with as_command_errors():
            try:
                await self._end_subscriptions(room)
                await self._client.delete_extension(room)
            except (TelphinError, NotUnderstoodError, GatewayError):
                self._hooks.doubt(room)
                raise
        self._rooms.gone(room, datetime.now(UTC))

    async def _end_subscriptions(self, room: RoomId) -> None:
        try:
            await self._hooks.remove(room)
        except RateLimitedError as error:
            log.info("the webhooks of a room are left to end with it: %s", error)


def _be_possible(command: Invite) -> None:
    if not _DESTINATION.fullmatch(command.destination.strip()):
        raise refused(CommandErrorCode.INVALID_INPUT, "is the number to call", field=("destination",))
    if command.early_join:
        message = "Telphin dials the room once they have answered: the room cannot hear the ringback"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("earlyJoin",))


def _pin_for(role: ParticipantRole, conference: ConferenceJson) -> str | None:
    """Give the PIN by which somebody enters in a role; None where the room asks for none.

    Errors: CommandRefused.
    """
    if role is not ParticipantRole.MODERATOR:
        return conference.get("pin") or None
    pin = conference.get("moderator_pin")
    if not pin:
        message = "the room has no moderator PIN, by which alone Telphin knows a moderator"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("role",))
    return pin


def _half_done(errors: Sequence[CommandError]) -> CommandRefused:
    """Say of the second half of a change that was refused that the first was not."""
    first, *rest = errors
    message = f"the settings of the conference are changed, the rest is not: {first.message}"
    return CommandRefused(CommandError(first.code, message, first.field, first.retry_after_ms), *rest)
