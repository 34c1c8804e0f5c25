"""Our commands as calls of Call Control.

An answer says that something was accepted, not that it has happened. A participant's leg in a conference has no
events, so that the room is read again for what becomes of it.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from adapters.kit.understanding import JsonObject
from adapters.ringcentral.calls import Calls
from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import (
    RateLimitedError,
    RefusedError,
    RingCentralError,
    UnreachableError,
    as_command_errors,
)
from adapters.ringcentral.events import Code, Interpreter, SessionRead, party_read, session_read
from adapters.ringcentral.feed import Feed
from adapters.ringcentral.mapping import merged_into
from adapters.ringcentral.wire import PartyJson
from gateway.adapter import Receipt
from gateway.model.commands import Action, Command, CreateRoom, Invite, ParticipantCommand, RoomCommand
from gateway.model.errors import CommandErrorCode, CommandRefused, GatewayError, OutcomeUnknown, refused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport
from gateway.model.room import ParticipantRole, Room

log = logging.getLogger(__name__)

_CALL = "s-"
"""How ids of calls begin: an invitation of one brings in that call."""
_CALL_ID = re.compile(r"s-[\w.=+-]+", re.ASCII)
_RINGING_S = 60.0
_GOODBYE_S = 5.0
_MOST_BROUGHT = 256
_LOOK_AGAIN_S = 3.0
"""How often a call that rings is read: the other side's leg has no events for us."""
_MAY_HAVE_ACTED = 500
"""From which status on an answer leaves open whether a command was done."""


