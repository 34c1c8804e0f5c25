"""One HTTP request to XiVO: its time limit, its size, no redirects, and the answer as an object or a failure."""

import asyncio

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
)

from adapters.kit.understanding import JsonObject, NotUnderstoodError, body_of, decoded, shaped
from adapters.xivo.config import XivoSettings
from adapters.xivo.errors import RefusedError, UnreachableError, XivoError
from adapters.xivo.wire import TokenJson

_LARGEST_ANSWER_BYTES = 64 * 1024


class RedirectedError(ClientError):
    """The opening of the websocket was redirected."""


async def _stay_here(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from following the redirect of a websocket, for which it has no setting: tokens stay here."""
    response = await handler(request)
    if 300 <= response.status < 400 and "Upgrade" in request.headers:
        response.close()
        raise RedirectedError
    return response


class Transport:
    """Holds the HTTP session that all accounts of one XiVO share; nobody's token is kept in it."""

    def __init__(self, settings: XivoSettings) -> None:
        self.settings = settings
        self._opened: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The HTTP session; it is made in the event loop that uses it."""
        if self._opened is None:
            self._opened = ClientSession(cookie_jar=DummyCookieJar(), middlewares=(_stay_here,))
        return self._opened

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    async def login(self, login: str, password: str) -> TokenJson:
        """Ask for a token.

        Errors: XivoError, NotUnderstoodError.
        """
        return await self._ask("POST", "login", {}, {"login": login, "password": password})

    async def check(self, token: str) -> TokenJson:
        """Ask for a token in place of one that is about to expire.

        Errors: XivoError, NotUnderstoodError.
        """
        return await self._ask("GET", "check", {"Authorization": f"Bearer {token}"}, None)

    async def _ask(self, method: str, what: str, headers: dict[str, str], body: JsonObject | None) -> TokenJson:
        answer = await self._try(method, what, headers, body)
        if isinstance(answer, XivoError):
            raise answer  # not in `_try`, where aiohttp's exception would be its context: that one shows headers
        status, content = answer
        return _understood(status, content)

    async def _try(
        self, method: str, what: str, headers: dict[str, str], body: JsonObject | None
    ) -> tuple[int, bytes] | UnreachableError:
        try:
            # Not aiohttp's own limit for all of it: that one swallows a cancellation which comes at the same moment.
            async with (
                asyncio.timeout(self.settings.request_timeout_s),
                self.session.request(
                    method,
                    f"{self.settings.api_url}/auth/{what}",
                    data=None if body is None else msgspec.json.encode(body),
                    headers=headers if body is None else {**headers, "Content-Type": "application/json"},
                    allow_redirects=False,
                    timeout=ClientTimeout(total=None),
                ) as response,
            ):
                return response.status, await body_of(response, _LARGEST_ANSWER_BYTES)
        except TimeoutError:
            return UnreachableError("XiVO did not answer in time")
        except ClientConnectorError as error:
            return UnreachableError(f"cannot connect to XiVO ({type(error).__name__})")
        except ClientError as error:
            return UnreachableError(f"the connection to XiVO broke ({type(error).__name__})")


def _understood(status: int, body: bytes) -> TokenJson:
    """Read an answer: what has a code is an error, whatever its status.

    Errors: RefusedError, NotUnderstoodError.
    """
    try:
        answer = shaped(decoded(body, "answer"), TokenJson, "answer")
    except NotUnderstoodError:
        if status < 300:
            raise
        answer = {}
    code = answer.get("error")
    if code is not None or status >= 300:
        raise RefusedError(status, code)
    return answer
