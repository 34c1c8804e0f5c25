"""What is really so in a conference, in our own words, whatever the wire tells."""

from typing import TypedDict

from .conferences import Conference, Member


class ParticipantTruth(TypedDict):
    """One participant; `muted` and `on_hold` are what both levels make of it."""

    number: str
    muted: bool
    on_hold: bool
    call_id: str


class RoomTruth(TypedDict):
    """One conference and who is in it now, by the ids of members."""

    state: str
    participants: dict[str, ParticipantTruth]


def truth_of(conference: Conference) -> RoomTruth:
    """Tell what is so in one conference."""
    return {
        "state": conference.state.value,
        "participants": {one.member_id: _participant(conference, one) for one in conference.active},
    }


def _participant(conference: Conference, member: Member) -> ParticipantTruth:
    return {
        "number": member.call.number,
        "muted": conference.is_muted(member),
        "on_hold": conference.is_held(member),
        "call_id": member.call.call_id,
    }
