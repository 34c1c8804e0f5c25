"""A gateway whose links do not run: a test says what happens in its rooms, and gives its turns of delivery by hand."""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from gateway.hub.hub import Hub
from gateway.live.live import ConfiguredBackend, Live, LiveLimits
from gateway.live.table import RoomTable
from gateway.model.ids import ParticipantId, RoomId, RoomKey
from gateway.model.reports import JoinReport, LeaveReport, RoomReports, UpdateReport
from gateway.model.room import Participant, ParticipantRole, Room, RoomSettings, RoomState
from gateway.model.viewer import Viewer
from gateway.operations.batch import Batch
from gateway.operations.delivery import read_wish
from gateway.operations.execution import Answer, RequestRefused
from gateway.operations.operations import Operations, OperationSettings
from gateway.operations.persisted import PersistedDocuments
from gateway.operations.request import GraphQLRequest
from gateway.operations.shared import Follower, Lane, SharedOperation
from gateway.operations.turns import Turns
from gateway.schema.cursor import Cursors
from gateway.storage import Storage
from tests.gateway.live.rooms import read
from tests.gateway.schema.house import ADMIN, CLOUD, PBX, CloudSwitchboard, gid
from tests.switchboard import Switchboard

BOARD = RoomId("board")


_PREFIX = b'{"payload":'


def messages_in(frames: bytes) -> Iterator[bytes]:
    """Take frames of text apart."""
    while frames:
        assert frames[0] == 0x81
        size, begins = frames[1], 2
        if size >= 126:
            begins = 4 if size == 126 else 10
            size = int.from_bytes(frames[2:begins])
        yield frames[begins : begins + size]
        frames = frames[begins + size :]


class ByHand(Turns):
    """Turns that come when a test says so."""

    def _schedule(self) -> None:
        pass

    @property
    def idle(self) -> bool:
        """Whether nobody waits for a turn."""
        return not self._due and not self._at_end

    def turn(self, limit: int) -> int:
        """Let whoever waits longest deliver a little, and say how much it did."""
        if not self._due:
            return 0
        deliverer = next(iter(self._due))
        del self._due[deliverer]
        made = deliverer.deliver_some(limit)
        if made >= limit:
            self._due[deliverer] = None
        return made

    def all(self, limit: int = 500) -> None:
        """Go on until everything is delivered."""
        while self._due:
            self.turn(limit)


class Reader(Follower):
    """A client: what it was sent waits until it is taken; once there is no more room, or it is stuck, it is blocked.

    Shape: with `short_way` it takes ready frames, past `deliver`, while it is not blocked.
    """

    def __init__(self, room_for: int = 1_000_000, *, short_way: bool = False) -> None:
        super().__init__()
        self.room_for = room_for
        self.short_way = short_way
        self._stuck = False
        self.waiting: deque[dict[str, Any]] = deque()
        self.over = False
        self.errors: Sequence[GraphQLError] = ()

    @property
    def stuck(self) -> bool:
        """Whether it takes nothing, however much room there is."""
        return self._stuck

    @stuck.setter
    def stuck(self, stuck: bool) -> None:
        self._stuck = stuck
        if stuck:
            self.relane()

    @property
    def blocked(self) -> bool:
        return self.stuck or len(self.waiting) >= self.room_for

    def deliver(self, batch: Batch) -> None:
        self._take_in([json.loads(delivery.payload) for delivery in batch.deliveries])

    def lane(self) -> Lane | None:
        return (self._write, _PREFIX) if self.short_way and not self.blocked else None

    def _write(self, frames: bytes) -> None:
        self._take_in([json.loads(message)["payload"] for message in messages_in(frames)])

    def _take_in(self, payloads: list[dict[str, Any]]) -> None:
        assert not self.blocked
        assert not self.over
        assert self.shared is not None, "it has left"
        self.waiting.extend(payloads)
        if self.blocked:
            self.relane()

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        assert not self.over
        self.over, self.errors = True, errors

    def take(self) -> list[dict[str, Any]]:
        """Take everything that waits."""
        taken, self.waiting = list(self.waiting), deque()
        return taken

    @property
    def codes(self) -> list[object]:
        """The codes of the errors it ended with."""
        return [(error.extensions or {}).get("code") for error in self.errors]


