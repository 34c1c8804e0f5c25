"""The simulated RingCentral as `simulate` and `demo` run it: with a crowd in it, and settings that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.ringcentral.simulator import RingCentralSimulator, crowd_of
from gateway.simulator import Liveliness, SimulatedBackend

_SECRET = "simulated"  # noqa: S105  # of a server on loopback; always the same, so that a restarted one is known
_JWT = "simulated.host.jwt"


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve sign-in, Call Control and notifications on one port while the block runs.

    Errors: OSError when the port is taken.
    """
    async with RingCentralSimulator(host=host, port=port, client_secret=_SECRET, seed=liveliness.seed) as ringcentral:
        owner = ringcentral.add_extension("Ada Lambert", "101", jwt=_JWT)
        settings = {
            "url": ringcentral.url,
            "client_id": ringcentral.client_id,
            "client_secret": _SECRET,
            "jwt": _JWT,
        }
        async with crowd_of(ringcentral, liveliness, owner).living():
            yield SimulatedBackend("RingCentral simulator", settings, owner.extension_id)
