"""The token RingCentral lets us act with: got by the JWT, renewed before it expires, and asked for by one at a time."""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import RateLimitedError, RefusedError, RingCentralError, sign_in_failed
from adapters.ringcentral.wire import TokenJson
from gateway.model.errors import GatewayError, SignInRefused

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_USUAL_LIFE_S = 3600.0
_LONGEST_LIFE_S = 30 * 86_400.0
_RENEWED_EARLY_S = 60.0
_RENEWAL_RETRY_S = 30.0
_FIT_FOR_A_HEADER = re.compile(r"[!-~]{1,8192}")

Grant = Callable[[Mapping[str, str]], Awaitable[TokenJson]]
"""Sends a form to the token endpoint."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    renew_at: float
    expires_at: float


class SignIn:
    """Gives out a good token, getting another when there is none or it is about to expire.

    A refresh token works once, and the access token it gives ends the one before at once; requests under way with that
    one answer 401 and are sent again. A refresh whose answer was lost may be repeated with the same refresh token.
    """

    def __init__(
        self, settings: RingCentralSettings, grant: Grant, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._grant = grant
        self._clock = clock
        self._held: _Token | None = None
        self._refresh_token: SecretStr | None = None
        self._turn = asyncio.Lock()
        self._attempts = 0
        self._outcome: _Token | GatewayError | RateLimitedError | None = None

    async def token(self) -> str:
        """Give a token that will do now; those who need a new one at the same time share the asking and its outcome.

        Errors: SignInRefused, LinkDown, RateLimitedError.
        """
        if (held := self._fresh()) is not None:
            return held.text
        attempts = self._attempts
        async with self._turn:
            if self._outcome is None or attempts == self._attempts:  # nobody has asked while we waited
                self._outcome = await self._renew()
                self._attempts += 1
            outcome = self._outcome
        if isinstance(outcome, Exception):
            raise copy(outcome)
        return outcome.text

    def reject(self, token: str) -> None:
        """Learn that RingCentral takes a token no longer; a newer one stays."""
        if self._held is not None and self._held.text == token:
            self._held = None

    def _fresh(self) -> _Token | None:
        return self._held if self._held is not None and self._clock() < self._held.renew_at else None

    async def _renew(self) -> _Token | GatewayError | RateLimitedError:
        """Get a new token; a RingCentral that does not answer leaves us what is still good."""
        try:
            self._held = await self._refreshed() or await self._signed_in()
        except (RingCentralError, NotUnderstoodError) as error:
            failure = error if isinstance(error, RateLimitedError) else sign_in_failed(error)
            now = self._clock()
            if isinstance(failure, SignInRefused) or self._held is None or now >= self._held.expires_at:
                return failure
            self._held = replace(self._held, renew_at=min(now + _RENEWAL_RETRY_S, self._held.expires_at))
        return self._held

    async def _refreshed(self) -> _Token | None:
        """Get a token for the refresh token; None if there is none or it is dead, which is for the JWT to settle.

        Errors: RingCentralError, NotUnderstoodError.
        """
        if self._refresh_token is None:
            return None
        try:
            refresh_token = self._refresh_token.get_secret_value()
            answer = await self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})
        except RefusedError as error:
            if error.status not in (400, 401):
                raise
            self._refresh_token = None
            return None
        return self._read(answer)

    async def _signed_in(self) -> _Token:
        assertion = self._settings.jwt.get_secret_value()
        return self._read(await self._grant({"grant_type": _JWT_GRANT, "assertion": assertion}))

    def _read(self, answer: TokenJson) -> _Token:
        text = answer["access_token"]
        if not _FIT_FOR_A_HEADER.fullmatch(text):
            raise NotUnderstoodError("no token in the answer")
        refresh_token = answer.get("refresh_token")
        self._refresh_token = SecretStr(refresh_token) if refresh_token else None
        life_s = life_of(answer.get("expires_in"))
        now = self._clock()
        return _Token(text, now + max(life_s - _RENEWED_EARLY_S, life_s / 2), now + life_s)


def life_of(expires_in: object) -> float:
    """Read how long a token lives, in seconds; an hour where nothing sensible is said."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
        return _USUAL_LIFE_S
    return min(expires_in, _LONGEST_LIFE_S) if expires_in > 0 and math.isfinite(expires_in) else _USUAL_LIFE_S
