"""Sign-in: sessions with an access token and a refresh token that is used once, and tokens for the socket.

Inferred: a wrong JWT is 400 OAU-140, an unknown way to sign in 400 OAU-250; over the most sessions of one user the
          oldest ends; lives a client asks for are not listened to; a token of the socket that was used is worthless.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .failures import OAuthError, token_not_found
from .faults import Faults
from .people import Account, Extension
from .shapes import Json

REUSE_S = 10.0
"for how long a refresh token works again, counted from the first use of the access token it gave"
UNUSED_REUSE_S = 3600.0
"the same while that access token has not been used"
_SCOPES = ("CallControl", "WebSocketsSubscription", "ReadPresence", "ReadAccounts")


@dataclass(slots=True)
class Lives:
    """How long tokens are good.

    Units: seconds.
    """

    access_s: float = 3600
    refresh_s: float = 604_800
    socket_s: float = 30


@dataclass(slots=True, eq=False)
class Grant:
    """One pair of tokens, and the answer that gave it."""

    access: str
    access_until: float
    refresh: str | None
    refresh_until: float
    answer: Json = field(default_factory=dict)
    used_at: float | None = None


@dataclass(slots=True, eq=False)
class Login:
    """One OAuth session of somebody: the grant that is good now, and the one before it."""

    extension: Extension
    grant: Grant
    before: Grant | None = None
    refreshed_at: float = 0.0
    alive: bool = True


class OAuth:
    """Gives tokens and knows whose they are.

    Units: `clock` gives Unix seconds.
    """

    def __init__(
        self,
        account: Account,
        faults: Faults,
        clock: Callable[[], float],
        *,
        client_id: str,
        client_secret: str,
        lives: Lives,
        most_sessions: int,
    ) -> None:
        self.lives = lives
        self.issued: deque[str] = deque(maxlen=10_000)
        self._account = account
        self._faults = faults
        self._clock = clock
        self._client = f"{client_id}:{client_secret}"
        self._most_sessions = most_sessions
        self._logins: list[Login] = []
        self._socket_tokens: dict[str, tuple[Login, float]] = {}

    # The token endpoint

    def check_client(self, credentials: str | None) -> None:
        """Errors: OAuthError when these are not the id and secret of the app."""
        if credentials is None or not secrets.compare_digest(credentials.encode(), self._client.encode()):
            raise OAuthError(401, "invalid_client", "OAU-123", "Client authentication is required")

    def granted(self, form: dict[str, str]) -> Json:
        """Answer a request for tokens.

        Errors: OAuthError.
        """
        match form.get("grant_type"):
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return self._sign_in(form.get("assertion", ""))
            case "refresh_token":
                return self._refresh(form.get("refresh_token", ""))
            case _:
                raise OAuthError(400, "unsupported_grant_type", "OAU-250", "Unsupported grant type")

    def revoke(self, token: str) -> None:
        """End the session that one of its tokens names; an unknown token changes nothing."""
        for login in [one for one in self._logins if token in (one.grant.access, one.grant.refresh)]:
            self._end(login)

    def _sign_in(self, jwt: str) -> Json:
        extension = self._account.with_jwt(jwt)
        if extension is None:
            raise OAuthError(400, "invalid_grant", "OAU-140", "Invalid resource owner credentials")
        login = Login(extension, self._grant(extension))
        mine = [one for one in self._logins if one.extension is extension]
        if len(mine) >= self._most_sessions:
            self._end(mine[0])
        self._logins.append(login)
        return login.grant.answer

    def _refresh(self, token: str) -> Json:
        now = self._clock()
        for login in self._logins:
            if token == login.grant.refresh and now < login.grant.refresh_until:
                login.before, login.grant = login.grant, self._grant(login.extension)
                login.refreshed_at = now
                return login.grant.answer
            if login.before is not None and token == login.before.refresh and now < self._reusable_until(login):
                return login.grant.answer
        raise OAuthError(400, "invalid_grant", "OAU-213", "Token not found")

    @staticmethod
    def _reusable_until(login: Login) -> float:
        used_at = login.grant.used_at
        return login.refreshed_at + UNUSED_REUSE_S if used_at is None else used_at + REUSE_S

    def _grant(self, extension: Extension) -> Grant:
        now = self._clock()
        refresh = None if self._faults.no_refresh_token else self._new()
        grant = Grant(self._new(), now + self.lives.access_s, refresh, now + self.lives.refresh_s)
        grant.answer = {
            "access_token": grant.access,
            "token_type": "bearer",
            "expires_in": int(self.lives.access_s),
            "scope": " ".join(scope for scope in _SCOPES if scope != self._faults.forbidden_scope),
            "owner_id": extension.extension_id,
            "endpoint_id": secrets.token_urlsafe(16),
        }
        if refresh is not None:
            grant.answer |= {"refresh_token": refresh, "refresh_token_expires_in": int(self.lives.refresh_s)}
        return grant

    def _new(self) -> str:
        token = secrets.token_urlsafe(32)
        self.issued.append(token)
        return token

    # Use of tokens

    def login_of(self, token: str | None) -> Login:
        """Tell whose access token this is.

        Errors: ApiError 401.
        """
        for login in self._logins:
            if token == login.grant.access and self._clock() < login.grant.access_until:
                if login.grant.used_at is None:
                    login.grant.used_at = self._clock()
                return login
        raise token_not_found()

    def socket_token(self, login: Login) -> str:
        """Make a token that opens a socket once."""
        now = self._clock()
        self._socket_tokens = {token: kept for token, kept in self._socket_tokens.items() if kept[1] > now}
        token = self._new()
        self._socket_tokens[token] = (login, now + self.lives.socket_s)
        return token

    def socket_login(self, token: str) -> Login | None:
        """Tell who opens a socket with this; None when it is not good (any more)."""
        login, until = self._socket_tokens.pop(token, (None, 0.0))
        return login if login is not None and login.alive and self._clock() < until else None

    # The hand

    def expire_access(self) -> None:
        """Every access token becomes worthless; refresh tokens stay good."""
        for login in self._logins:
            login.grant.access_until = 0.0

    def end_all(self) -> None:
        """End every session."""
        for login in list(self._logins):
            self._end(login)

    def _end(self, login: Login) -> None:
        login.alive = False
        self._logins.remove(login)
