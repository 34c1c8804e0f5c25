"""What a test can switch on: the simulated Bandwidth misbehaves, or follows another reading of its pages."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from .failures import ApiError


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches a test flips while the simulator runs; all off by default."""

    # Requests
    http_status: int | None = None
    "every request fails with this status"
    hang: bool = False
    "requests are read, not done and never answered"
    lose_answers: bool = False
    "requests are done and never answered"
    answer_with: bytes | None = None
    "what was done is answered with status and headers as ever, and with this as its JSON"
    ignore_commands: bool = False
    "changes are accepted without being looked at, and do not happen; what was made is not there"
    no_numbers: bool = False
    "every number belongs to another user: 401 number-access-denied"
    next_failures: deque[tuple[str, ApiError]] = field(default_factory=lambda: deque(maxlen=1_000))
    "what the next requests of a method are refused with, each once"

    # Answers
    absolute_location: bool = False
    "Location is a URL, not a path"
    no_location: bool = False
    hour_offsets: bool = False
    "resources have instants as 2013-07-12T15:54:47-02"
    call_conference: Literal["both", "id", "url"] = "both"
    "how a call names its conference: `conferenceId`, the URL `conference`, or both"
    no_reset: bool = False
    "an answer 429 does not say when the limit is over"
    reset_in_seconds: bool = False
    "an answer 429 says it in seconds, as the text of the page has it, not its sample"
    no_message: bool = False
    "an answer 429 has no message, as in the sample of the page"

    # Conferences
    auto_join: bool = False
    "a call made with a conferenceId is in the conference when it is answered"
    member_flags: Literal["effective", "own"] = "effective"
    "whether events of a member tell what is so (their flag or the conference's) or their own flag"
    quiet_conferences: bool = False
    "holding and muting a whole conference gives no event of its members"

    # Callbacks
    lose_callbacks: bool = False
    double_callbacks: bool = False
    shuffle_callbacks: bool = False
    "what happens within a short window is sent in any order"

    def fail_next(self, status: int, code: str, *, method: str = "POST", times: int = 1) -> None:
        """Refuse the next requests of this method, wherever they go; they do nothing."""
        self.next_failures.extend((method, ApiError(status, code, "It is simulated")) for _ in range(times))

    def check_next(self, method: str) -> None:
        """Errors: ApiError when the next request of this method is to fail."""
        for one in self.next_failures:
            if one[0] == method:
                self.next_failures.remove(one)
                raise one[1]
