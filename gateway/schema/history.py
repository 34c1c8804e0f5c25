"""Past conferences, and who was in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import strawberry

from gateway.model.ids import BackendId, RoomId, RoomKey
from gateway.model.room import LeaveReason, ParticipantRole
from gateway.schema.context import Context
from gateway.schema.errors import RequestError, RequestErrorCode, invalid
from gateway.schema.ids import conference_gid, room_gid
from gateway.schema.lists import backend_argument, room_argument
from gateway.schema.paging import PageInfo, Wanted
from gateway.schema.room import Backend, Room, shown_room
from gateway.schema.told import given, told
from gateway.storage import BadPageKey, HistoryFilter, HistoryPage, Stay, StorageUnavailable, page_key
from gateway.storage import Conference as ConferenceState


@dataclass
class _StayView:
    stay: strawberry.Private[Stay]

    def __getattr__(self, name: str) -> object:
        return getattr(self.stay, name)

    @property
    def role(self) -> ParticipantRole | None:
        return None if self.stay.role is None else ParticipantRole(self.stay.role)

    @property
    def leave_reason(self) -> LeaveReason | None:
        return None if self.stay.leave_reason is None else LeaveReason(self.stay.leave_reason)

    @property
    def duration_seconds(self) -> float | None:
        left_at = self.stay.left_at
        return None if left_at is None else (left_at - self.stay.joined_at).total_seconds()


@strawberry.type(description="Somebody's time in a conference. Who left and came back has several.")
class Attendance(_StayView):
    """Somebody's time in a conference."""

    display_name: str | None = told("The name they had when they joined.")
    number: str | None = told("Their number when they joined.")
    username: str | None = told("Their account when they joined.")
    role: ParticipantRole | None = told("Their role when they joined.")
    joined_at: datetime = told("When they joined.")
    left_at: datetime | None = told("When they left; null when nobody saw it, as while the gateway was stopped.")
    leave_reason: LeaveReason | None = told("Why they left.")
    duration_seconds: float | None = told("How long they stayed; null when nobody saw them leave.")


@dataclass
class _ConferenceView:
    context: strawberry.Private[Context]
    conference: strawberry.Private[ConferenceState]

    @property
    def key(self) -> RoomKey:
        return RoomKey(BackendId(self.conference.backend_id), RoomId(self.conference.room_id))

    @property
    def id(self) -> strawberry.ID:
        return conference_gid(self.conference.id)

    @property
    def room(self) -> Room | None:
        return shown_room(self.context, self.context.live.room(self.key))

    @property
    def room_id(self) -> strawberry.ID:
        return room_gid(self.key)

    @property
    def room_name(self) -> str | None:
        return self.conference.room_name

    @property
    def backend(self) -> Backend:
        return Backend(self.context, self.context.live.links[self.key.backend_id])

    @property
    def started_at(self) -> datetime:
        return self.conference.began_at

    @property
    def ended_at(self) -> datetime | None:
        return self.conference.ended_at

    @property
    def attendance(self) -> list[Attendance]:
        return [Attendance(stay) for stay in self.conference.stays]


@strawberry.type(description="A conference that is over.")
class Conference(_ConferenceView):
    """A conference that is over."""

    id: strawberry.ID = told("Opaque and the same after restarts. It cannot be fetched by `node`.")
    room: Room | None = told("The room it was in, if that still exists.")
    room_id: strawberry.ID = told("The id of that room, whether it still exists or not.")
    room_name: str | None = told("The room's name when the conference began.")
    backend: Backend = told("The phone system it was on.")
    started_at: datetime = told("When it began: as the backend says, else when the gateway first saw it.")
    ended_at: datetime | None = told("When it ended; null when nobody saw it, as while the gateway was stopped.")
    attendance: list[Attendance] = told("Everybody's stay, in the order they joined.")


@strawberry.type(description="A past conference on a page.")
class ConferenceEdge:
    """A past conference on a page."""

    cursor: str = strawberry.field(description="Its place, to be given as `after`.")
    node: Conference = strawberry.field(description="The conference.")


@strawberry.type(description="A page of past conferences.")
class ConferenceConnection:
    """A page of past conferences."""

    edges: list[ConferenceEdge] = strawberry.field(description="The conferences on this page, newest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: int = strawberry.field(description="How many conferences match, on this page or not.")


def history_filter(
    context: Context, room_id: str | None, backend_id: str | None, since: datetime | None, until: datetime | None
) -> HistoryFilter:
    """Make a filter, which never goes beyond the backends that are configured now.

    Errors: RequestError.
    """
    backend_ids: Iterable[BackendId] = context.live.links
    if (text := given(backend_id)) is not None:
        backend_ids = {backend_argument("backendId", text)} & set(backend_ids)
    room = given(room_id)
    return HistoryFilter(
        backend_ids=list(backend_ids),
        rooms=None if room is None else [room_argument("roomId", room)],
        since=given(since),
        until=given(until),
    )


async def past_conferences(context: Context, which: HistoryFilter, part: Wanted) -> ConferenceConnection:
    """Give a page of past conferences.

    Errors: RequestError.
    """
    first = part.first if part.first is not None else context.limits.page_default
    try:
        found = await context.history.past(which, first=first, after=part.after)
    except BadPageKey:
        raise invalid("after", "this is not a cursor that the gateway gave out") from None
    except StorageUnavailable:
        message = "the gateway cannot reach its database now"
        raise RequestError(RequestErrorCode.STORAGE_UNAVAILABLE, message) from None
    return _connection(context, found, part)


def _connection(context: Context, found: HistoryPage, part: Wanted) -> ConferenceConnection:
    edges = [
        ConferenceEdge(cursor=page_key(conference), node=Conference(context, conference))
        for conference in found.conferences
    ]
    info = PageInfo(
        has_next_page=found.has_next,
        has_previous_page=part.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return ConferenceConnection(edges=edges, page_info=info, total_count=found.total)
