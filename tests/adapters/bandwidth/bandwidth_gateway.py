"""A gateway on a simulated Bandwidth whose callers, other applications and faults a test arranges."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Router
from yarl import URL

from adapters.bandwidth import BandwidthAdapter
from adapters.bandwidth.config import BandwidthSettings
from adapters.bandwidth.simulator import BandwidthSimulator
from adapters.kit.listener import Listener
from gateway.adapter import Notes
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.commands import (
    Action,
    AdoptRoom,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    SettingsPatch,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, NotesUnavailable
from gateway.model.events import CommandFailed, Event, ParticipantJoined, ParticipantLeft
from gateway.model.ids import ParticipantId, RoomId, RoomKey
from gateway.model.room import LeaveReason, Participant, Room, RoomState
from gateway.model.viewer import Viewer, ViewerRole
from tests.contract.gateway_on_rig import BACKEND, Seat, gateway_on
from tests.contract.rig import Person, Usual

TOKEN, SECRET = "t-token-secret-5f0c", "basic-secret-71ad"
ANN, BEN, CEM = "+12025550101", "+12025550102", "+12025550103"
NOBODY_LISTENS = "http://127.0.0.1:9/"
_HOOK = f"/hooks/{BACKEND}"

Wish = Command | AskEverybody | AskMe


class Flaky(Notes):
    """The gateway's own notes, when they are to be had."""

    def __init__(self) -> None:
        self.broken = False
        self.real: Notes

    async def all(self) -> Mapping[str, str]:
        return await self._working.all()

    async def put(self, key: str, text: str) -> None:
        await self._working.put(key, text)

    async def drop(self, key: str) -> None:
        await self._working.drop(key)

    @property
    def _working(self) -> Notes:
        if self.broken:
            raise NotesUnavailable("the disk is full")
        return self.real


class FlakyAdapter(BandwidthAdapter):
    flaky: Flaky

    def keep_notes(self, notes: Notes) -> None:
        self.flaky.real = notes
        super().keep_notes(self.flaky)


