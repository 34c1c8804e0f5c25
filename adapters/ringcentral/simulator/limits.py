"""How many requests somebody may send: sliding windows for each group, and a penalty that impatience prolongs."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

from .failures import ApiError
from .faults import Faults

Group = Literal["light", "medium", "heavy", "auth"]
PER_WINDOW: Mapping[Group, int] = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}


class _Window:
    """The requests of one user in one group."""

    def __init__(self) -> None:
        self.taken: deque[float] = deque()
        self.penalty_until = 0.0


class Limits:
    """Counts requests while the fault is on; while it is off everything is allowed and nothing is used up.

    Units: `window_s` and `penalty_s` are seconds.
    """

    def __init__(
        self,
        faults: Faults,
        clock: Callable[[], float],
        *,
        per_window: Mapping[Group, int] | None,
        window_s: float,
        penalty_s: float,
    ) -> None:
        self._faults = faults
        self._clock = clock
        self._per_window = {**PER_WINDOW, **(per_window or {})}
        self._window_s = window_s
        self._penalty_s = penalty_s
        self._windows: dict[tuple[str, Group], _Window] = {}

    def take(self, who: str, group: Group) -> dict[str, str]:
        """Count a request, and give the headers of its answer.

        Errors: ApiError 429.
        """
        window = self._windows.setdefault((who, group), _Window())
        if self._faults.rate_limit and not self._allows(window, self._per_window[group]):
            raise self._refused(group)
        return self._headers(group, self._per_window[group] - len(window.taken))

    def _allows(self, window: _Window, most: int) -> bool:
        now = self._clock()
        while window.taken and window.taken[0] <= now - self._window_s:
            window.taken.popleft()
        if now < window.penalty_until or len(window.taken) >= most:
            window.penalty_until = now + self._penalty_s
            return False
        window.taken.append(now)
        return True

    def _refused(self, group: Group) -> ApiError:
        headers = self._headers(group, 0)
        if not self._faults.no_retry_after:
            headers["Retry-After"] = str(math.ceil(self._penalty_s))
        return ApiError(429, "CMN-301", "Request rate exceeded", headers=headers)

    def _headers(self, group: Group, remaining: int) -> dict[str, str]:
        return {
            "X-Rate-Limit-Group": group,
            "X-Rate-Limit-Limit": str(self._per_window[group]),
            "X-Rate-Limit-Remaining": str(max(0, remaining)),
            "X-Rate-Limit-Window": f"{self._window_s:g}",
        }
