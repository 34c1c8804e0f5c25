"""An event loop whose time leaps to the next timer instead of waiting for it: seconds in tests cost nothing."""

import asyncio
import selectors
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Sequence[Any]:
        found = super().select(0)
        if not found and timeout:
            self.now += timeout
        elif not found and timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        return found


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _Selector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end in time that leaps."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(work)


def now() -> float:
    return asyncio.get_running_loop().time()
