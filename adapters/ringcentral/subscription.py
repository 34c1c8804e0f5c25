"""What is subscribed to, over the socket or by a hook, and keeping a hook's subscription alive."""

import asyncio
import logging

from adapters.kit.understanding import JsonObject, shaped
from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import (
    RefusedError,
    RingCentralError,
    as_link_errors,
    filters_disabled,
    subscription_refused,
)
from adapters.ringcentral.stream import Socket
from adapters.ringcentral.wire import SubscriptionJson
from gateway.model.errors import GatewayError, LinkDown

log = logging.getLogger(__name__)

_PATH = "/restapi/v1.0/subscription"
_LIFE_S = 7 * 86_400 - 1
_GOODBYE_S = 5.0
_RENEWED_AT = 0.8
"""Which part of a subscription's life passes before it is renewed."""


def event_filters(settings: RingCentralSettings) -> list[str]:
    """Say what to subscribe to: the calls of our user, or of everybody in the account."""
    whose = "/extension/~" if settings.scope == "extension" else ""
    return [f"/restapi/v1.0/account/~{whose}/telephony/sessions"]


async def subscribe(socket: Socket, settings: RingCentralSettings) -> None:
    """Subscribe over the socket; it lives as long as the connection, and needs no renewal.

    Errors: SignInRefused, LinkDown.
    """
    body: JsonObject = {"eventFilters": event_filters(settings), "deliveryMode": {"transportType": "WebSocket"}}
    with as_link_errors():
        try:
            made = shaped(await socket.ask("POST", _PATH, body), SubscriptionJson, "subscription")
        except RefusedError as error:
            raise subscription_refused(error) from None
    _check(made)


class HookSubscription:
    """The subscription of a hook: made with a token of its own, renewed, and ended at the end."""

    def __init__(self, client: Client, settings: RingCentralSettings, made: SubscriptionJson) -> None:
        self.id = made["id"]
        self._client = client
        self._check_s = settings.poll_interval_s
        self._renew_at = 0.0
        self._renewed(made)

    @classmethod
    async def open(cls, client: Client, settings: RingCentralSettings, verification_token: str) -> "HookSubscription":
        """Subscribe, after what earlier runs left for the same address: those have other tokens, or are blacklisted.

        RingCentral calls the hook before it answers, so that it has to expect the token already.

        Errors: SignInRefused, LinkDown.
        """
        address = settings.webhook_url or ""
        with as_link_errors():
            for old in await client.subscriptions():
                if (old.get("deliveryMode") or {}).get("address") == address:
                    await client.delete_subscription(old["id"])
            try:
                made = await client.create_subscription(event_filters(settings), address, verification_token, _LIFE_S)
            except RefusedError as error:
                raise subscription_refused(error) from None
        try:
            _check(made)
        except GatewayError:
            await _deleted(client, made["id"])
            raise
        return cls(client, settings, made)

    async def keep(self) -> None:
        """Renew in time, and see that RingCentral still delivers; it never returns.

        Errors: SignInRefused, LinkDown; what was not delivered meanwhile is lost, and there has to be another one.
        """
        while True:
            await asyncio.sleep(max(0.0, min(self._check_s, self._renew_at - _now())))
            with as_link_errors():
                try:
                    if _now() >= self._renew_at:
                        self._renewed(await self._client.renew_subscription(self.id))
                    _check(await self._client.subscription(self.id))
                except RefusedError as error:
                    if error.is_gone:
                        raise LinkDown("RingCentral has ended the subscription of the hook") from None
                    raise

    async def aclose(self) -> None:
        """End the subscription, if RingCentral can be reached; else it ends by itself, or when the next one is made."""
        await _deleted(self._client, self.id)

    def _renewed(self, found: SubscriptionJson) -> None:
        life_s = found.get("expiresIn")
        self._renew_at = _now() + (life_s if life_s is not None and life_s > 0 else _LIFE_S) * _RENEWED_AT


async def _deleted(client: Client, subscription_id: str) -> None:
    try:
        async with asyncio.timeout(_GOODBYE_S):  # its turn may come late, and nobody should wait for that at the end
            await client.delete_subscription(subscription_id)
    except (RingCentralError, GatewayError, TimeoutError) as error:
        log.info("a subscription at RingCentral could not be ended (%s)", type(error).__name__)


def _check(found: SubscriptionJson) -> None:
    """See that a subscription delivers what it is for.

    Errors: SignInRefused, LinkDown.
    """
    if found.get("status") == "Blacklisted":
        raise LinkDown("RingCentral has blacklisted the hook, since its calls failed")
    if found.get("status") not in (None, "Active"):
        raise LinkDown("RingCentral has suspended the subscription of the hook")
    if disabled := found.get("disabledFilters"):
        raise filters_disabled(disabled)


def _now() -> float:
    return asyncio.get_running_loop().time()
