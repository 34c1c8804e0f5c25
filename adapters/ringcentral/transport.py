"""One HTTP request to RingCentral: its turn, its token, its limits, and the answer as JSON or a failure."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
)
from yarl import URL

from adapters.kit.requests import BrokenError, only_once
from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded, shaped
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import RateLimitedError, RefusedError, RingCentralError, UnreachableError, refusal
from adapters.ringcentral.pace import Group, Pace, Turn
from adapters.ringcentral.sign_in import SignIn
from adapters.ringcentral.wire import TokenJson

API = ("restapi", "v1.0")
OAUTH = ("restapi", "oauth")

_TRIES = 3
_LARGEST_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    Shape: `path` are words below the base URL; `urgent` is what somebody waits for: a command, or signing in.
    """

    method: str
    path: tuple[str, ...]
    group: Group
    urgent: bool
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests as the pace allows, with a good token; nobody's token is kept in the session."""

    def __init__(self, settings: RingCentralSettings) -> None:
        self.settings = settings
        self.pace = Pace()
        self.sign_in = SignIn(settings, self._grant)
        self._opened: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The one HTTP session of this backend; it is made in the event loop that uses it."""
        if self._opened is None:
            self._opened = ClientSession(cookie_jar=DummyCookieJar(), middlewares=(only_once,))
        return self._opened

    async def aclose(self) -> None:
        """Close all connections."""
        self.pace.close()
        if self._opened is not None:
            await self._opened.close()

    async def ask(self, request: Request) -> object:
        """Send a request and give its JSON, None where it is empty; a 401 has not acted, so it is sent once more.

        Errors: RingCentralError, NotUnderstoodError, SignInRefused, LinkDown.
        """
        token = await self.sign_in.token()
        try:
            return await self._ask(request, token)
        except RefusedError as error:
            if not error.is_bad_token:
                raise
        self.sign_in.reject(token)
        return await self._ask(request, await self.sign_in.token())

    async def _ask(self, request: Request, token: str) -> object:
        """Send a request again after a 429, which has not acted; the pace says when, or that it would be too long.

        Errors: RingCentralError, NotUnderstoodError.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        data = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(request.body)
        for _ in range(_TRIES):
            async with self.pace.turn(request.group, urgent=request.urgent) as turn:
                answer = await self._send(request.method, self._url(request), headers, data, turn)
            if answer.status != 429:
                return _understood(answer)
        raise RateLimitedError(self.pace.wait_s(request.group))

    async def _grant(self, form: Mapping[str, str]) -> TokenJson:
        """Ask the token endpoint for a token; a 503 of it is a penalty, too.

        Errors: RingCentralError, NotUnderstoodError.
        """
        app = f"{self.settings.client_id}:{self.settings.client_secret.get_secret_value()}"
        headers = {"Authorization": f"Basic {base64.b64encode(app.encode()).decode()}", "Accept": "application/json"}
        url = URL(f"{self.settings.url}/{'/'.join(OAUTH)}/token")
        async with self.pace.turn(Group.AUTH, urgent=True) as turn:
            answer = await self._send("POST", url, headers, FormData(form), turn)
            if answer.status == 503:
                turn.refused(answer.headers.get("Retry-After"))
        if answer.status == 429:
            raise RateLimitedError(self.pace.wait_s(Group.AUTH))
        return shaped(_understood(answer), TokenJson, "sign-in")

    async def _send(
        self, method: str, url: URL, headers: dict[str, str], data: bytes | FormData | None, turn: Turn
    ) -> _Answer:
        answer = await self._try(method, url, headers, data, turn)
        if isinstance(answer, RingCentralError):
            raise answer  # not in `_try`, where aiohttp's exception would be its context: that one shows headers
        return answer

    async def _try(
        self, method: str, url: URL, headers: dict[str, str], data: bytes | FormData | None, turn: Turn
    ) -> _Answer | UnreachableError:
        limit_s = self.settings.request_timeout_s
        timeout = ClientTimeout(total=None, sock_connect=limit_s / 2)
        try:
            # Not aiohttp's own limit for all of it: that one swallows a cancellation which comes at the same moment.
            async with (
                asyncio.timeout(limit_s),
                self.session.request(method, url, data=data, headers=headers, timeout=timeout) as response,
            ):
                turn.learned(response.headers)
                if response.status == 429:
                    turn.refused(response.headers.get("Retry-After"))
                return _Answer(response.status, response.headers, await body_of(response, _LARGEST_ANSWER_BYTES))
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            return UnreachableError(f"cannot connect to RingCentral ({type(error).__name__})", sent=False)
        except TimeoutError:
            return UnreachableError("RingCentral did not answer in time", sent=True)
        except BrokenError as error:
            return UnreachableError(f"the connection to RingCentral broke ({error})", sent=True)
        except ClientError as error:
            return UnreachableError(f"the connection to RingCentral broke ({type(error).__name__})", sent=True)

    def _url(self, request: Request) -> URL:
        path = "/".join(quote(word, safe="~") for word in request.path)
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.query.items())
        return URL(f"{self.settings.url}/{path}{'?' if query else ''}{query}", encoded=True)


def _understood(answer: _Answer) -> object:
    """Read an answer.

    Errors: RefusedError, NotUnderstoodError.
    """
    if answer.status < 300:
        return decoded(answer.body, "answer") if answer.body.strip() else None
    try:
        found = decoded(answer.body, "answer")
    except NotUnderstoodError:
        found = None
    raise refusal(answer.status, found)
