"""First events that have to be waited for, since the backend is asked for something, and what happens meanwhile."""

import gc

from gateway.model.ids import RoomKey
from gateway.model.room import RoomSettings
from tests.gateway.operations.hall import BOARD, Hall
from tests.gateway.operations.test_turns import a_turn
from tests.gateway.schema.house import PBX, House, gid

PINS = """subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position
    ... on RoomSnapshot { room { settings { memberPins maxParticipants } } } } }"""
KEY = RoomKey(PBX, BOARD)


async def test_a_room_that_is_another_when_the_first_event_has_come_is_shown_again(house: House) -> None:
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    async with house.follow(PINS, id=gid("board")) as events:
        house.live.links[PBX].table.remove(BOARD)
        places = [house.cursors.decode("acme", KEY, (await events.next())["position"]) for _ in range(2)]
        assert places[0].epoch != places[1].epoch
        assert events.last_cursor == house.cursors.encode("acme", KEY, places[1])


async def test_what_happens_while_the_first_event_is_waited_for_comes_after_it(house: House) -> None:
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    async with house.follow(PINS, id=gid("board")) as events, house.follow(PINS, id=gid("board")) as others:
        assert house.operations.followers == 0
        house.pbx.join("board", "ben")
        await house.until(lambda: house.people("board") == {"ben"})
        house.pbx.leave("board", "ben")
        for each in (events, others):
            seen = [await each.next()]
            while seen[-1]["__typename"] != "ParticipantLeft":
                seen.append(await each.next())
            assert seen[0]["room"] == {"settings": {"memberPins": None, "maxParticipants": 9}}
            assert [event["__typename"] for event in seen].count("ParticipantJoined") == 1
            places = [house.cursors.decode("acme", KEY, event["position"]).sequence for event in seen]
            assert places == [*range(places[0], places[-1] + 1)], "none missed, none twice"
        assert house.operations.running == 1


async def test_who_goes_while_its_first_event_is_waited_for_leaves_nothing_behind(house: House) -> None:
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    gone = []
    for _ in range(20):
        async with house.follow(PINS, id=gid("board")) as events:
            gone.append(events)
    async with house.follow(PINS, id=gid("board")) as events:
        await events.next()
        assert not any(each._come for each in gone)
        assert house.operations.followers == 1
    assert (house.operations.running, house.live.hub.watchers) == (0, 0)
    assert all(task.done() for task in house.operations._tasks)
    gc.collect()  # what was never awaited would be noticed here


async def test_who_goes_just_when_the_first_event_has_come_leaves_nothing_behind(hall: Hall) -> None:
    """Here there is no link, so that nothing can be asked, and the first event is there at the first opportunity."""
    room = hall.open("anna")
    reader = hall.follow(PINS, id=room)
    assert reader.waits_for is not None
    reader.stop()
    reader.stop()
    for _ in range(3):
        await a_turn()
    assert not reader.waiting
    assert (hall.operations.running, hall.operations._tasks, hall.hub.watchers) == (0, set(), 0)


async def test_a_room_that_goes_while_the_first_event_is_waited_for_is_an_error(house: House) -> None:
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    async with house.follow(PINS, id=gid("board")) as events:
        house.pbx.remove_room("board")
        house.live.links[PBX].table.remove(BOARD)
        assert (await events.error()).extensions == {"code": "ROOM_NOT_FOUND", "argument": "roomId"}
        assert await events.is_over()
