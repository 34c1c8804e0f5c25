"""The rooms: who is let in, who is muted on entry, and what the keys of moderators change.

Inferred: a room that is blocked, locked or full declines before it asks for a PIN, and again after; without a PIN of
          participants nobody is asked for one, so that nobody is a moderator; who is asked takes no place; a lock ends
          when the room has emptied; changed settings reach those who enter later, but for who may use `*1`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from .calls import Call
from .extensions import Extension
from .settings import ConferenceSettings


class DeclinedError(Exception):
    """Somebody is not let in; `status` is how their call ends."""

    def __init__(self, why: str, status: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True, eq=False)
class Leg:
    """Somebody in a room, or before its door; `guest` when the room called them.

    Units: entered_at is Unix seconds, None for who is still asked for a PIN.
    """

    leg_id: str
    call: Call
    moderator: bool = False
    muted: bool = False
    guest: bool = False
    entered_at: float | None = None
    wrong_pins: int = 0


@dataclass(slots=True, eq=False)
class Room:
    """One extension of type conference."""

    extension: Extension
    settings: ConferenceSettings = field(default_factory=ConferenceSettings)
    legs: dict[str, Leg] = field(default_factory=dict)
    locked: bool = False
    notices: bool = True

    @property
    def inside(self) -> list[Leg]:
        """Who is in the room."""
        return [leg for leg in self.legs.values() if leg.entered_at is not None]

    def leg_id(self, call: Call) -> str:
        """Name the leg of a call here: what events call SubCallID."""
        return f"{self.extension.extension_id}-{call.call_id}"


class Rooms:
    """All rooms, by the id of their extension.

    Units: `clock` gives Unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.by_id: dict[int, Room] = {}
        self._clock = clock

    def arrive(self, room: Room, call: Call, *, guest: bool = False) -> Leg:
        """Let a call come to the door; it has to be let in yet.

        Errors: DeclinedError.
        """
        _check_open(room)
        leg = Leg(room.leg_id(call), call, guest=guest)
        room.legs[leg.leg_id] = leg
        call.room = room.extension
        return leg

    def enter(self, room: Room, leg: Leg, *, moderator: bool) -> None:
        """Let somebody in.

        Errors: DeclinedError.
        """
        _check_open(room)
        leg.entered_at = leg.call.answered_at = self._clock()
        leg.moderator = moderator
        leg.muted = room.settings.mute_non_moderator and not moderator

    def leave(self, room: Room, leg: Leg) -> None:
        """Let somebody out."""
        del room.legs[leg.leg_id]
        leg.call.room = None
        if not room.inside:
            room.locked = False

    def seat(self, call: Call) -> tuple[Room, Leg] | None:
        """Find where a call is, or at which door."""
        if call.room is None:
            return None
        room = self.by_id[call.room.extension_id]
        return room, room.legs[room.leg_id(call)]


def _check_open(room: Room) -> None:
    if room.extension.status != "active":
        raise DeclinedError("the room is blocked", "CHANUNAVAIL")
    if room.locked:
        raise DeclinedError("the room is locked", "CONGESTION")
    if len(room.inside) >= room.settings.capacity:
        raise DeclinedError("the room is full", "CONGESTION")
