"""What a session writes to its socket, whether for one operation or several, blocked again and again or never."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.ids import RoomKey
from gateway.operations.frames import frames_of
from gateway.schema.cursor import Cursors
from gateway.storage import Storage
from gateway.web.legacy import LegacySession
from gateway.web.session import Session, SessionLimits, TransportSession
from tests.gateway.operations.hall import BOARD, Hall
from tests.gateway.schema.house import ADMIN, PBX

EVENTS = (
    "subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position ... on RoomSnapshot { snapshotReason } } }"
)
EVERYBODY = """subscription ($id: ID!) { roomEvents(roomId: $id) {
    position ... on RoomSnapshot { room { participants { edges { node { id } } } } } } }"""
CROWD = [f"somebody with a long name {number}" for number in range(100)]
KEY = RoomKey(PBX, BOARD)


class Line:
    """A socket: `room_for` bytes may wait until they are read."""

    def __init__(self, *, takes_frames: bool = True) -> None:
        self.takes_frames = takes_frames
        self.blocked = False
        self.room_for = 1_000_000
        self.writes: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.session: Session

    @property
    def short_way(self) -> Callable[[bytes], object] | None:
        return self.write if self.takes_frames and not self.blocked and self.closed is None else None

    def send(self, messages: Sequence[bytes]) -> None:
        self.write(frames_of(messages))

    def write(self, frames: bytes) -> None:
        if self.closed is None:
            self.writes.append(frames)
            self.limit()

    def limit(self) -> None:
        if not self.blocked and sum(map(len, self.writes)) > self.room_for:
            self.blocked = True
            self.session.held()

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def take(self) -> list[dict[str, Any]]:
        """Read everything that was written, which makes room again."""
        read = [message for written in self.writes for message in messages_of(written)]
        self.writes.clear()
        if self.blocked:
            self.blocked = False
            self.session.drained()
        return read


def messages_of(frames: bytes) -> list[dict[str, Any]]:
    """Read whole text frames."""
    read = []
    while frames:
        assert frames[0] == 0x81
        size, begin = frames[1], 2
        if size > 125:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(frames[2:begin])
        read.append(json.loads(frames[begin : begin + size]))
        assert len(frames) >= begin + size
        frames = frames[begin + size :]
    return read


class Client:
    """One who speaks on a line."""

    def __init__(self, hall: Hall, line: Line | None = None, kind: type[Session] = TransportSession) -> None:
        self.hall = hall
        self.line = line or Line()
        self.session = self.line.session = kind(self.line, hall.operations, ADMIN, SessionLimits())
        self.says(type="connection_init")
        assert self.line.take()[0] == {"type": "connection_ack"}

    def says(self, **message: Any) -> None:
        self.session.received(json.dumps(message))

    def asks(self, operation_id: str, query: str, **variables: Any) -> None:
        self.says(type="subscribe", id=operation_id, payload={"query": query, "variables": variables})

    def turn(self) -> None:
        self.hall.turns._deliver()

    def turns(self) -> None:
        while not self.hall.turns.idle:
            self.turn()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with Storage.open(f"sqlite:///{tmp_path / 'gateway.sqlite3'}") as storage:
        await storage.secret("any")
        yield storage


@pytest.fixture
def hall(storage: Storage) -> Hall:
    return Hall(storage)


# ---- several operations ----


async def test_what_several_operations_get_in_a_turn_is_one_write(hall: Hall) -> None:
    room = hall.open("anna")
    client = Client(hall)
    for number in range(10):
        client.asks(str(number), EVENTS, id=room)
    client.turns()
    client.line.take()
    for name in ("ben", "cleo", "dan"):
        hall.joins(name)
    client.turns()
    assert len(client.line.writes) == 1
    messages = client.line.take()
    assert len(messages) == 30
    client.session.gone()


async def test_much_that_is_sent_in_one_turn_blocks_the_socket_before_the_turn_is_over(hall: Hall) -> None:
    """Otherwise a thousand snapshots would wait in memory, whatever the socket's limit."""
    room = hall.open(*CROWD)
    client = Client(hall)
    client.line.room_for = 100_000
    for number in range(1000):
        client.asks(str(number), EVERYBODY, id=room)
    client.turns()
    assert client.line.blocked
    assert sum(map(len, client.line.writes)) < 300_000
    client.session.gone()


