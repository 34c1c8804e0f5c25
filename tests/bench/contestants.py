"""The servers that are measured, each a process of its own on a core of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench import node

OURS, BARE, GRAPHQL_WS, MERCURIUS, STOCK = "ours", "bare uvloop", "graphql-ws", "mercurius", "stock Strawberry"
NAMES = (OURS, BARE, GRAPHQL_WS, MERCURIUS, STOCK)
_PYTHON = {OURS: "ours", BARE: "bare", STOCK: "stock"}
_NODE = {GRAPHQL_WS: "graphql_ws.mjs", MERCURIUS: "mercurius.mjs"}
_ROOT = Path(__file__).parents[2]


class NoContestant(Exception):
    """It cannot be run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server has used. Units: CPU seconds, and bytes of memory resident now."""

    cpu_s: float
    rss: int


class Server:
    """A running server, to be commanded."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self.process = process
        self.hello = self.answer()
        self.port = int(self.hello.get("port") or urlsplit(self.hello["graphql"]).port)
        self.rooms: list[str] = self.hello.get("rooms", [])
        self.emitted = 0

    def tell(self, **command: Any) -> None:
        """Give a command, to whose end `answer` waits."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer to the last command.

        Errors: NoContestant when the server has ended.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise NoContestant("it died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command and wait for its answer."""
        self.tell(**command)
        return self.answer()

    def usage(self) -> Usage:
        """Say what it has used until now."""
        return Usage(**self.ask(usage=True))

    def begin_events(self, rate: float, count: int) -> None:
        """Let so many events happen in each room; its answer comes when all have happened."""
        self.tell(emit={"rate": rate, "count": count})
        self.emitted += count


@contextmanager
def running(name: str, *arguments: str) -> Iterator[Server]:
    """Run a contestant on the servers' core.

    Errors: NoContestant.
    """
    command, folder = _command(name)
    with _process([*command, *arguments], folder, SERVER_CORE) as process:
        yield Server(name, process)


@contextmanager
def gateway(config: Path) -> Iterator[Server]:
    """Run `conference-gateway serve` on the servers' core; it takes no commands."""
    serve = ["gateway.main", "serve", f"--config={config}", "--port=0", "--insecure-no-auth", "--json"]
    with _process([sys.executable, "-m", *serve], _ROOT, SERVER_CORE) as process:
        yield Server(OURS, process)


@contextmanager
def simulated_kazoo() -> Iterator[Server]:
    """Run a Kazoo on the clients' core."""
    with _process([sys.executable, "-m", "tests.bench.servers.kazoo"], _ROOT, CLIENT_CORE) as process:
        yield Server("kazoo", process)


def pin_client() -> str:
    """Keep this process to the clients' core, and say whether that was possible."""
    if SERVER_CORE == CLIENT_CORE:
        return "server and clients share whatever cores there are"
    os.sched_setaffinity(0, {CLIENT_CORE})
    return f"server on core {SERVER_CORE}, clients on core {CLIENT_CORE}"


def _cores() -> tuple[int, int]:
    """Give a core for the server and one for the clients; twice -1 where they cannot be kept apart."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (cores[0], cores[-1]) if len(cores) > 1 else (-1, -1)


SERVER_CORE, CLIENT_CORE = _cores()


def _command(name: str) -> tuple[list[str], Path]:
    if name in _PYTHON:
        return [sys.executable, "-m", f"tests.bench.servers.{_PYTHON[name]}"], _ROOT
    folder = _packages()
    if isinstance(folder, str):
        raise NoContestant(folder)
    return ["node", "--expose-gc", _NODE[name]], folder


@cache
def _packages() -> Path | str:
    return node.prepared()


@contextmanager
def _process(command: list[str], folder: Path, core: int) -> Iterator[subprocess.Popen[str]]:
    # Set here and inherited: a process that is pinned later may have started threads elsewhere.
    if core >= 0:
        os.sched_setaffinity(0, {core})
    try:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    finally:
        pin_client()
    try:
        yield process
    finally:
        # Killed, so that ten thousand sockets need no farewell and no port lingers at the client.
        process.kill()
        process.communicate()
