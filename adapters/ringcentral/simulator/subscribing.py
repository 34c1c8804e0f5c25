"""The subscription half of the API: made, read, changed, renewed and ended.

Inferred: a subscription for a socket that is asked for elsewhere, and any other transport, is 400 CMN-101.
"""

from collections.abc import Callable

from .api import Answer, Request, Route
from .failures import ApiError, bad_value
from .filters import Filter, read
from .links import Links
from .people import Account
from .shapes import Json, child
from .subscriptions import Subscription, Subscriptions
from .webhooks import Webhooks

_WEBHOOK_LIFE_S = 604_799
_SOCKET_LIFE_S = 86_399
_LONGEST_S = 315_360_000


class Subscribing:
    """Answers what is asked about subscriptions.

    Units: `clock` gives Unix seconds.
    """

    def __init__(
        self,
        account: Account,
        subscriptions: Subscriptions,
        links: Links,
        webhooks: Webhooks,
        clock: Callable[[], float],
    ) -> None:
        self._account = account
        self._subscriptions = subscriptions
        self._links = links
        self._webhooks = webhooks
        self._clock = clock
        one = "subscription/{subscription}"
        self.routes = (
            Route("POST", "subscription", self._create, "medium", "WebSocketsSubscription"),
            Route("GET", "subscription", self._list, "light"),
            Route("GET", one, self._get, "light"),
            Route("PUT", one, self._update, "medium"),
            Route("DELETE", one, self._delete, "medium"),
            Route("POST", f"{one}/renew", self._renew, "light"),
        )

    async def _create(self, request: Request) -> Answer:
        filters = self._filters(request)
        if not filters:
            raise ApiError(400, "SUB-508", "Event filters are missing")
        match child(request.body, "deliveryMode").get("transportType"):
            case "WebHook":
                return await self._on_webhook(request, filters)
            case "WebSocket" if request.link is not None:
                return self._on_socket(request, filters)
            case other:
                raise bad_value("transportType", other)

    def _on_socket(self, request: Request, filters: list[Filter]) -> Answer:
        link = request.link
        if link is None:
            raise bad_value("transportType")
        if link.subscription is not None:
            self._subscriptions.remove(link.subscription)

        def gone() -> None:
            if link.subscription is subscription:
                link.subscription = None

        now = self._clock()
        subscription = Subscription(
            owner=request.asker,
            filters=filters,
            transport="WebSocket",
            created_at=now,
            expires_at=now + _SOCKET_LIFE_S,
            deliver=lambda notification: self._links.deliver(link, notification),
            gone=gone,
        )
        link.subscription = subscription
        self._subscriptions.add(subscription)
        return self._told(subscription)

    async def _on_webhook(self, request: Request, filters: list[Filter]) -> Answer:
        delivery = child(request.body, "deliveryMode")
        address, token = delivery.get("address"), delivery.get("verificationToken")
        if not isinstance(address, str):
            raise bad_value("address", address)
        if token is not None and not isinstance(token, str):
            raise bad_value("verificationToken")
        life_s = _life_s(request.body)
        await self._webhooks.shake_hands(address)
        now = self._clock()
        subscription = Subscription(
            owner=request.asker,
            filters=filters,
            transport="WebHook",
            created_at=now,
            expires_at=now + life_s,
            deliver=lambda notification: self._webhooks.deliver(subscription, notification),
            gone=lambda: self._webhooks.forget(subscription),
            address=address,
            verification_token=token,
        )
        self._subscriptions.add(subscription)
        return self._told(subscription)

    async def _list(self, request: Request) -> Answer:
        own = [one for one in self._subscriptions.by_id.values() if one.owner is request.asker]
        records = [self._subscriptions.described(one) for one in own]
        return Answer(200, {"uri": "/restapi/v1.0/subscription", "records": records})

    async def _get(self, request: Request) -> Answer:
        return self._told(self._asked(request))

    async def _update(self, request: Request) -> Answer:
        subscription = self._asked(request)
        subscription.filters = self._filters(request) or subscription.filters
        return self._renewed(subscription, request.body)

    async def _renew(self, request: Request) -> Answer:
        return self._renewed(self._asked(request), request.body)

    async def _delete(self, request: Request) -> Answer:
        self._subscriptions.remove(self._asked(request))
        return Answer(204)

    def _renewed(self, subscription: Subscription, body: Json) -> Answer:
        life_s = _SOCKET_LIFE_S if subscription.transport == "WebSocket" else _life_s(body)
        self._subscriptions.renew(subscription, life_s)
        return self._told(subscription)

    def _filters(self, request: Request) -> list[Filter]:
        texts = request.body.get("eventFilters", [])
        if not isinstance(texts, list):
            raise ApiError(400, "SUB-508", "Event filters are not a list")
        return [read(text, self._account, request.asker) for text in texts]

    def _asked(self, request: Request) -> Subscription:
        return self._subscriptions.get(request.params["subscription"], request.asker)

    def _told(self, subscription: Subscription) -> Answer:
        headers = {"WSG-SubscriptionId": subscription.subscription_id} if subscription.transport == "WebSocket" else {}
        return Answer(200, self._subscriptions.described(subscription), headers)


def _life_s(body: Json) -> float:
    life_s = body.get("expiresIn", _WEBHOOK_LIFE_S)
    if not isinstance(life_s, int) or isinstance(life_s, bool) or not 1 <= life_s <= _LONGEST_S:
        raise bad_value("expiresIn", life_s)
    return life_s
