"""Everything that can be done with a GraphQL request: answer it, or follow what it subscribes to."""

import asyncio
from collections.abc import Awaitable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec
from graphql import OperationType

from gateway.live.live import Live
from gateway.model.viewer import Viewer
from gateway.operations.batch import Batch
from gateway.operations.delivery import NOTHING, Wish
from gateway.operations.documents import Operation, read_document
from gateway.operations.execution import Answer, Execution, RequestRefused
from gateway.operations.persisted import PersistedDocuments
from gateway.operations.reads import Reads
from gateway.operations.request import GraphQLRequest
from gateway.operations.shared import Follower, SharedOperation
from gateway.operations.turns import Turns
from gateway.schema.context import Context
from gateway.schema.cursor import Cursors
from gateway.schema.errors import RequestError
from gateway.schema.feed import Feed
from gateway.schema.limits import QueryLimits
from gateway.schema.schema import make_schema
from gateway.storage import History

_VARIABLES_KEPT_MAX_BYTES = 16_384
"""Queries with larger variables are nobody else's, and are not remembered."""
_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """How operations are run.

    Units: who talks is told at most every `talking_interval_s` seconds to each follower of a room; 0: every change.
    """

    talking_interval_s: float = 0.25
    limits: QueryLimits = field(default_factory=QueryLimits)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that was read and found valid.

    Shape: `key` is the same for all requests that get the same bytes; `begins_at` are its variables that say where a
           stream begins, which is everybody's own.
    """

    operation: Operation
    variables: dict[str, object]
    begins_at: dict[str, object]
    viewer: Viewer
    key: tuple[Operation, bytes, Hashable]

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.kind


class Operations:
    """Runs operations: identical reads once between two changes, identical subscriptions once for all who follow."""

    def __init__(
        self,
        live: Live,
        history: History,
        cursors: Cursors,
        persisted: PersistedDocuments,
        settings: OperationSettings | None = None,
    ) -> None:
        self._settings = settings or OperationSettings()
        self._context = partial(Context, live=live, history=history, cursors=cursors, limits=self._settings.limits)
        self._schema = make_schema()
        self._persisted = persisted
        self._version = lambda: live.hub.version
        self._reads = Reads(self._version)
        self._shared: dict[Hashable, SharedOperation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.turns = Turns()

    @property
    def followers(self) -> int:
        """How many subscriptions are open."""
        return sum(shared.followers for shared in self._shared.values())

    @property
    def running(self) -> int:
        """How many subscriptions are executed, each once for all its followers."""
        return len(self._shared)

    def prepare(self, request: GraphQLRequest, viewer: Viewer) -> Prepared:
        """Find the operation that a request means, and for whom its answer is the same.

        Errors: RequestRefused.
        """
        try:
            text = self._persisted.resolve(request)
            document = read_document(self._schema._schema, text, self._settings.limits)  # noqa: SLF001  # as in Execution
            if document.errors:
                raise RequestRefused(list(document.errors))
            self._persisted.remember(request, text)
            operation = document.operation(request.operation_name)
        except RequestError as error:
            raise RequestRefused([error]) from None
        given = request.variables
        variables = {name: given[name] for name in operation.variables if name in given}
        begins_at = {name: given[name] for name in operation.cursors if given.get(name) is not None}
        if not operation.personal and operation.kind is not OperationType.MUTATION:
            # Nobody's name is needed, and nobody's can slip into what others get too.
            viewer = replace(viewer, subject="", identities={})
        whose = (viewer.tenant, viewer.roles, viewer.subject, tuple(sorted(viewer.identities.items())))
        return Prepared(operation, variables, begins_at, viewer, (operation, _encoder.encode(variables), whose))

    def answer(self, prepared: Prepared) -> Answer | Awaitable[Answer]:
        """Do a query or a mutation.

        Errors: RequestRefused.
        """
        _, variables, _ = prepared.key
        small = len(variables) <= _VARIABLES_KEPT_MAX_BYTES
        if prepared.kind is OperationType.QUERY and small and not prepared.begins_at:
            return self._reads.answer(prepared.key, partial(self._execution, prepared))
        return self._execution(prepared).run()

    def follow(self, prepared: Prepared, follower: Follower, wish: Wish = NOTHING) -> None:
        """Let a follower in; its first events may come before this returns.

        Errors: RequestRefused.
        """
        shared = self._shared_of(prepared)
        own = self._execution(prepared).feed() if prepared.begins_at else shared.feed
        try:
            agreed = wish.agree(resumable=own.resumable) and follower.agree()
            if prepared.begins_at or wish.resume is not None:
                events: Sequence[Any] = own.begin(wish.resume)
                batch = shared.batch_of(events)
            else:
                events, batch = shared.beginning()
        except RequestError as error:
            raise RequestRefused([error]) from None
        if isinstance(batch, Batch):
            self._join(prepared, shared, follower, batch, agreed=agreed)
        else:
            joining = self._join_later(prepared, follower, own, events[-1], batch, agreed=agreed)
            follower.waits_for = self.spawn(joining, "first event")

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something that has to wait; whoever asked for it may cancel it, and `aclose` does."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Stop everything that is still waited for."""
        await asyncio.sleep(0)  # who has not begun yet would leave behind what it was to wait for
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _execution(self, prepared: Prepared) -> Execution:
        variables = {**prepared.variables, **prepared.begins_at}
        return Execution(self._schema, prepared.operation, variables, self._context(viewer=prepared.viewer))

    def _shared_of(self, prepared: Prepared) -> SharedOperation:
        """Give the operation that runs already, or one that will when somebody joins."""
        running = self._shared.get(prepared.key)
        if running is not None and not running.over:
            return running
        execution = self._execution(replace(prepared, begins_at={}))
        pace_s = self._settings.talking_interval_s

        def ended() -> None:
            if self._shared.get(prepared.key) is shared:
                del self._shared[prepared.key]

        feed = execution.feed()
        version = self._version if prepared.operation.lists_rooms else feed.version
        shared = SharedOperation(execution, feed, self.turns, version=version, pace_s=pace_s, ended=ended)
        return shared

    def _join(
        self, prepared: Prepared, shared: SharedOperation, follower: Follower, beginning: Batch, *, agreed: bool
    ) -> None:
        self._shared[prepared.key] = shared
        shared.join(follower, beginning, agreed=agreed)

    async def _join_later(
        self,
        prepared: Prepared,
        follower: Follower,
        feed: Feed[Any],
        last: object,
        beginning: Awaitable[Batch],
        *,
        agreed: bool,
    ) -> None:
        """Send the first events once they are there, then what came meanwhile."""
        first = await beginning
        if follower.waits_for is None:  # it was stopped just now
            return
        follower.waits_for = None
        try:
            shared = self._shared_of(prepared)
            missed = shared.batch_now(feed.since(last))
        except RequestRefused as refused:
            follower.finish(refused.errors)
        except RequestError as error:
            follower.finish((error,))
        else:
            self._join(prepared, shared, follower, Batch([*first.deliveries, *missed.deliveries]), agreed=agreed)
