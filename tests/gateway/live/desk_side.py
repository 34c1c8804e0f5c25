"""A switchboard with the faults that no simulator of a real backend makes, and ways to ask the desk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.adapter import Receipt
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.commands import Action, Command, ParticipantCommand, RoomCommand
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import Report
from gateway.model.room import Room
from gateway.model.viewer import Viewer
from tests.gateway.schema.house import ADMIN, LIMITS, PBX, House
from tests.switchboard import Switchboard

BOARD = RoomId("board")
ANNA, BEN, CEM = ParticipantId("anna"), ParticipantId("ben"), ParticipantId("cem")
MUTE_ANNA = ParticipantCommand(Action.MUTE, BOARD, ANNA)
MUTE_BEN = ParticipantCommand(Action.MUTE, BOARD, BEN)
LOCK = RoomCommand(Action.LOCK, BOARD)
QUICK = replace(LIMITS, confirm_s=0.1)
"""For tests of what does not happen."""
NO = CommandError(CommandErrorCode.BACKEND_REFUSED, "not today")


class Faulty(Switchboard):
    """A switchboard whose adapter can be wrong in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.poll_every_s: float | None = None
        self.snapshots = 0
        self.feeds = 0
        self.closings = 0
        self.fault: Exception | None = None
        """What `execute` raises instead of doing anything."""
        self.failing: dict[ParticipantId, Exception] = {}
        """What `execute` raises for one participant."""
        self.feed_refusal: Exception | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self.leaving = asyncio.Event()
        self.leaving.set()

    @property
    def poll_interval_s(self) -> float | None:
        return self.poll_every_s

    def say(self, *reports: Report | Exception) -> None:
        """Report something; an exception is what the feed fails with."""
        assert self._feed is not None
        for report in reports:
            self._feed.put_nowait(report)  # type: ignore[arg-type]  # also an exception, for the feed to raise

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        self.feeds += 1
        if self.feed_refusal is not None:
            raise self.feed_refusal
        async with super().feed() as reports:
            try:
                yield _raising(reports)
            finally:
                self.closings += 1
                await self.leaving.wait()

    async def snapshot(self) -> Sequence[Room]:
        self.snapshots += 1
        return await super().snapshot()

    async def read_room(self, room_id: RoomId) -> Room | None:
        room = await super().read_room(room_id)
        await asyncio.sleep(0)  # an answer is never there at once
        await self.reading.wait()
        return room

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        failure = self.failing.get(getattr(command, "participant_id", None) or ParticipantId(""), self.fault)
        if failure is None:
            return await super().execute(command, room, identity)
        self.executed.append(command)
        await self.hold.wait()
        raise failure


async def _raising(reports: AsyncIterator[Report]) -> AsyncIterator[Report]:
    async for report in reports:
        if isinstance(report, Exception):
            raise report
        yield report


async def do(
    house: House, wish: Command | AskEverybody | AskMe, key: str | None = None, viewer: Viewer = ADMIN
) -> CommandResult:
    """Ask the desk."""
    async with asyncio.timeout(10):
        return await house.live.desk.do(viewer, Ask(PBX, wish), key)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so that nobody announces."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # conditions are counters, which nobody announces
            await asyncio.sleep(0)


async def audit(house: House, folder: Path) -> list[dict[str, Any]]:
    """Give the audit as the database has it."""
    await house.storage.writer.flush()
    return sorted(rows(folder, "audit"), key=lambda row: str(row["at"]))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Read a whole table of the gateway's database."""
    with closing(sqlite3.connect(folder / "gateway.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()]


def code(result: CommandResult) -> CommandErrorCode:
    (error,) = result.errors
    return error.code


def outcomes(result: CommandResult) -> Mapping[str, CommandOutcome]:
    return {each.participant.id: each.outcome for each in result.results}
