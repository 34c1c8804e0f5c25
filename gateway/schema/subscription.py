"""What can be followed.

Whoever registers and reads the state before the next await misses nothing and gets nothing twice.
"""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from gateway.hub.hub import Update
from gateway.hub.log import Numbered
from gateway.hub.subscription import Gap
from gateway.live.table import RoomAt
from gateway.model.events import RoomEnded, RoomUpdated
from gateway.model.ids import BackendId, Position, RoomKey
from gateway.schema.context import Context, Info
from gateway.schema.cursor import ForgedCursor
from gateway.schema.enums import SnapshotReason
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.schema.events import (
    AboutSomebody,
    BackendStatusChanged,
    ParticipantEvent,
    RoomEvent,
    RoomListEvent,
    participant_event,
    room_event,
    room_snapshot,
)
from gateway.schema.lists import (
    ParticipantEventFilter,
    ParticipantEventMatch,
    backend_argument,
    participant_event_match,
    room_argument,
    room_match,
)
from gateway.schema.lobby import Lobby
from gateway.schema.room import Backend, RoomsWanted
from gateway.schema.scalars import Cursor
from gateway.schema.told import followed, given

_RoomId = Annotated[strawberry.ID, strawberry.argument(description="Which room.")]
_After = Annotated[
    Cursor | None,
    strawberry.argument(
        description="The position of the last event you saw, or `Room.position` of a query: what came later follows."
    ),
]
_Events = Annotated[
    ParticipantEventFilter | None, strawberry.argument(name="filter", description="Which events; all unless given.")
]
_BackendIds = Annotated[
    list[strawberry.ID] | None, strawberry.argument(description="Which backends; all unless given.")
]


@strawberry.type(description="What can be followed.")
class Subscription:
    """What can be followed; arguments are checked before anything begins, so that no mistake is part of the stream."""

    @followed(
        "One room: first a RoomSnapshot (or, with `after`, what was missed), then every change in order, none "
        "lost. Completes when the room no longer exists."
    )
    def room_events(
        self, info: Info, room_id: _RoomId, after: _After = strawberry.UNSET
    ) -> AsyncGenerator[RoomEvent, None]:
        """Follow a room."""
        context, key = info.context, room_argument("roomId", room_id)
        _room(context, key)
        position = None if (cursor := given(after)) is None else _position(context, key, cursor)
        return _room_events(context, key, position)

    @followed(
        "Joins, leaves and updates over all rooms the viewer may see, narrowed by `filter`. Live only, no "
        "snapshot. Ends with the error SLOW_CONSUMER when you read too slowly to get all of them."
    )
    def participant_events(
        self, info: Info, which: _Events = strawberry.UNSET
    ) -> AsyncGenerator[ParticipantEvent, None]:
        """Follow participants."""
        return _participant_events(info.context, participant_event_match(which))

    @followed("The lobby: rooms appearing, changing (counts, lock, state) and disappearing. First the current list.")
    def room_list_events(
        self, info: Info, which: RoomsWanted = strawberry.UNSET
    ) -> AsyncGenerator[RoomListEvent, None]:
        """Follow the lobby."""
        return _room_list_events(info.context, Lobby(info.context, room_match(which, info.context.live.links)))

    @followed("Health of the links to the backends: first the current state of each, then changes.")
    def backend_events(
        self, info: Info, backend_ids: _BackendIds = strawberry.UNSET
    ) -> AsyncGenerator[BackendStatusChanged, None]:
        """Follow the links."""
        context, ids = info.context, given(backend_ids)
        wanted = set(context.live.links)
        if ids is not None:
            wanted &= {backend_argument("backendIds", text) for text in ids}
        return _backend_events(context, wanted)


# ---- one room ----


async def _room_events(context: Context, key: RoomKey, after: Position | None) -> AsyncGenerator[RoomEvent, None]:
    with context.live.hub.watch_room(key) as updates:
        for event in _beginning(context, _room(context, key), after):
            yield event
        while (update := await updates.next()) is not None:
            following = _lost(context, key) if isinstance(update, Gap) else _happened(context, update)
            if following is not None:
                yield following


