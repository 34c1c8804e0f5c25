"""Calling subscribers: the handshake, deliveries one after another, and giving up on who fails.

Inferred: a delivery that fails is not tried again; so many failures in a row blacklist a subscription for good; a
          handshake that takes too long is SUB-521, an answer that is not 200 or too long SUB-525.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import msgspec

from .failures import ApiError, bad_value
from .faults import Faults
from .shapes import Json
from .subscriptions import Subscription

ANSWER_WITHIN_S = 3.0
_LONGEST_ANSWER = 1024
_MOST_WAITING = 10_000
_HEADERS = {"Content-Type": "application/json", "User-Agent": "RingCentral-Webhook/8.3"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class _Line:
    """What waits for one subscriber."""

    waiting: deque[Json] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    failures: int = 0
    worker: asyncio.Task[None] | None = None


class Webhooks:
    """Delivers to addresses, each in order.

    Units: `answer_within_s` is seconds; `blacklist_after` deliveries.
    """

    def __init__(
        self,
        faults: Faults,
        clock: Callable[[], float],
        stirred: Callable[[], None],
        *,
        answer_within_s: float,
        blacklist_after: int,
    ) -> None:
        self._faults = faults
        self._clock = clock
        self._stirred = stirred
        self._answer_within_s = answer_within_s
        self._blacklist_after = blacklist_after
        self._http: aiohttp.ClientSession | None = None
        self._lines: dict[str, _Line] = {}

    async def stop(self) -> None:
        """End every delivery; what waits is lost."""
        workers = [line.worker for line in self._lines.values() if line.worker is not None]
        self._lines.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def shake_hands(self, address: str) -> None:
        """See whether somebody listens there who means it.

        Errors: ApiError.
        """
        _check_address(address)
        token = secrets.token_urlsafe(16)
        try:
            async with (
                asyncio.timeout(self._answer_within_s),
                self._post(address, b"", {"Validation-Token": token}) as answer,
            ):
                await self._check_hand(answer, token)
        except (TimeoutError, aiohttp.ClientError):
            raise ApiError(400, "SUB-521", "Webhook is not reachable") from None

    @staticmethod
    async def _check_hand(answer: aiohttp.ClientResponse, token: str) -> None:
        length = sum(len(name) + len(value) + 4 for name, value in answer.raw_headers) + len(await answer.read())
        if answer.status != 200 or length > _LONGEST_ANSWER:
            raise ApiError(400, "SUB-525", "Webhook answered wrongly")
        if answer.headers.get("Validation-Token") != token:
            raise ApiError(400, "SUB-520", "Webhook did not give the validation token back")

    def deliver(self, subscription: Subscription, notification: Json) -> None:
        """Put a notification at the end of what a subscriber gets."""
        if subscription.blacklisted_at is not None:
            return
        line = self._lines.setdefault(subscription.subscription_id, _Line())
        line.waiting.append(notification)
        if line.worker is None or line.worker.done():
            line.worker = asyncio.create_task(self._work(subscription, line), name="webhook")

    def forget(self, subscription: Subscription) -> None:
        """Deliver nothing more to a subscription that has ended."""
        line = self._lines.get(subscription.subscription_id)
        if line is None:
            return
        line.waiting.clear()
        if line.worker is None or line.worker.done():
            del self._lines[subscription.subscription_id]

    async def _work(self, subscription: Subscription, line: _Line) -> None:
        while line.waiting:
            arrived = await self._arrived(subscription, line.waiting.popleft())
            line.failures = 0 if arrived else line.failures + 1
            if line.failures >= self._blacklist_after:
                subscription.blacklisted_at = self._clock()
                line.waiting.clear()
            self._stirred()

    async def _arrived(self, subscription: Subscription, notification: Json) -> bool:
        headers = {}
        if subscription.verification_token is not None:
            wrong = self._faults.wrong_verification_token
            headers["Verification-Token"] = secrets.token_urlsafe(8) if wrong else subscription.verification_token
        try:
            async with (
                asyncio.timeout(self._answer_within_s),
                self._post(subscription.address or "", msgspec.json.encode(notification), headers) as answer,
            ):
                return answer.status == 200
        except (TimeoutError, aiohttp.ClientError):
            return False

    def _post(
        self, address: str, body: bytes, headers: dict[str, str]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http.post(address, data=body, headers=_HEADERS | headers, allow_redirects=False)


def _check_address(address: str) -> None:
    """Errors: ApiError."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise bad_value("address", address) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ApiError(400, "SUB-523", "HTTPS is required for a webhook")
