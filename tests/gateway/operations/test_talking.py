"""Who talks is told now and then, everything else at once, and the order is the true one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.ids import RoomKey
from gateway.storage import Storage
from tests.gateway.operations.hall import BOARD, Hall, Reader
from tests.gateway.operations.test_turns import a_turn
from tests.gateway.schema.house import PBX, gid

EVENTS = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) { __typename position
    ... on ParticipantEvent { participant { id talking muted } } ... on ParticipantUpdated { changed }
    ... on RoomSnapshot { room { participants { edges { node { id talking muted } } } } } } }"""
INTERVAL_S = 0.25
KEY = RoomKey(PBX, BOARD)


class Clock:
    """The time of the event loop, which goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._loop: Any = asyncio.get_running_loop()
        vars(self._loop)["time"] = lambda: self.now

    def stop(self) -> None:
        """Go on as ever."""
        del vars(self._loop)["time"]

    @property
    def timers(self) -> int:
        """How many wait for their time."""
        return sum(not each.cancelled() for each in self._loop._scheduled if each.when() < 2000)

    async def goes_on(self, seconds: float) -> None:
        """Let time pass, and whatever is due then happen."""
        self.now += seconds
        for _ in range(3):
            await a_turn()

    def goes_on_at_once(self, seconds: float) -> None:
        """The same where nothing can be awaited."""
        self.now += seconds
        due = [each for each in self._loop._scheduled if not each.cancelled() and each.when() <= self.now]
        for each in sorted(due, key=asyncio.TimerHandle.when):
            each._run()
            each.cancel()


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    clock = Clock()
    yield clock
    clock.stop()


@pytest.fixture
def slow_hall(new_hall: Callable[..., Hall]) -> Hall:
    return new_hall(talking_interval_s=INTERVAL_S)


class Picture:
    """What a client makes of what it is told."""

    def __init__(self, hall: Hall, reader: Reader) -> None:
        self.hall, self.reader = hall, reader
        self.people: dict[str, Any] = {}
        self.told: list[str] = []
        self.place = -1

    def read(self) -> list[str]:
        """Read on, and say in short what came."""
        self.hall.turns.all()
        came = [self._take(each["data"]["roomEvents"]) for each in self.reader.take()]
        self.told += came
        self.reader.drained()
        return came

    def _take(self, event: dict[str, Any]) -> str:
        place = self.hall.cursors.decode("acme", KEY, event["position"]).sequence
        somebody = event.get("participant")
        if event["__typename"] == "RoomSnapshot":
            assert place >= self.place
            self.people = {each["node"]["id"]: each["node"] for each in event["room"]["participants"]["edges"]}
        else:
            assert place > self.place, "out of order, or twice"
        self.place = place
        if somebody is None:
            return "snapshot" if event["__typename"] == "RoomSnapshot" else "other"
        if event["__typename"] == "ParticipantLeft":
            del self.people[somebody["id"]]
            return "left"
        self.people[somebody["id"]] = somebody
        return "talking" if event.get("changed") == ["TALKING"] else "other"

    def assert_true(self) -> None:
        at = self.hall.table.get(BOARD)
        assert at is not None
        truth = {gid(BOARD, each.id): (each.talking, each.muted) for each in at.room.participants.values()}
        assert {id_: (each["talking"], each["muted"]) for id_, each in self.people.items()} == truth


def follow(hall: Hall, **options: Any) -> Picture:
    return Picture(hall, hall.follow(EVENTS, id=gid(BOARD), **options))


async def test_the_first_is_told_at_once_and_the_last_at_the_end_of_the_interval(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna", "ben")
    client = follow(slow_hall)
    client.read()
    for talking in (True, False, True, False):
        slow_hall.changes("anna", talking=talking)
        slow_hall.changes("ben", talking=talking)
    assert client.read() == ["talking"]
    await clock.goes_on(INTERVAL_S - 0.01)
    assert client.read() == []
    await clock.goes_on(0.02)
    assert client.read() == ["talking", "talking"], "the newest of each"
    client.assert_true()
    assert clock.timers == 0, "nothing is held, so nothing is waited for"
    slow_hall.changes("anna", talking=True)
    assert client.read() == [], "the interval begins again with what was let go"
    await clock.goes_on(INTERVAL_S)
    assert client.read() == ["talking"]


async def test_in_a_minute_of_chatter_there_are_four_tellings_a_second(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna", "ben")
    client = follow(slow_hall)
    client.read()
    windows = 0
    for tick in range(6000):
        slow_hall.changes("anna" if tick % 3 else "ben", talking=tick % 2 == 0)
        await clock.goes_on(0.01)
        came = client.read()
        assert len(came) <= 2, "each at most once"
        windows += bool(came)
    assert 230 <= windows <= 241
    await clock.goes_on(INTERVAL_S)
    client.read()
    client.assert_true()


async def test_everything_else_is_told_at_once_and_what_was_held_before_it(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna", "ben")
    client = follow(slow_hall)
    client.read()
    slow_hall.changes("anna", talking=True)
    slow_hall.changes("ben", talking=True)
    assert client.read() == ["talking"]
    slow_hall.changes("ben", muted=True)
    assert client.read() == ["talking", "other"]
    slow_hall.changes("anna", talking=False)
    slow_hall.joins("cleo")
    assert client.read() == ["talking", "other"]
    slow_hall.leaves("anna")
    assert client.read() == ["left"]
    client.assert_true()
    assert clock.timers == 0


async def test_who_talked_is_told_to_stop_before_it_leaves(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna", "ben")
    client = follow(slow_hall)
    slow_hall.changes("anna", talking=True)
    slow_hall.changes("ben", talking=True)
    slow_hall.leaves("ben")
    assert client.read() == ["snapshot", "talking", "talking", "left"]
    client.assert_true()


async def test_who_comes_while_something_is_held_gets_nothing_of_it_and_the_others_do(
    slow_hall: Hall, clock: Clock
) -> None:
    slow_hall.open("anna", "ben")
    old = follow(slow_hall)
    old.read()
    slow_hall.changes("anna", talking=True)
    start = slow_hall.cursor()
    slow_hall.changes("ben", talking=True)
    new, resumed = follow(slow_hall), Picture(slow_hall, slow_hall.follow(EVENTS, id=gid(BOARD), after=start))
    assert old.read() == ["talking", "talking"]
    assert (new.read(), resumed.read()) == (["snapshot"], ["talking"])
    await clock.goes_on(INTERVAL_S)
    assert (old.read(), new.read(), resumed.read()) == ([], [], [])
    new.assert_true()
    old.assert_true()


async def test_the_timer_goes_with_the_last_follower(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna")
    clients = [follow(slow_hall) for _ in range(3)]
    slow_hall.changes("anna", talking=True)
    slow_hall.changes("anna", talking=False)
    assert clock.timers == 1
    for client in clients:
        client.reader.stop()
    assert clock.timers == 0
    assert slow_hall.hub.watchers == 0


async def test_the_timer_goes_with_the_room_and_what_was_held_is_told(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna")
    client = follow(slow_hall)
    slow_hall.changes("anna", talking=True)
    slow_hall.changes("anna", talking=False)
    slow_hall.table.remove(BOARD)
    client.read()
    assert client.told == ["snapshot", "talking", "talking", "left", "other"]
    assert client.reader.over
    assert clock.timers == 0


async def test_each_room_has_its_own_interval(slow_hall: Hall, clock: Clock) -> None:
    slow_hall.open("anna")
    other = slow_hall.open("ben", room_id="other")
    one, two = slow_hall.follow(EVENTS, id=gid(BOARD)), slow_hall.follow(EVENTS, id=other)
    slow_hall.changes("anna", talking=True)
    slow_hall.changes("ben", room_id="other", talking=True)
    slow_hall.turns.all()
    assert (len(one.waiting), len(two.waiting)) == (2, 2)


class Play:
    """A room in which people talk, and those who follow it."""

    def __init__(self, hall: Hall, clock: Clock) -> None:
        self.hall, self.clock = hall, clock
        hall.open("p0", "p1")
        self.clients = [follow(hall)]
        self._acts: dict[str, Callable[[int, bool], None]] = {
            "talk": lambda which, yes: hall.changes(f"p{which}", talking=yes),
            "mute": lambda which, yes: hall.changes(f"p{which}", muted=yes),
            "join": lambda which, _: hall.joins(f"p{which}"),
            "leave": lambda which, _: hall.leaves(f"p{which}"),
            "time": lambda which, _: clock.goes_on_at_once(0.07 * which),
            "come": lambda _, short_way: self.clients.append(follow(hall, reader=Reader(short_way=short_way))),
            "go": self.go,
            "stick": lambda which, _: setattr(self.client(which).reader, "stuck", True),
            "read": lambda which, _: self.read(self.client(which)),
        }

    def act(self, what: str, which: int, yes: bool) -> None:
        self._acts[what](which, yes)

    def client(self, which: int) -> Picture:
        return self.clients[which % len(self.clients)]

    def read(self, client: Picture) -> None:
        client.reader.stuck = False
        client.read()

    def go(self, which: int, _: bool) -> None:
        if len(self.clients) > 1:
            self.clients.pop(which % len(self.clients)).reader.stop()

    def ends(self) -> None:
        """Let everybody read everything, hold what they know against the truth, and let them go."""
        for _ in range(2):
            self.clock.goes_on_at_once(1.0)
            for client in self.clients:
                self.read(client)
        for client in self.clients:
            client.assert_true()
            client.reader.stop()
        assert self.clock.timers == 0


_kinds = st.sampled_from(["talk", "talk", "talk", "mute", "join", "leave", "time", "come", "go", "stick", "read"])
_scripts = st.lists(st.tuples(_kinds, st.integers(0, 3), st.booleans()), max_size=60)


async def test_however_it_goes_everybody_ends_up_with_the_truth(storage: Storage, clock: Clock) -> None:
    @given(_scripts)
    def check(script: list[tuple[str, int, bool]]) -> None:
        play = Play(Hall(storage, talking_interval_s=INTERVAL_S), clock)
        for action in script:
            play.act(*action)
        play.ends()

    check()
