"""One account signed on: its socket, its commands one at a time, what XiVO tells it, and its token kept fresh."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from pydantic import SecretStr

from adapters.kit.understanding import JsonObject
from adapters.xivo.errors import fought_over, no_line, sign_on_failed
from adapters.xivo.events import Interpreter
from adapters.xivo.lane import Lane
from adapters.xivo.sign_in import SignIn
from adapters.xivo.stream import CtiSocket
from adapters.xivo.told import LineTold, SignedOn, SignOnFailed, Told
from adapters.xivo.transport import Transport
from adapters.xivo.wire import web
from gateway.model.errors import GatewayError, LinkDown

log = logging.getLogger(__name__)

_SHORT_S = 30.0
_SHORT_IN_A_ROW = 2
"""So many sessions that XiVO ends so soon are a quarrel with another client of the account."""
_SIGN_ON_WAITS = 1.5
"""Times the limit of a request: xuc gives itself 10 s to get a session ready, and then says that it failed."""
_MOST_EARLY = 1000
_RENEWAL_GAP_S = 0.25

_LINE = web("getConfig", objectType="line")
_CALLS = web("getCurrentCallsPhoneEvents")

_Kind = TypeVar("_Kind", SignedOn, LineTold)


class Account:
    """One configured account: what outlives its sessions."""

    def __init__(
        self, login: str, password: SecretStr, transport: Transport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.login = login
        self.transport = transport
        self.clock = clock
        self.sign_in = SignIn(login, password, transport, clock)
        self._short_sessions = 0

    def ended(self, reason: str, *, lasted_s: float, by_xivo: bool) -> GatewayError:
        """Say what the end of a session means: another client that signs in whenever we do should not be fought."""
        self._short_sessions = self._short_sessions + 1 if by_xivo and lasted_s < _SHORT_S else 0
        return fought_over(self.login) if self._short_sessions >= _SHORT_IN_A_ROW else LinkDown(reason)


class Session(AsyncIterator[Told]):
    """One account, signed on; it gives what XiVO tells, in order, and raises SignInRefused or LinkDown at the end."""

    def __init__(self, account: Account, socket: CtiSocket, interpreter: Interpreter) -> None:
        settings = account.transport.settings
        self.login = account.login
        self.lane = Lane(self.send, settings.answer_wait_s)
        self._account = account
        self._socket = socket
        self._interpreter = interpreter
        self._patience_s = settings.request_timeout_s * _SIGN_ON_WAITS
        self._early: deque[Told] = deque()
        self._signed_on_at: float | None = None
        self._end: GatewayError | None = None
        self._renewing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, account: Account, interpreter: Interpreter) -> "Session":
        """Sign on, see that the account has a line, and ask for its calls.

        Errors: SignInRefused, LinkDown.
        """
        async with AsyncExitStack() as stack:
            session = cls(account, await CtiSocket.open(account.transport, account.sign_in), interpreter)
            stack.push_async_callback(session.aclose)
            await session._sign_on()
            stack.pop_all()
        return session

    async def send(self, frame: JsonObject) -> None:
        """Send a frame just as it is given; commands go through the lane.

        Errors: LinkDown; whether the frame has arrived is not known.
        """
        await self._socket.send(frame)

    async def aclose(self) -> None:
        """End the session; who waits for a command learns that its outcome is unknown."""
        self.lane.lost()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self._socket.aclose()

    async def __anext__(self) -> Told:
        return self._early.popleft() if self._early else await self._next()

    async def _next(self) -> Told:
        """Read on until there is something to tell.

        Errors: SignInRefused, LinkDown.
        """
        while (raw := await self._socket.frame()) is not None:
            if (told := self._interpreter.read(raw)) is not None:
                return told
        raise self._ended()

    def _ended(self) -> GatewayError:
        """Say why there is nothing more, the same each time."""
        self.lane.lost()
        if self._end is None and self._signed_on_at is not None:
            lasted_s = self._account.clock() - self._signed_on_at
            by_xivo = self._socket.closed_by_xivo
            self._end = self._account.ended(self._socket.reason, lasted_s=lasted_s, by_xivo=by_xivo)
        return self._end or LinkDown(self._socket.reason)

    async def _sign_on(self) -> None:
        try:
            await self._first(SignedOn)
        except LinkDown:
            self._account.sign_in.forget()  # xuc may open the socket for a token that it does not know
            raise
        self._signed_on_at = self._account.clock()
        await self.send(_LINE)
        if not (await self._first(LineTold)).has_line:
            raise no_line(self.login)
        await self.send(_CALLS)
        self._renewing = asyncio.create_task(self._keep_token(), name=f"xivo: token of {self.login}")

    async def _first(self, kind: type[_Kind]) -> _Kind:
        """Read until something of this kind comes; what comes before it is kept for later.

        Errors: SignInRefused, LinkDown.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                while not isinstance(told := await self._next(), kind):
                    if isinstance(told, SignOnFailed):
                        raise sign_on_failed(self.login, told.code)
                    self._keep(told)
        except TimeoutError:
            awaited = "signed on" if kind is SignedOn else "told its line"
            raise LinkDown(f"XiVO has not {awaited} '{self.login}' in time") from None
        return told

    def _keep(self, told: Told) -> None:
        if len(self._early) >= _MOST_EARLY:
            raise LinkDown(f"XiVO tells too much before '{self.login}' is signed on")
        self._early.append(told)

    async def _keep_token(self) -> None:
        """Renew the token before it expires, so that it still opens a socket when this one is lost."""
        sign_in = self._account.sign_in
        while True:
            await asyncio.sleep(max(_RENEWAL_GAP_S, sign_in.renew_at - self._account.clock()))
            try:
                await sign_in.token()
            except GatewayError as error:
                log.warning("the token of XiVO account '%s' could not be renewed: %s", self.login, error)
                return
