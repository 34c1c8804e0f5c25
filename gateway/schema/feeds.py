"""The feeds behind the fields of Subscription: one room, participants everywhere, the lobby, the backends."""

from collections.abc import Callable, Collection, Hashable
from typing import ClassVar

from gateway.hub.hub import Update, Watch
from gateway.hub.log import Numbered
from gateway.live.table import RoomAt
from gateway.model.events import ChangedField, RoomEnded, RoomUpdated
from gateway.model.ids import BackendId, Position, RoomKey
from gateway.schema.context import Context
from gateway.schema.cursor import ForgedCursor
from gateway.schema.enums import SnapshotReason
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.schema.events import (
    AboutSomebody,
    BackendStatusChanged,
    ParticipantEvent,
    ParticipantUpdated,
    RoomEvent,
    RoomListEvent,
    participant_event,
    room_event,
    room_snapshot,
)
from gateway.schema.feed import Feed, Resume
from gateway.schema.lists import ParticipantEventMatch
from gateway.schema.lobby import Lobby
from gateway.schema.room import Backend


class RoomFeed(Feed[RoomEvent]):
    """Everything that happens in one room, without a hole.

    Errors: RequestError when there is no such room, or for a cursor of another one.
    """

    resumable: ClassVar[bool] = True

    def __init__(self, context: Context, key: RoomKey, after: str | None) -> None:
        self._context = context
        self._key = key
        self._now()
        self._after = None if after is None else self._place(after)

    def watch(self, note: Callable[[RoomEvent | None], None]) -> Watch[Update | None]:
        """Follow the room; it ends when the room is gone."""

        def told(update: Update | None) -> None:
            if update is None:
                note(None)
            elif (event := self._event(update, _room_at(update))) is not None:
                note(event)

        return self._context.live.hub.watch_room(self._key, told)

    def begin(self, resume: Resume | None = None) -> list[RoomEvent]:
        """Give a snapshot, or what was missed."""
        if resume is None:
            return self._start() if self._after is None else self._missed(self._after, insists=False)
        try:
            place = self._place(resume.cursor)
        except RequestError:
            if not resume.insists:
                raise
            raise _unsatisfiable("it was not given out for this room") from None
        return self._missed(place, insists=resume.insists)

    def version(self) -> Hashable:
        """Give the room's position, and what is known of the backends."""
        return self._now().position, self._context.live.hub.backends_version

    def lost(self) -> list[RoomEvent]:
        """Give the room as it is now; nothing when it is gone, and with it the stream."""
        now = self._context.live.room(self._key)
        return [] if now is None else [room_snapshot(self._context, now, SnapshotReason.SLOW_CONSUMER)]

    def since(self, event: RoomEvent) -> list[RoomEvent]:
        """Give what came after an event."""
        return self._missed(event.place, insists=False)

    def cursor(self, event: RoomEvent) -> str:
        """Give the position of an event."""
        return event.position

    def replaces(self, event: RoomEvent) -> Hashable | None:
        """Tell who talks apart from everything else: of that, only the newest matters."""
        if isinstance(event, ParticipantUpdated) and event.changes == (ChangedField.TALKING,):
            return event.state.id
        return None

    def _start(self) -> list[RoomEvent]:
        return [room_snapshot(self._context, self._now(), SnapshotReason.START)]

    def _missed(self, after: Position, *, insists: bool) -> list[RoomEvent]:
        """Give what was missed, read at once, so that what comes later follows it without a hole."""
        now = self._now()
        missed = self._context.live.links[self._key.backend_id].table.events_after(self._key.room_id, after)
        if missed is not None:
            events = [self._event(each, _then(now, each)) for each in missed]
            return [event for event in events if event is not None]
        if insists:
            raise _unsatisfiable("what came after it is no longer kept")
        same_log = after.epoch == now.position.epoch
        reason = SnapshotReason.CURSOR_TOO_OLD if same_log else SnapshotReason.EPOCH_CHANGED
        return [room_snapshot(self._context, now, reason)]

    def _event(self, source: Update | Numbered, room_at: RoomAt) -> RoomEvent | None:
        return room_event(self._context, source.position, source.event, room_at)

    def _now(self) -> RoomAt:
        room_at = self._context.live.room(self._key)
        if room_at is None:
            raise RequestError(RequestErrorCode.ROOM_NOT_FOUND, "there is no such room", argument="roomId")
        return room_at

    def _place(self, cursor: str) -> Position:
        try:
            return self._context.cursors.decode(self._context.viewer.tenant, self._key, cursor)
        except ForgedCursor as forgery:
            raise RequestError(RequestErrorCode.FORGED_CURSOR, f"after: {forgery}", argument="after") from None


