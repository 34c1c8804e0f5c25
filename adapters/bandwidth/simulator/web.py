"""The application on the port: Basic authentication, the faults of the wire, and answers as HTTP has them."""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .api import Answer, Api
from .failures import ApiError
from .faults import Faults

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_CODES = {401: "invalid-credentials", 404: "resource-not-found", 429: "rate-limit-reached", 503: "call-unavailable"}


class Received(NamedTuple):
    """One request, whatever became of it.

    Units: `at` is Unix seconds.
    """

    method: str
    path: str
    at: float


class Web:
    """Joins HTTP to the rest; `received` is told of every request, `stirred` when it has been answered."""

    def __init__(
        self,
        *,
        faults: Faults,
        api: Api,
        user_id: str,
        login: str,
        url: Callable[[], str],
        received: Callable[[str, str], None],
        stirred: Callable[[], None],
    ) -> None:
        self.app = Starlette(routes=[Route("/v1/users/{user}/{path:path}", self._answered, methods=_METHODS)])
        self._faults = faults
        self._api = api
        self._user_id = user_id
        self._login = login
        self._url = url
        self._received = received
        self._stirred = stirred

    async def _answered(self, request: Request) -> Response:
        try:
            raw = await request.body()
        except ClientDisconnect:
            return Response()
        self._received(request.method, request.url.path)
        if self._faults.hang:
            return await _silence(request, self._stirred)
        try:
            response = self._response(self._asked(request, raw))
        except ApiError as failure:
            response = _refusal(request, failure)
        self._stirred()
        return await _silence(request, self._stirred) if self._faults.lose_answers else response

    def _asked(self, request: Request, raw: bytes) -> Answer:
        status = self._faults.http_status
        if status is not None:
            raise ApiError(status, _CODES.get(status, "backend-protocol-support-failure"), "It is simulated")
        if not secrets.compare_digest(_basic(request), self._login.encode()):
            headers = {"WWW-Authenticate": 'Basic realm="Catapult"'}
            raise ApiError(401, "invalid-credentials", "The credentials are not valid", headers=headers)
        user = request.path_params["user"]
        if user != self._user_id:
            message = f"User {self._user_id} does not have permission to access user {user}"
            raise ApiError(401, "user-access-denied", message)
        # Of the path as it came: one that starlette has decoded may hold slashes that were none.
        rest = str(request.scope["raw_path"], "latin-1").split("/", 4)[4]
        return self._api.answer(request.method, rest, request.url.query, raw)

    def _response(self, answer: Answer) -> Response:
        if answer.made is not None:
            return Response(b"", 201, self._location(answer.made))
        if answer.body is None:
            # Without a content type: a client of theirs would read the nothing as JSON.
            return Response(b"", 200)
        body = self._faults.answer_with
        body = msgspec.json.encode(answer.body) if body is None else body
        return Response(body, 200, answer.headers, media_type="application/json")

    def _location(self, made: str) -> dict[str, str]:
        if self._faults.no_location:
            return {}
        base = self._url() if self._faults.absolute_location else ""
        return {"Location": f"{base}/v1/users/{self._user_id}/{made}"}


async def _silence(request: Request, stirred: Callable[[], None]) -> Response:
    """Let not a byte come back until the client has had enough."""
    stirred()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _basic(request: Request) -> bytes:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(coded, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


def _refusal(request: Request, failure: ApiError) -> Response:
    remote = request.client.host if request.client else ""
    body = failure.body(request.method, remote, request.url.path.removeprefix("/v1/"))
    return Response(msgspec.json.encode(body), failure.status, failure.headers, media_type="application/json")
