"""What is done to a server to measure it; each function starts a fresh one."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from graphql import get_introspection_query

from tests.bench.asking import ask
from tests.bench.contestants import BARE, OURS, Server, gateway, running, simulated_kazoo
from tests.bench.servers.kazoo import BACKEND
from tests.bench.tally import Tally
from tests.bench.watchers import TooSlow, Watchers

MESSAGE_BYTES = 440
"""An event of ours with its position, cursor and operation id; every contestant's events are padded to this."""
_PATIENCE_S = 90.0
STRAGGLERS_S = 15.0
"""What is later than this counts as lost."""
_WARM_UP_SOCKETS = 200
_WARM_UP_DELIVERIES = 8000
_WARM_UP_S = 1.0
_UNREAD_ANSWERS = 20
"""The whole schema so often: megabytes for each stalled reader, more than the buffers of kernel and server take."""
_SETTLED_S = 3.0

FOLLOW = """subscription Follow($room: ID!) {
  roomEvents(roomId: $room) {
    __typename position occurredAt
    ... on RoomSnapshot { snapshotReason room { id name participantCount } }
    ... on ParticipantUpdated { changed participant { id displayName muted talking } }
  }
}"""
FOLLOW_JOINS = """subscription Follow($room: ID!) {
  roomEvents(roomId: $room) {
    __typename position occurredAt
    ... on RoomSnapshot { snapshotReason room { id name participantCount } }
    ... on ParticipantJoined { participant { id displayName muted talking } }
  }
}"""
ROOMS = """query Rooms { rooms(first: 50) { edges { node {
  id name state locked onHold recording stale participantCount
  participants { edges { node { id displayName number role muted deafened talking joinedAt } } }
} } } }"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events to everybody. Units: CPU microseconds a delivery, milliseconds of latency, shares of a core."""

    cpu_us: float
    p50_ms: float
    p99_ms: float
    server_share: float
    client_share: float
    deliveries: int
    message_bytes: int
    faults: str | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Many idle sockets. Units: bytes a socket; milliseconds of a full collection with and without them."""

    bytes_each: float
    pause_ms: float
    pause_without_ms: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """How often something was done. Units: times a second, the server's CPU microseconds a time, share of a core."""

    per_second: float
    cpu_us: float
    client_share: float


def delivery(name: str, sockets: int, rate: float, events: int, *, rooms: int = 1) -> Delivery:
    """Send so many events to sockets that share one room, or are spread over several.

    Errors: NoContestant, TooSlow.
    """
    with _crowd(name, sockets, rooms) as (server, watchers):
        return _events(server, watchers, rate, events)


def memory(name: str, sockets: int) -> Memory:
    """Open sockets that do nothing, and see what they hold.

    Errors: NoContestant, TooSlow.
    """
    with running(name) as server, _watchers(server, FOLLOW) as watchers:
        watchers.open(_WARM_UP_SOCKETS, server.rooms, _PATIENCE_S)
        pause_without_ms = _pause_ms(server)
        before = server.usage().rss
        watchers.open(sockets, server.rooms, _PATIENCE_S)
        server.ask(gc=True)
        grown = server.usage().rss - before
        return Memory(grown / sockets, _pause_ms(server), pause_without_ms)


def connecting(name: str, sockets: int) -> Throughput:
    """Open sockets that connect, are let in, subscribe and get their first event.

    Errors: NoContestant, TooSlow.
    """
    with running(name) as server, _watchers(server, FOLLOW) as watchers:
        watchers.open(_WARM_UP_SOCKETS, server.rooms, _PATIENCE_S)
        before, own = server.usage().cpu_s, time.process_time()
        took_s = watchers.open(sockets, server.rooms, _PATIENCE_S)
        own, used = time.process_time() - own, server.usage().cpu_s - before
        return Throughput(sockets / took_s, used / sockets * 1e6, own / took_s)


def reads(name: str, seconds: float, changes_per_second: float) -> tuple[Throughput, bytes]:
    """Ask for fifty rooms while rooms change so often; give the last answer as well.

    Errors: NoContestant, BadAnswer.
    """
    with running(name, "50") as server:
        ask(server.port, ROOMS, connections=8, seconds=1)
        before = server.usage().cpu_s
        if changes_per_second:
            rate = changes_per_second / len(server.rooms)
            server.begin_events(rate, max(1, int(rate * seconds)))
        answers = ask(server.port, ROOMS, connections=8, seconds=seconds)
        if changes_per_second:
            server.answer()
        used = server.usage().cpu_s - before
        return Throughput(answers.per_second, used / answers.count * 1e6, answers.client_share), answers.body


