"""The port's methods, joining the other files."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel
from starlette.routing import BaseRoute

from adapters.ringcentral.calls import Calls
from adapters.ringcentral.capabilities import capabilities, narrowed
from adapters.ringcentral.client import Client
from adapters.ringcentral.commands import Commander
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import as_link_errors
from adapters.ringcentral.events import Interpreter
from adapters.ringcentral.feed import Feed
from adapters.ringcentral.reading import RoomReader
from adapters.ringcentral.stream import Socket, Wsc
from adapters.ringcentral.subscription import HookSubscription, subscribe
from adapters.ringcentral.transport import Transport
from adapters.ringcentral.webhook import Hook
from gateway.adapter import Receipt
from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.errors import CommandErrorCode, LinkDown, refused
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import Room


class RingCentralAdapter:
    """The conferences of one user of RingCentral, or of everybody in the account."""

    kind: ClassVar[str] = "ringcentral"
    settings_type: ClassVar[type[BaseModel]] = RingCentralSettings

    def __init__(self, settings: RingCentralSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._client = Client(self._transport)
        self._interpreter = Interpreter()
        self._calls = Calls(host_within=timedelta(seconds=settings.host_wait_s))
        self._reader = RoomReader(self._client, self._calls, self._interpreter, settings)
        self._commander = Commander(self._client, self._calls, self._interpreter, settings)
        self._hook = Hook(secrets.token_urlsafe(32), self._interpreter.complaints)
        self._wsc: Wsc | None = None
        self._feed: Feed | None = None

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> "RingCentralAdapter":
        """Make the adapter; nothing is connected yet."""
        return cls(RingCentralSettings.model_validate(settings))

    @property
    def poll_interval_s(self) -> float | None:
        """RingCentral tells nothing of the legs of participants, and drops what a hook does not take."""
        return self._settings.poll_interval_s

    @property
    def misunderstood(self) -> int:
        """How much of what RingCentral sent could not be understood."""
        return self._interpreter.misunderstood

    @property
    def troubles(self) -> Sequence[str]:
        """None: one user is all there is, and without them there is no feed."""
        return ()

    def capabilities(self) -> Capabilities:
        """Say what RingCentral can do."""
        return capabilities()

    def capabilities_in(self, room: Room) -> Capabilities:
        """Say what of it is not possible in a room now."""
        return narrowed(room, max_parties=self._settings.max_parties)

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        """Sign in, and be told of calls, by socket or by hook."""
        with as_link_errors():
            extension = await self._client.extension()
            self._calls.extension_id, self._calls.extension_name = str(extension["id"]), extension.get("name")
        feed = Feed(self._calls, self._interpreter, self._reader)
        notified = self._by_hook(feed) if self._settings.notifications == "webhook" else self._by_socket(feed)
        async with notified:
            self._feed = feed
            try:
                yield feed.reports
            finally:
                self._feed = None

    @asynccontextmanager
    async def _by_socket(self, feed: Feed) -> AsyncIterator[None]:
        """Take the connection up again where it broke off, or subscribe anew: all rooms are read in any case."""
        wsc, self._wsc = self._wsc, None  # one by which nothing can be taken up again is not tried for ever
        socket = await Socket.open(self._client, self._settings, wsc, self._interpreter.complaints)
        try:
            if not socket.recovered:
                await subscribe(socket, self._settings)
            try:
                async with feed.running(socket):
                    yield
            finally:
                self._wsc = socket.wsc  # only now: what was refused is not to be taken up again either
        finally:
            await socket.aclose()

    @asynccontextmanager
    async def _by_hook(self, feed: Feed) -> AsyncIterator[None]:
        token = secrets.token_urlsafe(32)
        self._hook.expect(token)
        try:
            subscription = await HookSubscription.open(self._client, self._settings, token)
            try:
                async with feed.running(self._hook, subscription.keep):
                    yield
            finally:
                await subscription.aclose()
        finally:
            self._hook.expect(None)

    async def snapshot(self) -> Sequence[Room]:
        """Read all conferences that are known, and those that presence tells of."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.all(feed.report)
        return await feed.rooms()

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read one conference; not urgent, since a refusal for the sake of a limit would cost the connection."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.one(room_id, feed.report)
        return next((room for room in await feed.rooms() if room.id == room_id), None)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command; RingCentral has it done by its user, whoever the viewer is."""
        if self._feed is None:
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, "RingCentral is not connected now")
        return await self._commander.execute(command, room, self._feed)

    def routes(self) -> Sequence[BaseRoute]:
        """Offer the hook."""
        return [self._hook.route()]

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _opened(self) -> Feed:
        if self._feed is None:
            raise LinkDown("not connected")
        return self._feed
