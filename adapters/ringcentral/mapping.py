"""RingCentral's legs and conferences as our participants and rooms: pure functions, with each trap written down."""

from collections.abc import Mapping
from datetime import datetime

from adapters.ringcentral.events import NOBODY, Code, End, Party
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room, RoomState

_CONFERENCE_NUMBER = "conference"
"""What a leg into a conference has for the number of its other end."""
_MERGED = "Conference"
_MOVED = ("CallSwitch", "Pickup")


def merged_into(party: Party) -> bool:
    """Whether this leg of a call says that the call was merged into a conference: the only sign of a join.

    Shape: a reason that no specification lists. Only the own leg says it, which has an extension; what an account-wide
           subscription tells of the outside leg is no join.
    """
    said = party.code is Code.GONE and party.reason == _MERGED
    return said and party.peer is not None and party.extension_id is not None


def is_host(party: Party) -> bool:
    """Whether a leg of a conference is the host's.

    Shape: the role may be missing, as after a move to another device; the host's leg then is the one that has an
           extension, since legs of participants have none.
    """
    return party.extension_id is not None if party.is_host is None else party.is_host


def is_in(party: Party, *, host: bool) -> bool:
    """Whether this leg of a conference proves that somebody is in it.

    Shape: the host's is Answered. A participant's is Gone, which never means left here, and then has a peer; while
           it is Setup, as bring-in answers, or Answered without a peer, it is on its way.
    """
    if party.code is Code.HOLD:
        return True
    if host:
        return party.code is Code.ANSWERED
    return party.code in (Code.GONE, Code.ANSWERED) and party.peer is not None


def has_moved(party: Party) -> bool:
    """Whether a leg was only given up because its call goes on at another device."""
    return party.code is Code.DISCONNECTED and party.reason in _MOVED


def other_end(own: Party) -> End:
    """Say who is at the other end of one's own leg of a call: this is who a participant is.

    Shape: Inbound, it is `from`; Outbound, `to`. Nobody knows for a leg without direction, nor for one without
           extension: that is the outside leg, whose other end is the host.
    """
    if own.inbound is None or own.extension_id is None:
        return NOBODY
    return _somebody(own.caller if own.inbound else own.callee)


def own_end(party: Party) -> End:
    """Say whose leg it is by the leg itself: the host's of a conference, or the outside one of a call.

    Shape: not for a participant's leg of a conference, which has the host's number.
    """
    if party.inbound is None:
        return NOBODY
    return _somebody(party.callee if party.inbound else party.caller)


def _somebody(end: End) -> End:
    return NOBODY if end.number == _CONFERENCE_NUMBER else end


def on_hold(party: Party) -> bool | None:
    """Whether a leg is on hold; the end of it is told as Answered, or as Gone again for a participant."""
    return None if party.code is None else party.code is Code.HOLD


def participant(
    leg_id: str,
    *,
    host: bool,
    original_id: str | None,
    who: End,
    muted: bool | None,
    on_hold: bool | None,
    joined_at: datetime | None,
) -> Participant:
    """Map one presence: a leg of the conference, and who is at the other end of the call that was merged.

    Shape: `leg_id` becomes the id; `original_id`, the leg of the merged call on which leaves are told, our `leg_id`.
           What RingCentral does not say of anybody is left open: whether they hear, and whether they talk.
    """
    return Participant(
        id=ParticipantId(leg_id),
        leg_id=leg_id if host else original_id,
        display_name=who.name,
        number=who.number,
        user_id=who.extension_id,
        role=ParticipantRole.MODERATOR if host else ParticipantRole.PARTICIPANT,
        muted=muted,
        on_hold=on_hold,
        joined_at=joined_at,
    )


def room(
    session_id: str,
    name: str | None,
    people: Mapping[ParticipantId, Participant],
    *,
    state: RoomState,
    started_at: datetime | None,
) -> Room:
    """Put together one room: RingCentral gives a conference no name, no number to dial and no life without a host."""
    return Room(
        id=RoomId(session_id),
        name=name,
        state=state,
        permanent=False,
        started_at=started_at,
        participants=people,
    )
