"""Sign-in of a trusted application: a token for its id and secret.

Inferred: a wrong id or secret is 401 invalid_client, another way to sign in 400 unsupported_grant_type; every request
          makes another token, and those before it stay good. The limit of 20 requests a second is not simulated.
"""

import secrets
from collections import deque
from collections.abc import Callable, Mapping

from .failures import OAuthError, unauthorized
from .faults import Faults
from .shapes import Json


class OAuth:
    """Gives tokens and knows which are good.

    Units: `clock` gives Unix seconds, `life_s` is seconds.
    """

    def __init__(
        self, faults: Faults, clock: Callable[[], float], *, app_id: str, app_secret: str, life_s: float
    ) -> None:
        self.issued: deque[str] = deque(maxlen=10_000)
        self._faults = faults
        self._clock = clock
        self._app = f"{app_id}:{app_secret}"
        self._life_s = life_s
        self._good_until: dict[str, float] = {}

    def granted(self, form: Mapping[str, str]) -> Json:
        """Answer a request for a token.

        Errors: OAuthError.
        """
        app = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
        if not secrets.compare_digest(app.encode(), self._app.encode()):
            raise OAuthError(401, "invalid_client")
        if form.get("grant_type") != "client_credentials":
            raise OAuthError(400, "unsupported_grant_type")
        token = secrets.token_urlsafe(24)
        self.issued.append(token)
        self._good_until = {old: until for old, until in self._good_until.items() if until > self._clock()}
        self._good_until[token] = self._clock() + self._life_s
        answer: Json = {"access_token": token, "token_type": "Bearer", "expires_in": int(self._life_s), "scope": "all"}
        if self._faults.no_expires_in:
            del answer["expires_in"]
        return answer

    def check(self, authorization: str) -> None:
        """Errors: ApiError 401 when this is no token that is good."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or self._clock() >= self._good_until.get(token, 0.0):
            raise unauthorized()

    def kill(self) -> None:
        """Let every token be worthless before its time."""
        self._good_until.clear()
