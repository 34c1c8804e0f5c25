"""One HTTP request to RingCentral: its turn, its token, its limits, and the answer as JSON or a failure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import ClientResponse, FormData
from yarl import URL

from adapters.kit.requests import Requester
from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded, shaped
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import RateLimitedError, RefusedError, UnreachableError, refusal
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


class Transport(Requester):
    """Sends requests as the pace allows, with a good token."""

    def __init__(self, settings: RingCentralSettings) -> None:
        super().__init__(UnreachableError, settings.request_timeout_s)
        self.settings = settings
        self.pace = Pace()
        self.sign_in = SignIn(settings, self._grant)

    async def aclose(self) -> None:
        """Close all connections."""
        self.pace.close()
        await super().aclose()

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
                answer = await self._answered(request.method, self._url(request), headers, data, turn)
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
            answer = await self._answered("POST", url, headers, FormData(form), turn)
            if answer.status == 503:
                turn.refused(answer.headers.get("Retry-After"))
        if answer.status == 429:
            raise RateLimitedError(self.pace.wait_s(Group.AUTH))
        return shaped(_understood(answer), TokenJson, "sign-in")

    async def _answered(
        self, method: str, url: URL, headers: dict[str, str], data: bytes | FormData | None, turn: Turn
    ) -> _Answer:
        async def read(response: ClientResponse) -> _Answer:
            turn.learned(response.headers)
            if response.status == 429:
                turn.refused(response.headers.get("Retry-After"))
            return _Answer(response.status, response.headers, await body_of(response, _LARGEST_ANSWER_BYTES))

        return await self._send(method, url, headers, data, read)

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
