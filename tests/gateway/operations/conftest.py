"""A gateway whose turns of delivery are given by hand."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.storage import Storage
from tests.gateway.operations.hall import Hall
from tests.gateway.schema.house import House, house_with


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with Storage.open(f"sqlite:///{tmp_path / 'gateway.sqlite3'}") as storage:
        await storage.secret("any")  # by then the first purge is done, and nothing is under way when it is closed
        yield storage


@pytest.fixture
def new_hall(storage: Storage) -> Callable[..., Hall]:
    return lambda **options: Hall(storage, **options)


@pytest.fixture
def hall(storage: Storage) -> Hall:
    return Hall(storage)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_with(tmp_path) as house:
        await house.until_live()
        yield house
        assert house.live.hub.watchers == 0, "a subscription was left open"
