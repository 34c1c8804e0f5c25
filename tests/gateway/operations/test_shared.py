"""One execution for all who follow the same, however they come and go while it delivers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLError

from gateway.model.viewer import Viewer
from gateway.operations.batch import Batch
from gateway.operations.execution import Execution
from tests.gateway.operations.hall import BOARD, Hall, Reader, events_of
from tests.gateway.schema.house import MODERATOR, PBX, VIEWER, gid

EVENTS = """subscription Room($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
    __typename position
    ... on ParticipantEvent { participant { id muted } } ... on RoomSnapshot { snapshotReason } } }"""
LOBBY = "subscription { roomListEvents { __typename ... on RoomAdded { room { id } } } }"
PEOPLE = "subscription { participantEvents { __typename participant { id } } }"


def kinds(reader: Reader) -> list[str]:
    return [event["__typename"] for event in events_of(reader)]


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Give a list that grows with each event that is executed."""
    events: list[object] = []
    run = Execution.run

    def counted(self: Execution, root: object = None, extensions: Mapping[str, object] | None = None) -> object:
        events.append(root)
        return run(self, root, extensions)

    monkeypatch.setattr(Execution, "run", counted)
    return events


# ---- sharing ----


async def test_a_thousand_tokens_with_the_same_rights_share_every_execution(hall: Hall, executed: list[object]) -> None:
    room = hall.open("anna")
    viewers = [Viewer(f"user {number}", "acme", VIEWER.roles, {PBX: f"u{number}"}) for number in range(1000)]
    readers = [hall.follow(EVENTS, viewer, id=room) for viewer in viewers]
    for muted in (True, False, True):
        hall.changes("anna", muted=muted)
        hall.turns.all()
    assert hall.operations.running == 1
    assert hall.hub.watchers == 1
    assert len(executed) == 4, "a snapshot and three events"
    assert all(kinds(reader) == ["RoomSnapshot", *["ParticipantUpdated"] * 3] for reader in readers)


@pytest.mark.parametrize(
    ("first", "second", "running"),
    [
        ({}, {}, 1),
        ({"unused": 1}, {"unused": [2]}, 1),
        ({"after": None}, {}, 1),
        ({"after": "newest"}, {"after": "snapshot"}, 1),
        ({"operation_name": "Room"}, {}, 1),
        ({"id": gid("lobby")}, {}, 2),
        ({"viewer": replace(VIEWER, subject="else", identities={})}, {}, 1),
        ({"viewer": replace(VIEWER, tenant="rivals")}, {}, 2),
        ({"viewer": MODERATOR}, {}, 2),
        ({"viewer": replace(VIEWER, roles=frozenset())}, {}, 2),
        ({"query": EVENTS.replace("muted", "talking")}, {}, 2),
    ],
)
async def test_what_may_be_shared_is_and_nothing_else(
    hall: Hall, first: dict[str, Any], second: dict[str, Any], running: int
) -> None:
    room = hall.open("anna")
    hall.open("lea", room_id="lobby")
    cursors = {"snapshot": hall.cursor()}
    hall.joins("ben")
    cursors["newest"] = hall.cursor()
    for asked in (first, second):
        given = {"query": EVENTS, "viewer": VIEWER, "id": room, **asked}
        if given.get("after"):
            given["after"] = cursors[given["after"]]
        assert not hall.follow(given.pop("query"), given.pop("viewer"), **given).over
    assert hall.operations.running == running
    assert hall.operations.followers == 2


# ---- coming and going ----


async def test_who_comes_during_a_pass_misses_nothing_and_gets_nothing_twice(hall: Hall) -> None:
    room = hall.open("anna")
    old = [hall.follow(EVENTS, id=room) for _ in range(4)]
    hall.joins("ben")
    hall.turns.turn(2)
    during = hall.follow(EVENTS, id=room)
    hall.leaves("ben")
    hall.turns.all()
    assert [kinds(each) for each in old] == [["RoomSnapshot", "ParticipantJoined", "ParticipantLeft"]] * 4
    assert kinds(during) == ["RoomSnapshot", "ParticipantLeft"]