async def test_everybody_gets_a_turn_on_a_socket_that_is_blocked_again_and_again(hall: Hall) -> None:
    room = hall.open(*CROWD)
    client = Client(hall)
    for number in range(40):
        client.asks(str(number), EVERYBODY, id=room)
    client.turns()
    client.line.take()
    client.line.room_for = 0
    told: set[str] = set()
    for number in range(20):
        for muted in (True, False):
            hall.changes(CROWD[0], muted=muted)
            client.turns()
        come = client.line.take()
        assert len(come) < 40 or number == 0, "the socket was blocked before all had their turn"
        told |= {each["id"] for each in come if "room" in each["payload"]["data"]["roomEvents"]}
    assert told == {str(number) for number in range(40)}
    client.session.gone()


async def test_what_happened_last_comes_before_the_end(hall: Hall) -> None:
    room = hall.open("anna")
    client = Client(hall)
    for number in range(3):
        client.asks(str(number), EVENTS, id=room)
    client.turns()
    hall.joins("ben")
    hall.table.remove(BOARD)
    client.turns()
    ends = {message["id"]: message["type"] for message in client.line.take()}
    assert ends == dict.fromkeys("012", "complete")
    client.session.gone()


# ---- what has to wait ----


async def test_what_came_together_waits_for_room_and_keeps_its_order(hall: Hall) -> None:
    client = Client(hall)
    client.line.room_for = 0
    for number in range(5):
        client.asks(str(number), "{ __typename }")
    client.says(type="ping", payload={"last": True})
    come = []
    for _ in range(6):
        come += (now := client.line.take())
        assert len(now) <= 2
    assert [each["id"] for each in come[:-1]] == [str(number) for number in range(5) for _ in "ab"]
    assert come[-1] == {"type": "pong", "payload": {"last": True}}


async def test_a_fault_among_what_waits_ends_it(hall: Hall) -> None:
    room = hall.open("anna")
    client = Client(hall)
    client.line.room_for = 0
    client.asks("1", "{ __typename }")
    client.says(type="nonsense")
    client.asks("2", EVENTS, id=room)
    assert client.line.closed is None
    client.line.take()
    assert client.line.closed == (4400, "unknown message type")
    assert hall.operations.followers == 0


async def test_what_waits_is_forgotten_with_the_socket(hall: Hall) -> None:
    room = hall.open("anna")
    client = Client(hall)
    client.line.room_for = 0
    client.asks("1", "{ __typename }")
    client.asks("2", EVENTS, id=room)
    client.session.gone()
    client.session.drained()
    assert hall.operations.followers == 0


# ---- the end ----


async def test_the_reason_at_the_end_holds_as_many_positions_as_it_has_room_for(hall: Hall) -> None:
    room = hall.open("anna")
    client = Client(hall)
    ids = ["é" * 11, "x" * 200, "1", "2", "3", "4"]
    for each in ids:
        client.asks(each, EVENTS, id=room)
    client.turns()
    hall.joins("ben")
    hall.turns.all()  # so that some of it is gathered and not sent yet
    cursor = hall.cursor()
    reason = client.session.stopping()
    assert reason == f"going away; {'é' * 11}={cursor}; 1={cursor}"
    assert len(reason.encode()) <= 123
    assert [each["payload"]["extensions"]["cursor"] for each in client.line.take()][-1] == cursor
    client.session.gone()


