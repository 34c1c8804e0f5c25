"""A gateway with one backend, the rig's, and ways to wait for what it should come to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.adapter import Adapter
from gateway.hub.hub import Update
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus, Link, LinkLimits
from gateway.live.live import ConfiguredBackend, Live, LiveLimits
from gateway.live.results import CommandResult
from gateway.live.table import RoomAt
from gateway.model.commands import Action, Command, ParticipantCommand, RoomCommand
from gateway.model.events import Event
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.room import Participant, ParticipantRole
from gateway.model.viewer import Viewer, ViewerRole
from gateway.storage import Storage
from tests.contract.rig import Person, Rig

BACKEND = BackendId("backend")
LIMITS = LiveLimits(
    confirm_s=1.0, link=LinkLimits(first_wait_s=0.01, longest_wait_s=0.05, refused_wait_s=0.05, reread_gap_s=0.02)
)
_PATIENCE_S = 20.0


class Seat:
    """Somebody at the gateway who sees all that is published, and commands as a given viewer."""

    def __init__(self, live: Live, rig: Rig) -> None:
        self.live = live
        self.rig = rig
        self.seen: list[Update] = []
        self.viewer = Viewer("ann", "default", frozenset(ViewerRole), {BACKEND: rig.identity})
        self._news = asyncio.Event()
        live.hub.tap(self._note)
        live.hub.watch_backends(lambda _: self._news.set())

    @property
    def link(self) -> Link:
        return self.live.links[BACKEND]

    def room(self, room: RoomId) -> RoomAt:
        found = self.live.room(RoomKey(BACKEND, room))
        assert found is not None
        return found

    def people(self, room: RoomId) -> dict[ParticipantId, Participant]:
        found = self.live.room(RoomKey(BACKEND, room))
        return {} if found is None else dict(found.room.participants)

    def events(self, room: RoomId) -> list[Event]:
        return [update.event for update in self.seen if update.key.room_id == room]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; looked at again whenever anything is published."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"did not become so; the last that was seen: {self.seen[-5:]}") from None

    async def until_status(self, status: BackendStatus) -> None:
        await self.until(lambda: self.link.status is status)

    async def until_true(self) -> None:
        """Wait until the gateway's picture is the rig's truth."""
        await self.until(self.is_true)

    def is_true(self) -> bool:
        """Whether the gateway knows the same rooms and people as the rig, and nothing that is not so."""
        ours, theirs = self.picture(), self.rig.truth()
        return {room: set(people) for room, people in ours.items()} == {
            room: set(people) for room, people in theirs.items()
        } and all(_agrees(ours[room][who], theirs[room][who]) for room in ours for who in ours[room])

    def picture(self) -> dict[RoomId, dict[ParticipantId, Person]]:
        return {
            room_at.key.room_id: {each.id: _person(each) for each in room_at.room.participants.values()}
            for room_at in self.live.rooms()
        }

    async def do(self, wish: Command | AskEverybody | AskMe) -> CommandResult:
        return await self.live.desk.do(self.viewer, Ask(BACKEND, wish))

    async def do_to(self, action: Action, room: RoomId, who: ParticipantId) -> CommandResult:
        return await self.do(ParticipantCommand(action, room, who))

    async def do_in(self, action: Action, room: RoomId) -> CommandResult:
        return await self.do(RoomCommand(action, room))

    def _note(self, update: Update) -> None:
        self.seen.append(update)
        self._news.set()


@asynccontextmanager
async def gateway_on(rig: Rig, folder: Path, adapter: Adapter | None = None) -> AsyncIterator[Seat]:
    """Run a gateway whose only backend is the rig's."""
    backend = ConfiguredBackend(BACKEND, "The rig", adapter or rig.adapter())
    async with Storage.open(f"sqlite:///{folder / 'gateway.sqlite3'}") as storage:
        live = Live([backend], storage, b"0" * 32, LIMITS)
        seat = Seat(live, rig)
        async with live:
            yield seat


def _person(participant: Participant) -> Person:
    moderator = None if participant.role is None else participant.role is ParticipantRole.MODERATOR
    return Person(participant.display_name, participant.muted, participant.deafened, participant.talking, moderator)


def _agrees(ours: Person, theirs: Person) -> bool:
    """Whether all that we know of somebody is so; None is what the backend has not said."""
    return all(known in (None, really) for known, really in zip(ours, theirs, strict=True))
