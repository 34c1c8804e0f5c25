"""Each command as it is typed: what it says, and how it ends."""

import asyncio
import inspect
import json
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest

from gateway import registry
from gateway.main import _COMMANDS
from tests.whole.commands import finished, running

_SCHEMA = Path(__file__).parents[2] / "schema.graphql"
_DEAD = """
[[backends]]
id = "office"
kind = "kazoo"
url = "http://127.0.0.1:1/v2"
socket_url = "ws://127.0.0.1:1/"
account_name = "example"
username = "gateway"
password = "wrong"
"""


def _config(folder: Path, text: str = _DEAD) -> str:
    path = folder / "gateway.toml"
    path.write_text(f'[storage]\nurl = "sqlite:///{folder / "gateway.sqlite3"}"\n{text}', encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_list_of_commands_says_what_each_command_says(name: str) -> None:
    command = getattr(import_module(f"gateway.commands.{name}"), name)
    told = " ".join((inspect.getdoc(command.callback) or "").split("\n\n")[0].split())
    assert told.rstrip(".").startswith(_COMMANDS[name].rstrip("."))


async def test_the_schema_command_prints_the_file_in_the_repository() -> None:
    code, out, _ = await finished("schema")
    assert (code, out) == (0, _SCHEMA.read_text(encoding="utf-8"))


async def test_a_wrong_configuration_names_the_path_and_what_is_accepted_and_exits_2(tmp_path: Path) -> None:
    config = _config(tmp_path, _DEAD.replace("kazoo", "asterisk") + "[limits]\nconfirm = 1\n")
    for command in ("serve", "check", "capabilities"):
        code, _, err = await finished(command, "--config", config)
        assert code == 2
        assert "backends[0].kind: 'asterisk' is not a kind of backend; accepted: xivo, kazoo" in err
        assert "limits.confirm: no such setting; accepted here: confirm_s" in err


async def test_serve_lets_nobody_in_by_accident(tmp_path: Path) -> None:
    config = _config(tmp_path)
    code, _, err = await finished("serve", "--config", config)
    assert (code, "--insecure-no-auth" in err) == (2, True)
    code, _, err = await finished("serve", "--config", config, "--insecure-no-auth", "--host", "0.0.0.0")
    assert (code, "loopback" in err) == (2, True)


async def test_serve_serves_while_its_backend_is_down(tmp_path: Path) -> None:
    command = ("serve", "--config", _config(tmp_path), "--insecure-no-auth", "--port=0", "--json")
    query = {"query": "{ backends { name status statusReason } rooms { totalCount } }"}
    async with running(*command) as (serving, addresses), aiohttp.ClientSession() as session:
        async with session.post(addresses["graphql"], json=query) as response:
            data = (await response.json())["data"]
        assert data["backends"][0]["status"] == "CONNECTING"
        assert data["rooms"]["totalCount"] == 0
        async with session.get(addresses["graphql"].replace("/graphql", "/readyz")) as response:
            ready = await response.json()
        assert (response.status, ready["backends"][0]["id"]) == (200, "office")
        async with session.get(addresses["graphql"].replace("/graphql", "/healthz")) as response:
            assert await response.json() == {"status": "ok"}
    assert serving.returncode == 0


async def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    for command in (("serve", "--config", _config(tmp_path), "--insecure-no-auth"), ("simulate", "kazoo"), ("demo",)):
        code, _, err = await finished(*command, f"--port={port}")
        assert code == 2
        assert "address already in use" in err.lower()
        assert "Traceback" not in err
    taken.close()


async def test_check_says_what_works_and_what_does_not(tmp_path: Path) -> None:
    code, out, _ = await finished("check", "--config", _config(tmp_path))
    assert (code, "FAIL" in out) == (1, True)
    async with running("simulate", "kazoo", "--json", "--churn=0") as (_, said):
        lines = [f"{name} = {json.dumps(value)}" for name, value in said["settings"].items()]
        table = "\n".join(['[[backends]]\nid = "k"\nkind = "kazoo"', *lines])
        code, out, _ = await finished("check", "--config", _config(tmp_path, table))
        assert (code, "8 rooms read" in out) == (0, True)
        wrong = table.replace(said["settings"]["password"], "not-this-one")
        code, out, err = await finished("check", "--config", _config(tmp_path, wrong))
        assert (code, "sign-in refused" in out) == (1, True)
        assert "not-this-one" not in out + err


@pytest.mark.parametrize("kind", registry.kinds())
async def test_simulate_prints_a_table_that_checks_out(kind: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.main", "simulate", kind, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    table = (await process.stdout.read(65_536)).decode()  # it is written at once
    code, out, _ = await finished("check", "--config", _config(tmp_path, table))
    process.terminate()
    assert await process.wait() == 0
    (backend,) = tomllib.loads(table)["backends"]
    assert backend["kind"] == kind
    assert (code, "signed in, event feed open" in out, "FAIL" in out) == (0, True, False)


async def test_watch_names_what_is_wrong(tmp_path: Path) -> None:
    code, _, err = await finished("watch", "http://127.0.0.1:1/graphql", "Standup")
    assert (code, "no gateway answers there" in err) == (2, True)
    command = ("serve", "--config", _config(tmp_path), "--insecure-no-auth", "--port=0", "--json")
    async with running(*command) as (_, addresses):
        code, _, err = await finished("watch", addresses["graphql"], "Standup")
        assert (code, "no room matches 'Standup'" in err) == (2, True)
