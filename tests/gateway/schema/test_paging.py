"""Pages of lists that change while somebody turns them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.table import RoomAt
from gateway.model.ids import BackendId, ParticipantId, Position, RoomId, RoomKey
from gateway.model.room import Participant, ParticipantRole, Room
from gateway.schema.enums import RoomOrder
from gateway.schema.limits import QueryLimits
from gateway.schema.lists import ROOM_ORDERS
from gateway.schema.paging import Order, page, wanted
from tests.gateway.schema.house import CLOUD, PBX, House, backend, gid

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = QueryLimits()

names = st.none() | st.text(max_size=4) | st.sampled_from(["a", "A", "ä", "\ud800", "\U0001f600"])
instants = st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds))


@st.composite
def room_lists(draw: st.DrawFn) -> list[RoomAt]:
    keys = draw(
        st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text(min_size=1, max_size=3)), unique=True, max_size=12)
    )
    return [draw(room_ats(RoomKey(BackendId(backend_id), RoomId(room_id)))) for backend_id, room_id in keys]


@st.composite
def room_ats(draw: st.DrawFn, key: RoomKey) -> RoomAt:
    people = {ParticipantId(str(n)): Participant(id=ParticipantId(str(n))) for n in range(draw(st.integers(0, 3)))}
    room = Room(id=key.room_id, name=draw(names), started_at=draw(st.none() | instants), participants=people)
    return RoomAt(key, room, Position(1, 1), draw(instants))


def keys(entries: list[Any]) -> list[RoomKey]:
    return [at.key for _, at in entries]


def forwards(rooms: list[RoomAt], order: Order[RoomAt], size: int) -> list[RoomKey]:
    """Read all pages from the front."""
    seen: list[RoomKey] = []
    after = None
    while True:
        part = page(rooms, order, wanted(LIMITS, first=size, after=after))
        seen += keys(list(part.entries))
        assert part.total == len(rooms)
        assert part.info.has_previous_page is (len(seen) > len(part.entries))
        assert part.info.has_next_page is (len(seen) < len(rooms))
        if not part.info.has_next_page:
            return seen
        after = part.info.end_cursor


def backwards(rooms: list[RoomAt], order: Order[RoomAt], size: int) -> list[RoomKey]:
    """Read all pages from the end."""
    seen: list[RoomKey] = []
    before = None
    while True:
        part = page(rooms, order, wanted(LIMITS, last=size, before=before))
        seen = keys(list(part.entries)) + seen
        assert part.info.has_next_page is (len(seen) > len(part.entries))
        if not part.info.has_previous_page:
            return seen
        before = part.info.start_cursor


@given(room_lists(), st.sampled_from(list(RoomOrder)), st.integers(1, 5))
def test_all_pages_together_are_the_list_from_either_end(rooms: list[RoomAt], name: RoomOrder, size: int) -> None:
    order = ROOM_ORDERS[name]
    whole = keys(list(page(rooms, order, wanted(LIMITS, first=200)).entries))
    assert forwards(rooms, order, size) == whole
    assert backwards(rooms, order, size) == whole
    assert set(whole) == {at.key for at in rooms}


@given(room_lists(), st.sampled_from(list(RoomOrder)), st.data())
def test_a_room_that_stays_as_it_is_comes_exactly_once_whatever_else_changes(
    rooms: list[RoomAt], name: RoomOrder, data: st.DataObject
) -> None:
    order, steady = ROOM_ORDERS[name], {at.key for at in rooms}
    seen: list[RoomKey] = []
    after = None
    while True:
        part = page(rooms, order, wanted(LIMITS, first=2, after=after))
        seen += keys(list(part.entries))
        after = part.info.end_cursor
        if not part.info.has_next_page:
            break
        index = data.draw(st.integers(0, len(rooms) - 1))
        steady.discard(rooms[index].key)
        if data.draw(st.booleans()):
            rooms = [*rooms[:index], *rooms[index + 1 :]]
        else:
            rooms = [*rooms[:index], data.draw(room_ats(rooms[index].key)), *rooms[index + 1 :]]
    assert [key for key in seen if key in steady] == [
        key for key in keys(list(page(rooms, order, wanted(LIMITS, first=200)).entries)) if key in steady
    ]


@given(room_lists())
def test_a_room_that_becomes_active_is_not_shown_again(rooms: list[RoomAt]) -> None:
    """Newest activity first: who has been shown can only move towards the front."""
    order = ROOM_ORDERS[RoomOrder.ACTIVITY_DESC]
    seen: list[RoomKey] = []
    after = None
    now = NOON + timedelta(minutes=1)
    while True:
        part = page(rooms, order, wanted(LIMITS, first=2, after=after))
        seen += keys(list(part.entries))
        after = part.info.end_cursor
        if not part.info.has_next_page:
            break
        shown = part.entries[0][1].key
        rooms = [RoomAt(at.key, at.room, at.position, now) if at.key == shown else at for at in rooms]
    assert sorted(seen) == sorted(at.key for at in rooms)


@given(
    room_lists(),
    st.none() | st.integers(0, 4),
    st.none() | st.integers(0, 4),
    st.none() | st.integers(0, 11),
    st.none() | st.integers(0, 11),
)
def test_parts_are_cut_as_relay_says(
    rooms: list[RoomAt], first: int | None, last: int | None, after: int | None, before: int | None
) -> None:
    order = ROOM_ORDERS[RoomOrder.NAME_ASC]
    whole = page(rooms, order, wanted(LIMITS, first=200)).entries
    cursors = [cursor for cursor, _ in whole]
    at = [None if index is None or index >= len(whole) else index for index in (after, before)]
    low = 0 if at[0] is None else at[0] + 1
    high = len(whole) if at[1] is None else at[1]
    expected = list(whole[low:high])
    expected = expected if first is None else expected[:first]
    expected = expected if last is None else expected[len(expected) - min(last, len(expected)) :]
    part = page(
        rooms,
        order,
        wanted(
            LIMITS,
            first,
            None if at[0] is None else cursors[at[0]],
            last,
            None if at[1] is None else cursors[at[1]],
        ),
    )
    assert list(part.entries) == expected
    assert part.info.start_cursor == (expected[0][0] if expected else None)
    assert part.info.end_cursor == (expected[-1][0] if expected else None)


@given(st.text(max_size=40) | st.sampled_from(["W1tbW1tb" * 400, "WyJOQU1FX0FTQyIsTmFOXQ"]))
def test_a_cursor_that_nobody_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(GraphQLError) as refusal:
        ROOM_ORDERS[RoomOrder.NAME_ASC].read("after", cursor)
    assert refusal.value.extensions == {"code": "INVALID_INPUT", "argument": "after"}


ROOMS = """query ($filter: RoomFilter, $by: RoomOrder, $first: Int, $after: String, $last: Int, $before: String) {
    rooms(filter: $filter, orderBy: $by, first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { nativeId } } } }"""


async def listed(house: House, **wish: Any) -> list[str]:
    data = await house.data(ROOMS, **wish)
    return [edge["node"]["nativeId"] for edge in data["rooms"]["edges"]]


async def some_rooms(house: House) -> None:
    await house.with_people("alpha", "anna", number="+1555")
    await house.with_people("beta", "ben", "bea")
    house.pbx.open_room("gamma", name="gamma", numbers=("4711",))
    house.cloud.open_room("delta", name=None)
    await house.until(lambda: house.room("gamma") and house.room("delta", CLOUD))


async def test_rooms_are_listed_in_every_order(house: House) -> None:
    await some_rooms(house)
    assert (await listed(house))[:2] == ["beta", "alpha"]
    assert await listed(house, by="NAME_ASC") == ["alpha", "beta", "gamma", "delta"]
    assert (await listed(house, by="PARTICIPANT_COUNT_DESC"))[:2] == ["beta", "alpha"]
    assert (await listed(house, by="STARTED_AT_DESC"))[:2] == ["beta", "alpha"]
    house.pbx.tell("alpha", locked=True)
    await house.until(lambda: (at := house.room("alpha")) and at.room.locked)
    assert (await listed(house))[:2] == ["alpha", "beta"]
    assert await listed(house, by=None, first=None, after=None) == await listed(house)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, ["alpha", "beta", "gamma", "delta"]),
        ({"states": ["ACTIVE"]}, ["alpha", "beta"]),
        ({"states": []}, []),
        ({"search": "ETA"}, ["beta"]),
        ({"search": "471"}, ["gamma"]),
        ({"search": ""}, ["alpha", "beta", "gamma"]),
        ({"hasParticipant": "BE"}, ["beta"]),
        ({"hasParticipant": "555"}, ["alpha"]),
        ({"backendIds": [backend(CLOUD)]}, ["delta"]),
        ({"backendIds": [backend(BackendId("elsewhere"))]}, []),
        ({"backendKinds": ["KAZOO"]}, ["alpha", "beta", "gamma"]),
        ({"backendKinds": ["KAZOO"], "backendIds": [backend(CLOUD)]}, []),
        ({"backendIds": None, "search": None}, ["alpha", "beta", "gamma", "delta"]),
    ],
)
async def test_rooms_are_filtered_and_counted_after_that(house: House, filter_: Any, expected: list[str]) -> None:
    await some_rooms(house)
    data = await house.data(ROOMS, filter=filter_, by="NAME_ASC", first=1)
    assert data["rooms"]["totalCount"] == len(expected)
    assert data["rooms"]["pageInfo"]["hasNextPage"] is (len(expected) > 1)
    assert await listed(house, filter=filter_, by="NAME_ASC") == expected


async def test_the_rooms_of_one_backend_are_its_own(house: House) -> None:
    await some_rooms(house)
    query = """query ($id: ID!) { backend(id: $id) { rooms(filter: {search: "a"}, first: 2) { totalCount
        edges { node { nativeId } } } } }"""
    rooms = (await house.data(query, id=backend(PBX)))["backend"]["rooms"]
    assert rooms == {"totalCount": 3, "edges": [{"node": {"nativeId": "beta"}}, {"node": {"nativeId": "alpha"}}]}


@pytest.mark.parametrize(
    ("argument", "value"),
    [("first", -1), ("first", 201), ("last", -1), ("last", 10_000), ("after", ""), ("after", "x"), ("before", "W10")],
)
async def test_an_absurd_page_is_refused_by_name(house: House, argument: str, value: Any) -> None:
    error = await house.error(ROOMS, **{argument: value})
    assert error.extensions == {"code": "INVALID_INPUT", "argument": argument}
    assert argument in error.message


async def test_a_cursor_of_another_order_is_refused(house: House) -> None:
    await some_rooms(house)
    by_name = (await house.data(ROOMS, by="NAME_ASC", first=1))["rooms"]["pageInfo"]["endCursor"]
    error = await house.error(ROOMS, by="STARTED_AT_DESC", after=by_name)
    assert error.extensions == {"code": "INVALID_INPUT", "argument": "after"}


async def test_a_page_has_fifty_entries_unless_told_otherwise(house: House) -> None:
    await house.with_people("board", *(f"p{number:02}" for number in range(60)))
    query = """query ($id: ID!, $first: Int) { room(id: $id) { participants(first: $first) {
        totalCount pageInfo { hasNextPage } edges { node { nativeId } } } } }"""
    people = (await house.data(query, id=gid("board")))["room"]["participants"]
    assert (len(people["edges"]), people["totalCount"], people["pageInfo"]["hasNextPage"]) == (50, 60, True)
    people = (await house.data(query, id=gid("board"), first=0))["room"]["participants"]
    assert (people["edges"], people["totalCount"], people["pageInfo"]["hasNextPage"]) == ([], 60, True)
    assert (await house.error(query, id=gid("board"), first=201)).path == ["room", "participants"]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, ["anna", "ben", "mia"]),
        ({"roles": ["MODERATOR"]}, ["mia"]),
        ({"roles": []}, []),
        ({"muted": True}, ["ben"]),
        ({"muted": False}, ["anna", "mia"]),
        ({"talking": True}, ["anna"]),
        ({"talking": False}, ["ben"]),
        ({"search": "N"}, ["anna", "ben"]),
        ({"search": "n", "muted": True}, ["ben"]),
    ],
)
async def test_participants_are_filtered_in_the_order_they_joined(
    house: House, filter_: Any, expected: list[str]
) -> None:
    house.pbx.open_room("board")
    await house.until(lambda: house.room("board"))
    house.pbx.join("board", "anna", display_name="Anna", talking=True)
    house.pbx.join("board", "ben", display_name="Ben", muted=True)
    house.pbx.join("board", "mia", role=ParticipantRole.MODERATOR, talking=None)
    await house.until(lambda: len(house.people("board")) == 3)
    query = """query ($id: ID!, $filter: ParticipantFilter, $after: String) { room(id: $id) {
        participants(filter: $filter, first: 1, after: $after) {
            totalCount pageInfo { hasNextPage endCursor } edges { node { nativeId } } } } }"""
    found, after, more = [], None, True
    while more:
        people = (await house.data(query, id=gid("board"), filter=filter_, after=after))["room"]["participants"]
        assert people["totalCount"] == len(expected)
        found += [edge["node"]["nativeId"] for edge in people["edges"]]
        after, more = people["pageInfo"]["endCursor"], people["pageInfo"]["hasNextPage"]
    assert found == expected
