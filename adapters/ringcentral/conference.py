"""One conference: facts that only accumulate, so that the order in which they arrive does not matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapters.ringcentral import mapping
from adapters.ringcentral.events import NOBODY, Code, End, Party, Peer
from gateway.model.ids import ParticipantId
from gateway.model.reports import EndReport, PictureReport, Report, UpdateReport
from gateway.model.room import Participant, Room, RoomState

_MOST_PRESENCES = 256


@dataclass(slots=True, eq=False)
class Presence:
    """A leg of a conference, from when it is first heard of; its id is never given to another.

    Shape: `joined` and `left` are facts, each told once, in any order; `told` says whether it was in a report.
           `original` is the leg of the call that was merged. `who` is None until it is known, `wanted` while somebody
           should ask; `held_until` is how long a join waits for it. `moved` is a host's leg that another will replace.
    """

    id: str
    host: bool
    original: Peer | None = None
    who: End | None = None
    muted: bool | None = None
    on_hold: bool | None = None
    joined: bool = False
    joined_at: datetime | None = None
    left: bool = False
    told: bool = False
    moved: bool = False
    wanted: bool = False
    held_until: datetime | None = None
    sequence: int = 0
    said_at: datetime | None = None
    listed_at: datetime | None = None

    @property
    def is_here(self) -> bool:
        """Whether they are in the conference, shown or not."""
        return self.joined and not self.left

    def learn(self, party: Party) -> None:
        """Take over what is said of the leg as it is now."""
        hold = mapping.on_hold(party)
        self.muted = self.muted if party.muted is None else party.muted
        self.on_hold = self.on_hold if hold is None else hold
        self.moved = mapping.has_moved(party)

    def let_show(self) -> None:
        """Wait no longer for who this is."""
        self.wanted, self.held_until = False, None

    def shown(self) -> Participant:
        """Give it as a participant; who is not known stays unknown, and is never the host, whose number the leg has."""
        return mapping.participant(
            self.id,
            host=self.host,
            original_id=self.original.party_id if self.original else None,
            who=self.who or NOBODY,
            muted=self.muted,
            on_hold=self.on_hold,
            joined_at=self.joined_at,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """When something was said of a leg.

    Shape: an event has a `sequence` and the moment `at` of the change; an answer has neither, but may have `asked_at`.
    """

    now: datetime
    sequence: int | None = None
    at: datetime | None = None
    asked_at: datetime | None = None


class Conference:
    """A conference and those in it.

    Shape: `live` once the host is in it or an answer shows people in it; `over` once its end is told. `stays_alive`
           while a command of ours lets the host leave alone, which no event tells from the end.
    """

    def __init__(self, session_id: str, since: datetime) -> None:
        self.id = session_id
        self.since = since
        self.name: str | None = None
        self.created_at: datetime | None = None
        self.live = False
        self.over = False
        self.stays_alive = False
        self.presences: dict[str, Presence] = {}
        self._started_at: datetime | None = None
        self._reported: Room | None = None

    # ---- what is said of it ----

    def take(self, party: Party, said: Said) -> Presence:
        """Take what an event or an answer says of one of its legs."""
        presence = self._presence(party.id, host=mapping.is_host(party))
        newest = _is_newest(presence, said)
        if newest:
            presence.learn(party)
            presence.sequence, presence.said_at = said.sequence or presence.sequence, said.now
        if presence.host:
            known, told = presence.who or NOBODY, mapping.own_end(party)
            presence.who = told.filled(known) if newest else known.filled(told)
        if mapping.is_in(party, host=presence.host):
            self.join(presence, None if presence.host else party.peer, said.at)
            if presence.host or said.sequence is None:
                self._be_live(said)
        if newest and party.code is Code.DISCONNECTED:
            self._disconnected(presence, said)
        return presence

    def joined(self, leg_id: str, original: Peer, at: datetime | None) -> Presence:
        """Take that a call was merged into it, which its own leg told."""
        return self.join(self._presence(leg_id, host=False), original, at)

    def join(self, presence: Presence, original: Peer | None, at: datetime | None) -> Presence:
        """Take that somebody is in it, or was."""
        presence.original = presence.original or original
        presence.joined = True
        if not presence.told:  # whoever has been shown joined when they were shown
            presence.joined_at = presence.joined_at or at
        if presence.host:
            self._let_moved_go(presence)
        return presence

    def list_only(self, listed: Iterable[str], asked_at: datetime) -> None:
        """Take that an answer has only these legs: whoever an earlier one had, and this one has not, has left.

        Legs that are over stay in answers, so that this is not to be expected; who was never in one may be newer.
        """
        names = set(listed)
        for presence in self.presences.values():
            if presence.id in names:
                presence.listed_at = max(asked_at, presence.listed_at or asked_at)
            elif presence.listed_at is not None and presence.listed_at < asked_at:
                presence.left = True

    def _presence(self, leg_id: str, *, host: bool) -> Presence:
        presence = self.presences.get(leg_id)
        if presence is None:
            presence = self.presences[leg_id] = Presence(leg_id, host)
            gone = [each for each in self.presences.values() if each.left and (each.told or not each.joined)]
            if len(self.presences) > _MOST_PRESENCES and gone:
                del self.presences[gone[0].id]
        return presence

    def _be_live(self, said: Said) -> None:
        if not self.live:
            self.live, self._started_at = True, said.at or self.created_at or said.now

    def _let_moved_go(self, host: Presence) -> None:
        for other in self.presences.values():
            if other is not host and other.moved:
                other.left = True

    def _disconnected(self, presence: Presence, said: Said) -> None:
        """Let somebody go; with the host's leg the conference is over, unless the host has moved to another device.

        An answer that has the host's leg so is no such proof: it still knows the conference.
        """
        hosts = [each for each in self.presences.values() if each.host]
        if not presence.moved or any(each.joined for each in hosts if each is not presence):
            presence.left = True
        if not presence.host or said.sequence is None or self.stays_alive:
            return
        has_ended = any(each.left and not each.moved for each in hosts)
        is_up = any(each.is_here and not each.moved for each in hosts)
        self.over = has_ended and not is_up
        presence.left = presence.left and not self.over  # but leaves with the room, as all others do

    # ---- what is told of it ----

    @property
    def host(self) -> Presence | None:
        """The host's leg, while it is there; of two, while they change devices, the newer."""
        return next((each for each in reversed(self.presences.values()) if each.host and each.is_here), None)

    @property
    def deserted(self) -> bool:
        """Whether everybody has left, the host too."""
        return self.live and not any(each.is_here for each in self.presences.values())

    def find(self, participant_id: ParticipantId) -> Presence | None:
        """Give somebody who is there."""
        presence = self.presences.get(participant_id)
        return presence if presence is not None and presence.is_here else None

    def picture(self) -> Room:
        """Give the room as it is now: idle, and nobody in it, until the host is."""
        return self._picture(self._shown())

    def reports(self) -> list[Report]:
        """Give what differs from what was reported; who came and went in between is reported as both."""
        found: list[Report] = []
        fleeting = [each for each in self.presences.values() if each.joined and each.left and not each.told]
        if fleeting and self.live:
            found += self._difference([*self._shown(), *fleeting])
        return found + self._difference(self._shown())

    def ended(self) -> list[Report]:
        """Give what is to be reported now that it is over; somebody who was in it proves that it was live."""
        self.live = self.live or any(each.joined for each in self.presences.values())
        for presence in self.presences.values():
            presence.let_show()
        if self.live:
            return [*self.reports(), EndReport(room_id=self.picture().id)]
        room = self._picture((), RoomState.ENDED)
        return [PictureReport(room_id=room.id, room=room)]

    def _shown(self) -> list[Presence]:
        shown = [each for each in self.presences.values() if each.is_here and each.held_until is None]
        return sorted(shown, key=lambda each: not each.host)

    def _picture(self, people: Iterable[Presence], state: RoomState | None = None) -> Room:
        shown = [each.shown() for each in people] if self.live else []
        state = state or (RoomState.ACTIVE if self.live else RoomState.IDLE)
        return mapping.room(
            self.id, self.name, {each.id: each for each in shown}, state=state, started_at=self._started_at
        )

    def _difference(self, people: list[Presence]) -> list[Report]:
        before, now = self._reported, self._picture(people)
        if now == before:
            return []
        self._reported = now
        for presence in people if self.live else ():
            presence.told = True
        if before is None or _apart_from_people(before) != _apart_from_people(now):
            return [PictureReport(room_id=now.id, room=now)]
        if before.participants.keys() != now.participants.keys():
            return [PictureReport(room_id=now.id, room=now)]
        changed = [each for each in now.participants.values() if each != before.participants[each.id]]
        return [UpdateReport(room_id=now.id, participant=each) for each in changed]


def _is_newest(presence: Presence, said: Said) -> bool:
    """Whether this is not older than what is known of the leg; equal does no harm."""
    if said.sequence is not None:
        return said.sequence >= presence.sequence
    return said.asked_at is None or presence.said_at is None or said.asked_at >= presence.said_at


def _apart_from_people(room: Room) -> tuple[object, ...]:
    return room.state, room.name, room.started_at
