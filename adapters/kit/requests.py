"""How requests go out: each once, to nobody but the one that was asked, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    ServerDisconnectedError,
)
from yarl import URL

from adapters.kit.failures import UnreachableError

_Read = TypeVar("_Read")


class BrokenError(ClientError):
    """The connection broke after a request was sent, or the answer was a redirect."""


async def only_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from following redirects, the websocket's too, and from sending a command again.

    It repeats every PUT and DELETE by itself when the connection breaks, since they should be idempotent. Kazoo's PUT
    is not, since it dials; and a second DELETE would be told that the first had done nothing.
    """
    try:
        response = await handler(request)
    except (ConnectionTimeoutError, ClientConnectorError):
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise BrokenError(type(error).__name__) from None
    if 300 <= response.status < 400:
        response.close()
        raise BrokenError(f"redirected with {response.status}")
    return response


class Requester:
    """Sends requests to one backend, over one HTTP session in which nobody's token is kept.

    Shape: `unreachable` is the backend's own failure for what gets no answer in `limit_s`.
    """

    def __init__(self, unreachable: type[UnreachableError], limit_s: float) -> None:
        self._unreachable = unreachable
        self._limit_s = limit_s
        self._opened: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The one HTTP session of this backend; it is made in the event loop that uses it."""
        if self._opened is None:
            self._opened = ClientSession(cookie_jar=DummyCookieJar(), middlewares=(only_once,))
        return self._opened

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    async def _send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        data: bytes | FormData | None,
        read: Callable[[ClientResponse], Awaitable[_Read]],
        *,
        lasting_s: float = 0.0,
    ) -> _Read:
        """Send a request, and read its answer; `lasting_s` is how long that may take beyond the usual.

        Errors: UnreachableError; what `read` raises.
        """
        timeout = ClientTimeout(total=None, sock_connect=self._limit_s / 2)
        exchange = self.session.request(method, url, data=data, headers=headers, timeout=timeout)
        answer = await self._try(exchange, read, self._limit_s + lasting_s)
        if isinstance(answer, UnreachableError):
            raise answer  # not in `_try`, where aiohttp's exception would be its context: that one shows headers
        return answer

    async def _try(
        self,
        exchange: AbstractAsyncContextManager[ClientResponse],
        read: Callable[[ClientResponse], Awaitable[_Read]],
        limit_s: float,
    ) -> _Read | UnreachableError:
        backend = self._unreachable.backend
        try:
            # Not aiohttp's own limit for all of it: that one swallows a cancellation which comes at the same moment.
            async with asyncio.timeout(limit_s), exchange as response:
                return await read(response)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            return self._unreachable(f"cannot connect to {backend} ({type(error).__name__})", sent=False)
        except TimeoutError:
            return self._unreachable(f"{backend} did not answer in time", sent=True)
        except BrokenError as error:
            return self._unreachable(f"the connection to {backend} broke ({error})", sent=True)
        except ClientError as error:
            return self._unreachable(f"the connection to {backend} broke ({type(error).__name__})", sent=True)
