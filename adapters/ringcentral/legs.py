"""The calls that are told of, leg by leg: who is at their other end, and which legs are over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from adapters.ringcentral import mapping
from adapters.ringcentral.events import Code, End, Party, Peer

_MOST_CALLS = 1_000
_MOST_LEGS = 256
REMEMBERED = timedelta(seconds=60)
"""How long what is over is remembered, so that an event that comes late does not bring it back."""


def expired(since: Mapping[str, datetime], now: datetime) -> list[str]:
    """Give those that have been remembered for long enough, out of some in order of time."""
    return [each for each, _ in takewhile(lambda entry: now - entry[1] > REMEMBERED, since.items())]


@dataclass(slots=True)
class _Leg:
    """A leg as it was last told; `over` stays, whatever comes after it, unless it only moved to another device."""

    party: Party
    sequence: int
    over: bool = False


@dataclass(slots=True)
class _Call:
    legs: dict[str, _Leg] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether no leg of it is up."""
        return all(leg.over or leg.party.code is Code.DISCONNECTED for leg in self.legs.values())


class Legs:
    """The legs of all calls that are up, or were a short while ago.

    Shape: an event tells of one leg and says nothing of the others. Of two about one leg the one with the larger
           sequence is believed, in whichever order they arrive; what only the older says is kept all the same.
    """

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._over_at: dict[str, datetime] = {}

    def take(self, session_id: str, party: Party, sequence: int | None, now: datetime) -> None:
        """Take what is said of one leg; an answer has no sequence, and is believed."""
        call = self._calls.pop(session_id, None) or _Call()
        self._calls[session_id] = call  # the one that was told of last is the last to be forgotten
        if len(self._calls) > _MOST_CALLS:
            self._forget(next(iter(self._calls)))
        leg = call.legs.get(party.id)
        if leg is None:
            if len(call.legs) >= _MOST_LEGS:
                return
            leg = call.legs[party.id] = _Leg(party, sequence or 0)
        elif sequence is None or sequence >= leg.sequence:
            leg.party, leg.sequence = _filled(party, leg.party), sequence or leg.sequence
        else:
            leg.party = _filled(leg.party, party)
        leg.over = leg.over or (party.code is Code.DISCONNECTED and not mapping.has_moved(party))
        if not call.is_over:
            self._over_at.pop(session_id, None)
        else:
            self._over_at.setdefault(session_id, now)

    def forget_old(self, now: datetime) -> None:
        """Forget the calls that have been over for long."""
        for session_id in expired(self._over_at, now):
            self._forget(session_id)

    def is_over(self, leg: Peer) -> bool:
        """Whether a leg is known to be over."""
        found = self._leg(leg)
        return found is not None and found.over

    def who(self, leg: Peer) -> End | None:
        """Say who is at the other end of one's own leg; None as long as nothing is known of it.

        Shape: where it has no name for them, their own leg may have, which only an account-wide subscription tells.
        """
        found = self._leg(leg)
        if found is None:
            return None
        who = mapping.other_end(found.party)
        if who.number is None or who.name is not None:
            return who
        others = (
            mapping.own_end(each.party) for each in self._calls[leg.session_id].legs.values() if each is not found
        )
        return next((who.filled(other) for other in others if other.number == who.number and other.name), who)

    def own(self, session_id: str, extension_id: str | None) -> str | None:
        """Give the leg of a call that is this extension's (None: any extension's): what bring-in wants.

        One that is over, or was merged into a conference already, is none.
        """
        call = self._calls.get(session_id) or _Call()
        for party_id, leg in call.legs.items():
            owner = leg.party.extension_id
            if (
                leg.party.code not in (Code.DISCONNECTED, Code.GONE)
                and not leg.over
                and owner is not None
                and extension_id in (None, owner)
            ):
                return party_id
        return None

    def _forget(self, session_id: str) -> None:
        del self._calls[session_id]
        self._over_at.pop(session_id, None)

    def _leg(self, leg: Peer) -> _Leg | None:
        call = self._calls.get(leg.session_id)
        return None if call is None else call.legs.get(leg.party_id)


def _filled(newer: Party, older: Party) -> Party:
    """Take from an older telling who is at the ends of a leg, if the newer leaves it open."""
    return Party(
        id=newer.id,
        code=newer.code,
        reason=newer.reason,
        peer=newer.peer or older.peer,
        inbound=older.inbound if newer.inbound is None else newer.inbound,
        caller=newer.caller.filled(older.caller),
        callee=newer.callee.filled(older.callee),
        is_host=newer.is_host,
        extension_id=newer.extension_id or older.extension_id,
        muted=newer.muted,
    )
