"""A gateway with one backend, the rig's, and ways to wait for what it should come to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Set
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
from gateway.model.events import Event, ParticipantJoined, ParticipantLeft, ParticipantUpdated
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.room import Participant, ParticipantRole, RoomState
from gateway.model.viewer import Viewer, ViewerRole
from gateway.storage import Storage
from tests.contract.rig import Person, Rig

BACKEND = BackendId("backend")
LIMITS = LiveLimits(
    confirm_s=1.0, link=LinkLimits(first_wait_s=0.01, longest_wait_s=0.05, refused_wait_s=0.05, reread_gap_s=0.02)
)
_PATIENCE_S = 90.0


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

    def everybody(self, room: RoomId) -> dict[ParticipantId, Participant]:
        found = self.live.room(RoomKey(BACKEND, room))
        return {} if found is None else dict(found.room.participants)

    def people(self, room: RoomId) -> dict[ParticipantId, Participant]:
        """Who is there and need not be."""
        always = self.rig.always_there(room)
        return {who: each for who, each in self.everybody(room).items() if who not in always}

    def is_over(self, room: RoomId) -> bool:
        """Whether no conference runs in a room any more, as that looks with this backend."""
        found = self.live.room(RoomKey(BACKEND, room))
        if self.rig.rooms_stay:
            return found is not None and found.room.state is RoomState.IDLE
        return found is None or found.room.state is RoomState.ENDED

    def history(self, room: RoomId) -> list[Event]:
        return [update.event for update in self.seen if update.key.room_id == room]

    def events(self, room: RoomId) -> list[Event]:
        """What happened in a room, but for those who are always there."""
        always = self.rig.always_there(room)
        return [event for event in self.history(room) if _whose(event) not in always]

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
        """Wait until the gateway's picture is the rig's truth, having read what no report can have told."""
        untold = frozenset(self.rig.flags) - self.rig.told
        await self.until(lambda: self.link.status is BackendStatus.LIVE and self.is_true(untold))
        for room in self.rig.truth() if untold else ():
            await self.link.reread(room)
        await self.until(self.is_true)

    def is_true(self, apart_from: Set[str] = frozenset()) -> bool:
        """Whether the gateway knows the same rooms and people as the rig, and nothing that is not so."""
        ours, theirs = self.picture(), self.rig.truth()
        return {room: set(people) for room, people in ours.items()} == {
            room: set(people) for room, people in theirs.items()
        } and all(_agrees(ours[room][who], theirs[room][who], apart_from) for room in ours for who in ours[room])

    def picture(self) -> dict[RoomId, dict[ParticipantId, Person]]:
        """Give what the gateway has; a room that ended with its conference is only remembered."""
        return {
            room_at.key.room_id: {each.id: _person(each) for each in room_at.room.participants.values()}
            for room_at in self.live.rooms()
            if self.rig.rooms_stay or room_at.room.state is not RoomState.ENDED
        }

    async def learn(self, room: RoomId, flag: str) -> None:
        """Have a room read, if the backend does not tell of a flag by itself."""
        if flag not in self.rig.told:
            await self.link.reread(room)

    async def do(self, wish: Command | AskEverybody | AskMe, viewer: Viewer | None = None) -> CommandResult:
        return await self.live.desk.do(viewer or self.viewer, Ask(BACKEND, wish))

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
    return Person(
        participant.display_name,
        participant.muted,
        participant.deafened,
        participant.talking,
        moderator,
        participant.on_hold,
    )


def _agrees(ours: Person, theirs: Person, apart_from: Set[str]) -> bool:
    """Whether all that we know of somebody is so; None is what the backend has not said."""
    both = zip(Person._fields, ours, theirs, strict=True)
    return all(known in (None, really) for name, known, really in both if name not in apart_from)


def _whose(event: Event) -> ParticipantId | None:
    match event:
        case (
            ParticipantJoined(_, participant)
            | ParticipantUpdated(_, participant, _)
            | ParticipantLeft(_, participant, _)
        ):
            return participant.id
        case _:
            return None
