"""The enums of the schema and what their values mean; most are the model's own."""

from enum import StrEnum

from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.capability import Capability, CapabilityLevel, Sparing
from gateway.model.errors import CommandErrorCode
from gateway.model.events import ChangedField
from gateway.model.room import LeaveReason, ParticipantRole, RoomDetail, RoomState
from gateway.model.viewer import ViewerRole
from gateway.schema.told import told_enum


class BackendKind(StrEnum):
    """The kinds of phone systems, as registered in lower case."""

    XIVO = "XIVO"
    KAZOO = "KAZOO"
    RINGCENTRAL = "RINGCENTRAL"
    TELPHIN = "TELPHIN"
    BANDWIDTH = "BANDWIDTH"


class RoomOrder(StrEnum):
    """How a list of rooms is sorted."""

    ACTIVITY_DESC = "ACTIVITY_DESC"
    NAME_ASC = "NAME_ASC"
    PARTICIPANT_COUNT_DESC = "PARTICIPANT_COUNT_DESC"
    STARTED_AT_DESC = "STARTED_AT_DESC"


class SnapshotReason(StrEnum):
    """Why a whole room is sent."""

    START = "START"
    CURSOR_TOO_OLD = "CURSOR_TOO_OLD"
    EPOCH_CHANGED = "EPOCH_CHANGED"
    SLOW_CONSUMER = "SLOW_CONSUMER"


class ParticipantEventKind(StrEnum):
    """The kinds of participant events."""

    JOINED = "JOINED"
    UPDATED = "UPDATED"
    LEFT = "LEFT"


