"""Who is told what happens in which room."""

from datetime import UTC, datetime

from gateway.hub.hub import Hub, Update
from gateway.model.events import RoomAppeared
from gateway.model.ids import BackendId, Position, RoomId, RoomKey
from gateway.model.room import Room

SALES = RoomKey(BackendId("pbx"), RoomId("1"))
SUPPORT = RoomKey(BackendId("pbx"), RoomId("2"))


def update(key: RoomKey) -> Update:
    room = Room(id=key.room_id)
    return Update(key, Position(1, 1), RoomAppeared(datetime.now(UTC), room), room)


async def test_who_watches_a_room_gets_its_events_and_no_others() -> None:
    hub = Hub()
    tapped: list[Update] = []
    hub.tap(tapped.append)
    with hub.watch_room(SALES) as sales, hub.watch_all() as everything:
        told = [update(SUPPORT), update(SALES)]
        for each in told:
            hub.publish(each)
        assert await sales.next() == told[1]
        assert [await everything.next(), await everything.next()] == told
        assert tapped == told


async def test_the_end_of_a_room_closes_its_watchers_and_leaves_those_of_others() -> None:
    hub = Hub()
    first, second, other = hub.watch_room(SALES), hub.watch_room(SALES), hub.watch_room(SUPPORT)
    hub.publish(update(SALES))
    hub.end_room(SALES)
    for ended in (first, second):
        assert await ended.next() is not None
        assert await ended.next() is None
    assert hub.watchers_of(SALES) == 0
    assert hub.watchers == 1
    again = hub.watch_room(SALES)
    first.close()
    assert hub.watchers_of(SALES) == 1
    again.close()
    other.close()
    assert hub.watchers == 0


async def test_the_end_of_a_room_nobody_watches_is_no_matter() -> None:
    hub = Hub()
    hub.end_room(SALES)
    assert hub.watchers == 0
