"""Keeping within RingCentral's rate limits, in time that leaps."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.ringcentral.errors import RateLimitedError, UnreachableError
from adapters.ringcentral.pace import Group, Pace
from tests.leaping import now, run


def headers(limit: int, remaining: int, window_s: float = 60, group: str = "light") -> dict[str, str]:
    return {
        "X-Rate-Limit-Group": group,
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Window": f"{window_s:g}",
    }


async def go(
    pace: Pace,
    group: Group = Group.LIGHT,
    *,
    urgent: bool = False,
    lasting_s: float = 0.0,
    told: Mapping[str, str] | None = None,
) -> float:
    """Take a turn and give when it was."""
    async with pace.turn(group, urgent=urgent) as turn:
        at = now()
        await asyncio.sleep(lasting_s)
        if told is not None:
            turn.learned(told)
    return at


async def refuse(pace: Pace, retry_after: str | None, group: Group = Group.LIGHT) -> None:
    async with pace.turn(group, urgent=True) as turn:
        turn.refused(retry_after)


@pytest.mark.parametrize(("group", "limit"), [("light", 50), ("medium", 40), ("heavy", 10), ("auth", 5)])
def test_without_a_word_of_ringcentral_the_documented_limits_hold(group: Group, limit: int) -> None:
    async def work() -> None:
        pace = Pace()
        for _ in range(limit):
            assert await go(pace, Group(group), urgent=True) == 0
        with pytest.raises(RateLimitedError) as caught:
            await go(pace, Group(group), urgent=True)
        assert caught.value.retry_after_s == pytest.approx(60)
        pace.close()

    run(work())


def test_background_reads_leave_some_of_the_window_to_commands() -> None:
    async def work() -> None:
        pace = Pace()
        reads = [asyncio.create_task(go(pace, Group.HEAVY)) for _ in range(10)]
        commands = [asyncio.create_task(go(pace, Group.HEAVY, urgent=True)) for _ in range(2)]
        assert await asyncio.gather(*commands) == [0, 0]
        assert await asyncio.gather(*reads) == [0] * 8 + [60] * 2

    run(work())


def test_no_window_ever_holds_more_than_the_limit_however_long_answers_take() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, told=headers(limit=6, remaining=5, window_s=10))
        sent = await asyncio.gather(*(go(pace, lasting_s=index % 4) for index in range(60)))
        turns = [(at, at + index % 4) for index, at in enumerate(sent)]
        for at in sent:
            before = [one for one in turns if one[0] < at < one[1] + 10]
            assert len(before) < 6

    run(work())


def test_what_others_of_the_same_user_send_counts() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, told=headers(limit=50, remaining=1))
        assert await go(pace, urgent=True) == 0
        with pytest.raises(RateLimitedError) as caught:
            await go(pace, urgent=True)
        assert caught.value.retry_after_s == pytest.approx(60)
        assert await go(pace) == 60

    run(work())


def test_requests_that_ringcentral_does_not_count_are_free() -> None:
    async def work() -> None:
        pace = Pace()
        for _ in range(100):
            assert await go(pace, Group.AUTH, urgent=True, told=headers(5, 5, group="auth")) == 0

    run(work())


def test_an_answer_that_was_overtaken_does_not_free_what_came_after_it() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, told=headers(limit=2, remaining=2))
        older = asyncio.create_task(go(pace, urgent=True, lasting_s=1, told=headers(2, 1)))
        await asyncio.sleep(0)
        await go(pace, urgent=True, told=headers(2, 0))
        await older
        with pytest.raises(RateLimitedError):
            await go(pace, urgent=True)
        pace.close()

    run(work())


def test_numbers_about_another_group_are_not_believed_of_this_one() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, told=headers(limit=1, remaining=0, group="heavy"))
        assert await go(pace, urgent=True) == 0

    run(work())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Window": "0"},
        {"X-Rate-Limit-Limit": "-1", "X-Rate-Limit-Remaining": "-1", "X-Rate-Limit-Window": "-1"},
        {"X-Rate-Limit-Limit": "many", "X-Rate-Limit-Remaining": "few", "X-Rate-Limit-Window": "long"},
        {"X-Rate-Limit-Limit": "inf", "X-Rate-Limit-Window": "inf", "X-Rate-Limit-Remaining": "inf"},
        {"X-Rate-Limit-Limit": "nan", "X-Rate-Limit-Window": "nan", "X-Rate-Limit-Remaining": "nan"},
        {"X-Rate-Limit-Limit": "1" * 400, "X-Rate-Limit-Window": "1" * 400},
    ],
)
def test_headers_that_make_no_sense_change_nothing(told: dict[str, str]) -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, urgent=True, told=told)
        for _ in range(49):
            assert await go(pace, urgent=True) == 0
        assert pace.wait_s(Group.LIGHT) in (0, pytest.approx(60))

    run(work())


# ---- the penalty ----


@pytest.mark.parametrize(
    ("retry_after", "pause_s"), [("60", 60.5), ("0", 1.5), (None, 60), ("soon", 60), ("9" * 9, 3600.5)]
)
def test_after_a_429_nothing_of_the_group_is_sent_until_the_penalty_is_over(
    retry_after: str | None, pause_s: float
) -> None:
    async def work() -> None:
        pace = Pace()
        await refuse(pace, retry_after)
        assert pace.wait_s(Group.LIGHT) == pytest.approx(pause_s)
        assert await go(pace, Group.HEAVY, urgent=True) == 0
        assert await go(pace) == pytest.approx(pause_s)

    run(work())


def test_a_command_that_would_wait_too_long_is_refused_at_once_with_the_time_to_wait() -> None:
    async def work() -> None:
        pace = Pace()
        await refuse(pace, "20")
        await asyncio.sleep(5)
        with pytest.raises(RateLimitedError) as caught:
            await go(pace, urgent=True)
        assert now() == 5
        assert caught.value.retry_after_s == pytest.approx(15.5)

    run(work())


def test_a_command_waits_for_a_short_penalty_and_then_goes_before_the_reads() -> None:
    async def work() -> None:
        pace = Pace()
        order = []

        async def noted(name: str, urgent: bool) -> None:
            async with pace.turn(Group.LIGHT, urgent=urgent):
                order.append((name, now()))

        await refuse(pace, "1.5")
        waiting = [asyncio.create_task(noted(f"read {n}", False)) for n in range(2)]
        await asyncio.sleep(0.5)
        waiting.append(asyncio.create_task(noted("command", True)))
        await asyncio.gather(*waiting)
        assert [name for name, _ in order] == ["command", "read 0", "read 1"]
        assert [at for _, at in order] == [pytest.approx(2.0)] * 3

    run(work())


def test_a_command_is_refused_when_those_before_it_make_it_wait_too_long() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, urgent=True, told=headers(limit=2, remaining=1, window_s=3))
        await asyncio.sleep(1.5)
        await go(pace, urgent=True)
        first = asyncio.create_task(go(pace, urgent=True))
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError) as caught:
            await go(pace, urgent=True)
        assert now() == pytest.approx(1.5)
        assert caught.value.retry_after_s == pytest.approx(3)
        assert await first == pytest.approx(3)

    run(work())


def test_commands_that_wait_are_sent_away_when_a_penalty_begins() -> None:
    async def work() -> None:
        pace = Pace()
        await go(pace, told=headers(limit=1, remaining=1, window_s=1))
        under_way = asyncio.create_task(go(pace, urgent=True))
        await under_way
        waiting = asyncio.create_task(go(pace, urgent=True))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        pace._lanes[Group.LIGHT].pause(60)
        with pytest.raises(RateLimitedError) as caught:
            await waiting
        assert now() == 0.5
        assert caught.value.retry_after_s == pytest.approx(60)
        pace.close()

    run(work())


def test_a_longer_penalty_is_not_cut_short_by_a_shorter_one() -> None:
    async def work() -> None:
        pace = Pace()
        async with pace.turn(Group.LIGHT, urgent=False) as first, pace.turn(Group.LIGHT, urgent=False) as second:
            first.refused("60")
            second.refused("1")
        assert pace.wait_s(Group.LIGHT) == pytest.approx(60.5)

    run(work())


def test_a_penalty_that_says_nothing_remains_is_no_word_about_what_others_send() -> None:
    async def work() -> None:
        pace = Pace()
        async with pace.turn(Group.LIGHT, urgent=True) as turn:
            turn.learned(headers(limit=50, remaining=0))
            turn.refused("5")
        assert await go(pace) == pytest.approx(5.5)

    run(work())


# ---- turns ----


def test_what_could_not_be_sent_does_not_count() -> None:
    async def work() -> None:
        pace = Pace()
        for sent in (False, False, True):
            with pytest.raises(UnreachableError):
                async with pace.turn(Group.AUTH, urgent=True):
                    raise UnreachableError("x", sent=sent)
        for _ in range(4):
            assert await go(pace, Group.AUTH, urgent=True) == 0
        with pytest.raises(RateLimitedError):
            await go(pace, Group.AUTH, urgent=True)
        pace.close()

    run(work())


def test_who_gives_up_waiting_does_not_take_a_turn_with_them() -> None:
    async def work() -> None:
        pace = Pace()
        await refuse(pace, "10")
        waiting = [asyncio.create_task(go(pace)) for _ in range(6)]
        await asyncio.sleep(1)
        for task in waiting[::2]:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [result for result in results if isinstance(result, float)] == [pytest.approx(10.5)] * 3
        lane = pace._lanes[Group.LIGHT]
        assert (lane._under_way, lane._waiting) == (0, [])

    run(work())


def test_a_turn_given_to_one_who_was_just_cancelled_is_given_back() -> None:
    async def work() -> None:
        pace = Pace()
        waiting = asyncio.create_task(go(pace))
        await refuse(pace, "1")
        await asyncio.sleep(0)
        lane = pace._lanes[Group.LIGHT]
        lane._paused_until = 0
        lane._admit()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert lane._under_way == 0

    run(work())
