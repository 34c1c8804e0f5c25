"""Keeping within Telphin's hourly quota, in time that leaps."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.telphin.errors import RateLimitedError, UnreachableError
from adapters.telphin.pace import Quota, Share
from tests.leaping import now, run

HOUR_S = 3600


def headers(limit: int, remaining: int, reset_s: int = HOUR_S) -> dict[str, str]:
    told = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset_s}
    return {name: str(number) for name, number in told.items()}


async def go(
    quota: Quota, told: dict[str, str] | None = None, *, urgent: bool = False, lasting_s: float = 0.0
) -> float:
    """Take a turn and give when it was."""
    async with quota.turn(urgent=urgent) as turn:
        at = now()
        await asyncio.sleep(lasting_s)
        turn.learned(told or {})
    return at


async def refuse(quota: Quota, told: dict[str, str]) -> None:
    async with quota.turn(urgent=True) as turn:
        turn.refused(told)


async def waits(quota: Quota, *, urgent: bool = False) -> float:
    """Give how long one more would have to wait."""
    with pytest.raises(RateLimitedError) as caught:
        await go(quota, urgent=urgent)
    return caught.value.retry_after_s


# ---- what is left ----


def test_without_a_word_of_telphin_nothing_is_held_back() -> None:
    async def work() -> None:
        quota = Quota(now)
        for _ in range(1000):
            await go(quota)
        assert quota.spent_until is None

    run(work())


@pytest.mark.parametrize(("limit", "spared"), [(1000, 100), (100, 10), (50, 5), (20, 5), (6, 3), (1, 0)])
def test_background_reads_leave_a_tenth_of_the_quota_to_commands(limit: int, spared: int) -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(limit, limit))
        for _ in range(limit - spared):
            await go(quota)
        assert await waits(quota) == HOUR_S
        for _ in range(spared):
            await go(quota, urgent=True)
        assert await waits(quota, urgent=True) == HOUR_S

    run(work())


def test_what_other_applications_of_the_client_have_used_is_believed() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(1000, 900))
        await go(quota, headers(1000, 1, 600), urgent=True)
        assert await waits(quota) == 600
        await go(quota, urgent=True)
        assert await waits(quota, urgent=True) == 600

    run(work())


def test_after_the_reset_requests_go_again() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(100, 0, 90))
        await asyncio.sleep(89)
        assert await waits(quota, urgent=True) == pytest.approx(1)
        await asyncio.sleep(1)
        assert await go(quota, headers(100, 99), urgent=True) == 90
        assert await go(quota) == 90

    run(work())


def test_until_when_the_quota_is_spent_is_told() -> None:
    async def work() -> None:
        quota = Quota(now)
        began = datetime.now(UTC)
        await go(quota, headers(100, 10, 1800))
        assert quota.spent_until is not None
        assert timedelta(0) <= quota.spent_until - began - timedelta(seconds=1800) < timedelta(seconds=60)
        assert quota.wait_s(urgent=True) == 0
        await asyncio.sleep(1800)
        assert quota.spent_until is None

    run(work())


def test_requests_that_are_under_way_are_counted_before_they_are_answered() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(100, 3))
        slow = [asyncio.create_task(go(quota, headers(100, 0), urgent=True, lasting_s=5)) for _ in range(3)]
        await asyncio.sleep(1)
        assert await waits(quota, urgent=True) == HOUR_S - 1
        await asyncio.gather(*slow)

    run(work())


def test_an_answer_does_not_free_what_was_sent_after_its_request() -> None:
    async def work() -> None:
        quota = Quota(now)
        first = asyncio.create_task(go(quota, headers(100, 2), urgent=True, lasting_s=1))
        await asyncio.sleep(0)
        later = [asyncio.create_task(go(quota, headers(100, 0), urgent=True, lasting_s=5)) for _ in range(2)]
        await first
        assert await waits(quota, urgent=True) == HOUR_S
        await asyncio.gather(*later)

    run(work())


@pytest.mark.parametrize("refusal", [False, True])
def test_an_answer_that_was_overtaken_is_not_believed(refusal: bool) -> None:
    async def work() -> None:
        quota = Quota(now)
        older = asyncio.create_task(go(quota, headers(100, 50), lasting_s=1))
        await asyncio.sleep(0)
        await (refuse(quota, headers(100, 0)) if refusal else go(quota, headers(100, 0)))
        await older
        assert await waits(quota, urgent=True) == HOUR_S - 1

    run(work())


def test_what_could_not_be_sent_does_not_count() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(100, 1))
        for _ in range(5):
            with pytest.raises(UnreachableError):
                async with quota.turn(urgent=True):
                    raise UnreachableError("x", sent=False)
        with pytest.raises(UnreachableError):
            async with quota.turn(urgent=True):
                raise UnreachableError("x", sent=True)
        assert await waits(quota, urgent=True) == HOUR_S

    run(work())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Reset": "60"},
        headers(100, 0) | {"X-RateLimit-Remaining": "-1"},
        headers(100, 0) | {"X-RateLimit-Remaining": "none"},
        headers(100, 0) | {"X-RateLimit-Remaining": "²"},
        headers(100, 0) | {"X-RateLimit-Reset": "9" * 5000},
        headers(100, 0) | {"X-RateLimit-Reset": "1.5"},
    ],
)
def test_headers_that_make_no_sense_say_nothing(told: dict[str, str]) -> None:
    async def work() -> None:
        quota = Quota(now)
        for _ in range(20):
            await go(quota, told)

    run(work())


def test_a_limit_that_makes_no_sense_does_not_cost_what_is_left() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(0, 7))
        await go(quota)
        await go(quota)
        assert await waits(quota) == HOUR_S

    run(work())


@given(st.dictionaries(st.sampled_from([*headers(0, 0)]), st.text(max_size=12) | st.integers().map(str)))
@settings(max_examples=60, deadline=None)
def test_whatever_the_headers_say_nothing_is_held_back_for_more_than_an_hour(told: dict[str, str]) -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, told)
        assert 0 <= quota.wait_s(urgent=False) <= HOUR_S
        await asyncio.sleep(HOUR_S)
        await refuse(quota, told)
        assert 1 <= quota.wait_s(urgent=True) <= HOUR_S

    run(work())


# ---- refusals ----


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        (headers(100, 0, 1200), 1200),
        (headers(100, 0, 0), 1),
        (headers(100, 0, 10**6), HOUR_S),
        ({"X-RateLimit-Reset": "30"}, 30),
        ({}, 60),
        (headers(100, 40, 1200), 5),
    ],
)
def test_after_a_refusal_nothing_is_sent_until_the_reset(told: dict[str, str], wait_s: float) -> None:
    async def work() -> None:
        quota = Quota(now)
        await refuse(quota, told)
        assert await waits(quota) == wait_s
        assert await waits(quota, urgent=True) == wait_s
        await asyncio.sleep(wait_s)
        assert await go(quota) == wait_s

    run(work())


# ---- turns ----


def test_few_requests_go_at_the_same_time_and_commands_go_first() -> None:
    async def work() -> None:
        quota = Quota(now)
        reads = [asyncio.create_task(go(quota, lasting_s=1)) for _ in range(10)]
        await asyncio.sleep(0.5)
        commands = [asyncio.create_task(go(quota, urgent=True, lasting_s=1)) for _ in range(3)]
        assert await asyncio.gather(*commands) == [1, 1, 1]
        assert await asyncio.gather(*reads) == [0] * 4 + [1] + [2] * 4 + [3]

    run(work())


def test_who_has_waited_in_vain_is_told_so() -> None:
    async def work() -> None:
        quota = Quota(now)
        slow = [asyncio.create_task(go(quota, headers(100, 0), lasting_s=1)) for _ in range(4)]
        await asyncio.sleep(0)
        assert await waits(quota, urgent=True) == HOUR_S
        assert now() == 1
        await asyncio.gather(*slow)
        await asyncio.sleep(HOUR_S)
        reads = [asyncio.create_task(go(quota, lasting_s=1)) for _ in range(4)]
        assert await asyncio.gather(*reads) == [HOUR_S + 1] * 4

    run(work())


def test_a_quota_that_is_spent_is_told_at_once_whoever_is_under_way() -> None:
    async def work() -> None:
        quota = Quota(now)
        await go(quota, headers(100, 4))
        slow = [asyncio.create_task(go(quota, urgent=True, lasting_s=9)) for _ in range(4)]
        await asyncio.sleep(0)
        assert await waits(quota, urgent=True) == HOUR_S
        assert now() == 0
        await asyncio.gather(*slow)

    run(work())


def test_who_gives_up_waiting_does_not_take_a_turn_with_them() -> None:
    async def work() -> None:
        quota = Quota(now)
        slow = [asyncio.create_task(go(quota, lasting_s=10)) for _ in range(4)]
        waiting = [asyncio.create_task(go(quota, lasting_s=1)) for _ in range(8)]
        await asyncio.sleep(1)
        for task in (*slow[:1], *waiting[::2]):
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [result for result in results if isinstance(result, float)] == [1, 2, 3, 4]
        await asyncio.gather(*slow, return_exceptions=True)
        assert await asyncio.gather(*(go(quota, lasting_s=1) for _ in range(4))) == [now() - 1] * 4

    run(work())


def test_a_turn_given_to_one_who_was_just_cancelled_is_given_back() -> None:
    async def work() -> None:
        quota = Quota(now)
        slow = [asyncio.create_task(go(quota, lasting_s=1)) for _ in range(3)]
        async with quota.turn(urgent=False):
            unlucky = asyncio.create_task(go(quota))
            await asyncio.sleep(0)
        unlucky.cancel()
        await asyncio.gather(*slow, unlucky, return_exceptions=True)
        assert unlucky.cancelled()
        assert await asyncio.gather(*(go(quota, lasting_s=1) for _ in range(4))) == [1] * 4

    run(work())


async def test_what_can_wait_has_a_third_in_any_hour_and_none_of_the_last_third() -> None:
    now_s = 0.0
    quota = Quota(lambda: now_s)
    share = Share(quota, lambda: now_s)
    share.spend()
    assert not share.is_spent  # nobody has said that there is a limit
    async with quota.turn(urgent=True) as turn:
        turn.learned({"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "600"})
    for nth in range(1, 10):
        assert not share.is_spent, nth
        share.spend()
    assert share.is_spent
    now_s = 3599.0
    assert share.is_spent
    now_s = 3600.0
    assert not share.is_spent
    async with quota.turn(urgent=True) as turn:
        turn.learned({"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "10", "X-RateLimit-Reset": "600"})
    assert share.is_spent
