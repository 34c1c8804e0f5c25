"""For tests that look for secrets in what is logged."""

import asyncio
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(name="everything_is_logged")
async def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    caplog.set_level(0)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0  # so that every step of every task is logged
    yield
    loop.set_debug(False)
