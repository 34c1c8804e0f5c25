"""Which rooms and participants a list lets through, and in which order it shows them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import strawberry

from gateway.live.link import Link
from gateway.live.table import RoomAt
from gateway.model.events import ChangedField, Event, ParticipantJoined, ParticipantLeft, ParticipantUpdated
from gateway.model.ids import BackendId, RoomKey
from gateway.model.room import Participant, ParticipantRole, Room, RoomState
from gateway.schema.enums import BackendKind, ParticipantEventKind, RoomOrder
from gateway.schema.errors import invalid
from gateway.schema.ids import MalformedId, parse_backend, parse_room
from gateway.schema.paging import Key, Order
from gateway.schema.told import given, may_give

_NEVER = 1
"""Sorts what has no time behind everything that has."""


@strawberry.input(description="Which rooms; all conditions given must hold, and an empty list lets nothing through.")
class RoomFilter:
    """Which rooms."""

    backend_ids: list[strawberry.ID] | None = may_give("Rooms of these backends.")
    backend_kinds: list[BackendKind] | None = may_give("Rooms of backends of these kinds.")
    states: list[RoomState] | None = may_give("Rooms in one of these states.")
    search: str | None = may_give("Part of the room's name or of one of its numbers, ignoring case.")
    has_participant: str | None = may_give(
        "Part of the name, number or username of somebody who is in the room now, ignoring case."
    )


@strawberry.input(description="Which participants; all conditions given must hold.")
class ParticipantFilter:
    """Which participants."""

    roles: list[ParticipantRole] | None = may_give("Those with one of these roles.")
    muted: bool | None = may_give("True: the muted ones. False: those known not to be muted.")
    talking: bool | None = may_give("True: those who talk now. False: those known not to talk.")
    search: str | None = may_give("Part of the name, number or username, ignoring case.")


@strawberry.input(description="Which events; all conditions given must hold, and an empty list lets nothing through.")
class ParticipantEventFilter:
    """Which events about participants."""

    room_ids: list[strawberry.ID] | None = may_give("Events in these rooms, whether they exist already or not.")
    backend_ids: list[strawberry.ID] | None = may_give("Events in rooms of these backends.")
    kinds: list[ParticipantEventKind] | None = may_give("Events of these kinds.")
    include_talking: bool | None = strawberry.field(
        default=True, description="False: leave out updates in which nothing but `talking` changed."
    )


@dataclass(frozen=True, slots=True)
class RoomMatch:
    """A room filter, made ready to be asked often. None: no such condition."""

    backend_ids: Collection[BackendId] | None = None
    states: Collection[RoomState] | None = None
    search: str | None = None
    has_participant: str | None = None

    def __call__(self, key: RoomKey, room: Room) -> bool:
        """Whether a room is let through."""
        return (
            (self.backend_ids is None or key.backend_id in self.backend_ids)
            and (self.states is None or room.state in self.states)
            and (self.search is None or _within(self.search, room.name, *(room.numbers or ())))
            and (
                self.has_participant is None
                or any(_is_called(self.has_participant, each) for each in room.participants.values())
            )
        )


def room_match(wanted: RoomFilter | None, links: Mapping[BackendId, Link]) -> RoomMatch:
    """Make a filter ready.

    Errors: RequestError.
    """
    if not (wanted := given(wanted)):
        return RoomMatch()
    backend_ids: set[BackendId] | None = None
    if (ids := given(wanted.backend_ids)) is not None:
        backend_ids = {backend_argument("filter.backendIds", text) for text in ids}
    if (kinds := given(wanted.backend_kinds)) is not None:
        of_kind = {link.id for link in links.values() if BackendKind(link.adapter.kind.upper()) in kinds}
        backend_ids = of_kind if backend_ids is None else backend_ids & of_kind
    states = given(wanted.states)
    return RoomMatch(
        backend_ids,
        None if states is None else frozenset(states),
        _folded(wanted.search),
        _folded(wanted.has_participant),
    )


def participant_match(wanted: ParticipantFilter | None) -> Callable[[Participant], bool]:
    """Make a filter ready."""
    if not (wanted := given(wanted)):
        return lambda _: True
    roles, muted, talking = given(wanted.roles), given(wanted.muted), given(wanted.talking)
    search = _folded(wanted.search)

    def matches(participant: Participant) -> bool:
        return (
            (roles is None or participant.role in roles)
            and (muted is None or participant.muted is muted)
            and (talking is None or participant.talking is talking)
            and (search is None or _is_called(search, participant))
        )

    return matches


_KINDS: dict[type, ParticipantEventKind] = {
    ParticipantJoined: ParticipantEventKind.JOINED,
    ParticipantUpdated: ParticipantEventKind.UPDATED,
    ParticipantLeft: ParticipantEventKind.LEFT,
}


@dataclass(frozen=True, slots=True)
class ParticipantEventMatch:
    """A filter of events, made ready to be asked often. None: no such condition."""

    rooms: Collection[RoomKey] | None = None
    backend_ids: Collection[BackendId] | None = None
    kinds: Collection[ParticipantEventKind] | None = None
    include_talking: bool = True

    def __call__(self, key: RoomKey, event: Event) -> bool:
        """Whether an event about a participant is let through."""
        only_talking = isinstance(event, ParticipantUpdated) and event.changed == (ChangedField.TALKING,)
        return (
            (self.rooms is None or key in self.rooms)
            and (self.backend_ids is None or key.backend_id in self.backend_ids)
            and (self.kinds is None or _KINDS[type(event)] in self.kinds)
            and (self.include_talking or not only_talking)
        )


def participant_event_match(wanted: ParticipantEventFilter | None) -> ParticipantEventMatch:
    """Make a filter ready.

    Errors: RequestError.
    """
    if not (wanted := given(wanted)):
        return ParticipantEventMatch()
    rooms, backends, kinds = given(wanted.room_ids), given(wanted.backend_ids), given(wanted.kinds)
    return ParticipantEventMatch(
        None if rooms is None else {room_argument("filter.roomIds", text) for text in rooms},
        None if backends is None else {backend_argument("filter.backendIds", text) for text in backends},
        None if kinds is None else frozenset(kinds),
        wanted.include_talking is not False,
    )


def backend_argument(argument: str, text: str) -> BackendId:
    """Read a backend's id.

    Errors: RequestError.
    """
    try:
        return parse_backend(text)
    except MalformedId as mistake:
        raise invalid(argument, str(mistake)) from None


def room_argument(argument: str, text: str) -> RoomKey:
    """Read a room's id.

    Errors: RequestError.
    """
    try:
        return parse_room(text)
    except MalformedId as mistake:
        raise invalid(argument, str(mistake)) from None


def _folded(text: str | None) -> str | None:
    text = given(text)
    return None if text is None else text.casefold()


def _within(search: str, *texts: str | None) -> bool:
    return any(search in text.casefold() for text in texts if text is not None)


def _is_called(search: str, participant: Participant) -> bool:
    return _within(search, participant.display_name, participant.number, participant.username)


def _latest_first(instant: datetime | None) -> tuple[int, int]:
    return (_NEVER, 0) if instant is None else (0, -round(instant.timestamp() * 1_000_000))


def _by_activity(at: RoomAt) -> Key:
    return (*_latest_first(at.active_at), *at.key)


def _by_name(at: RoomAt) -> Key:
    return (int(at.room.name is None), (at.room.name or "").casefold(), *at.key)


def _by_size(at: RoomAt) -> Key:
    return (-len(at.room.participants), *at.key)


def _by_start(at: RoomAt) -> Key:
    return (*_latest_first(at.room.started_at), *at.key)


ROOM_ORDERS = {
    order.name: order
    for order in (
        Order(RoomOrder.ACTIVITY_DESC, _by_activity, (int, int, str, str)),
        Order(RoomOrder.NAME_ASC, _by_name, (int, str, str, str)),
        Order(RoomOrder.PARTICIPANT_COUNT_DESC, _by_size, (int, str, str)),
        Order(RoomOrder.STARTED_AT_DESC, _by_start, (int, int, str, str)),
    )
}


def _by_joining(participant: Participant) -> Key:
    joined_at = participant.joined_at
    return (0 if joined_at is None else round(joined_at.timestamp() * 1_000_000), participant.id)


PARTICIPANT_ORDER = Order("JOINED", _by_joining, (int, str))
"""In the order they joined, which never changes."""
