"""What a test can switch on to make the simulated RingCentral misbehave."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["CallControl", "WebSocketsSubscription", "ReadPresence", "ReadAccounts"]


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches a test flips while the simulator runs; all off by default."""

    # Requests
    http_status: int | None = None
    "every request, over HTTP and over the socket, and every handshake fails with this status"
    hang: bool = False
    "requests, handshakes and what clients send on sockets are read and never answered; notifications go on"
    rate_limit: bool = False
    "limits of requests are enforced"
    no_retry_after: bool = False
    "an answer 429 does not say how long to wait"
    no_refresh_token: bool = False
    "sign-in gives none, as without the setting of the app"
    forbidden_scope: Scope | None = None
    "the app has not got this permission"

    # Events
    shuffle_events: bool = False
    "what happens within a short window is delivered in any order"
    duplicate_events: bool = False
    "each notification is delivered twice, with one uuid"
    lose_events: bool = False
    emit_participant_legs: bool = False
    "a conference's legs of participants give events as well, which the real thing does not"
    mute_sockets: bool = False
    "nothing is sent on the sockets any more, and they stay open"
    recovery_fails: bool = False
    wrong_verification_token: bool = False
    "deliveries to webhooks carry another token than the subscription's"

    # Commands
    mute_conflict: bool = False
    "mute and hold are refused with 409 Incorrect State"
    ignore_commands: bool = False
    "changes are accepted and do not happen; a leg that is brought in stays in Setup"
    effect_delay_s: float = 0.0
    "changes are accepted at once and happen after this time"
    call_out: Literal["answers", "rings", "busy"] = "answers"
    "what the number does that is called; `rings` waits for the hand"
