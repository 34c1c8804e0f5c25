"""For simulators: what happened in one order and is told in another."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

_WINDOW_S = 0.03
_MOST_HELD = 10_000

_Held = TypeVar("_Held")


class Shuffle(Generic[_Held]):
    """Holds what comes in a short window and lets it go in another order; what is too much goes at once."""

    def __init__(self, rng: Random, let_go: Callable[[_Held], None]) -> None:
        self._rng = rng
        self._let_go = let_go
        self._held: list[_Held] = []
        self._window: asyncio.TimerHandle | None = None

    @property
    def holds(self) -> bool:
        """Whether something waits."""
        return bool(self._held)

    def add(self, one: _Held) -> None:
        """Hold this until the window is over."""
        if len(self._held) >= _MOST_HELD:
            self._let_go(one)
            return
        self._held.append(one)
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(_WINDOW_S, self.flush)

    def flush(self) -> None:
        """Let everything held go now."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        held, self._held = self._held, []
        self._rng.shuffle(held)
        for one in held:
            self._let_go(one)
