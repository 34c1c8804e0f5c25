"""What Telphin posts to our hook as what it tells: translated, ignored by name with a reason, or not understood."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from adapters.kit.understanding import Complaints, NotUnderstoodError

# ---- what is told ----


class Kind(StrEnum):
    """What has become of a leg."""

    DIAL_IN = "dial-in"
    ANSWER = "answer"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTold:
    """A leg that leads into a room, or led.

    Shape: `extension_id` is the room's; `leg_id` names the leg, and keeps its name when the call is transferred away
           and back; `call_api_id` is by what the call can be hung up. `number`, `name` and `caller_extension_id` are
           those of whoever is at the other end of the leg.
    """

    kind: Kind
    extension_id: str
    leg_id: str
    call_id: str | None = None
    call_api_id: str | None = None
    number: str | None = None
    name: str | None = None
    caller_extension_id: str | None = None
    at: datetime | None = None


# ---- how it is read ----

_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_LEG_ID = re.compile(r"([0-9A-Za-z]{1,64})-[!-~]{1,128}")
_CALL_API_ID = re.compile(r"[0-9A-Za-z._-]{1,128}")
_MICROSECONDS = re.compile(r"[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST_TEXT = 255
_WITHHELD = "anonymous"


def _call_told(kind: Kind) -> Callable[[Mapping[str, str]], CallTold]:
    def told(fields: Mapping[str, str]) -> CallTold:
        # A leg that the room dialled itself has the room for its caller.
        outward = fields.get("CallFlow") == "out"
        leg_id, extension_id = _leg(fields, outward=outward)
        other_end = "Called" if outward else "Caller"
        return CallTold(
            kind=kind,
            extension_id=extension_id,
            leg_id=leg_id,
            call_id=_text(fields, "CallID"),
            call_api_id=_id(fields, "CallAPIID", _CALL_API_ID),
            number=known_number(_text(fields, "CalledNumber" if outward else "CallerIDNum")),
            name=None if outward else _text(fields, "CallerIDName"),
            caller_extension_id=_id(fields, f"{other_end}ExtensionID", _ID),
            at=instant(fields.get("EventTime")),
        )

    return told


def _leg(fields: Mapping[str, str], *, outward: bool) -> tuple[str, str]:
    """Give the leg and the room's extension; either is part of the other's field where it is missing."""
    leg_id, called = fields.get("SubCallID", ""), fields.get("CalledExtensionID", "")
    if not leg_id and called and (call_id := fields.get("CallID")):
        leg_id = f"{called}-{call_id}"
    named = _LEG_ID.fullmatch(leg_id)
    if named is None:
        raise NotUnderstoodError("event: without SubCallID, or with one that is none")
    if outward or not called:
        return leg_id, named[1]
    if not _ID.fullmatch(called):
        raise NotUnderstoodError("event: with a CalledExtensionID that is none")
    return leg_id, called


def instant(raw: str | None) -> datetime | None:
    """Read an EventTime; None where there is none.

    Units:  microseconds since 1970, unlike what else there is of that kind.
    Errors: NotUnderstoodError.
    """
    if not raw:
        return None
    if not _MICROSECONDS.fullmatch(raw):
        raise NotUnderstoodError("event: with an EventTime that is no number")
    try:
        read = _EPOCH + timedelta(microseconds=int(raw))
    except OverflowError:
        read = _EPOCH
    if not _EARLIEST <= read < _LATEST:
        raise NotUnderstoodError("event: with an EventTime that is not in microseconds")
    return read


def known_number(number: str | None) -> str | None:
    """Give the number of somebody; None for one who withholds theirs."""
    return None if number == _WITHHELD else number


def _id(fields: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str | None:
    """Read an id that the event can do without; what is none is as good as missing."""
    found = fields.get(name, "")
    return found if shape.fullmatch(found) else None


def _text(fields: Mapping[str, str], name: str) -> str | None:
    return fields.get(name, "").strip()[:_LONGEST_TEXT] or None


TRANSLATED: dict[str, Callable[[Mapping[str, str]], CallTold]] = {kind.value: _call_told(kind) for kind in Kind}
"""By EventType."""
IGNORED: dict[str, str] = {
    "dial-out": "a room that dials somebody has nobody in it for that yet: `answer` tells it",
    "message-in": "a message, not a call",
    "message-out": "a message, not a call",
    "voicemail": "a message, not a call",
    "call-status-change": "sent for phones as a whole, and says nothing of where their calls lead",
}


class Interpreter:
    """Reads the events of one backend, and counts those it does not understand."""

    def __init__(self) -> None:
        self.complaints = Complaints("Telphin")

    @property
    def misunderstood(self) -> int:
        """How much could not be understood since the start."""
        return self.complaints.count

    def understand(self, fields: Mapping[str, str]) -> CallTold | None:
        """Read the fields of a form or query; None for what is of no use. Whatever it is, it does not raise."""
        try:
            return self._understood(fields)
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    def complain(self, error: NotUnderstoodError) -> None:
        """Count something that could not be understood, and log it unless the same was logged a short while ago."""
        self.complaints.add(error)

    def _understood(self, fields: Mapping[str, str]) -> CallTold | None:
        # Events of the client's phones have another spelling of the name than those of one extension.
        kind = fields.get("EventType") or fields.get("event_type") or ""
        translate = TRANSLATED.get(kind)
        if translate is not None:
            return translate(fields)
        if kind in IGNORED:
            return None
        raise NotUnderstoodError("event: of a kind that nobody subscribed to")
