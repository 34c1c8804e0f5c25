"""A gateway at a port, as the raw-frame tests have it, and the npm clients."""

import pytest

from tests.conformance.clients import Clients
from tests.conformance.npm import Absent
from tests.protocol.conftest import front, nothing_is_logged_as_a_fault

__all__ = ["clients", "front", "nothing_is_logged_as_a_fault"]


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    try:
        return Clients.laid_out(tmp_path_factory.mktemp("npm"))
    except Absent as why:
        pytest.skip(str(why))