class House(Usual):
    """A Bandwidth with one gateway at it; `hook` is where that can be called."""

    kind = "bandwidth"
    identity = ANN

    def __init__(self, sim: BandwidthSimulator, hook: str) -> None:
        self.sim = sim
        self.hook = hook
        self.notes = Flaky()
        self.seat: Seat

    @property
    def adapter(self) -> BandwidthAdapter:
        adapter = self.seat.link.adapter
        assert isinstance(adapter, BandwidthAdapter)
        return adapter

    # ---- what crossed the wire ----

    @property
    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """Every command: its path below the user, and its body."""
        return [(each.path, dict(each.body)) for each in self.sim.commands]

    def asked(self, method: str, end: str) -> int:
        """How often something was asked for, by the end of its path."""
        return sum(each.method == method and each.path.endswith(end) for each in self.sim.requests)

    def told_at(self, conference: str) -> URL:
        """Where Bandwidth tells what happens in a conference."""
        url = self.sim.conference(conference).hooks.url
        assert url is not None
        return URL(url)

    @property
    def hook_secret(self) -> str:
        return self.adapter._served.secret

    async def call_hook(self, body: bytes, secret: str | None, method: str = "POST", **query: str) -> int:
        """Call the hook as anybody could."""
        basic = None if secret is None else aiohttp.encode_basic_auth("gateway", secret)
        headers = {} if basic is None else {"Authorization": basic}
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.hook, data=body or None, headers=headers, params=query) as answer,
        ):
            return answer.status

    # ---- what the gateway shows ----

    def room(self, conference: str) -> Room:
        return self.seat.room(RoomId(conference)).room

    def native(self, conference: str) -> Mapping[str, object]:
        settings = self.room(conference).settings
        assert settings is not None
        return settings.native

    async def kept(self) -> set[str]:
        """The conferences that a gateway which starts now would know."""
        served = self.adapter._served
        await served.load()  # after what is being written
        return {key.removeprefix("conference:") for key in await served._kept.all()} - {"callback-secret"}

    def shown(self) -> set[str]:
        """The rooms that are, without those that are remembered only."""
        return {each.key.room_id for each in self.seat.live.rooms() if each.room.state is not RoomState.ENDED}

    def people(self, conference: str) -> dict[ParticipantId, Participant]:
        found = self.seat.live.room(RoomKey(BACKEND, RoomId(conference)))
        return {} if found is None else dict(found.room.participants)

    def events(self, conference: str) -> list[Event]:
        return self.seat.history(RoomId(conference))

    def joined(self, conference: str) -> list[str]:
        return [each.participant.id for each in self.events(conference) if isinstance(each, ParticipantJoined)]

    def left(self, conference: str) -> list[tuple[str, LeaveReason]]:
        return [
            (each.participant.id, each.reason) for each in self.events(conference) if isinstance(each, ParticipantLeft)
        ]

    def failed(self, conference: str) -> list[CommandErrorCode]:
        return [each.error.code for each in self.events(conference) if isinstance(each, CommandFailed)]

    def is_over(self, conference: str) -> bool:
        """Whether a room has ended, or is known no more since a reading found it gone."""
        return conference not in self.shown()

    async def until(self, condition: Callable[[], object]) -> None:
        await self.seat.until(condition)

    async def until_shown(self, conference: str, *members: str) -> None:
        """Wait until these are in a room, and nobody else."""
        await self.until(lambda: set(self.people(conference)) == set(members))

    async def until_numbered(self, conference: str, *numbers: str) -> None:
        """Wait until those with these numbers are in a room, and nobody else."""
        await self.until(
            lambda: sorted(each.number or "" for each in self.people(conference).values()) == sorted(numbers)
        )

    async def until_muted(self, conference: str, *members: str) -> None:
        """Wait until these are muted, and nobody else."""
        await self.until(
            lambda: {each.id for each in self.people(conference).values() if each.muted is not False} == set(members)
        )

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(conference): {
                ParticipantId(member): Person(None, each["muted"], None, None, None, each["on_hold"])
                for member, each in room["participants"].items()
            }
            for conference, room in self.sim.truth().items()
        }

    # ---- the hand ----

    async def meeting(self, *numbers: str) -> tuple[str, list[ParticipantId]]:
        """A conference of ours with a member for each number, as the gateway shows it."""
        conference = await self.made()
        members = [ParticipantId(self.sim.join(conference, number)) for number in numbers]
        await self.until_shown(conference, *members)
        return conference, members

    async def made(self, name: str | None = None, settings: SettingsPatch | None = None) -> str:
        result = await self.create(name, settings)
        assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())
        assert result.key is not None
        return result.key.room_id

    # ---- commands ----

    def answer_within(self, seconds: float) -> None:
        """Have commands answered after this time, whatever they came to."""
        self.seat.live.desk._confirm_s = seconds

    async def do(self, wish: Wish, identity: str | None = None) -> CommandResult:
        viewer = Viewer("ann", "default", frozenset(ViewerRole), {BACKEND: identity or self.identity})
        return await self.seat.live.desk.do(viewer, Ask(BACKEND, wish))

    async def do_to(self, action: Action, conference: str, who: str) -> CommandResult:
        return await self.do(ParticipantCommand(action, RoomId(conference), ParticipantId(who)))

    async def do_in(self, action: Action, conference: str) -> CommandResult:
        return await self.do(RoomCommand(action, RoomId(conference)))

    async def do_to_all(self, action: Action, conference: str) -> CommandResult:
        return await self.do(AskEverybody(action, RoomId(conference)))

    async def create(self, name: str | None = None, settings: SettingsPatch | None = None) -> CommandResult:
        return await self.do(CreateRoom(name, settings or {}))

    async def update(
        self, conference: str, native: Mapping[str, object] | None = None, name: str | None = None
    ) -> CommandResult:
        settings = {} if native is None else {"native": native}
        return await self.do(UpdateSettings(RoomId(conference), name, settings))

    async def invite(self, conference: str, destination: str) -> CommandResult:
        return await self.do(Invite(RoomId(conference), destination))

    async def play(self, conference: str, media: str, who: str | None = None) -> CommandResult:
        return await self.do(PlayMedia(RoomId(conference), media, None if who is None else ParticipantId(who)))

    async def adopt(self, conference: str, name: str | None = None) -> CommandResult:
        return await self.do(AdoptRoom(conference, name))


def codes(result: CommandResult) -> list[CommandErrorCode]:
    return [error.code for error in result.errors]


def adapter_for(there: House, **settings: Any) -> BandwidthAdapter:
    sim = there.sim
    given = {
        "url": sim.url,
        "user_id": sim.user_id,
        "token": TOKEN,
        "secret": SECRET,
        "number": sim.number,
        "callback_url": there.hook,
        "requests_per_second": 10_000,
        **settings,
    }
    adapter = FlakyAdapter(BandwidthSettings.model_validate(given))
    adapter.flaky = there.notes
    return adapter


@asynccontextmanager
async def simulated(options: Mapping[str, Any] | None = None) -> AsyncIterator[tuple[House, Starlette]]:
    """A running Bandwidth, and a web server in which hooks can be mounted."""
    app = Starlette()
    listener = Listener(app, "127.0.0.1", 0)
    await listener.start()
    try:
        async with BandwidthSimulator(token=TOKEN, secret=SECRET, **(options or {})) as sim:
            yield House(sim, f"http://127.0.0.1:{listener.port}{_HOOK}/"), app
    finally:
        await listener.stop()


@asynccontextmanager
async def gateway_at(there: House, app: Starlette, folder: Path, **settings: Any) -> AsyncIterator[Seat]:
    """A gateway at it, whose hook is served, with the database of this folder."""
    adapter = adapter_for(there, **settings)
    app.router.routes.clear()
    app.mount(_HOOK, Router(list(adapter.routes())))
    async with gateway_on(there, folder, adapter) as seat:
        there.seat = seat
        there.answer_within(10.0)
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
    """A gateway at a Bandwidth, LIVE unless said otherwise; `arrange` is called before it looks."""
    async with simulated(sim) as (there, app):
        arrange(there)
        async with gateway_at(there, app, folder, **settings) as seat:
            if live:
                await seat.until_status(BackendStatus.LIVE)
            yield there
