"""What one account has been told of the room it is in, by its own events alone."""

from dataclasses import dataclass, field, replace

from adapters.xivo.presences import Presence, contradict, is_another, is_later
from adapters.xivo.told import Described
from gateway.model.room import ParticipantRole


@dataclass(frozen=True, slots=True)
class Seat:
    """An account that is in a room.

    Shape: `index` and `role` are None as long as no event has told them; `unique_id` is the account's call.
    """

    login: str
    index: int | None
    role: ParticipantRole | None
    unique_id: str | None


@dataclass(slots=True, eq=False)
class Seen:
    """Whoever is in a slot by one account's view.

    Shape: `presence` is None as long as it is not clear who that is.
    Units: `at_ms` is when it was last told; `est_ms` when they joined, as first said.
    """

    described: Described
    at_ms: int
    est_ms: int | None
    presence: Presence | None = None

    def take(self, said: Described, at_ms: int) -> None:
        """Take what is said of the same one; what is not said stays as it was known."""
        known, est_ms = self.described, estimate(said, at_ms)
        if self.est_ms is None or (self.presence is not None and not self.presence.is_here):
            self.est_ms = est_ms if self.est_ms is None or is_later(est_ms, self.est_ms) else self.est_ms
        self.at_ms = at_ms
        self.described = replace(
            said,
            name=said.name or known.name,
            number=said.number or known.number,
            username=said.username or known.username,
            role=said.role or known.role,
            muted=known.muted if said.muted is None else said.muted,
            deafened=known.deafened if said.deafened is None else said.deafened,
            talking=known.talking if said.talking is None else said.talking,
        )


@dataclass(slots=True, eq=False)
class View:
    """An account's view of its room.

    Shape: `complete` views began with the account's own entering, which tells of everybody; `over` are the presences
           whose end this view has told, so that none of them is taken for the next in its slot.
    """

    login: str
    complete: bool
    unique_id: str | None
    slots: dict[int, Seen] = field(default_factory=dict)
    over: set[Presence] = field(default_factory=set)

    @property
    def seat(self) -> Seat:
        """Where the account itself sits."""
        me = self.me
        index, role = (me.described.index, me.described.role) if me else (None, None)
        return Seat(self.login, index, role, self.unique_id)

    @property
    def me(self) -> Seen | None:
        """The account itself."""
        return next((seen for seen in self.slots.values() if seen.described.is_me), None)

    def take(self, said: Described, at_ms: int, *, joining: bool) -> Seen:
        """Take what an event says of a slot."""
        seen = self.slots.get(said.index)
        if seen is not None:
            if not is_another(seen.described, seen.est_ms, said, estimate(said, at_ms), joining=joining):
                seen.take(said, at_ms)
                return seen
            self._forget(said.index, seen)
        seen = self.slots[said.index] = Seen(said, at_ms, estimate(said, at_ms))
        return seen

    def leave(self, said: Described, at_ms: int) -> Seen | None:
        """Take that somebody has left a slot; None if that is not who is in it: it was told before, or late."""
        seen = self.slots.get(said.index)
        if seen is None or contradict(seen.described, said) or is_later(seen.est_ms, estimate(said, at_ms)):
            return None
        self._forget(said.index, seen)
        return seen

    def of(self, presence: Presence) -> Seen | None:
        """Give somebody as this view has them now."""
        if presence.index is None:
            return None
        seen = self.slots.get(presence.index)
        return seen if seen is not None and seen.presence is presence else None

    def _forget(self, index: int, seen: Seen) -> None:
        del self.slots[index]
        if seen.presence is not None:
            self.over.add(seen.presence)


def estimate(said: Described, at_ms: int) -> int | None:
    """Say when somebody joined.

    Units: `since_s` is read as the seconds since that participant joined, although the page says: since the beginning
           of the conference. Its samples fit the former.
    """
    return None if said.since_s is None else at_ms - int(said.since_s * 1000)
