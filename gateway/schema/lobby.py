"""What those in the lobby see of rooms coming, changing and going."""

from collections.abc import Iterator

from gateway.hub.hub import Update
from gateway.live.table import RoomAt
from gateway.model import events as model
from gateway.model.events import ChangedField, Event
from gateway.model.ids import RoomKey
from gateway.schema.context import Context
from gateway.schema.enums import RoomOrder
from gateway.schema.events import RoomAdded, RoomChanged, RoomListSnapshot, RoomRemoved
from gateway.schema.ids import room_gid
from gateway.schema.lists import ROOM_ORDERS, RoomMatch
from gateway.schema.room import Room

_NOT_SHOWN = {ChangedField.SETTINGS, ChangedField.RUN}


class Lobby:
    """Remembers which rooms are shown, to tell what each update means to those who look."""

    def __init__(self, context: Context, matches: RoomMatch) -> None:
        self._context = context
        self._matches = matches
        self._shown: set[RoomKey] = set()

    def open(self) -> None:
        """Take the rooms as they are now for shown."""
        self._shown = {at.key for at in self._rooms()}

    def snapshot(self) -> RoomListSnapshot:
        """Show all rooms as they are now."""
        rooms = sorted(self._rooms(), key=ROOM_ORDERS[RoomOrder.ACTIVITY_DESC].key)
        return RoomListSnapshot(rooms=[Room(self._context, at) for at in rooms])

    def after(self, update: Update) -> RoomAdded | RoomChanged | RoomRemoved | None:
        """Say what an update means."""
        was_shown = update.key in self._shown
        if isinstance(update.event, model.RoomRemoved) or not self._matches(update.key, update.room):
            self._shown.discard(update.key)
            return RoomRemoved(room_id=room_gid(update.key)) if was_shown else None
        self._shown.add(update.key)
        if not was_shown:
            return RoomAdded(room=self._room(update))
        return RoomChanged(room=self._room(update)) if _is_shown(update.event) else None

    def _rooms(self) -> Iterator[RoomAt]:
        return (at for at in self._context.live.rooms() if self._matches(at.key, at.room))

    def _room(self, update: Update) -> Room:
        return Room(self._context, RoomAt(update.key, update.room, update.position, update.event.at))


def _is_shown(event: Event) -> bool:
    """Whether a lobby shows anything that an event changes: who talks or is muted it does not."""
    match event:
        case model.ParticipantUpdated(_, _, changed):
            return ChangedField.ROLE in changed
        case model.RoomUpdated(_, _, changed):
            return not _NOT_SHOWN.issuperset(changed)
        case model.CommandFailed():
            return False
        case _:
            return True
