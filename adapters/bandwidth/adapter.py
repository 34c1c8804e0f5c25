"""The port's methods, joining the other files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel
from starlette.routing import BaseRoute

from adapters.bandwidth.capabilities import capabilities, narrowed
from adapters.bandwidth.client import Client
from adapters.bandwidth.commands import Commander
from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.config import BandwidthSettings
from adapters.bandwidth.errors import as_link_errors
from adapters.bandwidth.events import Interpreter
from adapters.bandwidth.feed import Feed
from adapters.bandwidth.reading import RoomReader
from adapters.bandwidth.served import Served
from adapters.bandwidth.transport import Transport
from adapters.bandwidth.webhook import Hook
from gateway.adapter import Notes, Receipt
from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.errors import CommandErrorCode, LinkDown, refused
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import Room

_READING_REQUESTS = 3
"""Of a conference: itself, its members, their calls."""


class BandwidthAdapter:
    """The conferences of one user of Bandwidth that were made here or adopted."""

    kind: ClassVar[str] = "bandwidth"
    settings_type: ClassVar[type[BaseModel]] = BandwidthSettings

    def __init__(self, settings: BandwidthSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._client = Client(self._transport)
        self._interpreter = Interpreter()
        self._conferences = Conferences()
        self._served = Served()
        self._reader = RoomReader(
            self._client, self._conferences, self._served, self._interpreter, settings.callback_url
        )
        self._commander = Commander(self._client, self._conferences, self._served, settings)
        self._hook = Hook(self._interpreter.complaints)
        self._feed: Feed | None = None

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> "BandwidthAdapter":
        """Make the adapter; nothing is connected yet."""
        return cls(BandwidthSettings.model_validate(settings))

    def keep_notes(self, notes: Notes) -> None:
        """Take the place where the ids of conferences are kept."""
        self._served.keep_in(notes)

    @property
    def poll_interval_s(self) -> float | None:
        """Callbacks get lost; with many conferences half of Bandwidth's requests are left to commands."""
        busy_s = _READING_REQUESTS * len(self._served.names) / self._settings.requests_per_second
        return max(self._settings.poll_interval_s, 2 * busy_s)

    @property
    def misunderstood(self) -> int:
        """How much of what Bandwidth sent could not be understood."""
        return self._interpreter.misunderstood

    @property
    def troubles(self) -> Sequence[str]:
        """Conferences that tell another application or cannot be read, and ids that a restart would lose."""
        served = self._conferences.ids()
        troubles = [
            f"the callbacks of {conference_id} go to another application: what happens in it is seen late"
            for conference_id in sorted(self._reader.told_elsewhere & served)
        ]
        troubles += [
            f"{conference_id} cannot be read: what is shown of it may be old"
            for conference_id in sorted(self._reader.unreadable & served)
        ]
        if self._served.unwritten:
            troubles.append(f"{self._served.unwritten} conferences could not be written down, and would be lost")
        return troubles

    def capabilities(self) -> Capabilities:
        """Say what Bandwidth can do."""
        return capabilities()

    def capabilities_in(self, room: Room) -> Capabilities:
        """Say what of it is not possible in a room now."""
        return narrowed(room, self._conferences.created_at(room.id), datetime.now(UTC))

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        """See whether the credentials are good, and take callbacks."""
        self._hook.expect(await self._served.know_secret())
        with as_link_errors():
            await self._client.probe()
        feed = Feed(self._conferences, self._interpreter, self._reader, self._served)
        async with feed.running(self._hook):
            self._feed = feed
            try:
                yield feed.reports
            finally:
                self._feed = None

    async def snapshot(self) -> Sequence[Room]:
        """Read all conferences that are served."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.all(feed.report)
        return await feed.rooms()

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read one conference."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.one(room_id, feed.report)
        return next((room for room in await feed.rooms() if room.id == room_id), None)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command; Bandwidth knows no users but the gateway's own, whoever the viewer is."""
        if self._feed is None:
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, "Bandwidth is not connected now")
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
