"""Sockets over rooms where much happens, stalled, cut and resumed at random: everybody ends up with the truth.

`CHAOS_DELIVERIES=1000000 uv run pytest -s tests/chaos` delivers a million events; `CHAOS_SEED` chooses another run.
"""

import asyncio
import os
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import click
import pytest

from gateway.hub.hub import Update
from gateway.model.events import RoomAppeared, RoomRemoved
from gateway.model.ids import Position, RoomId, RoomKey
from gateway.operations.operations import OperationSettings
from gateway.web.app import WebLimits, make_app
from gateway.web.limits import SocketLimits
from gateway.web.server import serving
from tests.chaos.client import Client
from tests.gateway.schema.house import ADMIN, LIMITS, PBX, House, gid, house_with

DELIVERIES = int(os.environ.get("CHAOS_DELIVERIES", "60000"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
ROOMS = 5
CLIENTS = 200
_PATIENCE_S = 60.0


class Chaos:
    """The rooms, the clients, and what may happen to them."""

    def __init__(self, house: House, port: int, rng: Random, *, paced: bool) -> None:
        self.house = house
        self.rng = rng
        self.paced = paced
        self.rooms = [f"room{number}" for number in range(ROOMS)]
        self.published: dict[RoomKey, list[Position]] = {}
        self.deliveries = 0
        self.snapshots: Counter[str] = Counter()
        self.named = 0
        house.live.hub.tap(self._note)
        self.clients = [
            Client(Random(rng.random()), port, gid(rng.choice(self.rooms)), self._told) for _ in range(CLIENTS)
        ]

    def _note(self, update: Update) -> None:
        if not isinstance(update.event, RoomAppeared | RoomRemoved):
            self.published.setdefault(update.key, []).append(update.position)

    def _told(self, event: dict[str, Any]) -> None:
        self.deliveries += 1
        if event["__typename"] == "RoomSnapshot":
            self.snapshots[event["snapshotReason"]] += 1

    async def go_wild(self) -> None:
        """Let anything happen."""
        rng = self.rng
        for _ in range(rng.randrange(40)):
            self._something_in_a_room()
        for client in rng.sample(self.clients, 6):
            rng.choice((client.vanish, client.stall, client.stall, client.read_on))()
        for client in self.clients:
            if not client.is_connected and rng.random() < 0.1:
                await client.connect()
        for _ in range(rng.randrange(1, 30)):
            await asyncio.sleep(0)

    async def come_back(self) -> None:
        """Let those who are without a connection connect."""
        for client in self.clients:
            if not client.is_connected:
                await client.connect()

    def _something_in_a_room(self) -> None:
        rng, pbx = self.rng, self.house.pbx
        room = rng.choice(self.rooms)
        people = list(pbx.rooms[RoomId(room)].participants)
        match rng.randrange(6):
            case 0 if len(people) < 12:
                self.named += 1
                pbx.join(room, f"p{self.named}", muted=rng.random() < 0.5)
            case 1 if len(people) > 2:
                pbx.leave(room, rng.choice(people))
            case 2:
                self.named += 1
                pbx.tell(room, name=f"{self.named} {'x' * rng.choice((1, 1, 1, 10_000))}")
            case 3 if people:
                pbx.change(room, rng.choice(people), muted=rng.random() < 0.5)
            case _ if people:
                pbx.change(room, rng.choice(people), talking=rng.random() < 0.5)

    async def come_to_rest(self) -> None:
        """Let nothing happen any more, and wait until everybody has been told everything."""
        for room in self.rooms:
            self.house.pbx.tell(room, name="at rest")
        await self.house.until(lambda: all(self._truth(room)["name"] == "at rest" for room in self.rooms))
        async with asyncio.timeout(_PATIENCE_S):
            while not all(client.picture.facts.get("name") == "at rest" for client in self.clients):
                for client in self.clients:
                    client.read_on()
                await self.come_back()
                await asyncio.sleep(0)

    def check(self) -> None:
        """Compare everybody's picture with the truth, and the positions they saw with those there were."""
        for client in self.clients:
            room = next(each for each in self.rooms if gid(each) == client.room)
            truth = self._truth(room)
            assert client.picture.facts == {"name": truth["name"], "locked": truth["locked"]}
            assert client.picture.people == truth["people"]
            self._check_positions(client, RoomKey(PBX, RoomId(room)))

    def _check_positions(self, client: Client, key: RoomKey) -> None:
        seen = [self.house.cursors.decode("acme", key, cursor) for cursor in client.picture.seen]
        assert all(one < next_one for one, next_one in pairwise(seen)), "in order, none doubled"
        expected = [position for position in self.published[key] if seen[0] < position]
        if self.paced:
            assert set(seen[1:]) <= set(expected)
            assert seen[-1] == expected[-1] if expected else True
        else:
            assert seen[1:] == expected, "none lost"

    def _truth(self, room: str) -> dict[str, object]:
        at = self.house.room(room)
        assert at is not None
        people = {
            gid(room, each.id): {"id": gid(room, each.id), "muted": each.muted, "talking": each.talking}
            for each in at.room.participants.values()
        }
        return {"name": at.room.name, "locked": at.room.locked, "people": people}


@pytest.mark.parametrize("paced", [False, True], ids=["every event", "talking paced"])
async def test_everybody_ends_up_with_the_truth(
    tmp_path: Path, paced: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = Random(SEED)
    async with AsyncExitStack() as stack:
        limits = replace(LIMITS, log_max_events=60)
        house = await stack.enter_async_context(house_with(tmp_path, limits=limits))
        await house.until_live()
        web = WebLimits(
            operations=OperationSettings(talking_interval_s=0.02 if paced else 0),
            socket=SocketLimits(outbox_max_bytes=16_384),
        )
        port = await stack.enter_async_context(
            serving(make_app(house.live, house.storage, lambda _: ADMIN, b"secret", web), "127.0.0.1", 0, web.socket)
        )
        for number in range(ROOMS):
            await house.with_people(f"room{number}", f"first{number}")
        chaos = Chaos(house, port, rng, paced=paced)
        await chaos.come_back()
        while chaos.deliveries < DELIVERIES:
            await chaos.go_wild()
        await chaos.come_to_rest()
        chaos.check()
        connections = sum(client.connections for client in chaos.clients)
        snapshots = ", ".join(f"{reason} {count}" for reason, count in sorted(chaos.snapshots.items()))
        with capsys.disabled():
            click.echo(f"\n{chaos.deliveries:,} deliveries, {connections:,} connections; snapshots: {snapshots}")
        assert set(chaos.snapshots) == {"START", "SLOW_CONSUMER", "CURSOR_TOO_OLD"}, "all of it was tried"
        for client in chaos.clients:
            client.vanish()