class ParticipantsFeed(Feed[ParticipantEvent]):
    """Joins, leaves and updates of all rooms; it has no state to begin with."""

    def __init__(self, context: Context, matches: ParticipantEventMatch) -> None:
        self._context = context
        self._matches = matches

    def watch(self, note: Callable[[ParticipantEvent | None], None]) -> Watch[Update]:
        """Follow all rooms."""

        def told(update: Update) -> None:
            if isinstance(update.event, AboutSomebody) and self._matches(update.key, update.event):
                note(participant_event(self._context, update.position, update.event, _room_at(update)))

        return self._context.live.hub.watch_all(told)

    def begin(self, resume: Resume | None = None) -> list[ParticipantEvent]:
        """Give nothing: it is live only."""
        return []

    def version(self) -> Hashable:
        """Give nothing: there is no beginning that could differ."""
        return None

    def lost(self) -> list[ParticipantEvent]:
        """End it."""
        message = "events were lost because you read too slowly; query the rooms and subscribe again"
        raise RequestError(RequestErrorCode.SLOW_CONSUMER, message)


class LobbyFeed(Feed[RoomListEvent]):
    """Rooms appearing, changing and disappearing."""

    def __init__(self, context: Context, lobby: Lobby) -> None:
        self._context = context
        self._lobby = lobby

    def watch(self, note: Callable[[RoomListEvent | None], None]) -> Watch[Update]:
        """Follow all rooms."""

        def told(update: Update) -> None:
            if (event := self._lobby.after(update)) is not None:
                note(event)

        self._lobby.open()
        return self._context.live.hub.watch_all(told)

    def begin(self, resume: Resume | None = None) -> list[RoomListEvent]:
        """Give the list as it is now."""
        return [self._lobby.snapshot()]

    def version(self) -> Hashable:
        """Give the version of everything."""
        return self._context.live.hub.version

    def lost(self) -> list[RoomListEvent]:
        """Give the list as it is now."""
        return self.begin()


class BackendsFeed(Feed[BackendStatusChanged]):
    """How well the gateway is informed by each backend."""

    def __init__(self, context: Context, wanted: Collection[BackendId]) -> None:
        self._context = context
        self._wanted = wanted

    def watch(self, note: Callable[[BackendStatusChanged | None], None]) -> Watch[BackendId]:
        """Follow the links."""

        def told(backend_id: BackendId) -> None:
            if backend_id in self._wanted:
                note(self._status(backend_id))

        return self._context.live.hub.watch_backends(told)

    def begin(self, resume: Resume | None = None) -> list[BackendStatusChanged]:
        """Give each as it is now."""
        return [self._status(backend_id) for backend_id in self._context.live.links if backend_id in self._wanted]

    def version(self) -> Hashable:
        """Give the version of what is known of them."""
        return self._context.live.hub.backends_version

    def lost(self) -> list[BackendStatusChanged]:
        """Give each as it is now."""
        return self.begin()

    def _status(self, backend_id: BackendId) -> BackendStatusChanged:
        link = self._context.live.links[backend_id]
        return BackendStatusChanged(backend=Backend(self._context, link), occurred_at=link.status_since)


def _then(now: RoomAt, numbered: Numbered) -> RoomAt:
    """Give the room to show with an event that was missed: as it was then if the event says it, else as it is now."""
    event = numbered.event
    if isinstance(event, RoomUpdated | RoomEnded):
        return RoomAt(now.key, event.room, numbered.position, event.at)
    return now


def _room_at(update: Update) -> RoomAt:
    return RoomAt(update.key, update.room, update.position, update.event.at)


def _unsatisfiable(why: str) -> RequestError:
    return RequestError(RequestErrorCode.DELIVERY_GUARANTEE_UNSATISFIABLE, f"the cursor cannot be resumed: {why}")
