"""Keeping within Kazoo's rate limits."""

import asyncio
import time

import pytest

from adapters.kazoo.errors import RateLimitedError
from adapters.kazoo.pace import Bucket, Gate, Priority


async def go(gate: Gate, log: list[str], name: str, priority: Priority) -> None:
    async with gate.turn(priority, lasting=False, patience_s=None):
        log.append(name)


async def test_after_a_refusal_commands_go_before_reads_however_late_they_came() -> None:
    gate, log = Gate(at_once=1, first_pause_s=0.05), list[str]()
    gate.refused(time.monotonic())
    waiting = [
        asyncio.create_task(go(gate, log, "read 1", Priority.READ)),
        asyncio.create_task(go(gate, log, "read 2", Priority.READ)),
        asyncio.create_task(go(gate, log, "command", Priority.COMMAND)),
        asyncio.create_task(go(gate, log, "sign-in", Priority.SIGN_IN)),
    ]
    await asyncio.gather(*waiting)
    assert log == ["sign-in", "command", "read 1", "read 2"]


async def test_the_pause_doubles_while_kazoo_refuses_and_is_forgotten_when_it_does_not() -> None:
    gate = Gate(at_once=8, first_pause_s=0.01)
    waits = []
    for _ in range(3):
        gate.refused(time.monotonic())
        waits.append(gate._pause_s)
        await go(gate, [], "read", Priority.READ)
    assert waits == [0.01, 0.02, 0.04]
    gate.passed(time.monotonic())
    gate.refused(time.monotonic())
    assert gate._pause_s == 0.01
    gate.close()


async def test_many_refusals_of_requests_under_way_together_are_one() -> None:
    gate = Gate(at_once=8, first_pause_s=0.01)
    sent_at = time.monotonic()
    for _ in range(8):
        gate.refused(sent_at)
    assert gate._pause_s == 0.01
    gate.close()


async def test_the_pause_never_exceeds_half_a_minute() -> None:
    gate = Gate(at_once=8, first_pause_s=20)
    gate.refused(time.monotonic())
    gate.refused(time.monotonic())
    assert gate.wait_s == pytest.approx(30, abs=1)
    with pytest.raises(RateLimitedError) as caught:
        async with gate.turn(Priority.COMMAND, lasting=False, patience_s=2):
            raise AssertionError("it went")
    assert caught.value.retry_after_s == pytest.approx(30, abs=1)
    gate.close()


async def test_no_more_than_some_go_at_once_and_lasting_ones_do_not_count() -> None:
    gate, inside, most = Gate(at_once=3), 0, 0
    leave = asyncio.Event()

    async def lasting() -> None:
        async with gate.turn(Priority.COMMAND, lasting=True, patience_s=None):
            await leave.wait()

    async def one() -> None:
        nonlocal inside, most
        async with gate.turn(Priority.READ, lasting=False, patience_s=None):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    ringing = [asyncio.create_task(lasting()) for _ in range(10)]
    await asyncio.gather(*(one() for _ in range(30)))
    assert most == 3
    leave.set()
    await asyncio.gather(*ringing)


async def test_who_gives_up_waiting_does_not_take_a_turn_with_them() -> None:
    gate, log = Gate(at_once=1, first_pause_s=0.02), list[str]()
    gate.refused(time.monotonic())
    waiting = [asyncio.create_task(go(gate, log, str(n), Priority.READ)) for n in range(6)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert log == ["1", "3", "5"]
    await go(gate, log, "after", Priority.READ)


async def test_a_bucket_gives_what_it_has_and_then_as_fast_as_it_fills() -> None:
    bucket = Bucket(most=5, per_s=200)
    began = time.monotonic()
    await asyncio.gather(*(bucket.take() for _ in range(5)))
    assert bucket.left == 0
    await asyncio.gather(*(bucket.take() for _ in range(20)))
    assert time.monotonic() - began >= 0.09
    bucket.empty()
    assert bucket.left == 0
