"""Who is who: when two descriptions are of one presence, and which entry of the room list is which slot of the events.

An event tells of a slot, which is given to another once it is free. The room list tells when somebody joined, and that
alone names a presence. Times of events are ours less the seconds that they say, times of lists are XiVO's own.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from adapters.xivo import mapping
from adapters.xivo.told import Described, Member
from gateway.model.ids import ParticipantId

NEAR_MS = 3_000
"""What two tellings of one moment may differ by: events count whole seconds, and arrive when they arrive."""

Key = tuple[int, int]
"""What the list alone knows of a presence: its `joinOrder` and its `joinTime`."""


class Named(Protocol):
    """Whatever has a caller's number and name."""

    @property
    def number(self) -> str | None:
        """The caller's number; None where it is withheld or not said."""

    @property
    def name(self) -> str | None:
        """The caller's name."""

    @property
    def username(self) -> str | None:
        """XiVO's user, for callers who are one."""


@dataclass(slots=True, eq=False)
class Presence:
    """Somebody in a room, from when list or event first tell of them until list or event first tell their end.

    Shape: `id` is None while it is held back: told by an event, and not yet named by a list. `told` is the last
           description by an event, which says who it is; how they are now is asked of the view that sees them. `teller`
           is the account that was told it.
    Units: `est_ms` is when they joined, as events have it; None as long as none has said since when. `joined_ms` is the
           best that is known of it; once somebody is named it stays.
    """

    joined_ms: int
    key: Key | None = None
    member: Member | None = None
    index: int | None = None
    told: Described | None = None
    teller: str | None = None
    est_ms: int | None = None
    id: ParticipantId | None = None
    held_since_ms: int | None = None
    ended_ms: int | None = None
    ended_by_list: bool = False

    @property
    def number(self) -> str | None:
        """The caller's number."""
        return (self.told and self.told.number) or (self.member and self.member.number) or None

    @property
    def name(self) -> str | None:
        """The caller's name."""
        return (self.told and self.told.name) or (self.member and self.member.name) or None

    @property
    def username(self) -> str | None:
        """XiVO's user."""
        return (self.told and self.told.username) or (self.member and self.member.username) or None

    @property
    def is_here(self) -> bool:
        """Whether nobody has told its end."""
        return self.ended_ms is None

    def take_key(self, member: Member) -> None:
        """Be the one that the list names so."""
        self.key, self.member = (member.order, member.joined_ms), member
        if self.id is None:
            self.joined_ms = member.joined_ms
            self.id = mapping.listed_id(*self.key)
        self.held_since_ms = None


def contradict(one: Named, other: Named) -> bool:
    """Whether two descriptions cannot be of one person: a number that becomes known is no contradiction."""
    return _differ(one.number, other.number) or _differ(one.username, other.username)


def is_alike(one: Named, other: Named) -> bool:
    """Whether two descriptions that were told apart from one another are likely of one person: of the same caller.

    Within one stream of events a number may become known; here that would be anybody's.
    """
    return one.number == other.number and (one.number is not None or one.name == other.name)


def is_later(est_ms: int | None, than_ms: int | None) -> bool:
    """Whether somebody joined so much later that it is another presence; False where nobody has said."""
    return None not in (est_ms, than_ms) and (est_ms or 0) - (than_ms or 0) > NEAR_MS


def is_near(est_ms: int | None, other_ms: int | None) -> bool:
    """Whether both may be the same moment; False where nobody has said."""
    return None not in (est_ms, other_ms) and abs((est_ms or 0) - (other_ms or 0)) <= NEAR_MS


def is_another(known: Named, known_est_ms: int | None, said: Described, est_ms: int | None, *, joining: bool) -> bool:
    """Whether an event about a slot is about somebody else than who is known to be in it.

    Updates are believed to be of the one who is there unless number or username say otherwise. Of a join the time and
    the name count too: with the same number, the same person has left and come back.
    """
    if contradict(known, said):
        return True
    if not joining:
        return False
    nameless = known.number is None or said.number is None
    return is_later(est_ms, known_est_ms) or (nameless and _differ(known.name, said.name))


@dataclass(slots=True)
class Clues:
    """What has been learned of one XiVO that helps to tell its people apart.

    Shape: `orders_differ` once a user was found whose `joinOrder` is not their slot. As long as nobody was, it is: so
           callers without a name are told apart.
    Units: `ahead_ms` is how far our clock is ahead of XiVO's, at most: nobody is listed before they have joined.
    """

    orders_differ: bool = False
    ahead_ms: int = 2**62


def pairs(
    listed: Collection[Presence], told: Collection[Presence], clues: Clues
) -> Iterator[tuple[Presence, Presence]]:
    """Find out which of the listed are which of those that events told of: each once, the surest first."""
    found = [
        (rank, _distance(one, other), one, other)
        for one in listed
        for other in told
        if (rank := _likeness(one, other, clues)) is not None
    ]
    found.sort(key=lambda each: each[:2])
    used: set[Presence] = set()
    for rank, _, one, other in found:
        if one in used or other in used:
            continue
        if rank == _ONLY and not _alone(one, other, [each for each in found if not used & {each[2], each[3]}]):
            continue
        used |= {one, other}
        clues.orders_differ |= rank > _SLOT
        yield one, other


_Candidate = tuple[int, int, Presence, Presence]
_SLOT_AND_TIME, _SLOT, _TIME, _ONLY = range(4)


def _likeness(listed: Presence, told: Presence, clues: Clues) -> int | None:
    """Say how sure it is that both are one; None if they are not.

    `joinOrder` is likely the same number as the events' index, and nobody says so: it counts only together with what
    is known of the person.
    """
    if listed.member is None or contradict(listed, told) or None not in (listed.id, told.id):
        return None
    at_slot = listed.member.order == told.index
    if not is_alike(listed.member, told) or (listed.member.name != told.name and not at_slot):
        return None
    if not at_slot and not clues.orders_differ and None in (listed.username, told.username):
        return None
    joined_ms = listed.member.joined_ms
    if is_near(told.est_ms, joined_ms):
        return _SLOT_AND_TIME if at_slot else _TIME
    if not told.is_here or (told.est_ms is not None and is_later(told.est_ms - clues.ahead_ms, joined_ms)):
        return None  # one of them has left, and the same caller has come back
    return _SLOT if at_slot else _ONLY


def _distance(listed: Presence, told: Presence) -> int:
    return abs(told.joined_ms - listed.member.joined_ms) if listed.member else 0


def _alone(one: Presence, other: Presence, among: list[_Candidate]) -> bool:
    """Whether there is no other choice for either."""
    return not any((each[2] is one) != (each[3] is other) for each in among)


def _differ(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and one != other
