"""Our commands as processes of their own, as a user starts them."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

_PATIENCE_S = 150.0
"""Six processes that start on two slow cores take a while."""


@asynccontextmanager
async def running(
    *command: str, cwd: str | None = None, **variables: str
) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """Run a command that prints a line of JSON once it is ready, until the block ends; then as by Ctrl-C."""
    environment = {**_environment(), **variables}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.main", *command, stdout=PIPE, stderr=PIPE, cwd=cwd, env=environment
    )
    assert process.stdout is not None
    assert process.stderr is not None
    told = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            line = await process.stdout.readline()
        assert line, f"{command} said nothing: {(await told).decode()}"
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
            await told


async def finished(*command: str, cwd: str | None = None) -> tuple[int, str, str]:
    """Run a command to its end; give its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.main", *command, stdout=PIPE, stderr=PIPE, cwd=cwd, env=_environment()
    )
    async with asyncio.timeout(_PATIENCE_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.getcwd(), "NO_COLOR": "1", "PYTHONWARNINGS": ""}  # noqa: PTH109
