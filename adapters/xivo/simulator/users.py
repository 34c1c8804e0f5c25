"""The users of the simulated XiVO, and the tokens they sign on with.

Inferred: the code of an unknown token is `InvalidToken` (only `TokenExpired` has been seen); a token that has been
          exchanged for a new one stays good until its own end; `TTL` is seconds.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign on; `number` is that of their line, None without a line."""

    user_id: int
    login: str
    password: str = field(repr=False)
    name: str
    number: str | None


class Users:
    """Everybody with a CTI login, and the contacts who have a line and no login."""

    def __init__(self) -> None:
        self.by_login: dict[str, User] = {}
        self.contacts: dict[str, str] = {}
        "names of those without a login, by the number of their line"

    def add(self, login: str, password: str, name: str, number: str | None) -> User:
        """Add a user, or replace the one with this login."""
        user = User(len(self.by_login) + 1, login, password, name, number)
        self.by_login[login] = user
        return user

    def checked(self, login: str, password: str) -> User | None:
        """Find the user with this password."""
        user = self.by_login.get(login)
        right = user is not None and hmac.compare_digest(user.password.encode(), password.encode())
        return user if right else None

    def with_line(self, number: str) -> User | None:
        """Find the user whose line has this number."""
        return next((user for user in self.by_login.values() if user.number == number), None)


class Issued(NamedTuple):
    """Whose a token is, and until when it is good."""

    login: str
    expires_at: float


class TokenError(Exception):
    """A token is not good; `code` is the error that xuc answers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Tokens:
    """Makes and checks tokens; use does not extend their life.

    Units: `life_s` is seconds, `clock` gives Unix seconds.
    """

    def __init__(self, life_s: float, clock: Callable[[], float]) -> None:
        self.life_s = life_s
        self._clock = clock
        self._issued: dict[str, Issued] = {}

    def issue(self, login: str) -> str:
        """Make a new token."""
        token = secrets.token_urlsafe(24)
        self._issued[token] = Issued(login, self._clock() + self.life_s)
        if len(self._issued) > _MOST_TOKENS:
            del self._issued[next(iter(self._issued))]
        return token

    def login_of(self, token: str) -> str:
        """Tell whose token this is.

        Errors: TokenError.
        """
        issued = self._issued.get(token)
        if issued is None:
            raise TokenError("InvalidToken")
        if issued.expires_at <= self._clock():
            raise TokenError("TokenExpired")
        return issued.login

    @property
    def issued(self) -> list[str]:
        """All that are remembered."""
        return list(self._issued)

    def expire_all(self) -> None:
        """Make every token so far worthless."""
        self._issued = {token: Issued(issued.login, 0.0) for token, issued in self._issued.items()}
