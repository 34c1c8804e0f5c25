"""RingCentral's own clients work with the simulator as they come."""

import shutil
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.ringcentral.simulator import Lives, RingCentralSimulator
from tests.conformance.clients import Client
from tests.npm import Absent, node, node_modules
from tests.pypi import python_with

_OFFICIAL = Path(__file__).parent / "official"


@asynccontextmanager
async def running(sim: RingCentralSimulator, jwt: str, *command: str) -> AsyncIterator[Client]:
    """Run a program that signs in with the JWT, until the block ends."""
    arguments = (*command, sim.url, sim.client_id, sim.client_secret, jwt)
    client = Client(await create_subprocess_exec(*arguments, stdout=PIPE, stderr=PIPE), command[-1])
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture(scope="module")
def for_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, str]]:
    """Give the command that runs one of the clients for Node, beside its packages."""
    try:
        program, modules = node(), node_modules(_OFFICIAL / "package.json")
    except Absent as why:
        pytest.skip(str(why))
    folder = tmp_path_factory.mktemp("official")
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    return lambda name: (program, str(shutil.copy(_OFFICIAL / f"{name}.mjs", folder)))


async def test_call_control_for_node_holds_a_conference(for_node: Callable[[str], tuple[str, str]]) -> None:
    async with RingCentralSimulator() as sim:
        ada = sim.add_extension()
        call = sim.make_call(ada, "+12025550142")
        async with running(sim, ada.jwt, *for_node("host")) as client:
            await client.until(lambda: "conference" in client.told)
            [conference] = client.told["conference"]
            assert conference["token"].startswith("conf_")
            sim.host_dials(conference["id"])
            await client.finished()
        assert client.told["found"] == [{"id": call, "devices": 2, "other": "+12025550142"}]
        assert (client.told["muted"], client.told["held"]) == ([True], ["Hold"])
        assert client.told["legs"] == [["Host Answered", "Participant Gone"]]
        assert client.told["event"] == [
            [conference["id"], 2, "Setup"],
            [conference["id"], 3, "Proceeding"],
            [conference["id"], 4, "Answered"],
            [conference["id"], 5, "Answered"],
            [conference["id"], 6, "Answered"],
            [conference["id"], 7, "Hold"],
            [conference["id"], 8, "Answered"],
            [call, 7, "Gone Conference"],
            [call, 9, "Disconnected"],
            [conference["id"], 9, "Disconnected"],
        ]
        assert client.told["removed"] == client.told["leg"]
        assert sim.truth() == {}


async def test_a_follower_for_node_whose_socket_is_cut_recovers_what_it_missed(
    for_node: Callable[[str], tuple[str, str]],
) -> None:
    # It opens sockets with one token for most of its life, although a token is good for one socket: so a short life.
    async with RingCentralSimulator(lives=Lives(socket_s=1)) as sim:
        ada = sim.add_extension()
        async with running(sim, ada.jwt, *for_node("follower")) as client:
            await client.until(lambda: "subscribed" in client.told)
            subscribed = [one.subscription_id for one in sim.subscriptions]
            sim.drop_link()
            sim.remote_hangs_up(sim.make_call(ada))
            await client.finished()
        assert [one.subscription_id for one in sim.subscriptions] == subscribed
        assert client.told["event"] == [[2, "Setup"], [4, "Proceeding"], [6, "Answered"], [8, "Disconnected"]]


@pytest.fixture(scope="module")
def python_client() -> str:
    """Give a Python that has RingCentral's client: it wants another version of `websockets` than uvicorn."""
    try:
        return python_with("ringcentral==0.9.2")
    except Absent as why:
        pytest.skip(str(why))


async def test_the_python_client_signs_in_reads_and_follows(python_client: str) -> None:
    async with RingCentralSimulator() as sim:
        ada = sim.add_extension("Ada Lambert")
        async with running(sim, ada.jwt, python_client, str(_OFFICIAL / "listener.py")) as client:
            await client.until(lambda: "subscribed" in client.told)
            assert client.told["me"] == ["Ada Lambert"]
            assert client.told["conference"] == sim.conferences()
            call = sim.make_call(ada)
            sim.remote_hangs_up(call)
            await client.finished()
        codes = ["Setup", "Proceeding", "Answered", "Disconnected"]
        assert client.told["event"] == [[call, code] for code in codes]
