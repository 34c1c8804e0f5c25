"""The token an account acts with: got by its password, renewed before it expires, and asked for by one at a time."""

import asyncio
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from adapters.kit.understanding import NotUnderstoodError
from adapters.xivo.errors import RefusedError, XivoError, sign_in_failed
from adapters.xivo.transport import Transport
from adapters.xivo.wire import TokenJson
from gateway.model.errors import GatewayError

_USUAL_LIFE_S = 3600.0
_LONGEST_LIFE_S = 30 * 86_400.0
_RENEWED_AT = 0.8
"""Which part of a token's life we use."""
_RENEWAL_RETRY_S = 30.0
_FIT_FOR_A_HEADER = re.compile(r"[!-~]{1,8192}")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    life_s: float
    renew_at: float
    expires_at: float


class SignIn:
    """Gives out a good token of one account, getting another when there is none or it is getting old."""

    def __init__(
        self, login: str, password: SecretStr, transport: Transport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.login = login
        self._password = password
        self._transport = transport
        self._clock = clock
        self._held: _Token | None = None
        self._turn = asyncio.Lock()
        self._attempts = 0
        self._outcome: _Token | GatewayError | None = None

    @property
    def renew_at(self) -> float:
        """When `token` will ask XiVO next, by the clock given; at once while there is none."""
        return self._clock() if self._held is None else self._held.renew_at

    async def token(self) -> str:
        """Give a token that will do now; those who need a new one at the same time share the asking and its outcome.

        Errors: SignInRefused, LinkDown.
        """
        if (held := self._fresh()) is not None:
            return held.text
        attempts = self._attempts
        async with self._turn:
            if self._outcome is None or attempts == self._attempts:  # nobody has asked while we waited
                self._outcome = await self._renew()
                self._attempts += 1
            outcome = self._outcome
        if isinstance(outcome, GatewayError):
            raise type(outcome)(str(outcome))
        return outcome.text

    def reject(self, token: str) -> None:
        """Learn that XiVO takes a token no longer; a newer one stays."""
        if self._held is not None and self._held.text == token:
            self._held = None

    def forget(self) -> None:
        """Let go of the token we have, whichever it is: the next one comes by the password."""
        self._held = None

    def _fresh(self) -> _Token | None:
        return self._held if self._held is not None and self._clock() < self._held.renew_at else None

    async def _renew(self) -> _Token | GatewayError:
        """Exchange the token we have, else log in; a XiVO that does not answer leaves us what is still good."""
        try:
            if self._held is not None:
                self._held = await self._exchanged(self._held)
            if self._held is None:
                self._held = await self._logged_in()
        except (XivoError, NotUnderstoodError) as error:
            now = self._clock()
            if self._held is None or now >= self._held.expires_at:
                return sign_in_failed(self.login, error)
            self._held = replace(self._held, renew_at=min(now + _RENEWAL_RETRY_S, self._held.expires_at))
        return self._held

    async def _exchanged(self, held: _Token) -> _Token | None:
        """Get a token for a token; None if XiVO will not, which is for the password to settle.

        Errors: UnreachableError.
        """
        try:
            return self._read(await self._transport.check(held.text), held.life_s)
        except (RefusedError, NotUnderstoodError):
            return None

    async def _logged_in(self) -> _Token:
        answer = await self._transport.login(self.login, self._password.get_secret_value())
        return self._read(answer, _USUAL_LIFE_S)

    def _read(self, answer: TokenJson, usual_life_s: float) -> _Token:
        text = answer.get("token") or ""
        if not _FIT_FOR_A_HEADER.fullmatch(text):
            raise NotUnderstoodError("no token in the answer")
        life_s = life_of(answer.get("TTL"), usual_life_s)
        now = self._clock()
        return _Token(text, life_s, now + life_s * _RENEWED_AT, now + life_s)


def life_of(ttl: object, usual_s: float) -> float:
    """Read how long a token lives, in seconds; the usual time where nothing sensible is said.

    Source: the documentation has TTL as a placeholder only: neither unit nor type.
    """
    try:
        life_s = float(ttl) if isinstance(ttl, int | float | str) and not isinstance(ttl, bool) else 0.0
    except (ValueError, OverflowError):
        life_s = 0.0
    return min(life_s, _LONGEST_LIFE_S) if life_s > 0 and math.isfinite(life_s) else usual_s
