"""The application on the port: tokens at /oauth/token, the API below /api/ver1.0, and the faults of the wire.

Inferred: a form that cannot be read is an empty one. Answers are compressed for whoever accepts that, as the real
          thing is said to demand, and for nobody else.
"""

from collections import deque
from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .api import BASE, Answer, Api
from .failures import ApiError, of_status
from .faults import Faults
from .oauth import OAuth
from .quota import Quota

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Web:
    """Joins HTTP to the rest."""

    def __init__(self, *, faults: Faults, oauth: OAuth, quota: Quota, api: Api, stirred: Callable[[], None]) -> None:
        self.requests: deque[str] = deque(maxlen=10_000)
        self.app = Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route(BASE + "{path:path}", self._ask, methods=_METHODS),
            ],
            middleware=[Middleware(GZipMiddleware)],
        )
        self._faults = faults
        self._oauth = oauth
        self._quota = quota
        self._api = api
        self._stirred = stirred

    async def _token(self, request: Request) -> Response:
        body = await self._body(request)
        if body is None:
            return Response()
        try:
            if self._faults.http_status is not None:
                raise of_status(self._faults.http_status)
            form = dict(parse_qsl(body.decode(errors="replace")))
            return _response(Answer(200, self._oauth.granted(form)))
        except ApiError as failure:
            return _response(Answer(failure.status, failure.body))

    async def _ask(self, request: Request) -> Response:
        body = await self._body(request)
        if body is None:
            return Response()
        swallowed = False
        try:
            given, purpose = self._answer(request, body)
            swallowed = self._faults.swallow_answers and purpose in ("call", "configure")
        except ApiError as failure:
            given = Answer(failure.status, failure.body)
        self._stirred()
        if swallowed:
            await _until_given_up(request)
        return _response(given._replace(headers=self._quota.headers()))

    def _answer(self, request: Request, body: bytes) -> tuple[Answer, str]:
        if self._faults.http_status is not None:
            raise of_status(self._faults.http_status)
        self._oauth.check(request.headers.get("authorization", ""))
        # The path as it was sent: what a client has quoted in it must not become part of it.
        path = request.scope["raw_path"].decode("ascii", "replace")
        return self._api.answer(request.method, path, request.url.query, body)

    async def _body(self, request: Request) -> bytes | None:
        """Read a request; None when it is not to be answered."""
        try:
            body = await request.body()
        except ClientDisconnect:
            return None
        self.requests.append(f"{request.method} {request.url.path}")
        self._stirred()
        if self._faults.hang:
            await _until_given_up(request)
            return None
        return body


async def _until_given_up(request: Request) -> None:
    # Only the client ends this: until then not a byte comes back.
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(b"", answer.status, dict(answer.headers))
    raw = msgspec.json.encode(answer.body)
    return Response(raw, answer.status, dict(answer.headers), media_type="application/json")
