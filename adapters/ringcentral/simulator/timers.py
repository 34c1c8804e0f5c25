"""What happens at its time: by an injected clock, whether a loop runs yet or not."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

_SHORTEST_WAIT_S = 0.001


@dataclass(order=True, slots=True)
class Due:
    """Something that is to happen; cancelled by setting `act` to None."""

    at: float
    serial: int
    act: Callable[[], object] | None = field(compare=False)

    def cancel(self) -> None:
        """Let it not happen."""
        self.act = None


class Timers:
    """Holds what is due; between `arm` and `disarm` the loop looks at it, `run_due` looks at it now.

    Units: `clock` gives Unix seconds; a clock that a test moves needs `run_due` to be noticed at once.
    """

    def __init__(self, clock: Callable[[], float], stirred: Callable[[], None]) -> None:
        self._clock = clock
        self._stirred = stirred
        self._waiting: list[Due] = []
        self._serial = 0
        self._armed = False
        self._handle: asyncio.TimerHandle | None = None

    def after(self, delay_s: float, act: Callable[[], object]) -> Due:
        """Let something happen after a while."""
        self._serial += 1
        due = Due(self._clock() + delay_s, self._serial, act)
        heapq.heappush(self._waiting, due)
        if self._waiting[0] is due:
            self._wait()
        return due

    def arm(self) -> None:
        """Begin to look."""
        self._armed = True
        self._wait()

    def disarm(self) -> None:
        """Stop looking; what is due stays so."""
        self._armed = False
        self._wait()

    def run_due(self) -> None:
        """Let everything happen whose time has come."""
        while self._waiting and (self._waiting[0].act is None or self._waiting[0].at <= self._clock()):
            due = heapq.heappop(self._waiting)
            act, due.act = due.act, None
            if act is not None:
                act()
                self._stirred()
        self._wait()

    def _wait(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._armed and self._waiting:
            wait_s = max(_SHORTEST_WAIT_S, self._waiting[0].at - self._clock())
            self._handle = asyncio.get_running_loop().call_later(wait_s, self.run_due)
