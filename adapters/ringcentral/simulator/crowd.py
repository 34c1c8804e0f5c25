"""The crowd of the simulated RingCentral: its host makes conferences, brings in calls, and has calls of their own."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from adapters.kit import crowd
from gateway.simulator import Liveliness

from .people import Extension
from .server import RingCentralSimulator
from .sessions import PARTICIPANT, Party

_FIRST_NAMES = "Abigail Brian Chloe Darnell Emily Frank Grace Henry Irene Jamal Karen Luis Megan Nathan Olivia Priya"
_LAST_NAMES = "Adams Brooks Carter Diaz Ellis Foster Garcia Hayes Irving Jenkins Kim Lopez Morris Nguyen Owens Parker"
_ASIDE = 0.25
"how often a call of the host is left outside the conferences, and how often the oldest of these ends"
_MOST_ASIDE = 3
_CLOSES = 0.5
"how often the host hangs up when everybody else has left"


def _number(rng: Random) -> str:
    return f"+1202555{rng.randrange(100, 200):04d}"


_CAST = crowd.Cast(("Conference",), tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split()), _number)


class _Present:
    """Somebody in a conference; who talks is not known here, and nobody is deafened."""

    deafened = False
    talking = False

    def __init__(self, party: Party) -> None:
        self.party = party
        self.muted = party.muted


class _Hands:
    """RingCentral's hand as a crowd wants it: a room is a place where one conference comes after another."""

    def __init__(self, sim: RingCentralSimulator, host: Extension, rng: Random) -> None:
        self._sim = sim
        self._host = host
        self._rng = rng
        self._conferences: dict[str, str] = {}
        self._aside: deque[str] = deque()

    def add_room(self, name: str, place: int) -> str:
        room = str(place)
        self._conferences[room] = self._sim.open_conference(self._host)
        return room

    def seat_host(self, room: str) -> None:
        """Do nothing: the host is in every conference."""

    def people(self, room: str) -> Sequence[_Present]:
        if self._conferences[room] not in self._sim.conferences():
            return []
        return [_Present(one) for one in self._sim.people(self._conferences[room]) if one.role == PARTICIPANT]

    def stays(self, who: _Present) -> bool:
        return False

    def join(self, room: str, caller: crowd.Caller, *, moderator: bool) -> None:
        call = self._sim.make_call(self._host, caller.number, caller.name, inbound=self._rng.random() < 0.5)
        if self._rng.random() < _ASIDE:
            self._put_aside(call)
            return
        conference = self._conferences[room]
        if conference not in self._sim.conferences():
            conference = self._conferences[room] = self._sim.open_conference(self._host)
        if conference in self._sim.takes_more():
            self._sim.bring_in(conference, call)
        else:
            self._put_aside(call)

    def _put_aside(self, call: str) -> None:
        self._aside.append(call)
        if len(self._aside) > _MOST_ASIDE:
            self._hang_up(self._aside.popleft())

    def leave(self, room: str, who: _Present) -> None:
        if self._aside and self._rng.random() < _ASIDE:
            self._hang_up(self._aside.popleft())
        if who.party.peer is not None:
            self._hang_up(who.party.peer.session_id)
        if not self.people(room) and self._rng.random() < _CLOSES and self._is_hosted(room):
            self._sim.host_hangs_up(self._conferences[room])

    def talk(self, room: str, who: _Present, talking: bool) -> None:
        """Do nothing: nobody is told who talks."""

    def set_muted(self, room: str, who: _Present, muted: bool) -> None:
        self._sim.set_muted(self._conferences[room], who.party.party_id, muted)

    def set_deafened(self, room: str, who: _Present, deafened: bool) -> None:
        """Do nothing: there is no such key."""

    def _is_hosted(self, room: str) -> bool:
        conference = self._conferences[room]
        return conference in self._sim.conferences() and self._sim.session(conference).host is not None

    def _hang_up(self, call: str) -> None:
        if call in self._sim.calls():
            self._sim.remote_hangs_up(call)


def crowd_of(sim: RingCentralSimulator, liveliness: Liveliness, host: Extension) -> crowd.Crowd[_Present]:
    """Make the crowd of a simulated RingCentral; one extension is the host of all of it, and who talks is not known."""
    return crowd.Crowd(_Hands(sim, host, Random(liveliness.seed)), _CAST, replace(liveliness, talk_rate=0.0))
