"""The supervised connection to one backend: connect, read everything, follow; on loss say STALE and back off."""

import asyncio
import logging
import math
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gateway.adapter import Adapter
from gateway.hub.hub import Hub
from gateway.live.table import Reading, RoomTable
from gateway.model.errors import LinkDown, NotesUnavailable, SignInRefused
from gateway.model.ids import BackendId, RoomId
from gateway.model.reports import Report, RosterDoubtReport
from gateway.model.room import Room, RoomState

log = logging.getLogger(__name__)


class BackendStatus(StrEnum):
    """LIVE: state is current. STALE: link lost. CONNECTING: never synchronised yet. FAILED: needs the operator."""

    LIVE = "LIVE"
    STALE = "STALE"
    CONNECTING = "CONNECTING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How patient a link is.

    Units: seconds. The wait before connecting again doubles from `first_wait_s` to `longest_wait_s`, each time
           shortened at random by up to half, and begins anew once a connection has lasted for `steady_s`;
           `refused_wait_s` is the wait after a refused sign-in. A room is read again for a doubt at most once in
           `reread_gap_s`. When more than `max_doubts` rooms wait to be read, all are read instead.
    """

    first_wait_s: float = 0.25
    longest_wait_s: float = 30.0
    steady_s: float = 10.0
    refused_wait_s: float = 60.0
    reread_gap_s: float = 0.5
    max_doubts: int = 1000


class Link:
    """Keeps one backend's room table true for as long as `run` runs."""

    def __init__(
        self, backend_id: BackendId, name: str, adapter: Adapter, *, hub: Hub, table: RoomTable, limits: LinkLimits
    ) -> None:
        self.id = backend_id
        self.name = name
        self.adapter = adapter
        self.table = table
        self.status = BackendStatus.CONNECTING
        self.status_reason: str | None = None
        self.status_since = datetime.now(UTC)
        self.last_synced_at: datetime | None = None
        self._hub = hub
        self._limits = limits
        self._wait_s = limits.first_wait_s
        self._live_at: float | None = None
        self._doubts = _Doubts(limits)

    async def run(self) -> None:
        """Follow the backend until cancelled; whatever goes wrong with it ends here."""
        try:
            while True:
                wait_s = await self._follow_once()
                await asyncio.sleep(wait_s)
        finally:
            self._doubts.give_up()
            await self.adapter.aclose()

    async def reread(self, room_id: RoomId) -> None:
        """Read one room now and wait until it is done, as a command does to see its effect.

        Errors: LinkDown while the backend is not LIVE or when it is lost meanwhile.
        """
        if self.status is not BackendStatus.LIVE:
            raise LinkDown(self.status_reason or "not connected")
        await self._doubts.insist(room_id)

    def fail(self, reason: str) -> None:
        """Say that the link no longer runs, and why."""
        self._lost(BackendStatus.FAILED, reason)

    async def _follow_once(self) -> float:
        """Connect and follow until the connection ends, and say how many seconds to wait before the next time."""
        try:
            async with self.adapter.feed() as reports:
                self._hub.touch()  # only now the adapter may know what the backend can do
                await self._follow(reports)
        except SignInRefused as refusal:
            self._lost(BackendStatus.FAILED, str(refusal))
            return self._limits.refused_wait_s
        except (LinkDown, NotesUnavailable) as loss:
            self._lost(BackendStatus.STALE if self.last_synced_at else BackendStatus.CONNECTING, str(loss))
        return self._next_wait_s()

    async def _follow(self, reports: AsyncIterator[Report]) -> None:
        consuming = asyncio.create_task(self._consume(reports), name=f"{self.id}: reports")
        reading = asyncio.create_task(self._read_for_ever(), name=f"{self.id}: readings")
        try:
            done, _ = await asyncio.wait((consuming, reading), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            raise LinkDown("the backend closed the connection")
        finally:
            consuming.cancel()
            reading.cancel()
            await asyncio.gather(consuming, reading, return_exceptions=True)
            self._doubts.give_up()

    async def _consume(self, reports: AsyncIterator[Report]) -> None:
        async for report in reports:
            if isinstance(report, RosterDoubtReport):
                self._doubts.about_all()
            elif self.table.report(report):
                self._doubts.about(report.room_id)

    async def _read_for_ever(self) -> None:
        await self._read_all()
        self._live()
        while True:
            room_id = await self._doubts.next(self.adapter.poll_interval_s)
            if room_id is None:
                await self._read_all()
                self._synced()
            else:
                await self._read_one(room_id)

    async def _read_all(self) -> None:
        """Take a snapshot, and say what differs from what was known."""
        self._doubts.all_begun()
        reading = self.table.open_reading()
        try:
            rooms = await self.adapter.snapshot()
            for room in rooms:
                await self._take(reading, room)
            for gone in self.table.missing(rooms, reading):
                active = gone.room.state is RoomState.ACTIVE
                room_left = await self.adapter.read_room(gone.room.id) if active else None
                if room_left is None:
                    self.table.remove(gone.room.id)
                else:
                    self.table.take(reading, room_left)
            if reading.spoiled:
                self._doubts.about_all()
        finally:
            self.table.close_reading(reading)

    async def _take(self, reading: Reading, room: Room) -> None:
        """Take over an answer; that a room has emptied unnoticed is believed when a second answer says so too."""
        answer: Room | None = room
        if self.table.would_empty(reading, room):
            answer = await self.adapter.read_room(room.id)
        if answer is None:
            self.table.remove(room.id)
        else:
            self.table.take(reading, answer)

    async def _read_one(self, room_id: RoomId) -> None:
        reading = self.table.open_reading()
        try:
            room = await self.adapter.read_room(room_id)
            if room is None:
                self.table.remove(room_id)
            else:
                await self._take(reading, room)
            if reading.spoiled:
                self._doubts.about(room_id)
        finally:
            self.table.close_reading(reading)
        self._doubts.settled(room_id)

    def _live(self) -> None:
        self._live_at = time.monotonic()
        self._synced()
        log.info("backend %s: live, %d rooms", self.id, len(self.table))
        self._set_status(BackendStatus.LIVE, None)

    def _synced(self) -> None:
        self.last_synced_at = datetime.now(UTC)
        self._hub.touch()

    def _lost(self, status: BackendStatus, reason: str) -> None:
        if self.status is not status or self.status_reason is None:
            log.warning("backend %s: %s: %s", self.id, status.value, reason)
        self.table.mark_stale()
        if (self.status, self.status_reason) != (status, reason):
            self._set_status(status, reason)

    def _set_status(self, status: BackendStatus, reason: str | None) -> None:
        self.status, self.status_reason, self.status_since = status, reason, datetime.now(UTC)
        self._hub.publish_backend(self.id)

    def _next_wait_s(self) -> float:
        """Give the wait; a backend that cuts us off as soon as we are live is not asked again at once for ever."""
        lived_at, self._live_at = self._live_at, None
        if lived_at is not None and time.monotonic() - lived_at >= self._limits.steady_s:
            self._wait_s = self._limits.first_wait_s
        wait_s = self._wait_s * random.uniform(0.5, 1.0)
        self._wait_s = min(self._wait_s * 2, self._limits.longest_wait_s)
        return wait_s


class _Doubts:
    """The rooms waiting to be read, each once however often it was doubted, and whoever waits for one of them."""

    def __init__(self, limits: LinkLimits) -> None:
        self._limits = limits
        self._rooms: dict[RoomId, float] = {}
        """When each may be read, in time.monotonic seconds."""
        self._read_at: dict[RoomId, float] = {}
        self._all = False
        self._all_read_at = 0.0
        self._insisting: dict[RoomId, list[asyncio.Future[None]]] = {}
        self._begun: dict[RoomId, list[asyncio.Future[None]]] = {}
        self._changed = asyncio.Event()
        self._given_up = False

    def about(self, room_id: RoomId) -> None:
        """Doubt one room; it is read soon, but not again at once."""
        if len(self._rooms) >= self._limits.max_doubts:
            self.about_all()
        else:
            not_before = self._read_at.get(room_id, 0.0) + self._limits.reread_gap_s
            self._rooms.setdefault(room_id, not_before)
            self._changed.set()

    def about_all(self) -> None:
        """Doubt everything."""
        self._all = True
        self._changed.set()

    def all_begun(self) -> None:
        """Know that everything is being read now; who insists on one room gets a reading of its own all the same."""
        self._all = self._given_up = False
        self._all_read_at = time.monotonic()
        self._rooms = dict.fromkeys(self._insisting, self._all_read_at)

    async def insist(self, room_id: RoomId) -> None:
        """Have a room read by a reading that has not begun yet, and wait for its end.

        Errors: LinkDown.
        """
        if self._given_up:
            raise LinkDown("the connection was lost")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._insisting.setdefault(room_id, []).append(waiter)
        now = time.monotonic()
        self._rooms[room_id] = min(self._rooms.get(room_id, now), now)
        self._changed.set()
        await waiter

    def settled(self, room_id: RoomId) -> None:
        """Know that the reading which `next` asked for is done."""
        if len(self._read_at) >= self._limits.max_doubts:
            self._read_at.clear()
        self._read_at[room_id] = time.monotonic()
        for waiter in self._begun.pop(room_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def give_up(self) -> None:
        """Let all who wait know that the link is down, and whoever asks before the next reading of everything."""
        self._given_up = True
        for waiter in [each for waiters in (*self._insisting.values(), *self._begun.values()) for each in waiters]:
            if not waiter.done():
                waiter.set_exception(LinkDown("the connection was lost"))
        self._insisting.clear()
        self._begun.clear()
        self._read_at.clear()

    async def next(self, poll_interval_s: float | None) -> RoomId | None:
        """Wait for the next room to be read; None means all of them, because of doubt or because it is time.

        What has been due for longest comes first, so that neither keeps the other waiting for ever.
        """
        while True:
            now = time.monotonic()
            wait_s = self._limits.reread_gap_s if self._all else poll_interval_s
            all_at = math.inf if wait_s is None else self._all_read_at + wait_s
            first = min(self._rooms, key=self._rooms.__getitem__, default=None)
            room_at = math.inf if first is None else self._rooms[first]
            if first is not None and room_at <= min(now, all_at):
                del self._rooms[first]
                self._begun.setdefault(first, []).extend(self._insisting.pop(first, ()))
                return first
            if all_at <= now:
                return None
            next_at = min(room_at, all_at)
            await self._wait_for_change(None if next_at == math.inf else next_at - now)

    async def _wait_for_change(self, timeout_s: float | None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
