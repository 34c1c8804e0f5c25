"""What RingCentral can do with a conference, by which call of Call Control, and what of it in a room as it is now."""

from gateway.model.capability import Capabilities, Capability, Sparing, Support, absent, composed, native
from gateway.model.errors import CommandErrorCode
from gateway.model.room import Room, RoomState

PAGE = "Call Control: conference calls"
EVENTS = "Telephony session notifications"

_PARTY = "sessions/{id}/parties/{id}"
_NO_SUCH = "RingCentral has no such command for conferences."
_THE_HOST = frozenset({Sparing.MODERATORS})
_SPARED = "The host is left alone."
_HOST = "The host's phone has to dial the token within 38 seconds."

_EVERYWHERE: dict[Capability, Support] = {
    Capability.LIST_ROOMS: composed(
        "presence, and what the gateway was told",
        PAGE,
        reason="RingCentral does not list conferences: those are known that were made here or that the user is in.",
    ),
    Capability.LIVE_PARTICIPANTS: native("account/~/extension/~/telephony/sessions", EVENTS),
    Capability.TALKING: absent("RingCentral does not tell who talks.", EVENTS),
    Capability.MUTE: native(f"PATCH {_PARTY} muted", PAGE),
    Capability.UNMUTE: native(f"PATCH {_PARTY} muted", PAGE, reason="Mute by one's own phone is another switch."),
    Capability.DEAFEN: absent("RingCentral cannot keep a participant from hearing the conference.", PAGE),
    Capability.UNDEAFEN: absent("RingCentral cannot keep a participant from hearing the conference.", PAGE),
    Capability.HOLD: native(f"POST {_PARTY}/hold", PAGE),
    Capability.UNHOLD: native(f"POST {_PARTY}/unhold", PAGE),
    Capability.KICK: native(f"DELETE {_PARTY}", PAGE, reason="The others stay when the host is removed."),
    Capability.MUTE_ME: composed(f"PATCH {_PARTY} on the viewer's own presence", PAGE),
    Capability.MUTE_ALL: composed(f"PATCH {_PARTY} for each", PAGE, spares=_THE_HOST, reason=_SPARED),
    Capability.UNMUTE_ALL: composed(f"PATCH {_PARTY} for each", PAGE),
    Capability.DEAFEN_ALL: absent("RingCentral cannot keep participants from hearing the conference.", PAGE),
    Capability.UNDEAFEN_ALL: absent("RingCentral cannot keep participants from hearing the conference.", PAGE),
    Capability.KICK_ALL: composed(f"DELETE {_PARTY} for each", PAGE, spares=_THE_HOST, reason=_SPARED),
    Capability.LOCK: absent("RingCentral cannot lock a conference.", PAGE),
    Capability.UNLOCK: absent("RingCentral cannot lock a conference.", PAGE),
    Capability.HOLD_ROOM: absent("RingCentral puts participants on hold one by one.", PAGE),
    Capability.CLOSE: native("DELETE sessions/{id}", PAGE),
    Capability.INVITE: composed(
        "call-out, then bring-in; bring-in alone for a call that is up",
        PAGE,
        reason="The host's desk phone or softphone rings first; a call of the host that is up is named by its id.",
    ),
    Capability.PLAY_MEDIA: absent(_NO_SUCH, PAGE),
    Capability.RECORD: absent("RingCentral does not let conferences be recorded over its interface.", PAGE),
    Capability.CREATE_ROOM: native("POST conference", PAGE, reason=_HOST),
    Capability.UPDATE_SETTINGS: absent("A conference of RingCentral has no settings.", PAGE),
    Capability.DELETE_ROOM: absent("A conference of RingCentral is gone once it is closed.", PAGE),
    Capability.START_CONFERENCE: absent(
        "RingCentral merges calls one by one: make a room, and invite each call by its id.", PAGE
    ),
    Capability.ADOPT_ROOM: absent("RingCentral tells of the user's conferences by itself.", EVENTS),
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
    Capability.INVITE,
)
_NO_HOST = absent("The host is not in the conference yet.", PAGE, code=CommandErrorCode.ROOM_NOT_ACTIVE)


def capabilities() -> Capabilities:
    """Say what RingCentral can do."""
    return {capability: _EVERYWHERE[capability] for capability in Capability}


def narrowed(room: Room, *, max_parties: int) -> Capabilities:
    """Say what of it is not possible in a room now."""
    if room.state is not RoomState.ACTIVE:
        return dict.fromkeys(_NEEDS_PEOPLE, _NO_HOST)
    if len(room.participants) >= max_parties:
        full = f"A conference of RingCentral holds {max_parties} at most."
        return {Capability.INVITE: absent(full, PAGE, code=CommandErrorCode.CONFLICT)}
    return {}
