"""One HTTP request to Telphin: its part of the quota, its token, its limits, and the answer as JSON or a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import ClientResponse, FormData
from yarl import URL

from adapters.kit.requests import Requester
from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded, shaped
from adapters.telphin.config import TelphinSettings
from adapters.telphin.errors import RateLimitedError, UnreachableError, refusal
from adapters.telphin.pace import Quota, Turn
from adapters.telphin.sign_in import SignIn
from adapters.telphin.wire import TokenJson

_API = "api/ver1.0"
_SIGN_IN = "oauth/token"
_LARGEST_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    Shape: `path` are words below `/api/ver1.0/`, the last of them empty where Telphin's path ends in a slash; `urgent`
           is what somebody waits for. A `body` may hold PINs.
    """

    method: str
    path: tuple[str, ...]
    urgent: bool
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Requester):
    """Sends requests as long as the quota lasts, with a good token."""

    def __init__(self, settings: TelphinSettings) -> None:
        super().__init__(UnreachableError, settings.request_timeout_s)
        self.settings = settings
        self.quota = Quota()
        self.sign_in = SignIn(settings, self._grant)
        self._signing_in = Quota()  # the token endpoint has limits of its own

    async def ask(self, request: Request) -> object:
        """Send a request and give its JSON, None where it is empty; a 401 has not acted, so it is sent once more.

        Errors: TelphinError, NotUnderstoodError, SignInRefused, LinkDown.
        """
        self.quota.check(urgent=request.urgent)  # before there is a sign-in for nothing
        token = await self.sign_in.token()
        answer = await self._ask(request, token)
        if answer.status == 401:
            self.sign_in.reject(token)
            answer = await self._ask(request, await self.sign_in.token())
        return _understood(answer)

    async def _ask(self, request: Request, token: str) -> _Answer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        data = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(request.body)
        async with self.quota.turn(urgent=request.urgent) as turn:
            answer = await self._send(request.method, self._url(request), headers, data, _read)
            _learn(turn, answer)
        if answer.status == 429:
            raise RateLimitedError(self.quota.wait_s(urgent=True))
        return answer

    async def _grant(self, form: Mapping[str, str]) -> TokenJson:
        """Ask the token endpoint for a token; what it says of limits is about itself.

        Errors: TelphinError, NotUnderstoodError.
        """
        url = URL(f"{self.settings.url}/{_SIGN_IN}")
        async with self._signing_in.turn(urgent=True) as turn:
            answer = await self._send("POST", url, {"Accept": "application/json"}, FormData(form), _read)
            if answer.status == 429:
                turn.refused(answer.headers)
        if answer.status == 429:
            raise RateLimitedError(self._signing_in.wait_s(urgent=True))
        return shaped(_understood(answer), TokenJson, "sign-in")

    def _url(self, request: Request) -> URL:
        path = "/".join(quote(word, safe="@") for word in request.path)
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.query.items())
        return URL(f"{self.settings.url}/{_API}/{path}{'?' if query else ''}{query}", encoded=True)


async def _read(response: ClientResponse) -> _Answer:
    return _Answer(response.status, response.headers, await body_of(response, _LARGEST_ANSWER_BYTES))


def _learn(turn: Turn, answer: _Answer) -> None:
    if answer.status == 429:
        turn.refused(answer.headers)
    else:
        turn.learned(answer.headers)


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
