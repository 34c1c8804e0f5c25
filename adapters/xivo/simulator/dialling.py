"""How people get into rooms and out of them: by dialling, with a PIN where the room has one, or by being called.

Inferred: a room without a general PIN asks for none, so nobody becomes its organizer by dialling; after a wrong PIN
          the room waits for the next one.
"""

from .phones import Call, Phones
from .rooms import Member, Room, Rooms
from .users import User, Users


class Dialling:
    """Joins calls to rooms."""

    def __init__(self, users: Users, rooms: Rooms, phones: Phones) -> None:
        self.phones = phones
        self._users = users
        self._rooms = rooms

    def dial(self, user: User, destination: str) -> None:
        """Let a user's phone call a number; one that is no room's is answered by somebody."""
        call = self.phones.begin(user, destination)
        room = self._rooms.by_number.get(destination)
        if room is not None and room.pin is None:
            self._enter(call, room, organizer=False)

    def press(self, call: Call, key: str) -> None:
        """Let a user press a key in a call; `#` ends a PIN."""
        room = self._rooms.by_number.get(call.other)
        if room is None or room.pin is None or self._seat(call.unique_id) is not None:
            return
        if key != "#":
            call.digits += key
            return
        pin, call.digits = call.digits, ""
        if pin in (room.pin, room.organizer_pin):
            self._enter(call, room, organizer=pin == room.organizer_pin)

    def hang_up(self, unique_id: str) -> None:
        """End a call, and with it the presence it carries."""
        seat = self._seat(unique_id)
        if seat is None:
            self.phones.end(unique_id)
        else:
            self._rooms.leave(*seat)

    def answer(self, room: Room, number: str, *, organizer: bool) -> Member:
        """Let a guest who was called from the room join it: a user by their line, or anybody else."""
        user = self._users.with_line(number)
        if user is not None:
            call = self.phones.begin(user, room.number, incoming=True)
            return self._enter(call, room, organizer=organizer)
        name = self._users.contacts.get(number, number)
        return self.seat(room, name, number, organizer=organizer)

    def seat_user(self, room: Room, user: User, *, organizer: bool, muted: bool = False) -> Member:
        """Let a user call a room from their phone and get in."""
        return self._enter(self.phones.begin(user, room.number), room, organizer=organizer, muted=muted)

    def seat(self, room: Room, name: str, number: str, *, organizer: bool, muted: bool = False) -> Member:
        """Let somebody without a login in."""
        unique_id = self.phones.new_unique_id()
        return self._rooms.join(
            room, name=name, number=number, login=None, unique_id=unique_id, organizer=organizer, muted=muted
        )

    def _enter(self, call: Call, room: Room, *, organizer: bool, muted: bool = False) -> Member:
        user = call.user
        return self._rooms.join(
            room,
            name=user.name,
            number=user.number or "",
            login=user.login,
            unique_id=call.unique_id,
            organizer=organizer,
            muted=muted,
        )

    def _seat(self, unique_id: str) -> tuple[Room, Member] | None:
        for room in self._rooms.by_number.values():
            for one in room.members.values():
                if one.unique_id == unique_id:
                    return room, one
        return None
