"""How many requests there are in an hour: one counter for the client, told on every answer.

Inferred: hours are those of the clock on the wall; a refused request is not counted; one without a good token is not
          counted, and is told the counter all the same.
"""

import math
from collections.abc import Callable, Mapping

from .failures import quota_spent

HOUR_S = 3600


class Quota:
    """Counts the requests of this hour.

    Units: `clock` gives Unix seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._used = 0
        self._hour = self._now()

    def take(self) -> None:
        """Count one request.

        Errors: ApiError 429.
        """
        if self._left() <= 0:
            raise quota_spent()
        self._used += 1

    def spend(self, *, leaving: int = 0) -> None:
        """Let other applications use up what there is in this hour, but for so many."""
        self._hour = self._now()
        self._used = self._limit - leaving

    def restore(self) -> None:
        """Let the hour begin anew."""
        self._used = 0

    def headers(self) -> Mapping[str, str]:
        """Tell what is left; the time until the next hour is in seconds."""
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(0, self._left())),
            "X-RateLimit-Reset": str(math.ceil(HOUR_S - self._clock() % HOUR_S)),
        }

    def _left(self) -> int:
        if self._hour != self._now():
            self._hour, self._used = self._now(), 0
        return self._limit - self._used

    def _now(self) -> int:
        return int(self._clock() // HOUR_S)
