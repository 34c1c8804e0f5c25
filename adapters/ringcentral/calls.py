"""What RingCentral has told of calls and conferences, by notifications and by answers, as reports: no I/O in here."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from adapters.ringcentral import mapping
from adapters.ringcentral.conference import Conference, Presence, Said
from adapters.ringcentral.events import Code, End, Party, Peer, SessionRead, SessionTold
from adapters.ringcentral.legs import Legs, expired
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport, Report
from gateway.model.room import Room

_UUIDS_REMEMBERED = 4_096
_MOST_OVER = 1_000
_MOST_PARKED = 256


def _now() -> datetime:
    return datetime.now(UTC)


class Calls:
    """All conferences of one account, and the calls that become presences in them.

    Shape: a conference tells only of its host. That somebody joined or left is told on the call that was merged into
           it, which is another session with sequences of its own, so that it may come before anything of the room.
           `extension_id` is whose leg of a call is our own, where it is known, and `extension_name` their name.
    Units: a participant is held back for `identity_within` at most while it is not known who they are. A room without
           host is doubted after `host_within`: then RingCentral gives it up.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        identity_within: timedelta = timedelta(seconds=2),
        host_within: timedelta = timedelta(seconds=38),
        extension_id: str | None = None,
    ) -> None:
        self.extension_id = extension_id
        self.extension_name: str | None = None
        self._clock = clock
        self._identity_within = identity_within
        self._host_within = host_within
        self._legs = Legs()
        self._rooms: dict[str, Conference] = {}
        self._parked: dict[str, Conference] = {}
        """Conferences that somebody joined and that nothing else is known of."""
        self._over: dict[str, datetime] = {}
        self._merged: dict[str, dict[str, tuple[Conference, Presence]]] = {}
        """The calls that carry people into conferences, by session and own leg."""
        self._host_due: dict[str, datetime] = {}
        self._uuids: dict[str, None] = {}

    # ---- what notifications tell ----

    def told(self, told: SessionTold) -> list[Report]:
        """Take an event: something about one leg, and no snapshot of its session."""
        if self._was_told(told.uuid):
            return []
        now = self._forget_old()
        if told.session_id in self._over:
            return []  # a late event, a Setup even, does not bring back what is over
        said = Said(now, told.sequence, told.at)
        if told.is_conference or told.session_id in self._rooms or told.session_id in self._parked:
            return self._of_conference(told, said)
        return self._of_call(told.session_id, told.parties, said)

    def _of_conference(self, told: SessionTold, said: Said) -> list[Report]:
        conference = self._rooms.get(told.session_id)
        if conference is None:
            if all(party.code is Code.DISCONNECTED for party in told.parties):
                if any(mapping.is_host(party) for party in told.parties):
                    self._bury(told.session_id, said.now)
                return []
            conference = self._know(told.session_id, said.now)
        for party in told.parties:
            self._recognise(conference, conference.take(party, said), said.now)
        return self._settled(conference)

    def _of_call(self, session_id: str, parties: Iterable[Party], said: Said) -> list[Report]:
        """Take what is said of legs of a call: the own leg Gone into a conference is a join, its end a leave.

        Its own mute and hold are nothing to the conference: they are of the host's leg in this call.
        """
        reports: list[Report] = []
        for party in parties:
            self._legs.take(session_id, party, said.sequence, said.now)
            if mapping.merged_into(party) and party.peer is not None:
                reports += self._joined(party.peer, Peer(session_id, party.id), said)
        return reports + self._carried(session_id, said.now)

    def _joined(self, into: Peer, original: Peer, said: Said) -> list[Report]:
        """Take a join, of which this alone is proof: also when it is late, and the leg is over or on to other things.

        A room that is over stays so. One of which nothing is known, or not that its host is there, has to be read.
        """
        if into.session_id in self._over or into.session_id == original.session_id:
            return []
        conference = self._rooms.get(into.session_id) or self._park(into.session_id, said.now)
        before = conference.presences.get(into.party_id)
        is_new = before is None or not before.joined
        presence = conference.joined(into.party_id, original, said.at)
        self._recognise(conference, presence, said.now)
        is_doubtful = is_new and not (conference.live and into.session_id in self._rooms)
        doubts: list[Report] = [DoubtReport(room_id=RoomId(into.session_id))] if is_doubtful else []
        return self._settled(conference) + doubts

    def _carried(self, session_id: str, now: datetime) -> list[Report]:
        """Report what a call means for those whom it carried into conferences."""
        reports: list[Report] = []
        for conference, presence in list(self._merged.get(session_id, {}).values()):
            self._recognise(conference, presence, now)
            reports += self._settled(conference)
            if presence.left and conference.deserted and conference.id in self._rooms:
                reports.append(DoubtReport(room_id=RoomId(conference.id)))  # nobody knows whether it goes on
        return reports

    # ---- what answers tell ----

    def read(self, session: SessionRead, asked_at: datetime | None = None) -> list[Report]:
        """Take the answer to GET of a session: all its legs, those that are over too; `asked_at` is when it was asked.

        With it, what was said of a leg since then is not overwritten.
        """
        now = self._forget_old()
        if session.id in self._over:
            return []
        said = Said(now, asked_at=asked_at)
        if session.is_conference or session.id in self._rooms or session.id in self._parked:
            return self._read_conference(session, said)
        return self._of_call(session.id, session.parties, said) + self.unreadable(session.id)

    def unreadable(self, session_id: str) -> list[Report]:
        """Take that a session of `wanted` cannot be read: whoever it carries is shown without name and number."""
        carried = list(self._merged.get(session_id, {}).values())
        for _, presence in carried:
            presence.let_show()
        return [report for conference, _ in carried for report in self._settled(conference)]

    def created(self, session: SessionRead, name: str | None) -> list[Report]:
        """Take the answer to our own creation of a conference, whose name nobody but us knows."""
        now = self._forget_old()
        if session.id in self._over:
            return []
        conference = self._know(session.id, now)
        conference.name, conference.created_at = name or conference.name, session.created_at
        for party in session.parties:
            self._recognise(conference, conference.take(party, Said(now)), now)
        return self._settled(conference)

    def party(self, room_id: RoomId, party: Party) -> list[Report]:
        """Take the answer to a command about a leg of a conference; bring-in's says Setup, which is no join."""
        conference = self._rooms.get(room_id)
        if conference is None:
            return []
        now = self._clock()
        self._recognise(conference, conference.take(party, Said(now)), now)
        return self._settled(conference)

    def ended(self, room_id: RoomId) -> list[Report]:
        """Take that a conference is over: DELETE said 204, or GET 404."""
        now = self._forget_old()
        conference = self._rooms.get(room_id)
        reports = conference.ended() if conference else []
        self.forget(room_id)
        self._bury(room_id, now)
        return reports

    def _read_conference(self, session: SessionRead, said: Said) -> list[Report]:
        if session.id not in self._rooms and _all_over(session.parties):
            self._bury(session.id, said.now)
            return []
        conference = self._know(session.id, said.now)
        conference.created_at = session.created_at or conference.created_at
        for party in session.parties:
            self._recognise(conference, conference.take(party, said), said.now, again=True)
        if session.complete and said.asked_at is not None:
            conference.list_only([party.id for party in session.parties], said.asked_at)
        if _all_over(session.parties) and not any(each.is_here for each in conference.presences.values()):
            conference.over = True
        return self._settled(conference)

    # ---- the host leaves alone ----

    def host_leaves(self, room_id: RoomId) -> None:
        """Know, before it is asked for, that the host is to leave and the others are to stay.

        To everybody else it looks like the end: no event tells the two apart.
        """
        if conference := self._rooms.get(room_id):
            conference.stays_alive = True

    def host_stays(self, room_id: RoomId) -> None:
        """Take that back: it was refused."""
        if conference := self._rooms.get(room_id):
            conference.stays_alive = False

    # ---- who is who ----

    @property
    def wanted(self) -> list[str]:
        """The sessions to be read because nobody knows whom they carry; `read` or `unreadable` settles each."""
        return [
            session_id
            for session_id, carried in self._merged.items()
            if any(presence.wanted and conference.id in self._rooms for conference, presence in carried.values())
        ]

    @property
    def next_due(self) -> datetime | None:
        """When `overdue` has to be called next."""
        held = (each.held_until for conference in self._rooms.values() for each in conference.presences.values())
        return min([*(until for until in held if until is not None), *self._host_due.values()], default=None)

    def overdue(self) -> list[Report]:
        """Show those who could not be identified in time, and doubt the rooms whose host has not come."""
        now = self._clock()
        reports: list[Report] = []
        for conference in list(self._rooms.values()):
            for presence in conference.presences.values():
                if presence.held_until is not None and presence.held_until <= now:
                    presence.let_show()
            reports += self._settled(conference)
        for room_id in [each for each, due in self._host_due.items() if due <= now]:
            del self._host_due[room_id]
            reports.append(DoubtReport(room_id=RoomId(room_id)))
        return reports

    def _recognise(self, conference: Conference, presence: Presence, now: datetime, *, again: bool = False) -> None:
        """Find out, from the call that was merged, who somebody is and whether they have left.

        The leg in the conference cannot tell: it has the host's number. `again` asks once more for who was shown
        without a name.
        """
        original = presence.original
        if presence.host and presence.who is not None and presence.who.extension_id == self.extension_id:
            presence.who = presence.who.filled(End(name=self.extension_name))  # legs do not name their own end
        if presence.host or original is None:
            return
        presence.left = presence.left or self._legs.is_over(original)
        who = self._legs.who(original)
        if who is not None:
            presence.who = who.filled(presence.who or who)
            presence.let_show()
        elif presence.is_here and presence.who is None and not presence.wanted and (again or not presence.told):
            presence.wanted = True
            presence.held_until = None if presence.told else now + self._identity_within
        carried = self._merged.setdefault(original.session_id, {})
        if presence.left:
            carried.pop(original.party_id, None)
        else:
            carried[original.party_id] = (conference, presence)
        if not carried:
            del self._merged[original.session_id]

    # ---- what is known ----

    def all(self) -> list[Room]:
        """Give all rooms as they are now; those that are over are none."""
        return [conference.picture() for conference in self._rooms.values()]

    def one(self, room_id: RoomId) -> Room | None:
        """Give one room as it is now."""
        conference = self._rooms.get(room_id)
        return None if conference is None else conference.picture()

    def rooms_known(self) -> list[RoomId]:
        """Give the rooms to be read after a loss, parked ones too: no call of RingCentral's lists them."""
        return [RoomId(room_id) for room_id in [*self._rooms, *self._parked]]

    def host_of(self, room_id: RoomId) -> ParticipantId | None:
        """Give the host's leg, while the host is in the room."""
        conference = self._rooms.get(room_id)
        host = conference.host if conference else None
        return ParticipantId(host.id) if host else None

    def is_host(self, room_id: RoomId, participant_id: ParticipantId) -> bool:
        """Whether a leg is the host's: of two, while they change devices, either."""
        conference = self._rooms.get(room_id)
        presence = conference.find(participant_id) if conference else None
        return presence is not None and presence.host

    def original_of(self, room_id: RoomId, participant_id: ParticipantId) -> tuple[str, str] | None:
        """Give session and own leg of the call that was merged, for somebody who is in the room."""
        conference = self._rooms.get(room_id)
        presence = conference.find(participant_id) if conference else None
        original = presence.original if presence else None
        return (original.session_id, original.party_id) if original else None

    def own_leg(self, session_id: str) -> str | None:
        """Give our own leg of a call, which bring-in wants; None when it is over or nothing is known of it."""
        return self._legs.own(session_id, self.extension_id)

    def forget(self, room_id: RoomId) -> None:
        """Know nothing of a room any longer, and report nothing of it."""
        self._host_due.pop(room_id, None)
        for known in (self._rooms.pop(room_id, None), self._parked.pop(room_id, None)):
            for presence in known.presences.values() if known else ():
                self._let_go(presence)

    # ---- inside ----

    def _was_told(self, uuid: str | None) -> bool:
        """Whether this very event came before; overlapping filters give one change two uuids, which does no harm."""
        if uuid is None:
            return False
        was_told = uuid in self._uuids
        self._uuids[uuid] = None
        if len(self._uuids) > _UUIDS_REMEMBERED:
            del self._uuids[next(iter(self._uuids))]
        return was_told

    def _know(self, session_id: str, now: datetime) -> Conference:
        """Give a room; whoever was parked for it is in it."""
        conference = self._rooms.get(session_id)
        if conference is None:
            conference = self._parked.pop(session_id, None) or Conference(session_id, now)
            self._rooms[session_id] = conference
            self._host_due[session_id] = now + self._host_within
        return conference

    def _park(self, session_id: str, now: datetime) -> Conference:
        conference = self._parked.get(session_id)
        if conference is None:
            conference = self._parked[session_id] = Conference(session_id, now)
            if len(self._parked) > _MOST_PARKED:
                self.forget(RoomId(next(iter(self._parked))))
        return conference

    def _settled(self, conference: Conference) -> list[Report]:
        """Report what has become of a room, if it is known."""
        if conference.id not in self._rooms:
            return []
        if conference.over:
            return self.ended(RoomId(conference.id))
        if conference.live:
            self._host_due.pop(conference.id, None)
        return conference.reports()

    def _bury(self, session_id: str, now: datetime) -> None:
        self._over.pop(session_id, None)
        self._over[session_id] = now
        if len(self._over) > _MOST_OVER:
            del self._over[next(iter(self._over))]

    def _forget_old(self) -> datetime:
        """Forget what has been over, or parked, for long."""
        now = self._clock()
        for session_id in expired(self._over, now):
            del self._over[session_id]
        for session_id in expired({each.id: each.since for each in self._parked.values()}, now):
            self.forget(RoomId(session_id))
        self._legs.forget_old(now)
        return now

    def _let_go(self, presence: Presence) -> None:
        if presence.original is None:
            return
        carried = self._merged.get(presence.original.session_id, {})
        carried.pop(presence.original.party_id, None)
        if not carried:
            self._merged.pop(presence.original.session_id, None)


def _all_over(parties: Iterable[Party]) -> bool:
    """Whether an answer has legs, and all of them are over; one without legs is of a conference just created."""
    codes = [party.code for party in parties]
    return bool(codes) and all(code is Code.DISCONNECTED for code in codes)
