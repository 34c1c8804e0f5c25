"""The simulated XiVO as a whole: its server, its faults, and the hand that makes things happen."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from random import Random

from adapters.kit.listener import Listener, Serving

from .commands import Command, Commands
from .cti import Cti
from .dialling import Dialling
from .faults import Faults
from .phones import Phones
from .rooms import Kind, Member, Notice, Room, Rooms
from .truth import RoomTruth, Seat, seat_of, truth_of
from .users import Tokens, User, Users
from .web import Received, Web
from .wording import Wording


class XivoSimulator(Serving):
    """A small XiVO: users, lines, conference rooms, and xuc on one port; no telephones.

    Units: `token_life_s` and `silence_s` (until a client that says nothing is dropped) are seconds; `clock` gives
           Unix seconds.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token_life_s: float = 3600,
        silence_s: float = 15,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.faults = Faults()
        self._stirred = asyncio.Event()
        self._users = Users()
        self._tokens = Tokens(token_life_s, clock)
        self._rooms = Rooms(clock, self._publish)
        wording = Wording(self.faults, clock)
        self._cti = Cti(self.faults, self._rooms, wording, Random(seed))
        self._phones = Phones(clock, self._cti.tell_call)
        self._dialling = Dialling(self._users, self._rooms, self._phones)
        self._commands = Commands(self.faults, self._rooms, self._dialling, self._cti, wording)
        self._web = Web(
            faults=self.faults,
            users=self._users,
            tokens=self._tokens,
            cti=self._cti,
            commands=self._commands,
            silence_s=silence_s,
            stirred=self._stirred.set,
        )
        self._listener = Listener(self._web.app, host, port)

    # The server

    async def stop(self) -> None:
        """Close every connection. Users, rooms and who is in them stay as they are for the next start."""
        self._commands.cancel()
        await super().stop()

    @property
    def url(self) -> str:
        """Where `/xuc/api/2.0` is found."""
        return f"http://{self.address}"

    # What can be seen from outside the protocol

    @property
    def requests(self) -> deque[Received]:
        """The latest HTTP requests."""
        return self._web.requests

    @property
    def commands(self) -> deque[Command]:
        """The latest web commands that are no reads."""
        return self._commands.received

    @property
    def reads(self) -> deque[Command]:
        """The latest of getList, getConfig and getCurrentCallsPhoneEvents."""
        return self._commands.reads

    @property
    def frames_sent(self) -> deque[tuple[str, str]]:
        """The latest frames that went out, each with the login of its session."""
        return self._cti.frames_sent

    @property
    def tokens(self) -> list[str]:
        """Every token that was given out and is remembered: none may be seen anywhere but on the wire."""
        return self._tokens.issued

    @property
    def logins(self) -> list[str]:
        """Whose sockets are open, one entry a socket, in the order of their opening."""
        return [session.user.login for session in self._cti.sessions]

    @property
    def subscribed(self) -> list[str]:
        """Whose sockets get the list of rooms."""
        return [session.user.login for session in self._cti.sessions if session.subscribed]

    def people(self, room: str) -> list[Member]:
        """Who is in a room now."""
        return list(self._room(room).members.values())

    def rooms_of(self, login: str) -> list[str]:
        """Tell in which rooms a user sits."""
        return [number for number, room in self._rooms.by_number.items() if room.member_of(login)]

    def truth(self) -> dict[str, RoomTruth]:
        """Tell what is really so, in our own words: every room by its number."""
        return {number: truth_of(room) for number, room in self._rooms.by_number.items()}

    # The hand: users and rooms

    def add_user(
        self, login: str, password: str | None = None, *, name: str | None = None, number: str | None = None
    ) -> User:
        """Add somebody who may sign on; without a number they have no line."""
        return self._users.add(login, password or secrets.token_urlsafe(12), name or login.capitalize(), number)

    def add_contact(self, name: str, number: str) -> None:
        """Add somebody who has a line and no login."""
        self._users.contacts[number] = name

    def add_room(
        self, number: str, name: str = "Room", pin: str | None = None, organizer_pin: str | None = None
    ) -> str:
        """Configure a room, and give its number back; nobody is told."""
        self._rooms.by_number[number] = Room(number, name, pin, organizer_pin)
        return number

    def remove_room(self, number: str) -> None:
        """Delete a room from the configuration, with everybody in it."""
        room = self._room(number)
        for one in list(room.members.values()):
            self._rooms.leave(room, one)
        del self._rooms.by_number[number]

    # The hand: people

    def someone_joins(
        self,
        room: str,
        name: str = "Ann Example",
        number: str = "0199000100",
        *,
        login: str | None = None,
        organizer: bool = False,
        muted: bool = False,
    ) -> Seat:
        """Let somebody in, with their PIN already given; a user (`login`) with their own name and number."""
        there = self._room(room)
        if login is None:
            joined = self._dialling.seat(there, name, number, organizer=organizer, muted=muted)
        else:
            user = self._users.by_login[login]
            if user.number is None:
                raise LookupError(f"{login} has no line")
            joined = self._dialling.seat_user(there, user, organizer=organizer, muted=muted)
        return seat_of(joined)

    def someone_leaves(self, room: str, index: int) -> None:
        """Let somebody hang up."""
        self._rooms.leave(*self._seat(room, index))

    def talks(self, room: str, index: int, value: bool = True) -> None:
        """Let somebody begin or end to talk."""
        self._rooms.set_talking(*self._seat(room, index), value)

    def set_muted(self, room: str, index: int, value: bool) -> None:
        """As by the keys of a phone: no command is involved."""
        self._rooms.set_muted(*self._seat(room, index), value)

    def set_deafened(self, room: str, index: int, value: bool) -> None:
        """As by an organizer's console."""
        self._rooms.set_deafened(*self._seat(room, index), value)

    def set_organizer(self, room: str, index: int, value: bool) -> None:
        """Give or take the organizer's role."""
        self._rooms.set_organizer(*self._seat(room, index), value)

    # The hand: things that go wrong

    def hold(self, login: str) -> None:
        """From now on hold back every frame to a user's sessions."""
        self._cti.hold(login)

    def release(self, login: str) -> None:
        """Send what was held back, in its order."""
        self._cti.release(login)

    def drop_link(self, login: str | None = None) -> None:
        """Cut the sockets of a user, or all, without a close frame."""
        for session in self._cti.of(login):
            self._cti.cut(session)

    def close_session(self, login: str, code: int = 1000) -> None:
        """Close the sockets of a user with a close frame."""
        for session in self._cti.of(login):
            self._cti.end(session, code)

    def expire_tokens(self) -> None:
        """Every token becomes worthless now; sockets that are open stay open."""
        self._tokens.expire_all()

    def send_raw(self, data: bytes | str, login: str | None = None) -> None:
        """Send one text frame with exactly these bytes to the sessions of a user, or to all."""
        for session in self._cti.of(login):
            self._cti.send_raw(session, data.encode() if isinstance(data, str) else data)

    # Inside

    def _publish(self, notice: Notice) -> None:
        """Tell of a change. Whether a call ends before its user has left the room or after is unknown: both occur."""
        left = notice.kind is Kind.LEAVE
        if left and self.faults.released_first:
            self._phones.end(notice.member.unique_id)
        self._cti.tell(notice)
        if left:
            self._phones.end(notice.member.unique_id)
        self._stirred.set()

    def _room(self, number: str) -> Room:
        if number not in self._rooms.by_number:
            raise LookupError(f"there is no room {number}")
        return self._rooms.by_number[number]

    def _seat(self, number: str, index: int) -> tuple[Room, Member]:
        room = self._room(number)
        if index not in room.members:
            raise LookupError(f"nobody has number {index} in room {number}")
        return room, room.members[index]
