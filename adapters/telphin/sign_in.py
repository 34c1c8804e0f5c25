"""The token Telphin lets us act with: got for our application, and renewed before it expires, by one at a time."""

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.config import TelphinSettings
from adapters.telphin.errors import RateLimitedError, TelphinError, sign_in_failed
from adapters.telphin.wire import TokenJson
from gateway.model.errors import GatewayError, SignInRefused

_USUAL_LIFE_S = 3600.0
"""What every documented answer says, and what is taken for the one that says nothing."""
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
    """Gives out a token that should do; Telphin may end one before its time, which only a 401 tells."""

    def __init__(self, settings: TelphinSettings, grant: Grant, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._grant = grant
        self._clock = clock
        self._held: _Token | None = None
        self._turn = asyncio.Lock()
        self._attempts = 0
        self._outcome: _Token | GatewayError | RateLimitedError | None = None

    async def token(self) -> str:
        """Give a token; those who need a new one at the same time share the asking and its outcome.

        Errors: SignInRefused, LinkDown, RateLimitedError.
        """
        if self._held is not None and self._clock() < self._held.renew_at:
            return self._held.text
        attempts = self._attempts
        async with self._turn:
            if self._outcome is None or attempts == self._attempts:  # nobody has asked while we waited
                self._outcome = await self._renewed()
                self._attempts += 1
            outcome = self._outcome
        if isinstance(outcome, Exception):
            raise copy(outcome)  # each its own: a shared one would gather the tracebacks of all
        return outcome.text

    def reject(self, token: str) -> None:
        """Learn that Telphin takes a token no longer; a newer one stays."""
        if self._held is not None and self._held.text == token:
            self._held = None

    async def _renewed(self) -> _Token | GatewayError | RateLimitedError:
        """Get a new token; a Telphin that does not answer leaves us what is still good."""
        try:
            self._held = self._read(await self._grant(self._form()))
        except (TelphinError, NotUnderstoodError) as error:
            failure = error if isinstance(error, RateLimitedError) else sign_in_failed(error)
            now = self._clock()
            if isinstance(failure, SignInRefused) or self._held is None or now >= self._held.expires_at:
                return failure
            self._held = replace(self._held, renew_at=min(now + _RENEWAL_RETRY_S, self._held.expires_at))
        return self._held

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self._settings.app_id,
            "client_secret": self._settings.app_secret.get_secret_value(),
        }

    def _read(self, answer: TokenJson) -> _Token:
        text = answer["access_token"]
        if not _FIT_FOR_A_HEADER.fullmatch(text):
            raise NotUnderstoodError("no token in the answer")
        life_s = life_of(answer.get("expires_in"))
        now = self._clock()
        return _Token(text, now + max(life_s - _RENEWED_EARLY_S, life_s / 2), now + life_s)


def life_of(expires_in: object) -> float:
    """Read how long a token lives, in seconds; an hour where nothing sensible is said."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
        return _USUAL_LIFE_S
    return min(expires_in, _LONGEST_LIFE_S) if expires_in > 0 and math.isfinite(expires_in) else _USUAL_LIFE_S
