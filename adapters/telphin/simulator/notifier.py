"""From what happens to what event handlers are sent, and the faults on the way.

Inferred: no two events have the same EventTime.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from adapters.kit.shuffle import Shuffle

from .extensions import PHONE
from .faults import Faults
from .happenings import Happening
from .subscriptions import Subscription, Subscriptions
from .webhooks import Webhooks
from .wording import event_params


class Sent(NamedTuple):
    """An event and the handler it went to."""

    subscription: Subscription
    params: dict[str, str]


class _Held(NamedTuple):
    extension_id: int
    sent: Sent


class Notifier:
    """Tells every handler what it wants to know.

    Units: `clock` gives Unix seconds.
    """

    def __init__(
        self,
        faults: Faults,
        subscriptions: Subscriptions,
        webhooks: Webhooks,
        *,
        clock: Callable[[], float],
        rng: Random,
        stirred: Callable[[], None],
    ) -> None:
        self.sent: deque[Sent] = deque(maxlen=10_000)
        self._faults = faults
        self._subscriptions = subscriptions
        self._webhooks = webhooks
        self._clock = clock
        self._stirred = stirred
        self._told_us = 0
        self.shuffle = Shuffle(rng, self._deliver)

    def tell(self, happening: Happening) -> None:
        """Tell of something, as it is now, whenever it arrives."""
        self._stirred()
        self._told_us = max(int(self._clock() * 1_000_000), self._told_us + 1)
        if self._faults.lose_webhooks:
            return
        extension = happening.extension
        params = event_params(happening, self._told_us)
        interested = self._subscriptions.of(extension.extension_id)
        if extension.kind == PHONE:
            interested += self._subscriptions.of(None)
        for one in interested:
            if one.event_type == happening.kind:
                self._send(_Held(extension.extension_id, Sent(one, params)))

    def _send(self, held: _Held) -> None:
        for _ in range(2 if self._faults.double_webhooks else 1):
            if self._faults.shuffle_webhooks:
                self.shuffle.add(held)
            else:
                self._deliver(held)

    def _deliver(self, held: _Held) -> None:
        subscription, params = held.sent
        if subscription.event_id in self._subscriptions.by_id:
            self.sent.append(held.sent)
            self._webhooks.deliver(held.extension_id, subscription, urlencode(params).encode())
