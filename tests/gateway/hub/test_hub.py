"""Who is told what happens in which room."""

from datetime import UTC, datetime

from gateway.hub.hub import Hub, Update
from gateway.model.events import RoomAppeared
from gateway.model.ids import BackendId, Position, RoomId, RoomKey
from gateway.model.room import Room
from tests.watching import watching_all, watching_backends, watching_room

SALES = RoomKey(BackendId("pbx"), RoomId("1"))
SUPPORT = RoomKey(BackendId("pbx"), RoomId("2"))


def update(key: RoomKey) -> Update:
    room = Room(id=key.room_id)
    return Update(key, Position(1, 1), RoomAppeared(datetime.now(UTC), room), room)


async def test_who_watches_a_room_gets_its_events_and_no_others() -> None:
    hub = Hub()
    tapped: list[Update] = []
    hub.tap(tapped.append)
    with watching_room(hub, SALES) as sales, watching_all(hub) as everything:
        told = [update(SUPPORT), update(SALES)]
        for each in told:
            hub.publish(each)
        assert await sales.next() == told[1]
        assert [await everything.next(), await everything.next()] == told
        assert tapped == told


async def test_the_end_of_a_room_closes_its_watchers_and_leaves_those_of_others() -> None:
    hub = Hub()
    first, second, other = watching_room(hub, SALES), watching_room(hub, SALES), watching_room(hub, SUPPORT)
    hub.publish(update(SALES))
    hub.end_room(SALES)
    for ended in (first, second):
        assert await ended.next() is not None
        assert await ended.next() is None
    assert hub.watchers_of(SALES) == 0
    assert hub.watchers == 1
    again = watching_room(hub, SALES)
    first.close()
    assert hub.watchers_of(SALES) == 1
    again.close()
    other.close()
    assert hub.watchers == 0


async def test_the_end_of_a_room_nobody_watches_is_no_matter() -> None:
    hub = Hub()
    hub.end_room(SALES)
    assert hub.watchers == 0


async def test_those_who_watch_backends_are_told_and_counted() -> None:
    hub = Hub()
    with watching_backends(hub) as first, watching_backends(hub) as second:
        assert hub.watchers == 2
        hub.publish_backend(BackendId("pbx"))
        assert [await first.next(), await second.next()] == ["pbx", "pbx"]
    assert hub.watchers == 0


async def test_a_watcher_may_go_while_the_others_are_told() -> None:
    hub = Hub()
    told: list[Update | None] = []

    def leave(update: Update | None) -> None:
        told.append(update)
        for each in leaving:
            each.close()

    leaving = [hub.watch_room(SALES, leave), hub.watch_room(SALES, leave)]
    hub.publish(update(SALES))
    hub.publish(update(SALES))
    assert len(told) == 2, "each was told of the first, since it was watching then"
    assert hub.watchers == 0


async def test_whatever_can_be_read_has_another_version_after_every_change() -> None:
    hub = Hub()
    versions = [(hub.version, hub.backends_version)]
    for change in (lambda: hub.publish(update(SALES)), lambda: hub.publish_backend(BackendId("pbx")), hub.touch):
        change()
        versions.append((hub.version, hub.backends_version))
    assert len({version for version, _ in versions}) == 4
    assert [backends for _, backends in versions] == [0, 0, 1, 2]
