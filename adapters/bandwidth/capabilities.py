"""What Bandwidth can do with a conference, by which call of Catapult, and what of it in a room as it is now."""

from datetime import datetime, timedelta

from gateway.model.capability import Capabilities, Capability, Support, absent, composed, native
from gateway.model.errors import CommandErrorCode
from gateway.model.room import Room, RoomState

CONFERENCES = "Catapult v1: conferences"
MEMBERS = "Catapult v1: conference members"
CALLS = "Catapult v1: calls"

MOST_MEMBERS = 20
LASTS = timedelta(hours=24)
_SOON = timedelta(hours=1)
_CONFERENCE = "POST conferences/{id}"
_MEMBER = f"{_CONFERENCE}/members/{{id}}"
_NO_DEAF = "Bandwidth cannot keep participants from hearing the conference while they speak; hold stops both."
_NO_LOCK = "Bandwidth cannot lock a conference."
_SLOWLY = "Bandwidth takes one request a second, so that a full room takes a while."

_EVERYWHERE: dict[Capability, Support] = {
    Capability.LIST_ROOMS: composed(
        "GET conferences/{id} for each that the gateway keeps",
        CONFERENCES,
        reason="Bandwidth does not list conferences: those are known that were made here or adopted.",
    ),
    Capability.LIVE_PARTICIPANTS: native("callback conference-member", MEMBERS),
    Capability.TALKING: absent("Bandwidth does not tell who talks.", MEMBERS),
    Capability.MUTE: native(f"{_MEMBER} mute", MEMBERS),
    Capability.UNMUTE: native(f"{_MEMBER} mute", MEMBERS),
    Capability.DEAFEN: absent(_NO_DEAF, MEMBERS),
    Capability.UNDEAFEN: absent(_NO_DEAF, MEMBERS),
    Capability.HOLD: native(f"{_MEMBER} hold", MEMBERS),
    Capability.UNHOLD: native(f"{_MEMBER} hold", MEMBERS),
    Capability.KICK: native(f"{_MEMBER} state completed, then the call's", MEMBERS),
    Capability.MUTE_ME: native(f"{_MEMBER} mute", MEMBERS),
    Capability.MUTE_ALL: native(
        f"{_CONFERENCE} mute", CONFERENCES, reason="Who joins later is muted too, until everybody is unmuted."
    ),
    Capability.UNMUTE_ALL: native(f"{_CONFERENCE} mute, then those who are muted by themselves", CONFERENCES),
    Capability.DEAFEN_ALL: absent(_NO_DEAF, MEMBERS),
    Capability.UNDEAFEN_ALL: absent(_NO_DEAF, MEMBERS),
    Capability.KICK_ALL: composed(f"{_MEMBER} for each", MEMBERS, reason=_SLOWLY),
    Capability.LOCK: absent(_NO_LOCK, CONFERENCES),
    Capability.UNLOCK: absent(_NO_LOCK, CONFERENCES),
    Capability.HOLD_ROOM: native(f"{_CONFERENCE} hold", CONFERENCES),
    Capability.CLOSE: native(f"{_CONFERENCE} state completed", CONFERENCES),
    Capability.INVITE: composed(
        "POST calls, then POST conferences/{id}/members; the latter alone for a call that is up",
        CALLS,
        reason=f"A conference holds {MOST_MEMBERS}; a call that is up is invited by its id.",
    ),
    Capability.PLAY_MEDIA: native(
        f"{_CONFERENCE}/audio", CONFERENCES, reason="The address of a WAV or MP3 file, or tts:// and a sentence."
    ),
    Capability.RECORD: absent("Bandwidth records calls, not conferences.", CALLS),
    Capability.CREATE_ROOM: native(
        "POST conferences",
        CONFERENCES,
        reason=f"A conference lasts 24 hours, holds {MOST_MEMBERS}, and is over once the last one has left.",
    ),
    Capability.UPDATE_SETTINGS: native(
        _CONFERENCE, CONFERENCES, reason="The name is known to the gateway alone: Bandwidth has none."
    ),
    Capability.DELETE_ROOM: native(f"{_CONFERENCE} state completed", CONFERENCES),
    Capability.START_CONFERENCE: absent(
        "Bandwidth adds calls one by one: make a room, and invite each call by its id.", CALLS
    ),
    Capability.ADOPT_ROOM: native("GET conferences/{id}", CONFERENCES),
}
_NEEDS_PEOPLE = (
    Capability.MUTE,
    Capability.UNMUTE,
    Capability.HOLD,
    Capability.UNHOLD,
    Capability.KICK,
    Capability.MUTE_ME,
    Capability.MUTE_ALL,
    Capability.UNMUTE_ALL,
    Capability.KICK_ALL,
    Capability.PLAY_MEDIA,
)
_OF_THE_BACKEND = (
    Capability.LIST_ROOMS,
    Capability.LIVE_PARTICIPANTS,
    Capability.CREATE_ROOM,
    Capability.ADOPT_ROOM,
)
_NOBODY = absent("Nobody is in the conference.", CONFERENCES, code=CommandErrorCode.ROOM_NOT_ACTIVE)
_FULL = absent(f"A conference of Bandwidth holds {MOST_MEMBERS}.", MEMBERS, code=CommandErrorCode.CONFLICT)
_OVER = absent("The conference is over.", CONFERENCES, code=CommandErrorCode.ROOM_NOT_ACTIVE)


def capabilities() -> Capabilities:
    """Say what Bandwidth can do."""
    return {capability: _EVERYWHERE[capability] for capability in Capability}


def narrowed(room: Room, created_at: datetime | None, now: datetime) -> Capabilities:
    """Say what of it is not possible in a room now, and when Bandwidth will end it, if that is soon."""
    if room.state is RoomState.ENDED:
        here = (each for each, support in _EVERYWHERE.items() if support.usable and each not in _OF_THE_BACKEND)
        return dict.fromkeys(here, _OVER)
    if room.state is RoomState.IDLE:
        return dict.fromkeys(_NEEDS_PEOPLE, _NOBODY)
    if len(room.participants) >= MOST_MEMBERS:
        return {Capability.INVITE: _FULL}
    ends_at = _ends_at(room, created_at, now)
    if ends_at is not None and ends_at - now < _SOON:
        ends = f"Bandwidth ends this conference at {ends_at:%H:%M} UTC, 24 hours after it began."
        return {Capability.INVITE: composed(_EVERYWHERE[Capability.INVITE].how, CALLS, reason=ends)}
    return {}


def _ends_at(room: Room, created_at: datetime | None, now: datetime) -> datetime | None:
    """Say when a conference has lasted its 24 hours.

    Shape: no page says whether they begin when it is made or when somebody comes: the sooner one counts that is ahead.
    """
    ends = [each + LASTS for each in (created_at, room.started_at) if each is not None]
    return min((each for each in ends if each > now), default=None)
