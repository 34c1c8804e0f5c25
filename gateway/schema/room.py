"""Backends, the rooms on them, and lists of rooms."""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from gateway.live.desk import own_presence
from gateway.live.link import BackendStatus, Link
from gateway.live.rights import abilities
from gateway.live.table import RoomAt
from gateway.model.errors import LinkDown
from gateway.model.room import Participant as ParticipantState
from gateway.model.room import RoomDetail, RoomState
from gateway.schema.capability import CapabilitySupport, supports
from gateway.schema.context import Context
from gateway.schema.enums import BackendKind, RoomOrder
from gateway.schema.ids import backend_gid, room_gid
from gateway.schema.lists import (
    PARTICIPANT_ORDER,
    ROOM_ORDERS,
    ParticipantFilter,
    RoomFilter,
    participant_match,
    room_match,
)
from gateway.schema.node import Node
from gateway.schema.paging import PageInfo, PageView, Wanted, page, wanted
from gateway.schema.participant import Participant
from gateway.schema.scalars import Cursor
from gateway.schema.settings import RoomSettings
from gateway.schema.told import resolved, told

First = Annotated[
    int | None, strawberry.argument(description="How many entries from the front: 50 unless given, 200 at most.")
]
After = Annotated[str | None, strawberry.argument(description="Only entries behind the one with this cursor.")]
RoomsWanted = Annotated[
    RoomFilter | None, strawberry.argument(name="filter", description="Which rooms; all unless given.")
]
_ParticipantsWanted = Annotated[
    ParticipantFilter | None, strawberry.argument(name="filter", description="Which of them; all unless given.")
]


@dataclass
class _BackendView:
    context: strawberry.Private[Context]
    link: strawberry.Private[Link]

    @property
    def id(self) -> strawberry.ID:
        return backend_gid(self.link.id)

    @property
    def name(self) -> str:
        return self.link.name

    @property
    def kind(self) -> BackendKind:
        return BackendKind(self.link.adapter.kind.upper())

    @property
    def status(self) -> BackendStatus:
        return self.link.status

    @property
    def status_reason(self) -> str | None:
        return self.link.status_reason

    @property
    def last_synced_at(self) -> datetime | None:
        return self.link.last_synced_at

    @property
    def capabilities(self) -> list[CapabilitySupport]:
        return supports(self.link.adapter.capabilities())


