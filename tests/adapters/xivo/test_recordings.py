"""Each recording is read byte for byte, and what it tells comes out as the right rooms."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.xivo.events import Interpreter
from adapters.xivo.roster import Rooms
from adapters.xivo.told import CallTold, CommandFailed, Entered, PersonTold, RoomsListed, Told
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import PictureReport, UpdateReport
from gateway.model.room import Participant, ParticipantRole, Room, RoomDetail, RoomState

RECORDINGS = Path(__file__).parents[2] / "recordings" / "xivo"
JAMES = ParticipantId("1-1519659524032")
ADA = ParticipantId("1-1719650000000")
TYPES = {
    "seed-conference-list.json": b"ConferenceList",
    "seed-conference-event.json": b"ConferenceEvent",
    "seed-conference-participant-event.json": b"ConferenceParticipantEvent",
    "seed-conference-command-error.json": b"ConferenceCommandError",
}


def told_by(name: str) -> Told:
    raw = (RECORDINGS / name).read_bytes()
    if name in TYPES:
        raw = b'{"msgType":"' + TYPES[name] + b'","ctiMessage":' + raw + b"}"
    interpreter = Interpreter()
    told = interpreter.read(raw)
    assert told is not None
    assert interpreter.misunderstood == 0
    return told


@pytest.fixture(name="now")
def _now() -> list[datetime]:
    """The time, which a test may set."""
    return [datetime(2018, 2, 26, 15, 39, tzinfo=UTC)]


@pytest.fixture(name="rooms")
def _rooms(now: list[datetime]) -> Rooms:
    return Rooms(clock=lambda: now[0])


def test_every_recording_is_used_and_named_in_the_readme() -> None:
    here, readme = Path(__file__).read_text(), (RECORDINGS / "README.md").read_text()
    for path in RECORDINGS.glob("*.json"):
        assert f'("{path.name}")' in here
        assert f"`{path.name}`" in readme


# ---- the reference page ----


def test_the_list_of_the_page_is_a_room_with_james_bond_and_an_idle_one(rooms: Rooms) -> None:
    told = told_by("seed-conference-list.json")
    assert isinstance(told, RoomsListed)
    reports = rooms.listed(told)
    started_at = datetime(2018, 2, 26, 15, 38, 44, 32000, tzinfo=UTC)
    james = Participant(
        id=JAMES,
        display_name="James Bond",
        number="1002",
        username="jbond",
        user_id="jbond",
        muted=False,
        joined_at=started_at,
    )
    public = Room(
        id=RoomId("4000"),
        name="public",
        numbers=("4000",),
        pin_required=False,
        state=RoomState.ACTIVE,
        detail=RoomDetail.SUMMARY,
        started_at=started_at,
        participants={JAMES: james},
    )
    support = Room(
        id=RoomId("4001"),
        name="conference_support",
        numbers=("4001",),
        pin_required=True,
        detail=RoomDetail.SUMMARY,
    )
    assert reports == [PictureReport(room_id=room.id, room=room) for room in (public, support)]
    assert rooms.all() == [public, support]


def test_the_events_of_the_page_are_james_bond_entering_a_room_and_then_talking_as_organizer(rooms: Rooms) -> None:
    rooms.has_lists = False
    told = told_by("seed-conference-event.json")
    assert isinstance(told, Entered)
    (report,) = rooms.entered("jbond", told)
    assert isinstance(report, PictureReport)
    room = report.room
    assert (room.id, room.name, room.detail, room.permanent) == ("4001", "conference_support", RoomDetail.FULL, False)
    (james,) = room.participants.values()
    assert james == Participant(
        id=ParticipantId("1~1519659540000"),
        index=1,
        display_name="James Bond",
        number="1002",
        username="jbond",
        user_id="jbond",
        role=ParticipantRole.PARTICIPANT,
        muted=False,
        deafened=False,
        talking=False,
        joined_at=datetime(2018, 2, 26, 15, 39, tzinfo=UTC),
    )
    talks = told_by("seed-conference-participant-event.json")
    assert isinstance(talks, PersonTold)
    (update,) = rooms.person("jbond", talks)
    assert isinstance(update, UpdateReport)
    assert (update.participant.talking, update.participant.role) == (True, ParticipantRole.MODERATOR)


def test_the_error_of_the_page_is_not_a_member() -> None:
    assert told_by("seed-conference-command-error.json") == CommandFailed("NotAMember")


# ---- written from documentation and client code ----


def test_the_organizer_of_the_list_and_of_the_event_is_one_person_in_full_detail(
    rooms: Rooms, now: list[datetime]
) -> None:
    now[0] = datetime(2024, 6, 29, 8, 33, 20, tzinfo=UTC)
    listed, entered = told_by("facts-conference-list.json"), told_by("facts-conference-event.json")
    assert isinstance(listed, RoomsListed)
    assert isinstance(entered, Entered)
    rooms.listed(listed)
    (report,) = rooms.entered("ada", entered)
    assert isinstance(report, PictureReport)
    (ada,) = report.room.participants.values()
    assert (ada.id, ada.index, ada.role, ada.user_id) == (ADA, 1, ParticipantRole.MODERATOR, "ada")
    assert (report.room.detail, report.room.permanent) == (RoomDetail.FULL, True)
    talks = told_by("facts-conference-participant-event.json")
    assert isinstance(talks, PersonTold)
    rooms.person("ada", talks)
    assert rooms.wants_list
    now[0] = datetime(2024, 6, 29, 8, 33, 21, tzinfo=UTC)
    rooms.overdue()
    room = rooms.one(RoomId("4001"))
    assert room is not None
    caller = room.participants[ParticipantId("2~1719649958000")]
    assert (caller.talking, caller.number, caller.username) == (True, "0612345678", None)


def test_the_error_as_a_whole_frame_is_not_a_member() -> None:
    assert told_by("facts-conference-command-error.json") == CommandFailed("NotAMember")


def test_the_call_is_the_one_to_the_room() -> None:
    assert told_by("facts-phone-event.json") == CallTold(
        kind="EventEstablished", unique_id="1719650000.8", other_number="4001"
    )
