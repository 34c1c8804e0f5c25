"""One conference: what events and readings say of it and its members, whichever of them comes first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.bandwidth import mapping
from adapters.bandwidth.calls import Calls
from adapters.bandwidth.events import MemberTold
from adapters.bandwidth.wire import ConferenceJson, MemberJson
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport, PictureReport, Report
from gateway.model.room import Participant, Room

_BELIEVED_MISSING = 2
"""Lists keep those who left: that one lacks somebody may just as well be that its answer was overtaken."""


@dataclass(slots=True, eq=False)
class Member:
    """A presence, from when it is first heard of; its id is never given to another, so that `over` is for ever.

    Shape: `muted` and `on_hold` are its own flags. `missing` is how many readings in a row did not list it, which is
           not to be expected: after the second it is not shown, and comes back only by a reading. `last` is the event
           that is the latest by its own time, `told_at` when one that was believed arrived here, and `read_at` when the
           last reading that had it was asked for.
    """

    id: str
    call_id: str | None = None
    muted: bool | None = None
    on_hold: bool | None = None
    joined_at: datetime | None = None
    over: bool = False
    missing: int = 0
    last: MemberTold | None = None
    told_at: datetime | None = None
    read_at: datetime | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing has been said of it yet."""
        return self.last is None and self.told_at is None and self.read_at is None

    def told_since(self, asked_at: datetime) -> bool:
        """Whether an event about it was believed after that."""
        return self.told_at is not None and self.told_at >= asked_at

    def is_outdated(self, told: MemberTold) -> bool:
        """Whether an event was told before, or is older than one that was; not one of leaving, which always counts."""
        if not told.present or told.at is None or self.last is None or self.last.at is None:
            return False
        return told == self.last or told.at < self.last.at

    def is_newest(self, told: MemberTold) -> bool:
        """Whether an event is known to be newer than all that was told and read before.

        Its time is Bandwidth's, the reading's ours: clocks that differ cost a needless reading, or a wrong flag until
        the next one.
        """
        if told.at is None:
            return False
        before = (self.last.at if self.last else None, self.read_at)
        return all(each is None or told.at > each for each in before)


