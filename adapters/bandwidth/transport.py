"""One HTTP request to Bandwidth: its turn, who we are, its limits, and the answer as JSON or a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import ClientResponse, encode_basic_auth
from yarl import URL

from adapters.bandwidth.config import VERSION, BandwidthSettings
from adapters.bandwidth.errors import RateLimitedError, UnreachableError, refusal, reset_of
from adapters.bandwidth.pace import Endpoint, Pace, Turn
from adapters.kit.requests import Requester
from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded

_TRIES = 3
_LARGEST_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    Shape: `path` are words below the user's; `urgent` is what somebody waits for. A body, as that of an answer, may
           have the callback URL in it, and with it a secret of ours: neither is shown.
    """

    method: str
    path: tuple[str, ...]
    endpoint: Endpoint
    urgent: bool
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Bandwidth answered.

    Shape: `body` is None where there is none: only reads have one. What was created is named by `location`, a path or
           a URL; `next_page` is where a list goes on.
    """

    body: object | None = field(default=None, repr=False)
    location: str | None = None
    next_page: URL | None = None


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    reset: str | None
    location: str | None
    next_page: URL | None
    body: bytes = field(repr=False)


class Transport(Requester):
    """Sends requests as the pace allows."""

    def __init__(self, settings: BandwidthSettings) -> None:
        super().__init__(UnreachableError, settings.request_timeout_s)
        self.settings = settings
        self.pace = Pace(settings.requests_per_second)

    async def aclose(self) -> None:
        """Close all connections."""
        self.pace.close()
        await super().aclose()

    async def ask(self, request: Request) -> Answer:
        """Send a request; again after a refusal for its rate, which has not acted. The pace says when.

        Errors: BandwidthError, NotUnderstoodError.
        """
        for _ in range(_TRIES):
            async with self.pace.turn(request.endpoint, urgent=request.urgent) as turn:
                answer = _understood(await self._answered(request), turn)
            if answer is not None:
                return answer
        raise RateLimitedError(self.pace.wait_s(request.endpoint))

    def url(self, request: Request) -> URL:
        """Give the address of a request."""
        words = (VERSION, "users", self.settings.user_id, *request.path)
        path = "/".join(quote(word, safe="~") for word in words)
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query.items())
        return URL(f"{self.settings.url}/{path}{'?' if query else ''}{query}", encoded=True)

    async def _answered(self, request: Request) -> _Raw:
        data = None if request.body is None else msgspec.json.encode(request.body)
        return await self._send(request.method, self.url(request), self._headers(request), data, _read)

    def _headers(self, request: Request) -> dict[str, str]:
        token, secret = self.settings.token.get_secret_value(), self.settings.secret.get_secret_value()
        headers = {"Authorization": encode_basic_auth(token, secret), "Accept": "application/json"}
        return headers if request.body is None else headers | {"Content-Type": "application/json"}


async def _read(response: ClientResponse) -> _Raw:
    headers = response.headers
    return _Raw(
        response.status,
        headers.get("X-RateLimit-Reset"),
        headers.get("Location"),
        _next_page(response),
        await body_of(response, _LARGEST_ANSWER_BYTES),
    )


def _next_page(response: ClientResponse) -> URL | None:
    try:
        found = response.links.get("next")
    except ValueError:
        raise NotUnderstoodError("the next page has no address") from None
    url = None if found is None else found.get("url")
    return url if isinstance(url, URL) else None


def _understood(raw: _Raw, turn: Turn) -> Answer | None:
    """Read an answer; None is one to a request that came too early, and the turn learns of it.

    Errors: RefusedError, NotUnderstoodError.
    """
    if raw.status < 300:
        body = decoded(raw.body, "answer") if raw.body.strip() else None
        return Answer(body, raw.location, raw.next_page)
    try:
        found = decoded(raw.body, "answer")
    except NotUnderstoodError:
        found = None
    error = refusal(raw.status, found)
    if not error.is_limit:
        raise error
    turn.refused(raw.reset or reset_of(found))
    return None