def beside_stalled(name: str, sockets: int, stalled: int, rate: float, events: int) -> tuple[Delivery, Delivery, int]:
    """Send events to good readers alone, and then while others do not read; give how many of those are still there.

    Errors: NoContestant, TooSlow.
    """
    with _crowd(name, sockets, 1) as (server, watchers):
        alone = _events(server, watchers, rate, events)
        watchers.open_stalled(stalled, server.rooms[0], _PATIENCE_S)
        watchers.ask_unread(get_introspection_query(), _UNREAD_ANSWERS)
        watchers.run_until(lambda: False, _SETTLED_S)
        beside = _events(server, watchers, rate, events)
        return alone, beside, watchers.stalled_left()


def from_backend(sockets: int, rate: float, events: int) -> Delivery:
    """Let people join a room of a simulated Kazoo, and see when those who watch it through the gateway know.

    Errors: NoContestant, TooSlow.
    """
    with TemporaryDirectory() as folder, simulated_kazoo() as kazoo:
        config = Path(folder, "gateway.toml")
        settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in kazoo.hello["settings"].items())
        database = json.dumps(f"sqlite:///{folder}/bench.sqlite3")
        backend = f'[[backends]]\nid = "{BACKEND}"\nkind = "kazoo"\n{settings}\n'
        config.write_text(f"[storage]\nurl = {database}\n{backend}", encoding="utf-8")
        with gateway(config) as server, _watchers(server, FOLLOW_JOINS) as watchers:
            _until_known(server)
            _pad(kazoo, watchers)
            watchers.open(sockets - len(watchers), kazoo.rooms, _PATIENCE_S)
            return _events(kazoo, watchers, rate, events)


def profile(sockets: int, rate: float, events: int) -> str:
    """Say where the gateway's time goes while it delivers.

    Errors: NoContestant, TooSlow.
    """
    with _crowd(OURS, sockets, 1) as (server, watchers):
        server.ask(profile=True)
        _events(server, watchers, rate, events)
        return str(server.ask(profile=False)["profile"])


def _pause_ms(server: Server) -> float:
    return max(float(server.ask(gc=True)["pause_ms"]) for _ in range(3))


@contextmanager
def _crowd(name: str, sockets: int, rooms: int) -> Iterator[tuple[Server, Watchers]]:
    with running(name, *([str(rooms)] if rooms > 1 else [])) as server, _watchers(server, FOLLOW) as watchers:
        _pad(server, watchers)
        watchers.open(sockets - len(watchers), server.rooms, _PATIENCE_S)
        _warm_up(server, watchers)
        yield server, watchers


@contextmanager
def _watchers(server: Server, document: str) -> Iterator[Watchers]:
    watchers = Watchers(server.port, document, Tally(), checks_ids=server.name != BARE)
    try:
        yield watchers
    finally:
        watchers.close()


def _pad(server: Server, watchers: Watchers) -> None:
    """Bring the events to the size that all have, by what the first socket receives."""
    watchers.open(1, server.rooms, _PATIENCE_S)
    server.ask(pad=0)
    _events(server, watchers, rate=10, events=1)
    server.ask(pad=max(0, MESSAGE_BYTES - watchers.message_bytes))


def _warm_up(server: Server, watchers: Watchers) -> None:
    """Let the compilers of Node see what is to come; everybody else gets the same."""
    at_once = max(len(watchers), len(server.rooms))
    _events(server, watchers, _WARM_UP_DELIVERIES / _WARM_UP_S / at_once, max(1, _WARM_UP_DELIVERIES // at_once))


def _events(server: Server, watchers: Watchers, rate: float, events: int) -> Delivery:
    """Let events happen, and wait until all have arrived everywhere, or too long."""
    tally = watchers.tally
    tally.begin(len(watchers), server.emitted, events)
    before, began, own = server.usage(), time.monotonic(), time.process_time()
    server.begin_events(rate, events)
    watchers.run_until(lambda: tally.complete, events / rate + STRAGGLERS_S)
    own, took_s = time.process_time() - own, time.monotonic() - began
    server.answer()
    used = server.usage().cpu_s - before.cpu_s
    faults = "; ".join(filter(None, (tally.faults(), *watchers.ended[:1]))) or None
    return Delivery(
        cpu_us=used / max(1, tally.delivered) * 1e6,
        p50_ms=tally.percentile_ms(0.5),
        p99_ms=tally.percentile_ms(0.99),
        server_share=used / took_s,
        client_share=own / took_s,
        deliveries=tally.delivered,
        message_bytes=watchers.message_bytes,
        faults=faults,
    )


def _until_known(server: Server) -> None:
    """Wait until the gateway has read the phone system's room.

    Errors: TooSlow.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask(server.port, "{ rooms(first: 1) { totalCount } }", connections=1, seconds=0.1)
        if json.loads(answer.body)["data"]["rooms"]["totalCount"]:
            return
    raise TooSlow("the gateway did not read the simulated Kazoo")
