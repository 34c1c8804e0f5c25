"""The application on the port: signing in over HTTP, and the websocket of a session.

Inferred: HTTP statuses (401 for a wrong login and a bad token, 400 for a body that is no login, 500 for the rest), 403
          for a handshake with a bad token, and a ping that comes back as it was sent.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from adapters.kit.listener import CONNECTION, EventSocket, IdleWatch

from .commands import Commands
from .cti import Cti, Session
from .faults import Faults
from .shapes import Json, decoded, error
from .users import TokenError, Tokens, User, Users

BASE = "/xuc/api/2.0"
_MESSAGES = {
    "InvalidCredentials": "Invalid credentials",
    "InvalidJson": "The body is not a valid login",
    "UnhandledError": "Something went wrong",
    "TokenExpired": "Token has expired",
    "InvalidToken": "Token is not valid",
}


class Received(NamedTuple):
    """One HTTP request, without what proves an identity."""

    method: str
    path: str


class Web:
    """Joins HTTP and websocket to the rest, and applies the faults of the wire."""

    def __init__(
        self,
        *,
        faults: Faults,
        users: Users,
        tokens: Tokens,
        cti: Cti,
        commands: Commands,
        silence_s: float,
        stirred: Callable[[], None],
    ) -> None:
        self.requests: deque[Received] = deque(maxlen=10_000)
        self.app = Starlette(
            routes=[
                Route(f"{BASE}/auth/login", self._login, methods=["POST"]),
                Route(f"{BASE}/auth/check", self._check),
                WebSocketRoute(f"{BASE}/cti", self._socket),
            ],
        )
        self._faults = faults
        self._users = users
        self._tokens = tokens
        self._cti = cti
        self._commands = commands
        self._silence_s = silence_s
        self._stirred = stirred

    # HTTP

    async def _login(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response()
        return await self._faulty(request) or self._logged_in(decoded(body))

    async def _check(self, request: Request) -> Response:
        faulty = await self._faulty(request)
        if faulty is not None:
            return faulty
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            login = self._tokens.login_of(token if scheme == "Bearer" else "")
        except TokenError as refusal:
            return _failed(401, refusal.code)
        return JSONResponse(self._token(login))

    async def _faulty(self, request: Request) -> Response | None:
        self.requests.append(Received(request.method, request.url.path))
        self._stirred()
        if self._faults.hang:
            # Only the client ends this: until then not a byte comes back.
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        return None if self._faults.http_status is None else _failed(self._faults.http_status, "UnhandledError")

    def _logged_in(self, body: Json | None) -> Response:
        login, password = (body or {}).get("login"), (body or {}).get("password")
        if not isinstance(login, str) or not isinstance(password, str):
            return _failed(400, "InvalidJson")
        user = self._users.checked(login, password)
        return _failed(401, "InvalidCredentials") if user is None else JSONResponse(self._token(user.login))

    def _token(self, login: str) -> Json:
        answer: Json = {"login": login, "token": self._tokens.issue(login)}
        match self._faults.ttl:
            case "number":
                answer["TTL"] = self._tokens.life_s
            case "text":
                answer["TTL"] = f"{self._tokens.life_s:g}"
            case "absent":
                pass
        return answer

    # Websocket

    async def _socket(self, websocket: WebSocket) -> None:
        if self._faults.hang:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
            return
        user = self._user(websocket)
        if user is None or self._faults.http_status is not None:
            await websocket.send_denial_response(Response(status_code=self._faults.http_status or 403))
            return
        await websocket.accept()
        connection: EventSocket = websocket.scope["state"][CONNECTION]
        session = self._cti.open(user, connection)
        silence = IdleWatch(connection, self._silence_s, connection.cut)
        try:
            await self._talk(websocket, session)
        finally:
            silence.cancel()
            self._cti.close(session)
            self._stirred()

    def _user(self, websocket: WebSocket) -> User | None:
        try:
            login = self._tokens.login_of(websocket.query_params.get("token", ""))
        except TokenError:
            return None
        return self._users.by_login.get(login)

    async def _talk(self, websocket: WebSocket, session: Session) -> None:
        self._stirred()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is not None:
                self._take(session, text)
                self._stirred()

    def _take(self, session: Session, text: str) -> None:
        frame = decoded(text)
        match (frame or {}).get("claz"):
            case "ping":
                self._cti.send_raw(session, text.encode())
            case "web" if frame is not None:
                self._commands.take(session, frame)
            case _:
                self._cti.send(session, error("Invalid message"))


def _failed(status: int, code: str) -> Response:
    return JSONResponse({"error": code, "message": _MESSAGES[code]}, status)
