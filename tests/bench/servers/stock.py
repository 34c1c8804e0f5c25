"""Strawberry as it comes, on uvicorn as it comes: a generator and a queue for every subscriber."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import Enum

import strawberry
import uvicorn
from strawberry.asgi import GraphQL

from gateway.commands.running import run
from tests.bench.servers.control import Control

_queues: set[asyncio.Queue["ParticipantUpdated"]] = set()


@strawberry.enum
class ChangedField(Enum):
    """What may change."""

    DISPLAY_NAME = "DISPLAY_NAME"


@strawberry.type
class Participant:
    """Somebody in the room."""

    id: strawberry.ID
    display_name: str | None
    muted: bool | None
    talking: bool | None


@strawberry.type
class Room:
    """The room."""

    id: strawberry.ID
    name: str | None
    participant_count: int


@strawberry.interface
class RoomEvent:
    """Something that happened."""

    position: str
    occurred_at: datetime


@strawberry.type
class RoomSnapshot(RoomEvent):
    """The first event."""

    snapshot_reason: str
    room: Room


@strawberry.type
class ParticipantUpdated(RoomEvent):
    """Every other event."""

    changed: list[ChangedField]
    participant: Participant


@strawberry.type
class Query:
    """A schema needs one."""

    @strawberry.field
    def alive(self) -> bool:
        """Say yes."""
        return True


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription
    async def room_events(self, room_id: strawberry.ID) -> AsyncIterator[RoomEvent]:
        """Follow the room."""
        queue: asyncio.Queue[ParticipantUpdated] = asyncio.Queue()
        _queues.add(queue)
        try:
            room = Room(id=room_id, name="Conference room", participant_count=4)
            yield RoomSnapshot(position=_POSITION, occurred_at=datetime.now(UTC), snapshot_reason="START", room=room)
            while True:
                yield await queue.get()
        finally:
            _queues.discard(queue)


_POSITION = "p" * 40
_SCHEMA = strawberry.Schema(Query, subscription=Subscription, types=[RoomSnapshot, ParticipantUpdated])


def _happen(_: int, text: str) -> None:
    participant = Participant(id=strawberry.ID("i" * 30), display_name=text, muted=False, talking=False)
    event = ParticipantUpdated(
        position=_POSITION,
        occurred_at=datetime.now(UTC),
        changed=[ChangedField.DISPLAY_NAME],
        participant=participant,
    )
    for queue in _queues:
        queue.put_nowait(event)


async def _serve() -> None:
    server = uvicorn.Server(uvicorn.Config(GraphQL(_SCHEMA), port=0, lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has nothing to wait on
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    await Control(1, _happen).obey({"port": port, "rooms": ["room"]})
    server.should_exit = True
    await serving


if __name__ == "__main__":
    run(_serve())
