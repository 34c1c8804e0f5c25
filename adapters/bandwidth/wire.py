"""Bandwidth's JSON in its own names; what is not marked Required may be missing or null.

Booleans and numbers come as such or as text (`"true"`, `"2000"`). Times are ISO 8601: with `Z`, with milliseconds, or
with an offset of hours alone (`-02`).
"""

from typing import Required, TypedDict

FlagJson = bool | str | None
NumberJson = int | float | str | None

ConferenceJson = TypedDict(
    "ConferenceJson",
    {
        "id": Required[str],
        "state": str | None,
        "from": str | None,
        "createdTime": str | None,
        "completedTime": str | None,
        "activeMembers": NumberJson,
        "hold": FlagJson,
        "mute": FlagJson,
        "profile": str | None,
        "callbackUrl": str | None,
        "callbackHttpMethod": str | None,
        "callbackTimeout": NumberJson,
        "fallbackUrl": str | None,
        "tag": str | None,
    },
    total=False,
)
"""A conference.

Shape: `state` is created, active or completed; `callbackHttpMethod` comes in either case; `callbackUrl` may have a user
       and a password in it. There is no name.
Units: callbackTimeout is milliseconds.
"""


class MemberJson(TypedDict, total=False):
    """One presence in a conference; those who left stay in the list.

    Shape: `state` is active or completed; `call` is the URL of the call, and no number is told. `mute` and `hold` are
           the member's own: those of the conference come on top.
    """

    id: Required[str]
    state: str | None
    mute: FlagJson
    hold: FlagJson
    joinTone: FlagJson
    leavingTone: FlagJson
    addedTime: str | None
    removedTime: str | None
    call: str | None
    callId: str | None


CallJson = TypedDict(
    "CallJson",
    {
        "id": Required[str],
        "direction": str | None,
        "from": str | None,
        "to": str | None,
        "state": str | None,
        "startTime": str | None,
        "activeTime": str | None,
        "endTime": str | None,
        "conferenceId": str | None,
        "conference": str | None,
        "callbackUrl": str | None,
        "tag": str | None,
    },
    total=False,
)
"""A call.

Shape: `direction` is in or out; `state` is started, rejected, active, completed or transferring. The conference that
       it was made for is named by `conferenceId`, by the URL `conference`, or by both.
"""


class ErrorJson(TypedDict, total=False):
    """What an error answer says; `message` is missing from the sample of a rate limit.

    Shape: `details` are `{"name", "value"}`, which is `object` here: a malformed one does not cost the code.
    """

    category: str | None
    code: str | None
    message: str | None
    details: object
