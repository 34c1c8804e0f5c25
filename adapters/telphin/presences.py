"""Who is in one room, as far as events and current calls show it: each once, whichever of them came first.

An event names a leg, a current call the call of a phone; what joins them is the id by which a call is hung up, or that
both are of the same phone. Events may be late, doubled or lost; what a reading does not show of a phone is over. Which
extensions are phones no event tells: callers may come by way of a menu or a queue, which are extensions too.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.telphin.events import CallTold, Kind
from adapters.telphin.mapping import CallSeen
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant

_LONGEST_STAY = timedelta(hours=24)
"""After that somebody outside is gone whose end was not told: nothing else would ever show it."""
_DEPARTED_KEPT = 512

_RANKS = {Kind.DIAL_IN: 0, Kind.ANSWER: 1, Kind.HANGUP: 2}


class _Order(NamedTuple):
    """Where an event stands among those of its leg, which come in any order."""

    at: datetime
    rank: int


def _order(told: CallTold) -> _Order | None:
    return None if told.at is None else _Order(told.at, _RANKS[told.kind])


def _is_later(order: _Order | None, other: _Order | None) -> bool:
    return order is not None and (other is None or order > other)


@dataclass(slots=True)
class _Presence:
    """Somebody who is in.

    Shape: `phone_id` is the extension they came from, None for somebody outside; `calls` by what they can be hung up,
           the best last; `last` is the latest event; `seen` the call of their phone as a reading last had it;
           `known_at` when the last proof of them arrived here, by our clock; `kicked` once their call was ended.
    """

    shown: Participant
    phone_id: str | None
    known_at: datetime
    calls: dict[str, None] = field(default_factory=dict)
    last: _Order | None = None
    seen: CallSeen | None = None
    kicked: bool = False

    @property
    def leg_id(self) -> str | None:
        return self.shown.leg_id


class _Departure(NamedTuple):
    """Somebody who was in: with the event that told it, unless a reading did, and when we came to know."""

    order: _Order | None
    known_at: datetime
    phone_id: str | None


class Seen(NamedTuple):
    """Current calls: those into this room, and those that name no room; `complete` when there are no others."""

    here: Sequence[CallSeen]
    anywhere: Sequence[CallSeen]
    complete: bool


class Presences(Mapping[ParticipantId, Participant]):
    """Who is in a room; `phones` are the extensions whose calls readings show."""

    def __init__(self, room_id: RoomId, phones: Set[str]) -> None:
        self._room_id = room_id
        self._phones = phones
        self._inside: dict[ParticipantId, _Presence] = {}
        self._departed: dict[str, _Departure] = {}
        """By leg and by call."""

    def __getitem__(self, participant_id: ParticipantId) -> Participant:
        return self._inside[participant_id].shown

    def __iter__(self) -> Iterator[ParticipantId]:
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)

    def hung_up_by(self, participant_id: ParticipantId) -> Sequence[tuple[str, str]]:
        """Say at which extensions, and by which id, somebody's call may be ended, the likeliest first."""
        presence = self._inside.get(participant_id)
        if presence is None or not presence.calls:
            return ()
        call_api_id = list(presence.calls)[-1]
        at_phone = [(presence.phone_id, call_api_id)] if presence.phone_id is not None else []
        return at_phone if presence.phone_id in self._phones else [*at_phone, (self._room_id, call_api_id)]

    def came_from(self) -> set[str]:
        """Say from which extensions people came."""
        return {each.phone_id for each in self._inside.values() if each.phone_id is not None}

    def kicked(self, participant_id: ParticipantId) -> None:
        """Know that somebody's call was ended, whether that is told or not."""
        if (presence := self._inside.get(participant_id)) is not None:
            presence.kicked = True

    # ---- events ----

    def told(self, told: CallTold, arrived_at: datetime) -> bool:
        """Take an event; True when a reading has to say which calls of a phone there still are."""
        presence = self._concerned(told)
        if presence is None:
            return self._told_of_nobody_here(told, arrived_at)
        if _is_old(presence, told):
            return False
        if told.kind is Kind.HANGUP:
            presence.calls.update(_key(told))
            self._depart(presence, _order(told), arrived_at, told.leg_id)
        else:
            if told.kind is Kind.DIAL_IN:
                # An answer proves no more: on the way, it would make who is gone since look as if they were there.
                presence.known_at, presence.kicked = arrived_at, False
            presence.last = _order(told) or presence.last
            presence.phone_id = presence.phone_id or told.caller_extension_id
            # By the id that a reading gave the phone itself can hang up: it stays the best.
            presence.calls = {**_key(told), **presence.calls}
            presence.shown = _filled(presence.shown, _of_leg(told, presence.shown.id))
        return False

    def _concerned(self, told: CallTold) -> _Presence | None:
        """Find who is in by the leg of an event; those known by their calls alone have none yet."""
        for presence in self._inside.values():
            called_back = presence.seen and f"{self._room_id}-{presence.seen.callback_id}"
            if told.leg_id in (presence.leg_id, called_back):
                return presence
        legless = [presence for presence in self._inside.values() if presence.leg_id is None]
        found = next((presence for presence in legless if told.call_api_id in presence.calls), None)
        if found is None and self._departure_of(told) is None:
            found = next((presence for presence in legless if _is_of(presence, told.caller_extension_id)), None)
        return found

    def _told_of_nobody_here(self, told: CallTold, arrived_at: datetime) -> bool:
        order, departure = _order(told), self._departure_of(told)
        if told.kind is Kind.HANGUP:
            if departure is None or _is_later(order, departure.order):
                self._remember([told.leg_id, *_key(told)], _Departure(order, arrived_at, told.caller_extension_id))
            return False
        if departure is not None and (departure.order is None or not _is_later(order, departure.order)):
            return False  # late: a leg that has come back since has a later event than its end
        phone_id = told.caller_extension_id
        twice = phone_id in self._phones and any(_is_of(other, phone_id) for other in self._inside.values())
        shown = _of_leg(told, self._new_id(told))
        shown = replace(shown, joined_at=told.at or arrived_at)
        self._inside[shown.id] = _Presence(shown, phone_id, arrived_at, _key(told), order)
        return twice

    def _new_id(self, told: CallTold) -> ParticipantId:
        """Name somebody by their call, as readings do, so that it is all one which of them comes first."""
        found = ParticipantId(f"{self._room_id}-{told.call_api_id}")
        return ParticipantId(told.leg_id) if told.call_api_id is None or found in self._inside else found

    def _departure_of(self, told: CallTold) -> _Departure | None:
        found = (self._departed.get(key) for key in (told.leg_id, *_key(told)))
        return next((each for each in found if each is not None), None)

    # ---- readings ----

    def seen(self, seen: Seen, asked_at: datetime) -> bool:
        """Take current calls; True when they and what was told meanwhile disagree.

        A call that names no room keeps those in who are in by it, and lets nobody in.
        """
        unproved = dict(self._inside)
        unknown = [call for call in seen.here if not self._proved_by_id(call, unproved, asked_at)]
        for call in seen.anywhere:
            self._proved_by_id(call, unproved, asked_at)
        unknown = [call for call in unknown if call.answered and not self._proved_by_phone(call, unproved, asked_at)]
        for presence in unproved.values():
            if seen.complete and presence.known_at < asked_at and self._is_gone(presence, asked_at):
                self._depart(presence, None, asked_at)
        entered = [self._entered_unless_left(call, asked_at) for call in unknown]
        return not all(entered)

    def _proved_by_id(self, call: CallSeen, unproved: dict[ParticipantId, _Presence], asked_at: datetime) -> bool:
        called_back = f"{self._room_id}-{call.callback_id}"
        for presence in unproved.values():
            if call.call_api_id in presence.calls or presence.leg_id == called_back:
                self._prove(presence, call, asked_at)
                del unproved[presence.shown.id]
                return True
        return False

    def _proved_by_phone(self, call: CallSeen, unproved: dict[ParticipantId, _Presence], asked_at: datetime) -> bool:
        # Readings name a call alike: who was seen in another one has left it.
        unseen = (presence for presence in unproved.values() if presence.seen is None)
        same_phone = [presence for presence in unseen if _is_of(presence, call.phone_id)]
        if not same_phone:
            return False
        latest = max(same_phone, key=lambda presence: presence.known_at)
        self._prove(latest, call, asked_at)
        del unproved[latest.shown.id]
        return True

    def _prove(self, presence: _Presence, call: CallSeen, asked_at: datetime) -> None:
        presence.known_at = max(presence.known_at, asked_at)
        presence.phone_id = call.phone_id or presence.phone_id
        presence.seen = call
        presence.calls.pop(call.call_api_id, None)
        presence.calls[call.call_api_id] = None
        presence.shown = _filled(presence.shown, _of_call(call, presence.shown.id))

    def _entered_unless_left(self, call: CallSeen, asked_at: datetime) -> bool:
        """Let somebody in whom only a current call shows; False when it is not clear whether it is over since."""
        left = self._departed.get(call.call_api_id)
        if left is not None and left.known_at > asked_at:
            return True
        since = (each for each in self._departed.values() if each.known_at > asked_at)
        if call.phone_id is not None and any(each.phone_id == call.phone_id for each in since):
            return False
        shown = _of_call(call, ParticipantId(f"{self._room_id}-{call.call_api_id}"))
        shown = replace(shown, joined_at=call.answered_at)
        calls = {call.call_api_id: None}
        self._inside[shown.id] = _Presence(shown, call.phone_id, asked_at, calls, seen=call)
        return True

    # ---- leaving ----

    def _is_gone(self, presence: _Presence, asked_at: datetime) -> bool:
        """Whether nobody proves any more that somebody is there: the call of a phone would be seen."""
        is_long_ago = asked_at - presence.known_at >= _LONGEST_STAY
        return presence.kicked or presence.phone_id in self._phones or is_long_ago

    def _depart(self, presence: _Presence, order: _Order | None, known_at: datetime, leg_id: str | None = None) -> None:
        del self._inside[presence.shown.id]
        legs = [leg for leg in (presence.leg_id, leg_id) if leg is not None]
        self._remember([*legs, *presence.calls], _Departure(order, known_at, presence.phone_id))

    def _remember(self, keys: Sequence[str], departure: _Departure) -> None:
        for key in keys:
            self._departed.pop(key, None)
            self._departed[key] = departure
        while len(self._departed) > _DEPARTED_KEPT:
            del self._departed[next(iter(self._departed))]


