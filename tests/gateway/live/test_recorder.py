"""Who was in which conference and when, through restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.hub.hub import Update
from gateway.live.recorder import Recorder
from gateway.model.events import RoomAppeared, RoomEnded
from gateway.model.ids import ParticipantId, Position, RoomId, RoomKey
from gateway.model.room import NOBODY, LeaveReason, Participant, Room, RoomState
from gateway.storage import Conference, ConferenceStarted, HistoryFilter, Storage
from tests.gateway.schema.house import PBX, House, gid, house_with
from tests.switchboard import Switchboard

HISTORY = """{ conferenceHistory { totalCount edges { node {
    roomId roomName startedAt endedAt attendance { displayName joinedAt leftAt leaveReason } } } } }"""
BOARD = RoomId("board")


@pytest.fixture
def pbx() -> Switchboard:
    """A switch that has one room with a conference that has a name."""
    switchboard = Switchboard()
    switchboard.open_room("board", name="Board")
    conference(switchboard, "run 1", "anna", "ben")
    return switchboard


def conference(switchboard: Switchboard, run_id: str | None, *people: str) -> None:
    """Let another conference run in the room, without a word to anybody."""
    there = {ParticipantId(each): Participant(id=ParticipantId(each), display_name=each.title()) for each in people}
    before = switchboard.rooms[BOARD]
    switchboard.rooms[BOARD] = replace(before, state=RoomState.ACTIVE, run_id=run_id, participants=there)


def nothing_runs(switchboard: Switchboard) -> None:
    """Let the room be empty, without a word to anybody."""
    idle = replace(switchboard.rooms[BOARD], state=RoomState.IDLE, run_id=None, participants=NOBODY)
    switchboard.rooms[BOARD] = idle


@asynccontextmanager
async def gateway(folder: Path, pbx: Switchboard) -> AsyncIterator[House]:
    """Run a gateway until the block ends; what goes on then is left as it is, as by a crash."""
    async with house_with(folder, pbx) as house:
        await house.until_live()
        yield house


async def past(house: House) -> list[Any]:
    await house.storage.writer.flush()
    answer = (await house.data(HISTORY))["conferenceHistory"]
    assert answer["totalCount"] == len(answer["edges"])
    return [edge["node"] for edge in answer["edges"]]


async def going_on(house: House) -> tuple[Conference, ...]:
    await house.storage.writer.flush()
    return await house.storage.history.open_conferences(PBX)


async def settled(house: House) -> None:
    """Wait until what the last run left open has been looked at."""
    async with asyncio.timeout(10):
        while house.live._recorder._left_over:  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0)


def room(house: House) -> Room:
    at = house.room("board")
    assert at is not None
    return at.room


def stays(node: Any) -> list[tuple[str, str, bool]]:
    """Give who stayed, why they left, and whether anybody saw when."""
    return sorted((each["displayName"], each["leaveReason"], each["leftAt"] is not None) for each in node["attendance"])


async def test_a_conference_and_everybodys_stay_are_written_as_they_happen(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx) as house:
        (open_now,) = await going_on(house)
        assert (open_now.room_id, open_now.run_id) == ("board", "run 1")
        assert {stay.participant_id for stay in open_now.stays} == {"anna", "ben"}
        assert await past(house) == []
        pbx.leave("board", "anna", LeaveReason.KICKED)
        pbx.join("board", "cem", display_name="Cem")
        pbx.end("board")
        await house.until(lambda: room(house).state is RoomState.IDLE)
        (node,) = await past(house)
    assert (node["roomId"], node["roomName"]) == (gid("board"), "Board")
    expected = [("Anna", "KICKED", True), ("Ben", "ROOM_CLOSED", True), ("Cem", "ROOM_CLOSED", True)]
    assert stays(node) == expected
    assert node["endedAt"] is not None


async def test_a_name_that_becomes_known_later_is_written_too(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx) as house:
        pbx.join("board", "dan")
        await house.until(lambda: "dan" in house.people("board"))
        pbx.change("board", "dan", display_name="Dan")
        pbx.end("board")
        await house.until(lambda: room(house).state is RoomState.IDLE)
        (node,) = await past(house)
    assert ("Dan", "ROOM_CLOSED", True) in stays(node)


async def test_who_comes_back_has_two_stays(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx) as house:
        pbx.leave("board", "anna")
        await house.until(lambda: house.people("board") == {"ben"})
        pbx.join("board", "anna", display_name="Anna")
        await house.until(lambda: house.people("board") == {"anna", "ben"})
        pbx.end("board")
        await house.until(lambda: room(house).state is RoomState.IDLE)
        (node,) = await past(house)
    assert stays(node) == [("Anna", "HUNG_UP", True), ("Anna", "ROOM_CLOSED", True), ("Ben", "ROOM_CLOSED", True)]


async def test_after_a_restart_the_same_conference_goes_on(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx) as house:
        (before,) = await going_on(house)
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        assert await going_on(house) == (before,)
        assert await past(house) == []
        pbx.end("board")
        await house.until(lambda: room(house).state is RoomState.IDLE)
        (node,) = await past(house)
    assert stays(node) == [("Anna", "ROOM_CLOSED", True), ("Ben", "ROOM_CLOSED", True)]
    assert [each["joinedAt"] for each in node["attendance"]] == [
        each.joined_at.isoformat().replace("+00:00", "Z") for each in before.stays
    ]


async def test_restarts_do_not_add_up(tmp_path: Path, pbx: Switchboard) -> None:
    for _ in range(4):
        async with gateway(tmp_path, pbx) as house:
            await settled(house)
            (running,) = await going_on(house)
            assert len(running.stays) == 2


async def test_who_came_and_went_while_the_gateway_was_away_is_found_out(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx):
        pass
    conference(pbx, "run 1", "ben", "cem")
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        (running,) = await going_on(house)
        assert {stay.participant_id for stay in running.stays} == {"ben", "cem"}
        pbx.end("board")
        await house.until(lambda: room(house).state is RoomState.IDLE)
        (node,) = await past(house)
    expected = [("Anna", "UNKNOWN", False), ("Ben", "ROOM_CLOSED", True), ("Cem", "ROOM_CLOSED", True)]
    assert stays(node) == expected


@pytest.mark.parametrize("gone", [False, True], ids=["idle", "removed"])
async def test_a_conference_that_ended_unseen_has_no_end_time(tmp_path: Path, pbx: Switchboard, gone: bool) -> None:
    async with gateway(tmp_path, pbx):
        pass
    if gone:
        pbx.remove_room("board")
    else:
        nothing_runs(pbx)
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        assert await going_on(house) == ()
        (node,) = await past(house)
    assert node["endedAt"] is None
    assert stays(node) == [("Anna", "UNKNOWN", False), ("Ben", "UNKNOWN", False)]


@pytest.mark.parametrize("run_id", ["run 2", None])
async def test_another_run_after_a_restart_is_another_conference(
    tmp_path: Path, pbx: Switchboard, run_id: str | None
) -> None:
    """Also where the backend no longer says which run it is: nobody can know that it is the same."""
    async with gateway(tmp_path, pbx) as house:
        (before,) = await going_on(house)
    conference(pbx, run_id, "anna")
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        (running,) = await going_on(house)
        assert running.id != before.id
        assert [stay.participant_id for stay in running.stays] == ["anna"]
        (node,) = await past(house)
    assert node["endedAt"] is None
    assert stays(node) == [("Anna", "UNKNOWN", False), ("Ben", "UNKNOWN", False)]


async def test_another_run_after_a_lost_connection_is_another_conference(tmp_path: Path, pbx: Switchboard) -> None:
    async with gateway(tmp_path, pbx) as house:
        conference(pbx, "run 2", "anna")
        pbx.drop_link()
        await house.until(lambda: room(house).run_id == "run 2" and house.people("board") == {"anna"})
        (running,) = await going_on(house)
        assert (running.run_id, [stay.participant_id for stay in running.stays]) == ("run 2", ["anna"])
        (node,) = await past(house)
    assert node["endedAt"] is not None
    assert stays(node) == [("Anna", "FOUND_GONE", True), ("Ben", "FOUND_GONE", True)]


async def test_a_run_that_is_named_late_is_still_the_same_conference(tmp_path: Path, pbx: Switchboard) -> None:
    conference(pbx, None, "anna")
    async with gateway(tmp_path, pbx) as house:
        conference(pbx, "run 7", "anna")
        pbx.drop_link()
        await house.until(lambda: room(house).run_id == "run 7")
        (running,) = await going_on(house)
        assert running.run_id == "run 7"
        assert await past(house) == []
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        assert [each.id for each in await going_on(house)] == [running.id]


async def test_a_backend_that_stays_away_leaves_its_conferences_open(tmp_path: Path, pbx: Switchboard) -> None:
    """Whether they are over is not known until it has been read."""
    async with gateway(tmp_path, pbx) as house:
        (before,) = await going_on(house)
    pbx.drop_link(reachable=False)
    async with house_with(tmp_path, pbx) as house:
        await house.until(lambda: house.live.links[PBX].status_reason)
        assert await going_on(house) == (before,)
    pbx.reachable = True
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        assert await going_on(house) == (before,)


async def test_no_conference_is_forgotten_where_several_were_left_open(tmp_path: Path, pbx: Switchboard) -> None:
    """Two gateways on one database, or an end that the database refused."""
    async with Storage.open(f"sqlite:///{tmp_path / 'gateway.sqlite3'}") as storage:
        for run_id in ("run 0", "run 1", "run 2"):
            storage.writer.put(ConferenceStarted(backend_id=PBX, room_id="board", run_id=run_id))
    async with gateway(tmp_path, pbx) as house:
        await settled(house)
        assert [each.run_id for each in await going_on(house)] == ["run 1"]
        assert [node["endedAt"] for node in await past(house)] == [None, None]


async def test_who_was_not_seen_again_before_the_end_has_a_stay_that_ended_unseen(
    tmp_path: Path, pbx: Switchboard
) -> None:
    """The conference ends before everything has been read for the first time."""
    async with gateway(tmp_path, pbx) as house:
        (before,) = await going_on(house)
    async with Storage.open(f"sqlite:///{tmp_path / 'gateway.sqlite3'}") as storage:
        recorder = Recorder(storage.writer, storage.history)
        await recorder.recall(PBX)
        key, now = RoomKey(PBX, BOARD), datetime.now(UTC)
        running = replace(pbx.rooms[BOARD], participants=NOBODY)
        for event in (RoomAppeared(now, running), RoomEnded(now, running)):
            recorder.note(Update(key, Position(1, 1), event, running))
        await storage.writer.flush()
        (over,) = (await storage.history.past(HistoryFilter(), first=10)).conferences
    assert (over.id, over.ended_at) == (before.id, now)
    assert {(stay.leave_reason, stay.left_at) for stay in over.stays} == {("UNKNOWN", None)}
