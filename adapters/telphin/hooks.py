"""The subscriptions by which Telphin calls our hook, three for each room, and what else is looked after room by room.

All of it has at most a third of the hourly quota. A room costs four requests at first, and one for its settings; then
one a day for its subscriptions, and one every six hours for its settings: fifty rooms cost some ten requests an hour.
"""

import asyncio
import logging
import math
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from weakref import WeakValueDictionary

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError, link_error
from adapters.telphin.events import Kind
from adapters.telphin.pace import Share
from adapters.telphin.webhook import address, is_ours
from adapters.telphin.wire import EventJson
from gateway.model.ids import RoomId

log = logging.getLogger(__name__)

_KINDS = (Kind.HANGUP, Kind.ANSWER, Kind.DIAL_IN)
"""In the order in which they are made: with half of them nobody should be seen to come who is not seen to go."""
_SEEN_TO_S = 24 * 3600.0
_REFUSED_S = 3600.0
_LOOK_S = 60.0
_BEFORE_A_READING = 8
"""So many rooms are seen to before who is in them is read: all of a small PBX, and of a large one the first."""
_IN_SUCCESSION = 3
"""When so many rooms are refused, the others would be too."""


class Settings(Protocol):
    """Reads the settings of rooms, as far as they are not known."""

    def due(self) -> Sequence[RoomId]:
        """Say whose are to be read, those that are not known at all first."""

    async def read(self, room: RoomId) -> None:
        """Read those of one room."""


class Hooks:
    """Sees to it that each room's calls are told to our hook, once.

    Units: `clock` gives seconds.

    Subscriptions of other applications are left alone: ours are at our address. They are not removed when the gateway
    stops, so that a restart costs nothing and loses little. What Telphin refuses for one room costs that room.

    Errors: its methods may raise a TelphinError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, webhook_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._webhook_url = webhook_url
        self._clock = clock
        self._share = Share(client.transport.quota, clock)
        self._secret = ""
        self._ours: tuple[str, ...] = (webhook_url,)
        self._settings: Settings | None = None
        self._seen_to: dict[RoomId, float] = {}
        self._lacking: dict[RoomId, str] = {}
        self._locks: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()
        self._changed = asyncio.Event()

    def use(self, secret: str, left: str | None = None) -> None:
        """Have subscriptions made with this secret, and those ended at the address that the gateway has left."""
        self._secret = secret
        self._ours = (self._webhook_url, left) if left else (self._webhook_url,)

    def also_read(self, settings: Settings) -> None:
        """Have settings read in the background too."""
        self._settings = settings

    @property
    def troubles(self) -> Sequence[str]:
        """Say for how many rooms Telphin takes no subscription."""
        if not self._lacking:
            return ()
        why = next(iter(self._lacking.values()))
        return (f"Telphin does not tell of calls in {len(self._lacking)} of the rooms, for which it refused: {why}",)

    async def see_to(self, room: RoomId) -> None:
        """Have the calls of one room told; what was found in order within the day is left alone."""
        if self._is_due(room):
            async with self._turn(room):
                if self._is_due(room):
                    await self._put_in_order(room)

    async def see_to_some(self, rooms: Iterable[RoomId]) -> None:
        """Have the calls of the first rooms told for which that is still to be done."""
        await self._round(self._due(rooms)[:_BEFORE_A_READING])

    async def keep(self, rooms: Callable[[], Sequence[RoomId]]) -> None:
        """Look after all rooms, bit by bit, and after new ones soon; it never returns."""
        while True:
            self._changed.clear()
            here = rooms()
            self._forget_all_but(here)
            try:
                await self._round(self._due(here))
                await self._read_settings()
            except RateLimitedError as error:
                log.info("webhooks and settings are not looked after now: %s", error)
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def remove(self, room: RoomId) -> None:
        """End our subscriptions of a room that is to be deleted."""
        async with self._turn(room):
            self._seen_to[room] = self._clock()  # or they would be made again at once
            for event in await self._listed(room):
                await self._client.delete_event(room, str(event["id"]))

    def doubt(self, room: RoomId) -> None:
        """Have a room seen to at once: its subscriptions may be gone."""
        self._seen_to.pop(room, None)
        self._changed.set()

    # ---- whose turn it is ----

    def _turn(self, room: RoomId) -> asyncio.Lock:
        return self._locks.setdefault(room, asyncio.Lock())

    def _due(self, rooms: Iterable[RoomId]) -> list[RoomId]:
        """Give the rooms that are to be seen to, new ones first."""
        due = [room for room in rooms if self._is_due(room)]
        return sorted(due, key=lambda room: self._seen_to.get(room, -math.inf))

    def _is_due(self, room: RoomId) -> bool:
        lasts_s = _REFUSED_S if room in self._lacking else _SEEN_TO_S * spread(room)
        return self._clock() - self._seen_to.get(room, -math.inf) >= lasts_s

    def _forget_all_but(self, here: Sequence[RoomId]) -> None:
        self._seen_to = {room: at for room, at in self._seen_to.items() if room in here}
        self._lacking = {room: why for room, why in self._lacking.items() if room in here}

    async def _round(self, rooms: Sequence[RoomId]) -> None:
        refused = 0
        for done, room in enumerate(rooms, 1):
            if self._share.is_spent:
                return
            await self.see_to(room)
            refused = refused + 1 if room in self._lacking else 0
            if refused == _IN_SUCCESSION:
                self._give_up(rooms[done:], self._lacking[room])
                return

    def _give_up(self, rooms: Sequence[RoomId], why: str) -> None:
        for room in rooms:
            if room not in self._seen_to:
                self._lacking[room] = why
            self._seen_to[room] = self._clock()

    async def _read_settings(self) -> None:
        for room in () if self._settings is None else self._settings.due():
            if self._share.is_spent or self._settings is None:
                return
            self._share.spend()
            await self._settings.read(room)

    # ---- one room ----

    async def _put_in_order(self, room: RoomId) -> None:
        """See to one room, and know why where Telphin does not let us."""
        try:
            await self._make(room, await self._missing(room))
        except RefusedError as error:
            if error.status == 401:
                raise
            if not error.is_gone:  # what is gone a reading finds out
                self._lacking[room] = str(link_error(error))
        except NotUnderstoodError as error:
            self._lacking[room] = str(error)
        else:
            self._lacking.pop(room, None)
        self._seen_to[room] = self._clock()

    async def _missing(self, room: RoomId) -> Sequence[Kind]:
        """Find what is to be made, and end what is wrong or double."""
        wanted = address(self._webhook_url, self._secret)
        missing = list(_KINDS)
        self._share.spend()
        for event in await self._listed(room):
            if _is(event, wanted) and event.get("event_type") in missing:
                missing.remove(Kind(event["event_type"] or ""))
            else:
                self._share.spend()
                await self._client.delete_event(room, str(event["id"]))
        return missing

    async def _make(self, room: RoomId, missing: Sequence[Kind]) -> None:
        for kind in missing:
            self._share.spend()
            await self._client.create_event(room, address(self._webhook_url, self._secret), kind)

    async def _listed(self, room: RoomId) -> list[EventJson]:
        events = await self._client.events(room)
        return [event for event in events if is_ours(event.get("url") or "", self._ours, self._secret)]


def spread(room: RoomId) -> float:
    """Give three quarters to all of the time after which a room is looked at again, so that not all are at once."""
    return 1 - zlib.crc32(room.encode()) % 64 / 256


def _is(event: EventJson, wanted: str) -> bool:
    return event.get("url") == wanted and (event.get("method") or "").upper() == "POST"