async def test_who_leaves_during_a_pass_gets_nothing_more(hall: Hall) -> None:
    room = hall.open("anna")
    readers = [hall.follow(EVENTS, id=room, reader=Reader(short_way=True)) for _ in range(4)]
    hall.joins("ben")
    hall.turns.turn(2)
    readers[0].stop()
    readers[3].stop()
    hall.leaves("ben")
    hall.turns.all()
    assert [len(each.waiting) for each in readers] == [2, 3, 3, 1]


async def test_the_last_who_leaves_ends_everything_also_during_a_pass(hall: Hall, executed: list[object]) -> None:
    room = hall.open("anna")
    readers = [hall.follow(EVENTS, id=room) for _ in range(4)]
    hall.joins("ben")
    hall.turns.turn(2)
    hall.changes("ben", muted=True)
    for reader in readers:
        reader.stop()
        reader.stop()
    assert (hall.operations.running, hall.operations.followers, hall.hub.watchers) == (0, 0, 0)
    hall.turns.all()
    assert len(executed) == 2, "what came last is executed for nobody"
    again = hall.follow(EVENTS, id=room)
    hall.leaves("ben")
    hall.turns.all()
    assert kinds(again) == ["RoomSnapshot", "ParticipantLeft"]


class Leaver(Reader):
    """Makes others leave as soon as it is told something."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[Reader] = []

    def deliver(self, batch: Batch) -> None:
        super().deliver(batch)
        for other in self.others:
            other.stop()


class LateLeaver(Reader):
    """Makes others leave when it is told that it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[Reader] = []

    def finish(self, errors: Sequence[GraphQLError]) -> None:
        super().finish(errors)
        for other in self.others:
            other.stop()


async def test_a_delivery_that_makes_others_leave_is_the_last_they_hear_of_it(hall: Hall) -> None:
    room = hall.open("anna")
    leaver = Leaver()
    hall.follow(EVENTS, id=room, reader=leaver)
    others = [hall.follow(EVENTS, id=room) for _ in range(3)]
    leaver.others = others
    hall.joins("ben")
    hall.turns.all()
    assert [kinds(other) for other in others] == [["RoomSnapshot"]] * 3
    assert hall.operations.followers == 1
    leaver.others = [leaver]
    hall.leaves("ben")
    hall.turns.all()
    assert (hall.operations.running, hall.hub.watchers) == (0, 0)


async def test_an_end_that_makes_others_leave_is_told_to_nobody_who_left(hall: Hall) -> None:
    room = hall.open("anna")
    leaver = LateLeaver()
    hall.follow(EVENTS, id=room, reader=leaver)
    leaver.others = [hall.follow(EVENTS, id=room) for _ in range(3)]
    hall.table.remove(BOARD)
    hall.turns.all()
    assert leaver.over
    assert not any(other.over for other in leaver.others)
    assert hall.operations.running == 0


class Broken(Reader):
    """Fails when it is told something."""

    def deliver(self, batch: Batch) -> None:
        if not self.waiting:
            return super().deliver(batch)
        raise ConnectionError("broken")


async def test_a_follower_who_fails_costs_the_others_nothing(hall: Hall) -> None:
    room = hall.open("anna")
    readers = [Reader(), Broken(), Reader(), Reader()]
    for reader in readers:
        hall.follow(EVENTS, id=room, reader=reader)
    hall.joins("ben")
    with pytest.raises(ConnectionError):
        hall.turns.turn(2)
    hall.turns.all()
    hall.leaves("ben")
    with pytest.raises(ConnectionError):
        hall.turns.all()
    hall.turns.all()
    whole = ["RoomSnapshot", "ParticipantJoined", "ParticipantLeft"]
    assert [kinds(each) for each in readers] == [whole, ["RoomSnapshot"], whole, whole]


async def test_places_are_tidied_up_while_a_few_stay(hall: Hall) -> None:
    room = hall.open("anna")
    stay = hall.follow(EVENTS, id=room)
    for number in range(3000):
        hall.follow(EVENTS, id=room).stop()
        if number % 10 == 0:
            hall.changes("anna", muted=number % 20 == 0)
            hall.turns.turn(1)
    hall.turns.all()
    assert len(hall.shared._followers) < 200
    assert kinds(stay) == ["RoomSnapshot", *["ParticipantUpdated"] * 300]


