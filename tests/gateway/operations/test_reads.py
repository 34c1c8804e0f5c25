"""A kept answer is never older than what anybody was told, and never somebody else's."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.hub.hub import Update
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.ids import RoomId
from gateway.model.reports import CommandFailedReport, EndReport, RoomReport
from gateway.model.room import RoomFacts, RoomSettings
from gateway.operations import reads as module
from gateway.operations.execution import Answer, Execution
from gateway.operations.operations import Operations
from gateway.operations.reads import Reads
from tests.gateway.live.rooms import AT_ONCE, NEVER
from tests.gateway.operations.hall import BOARD, Hall
from tests.gateway.schema.house import ADMIN, MODERATOR, PBX, VIEWER, House, backend, gid

ROOM = """query ($id: ID!) { room(id: $id) { name state locked participantCount position stale
    participants { edges { node { id muted talking } } } settings { memberPins maxParticipants } } }"""
ROOMS = "{ rooms { totalCount edges { node { id participantCount position } } } }"
BACKEND = "{ backends { status statusReason lastSyncedAt } }"


class Executions:
    """What a query comes to each time it is run; it counts."""

    def __init__(self, *bodies: bytes, clean: bool = True) -> None:
        self.bodies = list(bodies)
        self.clean = clean
        self.runs = 0

    def run(self) -> Answer:
        self.runs += 1
        return Answer(self.bodies[min(self.runs, len(self.bodies)) - 1], self.clean)


def ask(reads: Reads, key: object, executions: Any) -> bytes:
    answer = reads.answer(key, lambda: executions)
    assert isinstance(answer, Answer)
    return answer.body


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count executions."""
    count = 0
    run = Execution.run

    def counted(self: Execution, *args: Any, **kwargs: Any) -> Answer | Awaitable[Answer]:
        nonlocal count
        count += 1
        return run(self, *args, **kwargs)

    monkeypatch.setattr(Execution, "run", counted)
    return lambda: count


# ---- read your event ----


async def test_a_reader_who_asks_at_every_event_never_sees_anything_older(hall: Hall) -> None:
    """100,000 times, by somebody who is told before everybody else, while others ask the same in between."""
    room = hall.open("anna")
    at_once = hall.operations
    prepared = at_once.prepare(hall.request("query ($id: ID!) { room(id: $id) { position } }", id=room), VIEWER)
    checked = 0

    def position() -> str:
        answer = at_once.answer(prepared)
        assert isinstance(answer, Answer)
        told: str = json.loads(answer.body)["data"]["room"]["position"]
        return told

    def check(update: Update) -> None:
        nonlocal checked
        expected = hall.cursors.encode("acme", update.key, update.position)
        assert position() == expected
        assert position() == expected, "and neither does who asks again"
        checked += 2

    hall.hub.tap(check)
    for number in range(50_000):
        hall.changes("anna", muted=number % 2 == 0)
    assert checked == 100_000


def _changes(hall: Hall) -> dict[str, Callable[[], object]]:
    table, pbx = hall.table, hall.live.links[PBX]
    error = CommandError(CommandErrorCode.BACKEND_REFUSED, "no")
    return {
        "somebody joins": lambda: hall.joins("ben"),
        "somebody is muted": lambda: hall.changes("anna", muted=True),
        "somebody talks": lambda: hall.changes("anna", talking=True),
        "somebody leaves": lambda: hall.leaves("ben"),
        "the room is locked": lambda: hall.report(RoomReport(room_id=BOARD, facts=RoomFacts(locked=True))),
        "settings are read": lambda: hall.open("anna", settings=RoomSettings(max_participants=9)),
        "a command fails later": lambda: hall.report(CommandFailedReport(room_id=BOARD, error=error)),
        "the link is lost": table.mark_stale,
        "a backend has another status": lambda: pbx.fail("broken"),
        "everything was read": pbx._synced,
        "another room appears": lambda: hall.open(room_id="other"),
        "a room is removed": lambda: table.remove(RoomId("other")),
        "the conference ends": lambda: hall.report(EndReport(room_id=BOARD)),
        "a log is let go": lambda: table.sweep(ended_for=NEVER, idle_for=AT_ONCE),
        "an ended room goes": lambda: table.sweep(ended_for=timedelta(0), idle_for=NEVER),
    }


async def test_whatever_changes_is_seen_by_the_next_who_asks(hall: Hall) -> None:
    room = hall.open("anna")

    def fresh() -> list[bytes]:
        """Ask a gateway that has kept nothing."""
        again = Operations(
            hall.live, hall.operations._context.keywords["history"], hall.cursors, hall.operations._persisted
        )
        return [answer(again, query) for query in (ROOM, ROOMS, BACKEND)]

    def answer(operations: Operations, query: str) -> bytes:
        done = operations.answer(operations.prepare(hall.request(query, id=room), VIEWER))
        assert isinstance(done, Answer)
        return done.body

    before = fresh()
    for what, change in _changes(hall).items():
        change()
        expected = fresh()
        assert what == "an ended room goes" or expected != before, what
        for _ in range(2):
            assert [answer(hall.operations, query) for query in (ROOM, ROOMS, BACKEND)] == expected, what
        before = expected