told_enum(
    ViewerRole,
    "What a viewer may do.",
    VIEWER="Reads.",
    MODERATOR="Also acts on participants and rooms.",
    ADMIN="Also sees and changes settings and PINs, and makes and deletes rooms.",
)
told_enum(
    BackendKind,
    "The kinds of phone systems.",
    XIVO="XiVO, through its CTI server.",
    KAZOO="2600Hz Kazoo.",
    RINGCENTRAL="RingCentral.",
    TELPHIN="Telphin.",
    BANDWIDTH="Bandwidth.",
)
told_enum(
    BackendStatus,
    "How well the gateway is informed by a backend.",
    LIVE="State is current.",
    STALE="The link is lost; the last known state is served, and commands answer BACKEND_UNAVAILABLE.",
    CONNECTING="Never synchronised yet: its rooms are not known.",
    FAILED="Needs the operator: `statusReason` says why.",
)
told_enum(
    CapabilityLevel,
    "How a capability is supported.",
    NATIVE="One backend call.",
    COMPOSED="The gateway does it with several.",
    PHONE_ONLY="By keys on the phone, see `phoneKeys`; the gateway cannot do it.",
    ABSENT="Not possible; `reason` says why.",
)
told_enum(
    Capability,
    "Everything a backend may offer.",
    LIST_ROOMS="Rooms are listed.",
    LIVE_PARTICIPANTS="Who is in a room is known, live.",
    TALKING="`Participant.talking` is known.",
    MUTE="`muteParticipant`.",
    UNMUTE="`unmuteParticipant`.",
    DEAFEN="`deafenParticipant`.",
    UNDEAFEN="`undeafenParticipant`.",
    HOLD="`holdParticipant`.",
    UNHOLD="`unholdParticipant`.",
    KICK="`kickParticipant`.",
    MUTE_ME="`muteMe` and `unmuteMe`.",
    MUTE_ALL="`muteAll`.",
    UNMUTE_ALL="`unmuteAll`.",
    DEAFEN_ALL="`deafenAll`.",
    UNDEAFEN_ALL="`undeafenAll`.",
    KICK_ALL="`kickAll`.",
    LOCK="`lockRoom`.",
    UNLOCK="`unlockRoom`.",
    HOLD_ROOM="`holdRoom` and `unholdRoom`.",
    CLOSE="`closeRoom`.",
    INVITE="`inviteParticipant`.",
    PLAY_MEDIA="`playMedia`.",
    RECORD="`startRecording` and `stopRecording`.",
    CREATE_ROOM="`createRoom`.",
    UPDATE_SETTINGS="`updateRoomSettings`.",
    DELETE_ROOM="`deleteRoom`.",
    START_CONFERENCE="`startConference`.",
    ADOPT_ROOM="`adoptRoom`.",
)
told_enum(
    RoomState,
    "Whether a conference runs in a room now.",
    IDLE="Nobody is in it; it can be joined.",
    ACTIVE="A conference runs.",
    ENDED="It existed only while its conference ran, and will soon disappear.",
)
told_enum(
    RoomDetail,
    "How much the backend tells of a room.",
    FULL="Roles, talking and deaf flags are known, where the backend has them at all.",
    SUMMARY="Only what the backend's room list says.",
)
told_enum(
    ParticipantRole,
    "What a participant is in a room.",
    PARTICIPANT="One of those in the room.",
    MODERATOR="May act on others.",
)
told_enum(
    CommandOutcome,
    "What a command came to. A command answers when its effect was observed, or says that it was only accepted, or why "
    "not.",
    CONFIRMED="Its effect was observed: `position` is that of the event that shows it.",
    ACCEPTED="The backend took it; its effect was not seen in time. Watch the room.",
    REJECTED="It was not done: see `errors`.",
    UNKNOWN="The backend did not answer: it may or may not have acted. Watch the room.",
)
told_enum(
    CommandErrorCode,
    "Why a command was not done.",
    NOT_A_MEMBER="You are not in this room, as far as the backend says.",
    NOT_ORGANIZER="The backend lets only the conference's organizer do this.",
    CANNOT_KICK_ORGANIZER="The organizer cannot be removed.",
    PARTICIPANT_NOT_FOUND="There is no such participant, or no longer.",
    ROOM_NOT_FOUND="There is no such room, or no longer.",
    ROOM_NOT_ACTIVE="This needs a running conference.",
    NOT_SUPPORTED="The backend cannot do it; `message` says why, as does the capability.",
    FORBIDDEN="Your role does not allow it.",
    INVALID_INPUT="Something in the input is wrong: `field` says what.",
    BACKEND_UNAVAILABLE="The backend (or the gateway's own database) cannot be reached now.",
    BACKEND_REFUSED="The backend refused, for a reason of its own.",
    BACKEND_RATE_LIMITED="The backend wants fewer commands; see `retryAfterMs`.",
    TIMEOUT="The backend has not answered.",
    CONFLICT="It does not fit the state of the room, or the idempotency key was used for something else.",
)
told_enum(
    Sparing,
    "Whom a command for everybody leaves alone.",
    ME="The viewer's own presence.",
    MODERATORS="All moderators.",
)
told_enum(
    SnapshotReason,
    "Why a whole room is sent.",
    START="The subscription begins without `after`.",
    CURSOR_TOO_OLD="More happened since `after` than is kept.",
    EPOCH_CHANGED="The room's log began anew since `after`, as after a restart of the gateway.",
    SLOW_CONSUMER="You read too slowly: events were left out, and this is where you are now.",
)
told_enum(
    LeaveReason,
    "Why a participant left.",
    HUNG_UP="They hung up.",
    KICKED="A moderator removed them.",
    ROOM_CLOSED="The conference was ended.",
    FOUND_GONE="Nobody reported it; a later reading no longer had them.",
    UNKNOWN="The backend did not say.",
)
told_enum(
    ChangedField,
    "What is different. Field names and types are the same in every event, so that one document can select them all "
    "without aliases.",
    DISPLAY_NAME="`displayName`",
    NUMBER="`number`",
    USERNAME="`username`",
    ROLE="`role`",
    MUTED="`muted`",
    DEAFENED="`deafened`",
    TALKING="`talking`",
    FLOOR="`floor`",
    INDEX="`index`",
    IS_ME="`isMe`",
    NAME="`name`",
    NUMBERS="`numbers`",
    STATE="`state`",
    LOCKED="`locked`",
    RECORDING="`recording`",
    SETTINGS="`settings`",
    STALE="`stale`",
    STARTED_AT="`startedAt`",
    DETAIL="`detail`",
    ON_HOLD="`onHold`",
    CALL_ID="`callId`",
    JOINED_AT="`joinedAt`",
    ENDED_AT="`endedAt`",
    PIN_REQUIRED="`pinRequired`",
    RUN="The backend's name for the running conference became known, or another one runs.",
    PERMANENT="`permanent`",
)
told_enum(
    ParticipantEventKind,
    "The kinds of participant events.",
    JOINED="`ParticipantJoined`",
    UPDATED="`ParticipantUpdated`",
    LEFT="`ParticipantLeft`",
)
told_enum(
    RoomOrder,
    "How a list of rooms is sorted. Whatever the order, a page continues behind the entry whose cursor is given.",
    ACTIVITY_DESC="Newest activity first: joins, leaves and changes of the room, not who talks.",
    NAME_ASC="By name, ignoring case; rooms without a name last.",
    PARTICIPANT_COUNT_DESC="Fullest first.",
    STARTED_AT_DESC="Latest start first; rooms in which no conference runs last.",
)
