"""Keeping within Bandwidth's rate limits, in time that leaps."""

import asyncio
import time
from itertools import pairwise

import pytest

from adapters.bandwidth.errors import RateLimitedError, UnreachableError
from adapters.bandwidth.pace import Endpoint, Pace
from tests.leaping import now, run

CONFERENCES, CALLS, DIALLING = Endpoint


async def go(pace: Pace, endpoint: Endpoint = CONFERENCES, *, urgent: bool = False, lasting_s: float = 0.0) -> float:
    """Take a turn and give when it was."""
    async with pace.turn(endpoint, urgent=urgent):
        at = now()
        await asyncio.sleep(lasting_s)
    return at


async def refuse(pace: Pace, reset: str | None, endpoint: Endpoint = CONFERENCES) -> float:
    async with pace.turn(endpoint, urgent=True) as turn:
        turn.refused(reset)
    return now()


def in_ms(seconds: float) -> str:
    return str(round((time.time() + seconds) * 1000))


# ---- one a second ----


def test_each_endpoint_is_asked_once_a_second() -> None:
    async def work() -> None:
        pace = Pace(1)
        conferences = asyncio.gather(*(go(pace, CONFERENCES) for _ in range(4)))
        calls = asyncio.gather(*(go(pace, CALLS) for _ in range(3)))
        assert await conferences == [pytest.approx(at) for at in range(4)]
        assert await calls == [pytest.approx(at) for at in range(3)]

    run(work())


def test_an_account_with_a_raised_limit_may_go_faster() -> None:
    async def work() -> None:
        pace = Pace(4)
        assert await asyncio.gather(*(go(pace) for _ in range(3))) == [0, pytest.approx(0.25), pytest.approx(0.5)]

    run(work())


def test_dialling_counts_among_the_calls_and_other_calls_do_not_count_as_dialling() -> None:
    async def work() -> None:
        pace = Pace(1)
        assert await go(pace, DIALLING, urgent=True) == 0
        assert await go(pace, CALLS) == pytest.approx(1)
        assert await go(pace, DIALLING, urgent=True) == pytest.approx(2)
        assert await go(pace, CONFERENCES) == pytest.approx(2)

    run(work())


def test_bandwidth_counts_no_two_requests_within_a_second_however_long_they_are_on_their_way() -> None:
    async def work() -> None:
        pace = Pace(1)
        lasting = [0.0, 0.4, 0.9, 0.1, 0.0, 0.7]
        sent = await asyncio.gather(*(go(pace, lasting_s=each) for each in lasting))
        for index, at in enumerate(sent[:-1]):
            counted_at_the_latest = at + lasting[index]
            assert sent[index + 1] >= counted_at_the_latest + 1 - 1e-9

    run(work())


def test_a_request_that_is_not_answered_does_not_hold_up_the_others() -> None:
    async def work() -> None:
        pace = Pace(1)
        hanging = asyncio.create_task(go(pace, lasting_s=10))
        await asyncio.sleep(0)
        assert [await go(pace, urgent=True) for _ in range(2)] == [pytest.approx(2), pytest.approx(3)]
        await hanging
        assert now() == pytest.approx(10)
        assert await go(pace, urgent=True) == pytest.approx(10)

    run(work())


def test_a_late_answer_does_not_bring_forward_what_follows_a_later_request() -> None:
    async def work() -> None:
        pace = Pace(1)
        late = asyncio.create_task(go(pace, lasting_s=2.5))
        later = asyncio.create_task(go(pace, lasting_s=0.9))
        await late
        assert await go(pace) == pytest.approx(2.9 + 1)
        assert await later == pytest.approx(2)

    run(work())


def test_what_could_not_be_sent_does_not_count() -> None:
    async def work() -> None:
        pace = Pace(1)
        for sent in (False, False, True):
            with pytest.raises(UnreachableError):
                async with pace.turn(DIALLING, urgent=True):
                    raise UnreachableError("x", sent=sent)
        assert now() == 0
        assert await go(pace, CALLS, urgent=True) == pytest.approx(1)

    run(work())


# ---- commands first ----


def test_commands_go_before_reads_and_each_kind_in_its_order() -> None:
    async def work() -> None:
        pace = Pace(1)
        order = []

        async def noted(name: str, urgent: bool) -> None:
            async with pace.turn(CONFERENCES, urgent=urgent):
                order.append((name, round(now(), 3)))

        tasks = [asyncio.create_task(noted(f"read {n}", False)) for n in range(3)]
        await asyncio.sleep(0.5)
        tasks += [asyncio.create_task(noted(f"command {n}", True)) for n in range(2)]
        await asyncio.gather(*tasks)
        assert order == [("read 0", 0), ("command 0", 1), ("command 1", 2), ("read 1", 3), ("read 2", 4)]

    run(work())


def test_a_command_that_would_wait_for_more_than_half_a_minute_is_refused_at_once() -> None:
    async def work() -> None:
        pace = Pace(1)
        commands = [asyncio.create_task(go(pace, urgent=True)) for _ in range(40)]
        await asyncio.sleep(0)
        refused = [task for task in commands if task.done() and task.exception()]
        assert now() == 0
        done = await asyncio.gather(*commands, return_exceptions=True)
        assert [at for at in done if isinstance(at, float)] == [pytest.approx(at) for at in range(30)]
        assert len(refused) == 10
        errors = [error for error in done if isinstance(error, RateLimitedError)]
        assert all(30 < error.retry_after_s <= 32 for error in errors)

    run(work())


