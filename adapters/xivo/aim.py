"""One participant at whom a command is aimed by their slot, and whoever sits in that slot meanwhile."""

from adapters.kit.understanding import JsonObject
from adapters.xivo.roster import Rooms
from adapters.xivo.told import Described
from adapters.xivo.wire import web
from gateway.model.errors import CommandErrorCode, CommandRefused, refused
from gateway.model.ids import ParticipantId, RoomId


class Aim:
    """A flag that somebody is to have, as one account sees it.

    xuc sits whoever comes next in a slot that was left. A command on its way to somebody who leaves meanwhile sets the
    newcomer's flag: that shows, and can be taken back, unless they came with the flag as it is.
    """

    def __init__(
        self, rooms: Rooms, room_id: RoomId, participant_id: ParticipantId, login: str, wanted: tuple[str, bool]
    ) -> None:
        self._rooms = rooms
        self._room_id = room_id
        self._participant_id = participant_id
        self._login = login
        self._flag, self._value = wanted
        self._index: int | None = None
        self._came_otherwise = False

    def frame(self, command: str) -> JsonObject | None:
        """Name the slot at the moment of sending; None when the flag is as wanted, and nothing speaks against it.

        Errors: CommandRefused when they have left, whoever sits in the slot now, or when their slot is not known.
        """
        target = self.target()
        if target is None:
            raise missing(self._rooms, self._room_id, self._participant_id)
        if self._is_set(target) and not self._rooms.is_disputed(self._room_id, self._participant_id):
            return None
        self._index = target.index
        return web(command, numConf=self._room_id, index=target.index)

    def shown(self) -> bool:
        """Whether the flag is as wanted, be it that of a newcomer."""
        target = self.target()
        return self.hit_a_newcomer() if target is None else self._is_set(target)

    def hit_a_newcomer(self) -> bool:
        """Whether another who took the slot after the command was sent came with another flag, and has it now."""
        newcomer = None if self.target() is not None else self._newcomer()
        if newcomer is None:
            return False
        self._came_otherwise = self._came_otherwise or not self._is_set(newcomer)
        return self._came_otherwise and self._is_set(newcomer)

    def taken_back(self, command: str) -> JsonObject | None:
        """Name the slot of the newcomer who was hit; None when that is over."""
        return web(command, numConf=self._room_id, index=self._index) if self.hit_a_newcomer() else None

    def undone(self) -> bool:
        """Whether the newcomer is as they came."""
        return not self.hit_a_newcomer()

    def target(self) -> Described | None:
        """Give the one who is meant as they are; None when they have left, or the account has not been told of them."""
        return self._rooms.occupant(self._room_id, self._participant_id, self._login)

    def _newcomer(self) -> Described | None:
        return None if self._index is None else self._rooms.at(self._room_id, self._login, self._index)

    def _is_set(self, described: Described) -> bool:
        return getattr(described, self._flag) is self._value


def gone() -> CommandRefused:
    """Say that somebody has left: their slot may be somebody else's now."""
    message = "the participant has left the room"
    return refused(CommandErrorCode.PARTICIPANT_NOT_FOUND, message, field=("participantId",))


def missing(rooms: Rooms, room_id: RoomId, participant_id: ParticipantId) -> CommandRefused:
    """Say why nothing can be aimed at somebody: they have left, or only the list, which has no slots, tells of them."""
    room = rooms.one(room_id)
    if room is None or participant_id not in room.participants:
        return gone()
    message = "XiVO has not yet told the account that acts here which slot of the room the participant is in"
    return refused(CommandErrorCode.CONFLICT, message, field=("participantId",))
