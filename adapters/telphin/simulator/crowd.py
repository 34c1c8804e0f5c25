"""The crowd of the simulated Telphin: colleagues by their phones, and callers from outside, in rooms that stay."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from adapters.kit import crowd
from gateway.simulator import Liveliness

from .rooms import DeclinedError, Leg
from .server import TelphinSimulator

_ROOMS = (
    "Утренняя планёрка",
    "Отдел продаж",
    "Совещание склада",
    "Техподдержка",
    "Бухгалтерия",
    "Поставщики",
    "Проектный комитет",
    "Руководители",
)
_FIRST_NAMES = "Alexei Bella Dmitri Elena Fyodor Galina Irina Kirill Larisa Maxim Nina Oleg Polina Roman Sofia Timur"
_LAST_NAMES = "Bondar Fomenko Glinka Ivanenko Kravets Litvin Melnik Oreshko Petrenko Rudenko Savchuk Tkach Vinnik Zaiko"
_COLLEAGUES = 12
_INSIDE = 0.5
"the share of callers who are colleagues"


def _number(rng: Random) -> str:
    return f"7495000{rng.randrange(10_000):04d}"


_CAST = crowd.Cast(_ROOMS, tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split()), _number)


class _Present:
    """Somebody in a room; who talks is not known here, and nobody is deafened."""

    deafened = False
    talking = False

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self.muted = leg.muted


class _Hands:
    """Telphin's hand as a crowd wants it; every third room has PINs."""

    def __init__(self, sim: TelphinSimulator, host: str, rng: Random) -> None:
        self._sim = sim
        self._host = host
        self._rng = rng
        self._phones: list[str] = []

    def add_room(self, name: str, place: int) -> str:
        if place % 3:
            return self._sim.add_room(name)
        return self._sim.add_room(name, pin="1234", moderator_pin="4321")

    def seat_host(self, room: str) -> None:
        self._sim.join(room, phone=self._host, moderator=True)

    def people(self, room: str) -> Sequence[_Present]:
        return [_Present(leg) for leg in self._sim.people(room)] if room in self._sim.rooms() else []

    def stays(self, who: _Present) -> bool:
        phone = who.leg.call.caller.phone
        return phone is not None and str(phone.extension_id) == self._host

    def join(self, room: str, caller: crowd.Caller, *, moderator: bool) -> None:
        if room not in self._sim.rooms():
            return
        phone = self._phone(caller.name) if self._rng.random() < _INSIDE else None
        try:
            if phone is not None:
                self._sim.join(room, phone=phone, moderator=moderator)
            else:
                self._sim.join(room, number=caller.number, name=caller.name, moderator=moderator)
        except DeclinedError:
            return

    def _phone(self, name: str) -> str | None:
        """Give the phone of a colleague who is in no call; None when all are."""
        if len(self._phones) < _COLLEAGUES:
            self._phones.append(self._sim.add_phone(name))
            return self._phones[-1]
        busy = {
            str(leg.call.caller.phone.extension_id)
            for room in self._sim.rooms()
            for leg in self._sim.people(room)
            if leg.call.caller.phone
        }
        return next((phone for phone in self._phones if phone not in busy), None)

    def leave(self, room: str, who: _Present) -> None:
        self._sim.leaves(room, who.leg.leg_id)

    def talk(self, room: str, who: _Present, talking: bool) -> None:
        """Do nothing: nobody is told who talks."""

    def set_muted(self, room: str, who: _Present, muted: bool) -> None:
        self._sim.press(room, who.leg.leg_id, "*1")

    def set_deafened(self, room: str, who: _Present, deafened: bool) -> None:
        """Do nothing: there is no such key."""


def crowd_of(sim: TelphinSimulator, liveliness: Liveliness, host: str) -> crowd.Crowd[_Present]:
    """Make the crowd of a simulated Telphin; the host's phone stays in the first room, and who talks is not known."""
    return crowd.Crowd(_Hands(sim, host, Random(liveliness.seed)), _CAST, replace(liveliness, talk_rate=0.0))
