"""Frames of xuc as what they tell: each is translated, ignored by name with a reason, or of a type unknown to us.

xuc adds types of frames freely, so that an unknown one is no fault of anybody. One that is known and malformed is
counted and costs itself only; a malformed entry of a list costs that entry.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from adapters.kit.understanding import Complaints, NotUnderstoodError, decoded, shaped
from adapters.xivo.told import (
    CallsTold,
    CallTold,
    CommandFailed,
    Described,
    Entered,
    ErrorTold,
    Exited,
    LineTold,
    ListedRoom,
    Member,
    PersonKind,
    PersonTold,
    RoomsListed,
    SignedOn,
    SignOnFailed,
    Told,
)
from adapters.xivo.wire import (
    CallJson,
    CallsJson,
    CommandErrorJson,
    EventJson,
    FrameJson,
    LineJson,
    ListedRoomJson,
    MemberJson,
    NumberJson,
    OwnEventJson,
    ParticipantJson,
    SignOnErrorJson,
)
from gateway.model.room import ParticipantRole

log = logging.getLogger(__name__)

_LARGEST_INDEX = 2**31 - 1
_LATEST_MS = 32_503_680_000_000
"""The year 3000: what claims to be later is no time of a telephone call."""
_LONGEST_S = 10 * 366 * 86_400
_LONGEST_CODE = 64
_UNKNOWN_REMEMBERED = 256


# ---- how it is read ----

_Complain = Callable[[NotUnderstoodError], None]
_Read = TypeVar("_Read")


def _each(entries: Iterable[object] | None, read: Callable[[object], _Read], complain: _Complain) -> tuple[_Read, ...]:
    """Read the entries of a list; those that cannot be understood are complained of and left out."""
    found: list[_Read] = []
    for entry in entries or ():
        try:
            found.append(read(entry))
        except NotUnderstoodError as error:
            complain(error)
    return tuple(found)


def _rooms(payload: object, complain: _Complain) -> Told:
    entries = shaped(payload, list[object], "ConferenceList")
    return RoomsListed(rooms=_each(entries, lambda entry: _room(entry, complain), complain))


def _room(entry: object, complain: _Complain) -> ListedRoom:
    raw = shaped(entry, ListedRoomJson, "room")
    return ListedRoom(
        number=_room_number(raw["number"], "room"),
        name=raw.get("name") or None,
        pin_required=raw.get("pinRequired"),
        started_ms=_epoch_ms(raw.get("startTime")) or 0,
        members=_each(raw.get("members"), _member, complain),
    )


def _member(entry: object) -> Member:
    raw = shaped(entry, MemberJson, "member")
    joined_ms = _epoch_ms(raw["joinTime"])
    if joined_ms is None:
        raise NotUnderstoodError("member: joinTime is no time")
    return Member(
        order=_slot(raw["joinOrder"], "member: joinOrder"),
        joined_ms=joined_ms,
        name=raw.get("name") or None,
        number=raw.get("number") or None,
        username=raw.get("username") or None,
        muted=raw.get("muted"),
    )


def _described(entry: object) -> Described:
    raw = shaped(entry, ParticipantJson, "participant")
    return Described(
        index=_slot(raw["index"], "participant: index"),
        name=raw.get("callerIdName") or None,
        number=raw.get("callerIdNum") or None,
        username=raw.get("username") or None,
        role=_ROLES.get(raw.get("role") or ""),
        muted=raw.get("isMuted"),
        deafened=raw.get("isDeaf"),
        talking=raw.get("isTalking"),
        is_me=raw.get("isMe") or False,
        since_s=_elapsed_s(raw.get("since")),
    )


def _own(payload: object, complain: _Complain) -> Told:
    raw = shaped(payload, OwnEventJson, "ConferenceEvent")
    room, unique_id = _room_number(raw["conferenceNumber"], "ConferenceEvent"), raw.get("uniqueId") or None
    match raw["eventType"]:
        case "Join":
            people = _each(raw.get("participants"), _described, complain)
            return Entered(room=room, room_name=raw.get("conferenceName") or None, unique_id=unique_id, people=people)
        case "Leave":
            return Exited(room=room, unique_id=unique_id)
        case _:
            raise NotUnderstoodError("ConferenceEvent: unknown eventType")


def _person(payload: object, _: _Complain) -> Told:
    raw = shaped(payload, EventJson, "ConferenceParticipantEvent")
    kind = _KINDS.get(raw["eventType"])
    if kind is None:
        raise NotUnderstoodError("ConferenceParticipantEvent: unknown eventType")
    return PersonTold(
        kind=kind,
        room=_room_number(raw["conferenceNumber"], "ConferenceParticipantEvent"),
        room_name=raw.get("conferenceName") or None,
        unique_id=raw.get("uniqueId") or None,
        person=_described(payload),
    )


def _command_failed(payload: object, _: _Complain) -> Told:
    return CommandFailed(shaped(payload, CommandErrorJson, "ConferenceCommandError")["error"][:_LONGEST_CODE])


def _error(_: object, __: _Complain) -> Told:
    return ErrorTold()


def _signed_on(_: object, __: _Complain) -> Told:
    return SignedOn()


def _sign_on_failed(payload: object, complain: _Complain) -> Told:
    """Read LoggedOnError: whatever its content, it means that the session will not be ready."""
    try:
        code = shaped(payload, SignOnErrorJson, "LoggedOnError").get("Error") or ""
    except NotUnderstoodError as error:
        complain(error)
        code = ""
    return SignOnFailed(code[:_LONGEST_CODE])


def _line(payload: object, _: _Complain) -> Told:
    """Read LineConfig: `-` is what xuc calls the line of somebody who has none."""
    line_id = shaped(payload, LineJson, "LineConfig").get("id")
    return LineTold(line_id not in (None, "", "-"))


def _call(payload: object, _: _Complain) -> Told:
    return _one_call(payload)


def _calls(payload: object, complain: _Complain) -> Told:
    events = shaped(payload, CallsJson, "CurrentCallsPhoneEvents")["events"]
    return CallsTold(calls=_each(events, _one_call, complain))


def _one_call(payload: object) -> CallTold:
    raw = shaped(payload, CallJson, "PhoneEvent")
    kind = raw["eventType"][:_LONGEST_CODE]
    return CallTold(kind=kind, unique_id=raw.get("uniqueId") or None, other_number=raw.get("otherDN") or None)


_KINDS: dict[str, PersonKind] = {kind.value: kind for kind in PersonKind}
_ROLES = {"Organizer": ParticipantRole.MODERATOR, "User": ParticipantRole.PARTICIPANT}


def _room_number(number: str, where: str) -> str:
    if not number:
        raise NotUnderstoodError(f"{where}: a room without number")
    return number


def _slot(index: int, where: str) -> int:
    if not 0 <= index <= _LARGEST_INDEX:
        raise NotUnderstoodError(f"{where}: out of range")
    return index


def _epoch_ms(raw: NumberJson) -> int | None:
    return None if raw is None or not 0 <= raw <= _LATEST_MS else int(raw)


def _elapsed_s(raw: NumberJson) -> float | None:
    return None if raw is None or not 0 <= raw <= _LONGEST_S else raw


TRANSLATED: dict[str, Callable[[object, _Complain], Told]] = {
    "ConferenceList": _rooms,
    "ConferenceEvent": _own,
    "ConferenceParticipantEvent": _person,
    "ConferenceCommandError": _command_failed,
    "Error": _error,
    "LoggedOn": _signed_on,
    "LoggedOnError": _sign_on_failed,
    "LineConfig": _line,
    "PhoneEvent": _call,
    "CurrentCallsPhoneEvents": _calls,
}

_NOT_ROOMS = "it is not about conference rooms"
IGNORED: dict[str, str] = {
    "UserConfigUpdate": "forwards and do-not-disturb of the account; " + _NOT_ROOMS,
    "UserPreference": _NOT_ROOMS,
    "RightProfile": "rights of contact-centre screens, which do not reach into rooms",
    "PhoneStatusUpdate": "whether the account's phone is busy; PhoneEvent tells of its calls",
    "PhoneHintStatusEvent": "whether other phones are busy; " + _NOT_ROOMS,
    "UsersStatuses": _NOT_ROOMS,
    "CtiStatuses": _NOT_ROOMS,
    "VoiceMailStatusUpdate": _NOT_ROOMS,
    "DirectoryResult": _NOT_ROOMS,
    "ContactSheet": _NOT_ROOMS,
}
"""Types of frames that arrive unasked and are of no use to us."""
_PING = "ping"


class Interpreter:
    """Reads the frames of one backend, and counts those it does not understand."""

    def __init__(self) -> None:
        self._complaints = Complaints("XiVO")
        self._unknown: set[str] = set()

    @property
    def misunderstood(self) -> int:
        """How much could not be understood since the start."""
        return self._complaints.count

    def read(self, raw: bytes) -> Told | None:
        """Read one frame; None for one that is of no use. Whatever it is, it does not raise."""
        try:
            return self._read(raw)
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    def complain(self, error: NotUnderstoodError) -> None:
        """Count something that could not be understood, and log it unless the same was logged a short while ago."""
        self._complaints.add(error)

    def _read(self, raw: bytes) -> Told | None:
        frame = shaped(decoded(raw, "frame"), FrameJson, "frame")
        name = frame.get("msgType")
        if name is None:
            if frame.get("claz") == _PING:
                return None
            raise NotUnderstoodError("frame: no msgType")
        translate = TRANSLATED.get(name)
        if translate is not None:
            return translate(frame.get("ctiMessage"), self.complain)
        if name not in IGNORED:
            self._note_unknown(name)
        return None

    def _note_unknown(self, name: str) -> None:
        """Log a type of frame that we do not know, once each."""
        name = name[:_LONGEST_CODE]
        if name not in self._unknown and len(self._unknown) < _UNKNOWN_REMEMBERED:
            self._unknown.add(name)
            log.info("XiVO sends frames of a type that is not known here, and is ignored: %r", name)
