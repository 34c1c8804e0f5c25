"""One open feed: the event socket, the rooms it follows, and the reports waiting to be taken."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from adapters.kazoo.errors import as_link_errors, is_wrong_form, subscription_refused
from adapters.kazoo.events import Interpreter, Reply
from adapters.kazoo.generations import GUESSED, Generation, binding
from adapters.kazoo.sign_in import SignIn
from adapters.kazoo.stream import EventSocket
from adapters.kit.feed import OpenFeed
from gateway.model.errors import LinkDown
from gateway.model.ids import RoomId
from gateway.model.reports import RosterDoubtReport

_PING_INTERVAL_S = 60.0
_SPARED_TOKENS = 20
"""How much of the socket's bucket is left for single rooms when many are followed at once."""


class Feed(OpenFeed):
    """What the adapter holds while it is connected."""

    def __init__(self, socket: EventSocket, sign_in: SignIn, interpreter: Interpreter) -> None:
        super().__init__(as_link_errors)
        self.generation: Generation = GUESSED
        self.followed: set[RoomId] = set()
        self._socket = socket
        self._sign_in = sign_in
        self._interpreter = interpreter
        self._later: dict[RoomId, None] = {}
        self._more = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read frames, ping and follow rooms in the background, until the context is left."""
        try:
            async with self._working(self._read, self._ping, self._follow_later):
                yield
        finally:
            await self._socket.aclose()

    # ---- which rooms ----

    def not_followed(self, rooms: Iterable[RoomId]) -> list[RoomId]:
        """Give those whose events we do not get yet."""
        return [room_id for room_id in rooms if room_id not in self.followed]

    @property
    def at_once(self) -> int:
        """How many rooms can be followed without waiting for Kazoo's rate limit."""
        return max(0, self._socket.bucket.left - _SPARED_TOKENS)

    async def follow(self, room_id: RoomId) -> None:
        """Have a room's events sent to us, before it is read.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        self.reports.check()
        if room_id in self.followed:
            return
        texts = await self._socket.subscribe(self._sign_in.account_id, binding(self.generation, room_id))
        if texts is not None:
            raise subscription_refused(texts)
        self.followed.add(room_id)
        self._later.pop(room_id, None)

    def follow_later(self, rooms: Iterable[RoomId]) -> None:
        """Follow more rooms as fast as Kazoo's rate limit allows; at the end all have to be read once more."""
        self._later.update(dict.fromkeys(self.not_followed(rooms)))
        if self._later:
            self._more.set()

    async def unfollow(self, room_id: RoomId) -> None:
        """Have the events of a room that exists no longer sent no more.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        if room_id in self.followed:
            self.followed.discard(room_id)
            await self._socket.unsubscribe(self._sign_in.account_id, binding(self.generation, room_id))

    async def accepts(self, wanted: str) -> bool:
        """Try a binding, and take it back: whether Kazoo writes bindings in this way.

        Errors: UnreachableError, SignInRefused, LinkDown.
        """
        texts = await self._socket.subscribe(self._sign_in.account_id, wanted)
        if texts is None:
            await self._socket.unsubscribe(self._sign_in.account_id, wanted)
            return True
        if not is_wrong_form(texts):
            raise subscription_refused(texts)
        return False

    # ---- in the background ----

    async def _read(self) -> None:
        async for raw in self._socket.frames():
            match self._interpreter.read(raw, self._sign_in.account_id):
                case None:
                    pass
                case Reply() as reply:
                    self._socket.answered(reply)
                case report:
                    await self.reports.add(report)
        raise LinkDown("Kazoo closed the event socket")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_INTERVAL_S)
            await self._socket.ping()

    async def _follow_later(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._later:
                await self.follow(next(iter(self._later)))
            await self.reports.add(RosterDoubtReport())
