"""Who is in one room, as far as events and current calls show it: each once, whichever of them came first.

An event names a leg, a current call the call of a phone; what joins them is the id by which a call is hung up, or that
both are of the same phone. Events may be late, doubled or lost; what a reading does not show of a phone is over.
"""

from collections.abc import Iterator, Mapping, Sequence
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
_CUT = timedelta(seconds=1)
"""To what a reading's times are cut."""

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

    Shape: `phone_id` is the extension they are on, None for somebody outside; `calls` by what they can be hung up, the
           best last; `last` is the latest event; `seen` the call of their phone as a reading last had it; `known_at`
           when the last proof of them arrived here, by our clock.
    """

    shown: Participant
    phone_id: str | None
    known_at: datetime
    calls: dict[str, None] = field(default_factory=dict)
    last: _Order | None = None
    seen: CallSeen | None = None

    @property
    def leg_id(self) -> str | None:
        return self.shown.leg_id


class _Departure(NamedTuple):
    """Somebody who was in: with the event that told it, unless a reading did, and when we came to know."""

    order: _Order | None
    known_at: datetime
    phone_id: str | None


class Presences(Mapping[ParticipantId, Participant]):
    """Who is in a room."""

    def __init__(self, room_id: RoomId) -> None:
        self._room_id = room_id
        self._inside: dict[ParticipantId, _Presence] = {}
        self._departed: dict[str, _Departure] = {}
        """By leg and by call."""

    def __getitem__(self, participant_id: ParticipantId) -> Participant:
        return self._inside[participant_id].shown

    def __iter__(self) -> Iterator[ParticipantId]:
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)

    def hung_up_by(self, participant_id: ParticipantId) -> tuple[str, str] | None:
        """Say at which extension, and by which id, somebody's call can be ended; None where no id is known."""
        presence = self._inside.get(participant_id)
        if presence is None or not presence.calls:
            return None
        return presence.phone_id or self._room_id, list(presence.calls)[-1]

    # ---- events ----

    def told(self, told: CallTold, arrived_at: datetime) -> None:
        """Take an event."""
        presence = self._concerned(told)
        if presence is None:
            self._told_of_nobody_here(told, arrived_at)
        elif _is_old(presence, told):
            return
        elif told.kind is Kind.HANGUP:
            presence.calls.update(_key(told))
            self._depart(presence, _order(told), arrived_at, told.leg_id)
        else:
            presence.known_at = arrived_at if _is_another_visit(presence, told) else presence.known_at
            presence.last = _order(told) or presence.last
            presence.phone_id = presence.phone_id or told.caller_extension_id
            # By the id that a reading gave the phone itself can hang up: it stays the best.
            presence.calls = {**_key(told), **presence.calls}
            presence.shown = _filled(presence.shown, _of_leg(told, presence.shown.id))

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

    def _told_of_nobody_here(self, told: CallTold, arrived_at: datetime) -> None:
        order, departure = _order(told), self._departure_of(told)
        if told.kind is Kind.HANGUP:
            if departure is None or _is_later(order, departure.order):
                self._remember([told.leg_id, *_key(told)], _Departure(order, arrived_at, told.caller_extension_id))
            return
        if departure is not None and (departure.order is None or not _is_later(order, departure.order)):
            return  # late: a leg that has come back since has a later event than its end
        for other in list(self._inside.values()):
            if other.leg_id is not None and _is_of(other, told.caller_extension_id):
                # A phone is in a room once: the end of one of its calls was lost, or this is late.
                if order is None or (other.last is not None and order < other.last):
                    return
                self._depart(other, None, arrived_at)
        shown = _of_leg(told, self._new_id(told))
        shown = replace(shown, joined_at=told.at or arrived_at)
        self._inside[shown.id] = _Presence(shown, told.caller_extension_id, arrived_at, _key(told), order)

    def _new_id(self, told: CallTold) -> ParticipantId:
        """Name somebody by their call, as readings do, so that it is all one which of them comes first."""
        found = ParticipantId(f"{self._room_id}-{told.call_api_id}")
        return ParticipantId(told.leg_id) if told.call_api_id is None or found in self._inside else found

    def _departure_of(self, told: CallTold) -> _Departure | None:
        found = (self._departed.get(key) for key in (told.leg_id, *_key(told)))
        return next((each for each in found if each is not None), None)

    # ---- readings ----

    def seen(self, calls: Sequence[CallSeen], asked_at: datetime) -> bool:
        """Take all current calls between phones and this room; True when they and what was told meanwhile disagree."""
        unproved = dict(self._inside)
        unknown = [call for call in calls if not self._proved_by_id(call, unproved, asked_at)]
        unknown = [call for call in unknown if call.answered and not self._proved_by_phone(call, unproved, asked_at)]
        for presence in unproved.values():
            if presence.known_at < asked_at and _is_gone(presence, asked_at):
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
        presence.phone_id = presence.phone_id or call.phone_id
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


def _is_another_visit(presence: _Presence, told: CallTold) -> bool:
    """Whether an event proves more than was known of somebody who is in: that they have come once more.

    Shape: not an answer, which only follows a dial-in, nor the dial-in to a call that a reading has shown: on the way,
           they would make who is gone since look as if they were there still.
    """
    if told.leg_id != presence.leg_id and told.call_api_id not in presence.calls:
        return True
    if told.kind is Kind.ANSWER or told.at is None:
        return False
    since = None if presence.seen is None else presence.seen.answered_at
    return since is None or told.at >= since + _CUT


def _is_gone(presence: _Presence, asked_at: datetime) -> bool:
    """Whether nobody proves any more that somebody is there: the call of a phone would be seen."""
    return presence.phone_id is not None or asked_at - presence.known_at >= _LONGEST_STAY


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
