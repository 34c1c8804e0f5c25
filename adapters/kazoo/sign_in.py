"""The token Kazoo lets us act with: got by signing in, renewed before it expires, and asked for by one at a time."""

import asyncio
import base64
import binascii
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapters.kazoo.config import KazooSettings
from adapters.kazoo.errors import KazooError, RefusedError, sign_in_refused
from adapters.kazoo.wire import EnvelopeJson, SignInJson
from adapters.kit.understanding import JsonObject, NotUnderstoodError, decoded, objects, shaped
from gateway.model.errors import GatewayError, LinkDown, SignInRefused

_USUAL_LIFE_S = 3600.0
_RENEWED_AT = 0.8
"""Which part of a token's life we use."""
_RENEWAL_RETRY_S = 30.0

Put = Callable[[str, JsonObject], Awaitable[EnvelopeJson]]
"""Sends a request that needs no token: where to, and the `data`."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    account_id: str
    renew_at: float
    expires_at: float


class SignIn:
    """Gives out a good token, signing in when there is none or it is getting old."""

    def __init__(self, settings: KazooSettings, put: Put, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._put = put
        self._clock = clock
        self._account_id = settings.account_id
        self._held: _Token | None = None
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: GatewayError | None = None

    @property
    def account_id(self) -> str:
        """The account whose rooms are served.

        Errors: LinkDown before the first sign-in.
        """
        if self._account_id is None:
            raise LinkDown("not signed in")
        return self._account_id

    async def token(self) -> str:
        """Give a token that will do for a request now.

        Errors: SignInRefused, LinkDown.
        """
        failures = self._failures
        if self._held is None or self._clock() >= self._held.renew_at:
            async with self._lock:
                await self._renew(failures)
        if self._held is None:
            raise LinkDown("not signed in")
        return self._held.text

    def reject(self, token: str) -> None:
        """Learn that Kazoo takes a token no longer; a newer one stays."""
        if self._held is not None and self._held.text == token:
            self._held = None

    async def _renew(self, failures: int) -> None:
        if self._held is not None and self._clock() < self._held.renew_at:
            return  # somebody else did, while we waited
        if self._failures != failures and self._failure is not None:
            raise type(self._failure)(str(self._failure))  # it is ours, too: we were waiting for it
        try:
            self._held = await self._sign_in()
            self._account_id = self._settings.account_id or self._held.account_id
        except (LinkDown, SignInRefused) as failure:
            self._failures += 1
            self._failure = failure
            now = self._clock()
            if isinstance(failure, SignInRefused) or self._held is None or now >= self._held.expires_at:
                raise
            self._held = replace(self._held, renew_at=min(now + _RENEWAL_RETRY_S, self._held.expires_at))

    async def _sign_in(self) -> _Token:
        where, data = credentials(self._settings)
        try:
            answer = await self._put(where, data)
            return self._read(answer)
        except RefusedError as error:
            raise sign_in_refused(error) from None
        except (KazooError, NotUnderstoodError) as error:
            raise LinkDown(f"sign-in: {error}") from None

    def _read(self, answer: EnvelopeJson) -> _Token:
        token = answer.get("auth_token")
        account_id = shaped(answer.get("data"), SignInJson, "sign-in").get("account_id")
        if not token or not account_id:
            raise NotUnderstoodError("no token or account in the answer")
        life_s = life_of(token, answer.get("timestamp"))
        now = self._clock()
        return _Token(token, account_id, now + life_s * _RENEWED_AT, now + life_s)


def credentials(settings: KazooSettings) -> tuple[str, JsonObject]:
    """Say where to sign in and with what: the password itself is never sent.

    Source: how_to_authenticate.md; the schema refuses the `sha1` that the page also names.
    """
    if settings.api_key is not None:
        return "api_auth", {"api_key": settings.api_key.get_secret_value()}
    password = settings.password.get_secret_value() if settings.password else ""
    spoken = f"{(settings.username or '').lower()}:{password}".encode()
    kind = hashlib.md5 if settings.method == "md5" else hashlib.sha1
    data: JsonObject = {"credentials": kind(spoken, usedforsecurity=False).hexdigest(), "method": settings.method}
    for key in ("account_name", "account_realm", "phone_number"):
        if (value := getattr(settings, key)) is not None:
            data[key] = value
    return "user_auth", data


def life_of(token: str, server_time: str | None) -> float:
    """Work out how long a token lives, in seconds, by the server's own clock where the answer tells it.

    Units: `exp` is Unix seconds, unlike every other instant of Kazoo.
    """
    try:
        payload = token.split(".")[1]
        claims = decoded(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), "token")
    except (IndexError, binascii.Error, ValueError, NotUnderstoodError):
        return _USUAL_LIFE_S
    expires = objects(claims).get("exp")
    life_s = expires - _instant(server_time) if isinstance(expires, int | float) else 0.0
    return life_s if life_s > 0 else _USUAL_LIFE_S


def _instant(text: str | None) -> float:
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return datetime.now(UTC).timestamp()
