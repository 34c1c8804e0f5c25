"""A command with a key acts once, whoever repeats it and whatever crashes."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, func, select, update

from gateway.storage import (
    Abandoned,
    Answered,
    Conflict,
    InProgress,
    KeyOwner,
    Reservation,
    Reserved,
    Storage,
    StorageError,
    StorageUnavailable,
)
from gateway.storage.engine import Database
from gateway.storage.idempotency import Idempotency
from gateway.storage.tables import IdempotencyRow
from tests.gateway.storage.conftest import OpenDatabase, Outage

ANN = KeyOwner("acme", "ann")
MUTE_1, MUTE_2 = "MUTE 1", "MUTE 2"


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **units: float) -> None:
        self.now += timedelta(**units)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> Idempotency:
    return Idempotency(database, clock=clock)


@pytest.fixture
def after_restart(database: Database, clock: Clock) -> Idempotency:
    """Stand for the next process on the same database."""
    return Idempotency(database, clock=clock)


async def test_a_repeat_gets_the_first_answer(keys: Idempotency, after_restart: Idempotency) -> None:
    answer = {"outcome": "CONFIRMED", "name": 'A\0n\ud800n "é"', "position": 2**60, "errors": [], "room": None}
    assert await keys.reserve(ANN, "key", MUTE_1) == Reserved()
    assert await keys.reserve(ANN, "key", MUTE_1) == InProgress()
    await keys.finish(ANN, "key", answer)
    for asked in (keys, after_restart):
        repeated = await asked.reserve(ANN, "key", MUTE_1)
        assert isinstance(repeated, Answered)
        assert json.dumps(repeated.answer) == json.dumps(answer)


async def test_a_key_stands_for_one_command(keys: Idempotency) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    assert await keys.reserve(ANN, "key", MUTE_2) == Conflict()
    await keys.finish(ANN, "key", {})
    assert await keys.reserve(ANN, "key", MUTE_2) == Conflict()
    assert await keys.reserve(ANN, "key", MUTE_1) == Answered({})


@pytest.mark.parametrize("other", [KeyOwner("acme", "bob"), KeyOwner("umbrella", "ann")])
async def test_two_viewers_may_choose_the_same_key(keys: Idempotency, other: KeyOwner) -> None:
    assert await keys.reserve(ANN, "key", MUTE_1) == Reserved()
    assert await keys.reserve(other, "key", MUTE_2) == Reserved()


@pytest.mark.parametrize(("one", "other"), [("k" * 100_000, "k" * 100_001), ("a\0", "a"), ("\ud800", "?"), ("", " ")])
async def test_a_key_may_be_any_text(keys: Idempotency, one: str, other: str) -> None:
    assert await keys.reserve(ANN, one, MUTE_1) == Reserved()
    assert await keys.reserve(ANN, other, MUTE_1) == Reserved()
    assert await keys.reserve(ANN, one, MUTE_1) == InProgress()


async def test_a_command_that_was_not_sent_may_be_tried_again(keys: Idempotency) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    await keys.release(ANN, "key")
    assert await keys.reserve(ANN, "key", MUTE_2) == Reserved()


async def test_a_command_that_was_answered_cannot_be_released(keys: Idempotency) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    await keys.finish(ANN, "key", {"a": 1})
    await keys.release(ANN, "key")
    assert await keys.reserve(ANN, "key", MUTE_1) == Answered({"a": 1})


async def test_only_who_reserved_can_finish_or_release(keys: Idempotency, after_restart: Idempotency) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    with pytest.raises(StorageError, match="reserved"):
        await after_restart.finish(ANN, "key", {})
    await after_restart.release(ANN, "key")
    assert await keys.reserve(ANN, "key", MUTE_1) == InProgress()


async def test_what_a_crashed_process_left_is_never_done_again(
    keys: Idempotency, after_restart: Idempotency, clock: Clock
) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    clock.forward(seconds=60)
    assert await after_restart.reserve(ANN, "key", MUTE_1) == InProgress()
    clock.forward(seconds=1)
    assert await keys.reserve(ANN, "key", MUTE_1) == InProgress()
    for _ in range(2):
        assert await after_restart.reserve(ANN, "key", MUTE_1) == Abandoned()
    assert await after_restart.reserve(ANN, "key", MUTE_2) == Conflict()


async def test_one_believed_dead_may_still_answer(keys: Idempotency, after_restart: Idempotency, clock: Clock) -> None:
    await keys.reserve(ANN, "key", MUTE_1)
    clock.forward(minutes=5)
    assert await after_restart.reserve(ANN, "key", MUTE_1) == Abandoned()
    await keys.finish(ANN, "key", {"a": 1})
    assert await after_restart.reserve(ANN, "key", MUTE_1) == Answered({"a": 1})


async def _ask_at_once(databases: OpenDatabase, clock: Clock) -> list[Reservation]:
    instances = [Idempotency(await databases(), clock=clock) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(each.reserve(ANN, "key", MUTE_1)) for each in instances for _ in range(5)]
    return [task.result() for task in asked]


async def test_of_all_who_ask_at_once_one_may_act(databases: OpenDatabase, clock: Clock) -> None:
    assert sorted(map(repr, await _ask_at_once(databases, clock))) == ["InProgress()"] * 19 + ["Reserved()"]


async def test_of_all_who_find_an_expired_key_one_may_act(
    keys: Idempotency, databases: OpenDatabase, clock: Clock
) -> None:
    await keys.reserve(ANN, "key", MUTE_2)
    await keys.finish(ANN, "key", {"a": 1})
    clock.forward(hours=24)
    assert sorted(map(repr, await _ask_at_once(databases, clock))) == ["InProgress()"] * 19 + ["Reserved()"]


async def test_reserving_and_releasing_at_once_never_lets_two_act(databases: OpenDatabase, clock: Clock) -> None:
    acting = 0
    acted = 0

    async def repeat(keys: Idempotency) -> None:
        nonlocal acting, acted
        for _ in range(10):
            if await keys.reserve(ANN, "key", MUTE_1) == Reserved():
                acting += 1
                assert acting == 1
                acted += 1
                acting -= 1
                await keys.release(ANN, "key")

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(repeat(Idempotency(await databases(), clock=clock)))
    assert acted >= 1


async def test_expired_keys_are_purged_in_batches(
    keys: Idempotency, database: Database, clock: Clock, count_transactions: Callable[[Database], list[str]]
) -> None:
    await keys.reserve(ANN, "old", MUTE_1)
    async with database.write() as session:
        old = (await session.exec(select(IdempotencyRow))).one().model_dump()
        session.add_all([IdempotencyRow(**old | {"key": f"old {number}"}) for number in range(2_100)])
    clock.forward(hours=23)
    await keys.reserve(ANN, "young", MUTE_1)
    clock.forward(hours=1)
    commits = count_transactions(database)
    assert await keys.purge() == 2_101
    assert len(commits) == 3
    assert await keys.purge() == 0
    assert await keys.reserve(ANN, "young", MUTE_1) == InProgress()
    assert await keys.reserve(ANN, "old", MUTE_1) == Reserved()


async def test_nobody_may_act_while_the_database_is_away(databases: OpenDatabase, outage: Outage) -> None:
    keys = Idempotency(await databases(answer_within_s=0.2))
    with outage(), pytest.raises(StorageUnavailable):
        await keys.reserve(ANN, "key", MUTE_1)
    assert await keys.reserve(ANN, "key", MUTE_1) == Reserved()


async def test_an_open_storage_purges_by_itself(keys: Idempotency, database: Database, migrated_url: str) -> None:
    await keys.reserve(ANN, "old", MUTE_1)
    async with database.write() as session:
        await session.exec(update(IdempotencyRow).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    async with Storage.open(migrated_url), asyncio.timeout(10):
        while await _rows(database):
            pass


async def _rows(database: Database) -> int:
    async with database.read() as session:
        return (await session.exec(select(func.count(col(IdempotencyRow.key))))).one()
