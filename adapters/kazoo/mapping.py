"""Kazoo's rooms and participants as ours: pure functions, with each trap written down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from adapters.kazoo.settings import settings_of
from adapters.kazoo.wire import (
    FlagsJson,
    LegVarsJson,
    NumberJson,
    ParticipantJson,
    PresenceJson,
    RealtimeJson,
    flag,
    number,
    whole,
)
from adapters.kit.understanding import JsonObject, NotUnderstoodError, objects, shaped
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room, RoomFacts, RoomState

_GREGORIAN_OFFSET_S = 62_167_219_200
_LARGEST_INDEX = 2**31 - 1
_NO_FLAGS: FlagsJson = {}
_NO_VARS: LegVarsJson = {}


def instant(gregorian_s: NumberJson, where: str) -> datetime | None:
    """Read an instant.

    Units:  Gregorian seconds, counted from year 0, although the reference page says epoch.
    Errors: NotUnderstoodError for what is no instant of ours.
    """
    seconds = number(gregorian_s, where)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds - _GREGORIAN_OFFSET_S, UTC)
    except (OverflowError, OSError, ValueError):
        return None


# ---- participants ----


def sparse(raw: PresenceJson) -> Participant:
    """Say only who is meant.

    Shape: the call id names a presence, since `participant_id` is not unique over several media servers; a leg that
           joins again has a larger `participant_id`.
    """
    index = raw.get("participant_id")
    if index is None:
        index = (raw.get("conference_channel_vars") or _NO_FLAGS).get("member_id")
    call_id = raw["call_id"]
    return Participant(id=ParticipantId(call_id), leg_id=call_id, index=index_of(index))


def index_of(raw: NumberJson) -> int | None:
    """Read a `participant_id`: a counter of the media server, so that an absurd one is no number of anybody.

    Errors: NotUnderstoodError.
    """
    index = whole(raw, "participant_id")
    if index is not None and not 0 <= index <= _LARGEST_INDEX:
        raise NotUnderstoodError("participant_id: out of range")
    return index


def muted(raw: PresenceJson) -> bool | None:
    """Whether others cannot hear them."""
    nested = raw.get("conference_channel_vars") or _NO_FLAGS
    return _negated(flag(nested.get("speak", raw.get("speak")), "speak"))


def deafened(raw: PresenceJson) -> bool | None:
    """Whether they cannot hear the room."""
    nested = raw.get("conference_channel_vars") or _NO_FLAGS
    return _negated(flag(nested.get("hear", raw.get("hear")), "hear"))


def participant(raw: PresenceJson) -> Participant:
    """Map all that is said of one participant, but for when they joined.

    Shape:  flags stand in `conference_channel_vars` from 4.0 on, at top level before. After a restart of Kazoo's
            controller only the call id may be left: then everything else is unknown.
    Source: kz_conference_event.erl, ecallmgr_fs_conferences.erl
    """
    nested = raw.get("conference_channel_vars") or _NO_FLAGS
    leg = raw.get("custom_channel_vars") or _NO_VARS
    return replace(
        sparse(raw),
        display_name=raw.get("caller_id_name") or None,
        number=raw.get("caller_id_number") or None,
        username=leg.get("username") or None,
        user_id=leg.get("owner_id") or None,
        role=_role(nested, raw),
        muted=muted(raw),
        deafened=deafened(raw),
        talking=flag(nested.get("talking", raw.get("talking")), "talking"),
        floor=flag(nested.get("floor", raw.get("floor")), "floor"),
    )


def listed_participant(raw: object) -> Participant:
    """Map one entry of a room's `participants`.

    Errors: NotUnderstoodError.
    """
    read = shaped(raw, ParticipantJson, "participant")
    return replace(participant(read), joined_at=instant(read.get("join_time"), "join_time"))


def _role(nested: FlagsJson, raw: PresenceJson) -> ParticipantRole | None:
    moderator = flag(nested.get("is_moderator", raw.get("is_moderator")), "is_moderator")
    if moderator is None:
        kind = nested.get("member_type", raw.get("member_type"))
        moderator = {"moderator": True, "member": False}.get(kind or "")
    if moderator is None:
        return None
    return ParticipantRole.MODERATOR if moderator else ParticipantRole.PARTICIPANT


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


# ---- rooms ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Realtime:
    """What is known of a room while it runs, out of whichever form it came in.

    Shape: `participants` are still raw; None where the block has no such key, as in most lists.
    Units: `seconds` is how long the room runs.
    """

    people: int = 0
    seconds: float | None = None
    started_at: datetime | None = None
    locked: bool | None = None
    run_id: str | None = None
    participants: list[object] | None = None

    @property
    def running(self) -> bool:
        """Whether anything says that a conference runs; an empty list of participants alone is weak evidence."""
        return bool(self.participants) or self.people > 0 or (self.seconds or 0) > 0


def realtime_of(data: JsonObject, metadata: object = None) -> Realtime:
    """Find the realtime block: beside the document (5), in its `_read_only` (4.x), or among its keys (4.0 lists).

    Errors: NotUnderstoodError.
    """
    block = _block_of(data, metadata)
    where = "realtime"
    read = shaped(block, RealtimeJson, where)
    participants = read.get("participants")
    moderators = read.get("moderators", read.get("admins"))
    counts = (read.get("members"), moderators, read.get("participant_count"))
    members, others, total = (whole(count, where) or 0 for count in counts)
    return Realtime(
        people=max(members + others, total),
        seconds=number(read.get("run_time", read.get("duration")), where),
        started_at=instant(read.get("start_time"), where),
        locked=flag(read.get("is_locked", read.get("locked")), where),
        run_id=read.get("uuid") or _run_of(participants or ()),
        participants=participants,
    )


def unclear_realtime(data: JsonObject, metadata: object = None) -> Realtime:
    """Take of a realtime block that is not as promised only the participants."""
    participants = _block_of(data, metadata).get("participants")
    return Realtime(participants=participants if isinstance(participants, list) else None)


def _block_of(data: JsonObject, metadata: object) -> JsonObject:
    beside = objects(metadata)
    if "participants" in beside or "members" in beside:
        return beside
    inside = data.get("_read_only")
    return inside if isinstance(inside, dict) else data


def _run_of(participants: Sequence[object]) -> str | None:
    names = (objects(each).get("conference_uuid") for each in participants)
    return next((name for name in names if isinstance(name, str) and name), None)


def room(
    room_id: RoomId, document: JsonObject, realtime: Realtime, people: Sequence[Participant], *, permanent: bool
) -> Room:
    """Put together one room; its settings are only in what GET of a single conference answers, so not here."""
    facts = facts_of(document)
    idle = Room(
        id=room_id,
        permanent=permanent,
        locked=realtime.locked,
        name=facts.name,
        numbers=facts.numbers,
        pin_required=facts.pin_required,
    )
    if not realtime.running:
        return idle
    return replace(
        idle,
        state=RoomState.ACTIVE,
        run_id=realtime.run_id,
        started_at=_started_at(realtime),
        participants={each.id: each for each in people},
    )


def facts_of(document: JsonObject) -> RoomFacts:
    """Say what a document, or its summary in a list, tells of a room to everybody."""
    settings = settings_of(document)
    general = document.get("conference_numbers")
    numbers = [each for each in general if isinstance(each, str)] if isinstance(general, list) else []
    numbers += [*(settings.member_numbers or ()), *(settings.moderator_numbers or ())]
    return RoomFacts(
        name=name if isinstance(name := document.get("name"), str) and name else None,
        numbers=tuple(dict.fromkeys(numbers)),
        pin_required=None if settings.member_pins is None else bool(settings.member_pins),
    )


def _started_at(realtime: Realtime) -> datetime | None:
    if realtime.started_at is not None or realtime.seconds is None:
        return realtime.started_at
    try:
        return (datetime.now(UTC) - timedelta(seconds=realtime.seconds)).replace(microsecond=0)
    except (OverflowError, ValueError):
        return None
