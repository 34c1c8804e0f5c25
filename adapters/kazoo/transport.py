"""One HTTP request to Kazoo: its turn, its token, its time limit, and the answer as an envelope or a failure."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import ClientResponse
from yarl import URL

from adapters.kazoo.config import KazooSettings
from adapters.kazoo.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.kazoo.pace import Gate, Priority
from adapters.kazoo.sign_in import SignIn
from adapters.kazoo.wire import EnvelopeJson
from adapters.kit.requests import Requester
from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded, shaped

_PATIENCE_S = 2.0
"""How long a command waits for Kazoo's rate limit, before the viewer is told to try again."""
_TRIES = 8
_LARGEST_ANSWER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    Shape: `path` are the words below the base URL, or below the account if `of_account`; `lasting_s` is how long Kazoo
           may hold the request beyond the usual.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    data: JsonObject | None = None
    of_account: bool = True
    lasting_s: float = 0.0

    @property
    def priority(self) -> Priority:
        """Commands go before reads."""
        return Priority.READ if self.method == "GET" else Priority.COMMAND


class Transport(Requester):
    """Sends requests one by one or several at once, as the gate allows."""

    def __init__(self, settings: KazooSettings) -> None:
        super().__init__(UnreachableError, settings.request_timeout_s)
        self.sign_in = SignIn(settings, self._put_without_token)
        self._settings = settings
        self._gate = Gate(settings.requests_at_once)

    async def aclose(self) -> None:
        """Close all connections."""
        self._gate.close()
        await super().aclose()

    async def ask(self, request: Request) -> EnvelopeJson:
        """Send a request with a good token; a 401 has not acted, so that it is sent once more after signing in again.

        Errors: KazooError, NotUnderstoodError, SignInRefused, LinkDown.
        """
        token = await self.sign_in.token()
        try:
            return await self._in_turn(request, request.priority, token)
        except RefusedError as error:
            if error.status != 401:
                raise
        self.sign_in.reject(token)
        return await self._in_turn(request, request.priority, await self.sign_in.token())

    async def ask_openly(self, request: Request) -> EnvelopeJson:
        """Send a request that needs no token.

        Errors: KazooError, NotUnderstoodError.
        """
        return await self._in_turn(request, request.priority, None)

    async def _put_without_token(self, where: str, data: JsonObject) -> EnvelopeJson:
        request = Request(method="PUT", path=(where,), data=data, of_account=False)
        return await self._in_turn(request, Priority.SIGN_IN, None)

    async def _in_turn(self, request: Request, priority: Priority, token: str | None) -> EnvelopeJson:
        """Send when it is this request's turn, and again in the same rank after a 429."""
        give_up_at = time.monotonic() + _PATIENCE_S if priority is Priority.COMMAND else None
        for _ in range(_TRIES):
            patience_s = None if give_up_at is None else give_up_at - time.monotonic()
            async with self._gate.turn(priority, lasting=request.lasting_s > 0, patience_s=patience_s):
                sent_at = time.monotonic()
                try:
                    answer = await self._answered(request, token)
                except RefusedError as error:
                    if error.status != 429:
                        raise
                    self._gate.refused(sent_at)
                else:
                    self._gate.passed(sent_at)
                    return answer
        raise RateLimitedError(self._gate.wait_s)

    async def _answered(self, request: Request, token: str | None) -> EnvelopeJson:
        data = None if request.data is None else msgspec.json.encode({"data": request.data})
        status, body = await self._send(
            request.method, self._url(request), _headers(request, token), data, _read, lasting_s=request.lasting_s
        )
        return _understood(status, body)

    def _url(self, request: Request) -> URL:
        words = ("accounts", self.sign_in.account_id, *request.path) if request.of_account else request.path
        path = "/".join(quote(word, safe="") for word in words)
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.query.items())
        return URL(f"{self._settings.url}/{path}{'?' if query else ''}{query}", encoded=True)


def _headers(request: Request, token: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["X-Auth-Token"] = token
    if request.data is not None:
        headers["Content-Type"] = "application/json"
    return headers


async def _read(response: ClientResponse) -> tuple[int, bytes]:
    return response.status, await body_of(response, _LARGEST_ANSWER_BYTES)


def _understood(status: int, body: bytes) -> EnvelopeJson:
    """Read the envelope; `status` inside it says `error`, and in old versions `fatal`, for what is no success.

    Errors: RefusedError, NotUnderstoodError.
    """
    if status < 300:
        return shaped(decoded(body, "answer"), EnvelopeJson, "answer")
    try:
        envelope = shaped(decoded(body, "answer"), EnvelopeJson, "answer")
    except NotUnderstoodError:
        raise RefusedError(status, "", None, of_kazoo=False) from None
    of_kazoo = envelope.get("status") in ("error", "fatal")
    raise RefusedError(status, envelope.get("message", ""), envelope.get("data"), of_kazoo=of_kazoo)
