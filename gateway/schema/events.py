"""What subscriptions send."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated

import strawberry

from gateway.live.table import RoomAt
from gateway.model import events as model
from gateway.model.errors import CommandError as ErrorState
from gateway.model.events import ChangedField, Event
from gateway.model.ids import Position
from gateway.model.room import LeaveReason
from gateway.model.room import Participant as ParticipantState
from gateway.schema.commands import CommandError
from gateway.schema.context import Context
from gateway.schema.enums import SnapshotReason
from gateway.schema.ids import room_gid
from gateway.schema.participant import Participant
from gateway.schema.room import Backend, Room
from gateway.schema.scalars import Cursor
from gateway.schema.told import told

_POSITION = "Where this event stands: hand it back as `after`, and what came later follows."
_ROOM_ID = "The room it happened in."
_OCCURRED_AT = "When the gateway learned of it; backends send no times."
_PARTICIPANT = "The participant, as this event left them."


@dataclass
class _EventView:
    """What an event's fields are read from; `room_at` is the room that is shown with it."""

    context: strawberry.Private[Context]
    place: strawberry.Private[Position]
    at: strawberry.Private[datetime]
    room_at: strawberry.Private[RoomAt]

    @cached_property
    def position(self) -> Cursor:
        return self.context.cursor(self.room_at.key, self.place)

    @property
    def room_id(self) -> strawberry.ID:
        return room_gid(self.room_at.key)

    @property
    def occurred_at(self) -> datetime:
        return self.at

    @property
    def room(self) -> Room:
        return Room(self.context, self.room_at)


@dataclass
class _ParticipantEventView(_EventView):
    state: strawberry.Private[ParticipantState]

    @property
    def participant(self) -> Participant:
        return Participant(self.state, self.room)


@strawberry.interface(description="Something that happened in a room.")
class RoomEvent(_EventView):
    """Something that happened in a room."""

    position: Cursor = told(_POSITION)
    room_id: strawberry.ID = told(_ROOM_ID)
    occurred_at: datetime = told(_OCCURRED_AT)


@strawberry.interface(description="Something that happened to a participant.")
class ParticipantEvent(_ParticipantEventView):
    """Something that happened to a participant."""

    position: Cursor = told(_POSITION)
    room_id: strawberry.ID = told(_ROOM_ID)
    occurred_at: datetime = told(_OCCURRED_AT)
    participant: Participant = told(_PARTICIPANT)


@dataclass
class _SnapshotView(_EventView):
    reason: strawberry.Private[SnapshotReason]

    @property
    def room(self) -> Room:
        return Room(self.context, self.room_at, may_ask=self.reason is SnapshotReason.START, whole=True)

    @property
    def snapshot_reason(self) -> SnapshotReason:
        return self.reason


@strawberry.type(
    description="The whole room as of `position`. Sent first, and again whenever the log cannot bridge a gap "
    "(`snapshotReason` says which)."
)
class RoomSnapshot(_SnapshotView, RoomEvent):
    """The whole room."""

    room: Room = told("The room, with all its participants unless `participants(first:)` asks for some.")
    snapshot_reason: SnapshotReason = told("Why the whole room is sent.")


@strawberry.type(description="Somebody is in the room who was not.")
class ParticipantJoined(RoomEvent, ParticipantEvent):
    """Somebody is in the room who was not."""

    participant: Participant = told(_PARTICIPANT)


@dataclass
class _ParticipantUpdatedView(_ParticipantEventView):
    changes: strawberry.Private[tuple[ChangedField, ...]]

    @property
    def changed(self) -> list[ChangedField]:
        return list(self.changes)


@strawberry.type(description="Something about somebody in the room is different.")
class ParticipantUpdated(_ParticipantUpdatedView, RoomEvent, ParticipantEvent):
    """Something about somebody in the room is different."""

    participant: Participant = told(_PARTICIPANT)
    changed: list[ChangedField] = told("What is different; everything else is as it was.")


@dataclass
class _ParticipantLeftView(_ParticipantEventView):
    reason: strawberry.Private[LeaveReason]

    @property
    def leave_reason(self) -> LeaveReason:
        return self.reason


