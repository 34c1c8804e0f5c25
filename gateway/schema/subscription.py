"""What can be followed."""

from typing import Annotated

import strawberry

from gateway.schema.context import Info
from gateway.schema.events import BackendStatusChanged, ParticipantEvent, RoomEvent, RoomListEvent
from gateway.schema.feed import Feed
from gateway.schema.feeds import BackendsFeed, LobbyFeed, ParticipantsFeed, RoomFeed
from gateway.schema.lists import (
    ParticipantEventFilter,
    backend_argument,
    participant_event_match,
    room_argument,
    room_match,
)
from gateway.schema.lobby import Lobby
from gateway.schema.room import RoomsWanted
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
        "lost. Completes when the room no longer exists.",
        graphql_type=RoomEvent,
    )
    def room_events(self, info: Info, room_id: _RoomId, after: _After = strawberry.UNSET) -> Feed[RoomEvent]:
        """Follow a room."""
        return RoomFeed(info.context, room_argument("roomId", room_id), given(after))

    @followed(
        "Joins, leaves and updates over all rooms the viewer may see, narrowed by `filter`. Live only, no "
        "snapshot. Ends with the error SLOW_CONSUMER when you read too slowly to get all of them.",
        graphql_type=ParticipantEvent,
    )
    def participant_events(self, info: Info, which: _Events = strawberry.UNSET) -> Feed[ParticipantEvent]:
        """Follow participants."""
        return ParticipantsFeed(info.context, participant_event_match(which))

    @followed(
        "The lobby: rooms appearing, changing (counts, lock, state) and disappearing. First the current list.",
        graphql_type=RoomListEvent,
    )
    def room_list_events(self, info: Info, which: RoomsWanted = strawberry.UNSET) -> Feed[RoomListEvent]:
        """Follow the lobby."""
        return LobbyFeed(info.context, Lobby(info.context, room_match(which, info.context.live.links)))

    @followed(
        "Health of the links to the backends: first the current state of each, then changes.",
        graphql_type=BackendStatusChanged,
    )
    def backend_events(self, info: Info, backend_ids: _BackendIds = strawberry.UNSET) -> Feed[BackendStatusChanged]:
        """Follow the links."""
        context, ids = info.context, given(backend_ids)
        wanted = set(context.live.links)
        if ids is not None:
            wanted &= {backend_argument("backendIds", text) for text in ids}
        return BackendsFeed(context, wanted)
