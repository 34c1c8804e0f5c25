"""Participants of all rooms, the lobby, and the backends, followed."""

import pytest

from gateway.live.link import BackendStatus
from gateway.model.ids import BackendId
from gateway.model.room import ParticipantRole
from tests.gateway.schema.house import CLOUD, PBX, VIEWER, House, backend, gid

PEOPLE = """subscription ($filter: ParticipantEventFilter) { participantEvents(filter: $filter) {
    __typename roomId position participant { id } ... on ParticipantUpdated { changed } } }"""
LOBBY = """subscription ($filter: RoomFilter) { roomListEvents(filter: $filter) { __typename
    ... on RoomListSnapshot { rooms { id participantCount } }
    ... on RoomAdded { room { id participantCount } }
    ... on RoomChanged { room { id participantCount locked } }
    ... on RoomRemoved { roomId } } }"""
BACKENDS = """subscription ($ids: [ID!]) { backendEvents(backendIds: $ids) {
    occurredAt backend { id status statusReason } } }"""


# ---- participants ----


async def test_participants_of_all_rooms_are_followed(house: House) -> None:
    await house.with_people("board", "anna")
    async with house.follow(PEOPLE, VIEWER) as events:
        house.pbx.join("board", "ben")
        joined = await events.next()
        assert (joined["__typename"], joined["roomId"]) == ("ParticipantJoined", gid("board"))
        house.cloud.open_room("far")
        house.cloud.join("far", "cleo")
        assert (await events.next())["participant"]["id"] == gid("far", "cleo", CLOUD)
        house.pbx.leave("board", "anna")
        assert (await events.next())["__typename"] == "ParticipantLeft"


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, ["JOINED", "TALKING", "MUTED", "far", "LEFT"]),
        ({"kinds": ["UPDATED"]}, ["TALKING", "MUTED"]),
        ({"kinds": []}, []),
        ({"includeTalking": False}, ["JOINED", "MUTED", "far", "LEFT"]),
        ({"includeTalking": None}, ["JOINED", "TALKING", "MUTED", "far", "LEFT"]),
        ({"backendIds": [backend(CLOUD)]}, ["far"]),
        ({"backendIds": [backend(BackendId("elsewhere"))]}, []),
        ({"roomIds": [gid("board")], "kinds": ["JOINED", "LEFT"]}, ["JOINED", "LEFT"]),
        ({"roomIds": [gid("far", None, CLOUD), gid("not yet")]}, ["far"]),
        ({"roomIds": [gid("board")], "backendIds": [backend(CLOUD)]}, []),
    ],
)
async def test_events_about_participants_are_narrowed(house: House, filter_: object, expected: list[str]) -> None:
    await house.with_people("board", "anna")
    async with house.follow(PEOPLE, filter=filter_) as events:
        house.pbx.join("board", "ben")
        house.pbx.change("board", "ben", talking=True)
        house.pbx.change("board", "ben", muted=True)
        await house.until(lambda: (at := house.room("board")) and any(p.muted for p in at.room.participants.values()))
        house.cloud.open_room("far")
        house.cloud.join("far", "cleo")
        await house.until(lambda: (at := house.room("far", CLOUD)) and at.room.participants)
        house.pbx.leave("board", "anna")
        await house.until(lambda: house.people("board") == {"ben"})
        seen = []
        for _ in expected:
            event = await events.next()
            names = {"ParticipantJoined": "JOINED", "ParticipantLeft": "LEFT"}
            name = names.get(event["__typename"]) or event["changed"][0]
            seen.append("far" if event["roomId"] == gid("far", None, CLOUD) else name)
        assert seen == expected


async def test_wrong_ids_in_a_filter_are_named(house: House) -> None:
    for field, wrong in (("roomIds", "x"), ("roomIds", backend(PBX)), ("backendIds", "x"), ("backendIds", gid("a"))):
        async with house.follow(PEOPLE, filter={field: [wrong]}) as events:
            error = await events.error()
        assert error.extensions == {"code": "INVALID_INPUT", "argument": f"filter.{field}"}


async def test_who_cannot_get_all_events_of_participants_is_told_so(house: House) -> None:
    await house.with_people("board", "anna")
    async with house.follow(PEOPLE, room_for=1) as events:
        await house.until_joined("board", *(f"p{number}" for number in range(5)))
        assert (await events.next())["participant"]["id"] == gid("board", "p0")
        assert (await events.error()).extensions == {"code": "SLOW_CONSUMER"}
        assert await events.is_over()
    assert house.live.hub.watchers == 0


