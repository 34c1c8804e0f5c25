"""Who has come and gone leaves nothing behind, and what is kept has a bound."""

import gc
import sys
from collections.abc import Callable

from gateway.model.ids import RoomId
from gateway.operations.batch import Batch
from gateway.operations.operations import Operations
from tests.gateway.operations.hall import Hall, Reader
from tests.gateway.schema.house import VIEWER

EVENTS = """subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position
    ... on ParticipantEvent { participant { id muted isMe } } } }"""
SHARED = EVENTS.replace("isMe", "talking")
_FEW = 500
"""Of blocks of memory and of objects; a single one left behind each time would be thousands."""

Grown = Callable[[], tuple[int, int]]


def growth() -> Grown:
    """Give what says how many blocks of memory and objects there are more than when it was last asked."""
    before = (0, 0)

    def measure() -> tuple[int, int]:
        nonlocal before
        gc.collect()
        now = (sys.getallocatedblocks(), len(gc.get_objects()))
        more = (now[0] - before[0], now[1] - before[1])
        before = now
        return more

    measure()
    return measure


class Deaf(Reader):
    """Keeps nothing of what it is told."""

    def deliver(self, batch: Batch) -> None:
        pass


def come_and_go(hall: Hall, query: str, room: str, times: int) -> None:
    """Subscribe and leave, a hundred at once, while events flow; half of them leave during a pass."""
    operations: Operations = hall.operations
    request = hall.request(query, id=room)
    here: list[Deaf] = []
    for number in range(times):
        reader = Deaf()
        operations.follow(operations.prepare(request, VIEWER), reader)
        here.append(reader)
        if number % 50 == 0:
            hall.changes("anna", muted=number % 100 == 0)
            hall.turns.turn(30)
        if len(here) == 100:
            hall.turns.turn(150)
            for each in here:
                each.stop()
            here.clear()
    hall.turns.all()
    for each in here:
        each.stop()


def assert_flat(grown: Grown) -> None:
    blocks, objects = grown()
    assert blocks < _FEW
    assert objects < _FEW


async def test_a_hundred_thousand_who_came_and_went_leave_nothing_while_others_stay(hall: Hall) -> None:
    room = hall.open("anna")
    for _ in range(3):
        hall.follow(SHARED, VIEWER, reader=Deaf(), id=room)
    come_and_go(hall, SHARED, room, 20_000)  # the room's log has to fill first
    grown = growth()
    come_and_go(hall, SHARED, room, 100_000)
    assert_flat(grown)
    assert (hall.operations.running, hall.operations.followers, hall.hub.watchers) == (1, 3, 1)


async def test_operations_that_began_and_ended_leave_nothing(hall: Hall) -> None:
    room = hall.open("anna")

    def begin_and_end(times: int) -> None:
        for number in range(times):
            reader = hall.follow(EVENTS, VIEWER, reader=Deaf(), id=room)
            hall.changes("anna", muted=number % 2 == 0)
            reader.stop()
            hall.turns.all()

    begin_and_end(600)
    grown = growth()
    begin_and_end(5000)
    assert_flat(grown)
    assert (hall.operations.running, hall.hub.watchers, hall.turns.idle) == (0, 0, True)


async def test_events_that_were_told_and_answers_that_were_given_leave_nothing(hall: Hall) -> None:
    room = hall.open("anna")
    for query in (SHARED, EVENTS):
        hall.follow(query, VIEWER, reader=Deaf(), id=room)

    def things_happen(times: int) -> None:
        for number in range(times):
            hall.changes("anna", muted=number % 2 == 0)
            hall.turns.all()
            hall.ask("query ($id: ID!) { room(id: $id) { participants { edges { node { muted } } } } }", id=room)

    things_happen(500)
    grown = growth()
    things_happen(3000)
    assert_flat(grown)


async def test_rooms_that_came_and_went_leave_nothing(hall: Hall) -> None:
    def rooms(first: int, count: int) -> None:
        for number in range(first, first + count):
            name = f"room {number}"
            room = hall.open("anna", room_id=name)
            slow = hall.follow(SHARED, VIEWER, reader=Deaf(), id=room)
            quick = hall.follow(SHARED, VIEWER, reader=Deaf(), id=room)
            slow.stuck = True
            hall.joins("ben", room_id=name)
            hall.turns.all()
            hall.table.remove(RoomId(name))
            hall.turns.all()
            slow.stuck = False
            slow.drained()
            assert slow.over
            assert quick.over

    rooms(0, 600)
    grown = growth()
    rooms(600, 1000)
    assert_flat(grown)
    assert (hall.operations.running, hall.hub.watchers, hall.turns.idle) == (0, 0, True)
