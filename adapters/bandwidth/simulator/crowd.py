"""The crowd of the simulated Bandwidth: callers whom another application adds to its conferences."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from adapters.kit import crowd
from gateway.simulator import Liveliness

from .calls import OVER, Call
from .conferences import MOST_MEMBERS, ConferenceState, Member
from .server import BandwidthSimulator


def _number(rng: Random) -> str:
    return f"+1202555{rng.randrange(100, 200):04d}"


# Of nobody the name is known, so one is enough.
_CAST = crowd.Cast(("Standup", "Support", "Sales", "Board", "Release", "Hiring"), ("Somebody",), ("Else",), _number)


class _Present:
    """Somebody in a conference; nobody is told who talks, and the second key is the hold of another application."""

    talking = False

    def __init__(self, member: Member) -> None:
        self.member = member
        self.muted = member.mute
        self.deafened = member.hold


class _Hands:
    """Bandwidth's hand as a crowd wants it; a room that a client has completed stays empty."""

    def __init__(self, sim: BandwidthSimulator, rng: Random) -> None:
        self._sim = sim
        self._rng = rng
        self._lines: dict[str, list[Call]] = {}

    def add_room(self, name: str, place: int) -> str:
        room = self._sim.open_conference(tag=name)
        self._lines[room] = []
        self._join(room, _number(self._rng))
        return room

    def seat_host(self, room: str) -> None:
        """Do nothing: whoever has been there longest stays, in every room."""

    def people(self, room: str) -> Sequence[_Present]:
        return [_Present(one) for one in self._sim.conference(room).active]

    def stays(self, who: _Present) -> bool:
        """Whether they are the longest there: a conference is completed with its last member."""
        conference = self._sim.conference(who.member.call.conference_id or "")
        return conference.active[0] is who.member

    def join(self, room: str, caller: crowd.Caller, *, moderator: bool) -> None:
        conference = self._sim.conference(room)
        if conference.state is ConferenceState.ACTIVE and len(conference.active) < MOST_MEMBERS:
            self._join(room, caller.number)

    def _join(self, room: str, number: str) -> None:
        call = self._sim.call(self._sim.make_call(number, inbound=self._rng.random() < 0.5))
        self._sim.bring_in(room, call.call_id)
        self._lines[room] = [one for one in self._lines[room] if self._goes_on(one)] + [call]

    def _goes_on(self, call: Call) -> bool:
        if call.conference_id is None and call.state not in OVER:
            # A client has removed them, and they have heard nothing since.
            self._sim.hang_up(call.call_id)
        return call.state not in OVER

    def leave(self, room: str, who: _Present) -> None:
        self._sim.member_leaves(room, who.member.member_id)

    def talk(self, room: str, who: _Present, talking: bool) -> None:
        """Do nothing: nobody is told who talks."""

    def set_muted(self, room: str, who: _Present, muted: bool) -> None:
        self._sim.set_muted(room, who.member.member_id, muted)

    def set_deafened(self, room: str, who: _Present, deafened: bool) -> None:
        self._sim.set_hold(room, who.member.member_id, deafened)


def crowd_of(sim: BandwidthSimulator, liveliness: Liveliness) -> crowd.Crowd[_Present]:
    """Make the crowd of a simulated Bandwidth; who talks is not known."""
    return crowd.Crowd(_Hands(sim, Random(liveliness.seed)), _CAST, replace(liveliness, talk_rate=0.0))
