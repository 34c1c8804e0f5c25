"""How a reading becomes events, and events become a room."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.events import (
    PARTICIPANT_FIELDS,
    ROOM_FIELDS,
    ChangedField,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomEnded,
    RoomUpdated,
)
from gateway.model.history import appearance, diff
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import (
    NOBODY,
    LeaveReason,
    Participant,
    ParticipantRole,
    Room,
    RoomDetail,
    RoomSettings,
    RoomState,
)
from tests.gateway.model.invariants import Follower

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANNA = ParticipantId("anna")
BEN = ParticipantId("ben")
flags = st.none() | st.booleans()
times = st.none() | st.datetimes(timezones=st.just(UTC))
texts = st.none() | st.sampled_from(["a", "b"])


def people() -> st.SearchStrategy[Participant]:
    return st.builds(
        Participant,
        id=st.sampled_from("abc").map(ParticipantId),
        leg_id=texts,
        index=st.none() | st.integers(1, 3),
        display_name=texts,
        number=texts,
        username=texts,
        user_id=texts,
        role=st.none() | st.sampled_from(ParticipantRole),
        muted=flags,
        deafened=flags,
        on_hold=flags,
        talking=flags,
        floor=flags,
        joined_at=times,
    )


@st.composite
def rooms(draw: st.DrawFn) -> Room:
    active = draw(st.booleans())
    inside = draw(st.lists(people(), max_size=3)) if active else []
    resting = st.sampled_from([RoomState.IDLE, RoomState.ENDED])
    return Room(
        id=RoomId("1"),
        state=RoomState.ACTIVE if active else draw(resting),
        detail=draw(st.sampled_from(RoomDetail)),
        permanent=draw(st.booleans()),
        stale=draw(st.booleans()),
        run_id=draw(texts) if active else None,
        started_at=draw(times) if active else None,
        ended_at=None if active else draw(times),
        name=draw(texts),
        numbers=draw(st.none() | st.sampled_from([(), ("1",), ("1", "2")])),
        locked=draw(flags),
        on_hold=draw(flags),
        pin_required=draw(flags),
        recording=draw(flags),
        settings=draw(st.none() | st.builds(RoomSettings, max_participants=st.none() | st.integers(1, 2))),
        participants={each.id: each for each in inside},
    )


@given(rooms(), rooms())
def test_the_events_of_a_reading_lead_from_what_was_known_to_what_it_says(old: Room, new: Room) -> None:
    follower = Follower(old)
    events = diff(old, new, NOON)
    for event in events:
        follower.take(event)
    room = follower.room
    assert room is not None
    assert set(room.participants) == set(new.participants)
    for name in ("state", "detail", "permanent", "stale"):
        assert getattr(room, name) == getattr(new, name)
    for name in ("name", "numbers", "locked", "on_hold", "pin_required", "recording", "settings", "run_id"):
        assert getattr(new, name) is None or getattr(room, name) == getattr(new, name)
    for key, said in new.participants.items():
        for name in PARTICIPANT_FIELDS:
            value = getattr(said, name)
            if name != "joined_at":
                assert value is None or getattr(room.participants[key], name) == value
    assert diff(room, new, NOON + timedelta(seconds=9)) == ()
    kinds = [type(event) for event in events]
    if ParticipantLeft in kinds and ParticipantJoined in kinds:
        assert kinds.index(ParticipantJoined) > max(at for at, kind in enumerate(kinds) if kind is ParticipantLeft)


@given(rooms(), rooms())
def test_a_reading_ends_the_conference_it_no_longer_shows(old: Room, new: Room) -> None:
    another = None not in (old.run_id, new.run_id) and old.run_id != new.run_id
    over = old.state is RoomState.ACTIVE and (new.state is not RoomState.ACTIVE or another)
    ends = [event for event in diff(old, new, NOON) if isinstance(event, RoomEnded)]
    assert len(ends) == over


@given(rooms())
def test_a_room_appears_with_everything_that_is_in_it(room: Room) -> None:
    follower = Follower()
    for event in appearance(room, NOON):
        follower.take(event)
    assert follower.room is not None
    here = {key: replace(each, joined_at=each.joined_at or NOON) for key, each in room.participants.items()}
    assert follower.room == replace(room, participants=here)


WATCHED = {"role", "muted", "deafened", "on_hold", "talking", "floor"}


@given(rooms(), rooms())
def test_what_a_reading_leaves_open_stays_as_it_was_known(old: Room, new: Room) -> None:
    follower = Follower(old)
    forgotten = WATCHED if new.detail is RoomDetail.SUMMARY else set()
    for event in diff(old, new, NOON):
        match event:
            case ParticipantUpdated(_, participant, _):
                assert follower.room is not None
                known = follower.room.participants[participant.id]
                for name in set(PARTICIPANT_FIELDS) - forgotten:
                    assert getattr(known, name) is None or getattr(participant, name) is not None
                assert known.joined_at in (None, participant.joined_at)
        follower.take(event)


@given(rooms(), rooms())
def test_of_flags_nobody_knows_more_than_a_summary_says(old: Room, new: Room) -> None:
    new = replace(new, detail=RoomDetail.SUMMARY)
    follower = Follower(old)
    for event in diff(old, new, NOON):
        follower.take(event)
    assert follower.room is not None
    for key, said in new.participants.items():
        now = follower.room.participants[key]
        assert {name: getattr(now, name) for name in WATCHED} == {name: getattr(said, name) for name in WATCHED}


def test_every_field_that_may_change_has_a_name_for_clients() -> None:
    assert set(PARTICIPANT_FIELDS) == {field.name for field in fields(Participant)} - {"id", "left_at"}
    assert set(ROOM_FIELDS) == {field.name for field in fields(Room)} - {"id", "participants"}


def known(*people: Participant, **more: object) -> Room:
    room = Room(id=RoomId("1"), state=RoomState.ACTIVE, participants={each.id: each for each in people})
    return replace(room, **more)  # type: ignore[arg-type]  # by name


def test_another_run_ends_the_one_that_was_known() -> None:
    before = known(Participant(id=ANNA, talking=True), run_id="r1", locked=True, started_at=NOON)
    later = NOON + timedelta(hours=1)
    now = known(Participant(id=ANNA), run_id="r2", started_at=later)
    events = diff(before, now, later)
    kinds = [type(event) for event in events]
    assert kinds == [ParticipantUpdated, ParticipantLeft, RoomEnded, RoomUpdated, ParticipantJoined]
    restarted = events[3]
    assert isinstance(restarted, RoomUpdated)
    assert restarted.room.started_at == later
    assert restarted.room.locked is None
    assert {ChangedField.RUN, ChangedField.STATE} <= set(restarted.changed)


def test_a_reading_without_a_run_does_not_end_the_one_that_is_known() -> None:
    assert diff(known(run_id="r1"), known(), NOON) == ()


def test_somebody_a_reading_shows_with_a_higher_index_has_left_and_come_back() -> None:
    before = known(Participant(id=ANNA, index=1, joined_at=NOON, display_name="Anna"))
    later = NOON + timedelta(minutes=5)
    gone, back = diff(before, known(Participant(id=ANNA, index=2, joined_at=later)), later)
    assert isinstance(gone, ParticipantLeft)
    assert gone.reason is LeaveReason.FOUND_GONE
    assert isinstance(back, ParticipantJoined)
    assert back.participant.joined_at == later
    assert back.participant.display_name is None


def test_a_time_of_joining_is_taken_once() -> None:
    before = known(Participant(id=ANNA))
    first = known(Participant(id=ANNA, joined_at=NOON))
    (event,) = diff(before, first, NOON)
    assert isinstance(event, ParticipantUpdated)
    assert event.changed == (ChangedField.JOINED_AT,)
    assert diff(first, known(Participant(id=ANNA, joined_at=NOON + timedelta(seconds=1))), NOON) == ()


def test_a_start_is_taken_once_in_a_run() -> None:
    before = known(started_at=NOON)
    assert diff(before, known(started_at=NOON + timedelta(seconds=1)), NOON) == ()


def test_whoever_is_found_gone_leaves_before_others_join() -> None:
    gone, came = diff(known(Participant(id=ANNA)), known(Participant(id=BEN)), NOON)
    assert isinstance(gone, ParticipantLeft)
    assert gone.reason is LeaveReason.FOUND_GONE
    assert isinstance(came, ParticipantJoined)
    assert came.participant.joined_at == NOON


def test_a_room_that_is_not_permanent_is_over_when_its_conference_is() -> None:
    before = known(Participant(id=ANNA), permanent=False)
    gone = Room(id=RoomId("1"), state=RoomState.ENDED, permanent=False, participants=NOBODY)
    assert [type(event) for event in diff(before, gone, NOON)] == [ParticipantLeft, RoomEnded]
