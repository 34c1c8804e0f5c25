"""Readings and reports joined without gap or double, events numbered, watchers told."""

import pytest

from gateway.hub.hub import Hub, Update
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.events import (
    ChangedField,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomEnded,
    RoomRemoved,
    RoomUpdated,
)
from gateway.model.ids import Position, RoomId
from gateway.model.reports import (
    CommandFailedReport,
    DoubtReport,
    EndReport,
    LeaveReport,
    PictureReport,
    RoomReport,
    RoomReports,
    StartReport,
)
from gateway.model.room import Room, RoomFacts, RoomState
from tests.gateway.live.rooms import (
    ANNA,
    BEN,
    KEY,
    following,
    holding,
    joined,
    left,
    muted,
    new_table,
    person,
    position_of,
    read,
    room_of,
)
from tests.gateway.model.invariants import Follower
from tests.gateway.model.switch import (
    ROOM,
)
from tests.watching import watching_all, watching_room

# ---- readings ----


def test_a_room_that_is_first_heard_of_by_a_picture_appears_with_it() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    assert not table.report(PictureReport(room_id=ROOM, room=holding(person())))
    assert [type(event) for event in events] == [RoomAppeared, ParticipantJoined]
    assert not table.report(PictureReport(room_id=ROOM, room=holding(person(), person(BEN))))
    assert set(room_of(table).participants) == {ANNA, BEN}


def test_a_room_that_is_read_first_appears_and_then_fills() -> None:
    hub = Hub()
    events = following(hub)
    table = new_table(hub)
    read(table, holding(person(), person(BEN)))
    assert [type(event) for event in events] == [RoomAppeared, ParticipantJoined, ParticipantJoined]
    assert position_of(table).sequence == 3
    assert len(table) == len(list(table)) == 1


@pytest.mark.parametrize(
    "report",
    [
        StartReport(room_id=ROOM),
        joined(),
        muted(True),
        RoomReport(room_id=ROOM, facts=RoomFacts(locked=True)),
        DoubtReport(room_id=ROOM),
    ],
)
def test_a_report_of_life_in_a_room_that_is_not_known_asks_for_a_reading(report: RoomReports) -> None:
    assert new_table().report(report)


@pytest.mark.parametrize(
    "report",
    [
        left(),
        EndReport(room_id=ROOM),
        CommandFailedReport(room_id=ROOM, error=CommandError(CommandErrorCode.CONFLICT, "no")),
    ],
)
def test_the_end_of_what_was_not_known_asks_for_nothing(report: RoomReports) -> None:
    assert not new_table().report(report)


def test_a_conference_that_ended_while_it_was_read_does_not_come_back() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(index=1), run_id="r1"))
    reading = table.open_reading()
    answer = holding(person(index=1), run_id="r1")
    table.report(LeaveReport(room_id=ROOM, participant_id=ANNA, index=1, run_id="r1"))
    table.report(EndReport(room_id=ROOM, run_id="r1"))
    events = following(hub)
    table.take(reading, answer)
    table.close_reading(reading)
    assert events == []
    assert room_of(table).state is RoomState.IDLE


def test_a_conference_that_began_while_the_one_before_was_read_stays() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person(index=1), run_id="r1"))
    reading = table.open_reading()
    table.report(EndReport(room_id=ROOM, run_id="r1"))
    table.report(joined(BEN, 2, "r2"))
    events = following(hub)
    table.take(reading, holding(person(index=1), run_id="r1"))
    table.close_reading(reading)
    assert [event for event in events if not isinstance(event, RoomUpdated)] == []
    assert set(room_of(table).participants) == {BEN}


def test_a_leave_while_an_unknown_room_is_read_is_not_undone_by_the_answer() -> None:
    table = new_table()
    reading = table.open_reading()
    table.report(left())
    table.take(reading, holding(person(), person(BEN)))
    table.close_reading(reading)
    assert set(room_of(table).participants) == {BEN}


