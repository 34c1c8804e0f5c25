"""What a simulator says of itself: a table that works as it is, and what else a gateway has to be told."""

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import registry
from gateway.commands.demo import _configuration
from gateway.commands.simulate import _simulate, as_table, from_json
from gateway.config import Config
from gateway.simulator import Liveliness, SimulatedBackend

CALLED_BACK = SimulatedBackend(
    "A cloud",
    {
        "url": "http://127.0.0.1:1",
        "client_id": "c",
        "client_secret": "s",
        "jwt": "j",
        "notifications": "webhook",
    },
    "ada",
    ["conf-1", "conf-2"],
    "webhook_url",
)
PLAIN = SimulatedBackend("A switch", {"url": "http://127.0.0.1:1"})


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Stand for a simulator that has to be called back and adopted from."""
    yield CALLED_BACK


async def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> tuple[str, str]:
    """Run `simulate` until it waits for Ctrl-C, and give what it printed."""
    monkeypatch.setitem(registry._SIMULATORS, "ringcentral", f"{__name__}:simulate")
    running = asyncio.create_task(_simulate("ringcentral", 0, Liveliness(), as_json=as_json))
    out = err = ""
    async with asyncio.timeout(10):
        while not out or not (as_json or err):
            await asyncio.sleep(0)
            printed = capsys.readouterr()
            out, err = out + printed.out, err + printed.err
    running.cancel()
    await asyncio.wait({running})
    return out, err


async def test_the_table_names_where_to_call_back_and_the_mutation_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, err = await said(monkeypatch, capsys, as_json=False)
    (line,) = (line for line in out.splitlines() if line.startswith("webhook_url"))
    assert line.startswith('webhook_url = "http://127.0.0.1:8000/hooks/ringcentral/"  # ')
    path = tmp_path / "gateway.toml"
    path.write_text(out, encoding="utf-8")
    assert [each.id for each in Config.load(path, {}).backends] == ["ringcentral"]
    assert err.count("adoptRoom(input") == 2
    assert 'nativeId: "conf-2"' in err


async def test_scripts_are_told_both(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = await said(monkeypatch, capsys, as_json=True)
    told = json.loads(out)
    assert (told["adopt"], told["callback_setting"]) == (["conf-1", "conf-2"], "webhook_url")
    assert from_json(told) == CALLED_BACK
    assert err == ""


def test_a_backend_without_either_is_a_plain_table() -> None:
    (table,) = tomllib.loads(as_table("a", "kazoo", PLAIN))["backends"]
    assert table == {"id": "a", "kind": "kazoo", "name": "A switch", "url": "http://127.0.0.1:1"}
    assert "#" not in as_table("a", "kazoo", PLAIN)


def test_the_demo_says_its_own_port(tmp_path: Path) -> None:
    text = _configuration(tmp_path, {"ringcentral": CALLED_BACK}, "http://127.0.0.1:4711")
    (table,) = tomllib.loads(text)["backends"]
    assert table["webhook_url"] == "http://127.0.0.1:4711/hooks/ringcentral/"
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    assert Config.load(path, {}).viewer.identities == {"ringcentral": "ada"}
