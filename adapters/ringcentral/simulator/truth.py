"""What is really so in a conference, in our own words, whatever the wire tells."""

from typing import TypedDict

from .people import Account
from .sessions import HOST, UP, Code, Party, Session, Sessions


class ParticipantTruth(TypedDict):
    """One participant as the conference has it; `audible` is what both switches of muting leave."""

    moderator: bool
    name: str | None
    number: str
    extension_id: str | None
    muted: bool
    audible: bool
    on_hold: bool


class RoomTruth(TypedDict):
    """One conference and who is in it, by the ids of their legs there."""

    host_id: str
    active: bool
    participants: dict[str, ParticipantTruth]


def truth_of(session: Session, sessions: Sessions, account: Account) -> RoomTruth:
    """Tell what is so in one conference."""
    host = session.host
    present = [one for one in session.parties.values() if _present(one)]
    return {
        "host_id": session.owner_id,
        "active": host is not None and host.code in UP,
        "participants": {one.party_id: _participant(one, sessions, account) for one in present},
    }


def _present(party: Party) -> bool:
    return party.code in UP if party.role == HOST else party.code is Code.GONE


def _participant(party: Party, sessions: Sessions, account: Account) -> ParticipantTruth:
    name, number, extension_id = None, party.caller.phone_number, party.extension_id
    if extension_id is not None:
        name = account.extensions[extension_id].name
    call = sessions.by_id.get(party.peer.session_id) if party.peer else None
    if party.peer is not None and call is not None:
        other = call.parties[party.peer.party_id].other
        colleague = account.with_number(other.phone_number)
        name, number = other.name, other.phone_number
        extension_id = colleague.extension_id if colleague else None
    return {
        "moderator": party.role == HOST,
        "name": name,
        "number": number,
        "extension_id": extension_id,
        "muted": party.muted,
        "audible": not (party.muted or party.muted_by_phone),
        "on_hold": party.code is Code.HOLD,
    }
