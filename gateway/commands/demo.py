"""`demo`: simulated phone systems and the gateway in front of them, each in a process of its own."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import click
import msgspec

from gateway import registry
from gateway.commands.running import Complaint, run, stop_asked_for
from gateway.commands.simulate import as_table, from_json
from gateway.simulator import SimulatedBackend

_US = "uv run conference-gateway" if "UV" in os.environ else "conference-gateway"
"""How the user who reads this can call us again: uv tells those it runs where it is."""
_READY_WITHIN_S = 120.0
_ENDED_WITHIN_S = 10.0
_ASK_AGAIN_S = 0.05

QUERY = """{
  rooms(first: 3, filter: {states: [ACTIVE], backendKinds: [XIVO, KAZOO]}) {
    totalCount
    edges { node { id name participants { edges { node { id displayName muted talking } } } } }
  }
}"""
SUBSCRIPTION = """subscription {
  roomEvents(roomId: "ROOM") {
    __typename position
    ... on RoomSnapshot { room { name participantCount } }
    ... on ParticipantJoined { participant { displayName } }
    ... on ParticipantUpdated { participant { displayName muted talking } changed }
    ... on ParticipantLeft { participant { displayName } leaveReason }
  }
}"""
CURL = """curl -N -H 'Accept: text/event-stream' -G URL \\
  --data-urlencode 'query=subscription { participantEvents { __typename participant { displayName } } }'"""
_BUSIEST = """{
  rooms(first: 50, orderBy: PARTICIPANT_COUNT_DESC, filter: {states: [ACTIVE]}) { edges { node { id name } } }
}"""


class _Room(NamedTuple):
    """The room the printed examples are about."""

    id: str
    name: str


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The gateway's; 0: any.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same rooms and people.")
@click.option("--rooms", type=click.IntRange(2, 10_000), default=8, show_default=True, help="Rooms of each backend.")
@click.option("--churn", type=click.FloatRange(0), default=0.5, show_default=True, help="Joins and leaves a second.")
@click.option("--json", "as_json", is_flag=True, help="Once all is ready, print one line of JSON with the addresses.")
def demo(*, port: int, seed: int, rooms: int, churn: float, as_json: bool) -> None:
    """Try it: simulated phone systems with lively rooms, and the gateway connected to them.

    Nothing has to be installed or configured, nothing leaves this machine, and nothing stays behind after Ctrl-C.
    """
    say = _Silence() if as_json else _Teller()
    run(_demo(_listened_on(port), [f"--seed={seed}", f"--rooms={rooms}", f"--churn={churn}"], say))


def _listened_on(port: int) -> int:
    """Find the port for the gateway, which those that call it back have to know before it starts; 0: any free one.

    A connection that has just ended on a port keeps it for a minute from all who ask for any free one; whoever names it
    and listens with SO_REUSEADDR, as servers do, may have it.
    """
    try:
        with socket.create_server(("127.0.0.1", port)) as listener, socket.create_connection(listener.getsockname()):
            ended, _ = listener.accept()
            ended.close()
            return int(listener.getsockname()[1])
    except OSError as error:
        raise Complaint(f"port {port}: {error.strerror}") from None


async def _demo(port: int, liveliness: Sequence[str], say: "_Teller") -> None:
    stop = asyncio.create_task(stop_asked_for())
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(_start(stack, port, liveliness, say))
        await asyncio.wait({stop, starting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            gateway = starting.result()
            ended = asyncio.create_task(gateway.wait())
            await asyncio.wait({stop, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise Complaint("the gateway ended by itself; what it said is above")
            ended.cancel()
        else:
            starting.cancel()
            await asyncio.wait({starting})
        say.goodbye()


async def _start(stack: AsyncExitStack, port: int, liveliness: Sequence[str], say: "_Teller") -> Process:
    """Start the simulators, then the gateway, and tell the user; give the gateway's process."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conference-gateway-demo-")))
    kinds = registry.kinds()
    starting = (stack.enter_async_context(_child("simulate", kind, "--json", *liveliness)) for kind in kinds)
    backends: dict[str, SimulatedBackend] = {}
    for kind, (process, said) in zip(kinds, await asyncio.gather(*starting), strict=True):
        backends[kind] = from_json(said)
        say.simulator(kind, backends[kind], process.pid, liveliness)
    config = folder / "gateway.toml"
    config.touch(mode=0o600)
    config.write_text(_configuration(folder, backends, f"http://127.0.0.1:{port}"), encoding="utf-8")
    gateway, addresses = await stack.enter_async_context(
        _child("serve", f"--config={config}", f"--port={port}", "--insecure-no-auth", "--json")
    )
    say.adopting(sum(len(backend.adopt) for backend in backends.values()))
    from gateway.commands.adopting import adopt  # noqa: PLC0415  # GraphQL takes half a second to import

    await adopt(addresses["graphql"], {kind: backend.adopt for kind, backend in backends.items()})
    say.ready(addresses, await _busiest_room(addresses["graphql"]))
    return gateway


