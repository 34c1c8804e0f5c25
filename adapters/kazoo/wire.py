"""Kazoo's JSON in its own names, and the one check that what arrived is what these names promise.

Numbers may come as text and flags as "true": the schema of the bus says so, although real payloads carry JSON's own
types. Everything may be missing, unless it is marked Required.
"""

from typing import Required, TypedDict

from adapters.kit.understanding import NotUnderstoodError

NumberJson = int | float | str | None
FlagJson = bool | str | None


class EnvelopeJson(TypedDict, total=False):
    """Every answer of Crossbar; `metadata` has a room's realtime block in Kazoo 5."""

    data: object
    metadata: object
    status: str
    error: str | int
    message: str
    revision: str | None
    auth_token: str | None
    next_start_key: object
    timestamp: str | None


class SignInJson(TypedDict, total=False):
    """`data` of an answered sign-in."""

    account_id: str | None
    owner_id: str | None


class FlagsJson(TypedDict, total=False):
    """State of a participant: in `conference_channel_vars` from 4.0 on, at top level before."""

    is_moderator: FlagJson
    member_type: str | None
    member_id: NumberJson
    speak: FlagJson
    hear: FlagJson
    talking: FlagJson
    floor: FlagJson


class LegVarsJson(TypedDict, total=False):
    """`custom_channel_vars`: whose phone it is."""

    owner_id: str | None
    username: str | None


class PresenceJson(FlagsJson, total=False):
    """What a reading and an event say alike about a participant."""

    call_id: Required[str]
    participant_id: NumberJson
    caller_id_name: str | None
    caller_id_number: str | None
    conference_channel_vars: FlagsJson | None
    custom_channel_vars: LegVarsJson | None


class ParticipantJson(PresenceJson, total=False):
    """One of the `participants` of a room.

    Units: join_time is Gregorian seconds.
    """

    join_time: NumberJson
    conference_uuid: str | None


class RealtimeJson(TypedDict, total=False):
    """What is known of a room while it runs, wherever it stands.

    Shape: `locked` and `run_time` are other names of `is_locked` and `duration`, `admins` an older one of `moderators`.
    Units: start_time is Gregorian seconds; duration and run_time are seconds.
    """

    members: NumberJson
    moderators: NumberJson
    admins: NumberJson
    participant_count: NumberJson
    duration: NumberJson
    run_time: NumberJson
    start_time: NumberJson
    is_locked: FlagJson
    locked: FlagJson
    uuid: str | None
    participants: list[object] | None


class FrameJson(TypedDict, total=False):
    """A message of Blackhole: an event, or a reply to one of our requests."""

    action: str
    request_id: str | None
    status: str | None
    data: object


class ErrorsJson(TypedDict, total=False):
    """`data` of a reply with status error."""

    errors: list[str]


class EventHeadJson(TypedDict, total=False):
    """What every event says of itself; room-level events have no `call_id`."""

    event: Required[str]
    conference_id: Required[str]
    instance_id: str | None
    account_id: str | None
    msg_id: str | None
    custom_channel_vars: object


class DialledLegJson(TypedDict, total=False):
    """One of the `endpoint_responses` of dial."""

    status: str | None
    message: str | None
    hangup_cause: str | None
    call_id: str | None


class DialJson(TypedDict, total=False):
    """`data` of dial's answer; a whole failure has `status` and `message`, inside a success envelope."""

    endpoint_responses: list[DialledLegJson]
    status: str | None
    message: str | None


def number(value: NumberJson, where: str) -> float | None:
    """Read a number, also one written as text.

    Errors: NotUnderstoodError.
    """
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        raise NotUnderstoodError(f"{where}: expected a number, got other text") from None


def whole(value: NumberJson, where: str) -> int | None:
    """Read a whole number.

    Errors: NotUnderstoodError.
    """
    if isinstance(value, int):
        return value
    read = number(value, where)
    if read is None:
        return None
    if not read.is_integer():
        raise NotUnderstoodError(f"{where}: expected a whole number")
    return int(read)


def flag(value: FlagJson, where: str) -> bool | None:
    """Read a flag, also one written as text.

    Errors: NotUnderstoodError.
    """
    if not isinstance(value, str):
        return value
    if value not in ("true", "false"):
        raise NotUnderstoodError(f"{where}: expected a flag, got other text")
    return value == "true"
