"""Keeping within Bandwidth's rate limits: one request a second and endpoint, and commands first.

Source: rateLimits/*.md: a request each 1000 ms, and for POST /calls one a second on the average of 10 s. The limits are
        the account's: what else uses it makes Bandwidth refuse some of ours.
"""

import asyncio
import itertools
import math
import time
from bisect import insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

from adapters.bandwidth.errors import RateLimitedError, UnreachableError

_PATIENCE_S = 30.0
"""How long a command waits for its turn, before the viewer is told to try again."""
_LONGEST_S = 60.0
_PAUSE_S = 1.0
"""How long a refusal that does not say so holds its endpoint back; each further one in a row doubles it."""
_LONGEST_GUESS_S = 10.0
_MILLISECONDS_FROM = 1e11
"""From here on an instant is in milliseconds: as seconds it would be in the year 5138."""


class Endpoint(StrEnum):
    """What has a limit of its own; dialling (POST /calls) counts among the calls, too."""

    CONFERENCES = "conferences"
    CALLS = "calls"
    DIALLING = "dialling"


_LANES = {
    Endpoint.CONFERENCES: (Endpoint.CONFERENCES,),
    Endpoint.CALLS: (Endpoint.CALLS,),
    Endpoint.DIALLING: (Endpoint.DIALLING, Endpoint.CALLS),
}


