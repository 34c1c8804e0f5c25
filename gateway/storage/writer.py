"""The writer behind the live engine: takes records at once and writes them in batches, whatever the database does."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice

from gateway.storage.batches import write_batch
from gateway.storage.engine import Database
from gateway.storage.errors import StorageUnavailable, ValueRefused
from gateway.storage.records import Record

log = logging.getLogger(__name__)

QUEUE_MAX_RECORDS = 10_000
BATCH_MAX_RECORDS = 500
BATCH_EVERY_S = 0.25
FLUSH_TIMEOUT_S = 5.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_DROP_LOG_EVERY_S = 10.0


class BatchWriter:
    """A bounded queue and the one task that empties it into the database.

    A record leaves the queue when it is written, so a failing database fills it. When it is full the newcomer is
    dropped: what came first keeps its order, so that no end is written without its begin.
    """

    def __init__(
        self,
        database: Database,
        *,
        queue_max_records: int = QUEUE_MAX_RECORDS,
        flush_timeout_s: float = FLUSH_TIMEOUT_S,
    ) -> None:
        self._database = database
        self._queue: deque[Record] = deque()
        self._queue_max_records = queue_max_records
        self._flush_timeout_s = flush_timeout_s
        self._written = 0
        self._dropped = 0
        self._dropped_logged = 0
        self._drop_log_due = 0.0
        self._failing = False
        self._closing = False
        self._any = asyncio.Event()
        self._hurry = asyncio.Event()
        self._progress = asyncio.Condition()
        self._settled = 0
        self._task = asyncio.create_task(self._run(), name="storage writer")
        self._task.add_done_callback(_say_crashed)

    @property
    def written(self) -> int:
        """Count the records that are in the database."""
        return self._written

    @property
    def dropped(self) -> int:
        """Count the records that never will be."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Count the records still to be written."""
        return len(self._queue)

    def put(self, record: Record) -> None:
        """Take a record; at once, on the event loop, and never failing."""
        if self._closing or len(self._queue) >= self._queue_max_records:
            self._drop(1, "the writer is closing" if self._closing else "the queue is full")
            return
        self._queue.append(record)
        self._any.set()
        if len(self._queue) == BATCH_MAX_RECORDS:
            self._hurry.set()

    async def flush(self) -> None:
        """Wait until all that has been put is settled: written, or dropped as unfit. Without limit; set one outside."""
        target = self._settled + len(self._queue)
        self._hurry.set()
        async with self._progress:
            await self._progress.wait_for(lambda: self._settled >= target)

    async def aclose(self) -> None:
        """Take no more, write what waits, for at most `flush_timeout_s`, and stop; what is left counts as dropped."""
        self._closing = True
        try:
            async with asyncio.timeout(self._flush_timeout_s):
                await self.flush()
        except TimeoutError:
            log.warning("storage: closed with %d records unwritten", len(self._queue))
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._dropped += len(self._queue)
            self._queue.clear()
        if not self._task.cancelled():
            self._task.result()

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._wait_for_batch()
            try:
                await self._write(list(islice(self._queue, BATCH_MAX_RECORDS)))
            except StorageUnavailable as error:
                self._say_failing(error)
                hurried = await self._hurried_within(pause_s)
                pause_s = _FIRST_PAUSE_S if hurried else min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._say_working()
                pause_s = _FIRST_PAUSE_S

    async def _wait_for_batch(self) -> None:
        await self._any.wait()
        if len(self._queue) < BATCH_MAX_RECORDS:
            await self._hurried_within(BATCH_EVERY_S)
        self._hurry.clear()

    async def _hurried_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    async def _write(self, batch: Sequence[Record]) -> None:
        try:
            written = await write_batch(self._database, batch)
        except ValueRefused:
            written = await self._write_singly(batch)
        for _ in batch:
            self._queue.popleft()
        if not self._queue:
            self._any.clear()
        self._written += written
        if written < len(batch):
            self._drop(len(batch) - written, "the database has no place for them")
        await self._settle(len(batch))

    async def _write_singly(self, batch: Sequence[Record]) -> int:
        """Find the records that keep a batch from being written, and leave them out."""
        written = 0
        for record in batch:
            try:
                written += await write_batch(self._database, [record])
            except ValueRefused:
                # The error's text may repeat what somebody said or is called.
                log.warning("storage: a %s holds a value that no database takes", type(record).__name__)
        return written

    async def _settle(self, count: int) -> None:
        async with self._progress:
            self._settled += count
            self._progress.notify_all()

    def _drop(self, count: int, reason: str) -> None:
        self._dropped += count
        now = time.monotonic()
        if now >= self._drop_log_due:
            self._drop_log_due = now + _DROP_LOG_EVERY_S
            log.error(
                "storage: %d records dropped, %d in all: %s",
                self._dropped - self._dropped_logged,
                self._dropped,
                reason,
            )
            self._dropped_logged = self._dropped

    def _say_failing(self, error: StorageUnavailable) -> None:
        if not self._failing:
            self._failing = True
            log.warning("storage: writing fails, trying again and again: %s", error)

    def _say_working(self) -> None:
        if self._failing:
            self._failing = False
            log.warning("storage: writing works again")


def _say_crashed(task: asyncio.Task[None]) -> None:
    """Tell of a mistake of ours at once; `aclose` raises it, but that may be weeks away."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("storage: the writer has stopped", exc_info=error)
