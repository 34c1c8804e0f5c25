"""The rigs, and the gateway on each of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.live.link import BackendStatus
from gateway.model.capability import Capability
from tests.contract.gateway_on_rig import Seat, gateway_on
from tests.contract.rig import Rig
from tests.contract.rigs import RIGS


@pytest.fixture(params=RIGS, name="rig")
async def _rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as rig:
        yield rig


@pytest.fixture(name="seat")
async def _seat(rig: Rig, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Seat]:
    """A gateway that is LIVE; a test is skipped, with the declared reason, where the backend cannot do its needs."""
    async with gateway_on(rig, tmp_path) as seat:
        await seat.until_status(BackendStatus.LIVE)
        supports = seat.link.adapter.capabilities()
        for marker in request.node.iter_markers("needs"):
            for capability in marker.args:
                assert isinstance(capability, Capability)
                if not supports[capability].usable:
                    pytest.skip(f"{capability}: {supports[capability].reason}")
        yield seat
