"""XiVO's rooms and people as ours: pure functions, with each trap written down."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from adapters.xivo.told import Described, ListedRoom, Member
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomDetail, RoomState

_EPOCH = datetime.fromtimestamp(0, UTC)


def instant(epoch_ms: int | None) -> datetime | None:
    """Read an instant of the room list.

    Units: epoch milliseconds, where 0 stands for none.
    """
    if not epoch_ms:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=epoch_ms)
    except OverflowError:
        return None


def epoch_ms(at: datetime) -> int:
    """Give an instant of ours in the unit of the room list."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def listed_id(order: int, joined_ms: int) -> ParticipantId:
    """Name a presence by what the room list says of it: the same for every gateway, and after every restart."""
    return ParticipantId(f"{order}-{joined_ms}")


def told_id(index: int, joined_ms: int) -> ParticipantId:
    """Name a presence that no list has had in time, by its slot and when it seems to have joined."""
    return ParticipantId(f"{index}~{joined_ms}")


def participant(
    participant_id: ParticipantId,
    *,
    member: Member | None,
    described: Described | None,
    index: int | None,
    user_id: str | None,
    joined_ms: int | None,
) -> Participant:
    """Map one presence out of what the room list and the events say of it; the events know better.

    Shape: `index` comes from events alone: the list's `joinOrder` is likely the same number, but nobody says so. Role,
           deafened and talking are not in the list.
    """
    listed, told = member or _NO_MEMBER, described or _NOT_DESCRIBED
    username = told.username or listed.username
    return Participant(
        id=participant_id,
        index=index,
        display_name=told.name or listed.name,
        number=told.number or listed.number,
        username=username,
        user_id=username or user_id,
        role=told.role,
        muted=listed.muted if told.muted is None else told.muted,
        deafened=told.deafened,
        talking=told.talking,
        joined_at=instant(joined_ms),
    )


_NO_MEMBER = Member(order=0, joined_ms=0)
_NOT_DESCRIBED = Described(index=0)


def room(
    number: str,
    listed: ListedRoom | None,
    told_name: str | None,
    people: Mapping[ParticipantId, Participant],
    *,
    active: bool,
    detailed: bool,
) -> Room:
    """Put together one room; only the list knows of rooms that nobody is in, and only such rooms are permanent."""
    return Room(
        id=RoomId(number),
        numbers=(number,),
        name=(listed.name if listed else None) or told_name,
        pin_required=listed.pin_required if listed else None,
        state=RoomState.ACTIVE if active else RoomState.IDLE,
        detail=RoomDetail.FULL if detailed else RoomDetail.SUMMARY,
        permanent=listed is not None,
        started_at=instant(listed.started_ms) if listed and active else None,
        participants=people,
    )
