"""The simulated Telphin as `simulate` and `demo` run it: with a crowd in it, and the settings that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.telphin.simulator import TelphinSimulator, crowd_of
from gateway.simulator import Liveliness, SimulatedBackend

_SECRET = "simulated"  # noqa: S105  # of a server on loopback; always the same, so that a restarted one is known


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve tokens and the API on one port while the block runs.

    Shape: `webhook_url` is not among the settings: only who runs the gateway knows it.
    Errors: OSError when the port is taken.
    """
    async with TelphinSimulator(host=host, port=port, app_secret=_SECRET, seed=liveliness.seed) as telphin:
        owner = telphin.add_phone("Ada Lambert")
        settings = {
            "url": telphin.url,
            "app_id": telphin.app_id,
            "app_secret": _SECRET,
            "poll_interval_s": "2",  # nothing but a reading shows that a simulator was stopped
        }
        async with crowd_of(telphin, liveliness, owner).living():
            yield SimulatedBackend("Telphin simulator", settings, owner, callback_setting="webhook_url")
