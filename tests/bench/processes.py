"""How long the demo takes to be of use, and what the gateway costs while nothing happens."""

import asyncio
import json
import sys
import time
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from tests.whole.commands import running

_START_GOAL_S = 5.0
_IDLE_GOAL_PERCENT = 0.5
_WATCHED_S = 20.0
_ROOMS = gql("{ rooms(first: 1) { edges { node { id } } } }")
_FOLLOW = "subscription ($id: ID!) { roomEvents(roomId: $id) { __typename } }"


async def start() -> str:
    """Say how long `demo` takes from its start until a room can be queried, and the ratio to starting Python."""
    python_s = await _python_s()
    began = time.monotonic()
    async with running("demo", "--port=0", "--json") as (_, addresses):
        async with Client(transport=WebsocketsTransport(addresses["ws"])) as session:
            rooms = (await session.execute(_ROOMS))["rooms"]["edges"]
        took_s = time.monotonic() - began
        if not rooms:
            raise AssertionError("no room was there")
    verdict = "met" if took_s <= _START_GOAL_S else "MISSED"
    ratio = took_s / python_s
    return f"{took_s:.1f} s until the first room is queried, {ratio:.0f} × starting Python; goal ≤ 5 s: {verdict}"


async def idle() -> str:
    """Say how busy the gateway is with one subscriber in one room where nothing happens."""
    with TemporaryDirectory() as folder:
        async with running("simulate", "kazoo", "--json", "--rooms=1", "--churn=0", "--talk-rate=0") as (_, said):
            config = Path(folder, "gateway.toml")
            settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in said["settings"].items())
            database = json.dumps(f"sqlite:///{folder}/bench.sqlite3")
            _write(config, f'[storage]\nurl = {database}\n[[backends]]\nid = "kazoo"\nkind = "kazoo"\n{settings}\n')
            command = ("serve", f"--config={config}", "--port=0", "--insecure-no-auth", "--json")
            async with running(*command) as (serving, addresses):
                percent = await _busy_percent(serving.pid, addresses["ws"])
    verdict = "met" if percent <= _IDLE_GOAL_PERCENT else "MISSED"
    return f"{percent:.2f} % of a core with one subscriber and no traffic; goal ≤ {_IDLE_GOAL_PERCENT} %: {verdict}"


async def _busy_percent(pid: int, url: str) -> float:
    async with Client(transport=WebsocketsTransport(url)) as session:
        rooms: list[dict[str, dict[str, str]]] = []
        while not rooms:
            rooms = (await session.execute(_ROOMS))["rooms"]["edges"]
        follow = gql(_FOLLOW)
        follow.variable_values = {"id": rooms[0]["node"]["id"]}
        async with aclosing(session.subscribe(follow)) as events:
            await anext(events)
            process = psutil.Process(pid)
            before = process.cpu_times()
            await asyncio.sleep(_WATCHED_S)
            after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / _WATCHED_S * 100


async def _python_s() -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
    await process.wait()
    return time.monotonic() - began


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
