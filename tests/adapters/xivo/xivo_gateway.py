"""A gateway on a simulated XiVO whose accounts, people and faults a test arranges."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.xivo import XivoAdapter
from adapters.xivo.config import XivoSettings
from adapters.xivo.feed import Patience
from adapters.xivo.simulator import XivoSimulator
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandResult
from gateway.model.commands import Action, Command, ParticipantCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room
from gateway.model.viewer import Viewer, ViewerRole
from tests.contract.gateway_on_rig import BACKEND, Seat, gateway_on
from tests.contract.rig import Person, Usual

PASSWORD = "pw-of-everybody"
NUMBERS = {"gateway": "1000", "ada": "1001", "ben": "1002", "cem": "1003"}
ROOM = RoomId("4000")
PATIENCE = Patience(first_wait_s=0.01, longest_wait_s=0.05, refused_wait_s=0.05, list_wait_s=2.0)

Wish = Command | AskEverybody | AskMe


class House(Usual):
    """A XiVO with one gateway at it; `gateway` is the list account, the other users may be accounts as well."""

    kind = "xivo"
    identity = "ada"

    def __init__(self, sim: XivoSimulator) -> None:
        self.sim = sim
        self.seat: Seat
        self._callers = 0

    @property
    def adapter(self) -> XivoAdapter:
        adapter = self.seat.link.adapter
        assert isinstance(adapter, XivoAdapter)
        return adapter

    @property
    def room(self) -> Room:
        return self.seat.room(ROOM).room

    def reads(self, login: str, command: str) -> int:
        """How often an account has asked for something."""
        return sum((each.login, each.frame["command"]) == (login, command) for each in self.sim.reads)

    @property
    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """Every command that crossed the wire: whose session, and the frame."""
        return [(command.login, dict(command.frame)) for command in self.sim.commands]

    def index(self, who: ParticipantId) -> int:
        return int(who.partition("-")[0])

    def person(self, who: ParticipantId) -> Participant:
        return self.seat.people(ROOM)[who]

    def enters(self, who: str, **how: Any) -> ParticipantId:
        """Let somebody in: a user by their login, else a caller from outside."""
        if who in NUMBERS:
            seat = self.sim.someone_joins(ROOM, login=who, **how)
        else:
            self._callers += 1
            seat = self.sim.someone_joins(ROOM, who, how.pop("number", f"0199{self._callers:06d}"), **how)
        return ParticipantId(f"{seat.index}-{seat.join_ms}")

    async def joins(self, who: str, **how: Any) -> ParticipantId:
        """Let somebody in, and wait until the gateway shows them in full."""
        found = self.enters(who, **how)
        await self.seat.until(lambda: found in self.seat.people(ROOM))
        if any(one.login for one in self.sim.people(ROOM)):
            await self.seat.until(lambda: self.seat.people(ROOM)[found].role is not None)
        return found

    def leaves(self, who: ParticipantId) -> None:
        self.sim.someone_leaves(ROOM, self.index(who))

    async def until(self, condition: Callable[[], object]) -> None:
        await self.seat.until(condition)

    async def waits_in_line(self, doing: Coroutine[object, object, CommandResult]) -> asyncio.Task[CommandResult]:
        """Begin a command that has to wait for another of the same session, and come back when it waits."""
        task = asyncio.create_task(doing)
        for _ in range(20):
            await asyncio.sleep(0)
        return task

    async def do(self, wish: Wish, identity: str | None = "ada") -> CommandResult:
        viewer = Viewer("ann", "default", frozenset(ViewerRole), {} if identity is None else {BACKEND: identity})
        return await self.seat.live.desk.do(viewer, Ask(BACKEND, wish))

    async def do_to(self, action: Action, who: ParticipantId, identity: str | None = "ada") -> CommandResult:
        return await self.do(ParticipantCommand(action, ROOM, who), identity)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(number): {
                ParticipantId(f"{seat.index}-{seat.join_ms}"): Person(
                    each["name"], each["muted"], each["deafened"], each["talking"], each["moderator"]
                )
                for seat, each in room["participants"].items()
            }
            for number, room in self.sim.truth().items()
        }


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so that nothing announces."""
    async with asyncio.timeout(5):
        while not condition():
            turn = asyncio.Event()
            asyncio.get_running_loop().call_later(0.005, turn.set)
            await turn.wait()


def codes(result: CommandResult) -> list[CommandErrorCode]:
    return [error.code for error in result.errors]


def adapter_for(
    sim: XivoSimulator, *, accounts: Collection[str] = ("ada", "ben"), patience: Patience = PATIENCE, **settings: Any
) -> XivoAdapter:
    given = {
        "url": sim.url,
        "login": "gateway",
        "password": PASSWORD,
        "accounts": dict.fromkeys(accounts, PASSWORD),
        "answer_wait_s": 0.3,
        **settings,
    }
    return XivoAdapter(XivoSettings.model_validate(given), patience)


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[XivoSimulator]:
    """A running XiVO with four users who have lines, and two rooms."""
    async with XivoSimulator(**options) as sim:
        for login, number in NUMBERS.items():
            sim.add_user(login, PASSWORD, name=login.capitalize(), number=number)
        sim.add_room(ROOM, "Board")
        sim.add_room("4001", "Annex")
        yield sim


@asynccontextmanager
async def house(
    folder: Path, *, arrange: Callable[[House], object] = lambda _: None, live: bool = True, **settings: Any
) -> AsyncIterator[House]:
    """A gateway at a XiVO, LIVE unless said otherwise; `arrange` is called before it looks."""
    async with simulated() as sim:
        there = House(sim)
        arrange(there)
        async with gateway_on(there, folder, adapter_for(sim, **settings)) as seat:
            there.seat = seat
            if live:
                await seat.until_status(BackendStatus.LIVE)
            yield there
