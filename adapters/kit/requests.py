"""How requests go out: each once, and to nobody but the one that was asked."""

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)


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
