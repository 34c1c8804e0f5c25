"""What a test can switch on to make the simulated Telphin misbehave."""

from dataclasses import dataclass

from .failures import Forbidden


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches a test flips while the simulator runs; all off by default."""

    # Requests
    http_status: int | None = None
    "every request, for a token too, fails with this status"
    fail_next: int | None = None
    "the next request that changes something fails with this status; upkeep of webhooks is none"
    fail_upkeep: int | None = None
    "every request about event handlers fails with this status"
    hang: bool = False
    "requests are read and never answered"
    swallow_answers: bool = False
    "what changes something is done, and never answered"
    forbidden: Forbidden | None = None
    "every request to the API is refused with 403 for this reason"
    no_expires_in: bool = False
    "a token comes without its life"
    statistics_busy: bool = False
    "the call history is refused with 429, as if it were being asked for already"
    ignore_type_filter: bool = False
    "the list of extensions has those of every type"

    # Webhooks
    lose_webhooks: bool = False
    double_webhooks: bool = False
    "each is sent twice"
    shuffle_webhooks: bool = False
    "what happens within a short window is delivered in any order"

    # Commands
    ignore_commands: bool = False
    "changes are accepted, answered as if they were made, and do not happen"
    phones_only: bool = False
    "a call can be hung up and redirected by way of a phone alone, not by way of the room it is in"
