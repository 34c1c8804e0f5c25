"""One room: who is in it, by the room list and by the accounts that sit in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from adapters.xivo import mapping
from adapters.xivo.presences import (
    NEAR_MS,
    Clues,
    Key,
    Presence,
    is_alike,
    is_another,
    is_later,
    is_near,
    pairs,
)
from adapters.xivo.told import Described, ListedRoom, Member
from adapters.xivo.views import Seen, View, estimate
from gateway.model.ids import ParticipantId
from gateway.model.reports import PictureReport, Report, UpdateReport
from gateway.model.room import Participant, Room

_DEPARTED_KEPT = 256
LIST_LAGS_MS = 30_000
"""How long a list may still show somebody whose leave an event told; after that the list is believed."""


@dataclass(slots=True)
class Known:
    """What all rooms of one XiVO have in common."""

    has_lists: bool = True
    clues: Clues = field(default_factory=Clues)


class Scene:
    """A room and the presences in it, each known to list, events, or both; pure but for what it remembers.

    Shape: of the accounts inside, the first with a complete view is the *source*: its events alone make reports, since
           the others tell the same, earlier or later. `reports` are those not yet taken.
    """

    def __init__(self, number: str, known: Known) -> None:
        self.number = number
        self.listed: ListedRoom | None = None
        self.told_name: str | None = None
        self.views: dict[str, View] = {}
        self.here: list[Presence] = []
        self.doubted = False
        self._known = known
        self._slots: dict[int, Presence] = {}
        self._departed: list[Presence] = []
        self._named_ms: dict[int, int] = {}
        self._reported: Room | None = None
        self._reports: list[Report] = []

    @property
    def source(self) -> View | None:
        """Whose events are believed: the first complete view, else the first."""
        views = self.views.values()
        return next((view for view in views if view.complete), next(iter(views), None))

    @property
    def held(self) -> list[Presence]:
        """Those whose name is still awaited from the list."""
        return [presence for presence in self.here if presence.id is None]

    # ---- the room list ----

    def is_known(self, listed: ListedRoom) -> bool:
        """Whether a list says what the one before said, and nobody else tells of this room.

        So it is with most rooms of most lists: xuc sends all of them whenever one changes.
        """
        return listed == self.listed and not (self.views or self.held or self._departed or self.doubted)

    def take_list(self, listed: ListedRoom, now_ms: int, asked_ms: int | None) -> None:
        """Take what a list says of this room."""
        self.listed = listed
        members: dict[Key, Member] = {(each.order, each.joined_ms): each for each in listed.members}
        self._end_unlisted(members, now_ms)
        self._settle_rest(now_ms)
        known = {presence.key: presence for presence in self.here}
        late = self._late(now_ms)
        for key, member in members.items():
            if (presence := known.get(key)) is not None:
                presence.member = member
            elif key not in late:
                self.here.append(Presence(joined_ms=member.joined_ms, key=key, member=member))
        self._match()
        self.doubted = False
        for presence in self.here:
            if presence.id is None and presence.member is not None:
                presence.take_key(presence.member)
            if asked_ms is not None:
                self._correct(presence, asked_ms)

    def is_unlisted(self, now_ms: int) -> None:
        """Take that a list leaves this room out: it says nothing any more of those inside."""
        self.listed, self.doubted = None, False
        for presence in [each for each in self.here if each.index is None]:
            self._end(presence, now_ms, by_list=True)

    def _end_unlisted(self, members: dict[Key, Member], now_ms: int) -> None:
        """End whom a list had and this one has not; and whom nobody has seen for longer than lists lag."""
        source = self.source
        for presence in list(self.here):
            if presence.key is not None:
                gone = presence.key not in members
            else:
                unseen = source is None or source.of(presence) is None
                gone = unseen and presence.id is not None and now_ms - presence.joined_ms > NEAR_MS
            if gone:
                self._end(presence, now_ms, by_list=True)

    def _settle_rest(self, now_ms: int) -> None:
        """Let those be here of whom it was not clear whether they or others are in their slot."""
        source = self.source
        for seen in source.slots.values() if source else ():
            if source is not None and seen.presence is None:
                self._recognise(source, seen, joining=True)
                self._settle(source, seen, now_ms)

    def _late(self, now_ms: int) -> set[Key | None]:
        """Give the keys that this list may still show although events have told the end; forget the other departed."""
        self._departed = [each for each in self._departed if now_ms - (each.ended_ms or 0) <= LIST_LAGS_MS]
        return {each.key for each in self._departed if not each.ended_by_list}

    def _correct(self, presence: Presence, asked_ms: int) -> None:
        """Believe the answer to a question rather than an event from well before the question."""
        muted = presence.member.muted if presence.member else None
        if muted is None:
            return
        for view in self.views.values():
            seen = view.of(presence)
            if seen is not None and asked_ms - seen.at_ms >= _OLDER_MS:
                seen.described = replace(seen.described, muted=muted)

    # ---- the accounts inside ----

    def enter(self, view: View, people: Iterable[Described], now_ms: int) -> None:
        """Take what an account finds in the room: everybody who is there. `view` is new, and may replace a former."""
        before = self.views.get(view.login)
        if before is not None:
            view.over = before.over
        self.views[view.login] = view
        for described in people:
            view.take(described, now_ms, joining=True)
        if self.source is view:
            self._follow(view, now_ms)
        self.doubted |= any(each.index is None for each in self.here)

    def sit(self, view: View) -> None:
        """Take that an account is in the room and has not been told of who is there."""
        self.views.setdefault(view.login, view)

    def rise(self, login: str, now_ms: int, *, left: bool) -> None:
        """Take that a view is no more; `left` says that the account itself has left the room."""
        before = self.source
        view = self.views.pop(login)
        me = view.me
        if left and me is not None:
            self._recognise(view, me, joining=True)
            if me.presence is not None and me.presence.is_here:
                self._end(me.presence, now_ms)
        after = self.source
        if after is not None and after is not before:
            self._follow(after, now_ms)

    # ---- one person ----

    def tell(self, view: View, said: Described, now_ms: int, *, joining: bool) -> None:
        """Take what an account is told of somebody who is there, and report what has changed."""
        seen, is_source = view.take(said, now_ms, joining=joining), self.source is view
        self._recognise(view, seen, joining=joining or not is_source)
        known = seen.presence
        if is_source:
            self._settle(view, seen, now_ms)
        if not joining and known is not None and known.is_here:
            self._report_update(known)
        else:
            self._match()
            self.report()

    def leave(self, view: View, said: Described, now_ms: int) -> None:
        """Take that an account is told that somebody has left."""
        before = view.slots.get(said.index)
        if before is not None:
            self._recognise(view, before, joining=self.source is not view)
            seen = view.leave(said, now_ms)
            gone = seen.presence if seen else None
        else:
            # A view that is complete has lost nobody: this is a leave told twice.
            gone = None if view.complete else self._slots.get(said.index)
            if gone is not None and (not is_alike(gone, said) or is_later(gone.est_ms, estimate(said, now_ms))):
                gone = None
            self.doubted |= not view.complete
        if gone is not None and gone.is_here and self.source is view:
            self._end(gone, now_ms)

    def now(self, view: View, participant_id: ParticipantId) -> Described | None:
        """Give a participant as a view has its slot now; None when they left or the slot is somebody else's there."""
        presence = next((each for each in self.here if each.id == participant_id), None)
        if presence is None or presence.index is None:
            return None
        seen = view.slots.get(presence.index)
        if seen is None:
            return None
        self._recognise(view, seen, joining=True)
        return seen.described if seen.presence is presence else None

    def is_disputed(self, participant_id: ParticipantId) -> bool:
        """Whether list and events say otherwise of whether somebody is muted: one of them lags, or was lost."""
        presence = next((each for each in self.here if each.id == participant_id), None)
        if presence is None or presence.member is None or self.source is None:
            return False
        seen = self.source.of(presence)
        said = {presence.member.muted, seen.described.muted if seen else None}
        return said == {True, False}

    # ---- who is who ----

    def _follow(self, view: View, now_ms: int) -> None:
        """Take a view as the source: a complete one tells everybody, and differences to what was known are reports."""
        for seen in list(view.slots.values()):
            self._recognise(view, seen, joining=True)
            self._settle(view, seen, now_ms)
        self._match()
        if not view.complete:
            return
        for presence in [each for each in self.here if each.index is not None and view.of(each) is None]:
            young = now_ms - presence.joined_ms <= NEAR_MS and presence not in view.over
            if not (young and self._known.has_lists):
                self._end(presence, now_ms)

    def _recognise(self, view: View, seen: Seen, *, joining: bool) -> None:
        """Find out which presence a view means, if it is one that is known."""
        if seen.presence is not None:
            return
        holder = self._slots.get(seen.described.index)
        if holder is not None and holder not in view.over and self._is(holder, seen, joining=joining):
            seen.presence = holder
            return
        # Other views, or the list, may have told more than this one: then it means somebody who has left.
        clues = self._known.clues
        departed = [each for each in self._departed if each not in view.over and _may_be(each, seen, clues)]
        unbound = [each for each in self.here if each.index is None and _may_be(each, seen, clues)]
        best = min([*departed, *unbound], key=lambda each: _unlikeness(each, seen.described), default=None)
        if best is not None and not best.is_here:
            seen.presence, best.index = best, seen.described.index

    @staticmethod
    def _is(holder: Presence, seen: Seen, *, joining: bool) -> bool:
        if not is_alike(holder, seen.described) or is_later(holder.est_ms, seen.est_ms):
            return False
        return not is_another(holder, holder.est_ms, seen.described, seen.est_ms, joining=joining)

    def _settle(self, view: View, seen: Seen, now_ms: int) -> None:
        """Let whoever the source means be here, and whom it had in the same slot be gone.

        A view that has become the source may be behind: that somebody has left of whom only another view told, is not
        believed unless the times show it. The list knows.
        """
        index = seen.described.index
        if seen.presence is None:
            holder = self._slots.get(index)
            if holder is not None:
                sure = holder.teller == view.login or is_later(seen.est_ms, holder.est_ms) or not self._known.has_lists
                if holder not in view.over and (is_later(holder.est_ms, seen.est_ms) or not sure):
                    self.doubted = True
                    return
                self._end(holder, now_ms)
            joined_ms = now_ms if seen.est_ms is None else seen.est_ms
            seen.presence = Presence(joined_ms=joined_ms, index=index, held_since_ms=now_ms)
            self.here.append(seen.presence)
            self._slots[index] = seen.presence
        seen.presence.told, seen.presence.teller = seen.described, view.login
        if seen.presence.est_ms is None:
            seen.presence.est_ms = seen.est_ms

    def _match(self) -> None:
        """Bring those of the list and those of the events together, and name who need not wait for a list."""
        unbound = [each for each in self.here if each.key is not None and each.index is None]
        told = [each for each in self.here if each.key is None]
        if unbound:
            orders_differed = self._known.clues.orders_differ
            self._match_told(unbound, told)
            if self._known.clues.orders_differ is not orders_differed:
                self._match_told(unbound, told)
        if unbound:
            self._match_returned(unbound)
        if not self._known.has_lists:
            for presence in told:
                self._name(presence)

    def _match_told(self, unbound: list[Presence], told: list[Presence]) -> None:
        nameless = [each for each in self._departed if each.key is None and not each.ended_by_list]
        for listed, other in pairs(unbound, [*told, *nameless], self._known.clues):
            unbound.remove(listed)
            self.here.remove(listed)
            other.key, other.member = listed.key, listed.member
            if other.is_here:
                told.remove(other)
                if listed.id is not None:
                    other.id, other.joined_ms, other.held_since_ms = listed.id, listed.joined_ms, None
                elif listed.member is not None:
                    other.take_key(listed.member)

    def _match_returned(self, unbound: list[Presence]) -> None:
        """Recognise whom the source sees in the slot of somebody who, says the list, is gone: the same caller again."""
        for seen in self.source.slots.values() if self.source else ():
            gone = seen.presence
            if gone is None or gone.is_here or not is_later(seen.est_ms, gone.joined_ms):
                continue
            for listed in unbound:
                if is_alike(listed, seen.described) and is_near(seen.est_ms, listed.joined_ms):
                    seen.presence = listed
                    listed.index, listed.est_ms, listed.told = seen.described.index, seen.est_ms, seen.described
                    self._slots[seen.described.index] = listed
                    unbound.remove(listed)
                    break

    def _end(self, presence: Presence, now_ms: int, *, by_list: bool = False) -> None:
        if presence.id is None:
            self._name(presence)
            self.report()
        self.here.remove(presence)
        if presence.index is not None and self._slots.get(presence.index) is presence:
            del self._slots[presence.index]
        presence.ended_ms, presence.ended_by_list = now_ms, by_list
        self._departed = [*self._departed[1 - _DEPARTED_KEPT :], presence]
        for view in self.views.values():
            view.over.intersection_update([*self.here, *self._departed])

    # ---- what is told on ----

    def name_held(self, until_ms: int) -> None:
        """Name those that have been held back since that moment or longer."""
        for presence in self.held:
            if presence.held_since_ms is not None and presence.held_since_ms <= until_ms:
                self._name(presence)

    def _name(self, presence: Presence) -> None:
        """Name somebody whom no list has had in time."""
        if presence.id is not None:
            return
        index = presence.index or 0
        joined_ms = max(presence.joined_ms, self._named_ms.get(index, 0) + 1)  # estimates may repeat, names must not
        self._named_ms[index] = joined_ms
        presence.id, presence.held_since_ms = mapping.told_id(index, joined_ms), None

    def report(self) -> None:
        """Report the room as it is now, if it was reported otherwise or not at all."""
        picture = self.picture()
        if picture != self._reported:
            self._reported = picture
            self._reports.append(PictureReport(room_id=picture.id, room=picture))

    def _report_update(self, presence: Presence) -> None:
        """Report what has become of somebody who has been reported: cheaper than to compare the whole room."""
        current, before = self._participant(presence), self._reported
        known = before.participants.get(current.id) if before else None
        if before is None or known is None:
            self.report()
        elif current != known:
            self._reported = replace(before, participants={**before.participants, current.id: current})
            self._reports.append(UpdateReport(room_id=before.id, participant=current))

    def reports(self) -> list[Report]:
        """Take the reports."""
        taken, self._reports = self._reports, []
        return taken

    def picture(self) -> Room:
        """Give the room as it is now."""
        people = [self._participant(presence) for presence in self.here if presence.id is not None]
        source = self.source
        return mapping.room(
            self.number,
            self.listed,
            self.told_name,
            {each.id: each for each in people},
            active=bool(self.here),
            detailed=source is not None and source.complete,
        )

    def _participant(self, presence: Presence) -> Participant:
        source = self.source
        seen = source.of(presence) if source else None
        sitting = (view.login for view in self.views.values() if (own := view.of(presence)) and own.described.is_me)
        return mapping.participant(
            presence.id or ParticipantId(""),
            member=presence.member,
            described=seen.described if seen else _who(presence.told),
            index=presence.index,
            user_id=next(sitting, None),
            joined_ms=presence.joined_ms,
        )


_OLDER_MS = 1_000


def _who(told: Described | None) -> Described | None:
    """Keep who somebody is when nobody sees any longer how they are."""
    return told and Described(index=told.index, name=told.name, number=told.number, username=told.username)


def _may_be(presence: Presence, seen: Seen, clues: Clues) -> bool:
    """Whether somebody whom no event of this view has told may be the one it sees."""
    described, joined_ms = seen.described, presence.joined_ms if presence.est_ms is None else presence.est_ms
    if not is_alike(presence, described) or not is_near(seen.est_ms, joined_ms):
        return False
    other_caller, other_slot = _unlikeness(presence, described)
    return not other_slot or (clues.orders_differ and presence.index is None and not other_caller)


def _unlikeness(presence: Presence, described: Described) -> tuple[bool, bool]:
    """Give, for comparing, whether somebody differs from a description in the caller and in the slot."""
    other_caller = (presence.number, presence.name) != (described.number, described.name)
    return other_caller, _slot_of(presence) != described.index


def _slot_of(presence: Presence) -> int | None:
    """Say where somebody sits, or is likely to."""
    if presence.index is None and presence.member is not None:
        return presence.member.order
    return presence.index
