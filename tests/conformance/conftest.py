"""A gateway at a port that speaks every protocol, and the npm clients."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.clients import Clients
from tests.npm import Absent
from tests.protocol.conftest import nothing_is_logged_as_a_fault
from tests.protocol.front import Front, front_with

__all__ = ["clients", "front", "nothing_is_logged_as_a_fault"]


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with front_with(tmp_path, legacy_graphql_ws=True) as front:
        yield front
        await front.watched_by(0)


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    try:
        return Clients.laid_out(tmp_path_factory.mktemp("npm"))
    except Absent as why:
        pytest.skip(str(why))
