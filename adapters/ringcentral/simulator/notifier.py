"""From what happens to what subscribers are sent: notifications, and the faults on their way.

Inferred: two filters of one subscription that want the same give two notifications with two uuids.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from adapters.kit.shuffle import Shuffle

from . import wording
from .faults import Faults
from .filters import event_path
from .people import Account
from .sessions import Notice, Session
from .shapes import Json, instant
from .subscriptions import Subscription, Subscriptions


class Sent(NamedTuple):
    """A notification and the subscription it went to."""

    subscription_id: str
    notification: Json


class _Told(NamedTuple):
    subscription: Subscription
    notification: Json


class Notifier:
    """Tells every subscription what it wants to know.

    Units: `clock` gives Unix seconds.
    """

    def __init__(
        self,
        account: Account,
        faults: Faults,
        subscriptions: Subscriptions,
        *,
        clock: Callable[[], float],
        rng: Random,
        session_of: Callable[[str], Session | None],
    ) -> None:
        self.sent: deque[Sent] = deque(maxlen=10_000)
        self._account = account
        self._faults = faults
        self._subscriptions = subscriptions
        self._clock = clock
        self._rng = rng
        self._session_of = session_of
        self.shuffle = Shuffle(rng, self._deliver)

    def tell(self, notice: Notice) -> None:
        """Tell of a change; as it is now, whenever it arrives."""
        if self._faults.lose_events:
            return
        peer = self._session_of(notice.party.peer.session_id) if notice.party.peer else None
        body = wording.event_body(notice, peer)
        for subscription in list(self._subscriptions.by_id.values()):
            for wish in subscription.filters:
                if wish.wants(notice, nobodys=self._faults.emit_participant_legs):
                    self._send(_Told(subscription, self._notification(subscription, notice, body)))

    def _notification(self, subscription: Subscription, notice: Notice, body: Json) -> Json:
        return {
            "uuid": str(self._rng.randrange(10**18, 10**19)),
            "event": event_path(self._account, notice.party.extension_id),
            "timestamp": instant(self._clock()),
            "subscriptionId": subscription.subscription_id,
            "ownerId": subscription.owner.extension_id,
            "body": body,
        }

    def _send(self, told: _Told) -> None:
        for _ in range(2 if self._faults.duplicate_events else 1):
            if self._faults.shuffle_events:
                self.shuffle.add(told)
            else:
                self._deliver(told)

    def _deliver(self, told: _Told) -> None:
        subscription, notification = told
        if subscription.subscription_id in self._subscriptions.by_id:
            self.sent.append(Sent(subscription.subscription_id, notification))
            subscription.deliver(notification)
