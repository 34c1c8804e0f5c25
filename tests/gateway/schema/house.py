"""A gateway with two switchboards behind it, and ways to ask it, to follow it and to wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from graphql import GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult

from gateway.hub.hub import Hub, Update
from gateway.live.link import BackendStatus, LinkLimits
from gateway.live.live import ConfiguredBackend, Live, LiveLimits
from gateway.live.table import RoomAt
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.viewer import Viewer, ViewerRole
from gateway.schema.context import Context
from gateway.schema.cursor import Cursors
from gateway.schema.ids import backend_gid, participant_gid, room_gid
from gateway.schema.limits import QueryLimits
from gateway.schema.schema import make_schema
from gateway.storage import Storage
from tests.switchboard import Switchboard

PBX, CLOUD = BackendId("pbx"), BackendId("cloud")
ME = "user-of-the-viewer"
ADMIN = Viewer("ada", "acme", frozenset(ViewerRole), {PBX: ME})
MODERATOR = Viewer("mo", "acme", frozenset({ViewerRole.VIEWER, ViewerRole.MODERATOR}), {PBX: ME})
VIEWER = Viewer("vic", "acme", frozenset({ViewerRole.VIEWER}), {PBX: ME})
SCHEMA = make_schema()
LIMITS = LiveLimits(
    confirm_s=0.5, log_max_events=256, link=LinkLimits(first_wait_s=0.01, longest_wait_s=0.05, reread_gap_s=0.005)
)
_PATIENCE_S = 10.0


class CloudSwitchboard(Switchboard):
    """The same of another kind."""

    kind: ClassVar[str] = "bandwidth"


class Stream:
    """What a subscription sends, one item after another."""

    def __init__(self, results: AsyncIterator[ExecutionResult], hub: Hub) -> None:
        self._results = results
        self._hub = hub
        self._coming: asyncio.Task[ExecutionResult | None] | None = None

    async def begun(self) -> None:
        """Wait until it follows: what happens from now on comes."""
        before = self._hub.watchers
        self._coming = asyncio.create_task(self._next_result())
        async with asyncio.timeout(_PATIENCE_S):
            while self._hub.watchers == before:  # noqa: ASYNC110  a counter, which nobody announces
                await asyncio.sleep(0)

    async def result(self) -> ExecutionResult | None:
        """Give the next result as it comes; None at the end."""
        async with asyncio.timeout(_PATIENCE_S):
            coming, self._coming = self._coming, None
            return await (coming or self._next_result())

    async def aclose(self) -> None:
        """Stop waiting."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.wait([self._coming])

    async def _next_result(self) -> ExecutionResult | None:
        return await anext(self._results, None)

    async def next(self) -> Any:
        """Give the next event, which is no error."""
        result = await self.result()
        assert result is not None, "the stream is over"
        assert result.errors is None, result.errors
        assert result.data is not None
        (event,) = result.data.values()
        return event

    async def error(self) -> GraphQLError:
        """Give the error that comes next."""
        result = await self.result()
        assert result is not None, "the stream is over"
        assert result.errors is not None, result.data
        return result.errors[0]

    async def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return await self.result() is None


class House:
    """A gateway, what is behind it, and who stands before it."""

    def __init__(self, live: Live, storage: Storage, pbx: Switchboard, cloud: Switchboard) -> None:
        self.live, self.storage, self.pbx, self.cloud = live, storage, pbx, cloud
        self.cursors = Cursors(b"secret")
        self.seen: list[Update] = []
        self._news = asyncio.Event()
        live.hub.tap(self._note)

    async def ask(
        self, query: str, viewer: Viewer = ADMIN, limits: QueryLimits | None = None, **variables: Any
    ) -> ExecutionResult:
        """Run a query or mutation."""
        async with asyncio.timeout(_PATIENCE_S):
            return await SCHEMA.execute(query, variables, context_value=self.context(viewer, limits))

    async def data(self, query: str, viewer: Viewer = ADMIN, **variables: Any) -> Any:
        """Run a query or mutation that has no errors."""
        result = await self.ask(query, viewer, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def error(self, query: str, viewer: Viewer = ADMIN, **variables: Any) -> GraphQLError:
        """Run a query that has one error."""
        result = await self.ask(query, viewer, **variables)
        assert result.errors is not None, result.data
        (error,) = result.errors
        return error

    @asynccontextmanager
    async def follow(
        self, query: str, viewer: Viewer = ADMIN, schema: Schema = SCHEMA, **variables: Any
    ) -> AsyncIterator[Stream]:
        """Run a subscription; it is stopped at the end, as when a client goes away."""
        results: Any = await schema.subscribe(query, variables, context_value=self.context(viewer))
        stream = Stream(results, self.live.hub)
        try:
            yield stream
        finally:
            await stream.aclose()
            await results.aclose()

    def context(self, viewer: Viewer = ADMIN, limits: QueryLimits | None = None) -> Context:
        """Give what operations read from."""
        return Context(self.live, self.storage.history, viewer, self.cursors, limits or QueryLimits())

    def room(self, room_id: str, backend_id: BackendId = PBX) -> RoomAt | None:
        """Give a room as the gateway has it."""
        return self.live.room(RoomKey(backend_id, RoomId(room_id)))

    def people(self, room_id: str) -> set[str]:
        """Give who is in a room, as the gateway has it."""
        at = self.room(room_id)
        return set(at.room.participants) if at else set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; looked at again whenever anything happens."""
        with self.live.hub.watch_backends() as backends:
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    self._news.clear()
                    waits = {asyncio.create_task(self._news.wait()), asyncio.create_task(backends.next())}
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    for wait in waits:
                        wait.cancel()

    async def until_live(self) -> None:
        """Wait until both backends have been read."""
        await self.until(lambda: all(link.status is BackendStatus.LIVE for link in self.live.links.values()))

    async def with_people(self, room_id: str, *people: str, **fields: Any) -> str:
        """Open a room with people in it, wait until the gateway knows, and give the room's id."""
        self.pbx.open_room(room_id, name=room_id.title())
        await self.until(lambda: self.room(room_id))
        for person in people:
            self.pbx.join(room_id, person, display_name=person.title(), **fields)
        await self.until(lambda: self.room(room_id) and self.people(room_id) == set(people))
        return gid(room_id)

    def _note(self, update: Update) -> None:
        self.seen.append(update)
        self._news.set()


def gid(room_id: str, participant_id: str | None = None, backend_id: BackendId = PBX) -> str:
    """Give the global id of a room or a participant."""
    key = RoomKey(backend_id, RoomId(room_id))
    return room_gid(key) if participant_id is None else participant_gid(key, ParticipantId(participant_id))


def backend(backend_id: BackendId) -> str:
    """Give the global id of a backend."""
    return backend_gid(backend_id)


@asynccontextmanager
async def house_with(
    folder: Path, pbx: Switchboard | None = None, *, limits: LiveLimits = LIMITS
) -> AsyncIterator[House]:
    """Run a gateway on two switchboards."""
    pbx, cloud = pbx or Switchboard(), CloudSwitchboard()
    backends = [ConfiguredBackend(PBX, "Head office", pbx), ConfiguredBackend(CLOUD, "Cloud", cloud)]
    async with Storage.open(f"sqlite:///{folder / 'gateway.sqlite3'}") as storage:
        live = Live(backends, storage, b"0" * 32, limits)
        house = House(live, storage, pbx, cloud)
        async with live:
            yield house
