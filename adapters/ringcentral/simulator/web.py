"""The application on the port: tokens and the API over HTTP, and the socket at /ws.

Inferred: a form that cannot be read is an empty one, and 401 of the API has no headers about rates.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from adapters.kit.listener import CONNECTION, EventSocket, IdleWatch

from .api import BASE, Answer, Api, Received
from .failures import ApiError, OAuthError, of_status
from .faults import Faults
from .limits import Limits
from .links import Link, Links
from .oauth import OAuth
from .shapes import Json, decoded
from .talk import Talk

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Web:
    """Joins HTTP and sockets to the rest, and applies the faults of the wire."""

    def __init__(
        self,
        *,
        faults: Faults,
        oauth: OAuth,
        limits: Limits,
        api: Api,
        links: Links,
        talk: Talk,
        socket_url: Callable[[], str],
        stirred: Callable[[], None],
    ) -> None:
        self.app = Starlette(
            routes=[
                Route("/restapi/oauth/{what}", self._oauth, methods=["POST"]),
                Route(BASE + "{path:path}", self._rest, methods=_METHODS),
                WebSocketRoute("/ws", self._socket),
            ],
        )
        self._faults = faults
        self._oauth_half = oauth
        self._limits = limits
        self._api = api
        self._links = links
        self._talk = talk
        self._socket_url = socket_url
        self._stirred = stirred

    # HTTP

    async def _oauth(self, request: Request) -> Response:
        return await self._answered(request, self._sign_in)

    async def _rest(self, request: Request) -> Response:
        return await self._answered(request, self._asked)

    async def _answered(self, request: Request, answer: Callable[[Request, bytes], Awaitable[Answer]]) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response()
        self._api.requests.append(Received(request.method, request.url.path, "http"))
        self._stirred()
        if self._faults.hang:
            # Only the client ends this: until then not a byte comes back.
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        try:
            given = await answer(request, body)
        except ApiError as failure:
            given = Answer(failure.status, failure.body, failure.headers)
        self._stirred()
        return _response(given)

    async def _asked(self, request: Request, body: bytes) -> Answer:
        login = self._oauth_half.login_of(_bearer(request))
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # An empty body may come with the content type of JSON all the same.
        return await self._api.answer(login, None, request.method, target, decoded(body) if body.strip() else {})

    async def _sign_in(self, request: Request, body: bytes) -> Answer:
        if self._faults.http_status is not None:
            raise of_status(self._faults.http_status)
        what = request.path_params["what"]
        if what == "wstoken":
            return self._socket_token(request)
        self._oauth_half.check_client(_basic(request))
        form = dict(parse_qsl(body.decode(errors="replace")))
        headers = self._limits.take("", "auth")
        if what == "token":
            return Answer(200, self._oauth_half.granted(form), headers)
        if what == "revoke":
            self._revoke(form.get("token") or request.query_params.get("token", ""))
            return Answer(200, None, headers)
        raise OAuthError(404, "invalid_request", "CMN-120", "Invalid URI")

    def _revoke(self, token: str) -> None:
        self._oauth_half.revoke(token)
        for link in [one for one in self._links.all if not one.login.alive]:
            self._links.drop(link)

    def _socket_token(self, request: Request) -> Answer:
        login = self._oauth_half.login_of(_bearer(request))
        headers = self._limits.take(login.extension.extension_id, "auth")
        if self._faults.forbidden_scope == "WebSocketsSubscription":
            raise ApiError(403, "CMN-401", "In order to call this API endpoint, application needs more permissions")
        token = self._oauth_half.socket_token(login)
        life_s = int(self._oauth_half.lives.socket_s)
        return Answer(200, {"uri": self._socket_url(), "ws_access_token": token, "expires_in": life_s}, headers)

    # Sockets

    async def _socket(self, websocket: WebSocket) -> None:
        if self._faults.hang:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
            return
        if self._faults.http_status is not None:
            await websocket.send_denial_response(Response(status_code=self._faults.http_status))
            return
        await websocket.accept()
        connection: EventSocket = websocket.scope["state"][CONNECTION]
        link = self._opened(connection, websocket.query_params)
        if link is None:
            return
        idle_s = self._links.limits.idle_s
        idle = IdleWatch(connection, idle_s, lambda: self._links.end(link, "WSG-902"))
        try:
            await self._listen(websocket, link)
        finally:
            idle.cancel()
            self._links.lost(link, connection)
            self._stirred()

    def _opened(self, connection: EventSocket, query: Mapping[str, str]) -> Link | None:
        login = self._oauth_half.socket_login(query.get("access_token", ""))
        if login is None:
            self._links.refuse(connection, 401, "WSG-401", "Token is not valid")
            return None
        return self._links.open(login, connection, query.get("wsc"))

    async def _listen(self, websocket: WebSocket, link: Link) -> None:
        self._stirred()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is not None:
                await self._talk.take(link, text)
                self._stirred()


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else request.query_params.get("access_token")


def _basic(request: Request) -> str | None:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _response(answer: Answer) -> Response:
    headers = {"RCRequestId": str(uuid4()), **answer.headers}
    if answer.body is None:
        return Response(b"", answer.status, headers)
    return Response(_encoded(answer.body), answer.status, headers, media_type="application/json")


def _encoded(body: Json) -> bytes:
    return msgspec.json.encode(body)