async def test_clients_of_the_old_protocol_are_told_again_that_the_gateway_lives(hall: Hall) -> None:
    line = Line()
    line.session = session = LegacySession(line, hall.operations, ADMIN, SessionLimits(keep_alive_s=0.01))
    session.received('{"type":"connection_init"}')
    async with asyncio.timeout(10):
        while len(line.writes) < 4:  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0)
    assert line.take()[:3] == [{"type": "connection_ack"}, {"type": "ka"}, {"type": "ka"}]
    session.gone()
    assert session._keeping_alive is not None
    assert session._keeping_alive.cancelled()


# ---- whatever happens ----


class Picture:
    """What one operation was told: a snapshot first, then everything, or a snapshot that says why not."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors
        self._sequence: int | None = None

    def take(self, message: dict[str, Any]) -> None:
        event = message["payload"]["data"]["roomEvents"]
        sequence = self._cursors.decode(ADMIN.tenant, KEY, event["position"]).sequence
        if self._sequence is None:
            assert (event["__typename"], event["snapshotReason"]) == ("RoomSnapshot", "START")
        elif event["__typename"] == "RoomSnapshot":
            assert event["snapshotReason"] == "SLOW_CONSUMER"
            assert sequence >= self._sequence
        else:
            assert sequence == self._sequence + 1, "missed, doubled or out of order"
        self._sequence = sequence

    @property
    def sequence(self) -> int | None:
        return self._sequence


_id = st.integers(0, 3).map(str)
_action = st.one_of(
    st.tuples(st.just("begin"), _id),
    st.tuples(st.just("end"), _id),
    st.tuples(st.sampled_from(["mute", "unmute", "turn", "turn", "read", "ask"]), st.just("")),
)


class Play:
    """A room and a client, and what a script does to them."""

    def __init__(self, hall: Hall, client: Client) -> None:
        self.hall = hall
        self.client = client
        self.room = hall.open("anna")
        self.pictures: dict[str, Picture] = {}
        self.wanted: set[str] = set()

    def act(self, what: str, which: str) -> None:
        match what:
            case "begin" if which not in self.wanted:
                self.read_all()
                self.wanted.add(which)
                self.pictures[which] = Picture(self.hall.cursors)
                self.client.asks(which, EVENTS, id=self.room)
            case "end" if which in self.wanted:
                self.wanted.discard(which)
                self.client.says(type="complete", id=which)
            case "mute" | "unmute":
                self.hall.changes("anna", muted=what == "mute")
            case "turn":
                self.client.turn()
            case "read":
                self.read()
            case "ask":
                self.client.asks("ask", "{ __typename }")

    def read(self) -> None:
        for message in self.client.line.take():
            if message["id"] != "ask":
                self.pictures[message["id"]].take(message)

    def read_all(self) -> None:
        while self.client.line.writes or self.client.line.blocked:
            self.read()

    def ends(self) -> None:
        self.read_all()
        self.client.turns()
        self.read_all()
        assert self.client.line.closed is None
        truth = self.hall.cursors.decode(ADMIN.tenant, KEY, self.hall.cursor()).sequence
        assert {self.pictures[each].sequence for each in self.wanted} <= {truth}
        assert self.hall.operations.followers == len(self.wanted)
        self.client.session.gone()
        assert (self.hall.operations.followers, self.hall.hub.watchers) == (0, 0)


@pytest.mark.parametrize("takes_frames", [True, False])
async def test_no_operation_misses_doubles_or_reorders_anything(storage: Storage, takes_frames: bool) -> None:
    @given(st.lists(_action, max_size=60), st.sampled_from([0, 200, 700, 1_000_000]))
    def check(script: list[tuple[str, str]], room_for: int) -> None:
        hall = Hall(storage)
        play = Play(hall, Client(hall, Line(takes_frames=takes_frames)))
        play.client.line.room_for = room_for
        for what, which in script:
            play.act(what, which)
        play.ends()

    check()
