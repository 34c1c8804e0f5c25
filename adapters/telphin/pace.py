"""Keeping within Telphin's hourly quota, which all applications of the client share: its answers say what is left.

Source: the rules of RingMe's API: a spent quota is refused until the reset, whatever the requests are for.
"""

import asyncio
import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from adapters.telphin.errors import RateLimitedError, UnreachableError

_AT_ONCE = 4
_SPARED = 10
"""One in so many requests of the quota is left to commands."""
_LEAST_SPARED = 5
_HOUR_S = 3600.0
_UNSAID_S = 60.0
"""How long nothing is sent after a refusal that does not say until when."""
_PASSING_S = 5.0
"""The same, when a refusal says that there is some of the quota left: it is about something else, which passes."""
_MOST = 10**9
_SHARES = 3
"""One of so many parts of the quota goes to what can wait, and the last is left to all else."""


class Quota:
    """Lets requests through as long as there is something left, a few at the same time, commands first.

    Units: `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = math.inf
        self._limit = 2 * _LEAST_SPARED  # until an answer tells it
        self._resets_at = -math.inf
        self._resets_on = datetime.now(UTC)
        self._serial = itertools.count(1)
        self._under_way: set[int] = set()
        self._heard = 0
        self._free = _AT_ONCE
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []

    @property
    def spent_until(self) -> datetime | None:
        """Until when nothing is read, and commands go out only as far as the rest lasts; None while there is enough."""
        return self._resets_on if self.wait_s(urgent=False) > 0 else None

    def wait_s(self, *, urgent: bool) -> float:
        """How long nothing more may go."""
        rest_s = self._resets_at - self._clock()
        return rest_s if rest_s > 0 and self._left <= (0 if urgent else self._spared()) else 0.0

    @property
    def share(self) -> float:
        """How many requests an hour what can wait may have."""
        return math.inf if math.isinf(self._left) else max(1, self._limit // _SHARES)

    @property
    def is_low(self) -> bool:
        """Whether what can wait has to, until the reset."""
        return self._resets_at > self._clock() and self._left <= self._limit // _SHARES

    def check(self, *, urgent: bool) -> None:
        """See whether a request may go.

        Errors: RateLimitedError.
        """
        if (wait_s := self.wait_s(urgent=urgent)) > 0:
            raise RateLimitedError(wait_s)

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator["Turn"]:
        """Wait until one of few requests at a time is over; urgent ones go first.

        Errors: RateLimitedError, at once: nothing has been sent then.
        """
        self.check(urgent=urgent)
        await self._enter(urgent)
        serial = next(self._serial)
        try:
            self.check(urgent=urgent)  # those before may have spent it
            self._left -= 1
            self._under_way.add(serial)
            yield Turn(self, serial)
        except UnreachableError as error:
            if not error.sent:
                self._left += 1
            raise
        finally:
            self._under_way.discard(serial)
            self._leave()

    def learn(self, serial: int, headers: Mapping[str, str]) -> None:
        """Believe what an answer says is left, unless a request that was sent later has been answered already."""
        remaining, reset_s = _whole(headers, "X-RateLimit-Remaining"), _whole(headers, "X-RateLimit-Reset")
        if remaining is None or reset_s is None or serial < self._heard:
            return
        self._heard = serial
        self._limit = _whole(headers, "X-RateLimit-Limit") or self._limit
        self._set(remaining - sum(later > serial for later in self._under_way), reset_s)

    def refuse(self, serial: int, headers: Mapping[str, str]) -> None:
        """Send nothing until the reset that a 429 tells; what was answered before it says nothing new."""
        self._heard = max(self._heard, serial)
        reset_s = _whole(headers, "X-RateLimit-Reset")
        if _whole(headers, "X-RateLimit-Remaining"):
            self._set(0, _PASSING_S)
        else:
            self._set(0, _UNSAID_S if reset_s is None else reset_s)

    def _spared(self) -> int:
        """Say what is left to commands: of a tiny quota not all, or there would never be a first reading."""
        return min(max(_LEAST_SPARED, self._limit // _SPARED), self._limit // 2)

    def _set(self, left: int, reset_s: float) -> None:
        rest_s = min(max(reset_s, 1.0), _HOUR_S)
        self._left = left
        self._resets_at = self._clock() + rest_s
        self._resets_on = datetime.now(UTC) + timedelta(seconds=rest_s)

    async def _enter(self, urgent: bool) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._serial), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._free:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


class Share:
    """Counts what is spent on what can wait: a third of the quota in any hour, whenever that begins.

    Units: `clock` gives seconds.
    """

    def __init__(self, quota: Quota, clock: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._clock = clock
        self._spent: deque[float] = deque()

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is to be begun for now; what has begun is finished."""
        hour_ago = self._clock() - _HOUR_S
        while self._spent and self._spent[0] <= hour_ago:
            self._spent.popleft()
        return self._quota.is_low or len(self._spent) >= self._quota.share

    def spend(self) -> None:
        """Count one request."""
        self._spent.append(self._clock())


class Turn:
    """One request that may be sent, and what its answer says of the quota."""

    def __init__(self, quota: Quota, serial: int) -> None:
        self._quota = quota
        self._serial = serial

    def learned(self, headers: Mapping[str, str]) -> None:
        """Take what an answer says is left."""
        self._quota.learn(self._serial, headers)

    def refused(self, headers: Mapping[str, str]) -> None:
        """Take what a 429 says of when to come again."""
        self._quota.refuse(self._serial, headers)


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    """Read a whole number of a header; None where there is none that makes sense."""
    text = headers.get(name, "")
    return min(int(text), _MOST) if text.isascii() and text.isdigit() and len(text) <= 20 else None