def _happened(context: Context, update: Update) -> RoomEvent | None:
    return room_event(context, update.position, update.event, _room_at(update))


def _lost(context: Context, key: RoomKey) -> RoomEvent | None:
    """Give the room as it is now, in place of what was lost; None when it is gone, and with it the stream."""
    now = context.live.room(key)
    return None if now is None else room_snapshot(context, now, SnapshotReason.SLOW_CONSUMER)


def _beginning(context: Context, now: RoomAt, after: Position | None) -> list[RoomEvent]:
    """Give a snapshot, or what was missed; read at once, so that what comes later follows it without a hole."""
    if after is None:
        return [room_snapshot(context, now, SnapshotReason.START)]
    missed = context.live.links[now.key.backend_id].table.events_after(now.key.room_id, after)
    if missed is None:
        same_log = after.epoch == now.position.epoch
        reason = SnapshotReason.CURSOR_TOO_OLD if same_log else SnapshotReason.EPOCH_CHANGED
        return [room_snapshot(context, now, reason)]
    return [
        event
        for numbered in missed
        if (event := room_event(context, numbered.position, numbered.event, _then(now, numbered))) is not None
    ]


def _then(now: RoomAt, numbered: Numbered) -> RoomAt:
    """Give the room to show with an event that was missed: as it was then if the event says it, else as it is now."""
    event = numbered.event
    if isinstance(event, RoomUpdated | RoomEnded):
        return RoomAt(now.key, event.room, numbered.position, event.at)
    return now


def _room_at(update: Update) -> RoomAt:
    return RoomAt(update.key, update.room, update.position, update.event.at)


def _room(context: Context, key: RoomKey) -> RoomAt:
    room_at = context.live.room(key)
    if room_at is None:
        raise RequestError(RequestErrorCode.ROOM_NOT_FOUND, "there is no such room", argument="roomId")
    return room_at


def _position(context: Context, key: RoomKey, cursor: Cursor) -> Position:
    try:
        return context.cursors.decode(context.viewer.tenant, key, cursor)
    except ForgedCursor as forgery:
        raise RequestError(RequestErrorCode.FORGED_CURSOR, f"after: {forgery}", argument="after") from None


# ---- participants of all rooms ----


async def _participant_events(
    context: Context, matches: ParticipantEventMatch
) -> AsyncGenerator[ParticipantEvent, None]:
    with context.live.hub.watch_all() as updates:
        while (update := await updates.next()) is not None:
            if isinstance(update, Gap):
                message = "events were lost because you read too slowly; query the rooms and subscribe again"
                raise RequestError(RequestErrorCode.SLOW_CONSUMER, message)
            if isinstance(update.event, AboutSomebody) and matches(update.key, update.event):
                yield participant_event(context, update.position, update.event, _room_at(update))


# ---- the lobby ----


async def _room_list_events(context: Context, lobby: Lobby) -> AsyncGenerator[RoomListEvent, None]:
    with context.live.hub.watch_all() as updates:
        yield lobby.snapshot()
        while (update := await updates.next()) is not None:
            event = lobby.snapshot() if isinstance(update, Gap) else lobby.after(update)
            if event is not None:
                yield event


# ---- backends ----


async def _backend_events(context: Context, wanted: set[BackendId]) -> AsyncGenerator[BackendStatusChanged, None]:
    with context.live.hub.watch_backends() as changes:
        for event in _as_they_are(context, wanted):
            yield event
        while (change := await changes.next()) is not None:
            for event in _as_they_are(context, wanted if isinstance(change, Gap) else wanted & {change}):
                yield event


def _as_they_are(context: Context, backend_ids: set[BackendId]) -> list[BackendStatusChanged]:
    return [
        BackendStatusChanged(backend=Backend(context, link), occurred_at=link.status_since)
        for link in context.live.links.values()
        if link.id in backend_ids
    ]
