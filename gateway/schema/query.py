"""What can be asked for."""

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.model.ids import BackendId, RoomKey
from gateway.schema.context import Info
from gateway.schema.enums import RoomOrder
from gateway.schema.errors import invalid
from gateway.schema.history import ConferenceConnection, history_filter, past_conferences
from gateway.schema.ids import MalformedId, ParticipantKey, parse_node, parse_participant
from gateway.schema.lists import backend_argument, room_argument
from gateway.schema.node import Node
from gateway.schema.paging import wanted
from gateway.schema.participant import Participant
from gateway.schema.room import After, Backend, First, Room, RoomConnection, RoomsWanted, rooms_page, shown_room
from gateway.schema.told import given, resolved
from gateway.schema.viewer import Viewer

_Id = Annotated[strawberry.ID, strawberry.argument(name="id", description="A global id, as the gateway gave it out.")]
_Order = Annotated[RoomOrder | None, strawberry.argument(description="ACTIVITY_DESC unless given.")]
_Last = Annotated[int | None, strawberry.argument(description="How many entries from the end: 200 at most.")]
_Before = Annotated[str | None, strawberry.argument(description="Only entries before the one with this cursor.")]
_OfRoom = Annotated[strawberry.ID | None, strawberry.argument(description="Only conferences in this room.")]
_OfBackend = Annotated[strawberry.ID | None, strawberry.argument(description="Only conferences on this backend.")]
_From = Annotated[
    datetime | None, strawberry.argument(name="from", description="Only conferences that went on then or later.")
]
_To = Annotated[datetime | None, strawberry.argument(name="to", description="Only conferences that began before.")]


@strawberry.type(description="What can be asked for.")
class Query:
    """What can be asked for."""

    @resolved("Anything that has a global id; null when it does not exist (any longer).")
    def node(self, info: Info, node_id: _Id) -> Node | None:
        """Find anything."""
        try:
            key = parse_node(node_id)
        except MalformedId as mistake:
            raise invalid("id", str(mistake)) from None
        if isinstance(key, RoomKey):
            return _room(info, key)
        return _participant(info, key) if isinstance(key, ParticipantKey) else _backend(info, key)

    @resolved("Who you are.")
    def viewer(self, info: Info) -> Viewer:
        """Show who asks."""
        return Viewer(info.context.viewer)

    @resolved("All phone systems, whatever the state of the link to them.")
    def backends(self, info: Info) -> list[Backend]:
        """Show all backends."""
        return [Backend(info.context, link) for link in info.context.live.links.values()]

    @resolved("One phone system; null when there is no such.")
    def backend(self, info: Info, backend_id: _Id) -> Backend | None:
        """Find a backend."""
        return _backend(info, backend_argument("id", backend_id))

    @resolved("One room; null when it does not exist (any longer).")
    def room(self, info: Info, room_id: _Id) -> Room | None:
        """Find a room."""
        return _room(info, room_argument("id", room_id))

    @resolved(
        "Rooms of all backends. Newest activity first unless `orderBy` says otherwise. `search` matches name "
        "and numbers."
    )
    def rooms(
        self,
        info: Info,
        *,
        which: RoomsWanted = strawberry.UNSET,
        order_by: _Order = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: _Last = strawberry.UNSET,
        before: _Before = strawberry.UNSET,
    ) -> RoomConnection:
        """Give a page of rooms."""
        context = info.context
        part = wanted(context.limits, first, after, last, before)
        order = given(order_by) or RoomOrder.ACTIVITY_DESC
        return rooms_page(context, context.live.rooms(), which, order, part)

    @resolved("One participant; null when they are not in the room (any longer).")
    def participant(self, info: Info, participant_id: _Id) -> Participant | None:
        """Find a participant."""
        try:
            return _participant(info, parse_participant(participant_id))
        except MalformedId as mistake:
            raise invalid("id", str(mistake)) from None

    @resolved("Conferences that are over, newest first, with everybody's stay. They are written a moment behind.")
    async def conference_history(
        self,
        info: Info,
        *,
        room_id: _OfRoom = strawberry.UNSET,
        backend_id: _OfBackend = strawberry.UNSET,
        since: _From = strawberry.UNSET,
        until: _To = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> ConferenceConnection:
        """Give a page of past conferences."""
        which = history_filter(info.context, room_id, backend_id, since, until)
        return await past_conferences(info.context, which, wanted(info.context.limits, first, after))


def _backend(info: Info, backend_id: BackendId) -> Backend | None:
    link = info.context.live.links.get(backend_id)
    return None if link is None else Backend(info.context, link)


def _room(info: Info, key: RoomKey) -> Room | None:
    return shown_room(info.context, info.context.live.room(key))


def _participant(info: Info, key: ParticipantKey) -> Participant | None:
    room = _room(info, key.room)
    state = room and room.at.room.participants.get(key.participant_id)
    return Participant(state, room) if room and state else None
