"""What a client leaves behind is freed at once: nothing of it waits for the garbage collector, which looks seldom."""

import asyncio
import gc

import pytest

from gateway.commands.running import spare_the_collector
from gateway.operations.shared import Follower
from gateway.web.direct import DirectProtocol
from gateway.web.outbox import Outbox
from gateway.web.session import Session
from tests.gateway.schema.house import gid
from tests.protocol.front import Front

FOLLOW = "subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position } }"
OF_CLIENTS = (DirectProtocol, Session, Follower, Outbox)


def left() -> list[object]:
    return [each for each in gc.get_objects() if issubclass(type(each), OF_CLIENTS)]


@pytest.mark.parametrize("politely", [True, False])
async def test_sockets_and_their_subscriptions_leave_no_cycles(front: Front, politely: bool) -> None:
    await front.house.with_people("board", "anna")
    gc.collect()
    gc.freeze()  # only what comes from now on is looked at, which is quick however much the process holds
    gc.disable()
    try:
        for _ in range(20):
            async with front.wire() as wire:
                for number in range(3):
                    await wire.subscribe(str(number), FOLLOW, id=gid("board"))
                    await wire.event(str(number))
                assert len(left()) >= 5
                if not politely:
                    wire.socket.transport.abort()
        await front.watched_by(0)
        async with asyncio.timeout(10):
            while left():  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0)
    finally:
        gc.enable()
        gc.unfreeze()


async def test_a_full_collection_leaves_out_what_has_survived_one() -> None:
    callbacks = list(gc.callbacks)
    try:
        before = gc.get_freeze_count()
        spare_the_collector()
        assert gc.get_freeze_count() > before + 10_000
        cycle: list[object] = []
        cycle.append(cycle)
        frozen = gc.get_freeze_count()
        gc.collect()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.callbacks[:] = callbacks
        gc.unfreeze()
