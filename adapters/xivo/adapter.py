"""The port's methods, joining the other files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from pydantic import BaseModel
from starlette.routing import BaseRoute

from adapters.xivo.capabilities import capabilities_of, narrowed
from adapters.xivo.commands import Commander
from adapters.xivo.config import XivoSettings
from adapters.xivo.events import Interpreter
from adapters.xivo.feed import Feed, Patience
from adapters.xivo.roster import Rooms
from adapters.xivo.session import Account, Session
from adapters.xivo.transport import Transport
from gateway.adapter import Receipt
from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.errors import CommandErrorCode, LinkDown, refused
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import Room


class XivoAdapter:
    """The rooms of one XiVO, as the accounts that are configured for it see them."""

    kind: ClassVar[str] = "xivo"
    settings_type: ClassVar[type[BaseModel]] = XivoSettings

    def __init__(self, settings: XivoSettings, patience: Patience | None = None) -> None:
        self._settings = settings
        self._patience = patience or Patience(list_wait_s=settings.request_timeout_s)
        self._transport = Transport(settings)
        passwords = {settings.login: settings.password, **settings.accounts}
        self._accounts = [Account(login, password, self._transport) for login, password in passwords.items()]
        self._interpreter = Interpreter()
        self._rooms = Rooms()
        self._rooms.has_lists = settings.room_list
        self._feed: Feed | None = None

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> "XivoAdapter":
        """Make the adapter; nothing is connected yet."""
        return cls(XivoSettings.model_validate(settings))

    @property
    def poll_interval_s(self) -> float | None:
        """XiVO pushes what changes; that it always does is not documented."""
        return self._settings.poll_interval_s

    @property
    def misunderstood(self) -> int:
        """How much of what XiVO sent could not be understood."""
        return self._interpreter.misunderstood

    @property
    def troubles(self) -> Sequence[str]:
        """What is wrong with accounts other than the list account, and with the room list."""
        return () if self._feed is None else list(self._feed.troubles.values())

    def capabilities(self) -> Capabilities:
        """Say what XiVO can do; whether it lists its rooms is known once a feed is open."""
        return capabilities_of(lacks=self._settings.lacks, lists=self._rooms.has_lists)

    def capabilities_in(self, room: Room) -> Capabilities:
        """Say what of it is not possible in a room now."""
        return narrowed(room, self._rooms.seats(room.id), self.capabilities())

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        """Sign all accounts on, and follow what they are told."""
        self._rooms.has_lists = self._settings.room_list
        feed = Feed(self._accounts, self._open, self._rooms, self._patience)
        async with feed.running():
            self._feed = feed
            try:
                yield feed.reports
            finally:
                self._feed = None

    async def snapshot(self) -> Sequence[Room]:
        """Read the room list; what the accounts in the rooms were told goes with it."""
        return await self._opened().read()

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read the room list for one room: XiVO tells nothing less."""
        return next((room for room in await self._opened().read() if room.id == room_id), None)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command through the account that it has to come from."""
        if self._feed is None:
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, "XiVO is not connected now")
        return await Commander(self._rooms, self._feed).execute(command, room, identity)

    def routes(self) -> Sequence[BaseRoute]:
        """Offer none: xuc calls nobody."""
        return ()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _open(self, account: Account) -> Session:
        return await Session.open(account, self._interpreter)

    def _opened(self) -> Feed:
        if self._feed is None:
            raise LinkDown("not connected")
        return self._feed