class Hall:
    """The gateway, with one room, `board`, and whatever else a test puts into it."""

    def __init__(self, storage: Storage, *, log_max_events: int = 256, talking_interval_s: float = 0.0) -> None:
        backends = [
            ConfiguredBackend(PBX, "Head office", Switchboard()),
            ConfiguredBackend(CLOUD, "Cloud", CloudSwitchboard()),
        ]
        self.live = Live(backends, storage, b"0" * 32, LiveLimits(log_max_events=log_max_events))
        self.cursors = Cursors(b"secret")
        settings = OperationSettings(talking_interval_s=talking_interval_s)
        self.operations = Operations(self.live, storage.history, self.cursors, PersistedDocuments(), settings)
        self.turns = ByHand()
        self.operations.turns = self.turns

    @property
    def hub(self) -> Hub:
        return self.live.hub

    @property
    def table(self) -> RoomTable:
        return self.live.links[PBX].table

    def open(self, *people: str, room_id: str = BOARD, settings: RoomSettings | None = None) -> str:
        """Let a room be known, with people in it, and give its global id."""
        inside = {each.id: each for each in map(person, people)}
        state = RoomState.ACTIVE if people else RoomState.IDLE
        name = room_id.title()
        read(self.table, Room(id=RoomId(room_id), name=name, state=state, participants=inside, settings=settings))
        return gid(room_id)

    def report(self, report: RoomReports) -> None:
        """Let the backend report something."""
        self.table.report(report)

    def joins(self, name: str, room_id: str = BOARD, **fields: Any) -> None:
        self.report(JoinReport(room_id=RoomId(room_id), participant=person(name, **fields)))

    def leaves(self, name: str, room_id: str = BOARD) -> None:
        self.report(LeaveReport(room_id=RoomId(room_id), participant_id=ParticipantId(name)))

    def changes(self, name: str, room_id: str = BOARD, **fields: Any) -> None:
        self.report(UpdateReport(room_id=RoomId(room_id), participant=Participant(id=ParticipantId(name), **fields)))

    def cursor(self, room_id: str = BOARD, tenant: str = ADMIN.tenant) -> str:
        """Give the newest position of a room."""
        at = self.table.get(RoomId(room_id))
        assert at is not None
        return self.cursors.encode(tenant, RoomKey(PBX, RoomId(room_id)), at.position)

    def request(self, query: str, **variables: Any) -> GraphQLRequest:
        return GraphQLRequest(query, variables, None, {}, None)

    def follow(
        self,
        query: str,
        viewer: Viewer = ADMIN,
        *,
        reader: Reader | None = None,
        extensions: Mapping[str, object] | None = None,
        operation_name: str | None = None,
        **variables: Any,
    ) -> Reader:
        """Subscribe; one who is refused is over, with the errors."""
        reader = reader or Reader()
        request = GraphQLRequest(query, variables, operation_name, dict(extensions or {}), None)
        try:
            wish = read_wish(request.extensions)
            self.operations.follow(self.operations.prepare(request, viewer), reader, wish)
        except RequestRefused as refused:
            reader.finish(refused.errors)
        except GraphQLError as error:
            reader.finish((error,))
        return reader

    def ask(self, query: str, viewer: Viewer = ADMIN, **variables: Any) -> bytes:
        """Ask what can be answered at once."""
        answer = self.operations.answer(self.operations.prepare(self.request(query, **variables), viewer))
        assert isinstance(answer, Answer)
        return answer.body

    @property
    def shared(self) -> SharedOperation:
        """The only subscription that runs."""
        (shared,) = self.operations._shared.values()
        return shared


def person(name: str, **fields: Any) -> Participant:
    known: dict[str, Any] = {"role": ParticipantRole.PARTICIPANT, "muted": False, "talking": False} | fields
    return Participant(id=ParticipantId(name), display_name=name.title(), **known)


def events_of(reader: Reader) -> Iterator[dict[str, Any]]:
    """Take the events that wait, none of which has errors."""
    for each in reader.take():
        assert set(each) <= {"data", "extensions"}
        (event,) = each["data"].values()
        yield event
