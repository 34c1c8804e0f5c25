"""What XiVO can do, by which command of its CTI socket, and what of it in a room as it is now."""

from collections.abc import Collection, Sequence

from adapters.xivo.views import Seat
from gateway.model.capability import Capabilities, Capability, Sparing, Support, absent, composed, native
from gateway.model.errors import CommandErrorCode
from gateway.model.room import ParticipantRole, Room, RoomState

PAGE = "XiVO: Conferences API"
CODE = "xucserver: cti.js"

_NO_CALL = "XiVO has no such command."
_WHO_MAY = "XiVO lets an organizer in the room do it: one of the accounts configured here has to be there as one."
_ORGANIZERS_STAY = "XiVO lets nobody remove an organizer."

_EVERYWHERE: dict[Capability, Support] = {
    Capability.LIST_ROOMS: native("getConferenceRooms (getList meetme)", PAGE),
    Capability.LIVE_PARTICIPANTS: native(
        "ConferenceEvent, ConferenceParticipantEvent; ConferenceList for the other rooms",
        PAGE,
        reason="Roles and flags are known of the rooms that one of the accounts configured here is in.",
    ),
    Capability.TALKING: native(
        "ConferenceParticipantEvent isTalking",
        PAGE,
        reason="Known of the rooms that one of the accounts configured here is in.",
    ),
    Capability.MUTE: native("conferenceMute", PAGE, reason=_WHO_MAY),
    Capability.UNMUTE: native("conferenceUnmute", PAGE, reason=_WHO_MAY),
    Capability.DEAFEN: native("conferenceDeafen", PAGE, reason=_WHO_MAY),
    Capability.UNDEAFEN: native("conferenceUndeafen", PAGE, reason=_WHO_MAY),
    Capability.HOLD: absent(_NO_CALL, CODE),
    Capability.UNHOLD: absent(_NO_CALL, CODE),
    Capability.KICK: native(
        "conferenceKick; hangup for the viewer's own call",
        PAGE,
        reason=f"{_WHO_MAY} Whoever's account is configured here may end their own call.",
    ),
    Capability.MUTE_ME: native("conferenceMuteMe, conferenceUnmuteMe", PAGE),
    Capability.MUTE_ALL: native("conferenceMuteAll", PAGE, spares=frozenset({Sparing.ME}), reason=_WHO_MAY),
    Capability.UNMUTE_ALL: native("conferenceUnmuteAll", PAGE, reason=_WHO_MAY),
    Capability.DEAFEN_ALL: composed("conferenceDeafen for each", PAGE, reason=_WHO_MAY),
    Capability.UNDEAFEN_ALL: composed("conferenceUndeafen for each", PAGE, reason=_WHO_MAY),
    Capability.KICK_ALL: composed(
        "conferenceKick for each", PAGE, spares=frozenset({Sparing.MODERATORS}), reason=_ORGANIZERS_STAY
    ),
    Capability.LOCK: absent(_NO_CALL, CODE),
    Capability.UNLOCK: absent(_NO_CALL, CODE),
    Capability.HOLD_ROOM: absent(_NO_CALL, CODE),
    Capability.CLOSE: native("conferenceClose", PAGE, reason=_WHO_MAY),
    Capability.INVITE: native("conferenceInvite", PAGE, reason=_WHO_MAY),
    Capability.PLAY_MEDIA: absent(_NO_CALL, CODE),
    Capability.RECORD: absent("Recording is an option of the room in XiVO, which the CTI socket cannot change.", CODE),
    Capability.CREATE_ROOM: absent("Rooms are made in XiVO's administration.", CODE),
    Capability.UPDATE_SETTINGS: absent("Rooms are configured in XiVO's administration.", CODE),
    Capability.DELETE_ROOM: absent("Rooms are deleted in XiVO's administration.", CODE),
    Capability.START_CONFERENCE: native(
        "conference", PAGE, reason="The viewer's own phone does it: their XiVO account has to be configured here."
    ),
    Capability.ADOPT_ROOM: absent("XiVO tells of its conferences by itself.", PAGE),
}
_LATER = {
    "deafen": (
        Capability.DEAFEN,
        Capability.UNDEAFEN,
        Capability.DEAFEN_ALL,
        Capability.UNDEAFEN_ALL,
    ),
    "close": (Capability.CLOSE,),
    "invite": (Capability.INVITE,),
}
"""What older versions do not have, by the words of the setting `lacks`."""
_TOO_OLD = "This XiVO is too old for it."
_NO_LIST = "This XiVO no longer lists its rooms: those are known that one of the accounts configured here is in."

_FOR_ORGANIZERS = (
    Capability.MUTE,
    Capability.UNMUTE,
    Capability.DEAFEN,
    Capability.UNDEAFEN,
    Capability.MUTE_ALL,
    Capability.UNMUTE_ALL,
    Capability.DEAFEN_ALL,
    Capability.UNDEAFEN_ALL,
    Capability.KICK_ALL,
    Capability.CLOSE,
    Capability.INVITE,
)
_FOR_WHO_IS_INSIDE = (Capability.MUTE_ME, Capability.KICK)
_NOBODY = absent("Nobody is in the room.", PAGE, code=CommandErrorCode.ROOM_NOT_ACTIVE)
_NONE_OF_OURS = absent(
    "None of the XiVO accounts configured here is in the room.", PAGE, code=CommandErrorCode.NOT_A_MEMBER
)
_NO_ORGANIZER = absent(
    "None of the XiVO accounts configured here is an organizer in the room.",
    PAGE,
    code=CommandErrorCode.NOT_ORGANIZER,
)


def capabilities_of(*, lacks: Collection[str], lists: bool) -> Capabilities:
    """Say what a XiVO can do.

    Shape: `lacks` are words of `_LATER`; `lists` is whether it still tells its rooms.
    """
    table = dict(_EVERYWHERE)
    for word in lacks:
        table.update(dict.fromkeys(_LATER[word], absent(_TOO_OLD, CODE)))
    if not lists:
        table[Capability.LIST_ROOMS] = absent(_NO_LIST, PAGE)
    return {capability: table[capability] for capability in Capability}


def narrowed(room: Room, seats: Sequence[Seat], everywhere: Capabilities) -> Capabilities:
    """Say what of it is not possible in a room now, where these accounts of ours are in it."""
    found: dict[Capability, Support] = {}
    if room.state is not RoomState.ACTIVE:
        found |= dict.fromkeys((*_FOR_ORGANIZERS, *_FOR_WHO_IS_INSIDE), _NOBODY)
    elif not seats:
        found |= dict.fromkeys((*_FOR_ORGANIZERS, *_FOR_WHO_IS_INSIDE, Capability.TALKING), _NONE_OF_OURS)
    elif all(seat.role is ParticipantRole.PARTICIPANT for seat in seats):
        found |= dict.fromkeys(_FOR_ORGANIZERS, _NO_ORGANIZER)
    return {capability: support for capability, support in found.items() if everywhere[capability].usable}
