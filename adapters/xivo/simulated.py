"""The simulated XiVO as `simulate` and `demo` run it: with a crowd in it, and the settings that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.xivo.simulator import User, XivoSimulator, crowd_of
from gateway.simulator import Liveliness, SimulatedBackend

_PASSWORD = "simulated"  # noqa: S105  # of a server on loopback; always the same, so that a restarted one is known


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve xuc on one port while the block runs.

    Errors: OSError when the port is taken.
    """
    async with XivoSimulator(host=host, port=port, seed=liveliness.seed) as xivo:
        reader = xivo.add_user("gateway", _PASSWORD, name="Conference gateway", number="1000")
        owner = xivo.add_user("ada", _PASSWORD, name="Ada Lambert", number="1001")
        visitor = xivo.add_user("ben", _PASSWORD, name="Ben Roussel", number="1002")
        async with crowd_of(xivo, liveliness, host=owner.login, visitor=visitor.login).living():
            yield SimulatedBackend("XiVO simulator", _settings(xivo, reader, owner, visitor), owner.login)


def _settings(xivo: XivoSimulator, reader: User, *others: User) -> dict[str, str | dict[str, str]]:
    return {
        "url": xivo.url,
        "login": reader.login,
        "password": reader.password,
        "accounts": {user.login: user.password for user in others},
    }
