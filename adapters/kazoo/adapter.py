"""The port's methods, joining the other files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from pydantic import BaseModel
from starlette.routing import BaseRoute

from adapters.kazoo.capabilities import capabilities_of, narrowed
from adapters.kazoo.client import Client
from adapters.kazoo.commands import Commander
from adapters.kazoo.config import KazooSettings
from adapters.kazoo.errors import as_link_errors
from adapters.kazoo.events import Interpreter
from adapters.kazoo.feed import Feed
from adapters.kazoo.generations import GUESSED, PROBE_ROOM, Generation, detect
from adapters.kazoo.reading import RoomReader
from adapters.kazoo.stream import EventSocket
from adapters.kazoo.transport import Transport
from gateway.adapter import Receipt
from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.errors import LinkDown
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import Room


class KazooAdapter:
    """One account of one Kazoo."""

    kind: ClassVar[str] = "kazoo"
    settings_type: ClassVar[type[BaseModel]] = KazooSettings

    def __init__(self, settings: KazooSettings) -> None:
        self.generation = GUESSED if settings.generation == "auto" else Generation(settings.generation)
        self._settings = settings
        self._transport = Transport(settings)
        self._client = Client(self._transport)
        self._interpreter = Interpreter()
        self._reader = RoomReader(self._client, self._interpreter, settings.adhoc_rooms)
        self._commander = Commander(self._client, lambda: self.generation, settings.dial_timeout_s)
        self._feed: Feed | None = None

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> "KazooAdapter":
        """Make the adapter; nothing is connected yet."""
        return cls(KazooSettings.model_validate(settings))

    @property
    def poll_interval_s(self) -> float | None:
        """Kazoo loses events: the last leave of a conference, and all when the controller that has the room dies."""
        return self._settings.poll_interval_s

    @property
    def misunderstood(self) -> int:
        """How much of what Kazoo sent could not be understood."""
        return self._interpreter.misunderstood

    @property
    def troubles(self) -> Sequence[str]:
        """None: one account is all there is, and without it there is no feed."""
        return ()

    def capabilities(self) -> Capabilities:
        """Say what this generation can do; before the first feed that is a guess, unless it is configured."""
        return capabilities_of(self.generation, recording=self._settings.recording)

    def capabilities_in(self, room: Room) -> Capabilities:
        """Say what of it is not possible in a room now."""
        return narrowed(room, self.capabilities())

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        """Sign in, open the event socket, and find out which generation it is."""
        sign_in = self._transport.sign_in
        with as_link_errors():
            await sign_in.token()
            socket = await EventSocket.connect(
                self._transport.session, self._settings.socket_url, sign_in, self._settings.request_timeout_s
            )
        feed = Feed(socket, sign_in, self._interpreter)
        async with feed.running():
            with as_link_errors():
                self.generation = feed.generation = await self._detected(feed)
            self._feed = feed
            try:
                yield feed.reports
            finally:
                self._feed = None

    async def snapshot(self) -> Sequence[Room]:
        """Read all rooms."""
        with as_link_errors():
            return await self._reader.all(self._opened())

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read one room."""
        with as_link_errors():
            return await self._reader.one(self._opened(), room_id)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command; Kazoo lets the account do everything, whoever the viewer is."""
        return await self._commander.execute(command, room)

    def routes(self) -> Sequence[BaseRoute]:
        """Offer none: Kazoo's open versions call nobody about conferences."""
        return ()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _opened(self) -> Feed:
        if self._feed is None:
            raise LinkDown("not connected")
        return self._feed

    async def _detected(self, feed: Feed) -> Generation:
        if self._settings.generation != "auto":
            return Generation(self._settings.generation)
        return await detect(await self._client.templates(), feed.accepts, self._knows_unknown_rooms)

    async def _knows_unknown_rooms(self) -> bool:
        return await self._client.conference(RoomId(PROBE_ROOM)) is not None
