"""Delivers what is due, a little at a time, so that thousands of followers do not hold up everything else."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

_WORK_A_TURN = 500
"""Deliveries: about 3 ms of work; what else is due on the event loop comes in between."""
_WORK_OF_AN_EVENT = 20
"""What executing events costs, in deliveries."""


class Deliverer(Protocol):
    """Somebody who may have deliveries to make."""

    def deliver_some(self, limit: int) -> int:
        """Make at most `limit` deliveries and say how many there were; fewer: nothing more is to be done."""


class Turns:
    """Lets all deliverers deliver in turn, beginning with the next turn of the event loop.

    What happens within one turn is therefore delivered together.
    """

    def __init__(self) -> None:
        self._due: dict[Deliverer, None] = {}
        self._at_end: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def due(self, deliverer: Deliverer) -> None:
        """Give a deliverer a turn soon."""
        self._due[deliverer] = None
        self._schedule()

    def at_end(self, work: Callable[[], None]) -> None:
        """Do something once the deliveries of this turn are made."""
        self._at_end.append(work)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        try:
            self._deliver()
        finally:
            if self._due or self._at_end:
                self._schedule()

    def _deliver(self) -> None:
        work = _WORK_A_TURN
        while self._due and work > 0:
            deliverer = next(iter(self._due))
            del self._due[deliverer]
            made = deliverer.deliver_some(work)
            if made >= work:
                self._due[deliverer] = None
            work -= made + _WORK_OF_AN_EVENT
        for _ in range(len(self._at_end)):  # one that fails leaves the others to the next turn
            self._at_end.popleft()()