@asynccontextmanager
async def _child(*command: str) -> AsyncIterator[tuple[Process, Mapping[str, Any]]]:
    """Run one of our own commands until the block ends; give what it says in its line of JSON once it is ready.

    It gets a session of its own, so that Ctrl-C reaches this process alone, which then stops the others in order.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.main", *command, stdin=DEVNULL, stdout=PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise Complaint(f"`conference-gateway {command[0]}` did not start; what it said is above")
        yield process, msgspec.json.decode(line, type=dict[str, Any])
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(_ENDED_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _configuration(folder: Path, backends: Mapping[str, SimulatedBackend], gateway: str) -> str:
    identities = "\n".join(f"{kind} = {json.dumps(each.somebody)}" for kind, each in backends.items() if each.somebody)
    tables = "\n\n".join(as_table(kind, kind, each, gateway) for kind, each in backends.items())
    database = json.dumps(f"sqlite:///{folder / 'demo.sqlite3'}")
    return (
        f'[storage]\nurl = {database}\n\n[viewer]\nsubject = "demo"\n\n[viewer.identities]\n{identities}\n\n{tables}\n'
    )


async def _busiest_room(url: str) -> _Room:
    """Wait until a room can be queried that has a name to call it by: not all backends have those."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(_READY_WITHIN_S):
        while True:
            async with session.post(url, json={"query": _BUSIEST}) as response:
                answer = await response.json()
            for edge in answer["data"]["rooms"]["edges"]:
                if edge["node"]["name"]:
                    return _Room(edge["node"]["id"], edge["node"]["name"])
            await asyncio.sleep(_ASK_AGAIN_S)


class _Teller:
    """Tells a person what runs where."""

    def simulator(self, kind: str, backend: SimulatedBackend, pid: int, liveliness: Sequence[str]) -> None:
        """Tell of a simulator, and how to stop and start it, to see what the gateway makes of that."""
        url = str(backend.settings["url"])
        port = url.rsplit(":", 1)[1].partition("/")[0]
        click.echo(f"{backend.name} at {url}, process {pid}. To see a lost link: kill {pid}, and start it again with")
        click.echo(f"  {_US} simulate {kind} --port {port} {' '.join(liveliness)}")

    def adopting(self, conferences: int) -> None:
        """Tell what takes a while."""
        click.echo(f"Adopting {conferences} conferences, which their phone system does not list …")

    def ready(self, addresses: Mapping[str, str], room: _Room) -> None:
        """Tell where to go, and what to paste."""
        click.echo(f"\nGraphQL     {addresses['graphql']}   (open it in a browser)")
        click.echo(f"WebSocket   {addresses['ws']}   (graphql-transport-ws)\n")
        click.echo(f"A query to paste:\n\n{QUERY}\n")
        click.echo(f"And to follow “{room.name}” live:\n\n{SUBSCRIPTION.replace('ROOM', room.id)}\n")
        click.echo(f"With nothing but curl: {CURL.replace('URL', addresses['graphql'])}")
        click.echo(f"In a terminal: {_US} watch {addresses['graphql']} {json.dumps(room.name)}")
        click.echo("Ctrl-C stops it all.")

    def goodbye(self) -> None:
        """Tell that it ends."""
        click.echo("\nStopped; nothing was left behind.")


class _Silence(_Teller):
    """Tells a script only what it needs: one line of JSON."""

    def simulator(self, kind: str, backend: SimulatedBackend, pid: int, liveliness: Sequence[str]) -> None:
        """Say nothing."""

    def adopting(self, conferences: int) -> None:
        """Say nothing."""

    def ready(self, addresses: Mapping[str, str], room: _Room) -> None:
        """Print the addresses."""
        click.echo(json.dumps(addresses))

    def goodbye(self) -> None:
        """Say nothing."""
