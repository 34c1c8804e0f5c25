"""What Telphin can do with a conference: by which request, by which keys on the phone, or why not."""

from gateway.model.capability import Capabilities, Capability, Support, absent, composed, native, phone_only
from gateway.model.errors import CommandErrorCode
from gateway.model.room import Room

PAGE = "Conference (/conference/)"
CALLS = "Current calls (/current_calls/)"
EVENTS = "Events (/event/)"
EXTENSIONS = "Extensions (/extension/)"
CALLBACK = "Callback (/callback/)"

_BY_PHONE = "Telphin has no request for it: a moderator presses the keys while in the room."
_NO_SUCH = "Telphin has no such command."
_MUTE_ONE = (
    "Telphin cannot mute one participant: each can mute themselves with *1 on their phone, and a moderator mutes "
    "everybody who is none with *91."
)
_UNMUTE_ONE = (
    "Telphin cannot unmute one participant: each can unmute themselves with *1 on their phone, where the settings let "
    "them, and a moderator unmutes everybody with *90."
)
_HEARING = "Telphin cannot keep anybody from hearing the conference."
_HOLDING = "Telphin holds calls of phones, not presences in a conference."
_NEEDS_ALL = "The application at Telphin needs the access level All, which the administrator of the PBX grants."

_EVERYWHERE: dict[Capability, Support] = {
    Capability.LIST_ROOMS: native("GET client/@me/extension/?type=conference", EXTENSIONS),
    Capability.LIVE_PARTICIPANTS: native(
        "dial-in, answer and hangup of each room; GET client/@me/current_calls/",
        EVENTS,
        reason="Phones of the PBX are seen, and other callers whose coming Telphin told. "
        "Who is muted, and who moderates, is never told.",
    ),
    Capability.TALKING: absent("Telphin does not tell who talks.", EVENTS),
    Capability.MUTE: absent(_MUTE_ONE, PAGE),
    Capability.UNMUTE: absent(_UNMUTE_ONE, PAGE),
    Capability.DEAFEN: absent(_HEARING, PAGE),
    Capability.UNDEAFEN: absent(_HEARING, PAGE),
    Capability.HOLD: absent(_HOLDING, CALLS),
    Capability.UNHOLD: absent(_HOLDING, CALLS),
    Capability.KICK: native(
        "DELETE extension/{id}/current_calls/{call}", CALLS, reason="Their call is ended, if Telphin told its id."
    ),
    Capability.MUTE_ME: phone_only("*1", "Telphin has no request for it: press the keys while in the room.", PAGE),
    Capability.MUTE_ALL: phone_only("*91", _BY_PHONE, PAGE),
    Capability.UNMUTE_ALL: phone_only("*90", _BY_PHONE, PAGE),
    Capability.DEAFEN_ALL: absent(_HEARING, PAGE),
    Capability.UNDEAFEN_ALL: absent(_HEARING, PAGE),
    Capability.KICK_ALL: composed(
        "DELETE extension/{id}/current_calls/{call} for each", CALLS, reason="Those who are not seen stay."
    ),
    Capability.LOCK: phone_only("*92", _BY_PHONE, PAGE),
    Capability.UNLOCK: phone_only("*93", _BY_PHONE, PAGE),
    Capability.HOLD_ROOM: absent("Telphin cannot put a conference on hold.", PAGE),
    Capability.CLOSE: absent(
        "Telphin cannot end a conference: calls that are not seen would go on. Kick all to end those that are.", PAGE
    ),
    Capability.INVITE: native(
        "POST extension/{id}/callback/",
        CALLBACK,
        reason="They are called first, and their call then dials the room, with its PIN where it has one.",
    ),
    Capability.PLAY_MEDIA: absent(
        f"{_NO_SUCH} The settings have a sound for who enters, and music for who waits.", PAGE
    ),
    Capability.RECORD: absent(f"{_NO_SUCH} The setting recordingEnabled records guests whom participants call.", PAGE),
    Capability.CREATE_ROOM: native(
        "POST client/@me/extension/, then PUT extension/{id}/conference/",
        EXTENSIONS,
        reason=f"{_NEEDS_ALL} The number of the room is given as native.number.",
    ),
    Capability.UPDATE_SETTINGS: native("PUT extension/{id}/conference/", PAGE, reason=_NEEDS_ALL),
    Capability.DELETE_ROOM: native("DELETE client/@me/extension/{id}", EXTENSIONS, reason=_NEEDS_ALL),
    Capability.START_CONFERENCE: absent(f"{_NO_SUCH} Rooms are always there: invite people to one.", PAGE),
    Capability.ADOPT_ROOM: absent("Telphin lists all its conferences: there is nothing to adopt.", EXTENSIONS),
}


def capabilities() -> Capabilities:
    """Say what Telphin can do."""
    return {capability: _EVERYWHERE[capability] for capability in Capability}


def narrowed(room: Room) -> Capabilities:
    """Say what of it is not possible in a room now: who is called would be turned away at the door.

    Whether a room is full is Telphin's to say: whose end was not told is shown, and others are not.
    """
    if room.settings is None or room.settings.native.get("status") != "blocked":
        return {}
    blocked = "The room is blocked: set native.status to active."
    return {Capability.INVITE: absent(blocked, PAGE, code=CommandErrorCode.CONFLICT)}