async def test_places_are_tidied_up_also_while_something_is_always_on_its_way(hall: Hall) -> None:
    room = hall.open("anna")
    stay = hall.follow(EVENTS, id=room)
    for number in range(100):
        for _ in range(50):
            hall.follow(EVENTS, id=room).stop()
        hall.changes("anna", muted=number % 2 == 0)
        hall.turns.turn(1)
    assert len(hall.shared._followers) < 200
    hall.turns.all()
    assert kinds(stay) == ["RoomSnapshot", *["ParticipantUpdated"] * 100]


# ---- slow ones ----


async def test_who_is_blocked_gets_one_snapshot_for_all_it_missed(hall: Hall, executed: list[object]) -> None:
    room = hall.open("anna")
    slow, quick = hall.follow(EVENTS, id=room), hall.follow(EVENTS, id=room)
    assert kinds(slow) == ["RoomSnapshot"]
    at_first = slow.last_cursor
    slow.stuck = True
    for name in ("ben", "cleo", "dan"):
        hall.joins(name)
        hall.turns.all()
    assert slow.last_cursor == at_first
    before = len(executed)
    slow.drained()
    assert slow.lagging, "still blocked, so that nothing may be sent"
    assert len(executed) == before
    slow.stuck = False
    slow.drained()
    slow.drained()
    (snapshot,) = events_of(slow)
    assert (snapshot["snapshotReason"], snapshot["position"]) == ("SLOW_CONSUMER", hall.cursor())
    hall.leaves("ben")
    hall.turns.all()
    assert kinds(slow) == ["ParticipantLeft"]
    assert len(quick.waiting) == 5


async def test_who_is_blocked_when_it_subscribes_gets_what_there_is_once_it_reads(hall: Hall) -> None:
    room = hall.open("anna")
    reader = Reader()
    reader.stuck = True
    hall.follow(EVENTS, id=room, reader=reader, extensions={"delivery-guarantee": "cursor"})
    hall.joins("ben")
    hall.turns.all()
    assert (list(reader.waiting), reader.last_cursor) == ([], None)
    reader.stuck = False
    reader.drained()
    first = reader.waiting[0]
    assert first["data"]["roomEvents"]["snapshotReason"] == "SLOW_CONSUMER"
    assert first["extensions"]["at-least-once-capabilities"] == "cursor"


async def test_who_is_behind_when_its_room_goes_is_told_the_end_once_it_reads(hall: Hall) -> None:
    room = hall.open("anna")
    slow, quick = hall.follow(EVENTS, id=room), hall.follow(EVENTS, id=room)
    slow.stuck = True
    hall.joins("ben")
    hall.turns.all()
    hall.table.remove(BOARD)
    hall.turns.all()
    assert (quick.over, slow.over) == (True, False)
    hall.open("cleo")
    newcomer = hall.follow(EVENTS, id=room)
    assert hall.operations.running == 1
    hall.joins("dan")
    slow.stuck = False
    slow.drained()
    hall.turns.all()
    assert slow.over
    assert slow.codes == []
    assert kinds(newcomer) == ["RoomSnapshot", "ParticipantJoined"]
    assert kinds(slow) == ["RoomSnapshot"], "of the old room"
    newcomer.stop()
    assert (hall.operations.running, hall.hub.watchers) == (0, 0)


async def test_who_was_behind_in_a_room_that_is_gone_does_not_end_the_one_that_came_after(hall: Hall) -> None:
    room = hall.open("anna")
    slow = hall.follow(EVENTS, id=room)
    slow.stuck = True
    hall.joins("ben")
    hall.turns.all()
    hall.table.remove(BOARD)
    hall.turns.all()
    hall.open("cleo")
    newcomer = hall.follow(EVENTS, id=room)
    slow.stop()
    hall.joins("dan")
    hall.turns.all()
    assert kinds(newcomer) == ["RoomSnapshot", "ParticipantJoined"]
    assert (hall.operations.running, hall.hub.watchers) == (1, 1)


async def test_where_nothing_can_stand_for_what_was_lost_the_stream_ends(hall: Hall) -> None:
    hall.open("anna")
    slow, quick = hall.follow(PEOPLE), hall.follow(PEOPLE)
    slow.stuck = True
    hall.joins("ben")
    hall.turns.all()
    slow.stuck = False
    slow.drained()
    assert slow.codes == ["SLOW_CONSUMER"]
    assert len(quick.waiting) == 1
    quick.stop()
    assert hall.operations.running == 0


