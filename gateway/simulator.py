"""What every backend's simulator offers to `simulate` and `demo`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SimulatedBackend:
    """A running simulator, as a configuration would name it.

    Shape: `name` is for people; `settings` are those of a `[[backends]]` table of its kind; `somebody` is a user of it
           who is often in a room, by the identity that viewers may have; `adopt` are the ids of its conferences, where
           it does not list them; `callback_setting` names the setting that holds the address at which the gateway's
           `/hooks/<backend id>/` can be reached, which only whoever runs the gateway knows.
    """

    name: str
    settings: Mapping[str, str | Mapping[str, str]]
    somebody: str | None = None
    adopt: Sequence[str] = ()
    callback_setting: str | None = None


@dataclass(frozen=True, slots=True)
class Liveliness:
    """How much goes on in a simulated backend.

    Units: `churn` joins and leaves a second over all rooms, `talk_rate` starts and stops of talking a second over all
           rooms; `people` is how many are in a full room. The same `seed` makes the same rooms and people.
    """

    rooms: int = 8
    people: int = 6
    churn: float = 0.5
    talk_rate: float = 2.0
    seed: int = 1


class Simulator(Protocol):
    """How a kind's simulator is run: entered it serves, left it is gone."""

    def __call__(
        self, *, host: str, port: int, liveliness: Liveliness
    ) -> AbstractAsyncContextManager[SimulatedBackend]:
        """Serve the backend's wire protocol on a port (0: any free one) with rooms that live on their own.

        Errors: OSError when the port is taken.
        """
