"""A gateway on a simulated Telphin whose rooms, callers and faults a test arranges."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Router

from adapters.kit.listener import Listener
from adapters.telphin import TelphinAdapter
from adapters.telphin.simulator import TelphinSimulator
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandResult
from gateway.model.commands import Action, Command, ParticipantCommand, RoomCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.events import Event, ParticipantJoined, ParticipantLeft
from gateway.model.ids import ParticipantId, RoomId, RoomKey
from gateway.model.room import LeaveReason, Participant, Room
from gateway.model.viewer import Viewer, ViewerRole
from tests.adapters.telphin.signed_in import APP_SECRET
from tests.contract.gateway_on_rig import BACKEND, Seat, gateway_on
from tests.contract.rig import Person, Usual

HOOK = f"/hooks/{BACKEND}"
STRANGER = "79990001122"

Wish = Command | AskEverybody | AskMe


class House(Usual):
    """A Telphin with one gateway at it; `hook` is where that can be called."""

    kind = "telphin"

    def __init__(self, sim: TelphinSimulator, hook: str) -> None:
        self.sim = sim
        self.hook = hook
        self.identity = sim.add_phone("Ada Lambert", "101")
        self.seat: Seat

    @property
    def adapter(self) -> TelphinAdapter:
        adapter = self.seat.link.adapter
        assert isinstance(adapter, TelphinAdapter)
        return adapter

    # ---- what crossed the wire ----

    @property
    def sent(self) -> list[str]:
        """Every command: method, and path below the API."""
        return list(self.sim.commands)

    def asked(self, line: str) -> int:
        """How often something was asked for, by method and the end of its path."""
        method, _, end = line.partition(" ")
        return sum(each.startswith(f"{method} ") and each.endswith(end) for each in self.sim.requests)

    def addresses(self, room: str) -> dict[str, str]:
        """Where Telphin tells which kind of event of a room."""
        subscribed = self.sim.subscriptions(room)
        assert len({each.event_type for each in subscribed}) == len(subscribed)
        return {each.event_type: each.url for each in subscribed}

    def secret(self, room: str) -> str:
        """The last word of the address that Telphin was told."""
        return self.addresses(room)["hangup"].rpartition("/")[2]

    # ---- the hand ----

    def join(self, room: str, **who: str) -> str:
        """Let somebody in, and give their id as the gateway shows it."""
        leg_id = self.sim.join(room, **who)
        return next(each for each, leg in self.legs(room).items() if leg == leg_id)

    def leaves(self, room: str, who: str) -> None:
        self.sim.leaves(room, self.legs(room)[who])

    def legs(self, room: str) -> dict[str, str]:
        """The legs of those in a room by their ids."""
        return {f"{room}-{leg.call.call_api_id}": leg.leg_id for leg in self.sim.people(room)}

    # ---- what the gateway shows ----

    def room(self, room: str) -> Room:
        return self.seat.room(RoomId(room)).room

    def is_known(self, room: str) -> bool:
        return self.seat.live.room(RoomKey(BACKEND, RoomId(room))) is not None

    def people(self, room: str) -> dict[ParticipantId, Participant]:
        found = self.seat.live.room(RoomKey(BACKEND, RoomId(room)))
        return {} if found is None else dict(found.room.participants)

    def events(self, room: str) -> list[Event]:
        return [update.event for update in self.seat.seen if update.key.room_id == room]

    def joined(self, room: str) -> list[str]:
        return [event.participant.id for event in self.events(room) if isinstance(event, ParticipantJoined)]

    def left(self, room: str) -> list[tuple[str, LeaveReason]]:
        found = [event for event in self.events(room) if isinstance(event, ParticipantLeft)]
        return [(event.participant.id, event.reason) for event in found]

    async def until(self, condition: Callable[[], object]) -> None:
        await self.seat.until(condition)

    async def until_shown(self, room: str, *legs: str) -> None:
        """Wait until these are in a room, and nobody else."""
        await self.until(lambda: set(self.people(room)) == set(legs))

    async def read(self, room: str) -> None:
        """Have a room read now."""
        await self.seat.link.reread(RoomId(room))

    # ---- commands ----

    async def do(self, wish: Wish) -> CommandResult:
        viewer = Viewer("ann", "default", frozenset(ViewerRole), {BACKEND: self.identity})
        return await self.seat.live.desk.do(viewer, Ask(BACKEND, wish))

    async def kick(self, room: str, who: str) -> CommandResult:
        return await self.do(ParticipantCommand(Action.KICK, RoomId(room), ParticipantId(who)))

    async def delete(self, room: str) -> CommandResult:
        return await self.do(RoomCommand(Action.DELETE_ROOM, RoomId(room)))

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(room): {
                ParticipantId(leg): Person(each["name"], None, None, None, None)
                for leg, each in found["participants"].items()
            }
            for room, found in self.sim.truth().items()
        }


def codes(result: CommandResult) -> list[CommandErrorCode]:
    return [error.code for error in result.errors]


def adapter_for(sim: TelphinSimulator, hook: str, **settings: Any) -> TelphinAdapter:
    given = {"url": sim.url, "app_id": sim.app_id, "app_secret": sim.app_secret, "webhook_url": hook}
    return TelphinAdapter.configured({**given, **settings})


@asynccontextmanager
async def simulated(options: Mapping[str, Any] | None = None) -> AsyncIterator[tuple[House, Starlette]]:
    """A running Telphin, and a web server in which the hook can be mounted."""
    app = Starlette()
    listener = Listener(app, "127.0.0.1", 0)
    await listener.start()
    try:
        async with TelphinSimulator(**{"app_secret": APP_SECRET, **(options or {})}) as sim:
            yield House(sim, f"http://127.0.0.1:{listener.port}{HOOK}/"), app
    finally:
        await listener.stop()


@asynccontextmanager
async def gateway_at(there: House, app: Starlette, folder: Path, **settings: Any) -> AsyncIterator[Seat]:
    """A gateway at it, whose hook is served; the notes of one before it are in the same folder."""
    adapter = adapter_for(there.sim, there.hook, **settings)
    app.router.routes.clear()
    app.mount(HOOK, Router(list(adapter.routes())))
    async with gateway_on(there, folder, adapter) as seat:
        there.seat = seat
        yield seat


@asynccontextmanager
async def house(
    folder: Path,
    *,
    arrange: Callable[[House], object] = lambda _: None,
    live: bool = True,
    sim: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """A gateway at a Telphin, LIVE unless said otherwise; `arrange` is called before it looks."""
    async with simulated(sim) as (there, app):
        arrange(there)
        async with gateway_at(there, app, folder, **settings) as seat:
            if live:
                await seat.until_status(BackendStatus.LIVE)
                await there.until(lambda: all(there.room(room).settings for room in there.sim.rooms()))
            yield there
