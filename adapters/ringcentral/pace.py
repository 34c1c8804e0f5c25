"""Keeping within RingCentral's rate limits: who goes next in each rate group, and that nobody goes in a penalty.

Source: docs/basics/rate-limits.md: windows slide, and any request during the penalty begins it anew.
"""

import asyncio
import heapq
import itertools
import math
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

from adapters.ringcentral.errors import RateLimitedError, UnreachableError

_WINDOW_S = 60.0
_PATIENCE_S = 2.0
"""How long a command waits for a limit, before the viewer is told to try again."""
_PENALTY_S = 60.0
"""How long a penalty is that does not say so: the documented one, since whoever asks within it makes it begin anew."""
_MARGIN_S = 0.5
"""How much later than RingCentral says we come back: it counts whole seconds."""
_LONGEST_S = 3600.0
_MOST = 10_000
_SPARED = 5
"""One in so many requests of a window is left to commands."""


class Group(StrEnum):
    """RingCentral's rate groups."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"
    AUTH = "auth"


_USUAL_LIMITS = {Group.LIGHT: 50, Group.MEDIUM: 40, Group.HEAVY: 10, Group.AUTH: 5}


class Pace:
    """Lets requests through as the limits of their groups allow."""

    def __init__(self) -> None:
        self._lanes = {group: _Lane(group, limit) for group, limit in _USUAL_LIMITS.items()}

    @asynccontextmanager
    async def turn(self, group: Group, *, urgent: bool) -> AsyncIterator["Turn"]:
        """Wait for a turn; urgent ones go first, and wait for a short while only. Others wait as long as it takes.

        Errors: RateLimitedError, when it would take an urgent one too long; nothing has been sent then.
        """
        lane = self._lanes[group]
        turn = Turn(lane, await lane.enter(urgent))
        try:
            yield turn
        except UnreachableError as error:
            turn.counts = error.sent
            raise
        finally:
            lane.leave(turn)

    def wait_s(self, group: Group) -> float:
        """How long an urgent request would have to wait now."""
        return self._lanes[group].wait_s(urgent=True)

    def close(self) -> None:
        """Let go of all timers."""
        for lane in self._lanes.values():
            lane.close()


class Turn:
    """One request that may be sent, and what its answer said of the limits."""

    def __init__(self, lane: "_Lane", serial: int) -> None:
        self.serial = serial
        self.counts = True
        self.was_refused = False
        self.headers: Mapping[str, str] = {}
        self._lane = lane

    def learned(self, headers: Mapping[str, str]) -> None:
        """Take what the answer says of the limits of its group."""
        self.headers = headers

    def refused(self, retry_after: str | None) -> None:
        """Learn that RingCentral wants to hear nothing for so many seconds."""
        self.was_refused = True
        pause_s = _number(retry_after, _LONGEST_S)
        self._lane.pause(_PENALTY_S if pause_s is None else max(pause_s, 1.0) + _MARGIN_S)


class _Waiter(NamedTuple):
    """Who waits for a turn; sorted by who goes first."""

    in_background: bool
    serial: int
    give_up_at: float
    turn: asyncio.Future[int]


class _Lane:
    """One rate group.

    Shape: `_answered` is when the requests of this window were answered, which is after RingCentral counted them;
           `_others` are requests that it has counted and that are not ours.
    """

    def __init__(self, group: Group, limit: int) -> None:
        self._group = group
        self._limit = limit
        self._window_s = _WINDOW_S
        self._answered: deque[float] = deque()
        self._under_way = 0
        self._others = 0
        self._others_until = 0.0
        self._paused_until = 0.0
        self._waiting: list[_Waiter] = []
        self._serial = itertools.count(1)
        self._last_sent = 0
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, urgent: bool) -> int:
        """Wait for a turn, and give its number.

        Errors: RateLimitedError.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[int] = loop.create_future()
        give_up_at = loop.time() + _PATIENCE_S if urgent else math.inf
        heapq.heappush(self._waiting, _Waiter(not urgent, next(self._serial), give_up_at, turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._under_way -= 1
                self._admit()
            raise

    def leave(self, turn: Turn) -> None:
        """End a turn, and count it as RingCentral does."""
        self._under_way -= 1
        if turn.counts:
            self._answered.append(_now())
        self._learn(turn)
        self._admit()

    def pause(self, pause_s: float) -> None:
        """Send nothing for so long."""
        self._paused_until = max(self._paused_until, _now() + pause_s)
        self._admit()

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def wait_s(self, *, urgent: bool, behind: int = 0) -> float:
        """How long it is until one more may go, behind so many others, if nobody hears anything new."""
        now = _now()
        while self._answered and self._answered[0] + self._window_s <= now:
            self._answered.popleft()
        if self._others_until <= now:
            self._others = 0
        freed = sorted([at + self._window_s for at in self._answered] + [self._others_until] * self._others)
        most = self._limit if urgent else max(1, self._limit - self._limit // _SPARED)
        too_many = len(freed) + self._under_way + behind + 1 - most
        pause_s = max(0.0, self._paused_until - now)
        if too_many <= 0:
            return pause_s
        return max(pause_s, freed[too_many - 1] - now if too_many <= len(freed) else self._window_s)

    def _learn(self, turn: Turn) -> None:
        """Believe RingCentral's numbers over ours, as far as they are about this group."""
        headers = turn.headers
        if headers.get("X-Rate-Limit-Group", self._group) != self._group:
            return
        limit, window_s = _number(headers.get("X-Rate-Limit-Limit")), _number(headers.get("X-Rate-Limit-Window"))
        self._limit = int(limit) if limit is not None and 1 <= limit <= _MOST else self._limit
        self._window_s = window_s if window_s is not None and 0 < window_s <= _LONGEST_S else self._window_s
        remaining = _number(headers.get("X-Rate-Limit-Remaining"))
        if remaining is None or turn.was_refused or turn.serial != self._last_sent:
            return  # in a penalty it is 0; and only the answer to the newest request counts them all
        counted = max(0, self._limit - int(min(remaining, _MOST)))
        while len(self._answered) > counted:
            self._answered.popleft()
        self._others = max(0, counted - len(self._answered) - self._under_way)
        self._others_until = _now() + self._window_s

    def _admit(self) -> None:
        """Let go who may; tell those who would have to wait too long; come again when the next one may."""
        self.close()
        while self._waiting:
            first = self._waiting[0]
            if not first.turn.done() and self.wait_s(urgent=not first.in_background) > 0:
                break
            heapq.heappop(self._waiting)
            if not first.turn.done():
                self._last_sent = first.serial
                self._under_way += 1
                first.turn.set_result(first.serial)
        self._send_away()
        if self._waiting:
            wait_s = self.wait_s(urgent=not self._waiting[0].in_background)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._admit)

    def _send_away(self) -> None:
        staying: list[_Waiter] = []
        for waiter in sorted(self._waiting):
            wait_s = self.wait_s(urgent=True, behind=len(staying))
            if not waiter.turn.done() and _now() + wait_s > waiter.give_up_at:
                waiter.turn.set_exception(RateLimitedError(wait_s))
            elif not waiter.turn.done():
                staying.append(waiter)
        self._waiting = staying


def _now() -> float:
    return asyncio.get_running_loop().time()


def _number(text: str | None, most: float = math.inf) -> float | None:
    """Read a number of a header; None where there is none that makes sense."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return min(number, most) if number >= 0 else None
