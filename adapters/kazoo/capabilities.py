"""What each generation of Kazoo can do, and what of it in a room as it is now."""

from adapters.kazoo.generations import Generation
from gateway.model.capability import Capabilities, Capability, Sparing, Support, absent, composed, native
from gateway.model.room import Room, RoomState

PAGE = "crossbar/doc/conference.md"
CODE = "cb_conferences.erl"
_EVENTS = "kz_conference_event.erl"

_ONE = "PUT conferences/{id}/participants/{participant_id} action="
_ALL = "PUT conferences/{id}/participants action="
_ROOM = "PUT conferences/{id} action="
_MODERATORS = frozenset({Sparing.MODERATORS})
_SPARED = "Kazoo leaves moderators alone."

_EVERYWHERE: dict[Capability, Support] = {
    Capability.LIST_ROOMS: native("GET conferences", PAGE),
    Capability.LIVE_PARTICIPANTS: native("subscribe conference.event", PAGE),
    Capability.TALKING: native("start-talking, stop-talking", PAGE),
    Capability.MUTE: native(f"{_ONE}mute", PAGE),
    Capability.UNMUTE: native(f"{_ONE}unmute", PAGE),
    Capability.DEAFEN: native(f"{_ONE}deaf", PAGE),
    Capability.UNDEAFEN: native(f"{_ONE}undeaf", PAGE),
    Capability.HOLD: absent("Kazoo cannot put a participant of a conference on hold.", CODE),
    Capability.UNHOLD: absent("Kazoo cannot put a participant of a conference on hold.", CODE),
    Capability.KICK: native(f"{_ONE}kick", PAGE),
    Capability.MUTE_ME: composed(f"{_ONE}mute on the viewer's own presence", PAGE),
    Capability.MUTE_ALL: native(f"{_ALL}mute", PAGE, spares=_MODERATORS, reason=_SPARED),
    Capability.UNMUTE_ALL: native(f"{_ALL}unmute", PAGE, spares=_MODERATORS, reason=_SPARED),
    Capability.DEAFEN_ALL: native(f"{_ALL}deaf", PAGE, spares=_MODERATORS, reason=_SPARED),
    Capability.UNDEAFEN_ALL: native(f"{_ALL}undeaf", PAGE, spares=_MODERATORS, reason=_SPARED),
    Capability.KICK_ALL: native(f"{_ALL}kick", PAGE, reason="Moderators are removed as well, and the room empties."),
    Capability.LOCK: native(f"{_ROOM}lock", PAGE, reason="The lock lasts until the room empties."),
    Capability.UNLOCK: native(f"{_ROOM}unlock", PAGE),
    Capability.HOLD_ROOM: absent("Kazoo cannot put a conference on hold.", CODE),
    Capability.CLOSE: native(f"{_ALL}kick", PAGE),
    Capability.INVITE: native(f"{_ROOM}dial", CODE),
    Capability.PLAY_MEDIA: native(f"{_ROOM}play", CODE, reason="Kazoo does not say whether the media exists."),
    Capability.CREATE_ROOM: native("PUT conferences", PAGE),
    Capability.UPDATE_SETTINGS: native(
        "PATCH conferences/{id}", PAGE, reason="A running conference keeps its settings until it starts anew."
    ),
    Capability.DELETE_ROOM: native("DELETE conferences/{id}", PAGE, reason="A running conference goes on."),
    Capability.START_CONFERENCE: absent("Kazoo cannot join calls that are already under way into a conference.", CODE),
    Capability.ADOPT_ROOM: absent("Kazoo lists its conferences by itself.", PAGE),
}
_TOO_OLD = "Kazoo 4.0 and 4.1 cannot do this: it needs 4.2 or later."
_NO_RECORDING = "This version of Kazoo cannot record a conference on request."
_RECORDING_OFF = "Recording is not switched on for this backend: open versions of Kazoo say yes and do not record."
_NOT_STORED = absent("The room is not stored: it ends with its last participant.", CODE)
_RECORDS = (Generation.MASTER, Generation.K5)

_NEEDS_PEOPLE = (
    Capability.MUTE,
    Capability.UNMUTE,
    Capability.DEAFEN,
    Capability.UNDEAFEN,
    Capability.KICK,
    Capability.MUTE_ME,
    Capability.MUTE_ALL,
    Capability.UNMUTE_ALL,
    Capability.DEAFEN_ALL,
    Capability.UNDEAFEN_ALL,
    Capability.KICK_ALL,
    Capability.LOCK,
    Capability.UNLOCK,
    Capability.CLOSE,
    Capability.PLAY_MEDIA,
    Capability.RECORD,
)
_NEEDS_DOCUMENT = (Capability.UPDATE_SETTINGS, Capability.DELETE_ROOM)


def capabilities_of(generation: Generation, *, recording: bool) -> Capabilities:
    """Say what a generation can do; `recording` is whether the operator trusts it to record."""
    table = {**_EVERYWHERE, Capability.RECORD: _record(generation, recording)}
    if generation is Generation.K4_0:
        table[Capability.INVITE] = absent(_TOO_OLD, CODE)
        table[Capability.PLAY_MEDIA] = absent(_TOO_OLD, CODE)
    return {capability: table[capability] for capability in Capability}


def narrowed(room: Room, everywhere: Capabilities) -> Capabilities:
    """Say what of it is not possible in a room now."""
    found: dict[Capability, Support] = {}
    if room.state is not RoomState.ACTIVE:
        found |= dict.fromkeys(_NEEDS_PEOPLE, absent("Nobody is in the room.", CODE))
    if not room.permanent:
        found |= dict.fromkeys(_NEEDS_DOCUMENT, _NOT_STORED)
    if room.locked:
        found[Capability.INVITE] = absent("The room is locked: nobody may join.", "monster-ui conferenceViewer.js")
    return {capability: support for capability, support in found.items() if everywhere[capability].usable}


def _record(generation: Generation, recording: bool) -> Support:
    if generation not in _RECORDS:
        return absent(_NO_RECORDING, CODE)
    return native(f"{_ROOM}record", CODE) if recording else absent(_RECORDING_OFF, CODE)
