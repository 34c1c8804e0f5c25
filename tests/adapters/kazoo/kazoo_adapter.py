"""An adapter connected to a simulator over real sockets, for the tests of this folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.kazoo import KazooAdapter
from adapters.kazoo.simulator import Generation, KazooSimulator
from gateway.model.commands import Command
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import Report
from gateway.model.room import Room


@dataclass(slots=True)
class Connected:
    """A simulator, an adapter with an open feed, and its reports."""

    sim: KazooSimulator
    adapter: KazooAdapter
    reports: AsyncIterator[Report]

    async def next(self) -> Report:
        return await anext(self.reports)

    async def read(self, room_id: str) -> Room:
        room = await self.adapter.read_room(RoomId(room_id))
        assert room is not None
        return room

    async def rooms(self) -> dict[str, Room]:
        return {room.id: room for room in await self.adapter.snapshot()}

    async def do(self, command: Command, room: Room | None = None) -> Room | ParticipantId | None:
        receipt = await self.adapter.execute(command, room, None)
        return receipt.participant_id or receipt.room

    def sent(self, method: str, ending: str) -> int:
        """How many requests of this kind have arrived."""
        return sum(each.method == method and each.path.endswith(ending) for each in self.sim.requests)


def settings_for(sim: KazooSimulator, **more: object) -> dict[str, object]:
    return {
        "url": f"{sim.base_url}/v2",
        "socket_url": sim.socket_url,
        "account_name": sim.account_name,
        "username": sim.username,
        "password": sim.password,
        **more,
    }


@asynccontextmanager
async def connected_to(sim: KazooSimulator, **more: object) -> AsyncIterator[Connected]:
    adapter = KazooAdapter.configured(settings_for(sim, **more))
    try:
        async with adapter.feed() as reports:
            yield Connected(sim, adapter, reports)
    finally:
        await adapter.aclose()


@asynccontextmanager
async def connected(
    simulated: Generation = Generation.K4_3, *, master: bool = False, **more: object
) -> AsyncIterator[Connected]:
    """A running simulator with an adapter that is connected to it."""
    async with KazooSimulator(generation=simulated, master=master) as sim, connected_to(sim, **more) as seat:
        yield seat
