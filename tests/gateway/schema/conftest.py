"""A gateway on two switchboards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.schema.house import House, house_with


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_with(tmp_path) as house:
        await house.until_live()
        yield house
        assert house.live.hub.watchers == 0, "a subscription was left open"
