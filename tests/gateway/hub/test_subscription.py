"""What a watcher gets, in which order, and what it is told when it was too slow."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.hub import Hub
from gateway.hub.subscription import Gap, Subscription
from gateway.model.ids import BackendId


def watcher(max_items: int = 3) -> Subscription[int]:
    return Subscription[int](max_items, lambda subscription: None)


async def test_items_come_in_order_and_a_closed_subscription_gives_what_was_queued_before() -> None:
    items = watcher()
    items.offer(1)
    items.offer(2)
    items.close()
    assert [await items.next(), await items.next(), await items.next(), await items.next()] == [1, 2, None, None]


async def test_as_many_as_may_wait_wait_and_one_more_makes_a_single_gap() -> None:
    items = watcher(3)
    for item in (1, 2, 3):
        items.offer(item)
    assert await items.next() == 1
    for item in (4, 5, 6):
        items.offer(item)
    assert await items.next() is Gap.OVERFLOWN
    items.offer(7)
    assert await items.next() == 7
    items.close()
    assert await items.next() is None


async def test_a_gap_is_told_also_to_a_watcher_whose_subscription_was_closed_since() -> None:
    items = watcher(1)
    items.offer(1)
    items.offer(2)
    items.close()
    assert await items.next() is Gap.OVERFLOWN
    assert await items.next() is None


async def test_who_waits_is_woken_by_an_item_and_by_the_end() -> None:
    items = watcher()
    wakes: list[tuple[Callable[[], None], int | None]] = [(lambda: items.offer(1), 1), (items.close, None)]
    for wake, expected in wakes:
        waiting = asyncio.create_task(items.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        wake()
        assert await waiting == expected


async def test_giving_up_the_wait_loses_nothing() -> None:
    items = watcher()
    waiting = asyncio.create_task(items.next())
    await asyncio.sleep(0)
    items.offer(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert await items.next() == 1


@given(st.lists(st.none() | st.integers(1, 9), max_size=60), st.integers(1, 4))
async def test_after_every_gap_items_follow_without_a_hole(script: list[int | None], most: int) -> None:
    """Numbers are offered in order; None lets the watcher take one, and a gap lets it read how far they are."""
    items = watcher(most)
    offered = taken = waiting = 0
    gap = False
    for step in script:
        if step is not None:
            for _ in range(step):
                offered += 1
                items.offer(offered)
                gap = gap or waiting == most
                waiting = 0 if gap else waiting + 1
        elif gap:
            assert await items.next() is Gap.OVERFLOWN
            taken, gap = offered, False
        elif waiting:
            taken += 1
            waiting -= 1
            assert await items.next() == taken
    assert taken + waiting == offered or gap


async def test_closing_twice_and_leaving_a_with_block_forgets_a_watcher_once() -> None:
    forgotten: list[Subscription[int]] = []
    with Subscription[int](1, forgotten.append) as items:
        items.close()
    assert forgotten == [items]


async def test_those_who_watch_backends_are_told_and_counted() -> None:
    hub = Hub()
    with hub.watch_backends() as first, hub.watch_backends() as second:
        assert hub.watchers == 2
        hub.publish_backend(BackendId("a"))
        assert await first.next() == await second.next() == "a"
    assert hub.watchers == 0
