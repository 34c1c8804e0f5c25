"""The crowd of the simulated XiVO: what the people of `adapters.kit.crowd` do, done with its hand."""

from collections.abc import Sequence
from random import Random

from adapters.kit import crowd
from gateway.simulator import Liveliness

from .rooms import Member
from .server import XivoSimulator

_FIRST_NUMBER = 4000
_ROOMS = (
    "Daily operations",
    "Hotline",
    "Weekly with Lyon",
    "Crisis team",
    "Works council",
    "Architecture",
    "Suppliers",
    "Handover",
    "Management committee",
    "Recruiting",
    "Deliveries",
    "User club",
)
_FIRST_NAMES = "Amélie Bruno Camille Denis Élodie Fabrice Gaëlle Hugo Inès Julien Karine Loïc Manon Noé Odile Rémi"
_LAST_NAMES = "Arnaud Bonnet Chevalier Dumas Faure Garnier Huet Joly Lambert Marchand Noël Perrin Renaud Texier"
_COLLEAGUES = 0.3
"the share of callers who have a line of the house and no login"
_VISITS = 0.2
"how often it is the visitor who joins, while they are in no room"


def _number(rng: Random) -> str:
    return f"0199{rng.randrange(1_000_000):06d}"


_CAST = crowd.Cast(_ROOMS, tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split()), _number)


class _Hands:
    """XiVO's hand as a crowd wants it; every third room asks for a PIN."""

    def __init__(self, sim: XivoSimulator, host: str, visitor: str | None, rng: Random) -> None:
        self._sim = sim
        self._host = host
        self._visitor = visitor
        self._rng = rng

    def add_room(self, name: str, place: int) -> str:
        number = str(_FIRST_NUMBER + place)
        pins = ("1234", "4321") if place % 3 == 0 else (None, None)
        return self._sim.add_room(number, name, *pins)

    def seat_host(self, room: str) -> None:
        self._sim.someone_joins(room, login=self._host, organizer=True)

    def people(self, room: str) -> Sequence[Member]:
        return self._sim.people(room)

    def stays(self, who: Member) -> bool:
        return who.login == self._host

    def join(self, room: str, caller: crowd.Caller, *, moderator: bool) -> None:
        chance = self._rng.random()
        if chance < _VISITS and self._visitor is not None and not self._sim.rooms_of(self._visitor):
            self._sim.someone_joins(room, login=self._visitor, organizer=moderator)
        elif chance > 1 - _COLLEAGUES:
            self._sim.someone_joins(room, caller.name, f"10{self._rng.randrange(10, 100)}", organizer=moderator)
        else:
            self._sim.someone_joins(room, caller.name, caller.number, organizer=moderator)

    def leave(self, room: str, who: Member) -> None:
        self._sim.someone_leaves(room, who.index)

    def talk(self, room: str, who: Member, talking: bool) -> None:
        self._sim.talks(room, who.index, talking)

    def set_muted(self, room: str, who: Member, muted: bool) -> None:
        self._sim.set_muted(room, who.index, muted)

    def set_deafened(self, room: str, who: Member, deafened: bool) -> None:
        self._sim.set_deafened(room, who.index, deafened)


def crowd_of(
    sim: XivoSimulator, liveliness: Liveliness, *, host: str, visitor: str | None = None
) -> crowd.Crowd[Member]:
    """Make the crowd of a simulated XiVO; the host sits in the first room for good, the visitor comes and goes."""
    return crowd.Crowd(_Hands(sim, host, visitor, Random(liveliness.seed)), _CAST, liveliness)