async def test_identical_questions_between_two_changes_are_executed_once(hall: Hall, runs: Callable[[], int]) -> None:
    room = hall.open("anna")
    for _ in range(5):
        hall.ask(ROOM, VIEWER, id=room)
        hall.ask(ROOMS, VIEWER)
    assert runs() == 2
    hall.changes("anna", muted=True)
    hall.ask(ROOM, VIEWER, id=room)
    assert runs() == 3


# ---- what is not kept ----


async def test_commands_are_done_every_time(house: House) -> None:
    room = await house.with_people("board", "anna")
    mutation = "mutation ($id: ID!) { lockRoom(input: {roomId: $id}) { outcome } }"
    for _ in range(3):
        await house.data(mutation, id=room)
    assert len(house.pbx.executed) == 3


async def test_history_and_errors_are_asked_for_every_time(hall: Hall, runs: Callable[[], int]) -> None:
    hall.open("anna")
    history = hall.operations.prepare(hall.request("{ conferenceHistory { edges { cursor } } }"), VIEWER)
    for _ in range(2):
        answer = hall.operations.answer(history)
        assert not isinstance(answer, Answer)
        await answer
    wrong = '{ room(id: "nonsense") { name } }'
    for _ in range(2):
        assert b"errors" in hall.ask(wrong)
    assert runs() == 4
    assert not any(read.answer for read in hall.operations._reads._reads.values())


async def test_settings_that_had_to_be_asked_for_are_seen_at_once(house: House) -> None:
    query = "query ($id: ID!) { room(id: $id) { settings { maxParticipants } } }"
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    for _ in range(2):
        assert await house.data(query, id=gid("board")) == {"room": {"settings": {"maxParticipants": 9}}}
    assert house.pbx.rooms_read == 1


# ---- whose it is ----


async def test_who_has_other_rights_gets_another_answer(hall: Hall) -> None:
    settings = RoomSettings(max_participants=9, member_pins=("1234",))
    room = hall.open("anna", settings=settings)
    everything = {"memberPins": ["1234"], "maxParticipants": 9}
    cases = ((ADMIN, everything), (MODERATOR, {**everything, "memberPins": None}), (VIEWER, None))
    for viewer, seen in (*cases, *reversed(cases)):
        told = json.loads(hall.ask(ROOM, viewer, id=room))["data"]["room"]["settings"]
        assert told == seen


async def test_other_variables_get_another_answer(hall: Hall) -> None:
    first, second = hall.open("anna"), hall.open("ben", room_id="other")
    query = """query ($id: ID!, $muted: Boolean) {
        room(id: $id) { id participants(filter: {muted: $muted}) { totalCount } } }"""
    counts = []
    for _ in range(2):
        for room in (first, second):
            for muted in ({"muted": True}, {"muted": False}, {"muted": None}, {}):
                told = json.loads(hall.ask(query, id=room, **muted))["data"]["room"]
                assert told["id"] == room
                counts.append(told["participants"]["totalCount"])
    assert counts == [0, 1, 1, 1] * 4
    assert json.loads(hall.ask("{ backends { id } }"))["data"]["backends"][0]["id"] == backend(PBX)


# ---- how much is kept ----


def test_what_is_kept_has_a_bound_in_bytes_and_the_longest_unused_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BYTES_KEPT", 1000)
    monkeypatch.setattr(module, "_ANSWER_MAX_BYTES", 400)
    reads = Reads(lambda: 1)
    kept = [Executions(b"x" * 300) for _ in range(5)]
    for number, each in enumerate(kept):
        ask(reads, number, each)
        ask(reads, 0, kept[0])
        assert reads._bytes == sum(len(read.answer.body) for read in reads._reads.values() if read.answer) <= 1000
    ask(reads, 4, kept[4])
    assert [each.runs for each in kept] == [1, 1, 1, 1, 1]
    ask(reads, 1, kept[1])
    assert kept[1].runs == 2, "it had to go"
    large = Executions(b"x" * 401)
    ask(reads, "large", large)
    ask(reads, "large", large)
    assert large.runs == 2
    assert reads._bytes <= 1000


def test_what_is_kept_has_a_bound_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXECUTIONS_KEPT", 3)
    reads = Reads(lambda: 1)
    for number in range(10):
        ask(reads, number, Executions(b"x"))
    assert (list(reads._reads), reads._bytes) == ([7, 8, 9], 3)


def test_an_answer_that_changes_size_is_counted_once() -> None:
    version = 0
    reads = Reads(lambda: version)
    executions = Executions(b"x" * 10, b"x" * 20, b"x" * 5)
    for version in range(3):  # noqa: B007  # it is what `reads` looks at
        ask(reads, "key", executions)
    assert (executions.runs, reads._bytes) == (3, 5)


def test_an_answer_with_errors_is_not_kept_in_place_of_a_good_one() -> None:
    reads = Reads(lambda: 1)
    executions = Executions(b"no", clean=False)
    ask(reads, "key", executions)
    ask(reads, "key", executions)
    assert (executions.runs, reads._bytes) == (2, 0)
