"""What is really so in a room, in our own words, whatever the wire tells."""

from typing import TypedDict

from .rooms import Leg, Room


class ParticipantTruth(TypedDict):
    """One participant as the room has them; `number` is "" when it is withheld."""

    name: str | None
    number: str
    internal: bool
    muted: bool
    moderator: bool


class RoomTruth(TypedDict):
    """One room and who is in it, by the ids of their legs; who is asked for a PIN is not in it."""

    label: str | None
    locked: bool
    notices: bool
    participants: dict[str, ParticipantTruth]


def truth_of(room: Room) -> RoomTruth:
    """Tell what is so in one room."""
    return {
        "label": room.extension.label,
        "locked": room.locked,
        "notices": room.notices,
        "participants": {leg.leg_id: _participant(leg) for leg in room.inside},
    }


def _participant(leg: Leg) -> ParticipantTruth:
    caller = leg.call.caller
    return {
        "name": caller.name,
        "number": caller.number,
        "internal": caller.phone is not None,
        "muted": leg.muted,
        "moderator": leg.moderator,
    }
