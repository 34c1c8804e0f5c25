"""The simulated Bandwidth as `simulate` and `demo` run it: with a crowd in it, and settings that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.bandwidth.simulator import BandwidthSimulator, crowd_of
from gateway.simulator import Liveliness, SimulatedBackend

_REQUESTS_PER_SECOND = 200
"what a demonstration needs: at one a second, watching a handful of rooms would take minutes"
_FOR_EVER_S = 10 * 365 * 24 * 60 * 60.0


@asynccontextmanager
async def simulate(*, host: str, port: int, liveliness: Liveliness) -> AsyncIterator[SimulatedBackend]:
    """Serve the voice API on one port while the block runs; its conferences are to be adopted, and never end.

    Errors: OSError when the port is taken.
    """
    async with BandwidthSimulator(
        host=host,
        port=port,
        requests_per_second=_REQUESTS_PER_SECOND,
        lasts_s=_FOR_EVER_S,
        seed=liveliness.seed,
    ) as bandwidth:
        settings = {
            "url": bandwidth.url,
            "user_id": bandwidth.user_id,
            "token": bandwidth.token,
            "secret": bandwidth.secret,
            "number": bandwidth.number,
            "requests_per_second": str(_REQUESTS_PER_SECOND),
            "poll_interval_s": "2",  # nothing but a reading shows that a simulator was stopped
        }
        crowd = crowd_of(bandwidth, liveliness)
        async with crowd.living():
            rooms = tuple(crowd.room_ids)
            numbers = [one["number"] for room in rooms[:1] for one in bandwidth.truth()[room]["participants"].values()]
            somebody = numbers[0] if numbers else None
            yield SimulatedBackend(
                "Bandwidth simulator", settings, somebody, adopt=rooms, callback_setting="callback_url"
            )
