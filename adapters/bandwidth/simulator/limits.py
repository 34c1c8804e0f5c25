"""How many requests a user may send: one a second for each endpoint, and calls counted on their own.

Inferred: a window opens with the first request after the last one closed; a request that is refused for its rate is
          not counted, any other is; making a call counts only among calls made, and the account's limit is always
          reached no later than a number's, so only that is counted.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

from .failures import ApiError
from .faults import Faults

Endpoint = Literal["conferences", "calls", "dialling"]
SAMPLE_S = 10.0
"over how long the rate of calls is an average"


class Limits:
    """Counts requests; without a rate everything is allowed.

    Units: `rate` is requests a second, `clock` gives Unix seconds.
    """

    def __init__(self, faults: Faults, clock: Callable[[], float], rate: float | None) -> None:
        self.rate = rate
        self._faults = faults
        self._clock = clock
        self._windows: dict[Endpoint, tuple[float, int]] = {}
        self._made: deque[float] = deque()

    def take(self, endpoint: Endpoint) -> None:
        """Count a request.

        Errors: ApiError 429, and 403 for a call too many.
        """
        if self.rate is None:
            return
        if endpoint == "dialling":
            self._dial(self.rate)
        else:
            self._ask(endpoint, self.rate)

    def _ask(self, endpoint: Endpoint, rate: float) -> None:
        now = self._clock()
        closes_at, taken = self._windows.get(endpoint, (0.0, 0))
        if now >= closes_at:
            closes_at, taken = now + max(1.0, 1.0 / rate), 0
        if taken >= max(1, int(rate)):
            raise self._refused(closes_at)
        self._windows[endpoint] = (closes_at, taken + 1)

    def _refused(self, closes_at: float) -> ApiError:
        reset = str(int(closes_at) + 1 if self._faults.reset_in_seconds else int(closes_at * 1000) + 1)
        told = {} if self._faults.no_reset else {"X-RateLimit-Reset": reset}
        message = None if self._faults.no_message else "The rate limit of this resource has been reached"
        more = {} if self._faults.no_reset else {"rateLimitResetTime": reset}
        return ApiError(429, "rate-limit-reached", message, headers=told, more=more)

    def _dial(self, rate: float) -> None:
        now = self._clock()
        while self._made and self._made[0] <= now - SAMPLE_S:
            self._made.popleft()
        if len(self._made) >= rate * SAMPLE_S:
            average = (len(self._made) + 1) / SAMPLE_S
            message = (
                f"You can create {rate:g} calls per 1 seconds, calculated as the average over {SAMPLE_S:g} seconds. "
                f"Your rate is: {average:g}"
            )
            raise ApiError(403, "call-rate-limit", message)
        self._made.append(now)
