"""Callbacks of Bandwidth as what they tell: translated, ignored by name with a reason, or not understood.

What cannot be understood is counted and costs itself only; a malformed field that is not needed costs that field.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from adapters.bandwidth import mapping
from adapters.kit.understanding import Complaints, NotUnderstoodError

_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

# ---- what is told ----


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceTold:
    """A conference was created, or is over."""

    conference_id: str
    completed: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTold:
    """Something became of a member: it joined, left, was muted or put on hold, or the conference was. None says which.

    Shape: `muted` and `on_hold` are the member's own flags, or with those of the conference on top: no page says.
    """

    conference_id: str
    member_id: str
    call_id: str | None = None
    present: bool
    muted: bool | None = None
    on_hold: bool | None = None
    active_members: int | None = None
    at: datetime | None = None


class CallState(StrEnum):
    """What has become of a call."""

    ANSWERED = "answered"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTold:
    """A call was answered, or is over; `cause` is Bandwidth's word for why."""

    call_id: str
    state: CallState
    cause: str | None = None
    tag: str | None = None
    at: datetime | None = None


Told = ConferenceTold | MemberTold | CallTold
"""What a callback tells."""

# ---- how it is read ----

Fields = Mapping[str, object]
"""The JSON of a callback, or its query, where all is text."""
_Complain = Callable[[NotUnderstoodError], None]
_Value = TypeVar("_Value")


def _conference_told(fields: Fields, _: _Complain) -> ConferenceTold:
    completed = _chosen(fields, "status", {"created": False, "completed": True})
    return ConferenceTold(
        conference_id=_id(fields, "conference"),
        completed=completed,
        at=mapping.instant(fields.get("completedTime" if completed else "createdTime")),
    )


def _member_told(fields: Fields, complain: _Complain) -> MemberTold:
    def read(name: str, reader: Callable[[object], _Value | None]) -> _Value | None:
        value = reader(fields.get(name))
        if value is None and fields.get(name) not in (None, ""):
            complain(NotUnderstoodError(f"conference-member: {name} cannot be read"))
        return value

    return MemberTold(
        conference_id=_id(fields, "conference"),
        member_id=_id(fields, "member"),
        call_id=mapping.text(fields.get("callId")) or mapping.id_in(fields.get("callUri")),
        present=_chosen(fields, "state", {"active": True, "completed": False}),
        muted=read("mute", mapping.flag),
        on_hold=read("hold", mapping.flag),
        active_members=read("activeMembers", mapping.count),
        at=read("time", mapping.instant),
    )


def _answered(fields: Fields, _: _Complain) -> CallTold:
    return _call(fields, CallState.ANSWERED, None)


def _hung_up(fields: Fields, _: _Complain) -> CallTold:
    """Read the end of a call, also of one that was rejected: it says so by its cause."""
    cause = mapping.text(fields.get("cause")) or ""
    return _call(fields, CallState.OVER, cause if _CAUSE.fullmatch(cause) else None)


def _timed_out(fields: Fields, _: _Complain) -> CallTold:
    return _call(fields, CallState.OVER, "NO_ANSWER")


def _rejected(fields: Fields, _: _Complain) -> CallTold:
    """Read what their own client knows, although the pages have rejected calls as hangups."""
    return _call(fields, CallState.OVER, "CALL_REJECTED")


def _call(fields: Fields, state: CallState, cause: str | None) -> CallTold:
    return CallTold(
        call_id=_id(fields, "call"),
        state=state,
        cause=cause,
        tag=mapping.text(fields.get("tag")),
        at=mapping.instant(fields.get("time")),
    )


def _id(fields: Fields, thing: str) -> str:
    """Read whom it is about, by id or by URL.

    Errors: NotUnderstoodError.
    """
    found = mapping.text(fields.get(f"{thing}Id")) or mapping.id_in(fields.get(f"{thing}Uri"))
    if found is None:
        raise NotUnderstoodError(f"a callback without the id of its {thing}")
    return found


def _chosen(fields: Fields, name: str, meanings: Mapping[str, bool]) -> bool:
    """Errors: NotUnderstoodError, for a word that no page has."""
    meaning = meanings.get(mapping.text(fields.get(name)) or "")
    if meaning is None:
        raise NotUnderstoodError(f"a callback with a {name} that is none of {', '.join(meanings)}")
    return meaning


TRANSLATED: dict[str, Callable[[Fields, _Complain], Told]] = {
    "conference": _conference_told,
    "conference-member": _member_told,
    "answer": _answered,
    "hangup": _hung_up,
    "timeout": _timed_out,
    "reject": _rejected,
}
"""By `eventType`."""
_NO_FIELD = "no field of ours depends on it"
IGNORED: dict[str, str] = {
    "conference-playback": f"a sound to a conference began or ended: {_NO_FIELD}",
    "conference-speak": f"a sentence to a conference began or ended: {_NO_FIELD}",
    "incomingcall": "who calls a number of the account is the business of the application of that number",
    "playback": f"a sound to a call began or ended: {_NO_FIELD}",
    "speak": f"a sentence to a call began or ended: {_NO_FIELD}",
    "dtmf": f"a key was pressed: {_NO_FIELD}, and what it does in the conference is not told",
    "gather": f"keys were gathered, which we never ask for: {_NO_FIELD}",
    "recording": "calls are recorded, not conferences",
    "transcription": "calls are recorded, not conferences",
}


class Interpreter:
    """Reads the callbacks of one backend, and counts those it does not understand."""

    def __init__(self) -> None:
        self.complaints = Complaints("Bandwidth")

    @property
    def misunderstood(self) -> int:
        """How much could not be understood since the start."""
        return self.complaints.count

    def understand(self, fields: Fields) -> Told | None:
        """Read a callback; None for what is of no use. Whatever is in it, it does not raise."""
        try:
            return self._understood(fields)
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    def complain(self, error: NotUnderstoodError) -> None:
        """Count something that could not be understood, and log it unless the same was logged a short while ago."""
        self.complaints.add(error)

    def _understood(self, fields: Fields) -> Told | None:
        kind = mapping.text(fields.get("eventType")) or ""
        if (translate := TRANSLATED.get(kind)) is not None:
            return translate(fields, self.complain)
        if kind in IGNORED:
            return None
        raise NotUnderstoodError("a callback of a kind that no page has")
