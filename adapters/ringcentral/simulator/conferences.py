"""Conferences: made without anybody, hosted from a telephone, filled by bringing in calls, and what ends them.

Inferred: a host who left with the others staying may dial in again, until then nobody can be brought in; the last
          one to leave such a conference ends it, while one with a host may be empty; a leg is refused with 403 TAS-106
          unless it is the asker's own, and with 409 unless it is up; one that ended cannot be removed again (404).
          The number of a leg is given when its request arrives, so that concurrent ones come in any order.
"""

from .calls import Calls
from .failures import full, incorrect_state, not_allowed, not_found
from .people import Account, Extension
from .sessions import (
    CONFERENCE,
    CONFERENCE_END,
    HOST,
    PARTICIPANT,
    UP,
    Code,
    End,
    Party,
    Peer,
    Session,
    Sessions,
)
from .timers import Timers

_CONFERENCE = End(CONFERENCE_END, "Conference")


class Conferences:
    """All conferences of the account.

    Units: `host_wait_s` is for how long one waits for its host; `capacity` counts the host.
    """

    def __init__(
        self,
        account: Account,
        sessions: Sessions,
        calls: Calls,
        timers: Timers,
        *,
        capacity: int,
        host_wait_s: float,
    ) -> None:
        self._account = account
        self._sessions = sessions
        self._calls = calls
        self._timers = timers
        self._capacity = capacity
        self._host_wait_s = host_wait_s

    def create(self, host: Extension) -> Session:
        """Make a conference that waits for its host and is gone when they do not come."""
        session = self._sessions.open(CONFERENCE, host.extension_id)
        self._timers.after(self._host_wait_s, lambda: self._give_up(session))
        return session

    def _give_up(self, session: Session) -> None:
        if session.made == 0:
            self._sessions.close(session)

    def host_dials(self, session: Session) -> Party:
        """Let the host's telephone call the token of a conference.

        Errors: LookupError when it is there already.
        """
        if session.host is not None:
            raise LookupError("the host is there already")
        host = self._account.extensions[session.owner_id]
        party = Party(
            party_id=self._sessions.party_id(session),
            direction="Outbound",
            caller=self._from_host(host),
            called=_CONFERENCE,
            account_id=self._account.account_id,
            extension_id=host.extension_id,
            role=HOST,
        )
        self._sessions.add(session, party)
        for code in (Code.SETUP, Code.PROCEEDING, Code.ANSWERED):
            self._sessions.enter(session, party, code)
        return party

    def takes_more(self, session: Session) -> bool:
        """Whether the host is up and a place is free."""
        host = session.host
        return host is not None and host.code in UP and 1 + len(session.joined) < self._capacity

    def bring_in(self, session: Session, asker: Extension, peer: Peer) -> Party:
        """Make the leg on which a call will be part of a conference; `join` then makes it so.

        Errors: ApiError.
        """
        host = session.host
        if host is None or host.code not in UP:
            raise not_allowed()
        leg = self._sessions.get(peer.session_id).party(peer.party_id)
        if leg.extension_id != asker.extension_id:
            raise not_allowed()
        if leg.code not in UP or any(one.peer == peer for one in session.joined):
            raise incorrect_state()
        if not self.takes_more(session):
            raise full()
        party = Party(
            party_id=self._sessions.party_id(session),
            direction="Inbound",
            caller=self._from_host(self._account.extensions[session.owner_id]),
            called=_CONFERENCE,
            role=PARTICIPANT,
            peer=peer,
        )
        return self._sessions.add(session, party)

    def join(self, session: Session, party: Party) -> None:
        """Let a call that is being brought in be part of the conference; if it has ended meanwhile, the leg ends."""
        peer = party.peer
        call = self._sessions.by_id.get(peer.session_id) if peer else None
        if peer is None or party.ended or session.session_id not in self._sessions.by_id:
            return
        if call is None or call.parties[peer.party_id].code not in UP:
            self._sessions.enter(session, party, Code.DISCONNECTED)
            return
        self._sessions.enter(session, party, Code.GONE)
        leg = call.parties[peer.party_id]
        leg.peer = Peer(session.session_id, party.party_id)
        self._sessions.enter(call, leg, Code.GONE, CONFERENCE)

    def remove(self, session: Session, party: Party, *, keep: bool) -> None:
        """Let a leg end: a participant leaves, the host ends the conference or (`keep`) leaves it to the others.

        Errors: ApiError 404 for a leg that has ended.
        """
        if party.ended:
            raise not_found("partyId", party.party_id)
        if party.role == HOST and not keep:
            self.end(session)
            return
        self._disconnect(session, party)
        if session.host is None and not session.joined:
            self.end(session)

    def end(self, session: Session) -> None:
        """End it for everybody."""
        present = [one for one in session.parties.values() if not one.ended]
        for party in sorted(present, key=lambda one: one.role != HOST):
            self._disconnect(session, party)
        self._sessions.close(session)

    def leave(self, call: Session, leg: Party) -> None:
        """Let a call end, and with it the leg of a conference that it has become."""
        conference = self._sessions.by_id.get(leg.peer.session_id) if leg.peer else None
        if leg.peer is None or conference is None:
            self._calls.end(call)
        else:
            self.remove(conference, conference.parties[leg.peer.party_id], keep=True)

    def _disconnect(self, session: Session, party: Party) -> None:
        call = self._sessions.by_id.get(party.peer.session_id) if party.peer and party.code is Code.GONE else None
        self._sessions.enter(session, party, Code.DISCONNECTED)
        if call is not None:
            self._calls.end(call)

    @staticmethod
    def _from_host(host: Extension) -> End:
        device = next(iter(host.devices), None)
        return End(host.phone_number, None, host.extension_id, device.device_id if device else None)
