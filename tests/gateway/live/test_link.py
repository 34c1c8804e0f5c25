"""The link to a backend: lost, back again, failing, and how often it reads."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.live.link import BackendStatus, Link
from gateway.live.live import LiveLimits
from gateway.model.errors import LinkDown, SignInRefused
from gateway.model.ids import RoomId
from gateway.model.reports import DoubtReport, RosterDoubtReport
from gateway.model.room import NOBODY, Room, RoomState
from tests.gateway.live.desk_side import ANNA, BOARD, Faulty, eventually
from tests.gateway.schema.house import CLOUD, LIMITS, PBX, House, house_with

OTHER = RoomId("other")


def link(house: House) -> Link:
    return house.live.links[PBX]


def limits(**link_limits: float) -> LiveLimits:
    return replace(LIMITS, link=replace(LIMITS.link, **link_limits))


def told(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    """Give the lines of the log about one backend that contain some words."""
    lines = [each.getMessage() for each in caplog.records]
    return [line for line in lines if "backend pbx" in line and words in line]


async def until_status(house: House, status: BackendStatus) -> None:
    await house.until(lambda: link(house).status is status)


# ---- faults ----


@pytest.mark.parametrize("where", ["feed", "report", "reading"])
async def test_a_fault_in_an_adapter_costs_that_backend_only(
    house: House, pbx: Faulty, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    await house.with_people("board", "anna")
    if where == "report":
        pbx.say(ZeroDivisionError("a slip"))
    elif where == "feed":
        pbx.feed_refusal = ZeroDivisionError("a slip")
        pbx.drop_link()
    else:
        pbx.rooms[BOARD] = None  # type: ignore[assignment]  # a slip of an adapter
        pbx.say(RosterDoubtReport())
    await until_status(house, BackendStatus.FAILED)
    assert link(house).status_reason == "stopped by a fault of the gateway; see its log"
    assert [each.getMessage() for each in caplog.records if each.exc_info] == [
        "backend pbx: stopped by a fault of the gateway"
    ]
    assert house.live.links[CLOUD].status is BackendStatus.LIVE
    house.cloud.open_room("far")
    await house.until(lambda: house.room("far", CLOUD))
    assert house.people("board") == {"anna"}, "the last known state is served"
    assert house.room("board").room.stale
    with pytest.raises(LinkDown):
        await link(house).reread(BOARD)


async def test_who_waits_for_a_reading_is_told_of_the_fault(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.reading.clear()
    waiting = asyncio.create_task(link(house).reread(BOARD))
    await eventually(lambda: pbx.rooms_read)
    pbx.say(ZeroDivisionError("a slip"))
    with pytest.raises(LinkDown):
        await asyncio.wait_for(waiting, 5)


# ---- lost and back ----


async def test_a_loss_is_logged_once_and_so_is_the_return(
    house: House, pbx: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway")
    await house.with_people("board", "anna")
    pbx.drop_link(reachable=False)
    attempts = pbx.feeds
    await eventually(lambda: pbx.feeds >= attempts + 5)
    assert told(caplog, "STALE") == ["backend pbx: STALE: the switchboard is unplugged"]
    pbx.reachable = True
    await until_status(house, BackendStatus.LIVE)
    assert told(caplog, "live") == ["backend pbx: live, 1 rooms"]
    assert not [each for each in caplog.records if each.exc_info]


async def test_a_backend_that_is_down_at_the_start_is_logged_once(
    tmp_path: Path, pbx: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway")
    pbx.reachable = False
    async with house_with(tmp_path, pbx) as house:
        await eventually(lambda: pbx.feeds >= 5)
        assert (link(house).status, link(house).last_synced_at) == (BackendStatus.CONNECTING, None)
        assert link(house).status_reason == "the switchboard is unplugged"
        assert len(told(caplog, "unplugged")) == 1
        pbx.reachable = True
        await house.until_live()


async def test_a_refused_sign_in_needs_the_operator_and_is_tried_again(
    tmp_path: Path, pbx: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    pbx.feed_refusal = SignInRefused("unknown account")
    async with house_with(tmp_path, pbx, limits=limits(refused_wait_s=0.01)) as house:
        await until_status(house, BackendStatus.FAILED)
        assert link(house).status_reason == "unknown account"
        await eventually(lambda: pbx.feeds >= 4)
        assert told(caplog, "FAILED") == ["backend pbx: FAILED: unknown account"]
        pbx.feed_refusal = None
        await house.until_live()


async def test_rooms_are_stale_while_the_link_is_lost_and_true_afterwards(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", "ben")
    pbx.drop_link(reachable=False)
    await until_status(house, BackendStatus.STALE)
    assert house.room("board").room.stale
    before = pbx.rooms[BOARD]
    pbx.rooms[BOARD] = replace(before, participants={ANNA: before.participants[ANNA]})
    pbx.rooms[OTHER] = Room(id=OTHER)
    pbx.reachable = True
    await until_status(house, BackendStatus.LIVE)
    assert house.people("board") == {"anna"}
    assert house.room("other")
    assert not any(at.room.stale for at in house.live.rooms())


@pytest.mark.parametrize(("steady_s", "first_s"), [(0.0, 0.001), (3600.0, 0.016)])
async def test_waits_grow_up_to_a_limit_and_begin_anew_after_a_connection_that_lasted(
    tmp_path: Path, pbx: Faulty, steady_s: float, first_s: float
) -> None:
    pbx.reachable = False
    patience = limits(first_wait_s=0.001, longest_wait_s=0.016, steady_s=steady_s)
    async with house_with(tmp_path, pbx, limits=patience) as house:
        await eventually(lambda: pbx.feeds >= 3)
        assert link(house)._wait_s >= 0.004
        await eventually(lambda: pbx.feeds >= 6)
        assert link(house)._wait_s == 0.016
        pbx.reachable = True
        await until_status(house, BackendStatus.LIVE)
        assert first_s / 2 <= link(house)._next_wait_s() <= first_s


async def test_waits_are_spread_so_that_not_all_come_back_at_once(house: House) -> None:
    longest = LIMITS.link.longest_wait_s
    link(house)._wait_s = longest
    waits = [link(house)._next_wait_s() for _ in range(50)]
    assert all(longest / 2 <= wait <= longest for wait in waits)
    assert len(set(waits)) > 10


# ---- reading ----


async def test_many_doubts_about_a_room_are_few_readings(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=limits(reread_gap_s=0.05)) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        before = pbx.rooms_read
        pbx.rooms[BOARD] = replace(pbx.rooms[BOARD], name="unheard of")
        for _ in range(500):
            pbx.say(DoubtReport(room_id=BOARD))
        await house.until(lambda: house.room("board").room.name == "unheard of")
        pbx.rooms[BOARD] = replace(pbx.rooms[BOARD], name="once more")
        pbx.say(DoubtReport(room_id=BOARD))
        await house.until(lambda: house.room("board").room.name == "once more")
        assert pbx.rooms_read - before <= 3


async def test_doubts_about_too_many_rooms_are_one_reading_of_all(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=limits(max_doubts=10)) as house:
        await house.until_live()
        pbx.snapshots = 0
        for number in range(50):
            pbx.rooms[RoomId(str(number))] = Room(id=RoomId(str(number)))
            pbx.say(DoubtReport(room_id=RoomId(str(number))))
        await house.until(lambda: len(link(house).table) == 50)
        assert 1 <= pbx.snapshots <= 3
        assert pbx.rooms_read <= 20


async def test_everything_is_read_now_and_then_although_rooms_are_read_all_the_time(
    tmp_path: Path, pbx: Faulty
) -> None:
    pbx.poll_every_s = 0.02
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        await house.with_people("other")

        async def insist(room_id: RoomId) -> None:
            while True:
                await link(house).reread(room_id)

        insisting = [asyncio.create_task(insist(room_id)) for room_id in (BOARD, OTHER) * 3]
        pbx.snapshots = 0
        await eventually(lambda: pbx.snapshots >= 3 or pbx.rooms_read > 20_000)
        assert pbx.snapshots >= 3
        for task in insisting:
            task.cancel()
        await asyncio.wait(insisting)


async def test_without_an_interval_nothing_is_read_again(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.snapshots = 0
    for number in range(100):
        pbx.change("board", "anna", muted=number % 2 == 0)
    await house.until(lambda: house.room("board").room.participants[ANNA].muted is False)
    assert pbx.snapshots == 0


async def test_a_room_that_seems_to_have_emptied_is_read_a_second_time(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    there = pbx.rooms[BOARD]
    pbx.rooms[BOARD] = replace(there, state=RoomState.IDLE, participants=NOBODY)
    pbx.reading.clear()
    before = pbx.rooms_read
    pbx.say(RosterDoubtReport())
    await eventually(lambda: pbx.rooms_read > before)
    assert house.people("board") == {"anna"}
    pbx.reading.set()
    await house.until(lambda: house.people("board") == set())


async def test_who_insists_gets_a_reading_that_began_afterwards(house: House, pbx: Faulty) -> None:
    await house.with_people("board")
    pbx.reading.clear()
    early = asyncio.create_task(link(house).reread(BOARD))
    before = pbx.rooms_read
    await eventually(lambda: pbx.rooms_read > before)
    late = asyncio.create_task(link(house).reread(BOARD))
    await asyncio.sleep(0)
    pbx.rooms[BOARD] = replace(pbx.rooms[BOARD], name="new")
    pbx.reading.set()
    await early
    await late
    assert house.room("board").room.name == "new"


async def test_who_waits_for_a_reading_is_told_when_the_link_is_lost(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.reading.clear()
    begun = asyncio.create_task(link(house).reread(BOARD))
    await eventually(lambda: pbx.rooms_read)
    waiting = asyncio.create_task(link(house).reread(OTHER))
    await asyncio.sleep(0)
    pbx.drop_link(reachable=False)
    for task in (begun, waiting):
        with pytest.raises(LinkDown):
            await asyncio.wait_for(task, 5)
    await until_status(house, BackendStatus.STALE)
    with pytest.raises(LinkDown, match="unplugged"):
        await link(house).reread(BOARD)


async def test_who_asks_while_the_lost_link_is_being_closed_is_told_too(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.leaving.clear()
    pbx.drop_link(reachable=False)
    await eventually(lambda: pbx.closings)
    asking = asyncio.create_task(link(house).reread(BOARD))
    await asyncio.sleep(0)
    pbx.leaving.set()
    with pytest.raises(LinkDown):
        await asyncio.wait_for(asking, 1)


async def test_who_waits_is_told_when_the_gateway_stops(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        await house.with_people("board")
        pbx.reading.clear()
        waiting = asyncio.create_task(link(house).reread(BOARD))
        await eventually(lambda: pbx.rooms_read)
    with pytest.raises(LinkDown):
        await asyncio.wait_for(waiting, 5)
