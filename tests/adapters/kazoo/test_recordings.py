"""Each recording goes over the wire, byte for byte, and comes out as the right room, report or refusal."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.kazoo.simulator import Generation
from gateway.model.commands import CreateRoom, Invite
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import JoinReport, RoomReport, UpdateReport
from gateway.model.room import Participant, ParticipantRole, Room, RoomFacts, RoomState
from tests.adapters.kazoo.kazoo_adapter import Connected, connected

RECORDINGS = Path(__file__).parents[2] / "recordings" / "kazoo"
CONFERENCE = "5edbfdd3b825314a71b0a05957392edb"
RUN = "d5765180-53d5-4104-860e-b352f3f8e6b1"
ANN = ParticipantId("3d1b2ad5-11c1.4@10.26.0.5")
SIMULATED = {
    "4.0": Generation.K4_0,
    "4.2": Generation.K4_2,
    "4.3": Generation.K4_3,
    "5": Generation.K5,
}


def recording(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


def in_envelope(name: str) -> bytes:
    return b'{"status":"success","revision":"1-a","data":' + recording(name) + b"}"


@pytest.fixture(name="seat")
async def _seat() -> AsyncIterator[Connected]:
    async with connected(Generation.K4_3) as seat:
        yield seat


@pytest.fixture(name="old")
async def _old() -> AsyncIterator[Connected]:
    async with connected(Generation.SEED) as seat:
        yield seat


def test_every_recording_is_used_and_named_in_the_readme() -> None:
    here = Path(__file__).read_text()
    readme = (RECORDINGS / "README.md").read_text()
    for path in RECORDINGS.glob("*.json"):
        generation, _, rest = path.name.partition("-")
        assert path.name in here or (generation in SIMULATED and f"-{rest}" in here)
        assert path.name in readme or "dial-*.json" in readme or generation in SIMULATED


# ---- the reference page ----


async def test_the_list_of_the_page_is_one_idle_room_without_a_name(old: Connected) -> None:
    for _ in range(2):  # it is listed again once its events are subscribed to
        old.sim.answer_raw("GET", "conferences", in_envelope("seed-conferences.json"))
    assert await old.rooms() == {
        "": Room(id=RoomId(""), state=RoomState.IDLE, locked=False, numbers=(), pin_required=False)
    }
    assert old.adapter.misunderstood == 0


async def test_the_document_of_the_page_is_a_running_room_with_its_settings(old: Connected) -> None:
    old.sim.answer_raw("GET", f"conferences/{CONFERENCE}", in_envelope("seed-conference.json"))
    room = await old.read(CONFERENCE)
    assert (room.name, room.state, room.permanent, room.locked) == ("Conf", RoomState.ACTIVE, True, False)
    assert list(room.participants.values()) == [
        Participant(
            id=ParticipantId(""),
            leg_id="",
            index=1,
            role=ParticipantRole.PARTICIPANT,
            muted=False,
            deafened=False,
            talking=False,
            floor=False,
            joined_at=datetime(2016, 7, 8, 17, 14, 35, tzinfo=UTC),
        )
    ]
    assert room.settings is not None
    assert (room.settings.entry_tone, room.settings.exit_tone) == ("default", "default")
    assert (room.settings.join_muted, room.settings.announce_joins_by_name) == (False, False)
    assert room.settings.native == {"conference_numbers": [], "ui_metadata": {"ui": "kazoo-ui"}}
    assert old.adapter.misunderstood == 0


SEED_JOIN = JoinReport(
    room_id=RoomId(CONFERENCE),
    run_id=RUN,
    participant=Participant(
        id=ParticipantId("934800819"),
        leg_id="934800819",
        index=20,
        display_name="sip1",
        number="sip1",
        username="sip1",
        user_id="32d8788da9506b4b1991d5bb86d27b0a",
        muted=False,
        deafened=False,
        talking=False,
        floor=False,
    ),
)


async def test_the_event_of_the_page_is_a_join(old: Connected) -> None:
    old.sim.add_room()
    await old.rooms()  # only a socket that has signed in is sent anything
    old.sim.send_raw(recording("seed-event.json"))
    assert await old.next() == SEED_JOIN
    assert old.adapter.misunderstood == 0


async def test_the_event_of_the_page_in_a_frame_is_a_join(old: Connected) -> None:
    old.sim.add_room()
    await old.rooms()
    frame = b'{"action":"event","name":"participant_event","data":' + recording("seed-event.json") + b"}"
    old.sim.send_raw(frame)
    assert await old.next() == SEED_JOIN


# ---- as the source has it ----


@pytest.mark.parametrize("generation", SIMULATED)
async def test_a_list_and_a_conference_of_each_generation(generation: str) -> None:
    async with connected(SIMULATED[generation]) as seat:
        for _ in range(2):
            seat.sim.answer_raw("GET", "conferences", recording(f"{generation}-conferences.json"))
        seat.sim.answer_raw("GET", f"conferences/{CONFERENCE}", recording(f"{generation}-conference.json"))
        rooms = await seat.rooms()
        assert set(rooms) == {CONFERENCE, "1" * 32}
        idle, running = rooms["1" * 32], rooms[CONFERENCE]
        assert (idle.name, idle.state, idle.locked) == ("Standup", RoomState.IDLE, False)
        assert (running.name, running.state, running.locked) == ("Support", RoomState.ACTIVE, True)
        assert (running.run_id, running.numbers, running.pin_required) == (RUN, ("6000", "6001"), True)
        assert list(running.participants.values()) == [
            Participant(
                id=ANN,
                leg_id=ANN,
                index=4,
                display_name="Ann Example",
                number="+12025550100",
                username="ann",
                user_id="32d8788da9506b4b1991d5bb86d27b0a",
                role=ParticipantRole.MODERATOR,
                muted=True,
                deafened=False,
                talking=False,
                floor=False,
                joined_at=datetime(2024, 1, 1, 0, 0, 10, tzinfo=UTC),
            )
        ]
        assert running.settings is not None
        assert (running.settings.member_pins, running.settings.moderator_pins) == (("1234",), ("9876",))
        assert running.settings.exit_tone == "tone_stream://%(200,0,500)"
        assert running.settings.native == {"conference_numbers": ["6000"]}
        assert seat.adapter.misunderstood == 0


async def test_frames_of_a_participant_and_of_a_room(seat: Connected) -> None:
    seat.sim.add_room()
    await seat.rooms()
    seat.sim.send_raw(recording("event-of-participant.json"))
    seat.sim.send_raw(recording("event-of-room.json"))
    assert await seat.next() == UpdateReport(
        room_id=RoomId(CONFERENCE), run_id=RUN, participant=Participant(id=ANN, leg_id=ANN, index=4, muted=True)
    )
    assert await seat.next() == RoomReport(room_id=RoomId(CONFERENCE), run_id=RUN, facts=RoomFacts(locked=True))


async def dial(seat: Connected, name: str) -> object:
    seat.sim.answer_raw("PUT", f"conferences/{CONFERENCE}", recording(name), 201)
    return await seat.do(Invite(RoomId(CONFERENCE), "+12025550101"), Room(id=RoomId(CONFERENCE)))


async def test_a_dialled_leg_that_joined_is_a_participant(seat: Connected) -> None:
    assert await dial(seat, "dial-joined.json") == ANN


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("dial-leg-failed.json", CommandErrorCode.BACKEND_REFUSED, "USER_BUSY"),
        ("dial-leg-timeout.json", CommandErrorCode.TIMEOUT, "nobody answered"),
        ("dial-timed-out.json", CommandErrorCode.TIMEOUT, "nobody answered"),
        ("dial-no-media-server.json", CommandErrorCode.BACKEND_UNAVAILABLE, "no media server"),
        ("participant-absent.json", CommandErrorCode.BACKEND_REFUSED, "unknown"),
    ],
)
async def test_a_dial_that_failed_is_refused_although_kazoo_says_success(
    seat: Connected, name: str, code: CommandErrorCode, said: str
) -> None:
    with pytest.raises(CommandRefused, match=said) as caught:
        await dial(seat, name)
    assert [error.code for error in caught.value.errors] == [code]


async def test_taken_numbers_are_named_with_the_field_they_came_from(seat: Connected) -> None:
    seat.sim.answer_raw("PUT", "conferences", recording("numbers-taken.json"), 400)
    with pytest.raises(CommandRefused) as caught:
        await seat.do(CreateRoom("One", {"member_numbers": ["100", "200"]}))
    (error,) = caught.value.errors
    assert (error.code, error.field) == (CommandErrorCode.INVALID_INPUT, ("settings", "memberNumbers"))
    assert error.message == "is already in use in this account: 100, 200"


async def test_a_refused_pin_is_named_and_not_repeated(seat: Connected) -> None:
    seat.sim.answer_raw("PUT", "conferences", recording("pin-refused.json"), 400)
    with pytest.raises(CommandRefused) as caught:
        await seat.do(CreateRoom("One", {"member_pins": ["12a4"]}))
    (error,) = caught.value.errors
    assert error.field == ("settings", "memberPins", "0")
    assert "12a4" not in json.dumps([error.message, str(caught.value)])