def _key(told: CallTold) -> dict[str, None]:
    return {} if told.call_api_id is None else {told.call_api_id: None}


def _is_of(presence: _Presence, phone_id: str | None) -> bool:
    return phone_id is not None and presence.phone_id == phone_id


def _is_old(presence: _Presence, told: CallTold) -> bool:
    """Whether an event is one that we had, or older, or of an earlier call of the same phone.

    Units: a reading's times are cut to the second, so that nothing of the call is before them.
    """
    order = _order(told)
    if order is None:
        return told.kind is not Kind.HANGUP
    if presence.last is not None:
        return order <= presence.last
    if presence.seen is None:
        return False
    since = presence.seen.answered_at if told.kind is Kind.HANGUP else presence.seen.began_at
    return since is not None and order.at < since


def _of_leg(told: CallTold, participant_id: ParticipantId) -> Participant:
    return Participant(
        id=participant_id,
        leg_id=told.leg_id,
        display_name=told.name,
        number=told.number,
        user_id=told.caller_extension_id,
    )


def _of_call(call: CallSeen, participant_id: ParticipantId) -> Participant:
    return Participant(id=participant_id, display_name=call.name, number=call.number, user_id=call.phone_id)


def _filled(known: Participant, said: Participant) -> Participant:
    """Take over what was not known yet; what was is not changed by another way to say it."""
    return replace(
        known,
        leg_id=known.leg_id or said.leg_id,
        display_name=known.display_name or said.display_name,
        number=known.number or said.number,
        user_id=known.user_id or said.user_id,
    )
