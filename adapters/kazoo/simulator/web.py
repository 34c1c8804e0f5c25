"""The application on the port: HTTP below /v2/ goes to Crossbar, a websocket on any path to Blackhole."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from adapters.kit.listener import CONNECTION, EventSocket, IdleWatch, text_frame

from .answers import Answer, CrossbarError, of_status
from .blackhole import Blackhole, Session
from .crossbar import Crossbar, Request
from .faults import Faults, RateLimit
from .generation import Traits
from .shapes import Json, decoded
from .tokens import Account


class Received(NamedTuple):
    """One HTTP request as it came."""

    method: str
    path: str
    body: bytes


class RawAnswer(NamedTuple):
    """Bytes a test wants one request to be answered with."""

    method: str
    path: str
    body: bytes
    status: int


class Web:
    """Joins HTTP and websocket to the two halves, and applies the faults of the wire."""

    def __init__(
        self,
        *,
        traits: Traits,
        faults: Faults,
        account: Account,
        crossbar: Crossbar,
        blackhole: Blackhole,
        limit: RateLimit,
        clock: Callable[[], float],
        idle_close_s: float,
        stirred: Callable[[], None],
    ) -> None:
        self.requests: deque[Received] = deque(maxlen=10_000)
        self.raw_answers: deque[RawAnswer] = deque()
        self.app = Starlette(
            routes=[WebSocketRoute("/{path:path}", self._socket), Mount("/v2", app=self._http)],
        )
        self._traits = traits
        self._faults = faults
        self._account = account
        self._crossbar = crossbar
        self._blackhole = blackhole
        self._limit = limit
        self._clock = clock
        self._idle_close_s = idle_close_s
        self._stirred = stirred

    # HTTP

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        try:
            raw = await http.body()
        except ClientDisconnect:
            return
        path = _below_v2(scope)
        self.requests.append(Received(http.method, f"/v2/{path}", raw))
        self._stirred()
        if self._faults.hang:
            # Only the client ends this: until then not a byte comes back.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        response = self._raw_answer(http.method, path) or await self._respond(http, path, raw)
        await response(scope, receive, send)

    def _raw_answer(self, method: str, path: str) -> Response | None:
        for wanted in self.raw_answers:
            if wanted.method == method and f"accounts/{self._account.account_id}/{wanted.path}" == path:
                self.raw_answers.remove(wanted)
                return Response(wanted.body, wanted.status, media_type="application/json")
        return None

    async def _respond(self, http: HttpRequest, path: str, raw: bytes) -> Response:
        body: Json = {}
        try:
            self._check_wire(http, path, raw)
            body = self._decoded(raw)
            answer = await self._crossbar.answer(
                Request(
                    method=http.method,
                    path=tuple(unquote(part) for part in path.split("/") if part),
                    query=http.query_params,
                    body=body,
                    token=_token(http, body),
                )
            )
        except CrossbarError as failure:
            return self._failed(http, path, failure)
        return self._answered(http, path, answer, _token(http, body))

    def _check_wire(self, http: HttpRequest, path: str, raw: bytes) -> None:
        """Errors: CrossbarError."""
        if self._faults.http_status is not None:
            raise of_status(self._faults.http_status)
        if not self._limit.allows(self._bucket(http, path), self._clock()):
            raise of_status(429)
        content_type = http.headers.get("content-type", "").partition(";")[0].strip()
        if raw and content_type not in ("", "application/json", "application/x-json"):
            raise CrossbarError(415, "unsupported media type", {"message": "unsupported media type"})

    def _bucket(self, http: HttpRequest, path: str) -> tuple[str, str]:
        """Rates are counted for each client address and account; logins have no account yet."""
        account = path.split("/")[1] if path.startswith("accounts/") else ""
        return (http.client.host if http.client else "", account)

    def _decoded(self, raw: bytes) -> Json:
        body = decoded(raw) if raw else {}
        if body is None:
            wrong = {"json": {"invalid": {"message": "Invalid JSON request body", "target": "body"}}}
            raise CrossbarError(400, self._traits.invalid_message, wrong)
        return body

    def _answered(self, http: HttpRequest, path: str, answer: Answer, token: str | None) -> Response:
        envelope = self._envelope(http, path)
        envelope |= {"data": answer.data, "status": "success"}
        headers = {"X-Request-ID": str(envelope["request_id"])}
        if answer.revision is not None:
            envelope["revision"] = answer.revision
            headers["ETag"] = f'"{answer.revision}"'
            # The revision is the stored document's: a cached answer hides every realtime change.
            if http.method == "GET" and http.headers.get("if-none-match") == headers["ETag"]:
                return Response(status_code=304, headers=headers)
        if answer.location is not None:
            headers["Location"] = answer.location
        if token is not None and not self._traits.kazoo5:
            envelope["auth_token"] = token
        return _json(envelope | answer.envelope, answer.status, headers)

    def _failed(self, http: HttpRequest, path: str, failure: CrossbarError) -> Response:
        envelope = self._envelope(http, path)
        envelope |= {
            "data": failure.data,
            "error": str(failure.status),
            "message": failure.message,
            "status": "error",
        }
        return _json(envelope, failure.status, {"X-Request-ID": str(envelope["request_id"])})

    def _envelope(self, http: HttpRequest, path: str) -> Json:
        envelope: Json = {
            "request_id": http.headers.get("x-request-id") or uuid4().hex,
            "node": "crossbar@apps1.kazoo.example",
            "timestamp": datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": self._traits.version,
        }
        if self._traits.names_tokens:
            envelope["tokens"] = {"consumed": 1, "remaining": self._limit.remaining(self._bucket(http, path))}
        return envelope

    # Websocket

    async def _socket(self, websocket: WebSocket) -> None:
        refusal = self._refusal(websocket)
        if refusal is not None:
            await websocket.send_denial_response(Response(status_code=refusal))
            return
        await websocket.accept()
        connection: EventSocket = websocket.scope["state"][CONNECTION]
        peer = f"{websocket.client.host}:{websocket.client.port}" if websocket.client else ""
        session = self._blackhole.open(connection, peer, self._header_token(websocket))
        idle = self._watch(connection) if self._traits.idle_close else None
        try:
            await self._talk(websocket, session)
        finally:
            if idle is not None:
                idle.cancel()
            self._blackhole.close(session)
            self._stirred()

    def _watch(self, connection: EventSocket) -> IdleWatch:
        return IdleWatch(connection, self._idle_close_s, lambda: connection.say_goodbye(1000, "timeout"))

    def _refusal(self, websocket: WebSocket) -> int | None:
        if websocket.scope["subprotocols"]:
            return 400
        token = self._header_token(websocket)
        if token is not None and not self._blackhole.knows(token):
            return 403
        most = self._faults.max_sockets
        if most is not None and len(self._blackhole.sessions) >= most:
            return 429
        return None

    def _header_token(self, websocket: WebSocket) -> str | None:
        """Kazoo 5 alone looks at the headers of the upgrade."""
        return _bearer(websocket.headers.get("authorization")) if self._traits.kazoo5 else None

    async def _talk(self, websocket: WebSocket, session: Session) -> None:
        self._stirred()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is None:
                continue
            reply = self._blackhole.answer(session, text)
            session.socket.push(text_frame(msgspec.json.encode(reply)), None)
            self._stirred()


def _below_v2(scope: Scope) -> str:
    raw: bytes = scope["raw_path"]
    return raw.decode("ascii").partition("?")[0].removeprefix("/v2").strip("/")


def _token(http: HttpRequest, body: Json) -> str | None:
    found = http.headers.get("x-auth-token") or http.query_params.get("auth_token") or body.get("auth_token")
    return found if isinstance(found, str) else _bearer(http.headers.get("authorization"))


def _bearer(header: str | None) -> str | None:
    scheme, _, token = (header or "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _json(envelope: Json, status: int, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(envelope), status, headers, media_type="application/json")
