"""The crowd of the simulated Kazoo: what the people of `adapters.kit.crowd` do, done with its hand."""

from collections.abc import Sequence
from random import Random

from adapters.kit import crowd
from gateway.simulator import Liveliness

from .server import KazooSimulator
from .switch import JoinRefusedError, Participant

_FIRST_NUMBER = 6000
_ROOMS = (
    "Monday stand-up",
    "Support bridge",
    "Sales weekly",
    "Incident room",
    "All hands",
    "Design review",
    "Partner call",
    "Night shift handover",
    "Board meeting",
    "Hiring round",
    "Release planning",
    "Customer council",
    "Training room",
    "Budget review",
    "Field service",
    "Press briefing",
)
_FIRST_NAMES = "Alice Benjamin Clara Daniel Emma Felix Grace Henry Isabel Jack Laura Liam Maria Nathan Olivia Peter"
_LAST_NAMES = (
    "Adams Baker Carter Davies Evans Foster Graham Hughes Ingram Johnson Keller Lewis Morgan Nelson Owens Young"
)
_AREA_CODES = ("202", "212", "303", "312", "415", "512", "617", "702")


def _number(rng: Random) -> str:
    return f"+1{rng.choice(_AREA_CODES)}55501{rng.randrange(100):02d}"


_CAST = crowd.Cast(_ROOMS, tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split()), _number)


class _Hands:
    """Kazoo's hand as a crowd wants it."""

    def __init__(self, sim: KazooSimulator) -> None:
        self._sim = sim

    def add_room(self, name: str, place: int) -> str:
        return self._sim.add_room(name, numbers=[f"{_FIRST_NUMBER + place}"])

    def seat_host(self, room: str) -> None:
        """Seat the account's own user."""
        name, number = "Conference owner", "+12025550199"
        self._sim.someone_joins(room, name, number, moderator=True, muted=False, owner_id=self._sim.owner_id)

    def people(self, room: str) -> Sequence[Participant]:
        return self._sim.people(room)

    def stays(self, who: Participant) -> bool:
        return who.owner_id == self._sim.owner_id

    def join(self, room: str, caller: crowd.Caller, *, moderator: bool) -> None:
        try:
            self._sim.someone_joins(room, caller.name, caller.number, moderator=moderator, muted=False)
        except JoinRefusedError:
            # Somebody locked the room: the caller hangs up again.
            return

    def leave(self, room: str, who: Participant) -> None:
        self._sim.someone_leaves(room, who.call_id)

    def talk(self, room: str, who: Participant, talking: bool) -> None:
        self._sim.talks(room, who.call_id, talking)

    def set_muted(self, room: str, who: Participant, muted: bool) -> None:
        self._sim.set_muted(room, who.call_id, muted)

    def set_deafened(self, room: str, who: Participant, deafened: bool) -> None:
        self._sim.set_deafened(room, who.call_id, deafened)


def crowd_of(sim: KazooSimulator, liveliness: Liveliness) -> crowd.Crowd[Participant]:
    """Make the crowd of a simulated Kazoo."""
    return crowd.Crowd(_Hands(sim), _CAST, liveliness)