class Pace:
    """Lets requests through, those that somebody waits for before the others."""

    def __init__(self, requests_per_second: float) -> None:
        self._gap_s = 1 / requests_per_second
        self._lanes = {endpoint: _Lane(self._gap_s) for endpoint in Endpoint}
        self._waiting: list[_Waiter] = []
        self._serial = itertools.count(1)
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, endpoint: Endpoint, *, urgent: bool) -> AsyncIterator["Turn"]:
        """Wait for a turn; urgent ones go first, and wait for a while only. Others wait as long as it takes.

        Errors: RateLimitedError, when it would take an urgent one too long; nothing has been sent then.
        """
        turn = Turn(await self._enter(endpoint, urgent))
        try:
            yield turn
        except UnreachableError as error:
            turn.counts = error.sent
            raise
        finally:
            self._leave(endpoint, turn)

    def wait_s(self, endpoint: Endpoint) -> float:
        """How long an urgent request would have to wait now."""
        forecast = self._forecast()
        for waiter in self._waiting:
            if not waiter.in_background:
                forecast.take(waiter.endpoint)
        return max(0.0, forecast.take(endpoint) - _now())

    def close(self) -> None:
        """Let go of the timer, and of all who wait."""
        self._stop_timer()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.turn.done():
                waiter.turn.set_exception(UnreachableError("the connection to Bandwidth is closed", sent=False))

    async def _enter(self, endpoint: Endpoint, urgent: bool) -> int:
        """Wait for a turn, and give its number.

        Errors: RateLimitedError, UnreachableError.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[int] = loop.create_future()
        give_up_at = loop.time() + _PATIENCE_S if urgent else math.inf
        insort(self._waiting, _Waiter(not urgent, next(self._serial), give_up_at, endpoint, turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave(endpoint, Turn(turn.result(), counts=False))
            raise

    def _leave(self, endpoint: Endpoint, turn: "Turn") -> None:
        for each in _LANES[endpoint]:
            self._lanes[each].ended(turn)
        if turn.pause_s is not None:
            self._lanes[endpoint].pause(turn.pause_s)
        self._admit()

    def _admit(self) -> None:
        """Let go who may; tell those who would have to wait too long; come again when the next one may.

        Who waits for an endpoint that is held back does not hold up those who want another one.
        """
        self._stop_timer()
        staying = []
        for waiter in self._waiting:
            if waiter.turn.done():
                continue
            lanes = [self._lanes[each] for each in _LANES[waiter.endpoint]]
            if any(lane.free_at > _now() for lane in lanes):
                staying.append(waiter)
                continue
            for lane in lanes:
                lane.begun(waiter.serial)
            waiter.turn.set_result(waiter.serial)
        self._waiting = self._patient(staying)
        if self._waiting:
            free_at = min(self._forecast().take(waiter.endpoint) for waiter in self._waiting)
            self._timer = asyncio.get_running_loop().call_at(free_at, self._admit)

    def _patient(self, waiting: "list[_Waiter]") -> "list[_Waiter]":
        """Send those away whose turn would come too late."""
        staying, forecast = [], self._forecast()
        for waiter in waiting:
            at = forecast.at(waiter.endpoint)
            if at > waiter.give_up_at:
                waiter.turn.set_exception(RateLimitedError(at - _now()))
            else:
                forecast.take(waiter.endpoint)
                staying.append(waiter)
        return staying

    def _forecast(self) -> "_Forecast":
        return _Forecast({endpoint: lane.free_at for endpoint, lane in self._lanes.items()}, self._gap_s)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Turn:
    """One request that may be sent.

    Units: `pause_s` is how long Bandwidth wants to hear nothing, 0 where it does not say; None unless it has refused.
    """

    def __init__(self, serial: int, *, counts: bool = True) -> None:
        self.serial = serial
        self.counts = counts
        self.pause_s: float | None = None

    def refused(self, reset: str | None) -> None:
        """Learn that the request came too early, and when the next one may come.

        Units: X-RateLimit-Reset is epoch milliseconds in the samples, "UNIX time" in the text about it.
        """
        self.pause_s = min(_until(reset), _LONGEST_S)


class _Waiter(NamedTuple):
    """Who waits for a turn; sorted by who goes first."""

    in_background: bool
    serial: int
    give_up_at: float
    endpoint: Endpoint
    turn: asyncio.Future[int]


class _Lane:
    """When one endpoint may be asked again.

    It is a gap after the last answer, since Bandwidth has counted that request before it; or two gaps after it was
    sent, so that one which is not answered does not hold up the others.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._newest = 0
        self._next_at = 0.0
        self._paused_until = 0.0
        self._guess_s = _PAUSE_S

    @property
    def free_at(self) -> float:
        return max(self._next_at, self._paused_until)

    def begun(self, serial: int) -> None:
        self._newest = serial
        self._next_at = _now() + 2 * self._gap_s

    def ended(self, turn: Turn) -> None:
        if turn.serial == self._newest:
            self._next_at = min(self._next_at, _now() + (self._gap_s if turn.counts else 0.0))
        if turn.counts and turn.pause_s is None:
            self._guess_s = _PAUSE_S

    def pause(self, pause_s: float) -> None:
        if not pause_s:
            pause_s, self._guess_s = self._guess_s, min(2 * self._guess_s, _LONGEST_GUESS_S)
        self._paused_until = max(self._paused_until, _now() + pause_s)


class _Forecast:
    """When turns will come if nobody hears anything new."""

    def __init__(self, free_at: dict[Endpoint, float], gap_s: float) -> None:
        self._free_at = free_at
        self._gap_s = gap_s

    def at(self, endpoint: Endpoint) -> float:
        return max(self._free_at[each] for each in _LANES[endpoint])

    def take(self, endpoint: Endpoint) -> float:
        """Give when the next turn is, and put the one after it behind; a lane that is free until then stays so."""
        at = self.at(endpoint)
        for each in _LANES[endpoint]:
            if self._free_at[each] == at:
                self._free_at[each] = at + self._gap_s
        return at


def _now() -> float:
    return asyncio.get_running_loop().time()


def _until(reset: str | None) -> float:
    """Read how many seconds are left until an instant; 0 where there is none, or it is over."""
    try:
        at = float(reset or "")
    except ValueError:
        return 0.0
    if not math.isfinite(at):
        return 0.0
    # Whole seconds may have been cut off: it is over when the next one begins.
    return max(0.0, (at / 1000 if at >= _MILLISECONDS_FROM else at + 1) - time.time())
