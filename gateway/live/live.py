"""Everything that is live: the links, the rooms behind them, and the desk; what queries and subscriptions read from."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

from gateway.adapter import Adapter, NoteKeeper
from gateway.hub.hub import Hub
from gateway.live.desk import Desk
from gateway.live.link import Link, LinkLimits
from gateway.live.once import Once
from gateway.live.recorder import Recorder
from gateway.live.table import RoomAt, RoomTable
from gateway.model.ids import BackendId, RoomKey
from gateway.storage import Storage

log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """How much is kept, and for how long.

    Units: `log_max_events` a room; `confirm_s` seconds until a command is answered, however far it is.
    """

    log_max_events: int = 256
    confirm_s: float = 3.0
    ended_room_kept_s: float = 60.0
    idle_log_kept_s: float = 3600.0
    link: LinkLimits = field(default_factory=LinkLimits)


@dataclass(frozen=True, slots=True)
class ConfiguredBackend:
    """A backend of the configuration and the adapter that speaks to it."""

    id: BackendId
    name: str
    adapter: Adapter


def hand_out_notes(backends: Iterable[ConfiguredBackend], storage: Storage) -> None:
    """Give each adapter that has something to keep its place for it."""
    for backend in backends:
        if isinstance(backend.adapter, NoteKeeper):
            backend.adapter.keep_notes(storage.notes(backend.id))


class Live:
    """Runs the links of all backends while it is entered.

    A link that fails by a fault of ours is logged and marked FAILED; it does not take the others with it.
    """

    def __init__(
        self, backends: Sequence[ConfiguredBackend], storage: Storage, secret: bytes, limits: LiveLimits | None = None
    ) -> None:
        self._limits = limits or LiveLimits()
        self.hub = Hub()
        hand_out_notes(backends, storage)
        self.links: Mapping[BackendId, Link] = {each.id: self._link(each) for each in backends}
        self.desk = Desk(
            self.links, Once(storage.idempotency, secret), storage.writer, confirm_s=self._limits.confirm_s
        )
        self._recorder = Recorder(storage.writer, storage.history)
        self._tasks: list[asyncio.Task[None]] = []

    def room(self, key: RoomKey) -> RoomAt | None:
        """Give a room as it is now."""
        link = self.links.get(key.backend_id)
        return None if link is None else link.table.get(key.room_id)

    def rooms(self) -> Iterator[RoomAt]:
        """Give all rooms of all backends."""
        for link in self.links.values():
            yield from link.table

    async def __aenter__(self) -> Self:
        for backend_id in self.links:
            await self._recorder.recall(backend_id)
        self.hub.tap(self._recorder.note)
        for link in self.links.values():
            self._tasks.append(asyncio.create_task(self._supervise(link), name=f"link {link.id}"))
        self._tasks.append(asyncio.create_task(self._settle_history(), name="history"))
        self._tasks.append(asyncio.create_task(self._sweep_for_ever(), name="sweep"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.desk.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _link(self, backend: ConfiguredBackend) -> Link:
        table = RoomTable(backend.id, self.hub, log_max_events=self._limits.log_max_events)
        return Link(backend.id, backend.name, backend.adapter, hub=self.hub, table=table, limits=self._limits.link)

    async def _supervise(self, link: Link) -> None:
        running = asyncio.create_task(link.run(), name=f"link {link.id}: run")
        try:
            await asyncio.wait({running})
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (fault := running.exception()) is not None:
            log.error("backend %s: stopped by a fault of the gateway", link.id, exc_info=fault)
            link.fail("stopped by a fault of the gateway; see its log")

    async def _settle_history(self) -> None:
        """Close what the last run left open, backend by backend, once each has been read."""
        unsettled = set(self.links)
        changed = asyncio.Event()
        with self.hub.watch_backends(lambda _: changed.set()):
            while unsettled:
                changed.clear()
                for backend_id in [each for each in unsettled if self.links[each].last_synced_at is not None]:
                    self._recorder.settle(backend_id)
                    unsettled.discard(backend_id)
                if unsettled:
                    await changed.wait()

    async def _sweep_for_ever(self) -> None:
        ended_for = timedelta(seconds=self._limits.ended_room_kept_s)
        idle_for = timedelta(seconds=self._limits.idle_log_kept_s)
        while True:
            await asyncio.sleep(_SWEEP_EVERY_S)
            for link in self.links.values():
                link.table.sweep(ended_for=ended_for, idle_for=idle_for)
