"""The subscriptions by which Telphin calls our hook: three for each room, found again after a restart."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence

from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError
from adapters.telphin.events import Kind
from adapters.telphin.webhook import address, leads_here
from adapters.telphin.wire import EventJson
from gateway.model.ids import RoomId

log = logging.getLogger(__name__)

_KINDS = (Kind.HANGUP, Kind.ANSWER, Kind.DIAL_IN)
"""In the order in which they are made: with half of them nobody should be seen to come who is not seen to go."""
_SEEN_TO_S = 3600.0
_LOOK_S = 60.0
_SAYS_WHY = (401, 403)
"""Refusals of who we are rather than of one subscription more."""


class Hooks:
    """Sees to it that each room's calls are told to our hook, once.

    Units: `clock` gives seconds.

    Subscriptions of other applications are left alone: ours have our secret in their address. They are not removed
    when the gateway stops, so that a restart costs nothing and loses little.

    Errors: its methods may raise a TelphinError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, webhook_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._webhook_url = webhook_url
        self._clock = clock
        self._secret = ""
        self._seen_to: dict[RoomId, float] = {}
        self._lacking: dict[RoomId, str] = {}
        self._full: str | None = None
        """Why Telphin takes no more, as the last round had it."""
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()

    def use(self, secret: str) -> None:
        """Have subscriptions made with this secret."""
        self._secret = secret

    @property
    def troubles(self) -> Sequence[str]:
        """Say which rooms Telphin takes no subscription for."""
        if not self._lacking:
            return ()
        why = next(iter(self._lacking.values()))
        trouble = (
            f"Telphin takes no more webhooks ({why}), so that it does not tell of calls in {len(self._lacking)} "
            "of the rooms: remove some, or have the limit of the PBX raised"
        )
        return (trouble,)

    async def see_to(self, rooms: Iterable[RoomId], *, again: bool = False) -> None:
        """Have the calls of these rooms told; what was found in order within the hour is left alone unless `again`."""
        async with self._lock:
            self._full = None
            for room in list(rooms):
                if again or self._clock() - self._seen_to.get(room, -math.inf) >= _SEEN_TO_S:
                    await self._see_to_one(room)

    async def keep(self, rooms: Callable[[], Sequence[RoomId]]) -> None:
        """See to all rooms every hour, and to new ones soon; it never returns."""
        while True:
            self._changed.clear()
            here = rooms()
            self._seen_to = {room: at for room, at in self._seen_to.items() if room in here}
            self._lacking = {room: why for room, why in self._lacking.items() if room in here}
            try:
                await self.see_to(here)
            except RateLimitedError as error:
                log.info("webhooks are not looked after now: %s", error)
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def remove(self, room: RoomId) -> None:
        """End our subscriptions of a room that is to be deleted."""
        async with self._lock:
            for event in await self._ours(room):
                await self._client.delete_event(room, str(event["id"]))

    def doubt(self, room: RoomId) -> None:
        """Have a room seen to at once: its subscriptions may be gone."""
        self._seen_to.pop(room, None)
        self._changed.set()

    async def _see_to_one(self, room: RoomId) -> None:
        """Make what is missing, and end what is wrong or double."""
        wanted = address(self._webhook_url, self._secret)
        missing = list(_KINDS)
        try:
            for event in await self._ours(room):
                if _is(event, wanted) and event.get("event_type") in missing:
                    missing.remove(Kind(event["event_type"] or ""))
                else:
                    await self._client.delete_event(room, str(event["id"]))
            await self._make(room, missing, wanted)
        except RefusedError as error:
            if not error.is_gone:
                raise
            return  # the room is gone, which a reading finds out
        self._seen_to[room] = self._clock()

    async def _make(self, room: RoomId, missing: Sequence[Kind], wanted: str) -> None:
        """Make subscriptions, until Telphin takes no more: those who are refused once are not asked for in vain."""
        for kind in missing:
            if self._full is None:
                try:
                    await self._client.create_event(room, wanted, kind)
                except RefusedError as error:
                    if error.is_gone or error.status in _SAYS_WHY or error.status >= 500:
                        raise
                    self._full = str(error)
        if missing and self._full is not None:
            self._lacking[room] = self._full
        else:
            self._lacking.pop(room, None)

    async def _ours(self, room: RoomId) -> list[EventJson]:
        return [event for event in await self._client.events(room) if leads_here(event.get("url") or "", self._secret)]


def _is(event: EventJson, wanted: str) -> bool:
    return event.get("url") == wanted and (event.get("method") or "").upper() == "POST"