class Rooms:
    """One at a time in each room: calls that are brought in together arrive in any order."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, room_id: RoomId) -> AsyncIterator[None]:
        """Wait for the room to be free."""
        lock = self._locks.setdefault(room_id, asyncio.Lock())
        async with lock:
            yield


class Commander:
    """Carries out commands while a feed is open."""

    def __init__(self, client: Client, calls: Calls, interpreter: Interpreter, settings: RingCentralSettings) -> None:
        self._client = client
        self._calls = calls
        self._interpreter = interpreter
        self._settings = settings
        self._rooms = Rooms()
        self._brought: dict[str, None] = {}
        """The latest calls that were brought in: events tell it, but later than a second click."""

    async def execute(self, command: Command, room: Room | None, feed: Feed) -> Receipt:
        """Do one command.

        Errors: CommandRefused, OutcomeUnknown.
        """
        match command:
            case CreateRoom():
                return await self._create(command, feed)
            case _ if room is None:
                raise refused(CommandErrorCode.ROOM_NOT_FOUND, "the room is not known", field=("roomId",))
            case ParticipantCommand():
                with as_command_errors(CommandErrorCode.PARTICIPANT_NOT_FOUND):
                    await self._act_on_one(command, room.id, feed)
            case RoomCommand(Action.CLOSE):
                with as_command_errors():
                    await self._client.delete_session(room.id)
                    if self._calls.host_of(room.id) is None:  # else the end of the host's leg tells it
                        await feed.report([DoubtReport(room_id=room.id)])
            case Invite():
                return await self._invite(command, room, feed)
            case _:
                message = "RingCentral has no such command"
                raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=command.action.capability)
        return Receipt()

    # ---- one participant ----

    async def _act_on_one(self, command: ParticipantCommand, room_id: RoomId, feed: Feed) -> None:
        who = command.participant_id
        match command.action:
            case Action.MUTE | Action.MUTE_ME:
                await self._accepted(room_id, who, feed, self._client.change_party(room_id, who, muted=True))
            case Action.UNMUTE | Action.UNMUTE_ME:
                await self._accepted(room_id, who, feed, self._client.change_party(room_id, who, muted=False))
            case Action.HOLD:
                await self._accepted(room_id, who, feed, self._client.hold(room_id, who))
            case Action.UNHOLD:
                await self._accepted(room_id, who, feed, self._client.unhold(room_id, who))
            case Action.KICK if self._calls.is_host(room_id, who):
                await self._remove_the_host(room_id, who)
            case Action.KICK:
                await self._client.delete_party(room_id, who)
            case _:
                message = "RingCentral has no such command"
                raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=command.action.capability)

    async def _accepted(self, room_id: RoomId, who: ParticipantId, feed: Feed, answer: Awaitable[PartyJson]) -> None:
        """Have the room read once a change of a leg is accepted: the answer says only what was asked for."""
        await answer
        if who != self._calls.host_of(room_id):  # else an event tells it
            await feed.report([DoubtReport(room_id=room_id)])

    async def _remove_the_host(self, room_id: RoomId, who: ParticipantId) -> None:
        """Let the host go, and the others stay: no event tells that from the end, so it has to be known before."""
        self._calls.host_leaves(room_id)
        try:
            await self._client.delete_party(room_id, who, keep_conference=True)
        except RefusedError as error:
            if error.status < _MAY_HAVE_ACTED:
                self._calls.host_stays(room_id)
            raise
        except UnreachableError as error:
            if not error.sent:
                self._calls.host_stays(room_id)
            raise
        except (RateLimitedError, GatewayError):
            self._calls.host_stays(room_id)
            raise

    # ---- rooms ----

    async def _create(self, command: CreateRoom, feed: Feed) -> Receipt:
        """Open a conference; it waits for its host's phone, which needs the token."""
        if command.settings:
            message = "a conference of RingCentral has no settings"
            raise refused(CommandErrorCode.INVALID_INPUT, message, field=("settings",))
        with as_command_errors():
            answer = await self._client.create_conference()
            await feed.report(self._calls.created(session_read(answer, self._interpreter.complain), command.name))
        made = self._calls.one(RoomId(answer["id"]))
        return Receipt(room=made, voice_call_token=answer.get("voiceCallToken"))

    # ---- who comes in ----

    async def _invite(self, command: Invite, room: Room, feed: Feed) -> Receipt:
        """Bring a call in: one that is up, or one that is made for it, which the host's phone and the guest take first.

        One that was made ends when it cannot be brought in.
        """
        _be_possible(command)
        with as_command_errors(CommandErrorCode.ROOM_NOT_FOUND):
            if command.destination.startswith(_CALL):
                return await self._brought_in(room.id, command.destination, feed)
            made = await self._client.call_out(await self._device_id(), _address(command.destination))
            session = session_read(made, self._interpreter.complain)
            may_be_in = False
            try:
                await self._answered(session, feed)
                receipt = await self._brought_in(room.id, session.id, feed)
                may_be_in = True
            except OutcomeUnknown:
                may_be_in = True
                raise
            finally:
                if not may_be_in:
                    await self._hang_up(session.id)
            return receipt

    async def _brought_in(self, room_id: RoomId, session_id: str, feed: Feed) -> Receipt:
        """Merge a call that is up, once.

        Errors: CommandRefused; OutcomeUnknown, when it may be in the room; RingCentralError.
        """
        answer = await self._client.session(session_id, urgent=True) if _CALL_ID.fullmatch(session_id) else None
        if answer is None:
            message = "there is no such call, or no longer"
            raise refused(CommandErrorCode.INVALID_INPUT, message, field=("destination",))
        session = session_read(answer, self._interpreter.complain)
        await feed.report(self._calls.read(session))
        async with self._rooms.turn(room_id):
            if session_id in self._brought or any(merged_into(party) for party in session.parties):
                message = "that call is in a conference already"
                raise refused(CommandErrorCode.CONFLICT, message, field=("destination",))
            own_leg = self._calls.own_leg(session_id)
            if own_leg is None:
                message = "the host is not in that call, or no longer"
                raise refused(CommandErrorCode.INVALID_INPUT, message, field=("destination",))
            self._brought[session_id] = None  # from now on, also while other rooms wait for the answer
            try:
                with as_command_errors():
                    party = party_read(await self._client.bring_in(room_id, session_id, own_leg))
            except CommandRefused:
                del self._brought[session_id]
                raise
            _keep_latest(self._brought)
            await feed.report(self._calls.party(room_id, party))
        return Receipt(participant_id=ParticipantId(party.id))

    async def _answered(self, session: SessionRead, feed: Feed) -> None:
        """Wait until a call that rings is answered; meanwhile moderators go first.

        Errors: CommandRefused, when it is not; RingCentralError.
        """
        try:
            async with asyncio.timeout(_RINGING_S):
                while not _is_up(session):
                    if _is_over(session):
                        raise _not_answered()
                    await feed.word_of(session.id, _LOOK_AGAIN_S)
                    session = await self._as_it_is(session)
        except TimeoutError:
            raise refused(CommandErrorCode.TIMEOUT, "nobody answered the call in time") from None

    async def _as_it_is(self, session: SessionRead) -> SessionRead:
        """Read a call that rings; where RingCentral cannot be asked now, it is as it was.

        Errors: CommandRefused, when it is over; RingCentralError.
        """
        try:
            answer = await self._client.session(session.id)
        except UnreachableError:
            return session
        except RefusedError as error:
            if error.status < _MAY_HAVE_ACTED:
                raise
            return session
        if answer is None:
            raise _not_answered()
        return session_read(answer, self._interpreter.complain)

    async def _hang_up(self, session_id: str) -> None:
        """Let a call ring or go on for nobody's sake no longer, if RingCentral lets us."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._client.delete_session(session_id)
        except (RingCentralError, GatewayError, TimeoutError) as error:
            log.info("a call made for an invitation could not be hung up (%s)", type(error).__name__)

    async def _device_id(self) -> str:
        """Choose the phone that rings first: the one that is configured, else the first that RingCentral can ring."""
        if self._settings.device_id is not None:
            return self._settings.device_id
        for device in await self._client.devices():
            if device.get("type") in _RINGS and device.get("status") != "Offline":
                return device["id"]
        message = "the user has no phone that RingCentral can ring: bring in a call that is up by its id"
        raise refused(CommandErrorCode.NOT_SUPPORTED, message)


_RINGS = ("HardPhone", "SoftPhone", "OtherPhone")
"""Phones in a browser or a mobile app cannot be rung by call-out."""


def _keep_latest(calls: dict[str, None]) -> None:
    while len(calls) > _MOST_BROUGHT:
        del calls[next(iter(calls))]


def _be_possible(command: Invite) -> None:
    if not command.destination.strip():
        raise refused(CommandErrorCode.INVALID_INPUT, "is the number to call", field=("destination",))
    if command.role is ParticipantRole.MODERATOR:
        message = "only the host moderates a conference of RingCentral"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("role",))
    if command.early_join:
        message = "RingCentral lets a guest in once they have answered: the room cannot hear the ringback"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("earlyJoin",))
    if command.display_name is not None:
        message = "RingCentral shows guests by its own directory"
        raise refused(CommandErrorCode.INVALID_INPUT, message, field=("displayName",))


def _address(number: str) -> JsonObject:
    """Say where to call: numbers with up to six digits and no sign are extensions of the account."""
    plain = number.strip()
    return {"extensionNumber": plain} if plain.isdigit() and len(plain) <= 6 else {"phoneNumber": plain}


def _is_up(session: SessionRead) -> bool:
    """Whether all legs of a call are connected; the host's alone is there first."""
    legs = [party for party in session.parties if party.code is not Code.DISCONNECTED]
    return len(legs) >= 2 and all(party.code in (Code.ANSWERED, Code.HOLD) for party in legs)


def _is_over(session: SessionRead) -> bool:
    """Whether one side has no leg left: one that gave up may be followed by another, as when a call is forwarded."""
    legs = [party for party in session.parties if party.code is not Code.DISCONNECTED]
    return len(legs) < min(2, len(session.parties))


def _not_answered() -> CommandRefused:
    return refused(CommandErrorCode.BACKEND_REFUSED, "the call was not answered")