@strawberry.type(
    description="Somebody is no longer in the room. Nothing comes about them afterwards, unless they join again."
)
class ParticipantLeft(_ParticipantLeftView, RoomEvent, ParticipantEvent):
    """Somebody is no longer in the room."""

    participant: Participant = told("The participant as they last were, with `leftAt`.")
    leave_reason: LeaveReason = told("Why they left.")


@dataclass
class _RoomUpdatedView(_EventView):
    changes: strawberry.Private[tuple[ChangedField, ...]]

    @property
    def changed(self) -> list[ChangedField]:
        return list(self.changes)


@strawberry.type(description="Something about the room itself is different.")
class RoomUpdated(_RoomUpdatedView, RoomEvent):
    """Something about the room itself is different."""

    room: Room = told("The room, as this event left it.")
    changed: list[ChangedField] = told("What is different; everything else is as it was.")


@strawberry.type(
    description="The conference in the room is over; everybody's leave came before. The room is IDLE now, or ENDED if "
    "it existed only for this conference."
)
class RoomEnded(RoomEvent):
    """The conference in the room is over."""

    room: Room = told("The room, as this event left it.")


@dataclass
class _FailureView(_EventView):
    failure: strawberry.Private[ErrorState]

    @property
    def error(self) -> CommandError:
        return CommandError(self.failure)


@strawberry.type(description="A command that had been answered ACCEPTED or UNKNOWN turned out to have failed.")
class CommandFailed(_FailureView, RoomEvent):
    """A command turned out to have failed."""

    error: CommandError = told("Why.")


def room_event(context: Context, position: Position, event: Event, room_at: RoomAt) -> RoomEvent | None:
    """Show an event with a room; None for what only makes a room appear or disappear."""
    match event:
        case model.CommandFailed(at, error):
            return CommandFailed(context, position, at, room_at, error)
        case model.RoomUpdated(at, _, changed):
            return RoomUpdated(context, position, at, room_at, changed)
        case model.RoomEnded(at):
            return RoomEnded(context, position, at, room_at)
        case model.RoomAppeared() | model.RoomRemoved():
            return None
        case about_somebody:
            return participant_event(context, position, about_somebody, room_at)


AboutSomebody = model.ParticipantJoined | model.ParticipantUpdated | model.ParticipantLeft


def participant_event(
    context: Context, position: Position, event: AboutSomebody, room_at: RoomAt
) -> ParticipantJoined | ParticipantUpdated | ParticipantLeft:
    """Show what happened to a participant."""
    match event:
        case model.ParticipantJoined(at, state):
            return ParticipantJoined(context, position, at, room_at, state)
        case model.ParticipantUpdated(at, state, changed):
            return ParticipantUpdated(context, position, at, room_at, state, changed)
        case model.ParticipantLeft(at, state, reason):
            return ParticipantLeft(context, position, at, room_at, state, reason)


def room_snapshot(context: Context, room_at: RoomAt, reason: SnapshotReason) -> RoomSnapshot:
    """Show a whole room as it is now."""
    return RoomSnapshot(context, room_at.position, datetime.now(UTC), room_at, reason)


@strawberry.type(description="The lobby as it is: sent first, and again when you read too slowly.")
class RoomListSnapshot:
    """The lobby as it is."""

    rooms: list[Room] = strawberry.field(description="All rooms the filter lets through, newest activity first.")


@strawberry.type(description="A room appeared, or the filter lets it through now.")
class RoomAdded:
    """A room is in the lobby that was not."""

    room: Room = strawberry.field(description="The room as it is now.")


@strawberry.type(description="Something that a lobby shows of a room is different: counts, lock, state, name, …")
class RoomChanged:
    """Something that a lobby shows of a room is different."""

    room: Room = strawberry.field(description="The room as it is now.")


@strawberry.type(description="A room disappeared, or the filter no longer lets it through.")
class RoomRemoved:
    """A room is no longer in the lobby."""

    room_id: strawberry.ID = strawberry.field(description="Which one.")


RoomListEvent = Annotated[
    RoomListSnapshot | RoomAdded | RoomChanged | RoomRemoved,
    strawberry.union("RoomListEvent", description="What happens in the lobby."),
]


@strawberry.type(
    description="How well the gateway is informed by a backend, first as it is and then whenever it changes."
)
class BackendStatusChanged:
    """How well the gateway is informed by a backend."""

    backend: Backend = strawberry.field(description="The backend as it is now.")
    occurred_at: datetime = strawberry.field(description="Since when it is so.")
