"""Sockets and operations in numbers: begun and killed in bursts, with odd names, while others are followed."""

import asyncio
import gc
import random
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from gateway.model.ids import ParticipantId, RoomId
from tests.gateway.schema.house import gid
from tests.protocol.front import Front, Wire
from tests.protocol.test_websocket import FOLLOW, MUTE

SETTINGS = """query ($id: ID!) {
    a: room(id: $id) { settings { maxParticipants } }
    b: room(id: $id) { settings { maxParticipants } participants { edges { node { id } } } } }"""
SETTINGS_EVENTS = """subscription ($id: ID!) { roomEvents(roomId: $id) {
    ... on RoomSnapshot { room { settings { maxParticipants } } } } }"""
MUTE_TWICE = """mutation ($id: ID!) {
    a: muteParticipant(input: {participantId: $id}) { outcome room { settings { maxParticipants } } }
    b: unmuteParticipant(input: {participantId: $id}) { outcome } }"""


async def burst(front: Front, room: str, count: int, dice: random.Random) -> None:
    """Open sockets, subscribe on each, and end them in any of the ways that sockets end."""

    async def one() -> None:
        async with front.wire() as wire:
            for number in range(dice.randrange(1, 4)):
                await wire.subscribe(f"{number}", FOLLOW, id=room)
            how = dice.randrange(4)
            if how == 0:
                await wire.event("0")
            elif how == 1:
                await wire.complete("0")
            elif how == 2:
                await wire.say("nonsense")
            if how < 3:
                abort(wire.socket)

    await asyncio.gather(*(one() for _ in range(count)))


def abort(socket: ClientConnection) -> None:
    socket.transport.abort()


async def test_sockets_killed_in_bursts_leave_nothing(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    await front.house.until_live()  # or the tasks of another backend come later
    dice = random.Random(3)
    process, sizes, tasks = psutil.Process(), [], len(asyncio.all_tasks())
    async with front.wire() as beside:
        await beside.subscribe("1", FOLLOW, id=room)
        await beside.event("1")
        for number in range(20):
            await burst(front, room, 100, dice)
            front.house.pbx.change("board", "anna", muted=number % 2 == 0)
            assert (await beside.event("1"))["changed"] == ["MUTED"]
            await front.watched_by(1)
            sizes.append(process.memory_info().rss)
    await front.watched_by(0)
    assert (front.operations.running, front.house.live.hub.watchers) == (0, 0)
    assert max(sizes[10:]) - max(sizes[5:10]) < 5_000_000, "memory is flat"
    await front.house.until(lambda: len(asyncio.all_tasks()) <= tasks)


async def test_one_socket_may_begin_and_end_as_often_as_it_likes(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        for number in range(5000):
            await wire.subscribe("1", FOLLOW, id=room)
            if number % 2:
                await wire.event("1")
            await wire.complete("1")
        await wire.answer("end", "{ __typename }")
        await front.watched_by(0)
        assert front.operations.running == 0


# ---- what has to wait when nobody waits for it any more ----


@pytest.mark.parametrize("query", [SETTINGS, SETTINGS_EVENTS, MUTE, MUTE_TWICE], ids=lambda value: value[:12])
@pytest.mark.parametrize("how", ["complete", "close", "abort"])
async def test_who_stops_waiting_at_any_moment_leaves_no_work_half_begun(front: Front, query: str, how: str) -> None:
    await front.house.with_people("board", "anna")
    await front.house.until_live()
    about = gid("board", "anna") if "mutation" in query else gid("board")
    async with front.wire() as wire:
        await wire.subscribe("1", query, id=about)
        assert "errors" not in (await wire.next("1"))["payload"]
    await front.watched_by(0)
    tasks = len(asyncio.all_tasks())
    for turns in range(12):
        async with front.wire(max_queue=None) as wire:
            for number in range(10):
                await wire.subscribe(f"{number}", query, id=about)
                for _ in range(turns):
                    await asyncio.sleep(0)
                if how == "complete":
                    await wire.complete(f"{number}")
            await wire.socket.close() if how == "close" else abort(wire.socket)
        await front.watched_by(0)
        await front.house.until(lambda: len(asyncio.all_tasks()) <= tasks)
    gc.collect()  # what was never awaited says so now


async def test_a_mutation_is_done_although_its_client_has_gone(front: Front) -> None:
    await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        await wire.subscribe("1", MUTE, id=gid("board", "anna"))
        await wire.complete("1")
        await wire.answer("2", "{ __typename }")
        assert wire.waiting("1") == 0
    await front.house.until(lambda: front.house.pbx.rooms[RoomId("board")].participants[ParticipantId("anna")].muted)


async def test_what_nobody_waits_for_still_counts_until_it_is_done(front: Front) -> None:
    await front.house.with_people("board", "anna")
    front.house.pbx.hold.clear()
    async with front.wire() as wire:
        for _ in range(1000):
            await wire.subscribe("1", MUTE, id=gid("board", "anna"))
            await wire.complete("1")
        await wire.subscribe("2", "{ __typename }")
        assert (await wire.refusal("2"))["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        front.house.pbx.hold.set()
        await front.house.until(lambda: len(front.house.pbx.executed) == 1000)
        async with asyncio.timeout(20):
            while (await one_of(wire))["type"] != "next":
                pass


async def one_of(wire: Wire) -> dict[str, Any]:
    await wire.subscribe("2", "{ __typename }")
    message = await wire.next("2")
    if message["type"] == "next":
        await wire.next("2")
    return message


# ---- names of operations ----


@pytest.mark.parametrize(
    "operation_id",
    ['"', "\\", "\n\t\x00\x7f", "é", "😀", "\u2028", "</script>", "null", " ", "1;2=3", "x" * 40_000, "😀" * 5000],
    ids=lambda value: repr(value)[:12],
)
async def test_an_operation_may_have_any_name(front: Front, operation_id: str) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        assert await wire.answer(operation_id, "{ __typename }") == {"data": {"__typename": "Query"}}
        await wire.subscribe(operation_id, FOLLOW, id=room)
        await wire.event(operation_id)
        await wire.subscribe("beside", FOLLOW, id=room)
        await wire.event("beside")
        front.house.pbx.change("board", "anna", muted=True)
        for each in (operation_id, "beside"):
            assert (await wire.event(each))["changed"] == ["MUTED"]
        await wire.subscribe(operation_id, FOLLOW, id=room)
        code, reason = await wire.end()
    assert code == 4409
    assert len((reason or "").encode()) <= 123
    await front.watched_by(0)


async def test_a_name_may_be_used_again_as_soon_as_its_operation_is_over(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        for _ in range(100):
            await wire.subscribe("1", "{ nothing }")
            await wire.refusal("1")
            await wire.subscribe("1", FOLLOW, id=room)
            await wire.complete("1")
            await wire.subscribe("1", MUTE, id=gid("board", "anna"))
            while "muteParticipant" not in (await wire.next("1"))["payload"]["data"]:
                pass
            assert (await wire.next("1"))["type"] == "complete"
