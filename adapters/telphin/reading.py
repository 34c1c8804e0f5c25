"""Reading rooms: the list of extensions, the current calls of all phones, and settings, within an hourly quota.

A reading of all rooms costs one request for each hundred of them, one more to see that there are no others, and one for
the calls: with the usual interval some forty requests an hour. Settings are read room by room, in the background.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError, link_error
from adapters.telphin.hooks import Hooks, spread
from adapters.telphin.mapping import CONFERENCE, PHONE
from adapters.telphin.rooms import Rooms
from gateway.model.ids import RoomId
from gateway.model.reports import Report

_SETTINGS_LAST = timedelta(hours=6)
"""How long settings are believed: nothing tells that an administrator has changed them."""
_REFUSED = timedelta(hours=1)
"""How long those are not asked for again that Telphin did not give."""
_MOST_ASKED_FOR = 5
"""So many rooms that the list lacks, and extensions of callers, are asked for in one reading."""

Tell = Callable[[Iterable[Report]], Awaitable[None]]


async def _nobody(_: Iterable[Report]) -> None:
    """Tell nobody: the feed is not open yet, and the reading that follows has it all."""


class SettingsReader:
    """Reads the settings of rooms one by one; what Telphin refuses for one room costs that room.

    Errors: its methods may raise a TelphinError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, rooms: Rooms) -> None:
        self.tell: Tell = _nobody
        self._client = client
        self._rooms = rooms
        self._refused: dict[RoomId, tuple[datetime, str]] = {}

    @property
    def troubles(self) -> Sequence[str]:
        """Say of how many rooms Telphin does not give the settings."""
        lacking = [why for _, why in self._refused.values()]
        return (f"Telphin does not give the settings of {len(lacking)} of the rooms: {lacking[0]}",) if lacking else ()

    def due(self) -> Sequence[RoomId]:
        """Say whose are to be read, those that are not known at all first."""
        here = self._rooms.ids()
        self._refused = {room: refused for room, refused in self._refused.items() if room in here}
        now, ages_ago = datetime.now(UTC), datetime.min.replace(tzinfo=UTC)
        read_at = {room: self._rooms.settings_at(room) or ages_ago for room in here}
        due = [room for room in here if now - read_at[room] >= _SETTINGS_LAST * spread(room)]
        return sorted((room for room in due if not self._is_refused(room, now)), key=read_at.__getitem__)

    async def read(self, room: RoomId) -> None:
        """Read those of one room."""
        asked_at = datetime.now(UTC)
        try:
            conference = await self._client.conference(room)
        except RefusedError as error:
            if error.status == 401:
                raise
            self._refused[room] = asked_at, str(link_error(error))
            return
        except NotUnderstoodError as error:
            self._refused[room] = asked_at, str(error)
            return
        self._refused.pop(room, None)
        if conference is None:
            self._rooms.gone(room, asked_at)
        else:
            await self.tell(self._rooms.settings_read(room, conference, asked_at))

    def _is_refused(self, room: RoomId, now: datetime) -> bool:
        return room in self._refused and now - self._refused[room][0] < _REFUSED


class RoomReader:
    """Asks Telphin, and tells what the answers are worth as reports, each before the next is waited for.

    When the quota is spent, a reading is left out: what is known stays as webhooks tell it. There has to be one whole
    reading before.

    Errors: its methods may raise a TelphinError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, rooms: Rooms, hooks: Hooks, settings: SettingsReader) -> None:
        self._client = client
        self._rooms = rooms
        self._hooks = hooks
        self._settings = settings
        self._complete = False

    async def begin(self) -> None:
        """List the rooms, so that what is told of them is taken."""
        try:
            await self._list(_nobody)
        except RateLimitedError:
            if not self._complete:
                raise

    async def all(self, tell: Tell) -> None:
        """Read every room, but for settings."""
        try:
            await self._list(tell)
            await self._hooks.see_to_some(self._rooms.ids())
            await self._calls(tell)
        except RateLimitedError:
            if not self._complete:
                raise
        else:
            self._complete = True
        self._rooms.shown(self._rooms.ids())

    async def one(self, room: RoomId, tell: Tell) -> None:
        """Read one room, whatever is known of it."""
        try:
            if self._rooms.one(room) is None and not await self._is_there(room):
                return
            await self._hooks.see_to(room)
            await self._calls(tell)
            await self._settings.read(room)
        except RateLimitedError:
            if not self._complete:
                raise
        self._rooms.shown([room])

    async def _list(self, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        extensions = await self._client.conference_extensions()
        await tell(self._rooms.listed(extensions, asked_at))
        for room in self._rooms.missing(extensions, asked_at)[:_MOST_ASKED_FOR]:
            await self._be_sure(room)

    async def _be_sure(self, room: RoomId) -> None:
        """Look for a known room that was not listed: pages move while they are read."""
        asked_at = datetime.now(UTC)
        try:
            if not await self._is_there(room):
                self._rooms.gone(room, asked_at)
        except RefusedError as error:
            if error.status == 401:
                raise
        except NotUnderstoodError:
            return  # that much is there

    async def _calls(self, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        calls, complete = await self._client.current_calls()
        for extension_id in self._rooms.unjudged()[:_MOST_ASKED_FOR]:
            await self._judge(extension_id)
        await tell(self._rooms.calls_read(calls, asked_at, complete=complete))

    async def _judge(self, extension_id: str) -> None:
        """Find out, once, whether the calls of an extension are among the current ones."""
        try:
            extension = await self._client.extension(extension_id)
        except RefusedError as error:
            if error.status == 401:
                raise
            extension = None
        except NotUnderstoodError:
            extension = None
        self._rooms.judged(extension_id, is_phone=extension is not None and extension.get("type") == PHONE)

    async def _is_there(self, room: RoomId) -> bool:
        """Look for a room that no list has shown."""
        asked_at = datetime.now(UTC)
        extension = await self._client.extension(room)
        if extension is None or extension.get("type") != CONFERENCE:
            return False
        self._rooms.extension_read(extension, asked_at)
        return True
