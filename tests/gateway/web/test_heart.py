"""Each member beats once in an interval."""

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from gateway.web.heart import Heart

INTERVAL_S = 0.2


class Member:
    """Remembers when it beat."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.beats: list[float] = []
        self._then = then

    def beat(self) -> None:
        self.beats.append(time.monotonic())
        self._then()


@asynccontextmanager
async def beating(heart: Heart) -> AsyncIterator[None]:
    task = asyncio.create_task(heart.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def have_beaten(members: list[Member], times: int) -> None:
    while min(len(each.beats) for each in members) < times:  # noqa: ASYNC110  nobody announces it
        await asyncio.sleep(0)


async def test_everybody_beats_equally_often_and_never_in_less_than_an_interval() -> None:
    heart, members = Heart(INTERVAL_S), [Member() for _ in range(200)]
    for each in members:
        heart.add(each)
    async with beating(heart):
        await have_beaten(members, 4)
    counts = [len(each.beats) for each in members]
    assert max(counts) - min(counts) <= 1
    pauses = [after - before for each in members for before, after in itertools.pairwise(each.beats)]
    assert min(pauses) > INTERVAL_S * 0.9


async def test_the_work_is_spread_over_the_interval() -> None:
    heart, members = Heart(INTERVAL_S), [Member() for _ in range(200)]
    for each in members:
        heart.add(each)
    async with beating(heart):
        await have_beaten(members, 1)
    firsts = sorted(each.beats[0] for each in members)
    assert firsts[-1] - firsts[0] > INTERVAL_S / 2


async def test_who_is_discarded_beats_no_more() -> None:
    heart, stays, goes = Heart(INTERVAL_S), Member(), Member()
    heart.add(stays)
    heart.add(goes)
    heart.discard(goes)
    heart.discard(goes)
    assert len(heart) == 1
    async with beating(heart):
        await have_beaten([stays], 2)
    assert goes.beats == []


async def test_members_may_come_and_go_while_others_beat() -> None:
    heart = Heart(INTERVAL_S)
    members: list[Member] = []

    def leave() -> None:
        heart.discard(members[0])
        heart.add(Member())

    members += [Member(leave) for _ in range(100)]
    for each in members:
        heart.add(each)
    async with beating(heart):
        await have_beaten(members[1:], 2)
    assert len(members[0].beats) <= 1


async def test_a_held_up_event_loop_does_not_make_beats_follow_at_once() -> None:
    heart, member = Heart(INTERVAL_S), Member()
    heart.add(member)
    async with beating(heart):
        await have_beaten([member], 1)
        time.sleep(3 * INTERVAL_S)  # noqa: ASYNC251  that is what is tried
        await have_beaten([member], 4)
    after = member.beats[1:]
    assert min(later - earlier for earlier, later in itertools.pairwise(after)) > INTERVAL_S * 0.9


class Stalling(asyncio.Protocol):
    """Is sent something more while it holds up the event loop, the first time it is sent anything."""

    def __init__(self, other_side: socket.socket) -> None:
        self._other_side = other_side
        self.heard = 0

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        if self.heard == 1:
            self._other_side.send(b"x")
            time.sleep(INTERVAL_S)


async def test_what_came_while_the_event_loop_was_held_up_is_read_before_anybody_beats() -> None:
    ours, theirs = socket.socketpair()
    transport, stalling = await asyncio.get_running_loop().connect_accepted_socket(lambda: Stalling(theirs), ours)
    heard_before: list[bool] = []
    heart, members = Heart(INTERVAL_S), [Member(lambda: heard_before.append(stalling.heard == 2)) for _ in range(200)]
    for each in members:
        heart.add(each)
    async with beating(heart):
        await asyncio.sleep(0)  # it has begun then
        theirs.send(b"x")
        await have_beaten(members, 1)
    transport.abort()
    theirs.close()
    await asyncio.sleep(0)
    assert all(heard_before)
