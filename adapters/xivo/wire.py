"""xuc's JSON in its own names; what is not marked Required may be missing or null.

A frame to a client is `{"msgType": NAME, "ctiMessage": PAYLOAD}`. Entries of lists are `object` here: each is checked
by itself, so that a malformed one costs itself only.
"""

from typing import Required, TypedDict

NumberJson = int | float | None


class FrameJson(TypedDict, total=False):
    """Every frame; `claz` alone is what answers a ping."""

    msgType: str | None
    claz: str | None
    ctiMessage: object


class ListedRoomJson(TypedDict, total=False):
    """One room of ConferenceList, whose payload is an array of them.

    Units: startTime is epoch milliseconds; 0 in a room that nobody is in.
    """

    number: Required[str]
    name: str | None
    pinRequired: bool | None
    startTime: NumberJson
    members: list[object] | None


class MemberJson(TypedDict, total=False):
    """One of the `members` of a listed room.

    Units: joinTime is epoch milliseconds.
    """

    joinOrder: Required[int]
    joinTime: Required[int | float]
    muted: bool | None
    name: str | None
    number: str | None
    username: str | None


class ParticipantJson(TypedDict, total=False):
    """One of the `participants` of ConferenceEvent, and the one of ConferenceParticipantEvent.

    Shape: `index` is a slot of the room, given to another once it is free; `isMe` marks the account that is told.
    Units: since is seconds.
    """

    index: Required[int]
    callerIdName: str | None
    callerIdNum: str | None
    since: NumberJson
    isTalking: bool | None
    role: str | None
    isMuted: bool | None
    isMe: bool | None
    username: str | None
    isDeaf: bool | None


class EventJson(TypedDict, total=False):
    """What ConferenceEvent and ConferenceParticipantEvent say alike.

    Shape: `uniqueId` is the call of the account that is told, whomever the event is about.
    """

    eventType: Required[str]
    conferenceNumber: Required[str]
    conferenceName: str | None
    uniqueId: str | None


class OwnEventJson(EventJson, total=False):
    """ConferenceEvent: the account itself has entered a room or left it."""

    participants: list[object] | None


class CommandErrorJson(TypedDict):
    """ConferenceCommandError."""

    error: str


class SignOnErrorJson(TypedDict, total=False):
    """LoggedOnError."""

    Error: str | None


class LineJson(TypedDict, total=False):
    """LineConfig, as much of it as we read: it holds a SIP password, too."""

    id: object


class CallJson(TypedDict, total=False):
    """PhoneEvent, and one of the `events` of CurrentCallsPhoneEvents."""

    eventType: Required[str]
    uniqueId: str | None
    otherDN: str | None


class CallsJson(TypedDict, total=False):
    """CurrentCallsPhoneEvents."""

    events: Required[list[object]]


class TokenJson(TypedDict, total=False):
    """The answer to auth/login and auth/check; one with an `error` is a refusal, whatever its status.

    Units: TTL is read as seconds, also when it is text; its form is not documented.
    """

    token: str | None
    TTL: object
    error: str | None


def web(command: str, **fields: object) -> dict[str, object]:
    """Make the frame of a command; what has no value is left out, as XiVO's own client does."""
    return {"claz": "web", "command": command, **fields}
