"""What the table keeps for commands and for those who come back, and what it lets go."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.hub.hub import Hub, Update
from gateway.model.events import (
    ParticipantJoined,
    ParticipantLeft,
    RoomRemoved,
    RoomUpdated,
)
from gateway.model.ids import ParticipantId, Position, RoomId
from gateway.model.reports import (
    EndReport,
)
from gateway.model.room import LeaveReason, Participant, ParticipantRole, Room, RoomState
from tests.gateway.live.rooms import (
    ANNA,
    AT_ONCE,
    BEN,
    KEY,
    NEVER,
    following,
    holding,
    joined,
    left,
    muted,
    new_table,
    person,
    position_of,
    read,
    room_of,
)
from tests.gateway.model.switch import (
    ROOM,
)
from tests.watching import watching_room

# ---- commands ----


async def test_a_future_is_done_at_the_event_that_shows_the_effect() -> None:
    table = new_table()
    read(table, holding(person()))
    waiter = table.until(ROOM, lambda room: room is not None and bool(room.participants[ANNA].muted))
    table.report(joined(BEN))
    assert not waiter.done()
    table.report(muted(True))
    position = position_of(table)
    table.report(muted(False))
    assert waiter.result() == position


async def test_a_future_for_an_effect_among_several_events_has_the_position_of_its_own() -> None:
    table = new_table()
    read(table, holding(person(), person(BEN)))
    start = position_of(table)
    waiter = table.until(ROOM, lambda room: room is not None and ANNA not in room.participants)
    table.report(EndReport(room_id=ROOM))  # two leaves and the end
    assert waiter.result() == Position(start.epoch, start.sequence + 1)


async def test_a_future_that_wants_a_room_gone_is_done_when_it_is_removed() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    gone = table.until(ROOM, lambda room: room is None)
    locked = table.until(ROOM, lambda room: room is not None and bool(room.locked))
    position = position_of(table)
    table.remove(ROOM)
    assert gone.result() == Position(position.epoch, position.sequence + 1)
    # Whoever waits for something else must not be cancelled by it: a cancelled future would cancel the command itself.
    assert not locked.done()


async def test_a_future_for_a_room_that_is_not_known_is_never_done() -> None:
    table = new_table()
    waiter = table.until(ROOM, lambda room: True)
    read(table, Room(id=ROOM))
    assert not waiter.done()


async def test_futures_that_were_given_up_are_not_kept() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    for _ in range(10):
        table.until(ROOM, lambda room: False).cancel()
    assert len(table._entries[ROOM].waiting) <= 1
    old = position_of(table)
    table.sweep(ended_for=NEVER, idle_for=AT_ONCE)
    assert position_of(table).epoch != old.epoch


def test_a_leave_that_a_command_was_about_to_cause_has_its_reason() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN), person(ParticipantId("carl"))))
    table.expect(ROOM, {ANNA: LeaveReason.KICKED, BEN: LeaveReason.KICKED, ParticipantId("carl"): LeaveReason.KICKED})
    table.no_longer_expect(ROOM, [BEN, ParticipantId("dora")])
    table.report(left(ANNA))
    table.report(left(BEN))
    table.report(left(ParticipantId("carl"), LeaveReason.HUNG_UP))
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.KICKED, LeaveReason.UNKNOWN, LeaveReason.HUNG_UP]


def test_an_expected_leave_counts_once() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(index=1)))
    table.expect(ROOM, {ANNA: LeaveReason.KICKED})
    table.report(left())
    table.report(joined(ANNA, 2))
    table.report(left())
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.KICKED, LeaveReason.UNKNOWN]


def test_everybody_who_leaves_a_room_that_is_being_closed_has_that_reason() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN)))
    table.expect(ROOM, dict.fromkeys((ANNA, BEN), LeaveReason.ROOM_CLOSED))
    table.report(left())
    table.report(EndReport(room_id=ROOM))
    reasons = [event.reason for event in events if isinstance(event, ParticipantLeft)]
    assert reasons == [LeaveReason.ROOM_CLOSED] * 2


def test_expecting_those_who_are_not_there_leaves_nothing_behind() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    for number in range(100):
        table.expect(ROOM, {ParticipantId(str(number)): LeaveReason.KICKED})
    table.expect(RoomId("nowhere"), {ANNA: LeaveReason.KICKED})
    assert table._entries[ROOM].memory.expected == {}


# ---- memory ----


async def test_ended_rooms_leave_memory_when_their_time_is_over() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(), permanent=False))
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert len(table) == 1
    table.report(EndReport(room_id=ROOM))
    assert room_of(table).state is RoomState.ENDED
    table.sweep(ended_for=NEVER, idle_for=AT_ONCE)
    assert len(table) == 1
    with watching_room(hub, KEY) as watching:
        table.sweep(ended_for=AT_ONCE, idle_for=NEVER)
        last = await watching.next()
        assert isinstance(last, Update)
        assert isinstance(last.event, RoomRemoved)
        assert await watching.next() is None
    assert len(table) == 0


def test_a_room_long_idle_keeps_its_state_and_lets_its_log_go_once() -> None:
    table = new_table()
    read(table, Room(id=ROOM, name="Sales"))
    old = position_of(table)
    table.sweep(ended_for=AT_ONCE, idle_for=NEVER)
    assert position_of(table) == old
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    new = position_of(table)
    assert new.epoch != old.epoch
    assert new.sequence == 0
    assert room_of(table).name == "Sales"
    assert table.events_after(ROOM, old) is None
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == new
    table.report(joined())
    assert position_of(table) == Position(new.epoch, 2)
    assert [type(each.event) for each in table.events_after(ROOM, new) or ()] == [RoomUpdated, ParticipantJoined]


async def test_a_log_is_not_let_go_while_somebody_watches_or_waits_for_an_effect() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, Room(id=ROOM))
    old = position_of(table)
    with watching_room(hub, KEY):
        table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old
    waiter: asyncio.Future[Position] = table.until(ROOM, lambda room: False)
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old
    waiter.cancel()
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) != old


def test_a_conference_that_goes_on_keeps_its_log_however_quiet_it_is() -> None:
    table = new_table()
    read(table, holding(person()))
    old = position_of(table)
    table.sweep(ended_for=AT_ONCE, idle_for=AT_ONCE)
    assert position_of(table) == old


def crowd(room: int, size: int = 50) -> Sequence[Participant]:
    """Give participants as a switch would tell them: no string is shared but what really repeats."""
    return [
        Participant(
            id=ParticipantId(f"{room:08x}-{number:04x}-4a7b-9c3d-{room * 1000 + number:012x}"),
            leg_id=f"{room:08x}-{number:04x}-4a7b-9c3d-{room * 1000 + number:012x}",
            index=room * 1000 + number,
            display_name=f"Person {number} of room {room}",
            number=f"+331{room:04}{number:04}",
            username=f"user_{room}_{number}@example.test",
            user_id=f"{room * 7919 + number:032x}",
            role=ParticipantRole.PARTICIPANT,
            muted=False,
            deafened=False,
            talking=False,
            floor=False,
            joined_at=datetime(2024, 5, 1, 12, tzinfo=UTC) + timedelta(seconds=number),
        )
        for number in range(size)
    ]


def test_fifty_thousand_participants_in_a_thousand_rooms_take_two_kilobytes_each_at_most() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        table = new_table()
        for number in range(1000):
            read(table, holding(*crowd(number), room_id=RoomId(f"{number:032x}"), run_id=f"{number:036x}"))
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(at.room.participants) for at in table) == 50_000
    assert held / 50_000 <= 2000
