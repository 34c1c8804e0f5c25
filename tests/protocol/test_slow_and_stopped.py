"""Clients that do not read, and a gateway that stops while clients are there."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.model.ids import RoomId
from gateway.web.app import WebLimits
from gateway.web.limits import SocketLimits
from tests.gateway.schema.house import LIMITS, House, gid, house_with
from tests.protocol.front import BODY_MAX_BYTES, Front, Wire, front_of, front_with

PEOPLE = [f"p{number}" for number in range(10)]
LONG = "x" * 20_000
"""So that few events fill the buffers on the way."""
FOLLOW_ALL = """subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position
    ... on RoomSnapshot { snapshotReason room { name locked participants { edges { node { id muted } } } } }
    ... on RoomUpdated { room { name locked } }
    ... on ParticipantJoined { participant { id muted } }
    ... on ParticipantUpdated { participant { id muted } }
    ... on ParticipantLeft { participant { id } } } }"""
STATE = "query ($id: ID!) { room(id: $id) { name locked position participants { edges { node { id muted } } } } }"


class Picture:
    """A room as a client puts it together from what it is sent."""

    def __init__(self) -> None:
        self.room: dict[str, Any] = {}
        self.muted: dict[str, bool] = {}
        self.positions: list[str] = []
        self.reasons: list[str] = []

    @property
    def name(self) -> str:
        name: str = self.room.get("name", "")
        return name

    def take(self, event: dict[str, Any]) -> None:
        self.positions.append(event["position"])
        match event["__typename"]:
            case "RoomSnapshot":
                self.reasons.append(event["snapshotReason"])
                self._see(event["room"])
                self.muted = {edge["node"]["id"]: edge["node"]["muted"] for edge in _edges(event["room"])}
            case "RoomUpdated":
                self._see(event["room"])
            case "ParticipantLeft":
                del self.muted[event["participant"]["id"]]
            case _:
                self.muted[event["participant"]["id"]] = event["participant"]["muted"]

    def _see(self, room: dict[str, Any]) -> None:
        self.room = {"name": room["name"], "locked": room["locked"]}


def _edges(room: dict[str, Any]) -> list[Any]:
    edges: list[Any] = room["participants"]["edges"]
    return edges


async def busy(front: Front, rounds: int, seen_by: Picture | None = None) -> None:
    """Let much happen in the room, not faster than one client can follow; its name tells when it is over."""
    pbx = front.house.pbx
    for number in range(rounds):
        people = pbx.rooms[RoomId("board")].participants
        pbx.change("board", next(iter(people)), muted=number % 2 == 0)
        pbx.tell("board", name=f"{number} {LONG}", locked=number % 2 == 0)
        pbx.leave("board", next(iter(people)))
        pbx.join("board", f"new {number}", muted=number % 3 == 0)
        if number % 10 == 0:
            await front.house.until(lambda now=number: room_name(front).startswith(f"{now} "))
            while seen_by is not None and not seen_by.name.startswith(f"{number} "):  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0)
    pbx.tell("board", name="At last")
    await front.house.until(lambda: room_name(front) == "At last")


def room_name(front: Front) -> str:
    at = front.house.room("board")
    assert at is not None
    return at.room.name or ""


async def follow(wire: Wire) -> None:
    await wire.subscribe("1", FOLLOW_ALL, id=gid("board"))


async def test_a_slow_reader_is_told_of_the_gap_and_ends_up_with_the_truth(tmp_path: Path) -> None:
    """And the one beside them misses nothing."""
    limits = replace(LIMITS, log_max_events=10_000)
    async with front_with(tmp_path, limits=limits, socket=SocketLimits(outbox_max_bytes=65_536)) as front:
        await front.house.with_people("board", *PEOPLE)
        async with front.wire(sock=front.narrow_socket(), max_queue=1) as slow, front.wire() as quick:
            await follow(slow)
            await follow(quick)
            await front.watched_by(2)
            slow_picture, quick_picture = Picture(), Picture()
            taking = asyncio.create_task(until_last(quick, quick_picture))
            await busy(front, 400, quick_picture)
            await taking
            await until_last(slow, slow_picture)
            _, answer = await front.post(STATE, id=gid("board"))
        truth = answer["data"]["room"]
        for picture in (slow_picture, quick_picture):
            assert picture.room == {"name": truth["name"], "locked": truth["locked"]}
            assert picture.muted == {edge["node"]["id"]: edge["node"]["muted"] for edge in _edges(truth)}
            assert picture.positions[-1] == truth["position"]
            assert len(set(picture.positions)) == len(picture.positions)
        assert quick_picture.reasons == ["START"]
        assert slow_picture.reasons[0] == "START"
        assert set(slow_picture.reasons[1:]) == {"SLOW_CONSUMER"}
        assert len(slow_picture.positions) < len(quick_picture.positions)


async def until_last(wire: Wire, picture: Picture) -> None:
    while picture.name != "At last":
        picture.take(await wire.event("1"))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_with(tmp_path) as house:
        await house.until_live()
        await house.with_people("board", *PEOPLE)
        yield house


async def test_the_gateway_stops_quickly_with_sockets_open(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            wires = [await clients.enter_async_context(front.wire()) for _ in range(20)]
            for wire in wires:
                await follow(wire)
                await wire.event("1")
            wires.append(await clients.enter_async_context(front.stranger()))
            await busy(front, 10)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert [(await wire.end())[0] for wire in wires] == [1001] * len(wires)
        assert house.live.hub.watchers == 0


async def test_the_gateway_stops_though_somebody_does_not_read(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            slow = await clients.enter_async_context(front.wire(sock=front.narrow_socket(), max_queue=1))
            await follow(slow)
            await slow.event("1")
            await busy(front, 800)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        slow.socket.transport.abort()


async def test_the_gateway_stops_though_half_a_request_has_come(house: House) -> None:
    async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
        half = socket.create_connection(("127.0.0.1", front.port))
        half.sendall(b"POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{")
        await front.post("{ __typename }")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    half.close()
