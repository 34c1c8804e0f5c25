"""The simulated Kazoo as `simulate` and `demo` run it: with a crowd in it, and the settings that connect to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.kazoo.simulator import Crowd, KazooSimulator
from gateway.simulator import Liveliness, SimulatedBackend

_PASSWORD = "simulated"  # noqa: S105  # of a server on loopback; always the same, so that a restarted one is known


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve Crossbar and Blackhole on one port while the block runs.

    Errors: OSError when the port is taken.
    """
    async with KazooSimulator(host=host, port=port, password=_PASSWORD, seed=liveliness.seed) as kazoo:
        crowd = Crowd(
            kazoo,
            rooms=liveliness.rooms,
            people=liveliness.people,
            churn=liveliness.churn,
            talk_rate=liveliness.talk_rate,
            seed=liveliness.seed,
        )
        crowd.furnish()
        living = asyncio.create_task(crowd.run(), name="crowd")
        try:
            yield SimulatedBackend("Kazoo simulator", _settings(kazoo), kazoo.owner_id)
        finally:
            living.cancel()
            await asyncio.wait({living})


def _settings(kazoo: KazooSimulator) -> dict[str, str]:
    return {
        "url": f"{kazoo.base_url}/v2",
        "socket_url": kazoo.socket_url,
        "account_name": kazoo.account_name,
        "username": kazoo.username,
        "password": kazoo.password,
    }
