"""What becomes of a change that was accepted: it happens, now or later, or it does not."""

from collections.abc import Callable

from .failures import ApiError
from .faults import Faults
from .timers import Due, Timers


class Effects:
    """Lets changes happen as the faults want it."""

    def __init__(self, faults: Faults, timers: Timers) -> None:
        self._faults = faults
        self._timers = timers
        self._later: list[Due] = []

    def soon(self, act: Callable[[], object]) -> None:
        """Let something happen.

        Errors: ApiError when it happens at once and cannot.
        """
        if self._faults.ignore_commands:
            return
        if self._faults.effect_delay_s <= 0:
            act()
            return
        self._later = [due for due in self._later if due.act is not None]
        self._later.append(self._timers.after(self._faults.effect_delay_s, lambda: _late(act)))

    def cancel(self) -> None:
        """Forget what has not happened yet."""
        for due in self._later:
            due.cancel()
        self._later.clear()


def _late(act: Callable[[], object]) -> None:
    try:
        act()
    except ApiError:
        # It was accepted, and meanwhile there is nothing left to change: nobody is told.
        return
