"""What is really so in the rooms, in our own words: what a client's picture can be compared with."""

from dataclasses import dataclass
from typing import TypedDict

from .rooms import Member, Room


@dataclass(frozen=True, slots=True, order=True)
class Seat:
    """What tells one presence in a room from every other, past and future ones too.

    Units: join_ms is epoch milliseconds.
    """

    index: int
    join_ms: int


class ParticipantTruth(TypedDict):
    """One participant as the room has it."""

    muted: bool
    deafened: bool
    talking: bool
    moderator: bool
    name: str
    number: str
    login: str | None


class RoomTruth(TypedDict):
    """One room and who is in it."""

    name: str
    active: bool
    participants: dict[Seat, ParticipantTruth]


def seat_of(one: Member) -> Seat:
    """Tell where somebody sits."""
    return Seat(one.index, one.join_ms)


def truth_of(room: Room) -> RoomTruth:
    """Tell what is so in one room."""
    return {
        "name": room.name,
        "active": bool(room.members),
        "participants": {
            seat_of(one): {
                "muted": one.muted,
                "deafened": one.deafened,
                "talking": one.talking,
                "moderator": one.organizer,
                "name": one.name,
                "number": one.number,
                "login": one.login,
            }
            for one in room.members.values()
        },
    }
