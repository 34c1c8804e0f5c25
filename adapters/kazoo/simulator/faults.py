"""What a test can switch on to make the simulated Kazoo misbehave, and the token bucket of its rate limit."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches a test flips while the simulator runs; all off by default."""

    # Events
    lose_last_del: bool = False
    "the del-member of the last participant loses its race with conference-destroy"
    duplicate_events: bool = False
    shuffle_events: bool = False
    "events of a short window arrive in another order"
    drop_events: set[str] = field(default_factory=set)
    "names of events that are never sent"

    # State over HTTP
    empty_state: bool = False
    "no switch controller answers in time: the realtime block is zero, with status success"
    missing_flags: bool = False
    "participants are known by call id only"

    # HTTP
    http_status: int | None = None
    "every request fails with this status"
    hang: bool = False
    "requests are read and never answered"
    rate_limit: bool = False
    burst: float = 100.0
    refill_per_s: float = 10.0
    max_listing: int | None = None
    "an unpaginated listing longer than this answers 416"
    login: Literal["ok", "mfa", "account_disabled"] = "ok"
    websockets_module: bool = True
    "GET /v2/websockets is served"

    # Commands
    ignore_commands: bool = False
    "commands answer as always and do nothing"
    effect_delay_s: float = 0.0
    "the switch obeys only after this time"
    dial: Literal["ok", "leg_error", "timeout", "no_media_server"] = "ok"
    dial_wait_s: float = 0.0
    "how long the synchronous dial holds its request"

    # Event socket
    ping_module: bool | None = None
    "None: as the generation has it by default"
    max_sockets: int | None = None
    "more sockets than this answer 429 at the upgrade"


@dataclass(slots=True)
class TokenBucket:
    """A bucket of request tokens that fills up with time."""

    left: float
    filled_at: float

    def take(self, now: float, faults: Faults) -> bool:
        """Take one token if there is one."""
        self.left = min(faults.burst, self.left + (now - self.filled_at) * faults.refill_per_s)
        self.filled_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class RateLimit:
    """The buckets of all clients: one each client address and account, or one each event socket."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def allows(self, key: tuple[str, str], now: float) -> bool:
        """Whether one more request or message is allowed."""
        if not self._faults.rate_limit:
            self._buckets.clear()
            return True
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(self._faults.burst, now)
        return self._buckets[key].take(now, self._faults)

    def forget(self, key: tuple[str, str]) -> None:
        """Drop the bucket of a socket that has gone."""
        self._buckets.pop(key, None)

    def remaining(self, key: tuple[str, str]) -> int:
        """Tell how many tokens are left."""
        bucket = self._buckets.get(key)
        return int(bucket.left) if bucket else int(self._faults.burst) - 1
