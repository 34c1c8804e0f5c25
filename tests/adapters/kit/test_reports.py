"""Reports that wait to be taken: in order, bounded, and answers among them in their place."""

import asyncio

import pytest

from adapters.kit.reports import Reports
from gateway.model.errors import LinkDown
from gateway.model.ids import RoomId
from gateway.model.reports import DoubtReport

A, B, C, D = (DoubtReport(room_id=RoomId(name)) for name in "abcd")


async def test_of_those_who_wait_for_room_who_came_first_goes_first() -> None:
    reports = Reports(most=1)
    await reports.add(A)
    one = asyncio.create_task(reports.add(B, C))
    other = asyncio.create_task(reports.add(D))
    assert [await anext(reports) for _ in range(4)] == [A, B, C, D]
    await asyncio.gather(one, other)


async def test_an_answer_waits_for_what_was_reported_before_it_and_for_nothing_after() -> None:
    reports = Reports(most=1)
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    await reports.add(A)
    before = asyncio.create_task(reports.add(B))
    await asyncio.sleep(0)
    told = asyncio.create_task(reports.when_taken(lambda: answer.set_result("now")))
    after = asyncio.create_task(reports.add(C))
    assert [await anext(reports), await anext(reports)] == [A, B]
    assert not answer.done()
    assert await anext(reports) == C
    assert answer.result() == "now"
    await asyncio.gather(before, told, after)


async def test_what_was_added_before_the_end_is_given_and_then_the_end_is_raised() -> None:
    reports = Reports(most=1)
    await reports.add(A)
    waiting = asyncio.create_task(reports.add(B))
    await asyncio.sleep(0)
    reports.end(LinkDown("gone"))
    reports.end(LinkDown("later"))
    await waiting
    assert [await anext(reports), await anext(reports)] == [A, B]
    with pytest.raises(LinkDown, match="gone"):
        await anext(reports)
    with pytest.raises(LinkDown, match="gone"):
        reports.check()
