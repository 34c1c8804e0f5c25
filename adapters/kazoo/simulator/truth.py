"""What is really so in a room, in our own words: what a client's picture can be compared with."""

from typing import TypedDict

from .shapes import Json
from .switch import Run


class ParticipantTruth(TypedDict):
    """One participant as the switch has it."""

    muted: bool
    deafened: bool
    talking: bool
    moderator: bool
    name: str
    number: str


class RoomTruth(TypedDict):
    """One room and who is in it, by call id."""

    name: str | None
    active: bool
    locked: bool
    participants: dict[str, ParticipantTruth]


def truth_of(document: Json, run: Run | None) -> RoomTruth:
    """Tell what is so in one room; `run` is None while it is idle."""
    name = document.get("name")
    return {
        "name": name if isinstance(name, str) else None,
        "active": run is not None,
        "locked": run is not None and run.locked,
        "participants": {
            one.call_id: {
                "muted": one.muted,
                "deafened": one.deafened,
                "talking": one.talking,
                "moderator": one.moderator,
                "name": one.name,
                "number": one.number,
            }
            for one in (run.participants.values() if run else ())
        },
    }
