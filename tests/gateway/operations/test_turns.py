"""Deliveries are made in turn, a little at a time, and never more than is due."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import pytest

from gateway.operations.turns import Turns


class Operation:
    """Somebody with deliveries to make."""

    def __init__(self, log: list[str], name: str, followers: int) -> None:
        self.log, self.name, self.left = log, name, followers

    def deliver_some(self, limit: int) -> int:
        made = min(limit, self.left)
        self.left -= made
        self.log += [self.name] * made
        return made


class Broken(Operation):
    """Fails in its turn."""

    def deliver_some(self, limit: int) -> int:
        raise ConnectionError(self.name)


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def a_turn() -> None:
    """Let the event loop go round once."""
    await _Turn()


def scheduled() -> int:
    """How much waits for the loop's next turn."""
    ready: Any = vars(asyncio.get_running_loop())["_ready"]
    return len(ready)


@pytest.fixture
async def faults() -> list[BaseException]:
    """What is reported to the loop's exception handler."""
    faults: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    return faults


async def until(condition: Callable[[], object], turns: int = 1000) -> int:
    """Wait for something, and say for how many turns of the loop."""
    for turn in range(turns):
        if condition():
            return turn
        await a_turn()
    raise AssertionError("it never came")


async def test_nothing_happens_at_once_and_nothing_is_scheduled_without_need() -> None:
    turns, log = Turns(), list[str]()
    assert scheduled() == 0
    for _ in range(3):
        turns.due(Operation(log, "a", 1))
    turns.at_end(lambda: log.append("end"))
    assert (log, scheduled()) == ([], 1)
    await a_turn()
    assert log == ["a", "a", "a", "end"]
    assert scheduled() == 0


async def test_who_is_due_twice_has_one_turn() -> None:
    turns, log = Turns(), list[str]()
    operation = Operation(log, "a", 3)
    turns.due(operation)
    turns.due(operation)
    await a_turn()
    assert log == ["a"] * 3


async def test_a_small_operation_waits_for_a_few_deliveries_of_large_ones_only() -> None:
    turns, log = Turns(), list[str]()
    for name in ("large", "larger"):
        turns.due(Operation(log, name, 10_000))
    turns.due(Operation(log, "small", 3))
    await until(lambda: "small" in log)
    assert log.index("small") <= 1000
    await until(lambda: len(log) == 20_003)
    assert scheduled() == 0


async def test_others_on_the_loop_are_served_between_chunks() -> None:
    turns, log = Turns(), list[str]()
    turns.due(Operation(log, "large", 10_000))
    came = 0
    while len(log) < 10_000:
        before = len(log)
        await a_turn()
        came += 1
        assert len(log) - before <= 500
    assert came >= 20


async def test_many_small_operations_are_not_all_served_in_one_turn() -> None:
    """Executing an event costs something too."""
    turns, log = Turns(), list[str]()
    for number in range(1000):
        turns.due(Operation(log, str(number), 1))
    await a_turn()
    assert len(log) < 100
    await until(lambda: len(log) == 1000)
    assert log == [str(number) for number in range(1000)], "in the order in which they were due"


async def test_who_fails_is_reported_and_costs_the_others_nothing(faults: list[BaseException]) -> None:
    turns, log = Turns(), list[str]()
    turns.due(Operation(log, "first", 2))
    turns.due(Broken(log, "broken", 1))
    turns.due(Operation(log, "last", 2))
    turns.at_end(lambda: log.append("end"))
    await until(lambda: "end" in log)
    assert log == ["first", "first", "last", "last", "end"]
    assert [str(fault) for fault in faults] == ["broken"]
    assert scheduled() == 0


async def test_an_end_that_fails_leaves_the_others_theirs(faults: list[BaseException]) -> None:
    turns, log = Turns(), list[str]()

    def fail() -> None:
        raise ConnectionError("at the end")

    turns.at_end(lambda: log.append("first"))
    turns.at_end(fail)
    turns.at_end(lambda: log.append("last"))
    await until(lambda: "last" in log)
    assert log == ["first", "last"]
    assert [str(fault) for fault in faults] == ["at the end"]


async def test_what_is_asked_for_at_the_end_comes_in_the_next_turn() -> None:
    turns, log = Turns(), list[str]()

    def again() -> None:
        log.append("end")
        turns.at_end(lambda: log.append("another end"))
        turns.due(Operation(log, "a", 1))

    turns.at_end(again)
    await a_turn()
    assert log == ["end"]
    await a_turn()
    assert log == ["end", "a", "another end"]
