"""The simulated Kazoo as `simulate` and `demo` run it: with a crowd in it, and the settings that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.kazoo.simulator import KazooSimulator, crowd_of
from gateway.simulator import Liveliness, SimulatedBackend

_PASSWORD = "simulated"  # noqa: S105  # of a server on loopback; always the same, so that a restarted one is known


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve Crossbar and Blackhole on one port while the block runs.

    Errors: OSError when the port is taken.
    """
    kazoo = KazooSimulator(host=host, port=port, password=_PASSWORD, seed=liveliness.seed)
    async with kazoo, crowd_of(kazoo, liveliness).living():
        yield SimulatedBackend("Kazoo simulator", _settings(kazoo), kazoo.owner_id)


def _settings(kazoo: KazooSimulator) -> dict[str, str]:
    return {
        "url": f"{kazoo.base_url}/v2",
        "socket_url": kazoo.socket_url,
        "account_name": kazoo.account_name,
        "username": kazoo.username,
        "password": kazoo.password,
    }
