"""Sign-in: who may log in, and the tokens that prove it."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from .shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one account of the simulator and its two ways in."""

    account_id: str
    name: str
    realm: str
    owner_id: str
    username: str
    password: str
    api_key: str

    def __repr__(self) -> str:
        return f"Account({self.account_id!r}, {self.name!r})"

    def accepts(self, method: str, credentials: str) -> bool:
        """Whether this is the hash of `username:password`, the user name in lower case."""
        plain = f"{self.username.lower()}:{self.password}".encode()
        digest = (hashlib.sha1 if method == "sha" else hashlib.md5)(plain, usedforsecurity=False)
        return hmac.compare_digest(digest.hexdigest(), credentials.lower())

    def is_named(self, name: str) -> bool:
        """Whether this is our name, all but letters and digits left aside."""
        return _letters_and_digits(name) == _letters_and_digits(self.name)

    def has_realm(self, realm: str) -> bool:
        """Whether this is our SIP realm."""
        return realm.lower() == self.realm


def _letters_and_digits(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Tokens:
    """Makes and checks JWTs. Their life is fixed: use does not extend it.

    Units:  `exp` is Unix seconds, unlike every other instant of Kazoo.
    """

    def __init__(self, life_s: float, clock: Callable[[], float]) -> None:
        self._life_s = life_s
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._serial = 0

    def issue(self, account: Account, method: str) -> str:
        """Make a new token."""
        self._serial += 1
        claims: Json = {
            "iss": "kazoo",
            "account_id": account.account_id,
            "method": method,
            "jti": str(self._serial),
            "exp": int(self._clock() + self._life_s),
        }
        if method == "cb_user_auth":
            claims["owner_id"] = account.owner_id
        text = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{text}.{self._signature(text)}"

    def claims(self, token: str) -> Json | None:
        """Read the claims of a good token; None when it is expired, revoked or not ours."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(text).encode(), signature.encode()):
            return None
        claims = msgspec.json.decode(_padded(text.partition(".")[2]), type=Json)
        expires = claims.get("exp")
        return claims if isinstance(expires, int) and expires > self._clock() else None

    def revoke_all(self) -> None:
        """Make every token so far worthless."""
        self._key = secrets.token_bytes(32)

    def _signature(self, text: str) -> str:
        return _base64(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def _encoded(part: Json) -> str:
    return _base64(msgspec.json.encode(part))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
