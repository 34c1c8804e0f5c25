"""A room where much happens, and what a client makes of what it is told."""

import asyncio
from typing import Any

from gateway.model.ids import RoomId
from tests.gateway.schema.house import gid
from tests.protocol.front import Front, Wire

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


async def until_last(wire: Wire, picture: Picture) -> None:
    while picture.name != "At last":
        picture.take(await wire.event("1"))


async def see_the_gap(front: Front, rounds: int) -> None:
    """Let much happen before one who reads slowly and one who does not: both end up with the truth."""
    await front.house.with_people("board", *PEOPLE)
    async with front.wire(sock=front.narrow_socket(), max_queue=1) as slow, front.wire() as quick:
        await follow(slow)
        await follow(quick)
        await front.watched_by(2)
        slow_picture, quick_picture = Picture(), Picture()
        taking = asyncio.create_task(until_last(quick, quick_picture))
        await busy(front, rounds, quick_picture)
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