def test_reports_before_the_reading_was_opened_do_not_count_in_it() -> None:
    table = new_table()
    read(table, holding(person(muted=False)))
    table.report(muted(True))
    reading = table.open_reading()
    table.take(reading, holding(person(muted=False)))
    table.close_reading(reading)
    assert room_of(table).participants[ANNA].muted is False


def test_an_answer_that_empties_a_room_is_noticed_unless_a_join_came_meanwhile() -> None:
    table = new_table()
    read(table, holding(person()))
    nobody = Room(id=ROOM)
    reading = table.open_reading()
    assert table.would_empty(reading, nobody)
    assert not table.would_empty(reading, holding(person()))
    table.report(joined(BEN))
    assert not table.would_empty(reading, nobody)
    table.close_reading(reading)


def test_rooms_an_answer_leaves_out_are_missing_but_not_those_that_appeared_meanwhile() -> None:
    table = new_table()
    other = RoomId("other")
    read(table, Room(id=ROOM), Room(id=other))
    reading = table.open_reading()
    table.take(reading, Room(id=RoomId("new")))
    assert [at.room.id for at in table.missing([Room(id=other)], reading)] == [ROOM]
    table.close_reading(reading)


def test_a_reading_that_kept_all_it_may_says_that_it_is_spoiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.live.table._REPORTS_KEPT_PER_READING", 2)
    table = new_table()
    reading = table.open_reading()
    table.report(joined())
    table.report(left())
    assert not reading.spoiled
    table.report(joined(BEN))
    assert reading.spoiled
    assert len(reading.reports[ROOM]) == 2
    table.close_reading(reading)


def test_what_is_stale_is_so_until_it_is_read_again() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, Room(id=ROOM), Room(id=RoomId("other")))
    at = table.get(ROOM)
    events = following(hub)
    table.mark_stale()
    table.mark_stale()
    assert [getattr(event, "changed", None) for event in events] == [(ChangedField.STALE,)] * 2
    assert room_of(table).stale
    read(table, Room(id=ROOM))
    assert not room_of(table).stale
    assert room_of(table, RoomId("other")).stale
    again = table.get(ROOM)
    assert at is not None
    assert again is not None
    assert again.active_at == at.active_at


# ---- watchers ----


async def test_every_watcher_of_a_room_sees_every_event_once_and_in_order() -> None:
    hub = Hub()
    table = new_table(hub)
    followers = []
    with watching_room(hub, KEY) as first, watching_room(hub, KEY) as second, watching_all(hub) as everything:
        read(table, holding(person()))
        for report in (muted(True), muted(True), joined(BEN), left(), EndReport(room_id=ROOM)):
            table.report(report)
        for watching in (first, second, everything):
            follower = Follower()
            while watching.waiting:
                item = await watching.next()
                assert isinstance(item, Update)
                follower.note(item)
            followers.append(follower.events)
    assert [type(event) for event in followers[0]] == [
        RoomAppeared,
        ParticipantJoined,
        ParticipantUpdated,
        ParticipantJoined,
        ParticipantLeft,
        ParticipantLeft,
        RoomEnded,
    ]
    assert followers[0] == followers[1] == followers[2]


async def test_removing_a_room_lets_everybody_leave_ends_it_and_closes_its_watchers() -> None:
    hub = Hub()
    table = new_table(hub)
    read(table, holding(person()))
    with watching_room(hub, KEY) as watching:
        table.remove(ROOM)
        kinds = []
        while (item := await watching.next()) is not None:
            assert isinstance(item, Update)
            kinds.append(type(item.event))
    assert kinds == [ParticipantLeft, RoomEnded, RoomRemoved]
    assert table.get(ROOM) is None
    assert table.events_after(ROOM, Position(1, 1)) is None
    table.remove(ROOM)


def test_a_room_that_comes_back_has_a_new_log() -> None:
    table = new_table()
    read(table, Room(id=ROOM))
    old = position_of(table)
    table.remove(ROOM)
    read(table, Room(id=ROOM))
    assert position_of(table).epoch != old.epoch
    assert position_of(table).sequence == 1
    assert table.events_after(ROOM, old) is None
