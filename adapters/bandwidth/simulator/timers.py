"""What happens at its time, by an injected clock; the clock is only looked at while the simulator listens."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

_SHORTEST_WAIT_S = 0.001


class Timer:
    """Something that will happen unless it is cancelled."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], object]) -> None:
        self.act: Callable[[], object] | None = act

    def cancel(self) -> None:
        """Let it not happen."""
        self.act = None


class Timers:
    """All timers, in the order of their times.

    Units: `clock` gives Unix seconds; who moves it by hand calls `run_due`.
    """

    def __init__(self, clock: Callable[[], float], stirred: Callable[[], None]) -> None:
        self._clock = clock
        self._stirred = stirred
        self._order = count()
        self._heap: list[tuple[float, int, Timer]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None

    def after(self, delay_s: float, act: Callable[[], object]) -> Timer:
        """Let something happen after a while."""
        timer = Timer(act)
        heappush(self._heap, (self._clock() + delay_s, next(self._order), timer))
        self._aim()
        return timer

    def start(self) -> None:
        """Begin to look at the clock."""
        self._loop = asyncio.get_running_loop()
        self._aim()

    def stop(self) -> None:
        """Look no more; what would have happened meanwhile happens after the next start."""
        self._loop = None
        self._aim()

    def run_due(self) -> None:
        """Let everything happen whose time has come."""
        while self._heap and self._heap[0][0] <= self._clock():
            timer = heappop(self._heap)[2]
            act, timer.act = timer.act, None
            if act is not None:
                act()
                self._stirred()
        self._aim()

    def _aim(self) -> None:
        while self._heap and self._heap[0][2].act is None:
            heappop(self._heap)
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._loop is not None and self._heap:
            wait_s = max(_SHORTEST_WAIT_S, self._heap[0][0] - self._clock())
            self._next = self._loop.call_later(wait_s, self.run_due)
