"""The port's methods, joining the other files."""

import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from pydantic import BaseModel
from starlette.routing import BaseRoute

from adapters.telphin.capabilities import capabilities, narrowed
from adapters.telphin.client import Client
from adapters.telphin.commands import Commander
from adapters.telphin.config import TelphinSettings
from adapters.telphin.errors import as_link_errors
from adapters.telphin.events import Interpreter
from adapters.telphin.feed import Feed
from adapters.telphin.hooks import Hooks
from adapters.telphin.reading import RoomReader, SettingsReader
from adapters.telphin.rooms import Rooms
from adapters.telphin.transport import Transport
from adapters.telphin.webhook import Hook, is_shaped_as_secret
from gateway.adapter import Notes, Receipt
from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.errors import CommandErrorCode, LinkDown, NotesUnavailable, refused
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import Room

log = logging.getLogger(__name__)

_NOTE = "hook-secret"
_LEFT_NOTE = "hook-url"
"""At which address the gateway was when it stopped, noted only while none runs: whoever starts elsewhere has moved.
A gateway on a copy of the notes of a running one finds none, and leaves that one's subscriptions alone."""


class TelphinAdapter:
    """The conference extensions of one client of Telphin."""

    kind: ClassVar[str] = "telphin"
    settings_type: ClassVar[type[BaseModel]] = TelphinSettings

    def __init__(self, settings: TelphinSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._interpreter = Interpreter()
        client = Client(self._transport, self._interpreter.complaints)
        self._rooms = Rooms()
        self._hook = Hook(self._interpreter.complaints)
        self._hooks = Hooks(client, settings.webhook_url)
        self._settings_reader = SettingsReader(client, self._rooms)
        self._hooks.also_read(self._settings_reader)
        self._reader = RoomReader(client, self._rooms, self._hooks, self._settings_reader)
        self._commander = Commander(client, self._rooms, self._hooks)
        self._notes: Notes | None = None
        self._secret: str | None = None
        self._feed: Feed | None = None

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> "TelphinAdapter":
        """Make the adapter; nothing is connected yet."""
        return cls(TelphinSettings.model_validate(settings))

    def keep_notes(self, notes: Notes) -> None:
        """Take the place where the secret of the hook outlives us: by it our subscriptions are found again."""
        self._notes = notes

    @property
    def poll_interval_s(self) -> float | None:
        """Telphin tells each event once, whether it arrives or not."""
        return self._settings.poll_interval_s

    @property
    def misunderstood(self) -> int:
        """How much of what Telphin sent could not be understood."""
        return self._interpreter.misunderstood

    @property
    def troubles(self) -> Sequence[str]:
        """Say what is not told or given, and until when nothing is read."""
        troubles = (*self._hooks.troubles, *self._settings_reader.troubles)
        until = self._transport.quota.spent_until
        if until is None:
            return troubles
        spent = (
            f"Telphin's hourly quota of requests is spent: until {until:%H:%M:%S} UTC only its webhooks tell who comes "
            "and goes, and nobody tells of what they miss"
        )
        return (*troubles, spent)

    def capabilities(self) -> Capabilities:
        """Say what Telphin can do."""
        return capabilities()

    def capabilities_in(self, room: Room) -> Capabilities:
        """Say what of it is not possible in a room now."""
        return narrowed(room)

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        """Sign in, list the rooms, and have their calls told to our hook, bit by bit.

        Errors: SignInRefused, LinkDown, NotesUnavailable.
        """
        self._hook.expect(await self._known_secret())
        with as_link_errors():
            await self._reader.begin()
        feed = Feed(self._rooms, self._interpreter, self._hook, self._hooks)
        self._settings_reader.tell = feed.report
        async with feed.running():
            self._feed = feed
            try:
                yield feed.reports
            finally:
                self._feed = None

    async def _known_secret(self) -> str:
        """Give the secret of the hook, which is made once and noted before anybody is told it."""
        if self._secret is None:
            noted = {} if self._notes is None else await self._notes.all()
            secret, left = noted.get(_NOTE, ""), noted.get(_LEFT_NOTE)
            if not is_shaped_as_secret(secret):
                secret = secrets.token_urlsafe(32)
                if self._notes is not None:
                    await self._notes.put(_NOTE, secret)
                    secret = (await self._notes.all())[_NOTE]  # another process may have made one at the same time
            if left is not None and self._notes is not None:
                await self._notes.drop(_LEFT_NOTE)
            self._hooks.use(secret, left)
            self._secret = secret
        return self._secret

    async def snapshot(self) -> Sequence[Room]:
        """Read all rooms, as far as the quota lets us."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.all(feed.report)
        return await feed.rooms()

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read one room, if the quota lets us."""
        feed = self._opened()
        with as_link_errors():
            await self._reader.one(room_id, feed.report)
        return next((room for room in await feed.rooms() if room.id == room_id), None)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command; Telphin has it done by the user who made the application, whoever the viewer is."""
        if self._feed is None:
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, "Telphin is not connected now")
        return await self._commander.execute(command, room, self._feed)

    def routes(self) -> Sequence[BaseRoute]:
        """Offer the hook."""
        return [self._hook.route()]

    async def aclose(self) -> None:
        """Close all connections; the subscriptions stay, and are found again at the next start."""
        await self._transport.aclose()
        if self._secret is not None and self._notes is not None:
            try:
                await self._notes.put(_LEFT_NOTE, self._settings.webhook_url)
            except NotesUnavailable as error:
                log.warning("it could not be noted where Telphin calls the gateway: %s", error)

    def _opened(self) -> Feed:
        if self._feed is None:
            raise LinkDown("not connected")
        return self._feed
