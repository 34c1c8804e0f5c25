"""Rooms, people and reports for the tests of the room table."""

from datetime import UTC, datetime, timedelta

from gateway.hub.hub import Hub
from gateway.live.table import RoomTable
from gateway.model.events import (
    Event,
)
from gateway.model.ids import BackendId, ParticipantId, Position, RoomId, RoomKey
from gateway.model.reports import (
    JoinReport,
    LeaveReport,
    UpdateReport,
)
from gateway.model.room import LeaveReason, Participant, Room, RoomState
from tests.gateway.model.switch import (
    ROOM,
)

PBX = BackendId("pbx")
KEY = RoomKey(PBX, ROOM)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANNA = ParticipantId("anna")
BEN = ParticipantId("ben")
AT_ONCE = timedelta(0)
NEVER = timedelta(days=999)


def new_table(hub: Hub | None = None, *, log_max_events: int = 256) -> RoomTable:
    return RoomTable(PBX, hub or Hub(), log_max_events=log_max_events)


def read(table: RoomTable, *rooms: Room) -> None:
    """Take over an undisturbed reading."""
    reading = table.open_reading()
    for room in rooms:
        table.take(reading, room)
    table.close_reading(reading)


def holding(*people: Participant, room_id: RoomId = ROOM, permanent: bool = True, run_id: str | None = None) -> Room:
    inside = {each.id: each for each in people}
    return Room(id=room_id, state=RoomState.ACTIVE, permanent=permanent, run_id=run_id, participants=inside)


def person(name: ParticipantId = ANNA, index: int | None = None, *, muted: bool | None = None) -> Participant:
    return Participant(id=name, index=index, muted=muted, joined_at=NOON)


def joined(name: ParticipantId = ANNA, index: int | None = None, run_id: str | None = None) -> JoinReport:
    return JoinReport(room_id=ROOM, participant=Participant(id=name, index=index), run_id=run_id)


def left(name: ParticipantId = ANNA, reason: LeaveReason = LeaveReason.UNKNOWN) -> LeaveReport:
    return LeaveReport(room_id=ROOM, participant_id=name, reason=reason)


def muted(value: bool, name: ParticipantId = ANNA) -> UpdateReport:
    return UpdateReport(room_id=ROOM, participant=Participant(id=name, muted=value))


def room_of(table: RoomTable, room_id: RoomId = ROOM) -> Room:
    at = table.get(room_id)
    assert at is not None
    return at.room


def position_of(table: RoomTable) -> Position:
    at = table.get(ROOM)
    assert at is not None
    return at.position


def following(hub: Hub) -> list[Event]:
    """Give a list that grows with what is published."""
    events: list[Event] = []
    hub.tap(lambda update: events.append(update.event))
    return events
