"""Subscriptions: who wants which notifications, until when, and by which way.

Inferred: an app sees only what the same user made; a subscription that expired is 404 SUB-507, as one that never was;
          a body without filters renews and leaves the filters.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .failures import ApiError
from .filters import Filter
from .people import Extension
from .shapes import Json, instant
from .timers import Due, Timers

Transport = Literal["WebHook", "WebSocket"]


@dataclass(slots=True, eq=False, kw_only=True)
class Subscription:
    """One subscription; `deliver` is its way, and `gone` is told when it ends.

    Units: created_at, expires_at and blacklisted_at are Unix seconds.
    """

    owner: Extension
    filters: list[Filter]
    transport: Transport
    created_at: float
    expires_at: float
    deliver: Callable[[Json], None]
    gone: Callable[[], None]
    address: str | None = None
    verification_token: str | None = field(default=None, repr=False)
    subscription_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    blacklisted_at: float | None = None
    expiry: Due | None = None


class Subscriptions:
    """All that are there."""

    def __init__(self, clock: Callable[[], float], timers: Timers) -> None:
        self.by_id: dict[str, Subscription] = {}
        self._clock = clock
        self._timers = timers

    def add(self, subscription: Subscription) -> None:
        """Begin one."""
        self.by_id[subscription.subscription_id] = subscription
        self._await_end(subscription)

    def renew(self, subscription: Subscription, life_s: float) -> None:
        """Let one live on for this long."""
        subscription.expires_at = self._clock() + life_s
        self._await_end(subscription)

    def remove(self, subscription: Subscription) -> None:
        """End one."""
        if self.by_id.pop(subscription.subscription_id, None) is not None:
            subscription.gone()
        if subscription.expiry is not None:
            subscription.expiry.cancel()

    def get(self, subscription_id: str, owner: Extension) -> Subscription:
        """Errors: ApiError 404."""
        found = self.by_id.get(subscription_id)
        if found is None or found.owner is not owner:
            raise ApiError(404, "SUB-507", "Subscription is not found or has expired")
        return found

    def described(self, subscription: Subscription) -> Json:
        """Write one as answers have it."""
        delivery: Json = {"transportType": subscription.transport, "encryption": False}
        if subscription.address is not None:
            delivery["address"] = subscription.address
        told: Json = {
            "uri": f"/restapi/v1.0/subscription/{subscription.subscription_id}",
            "id": subscription.subscription_id,
            "creationTime": instant(subscription.created_at),
            "status": "Active" if subscription.blacklisted_at is None else "Blacklisted",
            "eventFilters": [one.path for one in subscription.filters],
            "expirationTime": instant(subscription.expires_at),
            "expiresIn": max(0, round(subscription.expires_at - self._clock())),
            "deliveryMode": delivery,
        }
        if subscription.blacklisted_at is not None:
            blacklisted = {"reason": "Webhook failed repeatedly", "blacklistedAt": instant(subscription.blacklisted_at)}
            told["blacklistedData"] = blacklisted
        return told

    def _await_end(self, subscription: Subscription) -> None:
        if subscription.expiry is not None:
            subscription.expiry.cancel()
        left_s = subscription.expires_at - self._clock()
        subscription.expiry = self._timers.after(left_s, lambda: self.remove(subscription))
