"""Notifications of RingCentral as what they tell: translated, ignored by name with a reason, or not understood.

What cannot be understood is counted and costs itself only; a malformed leg costs that leg. The legs of answers are read
here as well, since they have the same shape.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from adapters.kit.understanding import Complaints, NotUnderstoodError, decoded, shaped
from adapters.ringcentral.wire import EndJson, NotificationJson, OriginJson, OwnerJson, PartyJson, PeerJson, StatusJson
from adapters.ringcentral.wire_events import SessionEventJson, SessionHeadJson

_LARGEST_SEQUENCE = 2**53


# ---- what is told ----


class Code(StrEnum):
    """Where a leg stands, as far as it means something to us; others are read as OTHER."""

    SETUP = "Setup"
    PROCEEDING = "Proceeding"
    ANSWERED = "Answered"
    HOLD = "Hold"
    GONE = "Gone"
    DISCONNECTED = "Disconnected"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """The leg that a leg was merged with."""

    session_id: str
    party_id: str


@dataclass(frozen=True, slots=True)
class End:
    """One end of a leg."""

    number: str | None = None
    name: str | None = None
    extension_id: str | None = None

    def filled(self, other: "End") -> "End":
        """Take from another description what this one leaves open."""
        return End(self.number or other.number, self.name or other.name, self.extension_id or other.extension_id)


NOBODY = End()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A leg of a session as RingCentral last had it.

    Shape: `inbound`, `is_host` and `muted` are None where it was not said. `extension_id` is whose leg it is: None for
           the outside leg of a call, and for the leg of a participant in a conference.
    """

    id: str
    code: Code | None = None
    reason: str | None = None
    peer: Peer | None = None
    inbound: bool | None = None
    caller: End = NOBODY
    callee: End = NOBODY
    is_host: bool | None = None
    extension_id: str | None = None
    muted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTold:
    """An event: what has become of legs of a session. Legs that are not in it are as they were.

    Shape: `sequence` counts through one session, over all its legs; those of two sessions are unrelated.
    """

    session_id: str
    sequence: int
    uuid: str | None = None
    at: datetime | None = None
    is_conference: bool = False
    parties: tuple[Party, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRead:
    """An answer: a session with all its legs, those that are over too.

    Shape: `complete` is False where a leg could not be understood.
    """

    id: str
    created_at: datetime | None = None
    is_conference: bool = False
    parties: tuple[Party, ...] = ()
    complete: bool = True


Told = SessionTold
"""What a notification tells."""

# ---- how it is read ----

_Complain = Callable[[NotUnderstoodError], None]


def party_read(raw: object) -> Party:
    """Read a leg, of an event or of an answer.

    Errors: NotUnderstoodError.
    """
    read = shaped(raw, PartyJson, "party")
    if not read["id"]:
        raise NotUnderstoodError("party: without id")
    status: StatusJson = read.get("status") or {}
    owner: OwnerJson = read.get("owner") or {}
    code = status.get("code")
    return Party(
        id=read["id"],
        code=None if code is None else _CODES.get(code, Code.OTHER),
        reason=status.get("reason") or None,
        peer=_peer(status.get("peerId") or {}),
        inbound=_INBOUND.get(read.get("direction") or ""),
        caller=_end(read.get("from")),
        callee=_end(read.get("to")),
        is_host=_IS_HOST.get(read.get("conferenceRole") or ""),
        extension_id=read.get("extensionId") or owner.get("extensionId") or None,
        muted=read.get("muted"),
    )


def session_read(raw: object, complain: _Complain) -> SessionRead:
    """Read a session out of an answer, without the wrapping that create has; malformed legs are complained of.

    Errors: NotUnderstoodError.
    """
    read = shaped(raw, SessionHeadJson, "session")
    if not read["id"]:
        raise NotUnderstoodError("session: without id")
    parties, complete = _parties(read.get("parties"), complain)
    return SessionRead(
        id=read["id"],
        created_at=instant(read.get("creationTime")),
        is_conference=_origin(read.get("origin")) == _CONFERENCE,
        parties=parties,
        complete=complete,
    )


def _session_told(notification: NotificationJson, complain: _Complain) -> SessionTold:
    """Read a telephony session event.

    Shape: a conference says so by its origin; where that is missing, by the old session number, which is "0".
    """
    read = shaped(notification.get("body"), SessionEventJson, "telephony session")
    if not read["telephonySessionId"] or not 0 <= read["sequence"] <= _LARGEST_SEQUENCE:
        raise NotUnderstoodError("telephony session: without id, or a sequence out of range")
    origin = _origin(read.get("origin"))
    return SessionTold(
        session_id=read["telephonySessionId"],
        sequence=read["sequence"],
        uuid=notification.get("uuid") or None,
        at=instant(read.get("eventTime")),
        is_conference=read.get("sessionId") == "0" if origin is None else origin == _CONFERENCE,
        parties=_parties(read.get("parties"), complain)[0],
    )


def instant(raw: str | None) -> datetime | None:
    """Read an instant; None for what is none, or has no time zone."""
    try:
        read = datetime.fromisoformat(raw) if raw else None
        return None if read is None or read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _parties(entries: Iterable[object] | None, complain: _Complain) -> tuple[tuple[Party, ...], bool]:
    found: list[Party] = []
    complete = True
    for entry in entries or ():
        try:
            found.append(party_read(entry))
        except NotUnderstoodError as error:
            complete = False
            complain(error)
    return tuple(found), complete


def _peer(raw: PeerJson) -> Peer | None:
    """Read `peerId`: whichever of its ids begins with `s-` is the session, REST and events disagree which that is."""
    named = (raw.get("telephonySessionId"), raw.get("sessionId"))
    session_id = next((each for each in named if each and each.startswith("s-")), None)
    party_id = raw.get("partyId")
    return Peer(session_id, party_id) if session_id and party_id else None


def _end(raw: EndJson | None) -> End:
    if raw is None:
        return NOBODY
    return End(raw.get("phoneNumber") or None, raw.get("name") or None, raw.get("extensionId") or None)


def _origin(raw: OriginJson | None) -> str | None:
    return (raw or {}).get("type")


_CODES = {code.value: code for code in Code if code is not Code.OTHER}
_INBOUND = {"Inbound": True, "Outbound": False}
_IS_HOST = {"Host": True, "Participant": False}
_CONFERENCE = "Conference"

TRANSLATED: dict[str, Callable[[NotificationJson, _Complain], Told]] = {"telephony/sessions": _session_told}
"""By the end of the path that a notification names as its event."""
IGNORED: dict[str, str] = {
    "presence": "it repeats in summary what telephony sessions tell in full",
    "subscription": "a reminder that the subscription expires, which our own clock knows",
}
"""By what the path has behind account and extension."""


def kind_of(path: str) -> str:
    """Name the kind of an event by its path: what is left of it without version, account, extension and query."""
    parts = path.partition("?")[0].strip("/").split("/")
    if parts[:1] == ["restapi"]:
        parts = parts[2:]
    while len(parts) > 2 and parts[0] in ("account", "extension"):
        parts = parts[2:]
    return "subscription" if parts[:1] == ["subscription"] else "/".join(parts)


class Interpreter:
    """Reads the notifications of one backend, and counts those it does not understand."""

    def __init__(self) -> None:
        self.complaints = Complaints("RingCentral")

    @property
    def misunderstood(self) -> int:
        """How much could not be understood since the start."""
        return self.complaints.count

    def read(self, raw: bytes) -> Told | None:
        """Read what was posted to a hook; None for what is of no use. Whatever it is, it does not raise."""
        try:
            return self._understood(decoded(raw, "notification"))
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    def understand(self, notification: object) -> Told | None:
        """Read the body of a socket's frame, which is decoded already; the same otherwise."""
        try:
            return self._understood(notification)
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    def complain(self, error: NotUnderstoodError) -> None:
        """Count something that could not be understood, and log it unless the same was logged a short while ago."""
        self.complaints.add(error)

    def _understood(self, value: object) -> Told | None:
        notification = shaped(value, NotificationJson, "notification")
        kind = kind_of(notification.get("event") or "")
        translate = TRANSLATED.get(kind)
        if translate is not None:
            return translate(notification, self.complain)
        if kind in IGNORED:
            return None
        raise NotUnderstoodError("notification: of a kind that nobody subscribed to")
