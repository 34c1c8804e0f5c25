"""Telephony sessions and their parties, and the counting of what happens to each session.

Inferred: a session that ended is forgotten at once, so that asking for it is 404; what is not told of takes no number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple

from .failures import not_found
from .faults import Faults


class Code(StrEnum):
    """The state of a party, in its own word."""

    SETUP = "Setup"
    PROCEEDING = "Proceeding"
    ANSWERED = "Answered"
    HOLD = "Hold"
    GONE = "Gone"
    DISCONNECTED = "Disconnected"


UP = (Code.ANSWERED, Code.HOLD)
HOST, PARTICIPANT = "Host", "Participant"
CONFERENCE = "Conference"
CONFERENCE_END = "conference"
"what stands where a conference has no telephone number"


class End(NamedTuple):
    """One end of a leg, as `from` and `to` have it."""

    phone_number: str
    name: str | None = None
    extension_id: str | None = None
    device_id: str | None = None


class Peer(NamedTuple):
    """A party of another session that this one has become part of."""

    session_id: str
    party_id: str


@dataclass(slots=True, eq=False, kw_only=True)
class Party:
    """One leg; without account and extension it is nobody's, as a conference's legs of participants are.

    Shape: `muted` is the switch that the API moves; the one of the telephone is another, and the wire does not show it.
    """

    party_id: str
    direction: str
    caller: End
    called: End
    account_id: str | None = None
    extension_id: str | None = None
    role: str | None = None
    code: Code = Code.SETUP
    reason: str | None = None
    peer: Peer | None = None
    muted: bool = False
    muted_by_phone: bool = False
    stand_alone: bool = False
    recordings: dict[str, bool] = field(default_factory=dict)

    @property
    def other(self) -> End:
        """Who is at the far end of somebody's own leg."""
        return self.caller if self.direction == "Inbound" else self.called

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.code is Code.DISCONNECTED


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """A call or a conference; `owner_id` is the extension that made it.

    Units: created_at is Unix seconds.
    """

    session_id: str
    legacy_id: str
    origin: str
    created_at: float
    owner_id: str
    token: str | None = field(default=None, repr=False)
    sequence: int = 1
    made: int = 0
    "how many parties there have been"
    parties: dict[str, Party] = field(default_factory=dict)

    @property
    def is_conference(self) -> bool:
        """Whether somebody can be brought in."""
        return self.origin == CONFERENCE

    @property
    def host(self) -> Party | None:
        """The leg of the host of a conference that has not ended."""
        return next((one for one in self.parties.values() if one.role == HOST and not one.ended), None)

    @property
    def joined(self) -> list[Party]:
        """Who has been brought into a conference, or is just being, and is there."""
        return [one for one in self.parties.values() if one.role == PARTICIPANT and not one.ended]

    def own_leg(self, extension_id: str) -> Party | None:
        """Find somebody's own leg."""
        return next((one for one in self.parties.values() if one.extension_id == extension_id), None)

    def party(self, party_id: str) -> Party:
        """Errors: ApiError 404."""
        if party_id not in self.parties:
            raise not_found("partyId", party_id)
        return self.parties[party_id]


class Notice(NamedTuple):
    """Something has happened to one party; `sequence` is the session's.

    Units: at is Unix seconds.
    """

    session: Session
    party: Party
    sequence: int
    at: float


class Sessions:
    """Everything that is going on."""

    def __init__(
        self, faults: Faults, clock: Callable[[], float], rng: Random, publish: Callable[[Notice], None]
    ) -> None:
        self.by_id: dict[str, Session] = {}
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._publish = publish

    def open(self, origin: str, owner_id: str) -> Session:
        """Begin a session without parties."""
        tail = f"a{self._rng.getrandbits(48):012x}z{self._rng.getrandbits(44):011x}z{self._rng.getrandbits(28):07x}0000"
        conference = origin == CONFERENCE
        session = Session(
            session_id=f"s-{tail}",
            legacy_id="0" if conference else str(self._rng.randrange(10**12, 10**13)),
            origin=origin,
            created_at=self._clock(),
            owner_id=owner_id,
            token="conf_" + f"s-{tail}@10.28.20.114:8899".encode().hex() if conference else None,
        )
        self.by_id[session.session_id] = session
        return session

    def party_id(self, session: Session) -> str:
        """Make the id of the next party: the session's own tail, and a number counted from 1."""
        session.made += 1
        return f"p{session.session_id[1:]}-{session.made}"

    def add(self, session: Session, party: Party) -> Party:
        """Let a party be there; nobody is told."""
        session.parties[party.party_id] = party
        return party

    def enter(self, session: Session, party: Party, code: Code, reason: str | None = None) -> None:
        """Let a party come into a state, and tell."""
        party.code, party.reason = code, reason
        if code is not Code.GONE:
            party.peer = None
        self.tell(session, party)

    def tell(self, session: Session, party: Party) -> None:
        """Tell how a party is now."""
        if party.account_id is not None or self._faults.emit_participant_legs:
            session.sequence += 1
        self._publish(Notice(session, party, session.sequence, self._clock()))

    def close(self, session: Session) -> None:
        """Forget a session."""
        self.by_id.pop(session.session_id, None)

    def get(self, session_id: str) -> Session:
        """Errors: ApiError 404."""
        if session_id not in self.by_id:
            raise not_found("telephonySessionId", session_id)
        return self.by_id[session_id]
