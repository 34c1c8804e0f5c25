"""Reading rooms: the list of extensions, the current calls of all phones, and settings, within an hourly quota."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError
from adapters.telphin.hooks import Hooks
from adapters.telphin.mapping import CONFERENCE
from adapters.telphin.rooms import Rooms
from gateway.model.ids import RoomId
from gateway.model.reports import Report

_SETTINGS_LAST = timedelta(hours=1)
"""How long settings are believed: nothing tells that an administrator has changed them."""

Tell = Callable[[Iterable[Report]], Awaitable[None]]


class RoomReader:
    """Asks Telphin, and tells what the answers are worth as reports, each before the next is waited for.

    When the quota is spent, a reading is left out: what is known stays as webhooks tell it. There has to be one whole
    reading before.

    Errors: its methods may raise a TelphinError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, rooms: Rooms, hooks: Hooks) -> None:
        self._client = client
        self._rooms = rooms
        self._hooks = hooks
        self._complete = False

    async def begin(self) -> None:
        """List the rooms and have their calls told, before anything is read of who is in them."""
        try:
            await self._list(_nobody)
            await self._hooks.see_to(self._rooms.ids(), again=True)
        except RateLimitedError:
            if not self._complete:
                raise

    async def all(self, tell: Tell) -> None:
        """Read every room."""
        try:
            await self._list(tell)
            await self._hooks.see_to(self._rooms.ids())
            await self._calls(tell)
            for room in self._rooms.ids():
                settings_at = self._rooms.settings_at(room)
                if settings_at is None or datetime.now(UTC) - settings_at >= _SETTINGS_LAST:
                    await self._settings(room, tell)
        except RateLimitedError:
            if not self._complete:
                raise
        else:
            self._complete = True
        self._rooms.shown(self._rooms.ids())

    async def one(self, room: RoomId, tell: Tell) -> None:
        """Read one room, whatever is known of it."""
        try:
            if self._rooms.one(room) is None and not await self._is_found(room):
                return
            await self._hooks.see_to([room])
            await self._calls(tell)
            await self._settings(room, tell)
        except RateLimitedError:
            if not self._complete:
                raise
        self._rooms.shown([room])

    async def _list(self, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        await tell(self._rooms.listed(await self._client.conference_extensions(), asked_at))

    async def _calls(self, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        await tell(self._rooms.calls_read(await self._client.current_calls(), asked_at))

    async def _settings(self, room: RoomId, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        conference = await self._client.conference(room)
        if conference is None:
            self._rooms.gone(room, asked_at)
        else:
            await tell(self._rooms.settings_read(room, conference, asked_at))

    async def _is_found(self, room: RoomId) -> bool:
        """Look for a room that no list has shown yet."""
        asked_at = datetime.now(UTC)
        extension = await self._client.extension(room)
        if extension is None or extension.get("type") != CONFERENCE:
            return False
        self._rooms.extension_read(extension, asked_at)
        return True


async def _nobody(_: Iterable[Report]) -> None:
    """Tell nobody: the feed is not open yet, and the reading that follows has it all."""
