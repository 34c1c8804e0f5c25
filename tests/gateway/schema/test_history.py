"""Past conferences, and who was in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.model.ids import BackendId
from gateway.model.room import LeaveReason, ParticipantRole
from gateway.schema.limits import QueryLimits
from gateway.storage import ConferenceEnded, ConferenceStarted, History, StayEnded, StayStarted
from gateway.storage.engine import Database, parse_url
from tests.gateway.schema.house import CLOUD, PBX, VIEWER, House, backend, gid

HISTORY = """query ($room: ID, $backend: ID, $from: DateTime, $to: DateTime, $first: Int, $after: String) {
    conferenceHistory(roomId: $room, backendId: $backend, from: $from, to: $to, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id roomId roomName room { nativeId } backend { name } startedAt endedAt
            attendance { displayName number username role joinedAt leftAt leaveReason durationSeconds } } } } }"""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def history(house: House, **wish: Any) -> Any:
    await house.storage.writer.flush()
    return (await house.data(HISTORY, VIEWER, **wish))["conferenceHistory"]


def held(house: House, room_id: str, hour: int, backend_id: str = "pbx", *, lost: bool = False) -> None:
    """Write down a conference that took half an hour, or whose end nobody saw."""
    began = NOON + timedelta(hours=hour)
    ended = None if lost else began + timedelta(minutes=30)
    conference = ConferenceStarted(backend_id=backend_id, room_id=room_id, room_name=room_id.title(), started_at=began)
    stay = StayStarted(conference_id=conference.id, participant_id="anna", joined_at=began, display_name="Anna")
    for record in (
        conference,
        stay,
        StayEnded(id=stay.id, left_at=ended),
        ConferenceEnded(id=conference.id, ended_at=ended),
    ):
        house.storage.writer.put(record)


async def test_a_conference_that_is_over_has_everybody_with_the_time_they_stayed(house: House) -> None:
    await house.with_people("board", "anna")
    house.pbx.join("board", "mia", display_name="Mia", role=ParticipantRole.MODERATOR, number="+1555")
    await house.until(lambda: len(house.people("board")) == 2)
    assert (await history(house))["totalCount"] == 0, "it goes on"
    house.pbx.leave("board", "mia", LeaveReason.KICKED)
    house.pbx.end("board")
    await house.until(lambda: (at := house.room("board")) and at.room.ended_at)
    (edge,) = (await history(house))["edges"]
    conference = edge["node"]
    assert (conference["roomId"], conference["roomName"]) == (gid("board"), "Board")
    assert (conference["room"], conference["backend"]) == ({"nativeId": "board"}, {"name": "Head office"})
    anna, mia = conference["attendance"]
    assert (anna["displayName"], anna["leaveReason"]) == ("Anna", "ROOM_CLOSED")
    assert (mia["role"], mia["number"], mia["leaveReason"]) == ("MODERATOR", "+1555", "KICKED")
    assert 0 <= mia["durationSeconds"] <= anna["durationSeconds"]
    assert conference["startedAt"] <= anna["joinedAt"] <= mia["leftAt"] <= conference["endedAt"]


async def test_what_nobody_saw_is_null(house: House) -> None:
    held(house, "gone", 0, lost=True)
    (edge,) = (await history(house))["edges"]
    conference = edge["node"]
    assert (conference["endedAt"], conference["room"]) == (None, None)
    assert conference["attendance"][0]["durationSeconds"] is None


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, ["Late", "Board", "Far", "Early"]),
        ({"room": gid("board")}, ["Board"]),
        ({"room": gid("never")}, []),
        ({"backend": backend(CLOUD)}, ["Far"]),
        ({"backend": backend(PBX), "room": gid("far", None, CLOUD)}, []),
        ({"backend": backend(BackendId("former"))}, []),
        ({"room": gid("old", None, BackendId("former"))}, []),
        ({"from": "2026-01-01T14:00:00Z"}, ["Late", "Board"]),
        ({"from": "2026-01-01T15:15:00+01:00"}, ["Late", "Board"]),
        ({"to": "2026-01-01T13:00:00Z"}, ["Early"]),
        ({"from": None, "to": None, "room": None}, ["Late", "Board", "Far", "Early"]),
    ],
)
async def test_conferences_are_found_by_room_backend_and_time(
    house: House, wish: dict[str, Any], expected: list[str]
) -> None:
    held(house, "early", 0)
    held(house, "far", 1, "cloud")
    held(house, "board", 2)
    held(house, "late", 3)
    held(house, "old", 4, "former")
    found = await history(house, **wish)
    assert [edge["node"]["roomName"] for edge in found["edges"]] == expected
    assert found["totalCount"] == len(expected)


async def test_all_pages_together_are_the_history(house: House) -> None:
    for hour in range(7):
        held(house, f"r{hour}", hour)
    seen: list[str] = []
    after = None
    while True:
        found = await history(house, first=3, after=after)
        seen += [edge["node"]["roomName"] for edge in found["edges"]]
        assert found["totalCount"] == 7
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert seen == [f"R{hour}" for hour in range(6, -1, -1)]


@pytest.mark.parametrize(
    ("wish", "argument"),
    [
        ({"room": "x"}, "roomId"),
        ({"room": backend(PBX)}, "roomId"),
        ({"backend": "x"}, "backendId"),
        ({"after": "x"}, "after"),
        ({"first": 201}, "first"),
        ({"first": -1}, "first"),
    ],
)
async def test_wrong_input_is_named(house: House, wish: dict[str, Any], argument: str) -> None:
    error = await house.error(HISTORY, **wish)
    assert error.extensions == {"code": "INVALID_INPUT", "argument": argument}


async def test_a_database_that_is_away_is_said_so(house: House) -> None:
    nowhere = Database(parse_url("postgresql://nobody@127.0.0.1:1/nothing"))
    house.operations = house.make_operations(QueryLimits(), History(nowhere))
    error = await house.error(HISTORY)
    await nowhere.aclose()
    assert error.extensions == {"code": "STORAGE_UNAVAILABLE"}
