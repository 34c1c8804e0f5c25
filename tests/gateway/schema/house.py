"""A gateway with two switchboards behind it, and ways to ask it, to follow it and to wait for it."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from graphql import ExecutionResult, GraphQLError

from gateway.hub.hub import Update
from gateway.live.link import BackendStatus, LinkLimits
from gateway.live.live import ConfiguredBackend, Live, LiveLimits
from gateway.live.table import RoomAt
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.viewer import Viewer, ViewerRole
from gateway.operations.batch import Batch
from gateway.operations.delivery import read_wish
from gateway.operations.execution import Answer, RequestRefused, refusal
from gateway.operations.operations import Operations, OperationSettings
from gateway.operations.persisted import PersistedDocuments
from gateway.operations.request import GraphQLRequest
from gateway.operations.shared import Follower
from gateway.schema.cursor import Cursors
from gateway.schema.ids import backend_gid, participant_gid, room_gid
from gateway.schema.limits import QueryLimits
from gateway.schema.schema import make_schema
from gateway.storage import History, Storage
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
_PATIENCE_S = 90.0


class CloudSwitchboard(Switchboard):
    """The same of another kind."""

    kind: ClassVar[str] = "bandwidth"


class Stream(Follower):
    """What a subscription sends, one item after another; it is `blocked` while `room_for` items wait to be taken."""

    def __init__(self, room_for: int) -> None:
        super().__init__()
        self._room_for = room_for
        self._come: deque[dict[str, Any]] = deque()
        self._over = False
        self._news = asyncio.Event()

    @property
    def blocked(self) -> bool:
        return len(self._come) >= self._room_for

    def deliver(self, batch: Batch) -> None:
        self._come.extend(json.loads(delivery.payload) for delivery in batch.deliveries)
        self._news.set()

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        self._over = True
        if errors:
            self._come.append({"errors": [error.formatted for error in errors]})
        self._news.set()

    async def result(self) -> ExecutionResult | None:
        """Give the next result as it comes; None at the end."""
        async with asyncio.timeout(_PATIENCE_S):
            while not self._come:
                if self._over:
                    return None
                self._news.clear()
                await self._news.wait()
        result = _result(self._come.popleft())
        if not self._come:
            self.drained()
        return result

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


def _result(response: dict[str, Any]) -> ExecutionResult:
    errors = [
        GraphQLError(each["message"], path=each.get("path"), extensions=each.get("extensions"))
        for each in response.get("errors", ())
    ]
    return ExecutionResult(response.get("data"), errors or None)


class House:
    """A gateway, what is behind it, and who stands before it."""

    def __init__(self, live: Live, storage: Storage, pbx: Switchboard, cloud: Switchboard) -> None:
        self.live, self.storage, self.pbx, self.cloud = live, storage, pbx, cloud
        self.cursors = Cursors(b"secret")
        self.seen: list[Update] = []
        self._news = asyncio.Event()
        self.operations = self.make_operations(QueryLimits())
        live.hub.tap(self._note)

    async def ask(
        self, query: str, viewer: Viewer = ADMIN, limits: QueryLimits | None = None, **variables: Any
    ) -> ExecutionResult:
        """Run a query or mutation."""
        operations = self.operations if limits is None else self.make_operations(limits)
        request = GraphQLRequest(query, variables, None, {}, None)
        async with asyncio.timeout(_PATIENCE_S):
            try:
                answer = operations.answer(operations.prepare(request, viewer))
                if not isinstance(answer, Answer):
                    answer = await answer
            except RequestRefused as refused:
                answer = refusal(refused.errors)
        return _result(json.loads(answer.body))

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
        self,
        query: str,
        viewer: Viewer = ADMIN,
        *,
        room_for: int = 1000,
        extensions: dict[str, object] | None = None,
        **variables: Any,
    ) -> AsyncIterator[Stream]:
        """Run a subscription; it is stopped at the end, as when a client goes away."""
        stream = Stream(room_for)
        request = GraphQLRequest(query, variables, None, extensions or {}, None)
        try:
            self.operations.follow(self.operations.prepare(request, viewer), stream, read_wish(request.extensions))
        except RequestRefused as refused:
            stream.finish(refused.errors)
        yield stream
        stream.stop()

    def make_operations(self, limits: QueryLimits, history: History | None = None) -> Operations:
        """Make what runs operations."""
        settings = OperationSettings(talking_interval_s=0, limits=limits)
        return Operations(self.live, history or self.storage.history, self.cursors, PersistedDocuments(), settings)

    def room(self, room_id: str, backend_id: BackendId = PBX) -> RoomAt | None:
        """Give a room as the gateway has it."""
        return self.live.room(RoomKey(backend_id, RoomId(room_id)))

    def people(self, room_id: str) -> set[str]:
        """Give who is in a room, as the gateway has it."""
        at = self.room(room_id)
        return set(at.room.participants) if at else set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; looked at again whenever anything happens."""
        with self.live.hub.watch_backends(lambda _: self._news.set()):
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    self._news.clear()
                    with suppress(TimeoutError):  # what nobody announces is looked at all the same
                        await asyncio.wait_for(self._news.wait(), 0.01)

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

    async def until_joined(self, room_id: str, *people: str) -> None:
        """Let people into a room, each once the one before is known to be there."""
        for person in people:
            self.pbx.join(room_id, person, display_name=person.title())
            await self.until(lambda who=person: who in self.people(room_id))

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
            await house.operations.aclose()
