"""The conference rooms: who sits in which slot, numbered as Asterisk's MeetMe does it, and what changes.

Inferred: `index` and `joinOrder` are the MeetMe number; who is muted does not talk; startTime is that of the
          first join.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What an event tells, in its own word."""

    JOIN = "Join"
    LEAVE = "Leave"
    UPDATE = "Update"


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """One presence in one room; `login` is that of an internal user.

    Units: join_ms is epoch milliseconds.
    """

    index: int
    join_ms: int
    name: str
    number: str
    login: str | None
    unique_id: str
    organizer: bool
    muted: bool
    deafened: bool = False
    talking: bool = False


@dataclass(slots=True, eq=False)
class Room:
    """One configured room.

    Units: start_ms is epoch milliseconds, 0 while the room is empty; last_join_ms outlives the run.
    """

    number: str
    name: str
    pin: str | None = field(default=None, repr=False)
    organizer_pin: str | None = field(default=None, repr=False)
    start_ms: int = 0
    last_join_ms: int = 0
    members: dict[int, Member] = field(default_factory=dict)

    def member_of(self, login: str) -> Member | None:
        """Find the first presence of a user."""
        return next((one for one in self.members.values() if one.login == login), None)


class Notice(NamedTuple):
    """One thing that happened in a room; `listed` when the list of rooms shows it."""

    kind: Kind
    room: Room
    member: Member
    listed: bool


class Rooms:
    """All rooms by number. Every change is published once, after it is done."""

    def __init__(self, clock: Callable[[], float], publish: Callable[[Notice], None]) -> None:
        self.by_number: dict[str, Room] = {}
        self._clock = clock
        self._publish = publish

    def join(
        self, room: Room, *, name: str, number: str, login: str | None, unique_id: str, organizer: bool, muted: bool
    ) -> Member:
        """Let somebody in: the newcomer's number is the highest present plus one, so that of the last is used again."""
        room.last_join_ms = max(int(self._clock() * 1000), room.last_join_ms + 1)
        if not room.members:
            room.start_ms = room.last_join_ms
        joined = Member(
            index=max(room.members, default=0) + 1,
            join_ms=room.last_join_ms,
            name=name,
            number=number,
            login=login,
            unique_id=unique_id,
            organizer=organizer,
            muted=muted,
        )
        room.members[joined.index] = joined
        self._publish(Notice(Kind.JOIN, room, joined, listed=True))
        return joined

    def leave(self, room: Room, member: Member) -> None:
        """Let somebody out; the others keep their numbers."""
        del room.members[member.index]
        if not room.members:
            room.start_ms = 0
        self._publish(Notice(Kind.LEAVE, room, member, listed=True))

    def set_muted(self, room: Room, member: Member, muted: bool) -> None:
        """Mute or unmute; nothing is told of what is so already."""
        if member.muted is not muted:
            member.muted = muted
            member.talking = member.talking and not muted
            self._publish(Notice(Kind.UPDATE, room, member, listed=True))

    def set_deafened(self, room: Room, member: Member, deafened: bool) -> None:
        """Deafen or undeafen; the voice is left alone."""
        if member.deafened is not deafened:
            member.deafened = deafened
            self._publish(Notice(Kind.UPDATE, room, member, listed=False))

    def set_talking(self, room: Room, member: Member, talking: bool) -> None:
        """Let a voice begin or end."""
        if member.talking is not talking:
            member.talking = talking
            self._publish(Notice(Kind.UPDATE, room, member, listed=False))

    def set_organizer(self, room: Room, member: Member, organizer: bool) -> None:
        """Give or take the organizer's role."""
        if member.organizer is not organizer:
            member.organizer = organizer
            self._publish(Notice(Kind.UPDATE, room, member, listed=False))
