"""Past conferences come page by page, newest first; those a crash left open can be resumed or closed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.storage import (
    BadPageKey,
    Conference,
    ConferenceEnded,
    ConferenceStarted,
    History,
    HistoryFilter,
    KeyOwner,
    Record,
    StayEnded,
    StayStarted,
    Storage,
    new_id,
    page_key,
)
from gateway.storage.batches import write_batch
from gateway.storage.engine import Database
from tests.gateway.storage.conftest import RunScript
from tests.gateway.storage.programs.crashing import AT

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def run(
    began: datetime, ended: datetime | None, *, backend: str = "kazoo", room: str = "sales", people: int = 0
) -> list[Record]:
    """Make the records of one conference that is over."""
    conference = ConferenceStarted(backend_id=backend, room_id=room, started_at=began)
    stays = [
        StayStarted(conference_id=conference.id, participant_id=str(number), joined_at=began + minutes(number))
        for number in range(people)
    ]
    return [conference, *stays, ConferenceEnded(id=conference.id, ended_at=ended)]


async def all_pages(history: History, wanted: HistoryFilter, first: int) -> list[Conference]:
    found: list[Conference] = []
    after = None
    while True:
        page = await history.past(wanted, first=first, after=after)
        assert len(page.conferences) <= first
        found += page.conferences
        if not page.has_next:
            assert page.total == len(found)
            return found
        after = page_key(page.conferences[-1])


runs = st.tuples(st.integers(0, 6), st.none() | st.integers(0, 3), st.sampled_from(["r1", "r2"]), st.booleans())
moments = st.none() | st.integers(0, 8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(runs, max_size=12),
    first=st.integers(1, 5),
    since=moments,
    until=moments,
    rooms=st.none() | st.lists(st.sampled_from(["r1", "r2"]), max_size=2),
)
async def test_pages_put_together_are_the_whole(
    database: Database,
    made: list[tuple[int, int | None, str, bool]],
    first: int,
    since: int | None,
    until: int | None,
    rooms: list[str] | None,
) -> None:
    backend = new_id()  # the database lives longer than one example
    expected = []
    for began, lasted, room, over in made:
        ended = None if lasted is None else began + lasted
        record = ConferenceStarted(backend_id=backend, room_id=room, started_at=NOON + minutes(began))
        over_at = None if ended is None else NOON + minutes(ended)
        await write_batch(database, [record, *([ConferenceEnded(id=record.id, ended_at=over_at)] if over else [])])
        late_enough = since is None or began >= since or (ended is not None and ended > since)
        if over and late_enough and (until is None or began < until) and (rooms is None or room in rooms):
            expected.append((began, record.id))
    wanted = HistoryFilter(
        backend_ids=[backend],
        rooms=None if rooms is None else [(backend, room) for room in rooms],
        since=None if since is None else NOON + minutes(since),
        until=None if until is None else NOON + minutes(until),
    )
    found = await all_pages(History(database), wanted, first)
    assert [conference.id for conference in found] == [id_ for _, id_ in sorted(expected, reverse=True)]


async def test_a_page_costs_three_queries_however_many_conferences_it_has(
    database: Database, count_statements: Callable[[Database], list[str]]
) -> None:
    await write_batch(database, [record for n in range(20) for record in run(NOON + minutes(n), None, people=3)])
    statements = count_statements(database)
    page = await History(database).past(HistoryFilter(), first=15)
    assert len(statements) == 3
    assert (len(page.conferences), page.total, page.has_next) == (15, 20, True)
    assert all([stay.participant_id for stay in each.stays] == ["0", "1", "2"] for each in page.conferences)


async def test_conferences_are_found_by_backend_and_by_room(database: Database) -> None:
    for backend in ("kazoo", "xivo"):
        for room in ("sales", "support"):
            await write_batch(database, run(NOON, NOON, backend=backend, room=room))
    history = History(database)

    async def found(wanted: HistoryFilter) -> set[tuple[str, str]]:
        page = await history.past(wanted, first=10)
        return {(conference.backend_id, conference.room_id) for conference in page.conferences}

    assert await found(HistoryFilter(backend_ids=["xivo"])) == {("xivo", "sales"), ("xivo", "support")}
    assert await found(HistoryFilter(rooms=[("kazoo", "sales")])) == {("kazoo", "sales")}
    assert await found(HistoryFilter(backend_ids=["xivo"], rooms=[("kazoo", "sales")])) == set()
    assert await found(HistoryFilter(backend_ids=[])) == set()
    assert await found(HistoryFilter(rooms=[])) == set()
    assert len(await found(HistoryFilter())) == 4


@pytest.mark.parametrize(
    "key", ["", "nonsense", "é", "bm93IGM=", "MjAyNi0wNS0wMVQxMjowMDowMCBj", "MjAyNi0wNS0wMVQxMjowMDowMCswMDowMA=="]
)
async def test_a_foreign_page_key_is_refused(database: Database, key: str) -> None:
    with pytest.raises(BadPageKey):
        await History(database).past(HistoryFilter(), first=1, after=key)


async def test_a_conference_keeps_all_that_is_known_of_it(database: Database) -> None:
    started = ConferenceStarted(
        backend_id="kazoo", room_id="sales", run_id="4711", room_name="Sales", started_at=AT, seen_at=NOON
    )
    stay = StayStarted(
        conference_id=started.id,
        participant_id="1",
        joined_at=AT,
        display_name="Ann",
        number="+33123456789",
        username="ann",
        role="MODERATOR",
    )
    left = StayEnded(id=stay.id, left_at=AT + minutes(1), leave_reason="KICKED")
    await write_batch(database, [started, stay, left, ConferenceEnded(id=started.id, ended_at=AT + minutes(2))])
    (conference,) = (await History(database).past(HistoryFilter(), first=1)).conferences
    assert (conference.run_id, conference.room_name) == ("4711", "Sales")
    assert (conference.started_at, conference.began_at, conference.ended_at) == (AT, AT, AT + minutes(2))
    (kept,) = conference.stays
    assert (kept.display_name, kept.number, kept.username, kept.role) == ("Ann", "+33123456789", "ann", "MODERATOR")
    assert (kept.joined_at, kept.left_at, kept.leave_reason) == (AT, AT + minutes(1), "KICKED")
    assert kept.joined_at.tzinfo is UTC


async def test_an_unknown_begin_is_ordered_by_when_we_first_saw_it(database: Database) -> None:
    unknown = ConferenceStarted(backend_id="kazoo", room_id="sales", seen_at=NOON + minutes(1))
    await write_batch(database, [unknown, ConferenceEnded(id=unknown.id, ended_at=None)])
    for began in (NOON, NOON + minutes(2)):
        await write_batch(database, run(began, None))
    found = (await History(database).past(HistoryFilter(), first=3)).conferences
    assert [conference.started_at for conference in found] == [NOON + minutes(2), None, NOON]


async def test_what_a_crash_left_open_is_resumed(migrated_url: str, run_script: RunScript) -> None:
    process = await run_script("crashing.py", migrated_url)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.kill()
    await process.wait()

    async with Storage.open(migrated_url, abandoned_after_s=0) as storage:
        (left,) = await storage.history.open_conferences("kazoo")
        assert await storage.history.open_conferences("xivo") == ()
        assert (left.id, left.room_id, left.started_at, left.open) == ("c1", "sales", AT, True)
        assert [(stay.id, stay.display_name) for stay in left.stays] == [("s1", "Ann")]
        assert (await storage.history.past(HistoryFilter(), first=9)).total == 0
        assert repr(await storage.idempotency.reserve(KeyOwner("acme", "ann"), "key", "MUTE 1")) == "Abandoned()"

        storage.writer.put(StayStarted(id="s3", conference_id=left.id, participant_id="3", joined_at=AT + minutes(9)))
        storage.writer.put(StayEnded(id="s1", left_at=None, leave_reason="FOUND_GONE"))
        await storage.writer.flush()
        (resumed,) = await storage.history.open_conferences("kazoo")
        assert [stay.id for stay in resumed.stays] == ["s3"]

        storage.writer.put(StayEnded(id="s3", left_at=AT + minutes(10), leave_reason="ROOM_CLOSED"))
        storage.writer.put(ConferenceEnded(id="c1", ended_at=AT + minutes(10)))
        await storage.writer.flush()
        assert await storage.history.open_conferences("kazoo") == ()
        (past,) = (await storage.history.past(HistoryFilter(), first=9)).conferences
        assert [(stay.id, stay.leave_reason) for stay in past.stays] == [
            ("s1", "FOUND_GONE"),
            ("s2", "HUNG_UP"),
            ("s3", "ROOM_CLOSED"),
        ]


async def test_ids_sort_by_the_time_they_were_made(database: Database) -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    assert [id_[:12] for id_ in ids] == sorted(id_[:12] for id_ in ids)
