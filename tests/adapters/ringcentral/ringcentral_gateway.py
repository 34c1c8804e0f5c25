"""A gateway on a simulated RingCentral whose calls, host and faults a test arranges."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Router

from adapters.kit.listener import Listener
from adapters.ringcentral import RingCentralAdapter
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.simulator import Extension, RingCentralSimulator
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandResult
from gateway.model.commands import Action, Command, CreateRoom, Invite, ParticipantCommand, RoomCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.events import Event, ParticipantJoined, ParticipantLeft
from gateway.model.ids import ParticipantId, RoomId, RoomKey
from gateway.model.room import LeaveReason, Participant, Room, RoomState
from gateway.model.viewer import Viewer, ViewerRole
from tests.adapters.ringcentral.signed_in import APP_SECRET, JWT
from tests.contract.gateway_on_rig import BACKEND, Seat, gateway_on
from tests.contract.rig import Person, Usual

WAYS = ("websocket", "webhook")
PLENTY = {"light": 5000, "medium": 5000, "heavy": 5000, "auth": 5000}
"""Limits that no test comes near: the gateway learns them from RingCentral's answers."""
_HOOK = f"/hooks/{BACKEND}"

Wish = Command | AskEverybody | AskMe


class House(Usual):
    """A RingCentral with one gateway at it, whose user is Ada; `hook` is where that can be called."""

    kind = "ringcentral"

    def __init__(self, sim: RingCentralSimulator, hook: str) -> None:
        self.sim = sim
        self.hook = hook
        self.host: Extension = sim.add_extension("Ada Lambert", "101", jwt=JWT)
        self.identity = self.host.extension_id
        self.seat: Seat

    @property
    def adapter(self) -> RingCentralAdapter:
        adapter = self.seat.link.adapter
        assert isinstance(adapter, RingCentralAdapter)
        return adapter

    # ---- what crossed the wire ----

    @property
    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every command: method, path below telephony, body."""
        return [
            (each.method, each.path.removeprefix("account/~/telephony/"), dict(each.body)) for each in self.sim.commands
        ]

    def asked(self, method: str, end: str) -> int:
        """How often something was asked for, by the end of its path."""
        return sum(each.method == method and each.path.partition("?")[0].endswith(end) for each in self.sim.requests)

    # ---- what the gateway shows ----

    def room(self, conference: str) -> Room:
        return self.seat.room(RoomId(conference)).room

    def people(self, conference: str) -> dict[ParticipantId, Participant]:
        found = self.seat.live.room(RoomKey(BACKEND, RoomId(conference)))
        return {} if found is None else dict(found.room.participants)

    def names(self, conference: str) -> list[tuple[str | None, str | None]]:
        return [(each.display_name, each.number) for each in self.people(conference).values()]

    def events(self, conference: str) -> list[Event]:
        return [update.event for update in self.seat.seen if update.key.room_id == conference]

    def joined(self, conference: str) -> list[str]:
        return [event.participant.id for event in self.events(conference) if isinstance(event, ParticipantJoined)]

    def left(self, conference: str) -> list[tuple[str, LeaveReason]]:
        return [
            (event.participant.id, event.reason)
            for event in self.events(conference)
            if isinstance(event, ParticipantLeft)
        ]

    def is_over(self, conference: str) -> bool:
        """Whether a room has ended, or is known no more since a reading found it gone."""
        found = self.seat.live.room(RoomKey(BACKEND, RoomId(conference)))
        return found is None or found.room.state is RoomState.ENDED

    async def until(self, condition: Callable[[], object]) -> None:
        await self.seat.until(condition)

    async def until_shown(self, conference: str, *legs: str) -> None:
        """Wait until these are in a room, and nobody else."""
        await self.until(lambda: set(self.people(conference)) == set(legs))

    # ---- the hand ----

    async def meeting(self, *numbers: str) -> tuple[str, list[ParticipantId]]:
        """A conference with its host and a guest for each number, as the gateway shows it; give its legs."""
        conference = self.sim.open_conference(self.host)
        legs = [self.sim.people(conference)[0].party_id]
        legs += [self.sim.bring_in(conference, self.sim.make_call(self.host, number)) for number in numbers]
        await self.until_shown(conference, *legs)
        return conference, [ParticipantId(leg) for leg in legs]

    # ---- commands ----

    async def do(self, wish: Wish, identity: str | None = None) -> CommandResult:
        who = {BACKEND: identity or self.identity}
        viewer = Viewer("ann", "default", frozenset(ViewerRole), who)
        return await self.seat.live.desk.do(viewer, Ask(BACKEND, wish))

    async def do_to(self, action: Action, conference: str, who: str) -> CommandResult:
        return await self.do(ParticipantCommand(action, RoomId(conference), ParticipantId(who)))

    async def create(self, name: str | None = None) -> CommandResult:
        return await self.do(CreateRoom(name, {}))

    async def invite(self, conference: str, destination: str) -> CommandResult:
        return await self.do(Invite(RoomId(conference), destination))

    async def close(self, conference: str) -> CommandResult:
        return await self.do(RoomCommand(Action.CLOSE, RoomId(conference)))

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(conference): {
                ParticipantId(leg): Person(each["name"], each["muted"], None, None, each["moderator"])
                for leg, each in room["participants"].items()
            }
            for conference, room in self.sim.truth().items()
        }


def codes(result: CommandResult) -> list[CommandErrorCode]:
    return [error.code for error in result.errors]


def adapter_for(sim: RingCentralSimulator, **settings: Any) -> RingCentralAdapter:
    given = {"url": sim.url, "client_id": sim.client_id, "client_secret": APP_SECRET, "jwt": JWT, **settings}
    return RingCentralAdapter(RingCentralSettings.model_validate(given))


@asynccontextmanager
async def simulated(options: Mapping[str, Any] | None = None) -> AsyncIterator[tuple[House, Starlette]]:
    """A running RingCentral, and a web server in which hooks can be mounted."""
    app = Starlette()
    listener = Listener(app, "127.0.0.1", 0)
    await listener.start()
    try:
        async with RingCentralSimulator(**{"client_secret": APP_SECRET, "limits": PLENTY, **(options or {})}) as sim:
            yield House(sim, f"http://127.0.0.1:{listener.port}{_HOOK}/"), app
    finally:
        await listener.stop()


@asynccontextmanager
async def gateway_at(there: House, app: Starlette, folder: Path, **settings: Any) -> AsyncIterator[Seat]:
    """A gateway at it, whose hook is served."""
    if settings.get("notifications") == "webhook":
        settings["webhook_url"] = there.hook
    adapter = adapter_for(there.sim, **settings)
    app.router.routes.clear()
    app.mount(_HOOK, Router(list(adapter.routes())))
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
    """A gateway at a RingCentral, LIVE unless said otherwise; `arrange` is called before it looks."""
    async with simulated(sim) as (there, app):
        arrange(there)
        async with gateway_at(there, app, folder, **settings) as seat:
            if live:
                await seat.until_status(BackendStatus.LIVE)
            yield there
