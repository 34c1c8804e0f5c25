"""XiVO's rooms and people in our words, out of the list, of events, or of both."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from adapters.xivo import mapping
from adapters.xivo.told import Described, ListedRoom, Member
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room, RoomDetail, RoomState

JOINED_MS = 1519659524032
JOINED_AT = datetime(2018, 2, 26, 15, 38, 44, 32000, tzinfo=UTC)
ID = mapping.listed_id(1, JOINED_MS)
LISTED = Member(order=1, joined_ms=JOINED_MS, name="James Bond", number="1002", username="jbond", muted=True)
TOLD = Described(
    index=3,
    name="Bond",
    number="1002",
    role=ParticipantRole.MODERATOR,
    muted=False,
    deafened=True,
    talking=False,
    since_s=7,
)


def test_times_of_the_list_are_milliseconds_since_the_epoch_and_0_is_none() -> None:
    assert mapping.instant(JOINED_MS) == JOINED_AT
    assert mapping.epoch_ms(JOINED_AT) == JOINED_MS
    assert mapping.instant(0) is None
    assert mapping.instant(None) is None


@given(st.integers())
def test_any_number_is_a_time_or_none(epoch_ms: int) -> None:
    found = mapping.instant(epoch_ms)
    assert found is None or mapping.epoch_ms(found) == epoch_ms


def test_a_presence_is_named_by_the_list_alike_for_every_gateway_and_otherwise_by_its_slot() -> None:
    assert ID == "1-1519659524032"
    assert mapping.told_id(1, JOINED_MS) == "1~1519659524032"


def test_of_the_list_only_muted_is_known_and_no_index() -> None:
    james = mapping.participant(ID, member=LISTED, described=None, index=None, user_id=None, joined_ms=JOINED_MS)
    assert james == Participant(
        id=ID,
        display_name="James Bond",
        number="1002",
        username="jbond",
        user_id="jbond",
        muted=True,
        joined_at=JOINED_AT,
    )


def test_events_know_better_than_the_list() -> None:
    james = mapping.participant(ID, member=LISTED, described=TOLD, index=3, user_id=None, joined_ms=JOINED_MS)
    assert james == Participant(
        id=ID,
        index=3,
        display_name="Bond",
        number="1002",
        username="jbond",
        user_id="jbond",
        role=ParticipantRole.MODERATOR,
        muted=False,
        deafened=True,
        talking=False,
        joined_at=JOINED_AT,
    )


def test_what_an_event_does_not_say_of_muted_the_list_says() -> None:
    silent = Described(index=3)
    james = mapping.participant(ID, member=LISTED, described=silent, index=3, user_id=None, joined_ms=None)
    assert (james.muted, james.role, james.deafened, james.talking, james.joined_at) == (True, None, None, None, None)


def test_whoever_an_account_calls_itself_is_that_user_though_no_username_is_said() -> None:
    me = mapping.participant(ID, member=None, described=TOLD, index=3, user_id="jbond", joined_ms=None)
    assert (me.user_id, me.username) == ("jbond", None)


def test_a_listed_room_is_permanent_and_a_summary() -> None:
    listed = ListedRoom(number="4000", name="public", pin_required=False, started_ms=JOINED_MS)
    people = {ParticipantId("x"): Participant(id=ParticipantId("x"))}
    assert mapping.room("4000", listed, None, people, active=True, detailed=False) == Room(
        id=RoomId("4000"),
        numbers=("4000",),
        name="public",
        pin_required=False,
        state=RoomState.ACTIVE,
        detail=RoomDetail.SUMMARY,
        permanent=True,
        started_at=JOINED_AT,
        participants=people,
    )


def test_a_room_that_nobody_is_in_has_no_start() -> None:
    listed = ListedRoom(number="4001", name="support", pin_required=True)
    room = mapping.room("4001", listed, None, {}, active=False, detailed=False)
    assert (room.state, room.started_at, room.settings, room.pin_required) == (RoomState.IDLE, None, None, True)


def test_a_room_that_only_an_account_inside_knows_is_not_permanent_and_its_pin_is_unknown() -> None:
    room = mapping.room("4001", None, "support", {}, active=True, detailed=True)
    assert (room.permanent, room.name, room.pin_required, room.detail) == (False, "support", None, RoomDetail.FULL)