def test_reads_wait_as_long_as_it_takes_and_do_not_make_a_command_wait() -> None:
    async def work() -> None:
        pace = Pace(1)
        reads = [asyncio.create_task(go(pace)) for _ in range(60)]
        await asyncio.sleep(0)
        assert pace.wait_s(CONFERENCES) <= 2
        assert await go(pace, urgent=True) == pytest.approx(1)
        assert max(await asyncio.gather(*reads)) == pytest.approx(60)

    run(work())


def test_dialling_that_is_held_back_does_not_hold_up_the_other_calls() -> None:
    async def work() -> None:
        pace = Pace(1)
        await refuse(pace, in_ms(20), DIALLING)
        dialled = asyncio.create_task(go(pace, DIALLING, urgent=True))
        await asyncio.sleep(0)
        assert [await go(pace, CALLS, urgent=urgent) for urgent in (False, True)] == [
            pytest.approx(1),
            pytest.approx(2),
        ]
        assert await dialled == pytest.approx(20, abs=0.5)

    run(work())


# ---- refusals ----


@pytest.mark.parametrize(
    ("reset", "pause_s"),
    [
        (lambda: in_ms(5), 5),
        (lambda: str(int(time.time()) + 5), 5.5),
        (lambda: str(time.time() + 5), 6),
        (lambda: in_ms(-5), 1),
        (lambda: in_ms(86_400), 60),
        (lambda: "9" * 30, 60),
        (lambda: None, 1),
        (lambda: "", 1),
        (lambda: "soon", 1),
        (lambda: "nan", 1),
        (lambda: "inf", 1),
        (lambda: "-1", 1),
        (lambda: "0", 1),
    ],
)
def test_a_refusal_holds_the_endpoint_back_until_bandwidth_says_in_either_unit(reset: object, pause_s: float) -> None:
    async def work() -> None:
        assert callable(reset)
        pace = Pace(1000)
        await refuse(pace, reset())
        assert await go(pace, CALLS, urgent=True) == 0
        assert await go(pace) == pytest.approx(pause_s, abs=0.7 if pause_s not in (1, 60) else 0.01)

    run(work())


def test_refusals_in_a_row_that_do_not_say_for_how_long_make_us_wait_longer_each_time() -> None:
    async def work() -> None:
        pace = Pace(1)
        at = [await refuse(pace, None, DIALLING) for _ in range(7)]
        assert [after - before for before, after in pairwise(at)] == [
            pytest.approx(gap) for gap in (1, 2, 4, 8, 10, 10)
        ]
        await go(pace, DIALLING, urgent=True)
        before = await refuse(pace, None, DIALLING)
        assert await go(pace, DIALLING, urgent=True) == pytest.approx(before + 1)

    run(work())


def test_a_longer_pause_is_not_cut_short_by_a_shorter_one() -> None:
    async def work() -> None:
        pace = Pace(1000)
        await refuse(pace, in_ms(20))
        pace._lanes[CONFERENCES].pause(1)
        assert await go(pace) == pytest.approx(20, abs=0.5)

    run(work())


def test_commands_that_wait_are_sent_away_when_a_long_pause_begins() -> None:
    async def work() -> None:
        pace = Pace(1)

        async def refused_later() -> None:
            async with pace.turn(CONFERENCES, urgent=True) as turn:
                await asyncio.sleep(0.5)
                turn.refused(in_ms(50))

        under_way = asyncio.create_task(refused_later())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(go(pace, urgent=True))
        read = asyncio.create_task(go(pace))
        with pytest.raises(RateLimitedError) as caught:
            await waiting
        assert now() == pytest.approx(0.5)
        assert caught.value.retry_after_s == pytest.approx(50, abs=1)
        assert pace.wait_s(CONFERENCES) == pytest.approx(50, abs=1)
        await under_way
        assert await read == pytest.approx(50.5, abs=1)

    run(work())


# ---- who gives up ----


def test_who_gives_up_waiting_does_not_take_a_turn_with_them() -> None:
    async def work() -> None:
        pace = Pace(1)
        waiting = [asyncio.create_task(go(pace)) for _ in range(6)]
        await asyncio.sleep(0.5)
        for task in waiting[1::2]:
            task.cancel()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert [at for at in done if isinstance(at, float)] == [0, pytest.approx(1), pytest.approx(2)]
        assert pace._waiting == []

    run(work())


def test_a_turn_given_to_one_who_was_just_cancelled_is_given_back() -> None:
    async def work() -> None:
        pace = Pace(1)
        await go(pace, DIALLING, urgent=True)
        waiting = asyncio.create_task(go(pace, DIALLING, urgent=True))
        next_one = asyncio.create_task(go(pace, CALLS))
        await asyncio.sleep(0)
        for lane in pace._lanes.values():
            lane._next_at = 0
        pace._admit()
        assert len(pace._waiting) == 1
        waiting.cancel()
        assert await next_one == 0
        assert waiting.cancelled()

    run(work())


def test_nobody_is_left_waiting_when_the_connection_is_closed() -> None:
    async def work() -> None:
        pace = Pace(1)
        await go(pace)
        waiting = [asyncio.create_task(go(pace, urgent=urgent)) for urgent in (True, False)]
        await asyncio.sleep(0)
        pace.close()
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, UnreachableError)
            assert not error.sent
        assert now() == 0

    run(work())