@strawberry.type(description="One configured phone system.")
class Backend(_BackendView, Node):
    """One configured phone system."""

    id: strawberry.ID = told("Of this backend.")
    name: str = told("Its name in the gateway's configuration.")
    kind: BackendKind = told("Which kind of phone system it is.")
    status: BackendStatus = told("How well the gateway is informed by it.")
    status_reason: str | None = told("Why it is not LIVE.")
    last_synced_at: datetime | None = told("When all its rooms were last read.")
    capabilities: list[CapabilitySupport] = told("What it can do; a room may narrow this, see `Room.capabilities`.")

    @resolved("Its rooms, newest activity first.")
    def rooms(
        self, which: RoomsWanted = strawberry.UNSET, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> "RoomConnection":
        """Give a page of its rooms."""
        part = wanted(self.context.limits, first, after)
        return rooms_page(self.context, self.link.table, which, RoomOrder.ACTIVITY_DESC, part)


@dataclass
class _RoomView:
    """What a room's fields are read from.

    Shape: `may_ask`: settings that are not known may be read from the backend now; `whole`: all participants are given
           unless a page of them is asked for.
    """

    context: strawberry.Private[Context]
    at: strawberry.Private[RoomAt]
    may_ask: strawberry.Private[bool] = False
    whole: strawberry.Private[bool] = False

    def __getattr__(self, name: str) -> object:
        return getattr(self.at.room, name)

    @property
    def link(self) -> Link:
        return self.context.live.links[self.at.key.backend_id]

    @property
    def id(self) -> strawberry.ID:
        return room_gid(self.at.key)

    @property
    def native_id(self) -> str:
        return self.at.room.id

    @property
    def backend(self) -> Backend:
        return Backend(self.context, self.link)

    @property
    def numbers(self) -> list[str]:
        return list(self.at.room.numbers or ())

    @property
    def participant_count(self) -> int:
        return len(self.at.room.participants)

    @property
    def position(self) -> Cursor:
        return self.context.cursor(self.at.key, self.at.position)

    @property
    def capabilities(self) -> list[CapabilitySupport]:
        return supports(abilities(self.context.viewer, self.link, self.at.room))


@strawberry.type(
    description="A conference that can be joined, and who is in it. Null means that the backend has not said (or "
    "cannot tell)."
)
class Room(_RoomView, Node):
    """A conference that can be joined."""

    id: strawberry.ID = told("Of this room.")
    backend: Backend = told("The phone system it is on.")
    native_id: str = told("The backend's own identifier.")
    name: str | None = told("The name to show.")
    numbers: list[str] = told("The numbers that lead into it.")
    state: RoomState = told("Whether a conference runs in it now.")
    detail: RoomDetail = told("How much the backend tells of it.")
    permanent: bool = told("Whether it exists while nobody is in it.")
    locked: bool | None = told("True: nobody new may join. Null where the backend cannot tell.")
    on_hold: bool | None = told("True: the whole conference is on hold.")
    pin_required: bool | None = told("Whether who joins is asked for a PIN.")
    recording: bool | None = told("Whether it is being recorded now.")
    started_at: datetime | None = told("When the running conference began; null while none runs.")
    ended_at: datetime | None = told("When the last conference ended; null while one runs.")
    participant_count: int = told("How many are in it now.")
    moderator_count: int | None = told("How many of them are moderators; null as long as anybody's role is unknown.")
    capabilities: list[CapabilitySupport] = told(
        "What the viewer can do here now: the backend's abilities, narrowed by the room's state and the viewer's "
        "rights."
    )
    position: Cursor = told("The position this answer reflects: start `roomEvents(after:)` here and nothing is missed.")
    stale: bool = told("True: the link to the backend is down, and this is the last known state.")

    @resolved("Those who are in it, in the order they joined. In a RoomSnapshot all of them unless `first` is given.")
    def participants(
        self,
        which: _ParticipantsWanted = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> "ParticipantConnection":
        """Give a page of those who are in it."""
        part = wanted(self.context.limits, first, after, whole=self.whole)
        shown = filter(participant_match(which), self.at.room.participants.values())
        return ParticipantConnection(page(shown, PARTICIPANT_ORDER, part), self)

    @resolved("The viewer's own presence in this room, if any.")
    def me(self) -> Participant | None:
        """Find the viewer."""
        mine = own_presence(self.context.viewer, self.at)
        return None if mine is None else Participant(mine, self)

    @resolved(
        "Null unless the viewer may see settings (MODERATOR or ADMIN); PINs are null unless the viewer is ADMIN. "
        "Null also where they are not known, as in events before anybody asked for them.",
        graphql_type=RoomSettings | None,
    )
    def settings(self) -> "RoomSettings | Awaitable[RoomSettings | None] | None":
        """Give the settings; waits for the backend only when they are not known and may be asked for."""
        viewer = self.context.viewer
        if not (viewer.may_command or viewer.may_configure):
            return None
        if self.at.room.settings is None and self.may_ask:
            return self._asked()
        return self._shown(self.at)

    async def _asked(self) -> RoomSettings | None:
        try:
            await self.link.reread(self.at.key.room_id)
        except LinkDown:
            return None
        return self._shown(self.context.live.room(self.at.key))

    def _shown(self, room_at: RoomAt | None) -> RoomSettings | None:
        if room_at is None or room_at.room.settings is None:
            return None
        return RoomSettings(room_at.room.settings, self.context.viewer.may_configure)


@strawberry.type(description="A participant on a page.")
class ParticipantEdge:
    """A participant on a page."""

    cursor: str = strawberry.field(description="Its place, to be given as `after`.")
    node: Participant = strawberry.field(description="The participant.")


@dataclass
class _ParticipantPage(PageView[ParticipantState]):
    room: strawberry.Private[Room]

    @property
    def edges(self) -> list[ParticipantEdge]:
        return [
            ParticipantEdge(cursor=cursor, node=Participant(state, self.room)) for cursor, state in self.page.entries
        ]


@strawberry.type(description="A page of participants.")
class ParticipantConnection(_ParticipantPage):
    """A page of participants."""

    edges: list[ParticipantEdge] = told("The participants on this page.")
    page_info: PageInfo = told("Where the page lies in the list.")
    total_count: int = told("How many participants the filter lets through, on this page or not.")


@strawberry.type(description="A room on a page.")
class RoomEdge:
    """A room on a page."""

    cursor: str = strawberry.field(description="Its place, to be given as `after` or `before`.")
    node: Room = strawberry.field(description="The room.")


@dataclass
class _RoomPage(PageView[RoomAt]):
    context: strawberry.Private[Context]

    @property
    def edges(self) -> list[RoomEdge]:
        return [RoomEdge(cursor=cursor, node=Room(self.context, at, may_ask=True)) for cursor, at in self.page.entries]


@strawberry.type(description="A page of rooms.")
class RoomConnection(_RoomPage):
    """A page of rooms."""

    edges: list[RoomEdge] = told("The rooms on this page.")
    page_info: PageInfo = told("Where the page lies in the list.")
    total_count: int = told("How many rooms the filter lets through, on this page or not.")


def rooms_page(
    context: Context, rooms: Iterable[RoomAt], which: RoomFilter | None, order: RoomOrder, part: Wanted
) -> RoomConnection:
    """Give a page of rooms.

    Errors: RequestError.
    """
    matches = room_match(which, context.live.links)
    shown = [at for at in rooms if matches(at.key, at.room)]
    return RoomConnection(page(shown, ROOM_ORDERS[order], part), context)


def shown_room(context: Context, room_at: RoomAt | None) -> Room | None:
    """Show a room as queries and commands do."""
    return None if room_at is None else Room(context, room_at, may_ask=True)