class Conference:
    """A conference that is served, and all who have been in it: it ends after a day, so that they do not pile up.

    Shape: `muted` and `on_hold` are its own flags, which only a reading tells. `calls` are those of all conferences.
    """

    def __init__(self, conference_id: str, calls: Calls) -> None:
        self.id = conference_id
        self.name: str | None = None
        self.muted: bool | None = None
        self.on_hold: bool | None = None
        self.active = False
        self._calls = calls
        self._facts: ConferenceJson | None = None
        self._members: dict[str, Member] = {}
        self._started_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._newest_at: datetime | None = None
        self._count: int | None = None
        self._counted_at: datetime | None = None
        self._reported: Room | None = None

    @property
    def was_read(self) -> bool:
        """Whether enough is known to show it."""
        return self._facts is not None

    @property
    def created_at(self) -> datetime | None:
        """When it was created, as far as was read."""
        return mapping.instant(self._facts.get("createdTime")) if self._facts else None

    @property
    def here(self) -> Iterator[Member]:
        """Those who are in it."""
        return (each for each in self._members.values() if not each.over and each.missing < _BELIEVED_MISSING)

    def find(self, member_id: str) -> Member | None:
        """Give somebody who is in it."""
        return next((each for each in self.here if each.id == member_id), None)

    # ---- what events tell ----

    def told(self, told: MemberTold, at: datetime) -> list[Report]:
        """Take what an event tells of a member; `at` is when it arrived here."""
        member = self._members.setdefault(told.member_id, Member(told.member_id))
        if member.over or member.is_outdated(told):
            return []
        member.call_id = member.call_id or told.call_id
        if not told.present:
            member.over, member.told_at = True, at
            return self.settled(self._counts_otherwise(told, at))
        if not member.is_new and (member.missing or not member.is_newest(told)):
            member.last = told if told.at is not None else member.last
            return self.settled(member.missing > 0 or self._contradicts(member, told))
        doubtful = self._believe(member, told, at)
        return self.settled(self._counts_otherwise(told, at) or doubtful)

    def _believe(self, member: Member, told: MemberTold, at: datetime) -> bool:
        """Take over what is said of somebody who is there; True when something else has changed than that.

        Why was an event sent that tells nothing new? It may be that the conference was muted, which none tells.
        """
        before = None if member.is_new else (member.muted, member.on_hold)
        hidden = self._hides(member, told)
        if member.is_new:
            member.joined_at = told.at
            self._started_at = told.at if not self.active and told.active_members == 1 else self._started_at
        member.last, member.told_at = told, at
        member.muted = _own(member.muted, told.muted, self.muted)
        member.on_hold = _own(member.on_hold, told.on_hold, self.on_hold)
        return before == (member.muted, member.on_hold) or hidden

    def _contradicts(self, member: Member, told: MemberTold) -> bool:
        """Whether an event, which may be older than what is known, says otherwise."""
        muted, on_hold = mapping.effective(self.muted, member.muted), mapping.effective(self.on_hold, member.on_hold)
        return told.muted not in (None, member.muted, muted) or told.on_hold not in (None, member.on_hold, on_hold)

    def _hides(self, member: Member, told: MemberTold) -> bool:
        """Whether the conference is muted, or on hold, as a whole, so that what an event says can be taken two ways.

        False may be the member's own flag, or say that the conference has it no longer; True may be of either.
        """
        pairs = (self.muted, member.muted, told.muted), (self.on_hold, member.on_hold, told.on_hold)
        return any(whole and said is not None and not (said and own) for whole, own, said in pairs)

    def _counts_otherwise(self, told: MemberTold, at: datetime) -> bool:
        """Whether others have come or gone of whom nothing was told; only the latest event can tell."""
        if told.at is None or (self._newest_at is not None and told.at < self._newest_at):
            return False
        self._newest_at = told.at
        if told.active_members is None:
            return False
        self._count, self._counted_at = told.active_members, at
        return told.active_members != len(list(self.here))

    # ---- what answers tell ----

    def read(self, facts: ConferenceJson, members: Sequence[MemberJson] | None, asked_at: datetime) -> list[Report]:
        """Take a reading, with the members if they were asked for too; `asked_at` is when the first question went out.

        What an event told since then holds, and where the reading says otherwise, another one has to decide.
        """
        if self._asked_at is not None and asked_at < self._asked_at:
            return []  # the answer to a later question overtook it
        self._asked_at = asked_at
        self._newest_at = max(self._newest_at or asked_at, asked_at)
        self._facts = facts
        if self._counted_at is None or self._counted_at < asked_at:
            self._count = mapping.count(facts.get("activeMembers"))
        self.muted = _unset(self.muted, mapping.flag(facts.get("mute")))
        self.on_hold = _unset(self.on_hold, mapping.flag(facts.get("hold")))
        self.active = self.active or facts.get("state") == "active"
        return self.settled(members is not None and self._read_members(members, asked_at))

    def _read_members(self, members: Sequence[MemberJson], asked_at: datetime) -> bool:
        listed = {each["id"]: each for each in members}
        doubts = [self._read_member(each, asked_at) for each in listed.values()]
        for member in self._members.values():
            if member.id in listed or member.told_since(asked_at):
                member.missing = 0
            else:
                member.missing += 1
                doubts.append(not member.over and member.missing < _BELIEVED_MISSING)
        self._started_at = min((each.joined_at for each in self._members.values() if each.joined_at), default=None)
        return any(doubts)

    def _read_member(self, read: MemberJson, asked_at: datetime) -> bool:
        """Take over one member; True when an event since then says otherwise."""
        member = self._members.setdefault(read["id"], Member(read["id"]))
        member.read_at = asked_at
        member.call_id = mapping.call_of(read) or member.call_id
        member.joined_at = mapping.instant(read.get("addedTime")) or member.joined_at
        member.over = member.over or mapping.has_left(read)
        muted = _unset(member.muted, mapping.flag(read.get("mute")))
        on_hold = _unset(member.on_hold, mapping.flag(read.get("hold")))
        if not member.told_since(asked_at):
            member.muted, member.on_hold = muted, on_hold
            return False
        hidden = member.last is not None and self._hides(member, member.last)
        return not member.over and (hidden or (muted, on_hold) != (member.muted, member.on_hold))

    # ---- what it comes to ----

    def settled(self, doubtful: bool = False) -> list[Report]:
        """Report what has changed, and whether it has to be read; the one without the other if nothing was read yet."""
        for member in self._members.values():
            member.over = member.over or self._calls.is_over(member.call_id)
        self.active = self.active or bool(self._members)
        doubts: list[Report] = [DoubtReport(room_id=RoomId(self.id))] if doubtful or not self.was_read else []
        room = self.picture()
        if room is None or room == self._reported:
            return doubts
        self._reported = room
        return [PictureReport(room_id=room.id, room=room), *doubts]

    def picture(self) -> Room | None:
        """Give it as it is now; None as long as nothing was read."""
        if self._facts is None:
            return None
        facts = self._facts.copy()
        facts["activeMembers"] = self._count
        if self.active:
            facts["state"] = "active"
        people = [self._shown(each) for each in self.here]
        return mapping.room(
            facts,
            self.name,
            {each.id: each for each in people},
            active=self.active,
            on_hold=self.on_hold,
            started_at=self._started_at,
        )

    def _shown(self, member: Member) -> Participant:
        return mapping.participant(
            member.id,
            call_id=member.call_id,
            number=self._calls.number(member.call_id),
            muted=mapping.effective(self.muted, member.muted),
            on_hold=mapping.effective(self.on_hold, member.on_hold),
            joined_at=member.joined_at,
        )

    def member_of_call(self, call_id: str) -> ParticipantId | None:
        """Give who is in it by a call."""
        return next((ParticipantId(each.id) for each in self.here if each.call_id == call_id), None)


def _own(before: bool | None, told: bool | None, of_conference: bool | None) -> bool | None:
    """Say what the own flag of a member is after an event: while the conference has it set, a True proves nothing."""
    if told is None or (told and before):
        return before
    return None if told and of_conference else told


def _unset(before: bool | None, read: bool | None) -> bool | None:
    """Take a flag from a reading: once it was told, that it is missing says that it is not set any more."""
    return False if read is None and before is not None else read