# ---- the lobby ----


async def test_the_lobby_shows_rooms_coming_changing_and_going(house: House) -> None:
    await house.with_people("board", "anna")
    async with house.follow(LOBBY, VIEWER) as events:
        first = await events.next()
        assert first == {"__typename": "RoomListSnapshot", "rooms": [{"id": gid("board"), "participantCount": 1}]}
        house.pbx.open_room("lobby")
        assert await events.next() == {"__typename": "RoomAdded", "room": {"id": gid("lobby"), "participantCount": 0}}
        house.pbx.join("board", "ben")
        changed = await events.next()
        assert (changed["__typename"], changed["room"]["participantCount"]) == ("RoomChanged", 2)
        house.pbx.change("board", "ben", talking=True)
        house.pbx.change("board", "ben", muted=True)
        house.pbx.tell("board", locked=True)
        assert (await events.next())["room"]["locked"] is True, "who talks or is muted is nothing for the lobby"
        house.pbx.change("board", "ben", role=ParticipantRole.MODERATOR)
        assert (await events.next())["__typename"] == "RoomChanged"
        house.pbx.remove_room("lobby")
        assert await events.next() == {"__typename": "RoomRemoved", "roomId": gid("lobby")}


async def test_a_room_enters_and_leaves_the_lobby_with_its_filter(house: House) -> None:
    house.pbx.open_room("board")
    await house.until(lambda: house.room("board"))
    async with house.follow(LOBBY, filter={"states": ["ACTIVE"]}) as events:
        assert (await events.next())["rooms"] == []
        house.pbx.join("board", "anna")
        assert (await events.next())["__typename"] == "RoomAdded"
        house.pbx.end("board")
        kinds = [(await events.next())["__typename"] for _ in range(3)]
        assert kinds == ["RoomChanged", "RoomChanged", "RoomRemoved"], "joined, left, ended"
        house.pbx.join("board", "anna")
        assert (await events.next())["__typename"] == "RoomAdded"


async def test_the_lobby_can_wait_for_a_person(house: House) -> None:
    await house.with_people("board", "anna")
    async with house.follow(LOBBY, filter={"hasParticipant": "BEN"}) as events:
        assert (await events.next())["rooms"] == []
        house.pbx.join("board", "x1", display_name="Benjamin")
        assert (await events.next())["room"] == {"id": gid("board"), "participantCount": 2}
        house.pbx.leave("board", "x1")
        assert (await events.next())["__typename"] == "RoomRemoved"


async def test_who_reads_the_lobby_too_slowly_gets_it_again(house: House) -> None:
    await house.with_people("board", "anna")
    async with house.follow(LOBBY, room_for=1) as events:
        await events.next()
        await house.until_joined("board", *(f"p{number}" for number in range(5)))
        assert (await events.next())["room"]["participantCount"] == 2
        again = await events.next()
        assert again == {"__typename": "RoomListSnapshot", "rooms": [{"id": gid("board"), "participantCount": 6}]}
        house.pbx.leave("board", "p0")
        changed = await events.next()
        assert (changed["__typename"], changed["room"]["participantCount"]) == ("RoomChanged", 5)


# ---- backends ----


async def test_the_links_are_followed_from_what_they_are(house: House) -> None:
    async with house.follow(BACKENDS, VIEWER) as events:
        assert [(await events.next())["backend"]["status"] for _ in range(2)] == ["LIVE", "LIVE"]
        house.pbx.drop_link(reachable=False)
        stale = await events.next()
        assert stale["backend"]["id"] == backend(PBX)
        assert (stale["backend"]["status"], stale["backend"]["statusReason"]) == (
            "STALE",
            "the switchboard is unplugged",
        )
        house.pbx.reachable = True
        live = await events.next()
        assert (live["backend"]["status"], live["backend"]["statusReason"]) == ("LIVE", None)
        assert stale["occurredAt"] < live["occurredAt"]


async def test_only_some_links_are_followed(house: House) -> None:
    async with house.follow(BACKENDS, ids=[backend(CLOUD), backend(BackendId("elsewhere"))]) as events:
        assert (await events.next())["backend"]["id"] == backend(CLOUD)
        house.pbx.drop_link(reachable=False)
        await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
        house.cloud.drop_link(reachable=False)
        assert (await events.next())["backend"]["id"] == backend(CLOUD)
    async with house.follow(BACKENDS, ids=["x"]) as events:
        assert (await events.error()).extensions == {"code": "INVALID_INPUT", "argument": "backendIds"}
