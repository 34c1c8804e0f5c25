"""A gateway at a port; whatever clients do to it, nothing of it is a fault in its log."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.gateway.schema.house import House, house_with
from tests.protocol.busy import PEOPLE
from tests.protocol.front import Front, front_with


@pytest.fixture(autouse=True)
def nothing_is_logged_as_a_fault(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    records = [record for phase in ("setup", "call", "teardown") for record in caplog.get_records(phase)]
    assert [each.getMessage() for each in records if each.levelno >= logging.ERROR or each.exc_info] == []


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with front_with(tmp_path) as front:
        yield front
        await front.watched_by(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a gateway that a test serves itself, to stop it."""
    async with house_with(tmp_path) as house:
        await house.until_live()
        await house.with_people("board", *PEOPLE)
        yield house
