"""Runs a client as a program of its own, and reads what it tells."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.npm import node, node_modules

_HERE = Path(__file__).parent
_PATIENCE_S = 90.0
_LINE_MAX_BYTES = 4_194_304


class Client:
    """A running client: each line is an object, whose one member is named for what it tells."""

    def __init__(self, process: Process, name: str) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.told: dict[str, list[Any]] = {}
        self._process, self._name, self._lines = process, name, process.stdout
        self._complaints = asyncio.create_task(process.stderr.read())

    async def until(self, condition: Callable[[], object]) -> None:
        """Read until something is so."""
        async with asyncio.timeout(_PATIENCE_S):
            while not condition():
                if not await self._read():
                    await self.finished()
                    raise AssertionError(f"{self._name} ended too early")

    async def finished(self) -> None:
        """Read to the end, which must be a good one."""
        async with asyncio.timeout(_PATIENCE_S):
            while await self._read():
                pass
            code = await self._process.wait()
        assert code == 0, f"{self._name} ended with {code}; its complaints are on stderr"

    async def aclose(self) -> None:
        """End it if it has not ended, and hand its complaints on: pytest shows them with a failure."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        sys.stderr.write((await self._complaints).decode())

    async def _read(self) -> bool:
        line = await self._lines.readline()
        for kind, what in json.loads(line).items() if line else ():
            self.told.setdefault(kind, []).append(what)
        return bool(line)


@dataclass(frozen=True)
class Clients:
    """Our scripts beside the packages that they use."""

    node: str
    folder: Path

    @classmethod
    def laid_out(cls, folder: Path) -> "Clients":
        """Put the scripts where Node finds the packages: beside the modules themselves, for it goes by real paths.

        Errors: npm.Absent.
        """
        program, modules = node(), node_modules(_HERE / "package.json")
        shutil.copytree(_HERE / "clients", folder / "clients")
        (folder / "node_modules").symlink_to(modules, target_is_directory=True)
        return cls(program, folder / "clients")

    @asynccontextmanager
    async def running(self, name: str, *args: str) -> AsyncIterator[Client]:
        """Run a script until the block ends."""
        command = (self.node, str(self.folder / f"{name}.mjs"), *args)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, limit=_LINE_MAX_BYTES)
        client = Client(process, name)
        try:
            yield client
        finally:
            await client.aclose()
