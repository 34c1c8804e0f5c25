"""A gateway on two switchboards, and what it says in its log."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.live.desk_side import Faulty
from tests.gateway.schema.house import House, house_with


@pytest.fixture
def pbx() -> Faulty:
    return Faulty()


@pytest.fixture
async def house(tmp_path: Path, pbx: Faulty) -> AsyncIterator[House]:
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        yield house