# ---- positions ----


async def test_the_last_position_is_that_of_the_last_event_that_was_sent(hall: Hall) -> None:
    """At every moment: who resumes from there must get all that follows, and nothing that it has."""
    room = hall.open("anna")
    sent: dict[Reader, str | None] = {}

    def check() -> None:
        for reader in readers:
            if reader.waiting:
                sent[reader] = reader.take()[-1]["extensions"]["cursor"]
            assert reader.last_cursor in (sent[reader], None)
            assert reader.last_cursor or sent[reader] == start

    start = hall.cursor()
    resumed = hall.follow(EVENTS, id=room, after=start)
    readers, sent[resumed] = [resumed], start
    for number in range(30):
        hall.joins(f"p{number}")
        check()
        hall.turns.turn(number % 4)
        check()
        if number % 3 == 0:
            readers.append(hall.follow(EVENTS, id=room))
        check()
        if number % 7 == 0:
            hall.changes("anna", muted=number % 2 == 0)
            hall.turns.all(2)
            check()


# ---- many ----


async def test_the_end_of_a_room_with_thousands_of_followers_is_told_a_little_at_a_time(hall: Hall) -> None:
    room = hall.open("anna")
    readers = [hall.follow(EVENTS, id=room) for _ in range(1100)]
    hall.turns.all()
    hall.table.remove(BOARD)
    told = 0
    while not hall.turns.idle:
        hall.turns.turn(500)
        now = sum(reader.over for reader in readers)
        assert now - told <= 500
        told = now
    assert told == 1100
    assert hall.operations.running == 0


# ---- beginnings ----


async def test_a_beginning_that_lists_other_rooms_is_not_kept_when_those_change(hall: Hall) -> None:
    room = hall.open("anna")
    hall.open("ben", room_id="other")
    query = """subscription ($id: ID!) { roomEvents(roomId: $id) { ... on RoomSnapshot { room { backend { rooms {
        edges { node { participantCount } } } } } } } }"""
    hall.follow(query, id=room)
    hall.joins("cleo", room_id="other")
    (snapshot,) = events_of(hall.follow(query, id=room))
    counts = [edge["node"]["participantCount"] for edge in snapshot["room"]["backend"]["rooms"]["edges"]]
    assert sorted(counts) == [1, 2]


async def test_the_lobby_is_shared_and_begins_with_what_is(hall: Hall) -> None:
    hall.open()
    first = hall.follow(LOBBY)
    hall.open(room_id="other")
    second = hall.follow(LOBBY)
    hall.turns.all()
    hall.open(room_id="third")
    hall.turns.all()
    assert kinds(first) == ["RoomListSnapshot", "RoomAdded", "RoomAdded"]
    assert kinds(second) == ["RoomListSnapshot", "RoomAdded"]
    assert hall.operations.running == 1


# ---- when the gateway itself does not keep up ----


async def test_one_snapshot_takes_the_place_of_more_events_than_may_wait(hall: Hall) -> None:
    room = hall.open("anna")
    reader, late = hall.follow(EVENTS, id=room), Reader()
    assert kinds(reader) == ["RoomSnapshot"]
    for number in range(1500):
        hall.changes("anna", muted=number % 2 == 0)
    hall.follow(EVENTS, reader=late, id=room)
    hall.joins("ben")
    assert len(hall.shared._passes) == 2
    hall.turns.all()
    events = list(events_of(reader))
    assert len(events) < 1000
    assert events[0]["snapshotReason"] == "SLOW_CONSUMER"
    assert (events[-1]["__typename"], events[-1]["position"]) == ("ParticipantJoined", hall.cursor())
    assert kinds(late) == ["RoomSnapshot", "ParticipantJoined"]


async def test_where_no_snapshot_can_take_their_place_the_stream_ends(hall: Hall) -> None:
    hall.open("anna")
    readers = [hall.follow(PEOPLE) for _ in range(3)]
    for number in range(1500):
        hall.changes("anna", muted=number % 2 == 0)
    hall.turns.all()
    for reader in readers:
        assert (reader.over, reader.codes, kinds(reader)) == (True, ["SLOW_CONSUMER"], [])
    assert hall.hub.watchers == 0
