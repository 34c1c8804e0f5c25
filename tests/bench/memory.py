"""What a participant costs in memory while rooms are held, their logs included."""

import gc
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.hub.hub import Hub
from gateway.live.table import RoomTable
from gateway.model.ids import BackendId, ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room, RoomState

_ROOMS = 1000
_PEOPLE = 50
_GOAL_BYTES = 2048


def measure() -> str:
    """Say the bytes per participant, and the ratio to the bare strings and instants that it is made of."""
    bare = _bytes_of(lambda: [[_values(room, who) for who in range(_PEOPLE)] for room in range(_ROOMS)])
    held = _bytes_of(_table)
    each = held / (_ROOMS * _PEOPLE)
    return (
        f"{each:,.0f} bytes a participant ({_ROOMS} rooms × {_PEOPLE}, events in the log included), "
        f"{held / bare:.1f} × its bare values; goal ≤ {_GOAL_BYTES:,}: {'met' if each <= _GOAL_BYTES else 'MISSED'}"
    )


def _bytes_of(make: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    kept = make()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size


def _values(room: int, who: int) -> tuple[str, str, str, str, str, datetime]:
    instant = datetime.fromtimestamp(1_790_000_000 + who, UTC)
    return (
        f"{room}.{who}.7f3a9b@10.26.0.5",
        f"Caller {who} of {room}",
        f"+1202555{who:04d}",
        f"sip{who}",
        f"u{who}",
        instant,
    )


def _table() -> RoomTable:
    table = RoomTable(BackendId("kazoo"), Hub())
    reading = table.open_reading()
    for room in range(_ROOMS):
        people = [_participant(room, who) for who in range(_PEOPLE)]
        state = Room(
            id=RoomId(f"room{room}"),
            state=RoomState.ACTIVE,
            run_id=f"run{room}",
            participants={each.id: each for each in people},
        )
        table.take(reading, state)
    table.close_reading(reading)
    return table


def _participant(room: int, who: int) -> Participant:
    call_id, name, number, username, user_id, joined_at = _values(room, who)
    return Participant(
        id=ParticipantId(call_id),
        leg_id=call_id,
        index=who,
        display_name=name,
        number=number,
        username=username,
        user_id=user_id,
        role=ParticipantRole.PARTICIPANT,
        muted=False,
        deafened=False,
        talking=False,
        joined_at=joined_at,
    )
