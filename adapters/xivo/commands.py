"""Our commands as those of the CTI socket: each goes out through the right account, when its turn has come.

xuc names participants by the slot they sit in, and a slot that was left is given to the next who comes. So the slot is
looked up at the very moment of sending, and nothing is sent when somebody else sits there. What remains is the time a
frame is under way: whoever takes the slot in that time may be hit. A mute that hit a newcomer is seen and taken back;
a kick cannot be.
"""

from collections.abc import Callable

from adapters.kit.understanding import JsonObject
from adapters.xivo.aim import Aim, gone, missing
from adapters.xivo.choosing import organizer_seat, own_seat
from adapters.xivo.errors import CANNOT_KICK_ORGANIZER, NOT_A_MEMBER, NOT_ORGANIZER, PARTICIPANT_NOT_FOUND
from adapters.xivo.feed import Feed
from adapters.xivo.lane import Order
from adapters.xivo.roster import Rooms
from adapters.xivo.views import Seat
from adapters.xivo.wire import web
from gateway.adapter import Receipt
from gateway.model.commands import (
    Action,
    BulkCommand,
    Command,
    Invite,
    ParticipantCommand,
    RoomCommand,
    StartConference,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, refused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room

_ON_ONE = {
    Action.MUTE: "conferenceMute",
    Action.MUTE_ME: "conferenceMute",
    Action.UNMUTE: "conferenceUnmute",
    Action.UNMUTE_ME: "conferenceUnmute",
    Action.DEAFEN: "conferenceDeafen",
    Action.UNDEAFEN: "conferenceUndeafen",
}
_ON_ME = {Action.MUTE_ME: "conferenceMuteMe", Action.UNMUTE_ME: "conferenceUnmuteMe"}
_FLAGS = {
    Action.MUTE: ("muted", True),
    Action.MUTE_ME: ("muted", True),
    Action.UNMUTE: ("muted", False),
    Action.UNMUTE_ME: ("muted", False),
    Action.DEAFEN: ("deafened", True),
    Action.UNDEAFEN: ("deafened", False),
}
_OPPOSITES = {
    Action.MUTE: Action.UNMUTE,
    Action.MUTE_ME: Action.UNMUTE,
    Action.UNMUTE: Action.MUTE,
    Action.UNMUTE_ME: Action.MUTE,
    Action.DEAFEN: Action.UNDEAFEN,
    Action.UNDEAFEN: Action.DEAFEN,
}
_MY_CODES = frozenset({NOT_A_MEMBER})
_EVERYBODYS_CODES = frozenset({NOT_A_MEMBER, NOT_ORGANIZER})
_ONES_CODES = _EVERYBODYS_CODES | {PARTICIPANT_NOT_FOUND}
_KICK_CODES = _ONES_CODES | {CANNOT_KICK_ORGANIZER}
_ROLES = {ParticipantRole.PARTICIPANT: "User", ParticipantRole.MODERATOR: "Organizer"}


class Commander:
    """Carries out commands through the lanes of the accounts that are signed on."""

    def __init__(self, rooms: Rooms, feed: Feed) -> None:
        self._rooms = rooms
        self._arrivals = feed.arrivals
        self._lane_of = feed.lane_of

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command.

        Errors: CommandRefused, OutcomeUnknown.
        """
        match command:
            case StartConference():
                await self._start_conference(identity)
            case _ if room is None:
                raise refused(CommandErrorCode.ROOM_NOT_FOUND, "the room is not known", field=("roomId",))
            case ParticipantCommand():
                await self._act_on_one(command, room, identity)
            case BulkCommand(Action.MUTE_ALL | Action.UNMUTE_ALL):
                await self._act_on_everybody(command, room, identity)
            case RoomCommand(Action.CLOSE):
                await self._close(room, identity)
            case Invite():
                return await self._invite(command, room, identity)
            case _:
                message = "XiVO has no such command"
                raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=command.action.capability)
        return Receipt()

    # ---- one participant ----

    async def _act_on_one(self, command: ParticipantCommand, room: Room, identity: str | None) -> None:
        seats = self._rooms.seats(room.id)
        participant = room.participants.get(command.participant_id)
        mine = own_seat(seats, identity)
        if mine is not None and (participant is None or not _sits_there(participant, mine, room)):
            mine = None
        if command.action is Action.KICK and mine is not None:
            await self._hang_up(room.id, mine, command.participant_id)
        elif command.action is Action.KICK:
            await self._kick(room.id, organizer_seat(seats, identity), command.participant_id)
        elif command.action in _ON_ME and mine is not None:
            await self._set_my_flag(command.action, room.id, mine, command.participant_id)
        else:
            await self._set_flag(command.action, room.id, organizer_seat(seats, identity), command.participant_id)

    async def _set_my_flag(self, action: Action, room_id: RoomId, seat: Seat, participant_id: ParticipantId) -> None:
        def shown() -> bool:
            now = own_seat(self._rooms.seats(room_id), seat.login)
            me = None if now is None or now.index is None else self._rooms.at(room_id, now.login, now.index)
            return me is not None and getattr(me, _FLAGS[action][0]) is _FLAGS[action][1]

        def frame() -> JsonObject | None:
            if not self._is_here(room_id, participant_id):
                raise gone()
            already = shown() and not self._rooms.is_disputed(room_id, participant_id)
            return None if already else web(_ON_ME[action], numConf=room_id)

        await self._lane_of(seat.login).do(Order(room_id=room_id, frame=frame, shown=shown, codes=_MY_CODES))

    async def _set_flag(self, action: Action, room_id: RoomId, seat: Seat, participant_id: ParticipantId) -> None:
        """Set a flag of somebody, and take back what hit another who took their slot while it was under way."""
        lane = self._lane_of(seat.login)
        aim = Aim(self._rooms, room_id, participant_id, seat.login, _FLAGS[action])
        order = Order(room_id=room_id, frame=lambda: aim.frame(_ON_ONE[action]), shown=aim.shown, codes=_ONES_CODES)
        await lane.do(order)
        if aim.hit_a_newcomer():
            back = _ON_ONE[_OPPOSITES[action]]
            await lane.do(
                Order(
                    room_id=room_id,
                    frame=lambda: aim.taken_back(back),
                    shown=aim.undone,
                    codes=_ONES_CODES,
                    moot=frozenset({PARTICIPANT_NOT_FOUND}),
                )
            )
        if self._has_left(room_id, participant_id, seat):
            raise gone()

    async def _kick(self, room_id: RoomId, seat: Seat, participant_id: ParticipantId) -> None:
        def frame() -> JsonObject:
            target = self._rooms.occupant(room_id, participant_id, seat.login)
            if target is None:
                raise missing(self._rooms, room_id, participant_id)
            if target.role is ParticipantRole.MODERATOR:
                message = "XiVO lets nobody remove an organizer"
                raise refused(CommandErrorCode.CANNOT_KICK_ORGANIZER, message, field=("participantId",))
            return web("conferenceKick", numConf=room_id, index=target.index)

        def shown() -> bool:
            return self._has_left(room_id, participant_id, seat)

        moot = frozenset({PARTICIPANT_NOT_FOUND})
        order = Order(room_id=room_id, frame=frame, shown=shown, codes=_KICK_CODES, moot=moot)
        await self._lane_of(seat.login).do(order)

    def _has_left(self, room_id: RoomId, participant_id: ParticipantId, seat: Seat) -> bool:
        """Whether somebody who was seen in their slot is gone; an account that has left itself sees nobody any more."""
        inside = own_seat(self._rooms.seats(room_id), seat.login) is not None
        unseen = inside and self._rooms.occupant(room_id, participant_id, seat.login) is None
        return unseen or not self._is_here(room_id, participant_id)

    async def _hang_up(self, room_id: RoomId, seat: Seat, participant_id: ParticipantId) -> None:
        """End the viewer's own call: whoever is in the room may leave it, organizers too."""
        call: JsonObject = {} if seat.unique_id is None else {"uniqueId": seat.unique_id}

        def frame() -> JsonObject | None:
            # Once they are out of the room, this would end another call of theirs.
            return web("hangup", **call) if self._is_here(room_id, participant_id) else None

        await self._from_inside(room_id, seat, frame)

    # ---- everybody ----

    async def _act_on_everybody(self, command: BulkCommand, room: Room, identity: str | None) -> None:
        seat = organizer_seat(self._rooms.seats(room.id), identity)
        if command.action is Action.MUTE_ALL and seat.login != identity:
            await self._mute_all_but(room, identity, seat)
            return
        muted = command.action is Action.MUTE_ALL

        def shown() -> bool:
            return all(each.muted is muted for each in self._people(room.id) if not (muted and _is(each, identity)))

        frame = web("conferenceMuteAll" if muted else "conferenceUnmuteAll", numConf=room.id)
        order = Order(room_id=room.id, frame=lambda: frame, shown=shown, codes=_EVERYBODYS_CODES)
        await self._lane_of(seat.login).do(order)

    async def _mute_all_but(self, room: Room, identity: str | None, seat: Seat) -> None:
        """Mute all but the viewer, one by one: XiVO's own command would spare the account that sends it instead.

        Errors: CommandRefused, when all but those whose slot is unknown are muted, or when XiVO refuses.
        """
        refusals = [
            await self._mute_if_there(room.id, seat, each.id)
            for each in self._people(room.id)
            if not _is(each, identity)
        ]
        if left_out := next(filter(None, refusals), None):
            raise left_out

    async def _mute_if_there(self, room_id: RoomId, seat: Seat, participant_id: ParticipantId) -> CommandRefused | None:
        """Mute somebody unless they have left; give the refusal if it is about them alone."""
        try:
            await self._set_flag(Action.MUTE, room_id, seat, participant_id)
        except CommandRefused as refusal:
            code = refusal.errors[0].code
            if code not in (CommandErrorCode.PARTICIPANT_NOT_FOUND, CommandErrorCode.CONFLICT):
                raise
            return refusal if code is CommandErrorCode.CONFLICT else None
        return None

    # ---- the room ----

    async def _close(self, room: Room, identity: str | None) -> None:
        seat = organizer_seat(self._rooms.seats(room.id), identity)
        frame = web("conferenceClose", numConf=room.id)
        await self._from_inside(room.id, seat, lambda: frame, _EVERYBODYS_CODES, moot=_MY_CODES)

    async def _from_inside(
        self,
        room_id: RoomId,
        seat: Seat,
        frame: Callable[[], JsonObject | None],
        codes: frozenset[str] = frozenset(),
        moot: frozenset[str] = frozenset(),
    ) -> None:
        """Do what ends the sending account's own call as well."""

        def shown() -> bool:
            return own_seat(self._rooms.seats(room_id), seat.login) is None

        order = Order(room_id=room_id, frame=frame, shown=shown, codes=codes, moot=moot)
        await self._lane_of(seat.login).do(order)

    async def _invite(self, command: Invite, room: Room, identity: str | None) -> Receipt:
        """Have somebody called; who they are is known once they have joined."""
        destination = command.destination.strip()
        if not destination:
            raise refused(CommandErrorCode.INVALID_INPUT, "is the number to call", field=("destination",))
        seat = organizer_seat(self._rooms.seats(room.id), identity)
        caller: JsonObject = {} if command.display_name is None else {"callerId": command.display_name}
        frame = web(
            "conferenceInvite",
            numConf=room.id,
            exten=destination,
            role=_ROLES[command.role],
            earlyJoin=command.early_join,
            **caller,
        )
        with self._arrivals.expected(room.id, destination) as arrival:
            order = Order(room_id=room.id, frame=lambda: frame, shown=arrival.done, codes=_EVERYBODYS_CODES)
            await self._lane_of(seat.login).do(order)
            return Receipt(participant_id=await arrival.within_the_ringing())

    # ---- the viewer's phone ----

    async def _start_conference(self, identity: str | None) -> None:
        if identity is None:
            message = "it is not known which XiVO account you are, and your own phone does this"
            raise refused(CommandErrorCode.NOT_SUPPORTED, message, capability=Action.START_CONFERENCE.capability)
        frame = web("conference")
        order = Order(room_id=None, frame=lambda: frame, shown=lambda: False, codes=frozenset())
        await self._lane_of(identity).do(order)

    def _is_here(self, room_id: RoomId, participant_id: ParticipantId) -> bool:
        return any(each.id == participant_id for each in self._people(room_id))

    def _people(self, room_id: RoomId) -> list[Participant]:
        room = self._rooms.one(room_id)
        return [] if room is None else list(room.participants.values())


def _sits_there(participant: Participant, seat: Seat, room: Room) -> bool:
    """Whether a participant is the call in an account's seat: the user may be there with another phone as well."""
    if not _is(participant, seat.login):
        return False
    if None not in (participant.index, seat.index):
        return participant.index == seat.index
    return sum(_is(each, seat.login) for each in room.participants.values()) == 1


def _is(participant: Participant, identity: str | None) -> bool:
    return identity is not None and participant.user_id == identity
