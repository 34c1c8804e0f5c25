"""Commands: what is sent, what Kazoo's yes is worth, and what is refused before anything is sent."""

import asyncio
from dataclasses import replace

import pytest

from adapters.kazoo.simulator import EVERYBODY
from adapters.kazoo.simulator import Generation as Simulated
from gateway.model.commands import (
    Action,
    BulkCommand,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    StartConference,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, OutcomeUnknown
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import ParticipantRole, Room, RoomState
from tests.adapters.kazoo.kazoo_adapter import Connected, connected

Code = CommandErrorCode
ON_ONE = [
    (Action.MUTE, "mute"),
    (Action.UNMUTE, "unmute"),
    (Action.MUTE_ME, "mute"),
    (Action.UNMUTE_ME, "unmute"),
    (Action.DEAFEN, "deaf"),
    (Action.UNDEAFEN, "undeaf"),
    (Action.KICK, "kick"),
]
ON_EVERYBODY = [
    (Action.MUTE_ALL, "mute"),
    (Action.UNMUTE_ALL, "unmute"),
    (Action.DEAFEN_ALL, "deaf"),
    (Action.UNDEAFEN_ALL, "undeaf"),
    (Action.KICK_ALL, "kick"),
]


async def busy(seat: Connected) -> tuple[Room, ParticipantId]:
    """A room with one participant in it."""
    room = seat.sim.add_room("One")
    who = seat.sim.someone_joins(room)
    return await seat.read(room), ParticipantId(who)


def sent(seat: Connected) -> tuple[str, object, object]:
    command = seat.sim.commands[-1]
    return command.action, command.target, command.args


async def refusal(seat: Connected, command: Command, room: Room | None) -> tuple[Code, tuple[str, ...] | None]:
    with pytest.raises(CommandRefused) as caught:
        await seat.do(command, room)
    (error,) = caught.value.errors
    return error.code, error.field


@pytest.mark.parametrize("simulated", Simulated)
async def test_everything_is_said_in_kazoos_words_to_every_generation(simulated: Simulated) -> None:
    async with connected(simulated) as seat:
        room, who = await busy(seat)
        index = seat.sim.participant_id(room.id, who)
        for action, word in ON_ONE:
            await seat.do(ParticipantCommand(action, room.id, who), room)
            assert sent(seat) == (word, index, {})
        for action, word in ON_EVERYBODY:
            await seat.do(BulkCommand(action, room.id), room)
            assert sent(seat) == (word, EVERYBODY, {})
        for action, word in ((Action.LOCK, "lock"), (Action.UNLOCK, "unlock")):
            await seat.do(RoomCommand(action, room.id), room)
            assert sent(seat) == (word, None, {})
        await seat.do(RoomCommand(Action.CLOSE, room.id), room)
        assert sent(seat) == ("kick", EVERYBODY, {})


@pytest.mark.parametrize("simulated", [Simulated.K4_2, Simulated.K4_3, Simulated.K5])
async def test_media_is_played_to_the_room_or_to_one(simulated: Simulated) -> None:
    async with connected(simulated) as seat:
        room, who = await busy(seat)
        await seat.do(PlayMedia(room.id, "hello.wav"), room)
        assert sent(seat) == ("play", None, {"media_id": "hello.wav"})
        await seat.do(PlayMedia(room.id, "hello.wav", who), room)
        assert sent(seat) == ("play", seat.sim.participant_id(room.id, who), {"media_id": "hello.wav"})
        assert await refusal(seat, PlayMedia(room.id, ""), room) == (Code.INVALID_INPUT, ("media",))


@pytest.mark.parametrize(("simulated", "master"), [(Simulated.K4_2, True), (Simulated.K5, False)])
async def test_recording_is_asked_for_where_there_is_any(simulated: Simulated, master: bool) -> None:
    async with connected(simulated, master=master, recording=True) as seat:
        room, _ = await busy(seat)
        await seat.do(RoomCommand(Action.START_RECORDING, room.id), room)
        assert sent(seat) == ("record", None, {"action": "start"})
        await seat.do(RoomCommand(Action.STOP_RECORDING, room.id), room)
        assert sent(seat) == ("record", None, {"action": "stop"})


@pytest.mark.parametrize("simulated", [Simulated.K4_0, Simulated.K4_3])
async def test_an_action_that_this_kazoo_does_not_know_is_not_supported(simulated: Simulated) -> None:
    async with connected(simulated, generation="master", recording=True) as seat:
        room, _ = await busy(seat)
        code, _ = await refusal(seat, RoomCommand(Action.START_RECORDING, room.id), room)
        assert code is Code.NOT_SUPPORTED


async def test_what_kazoo_would_say_ok_to_is_refused_before_it_is_sent() -> None:
    async with connected() as seat:
        room, who = await busy(seat)
        idle = replace(room, state=RoomState.IDLE, participants={})
        stranger = ParticipantId("nobody")
        already = len(seat.sim.commands)
        for command in (
            ParticipantCommand(Action.MUTE, room.id, who),
            BulkCommand(Action.MUTE_ALL, room.id),
            RoomCommand(Action.LOCK, room.id),
            RoomCommand(Action.CLOSE, room.id),
            PlayMedia(room.id, "x"),
        ):
            assert await refusal(seat, command, idle) == (Code.ROOM_NOT_ACTIVE, ("roomId",))
            assert await refusal(seat, command, None) == (Code.ROOM_NOT_FOUND, ("roomId",))
        mute_nobody = ParticipantCommand(Action.MUTE, room.id, stranger)
        assert await refusal(seat, mute_nobody, room) == (Code.PARTICIPANT_NOT_FOUND, ("participantId",))
        assert await refusal(seat, PlayMedia(room.id, "x", stranger), room) == (
            Code.PARTICIPANT_NOT_FOUND,
            ("participantId",),
        )
        assert (await refusal(seat, StartConference(), None))[0] is Code.ROOM_NOT_FOUND
        assert (await refusal(seat, StartConference(), room))[0] is Code.NOT_SUPPORTED
        assert len(seat.sim.commands) == already


async def test_somebody_whose_number_is_unknown_is_looked_up() -> None:
    async with connected() as seat:
        room, who = await busy(seat)
        unknown = replace(room, participants={who: replace(room.participants[who], index=None)})
        mute = ParticipantCommand(Action.MUTE, room.id, who)
        await seat.do(mute, unknown)
        assert sent(seat) == ("mute", seat.sim.participant_id(room.id, who), {})

        seat.sim.restart_controller()
        assert (await refusal(seat, mute, unknown))[0] is Code.BACKEND_REFUSED
        seat.sim.someone_leaves(room.id, who)
        assert (await refusal(seat, mute, unknown))[0] is Code.PARTICIPANT_NOT_FOUND


@pytest.mark.parametrize("answer", [b'{"data":{"id":"r1"},"status":"success"}', b'{"status":"success"}'])
async def test_a_success_that_is_none_is_refused(answer: bytes) -> None:
    async with connected() as seat:
        room, who = await busy(seat)
        index = seat.sim.participant_id(room.id, who)
        seat.sim.answer_raw("PUT", f"conferences/{room.id}/participants/{index}", answer, 201)
        assert (await refusal(seat, ParticipantCommand(Action.MUTE, room.id, who), room))[0] is Code.BACKEND_REFUSED
        seat.sim.answer_raw("PUT", f"conferences/{room.id}", answer, 201)
        assert (await refusal(seat, RoomCommand(Action.LOCK, room.id), room))[0] is Code.BACKEND_REFUSED


async def test_a_success_that_cannot_be_read_leaves_the_outcome_open() -> None:
    async with connected() as seat:
        room, _ = await busy(seat)
        seat.sim.answer_raw("PUT", f"conferences/{room.id}", b"<html>", 200)
        with pytest.raises(OutcomeUnknown):
            await seat.do(RoomCommand(Action.LOCK, room.id), room)


# ---- inviting ----


async def test_an_invited_guest_is_in_the_room_with_role_and_name() -> None:
    async with connected() as seat:
        room = await seat.read(seat.sim.add_room())
        guest = Invite(room.id, "+12025550101", ParticipantRole.MODERATOR, display_name="Front desk")
        who = await seat.do(guest, room)
        args = seat.sim.commands[-1].args
        assert args == {
            "endpoints": ["+12025550101"],
            "timeout": 20,
            "participant_flags": ["is_moderator"],
            "caller_id_name": "Front desk",
        }
        inside = (await seat.read(room.id)).participants
        assert [(each.id, each.role) for each in inside.values()] == [(who, ParticipantRole.MODERATOR)]


async def test_an_invitation_that_kazoo_cannot_dial_names_the_destination() -> None:
    async with connected() as seat:
        room = await seat.read(seat.sim.add_room())
        code, field = await refusal(seat, Invite(room.id, "f" * 32), room)
        assert (code, field) == (Code.INVALID_INPUT, ("destination",))


async def test_the_room_cannot_hear_the_ringback_and_says_so() -> None:
    async with connected() as seat:
        room = await seat.read(seat.sim.add_room())
        invite = Invite(room.id, "100", early_join=True)
        assert await refusal(seat, invite, room) == (Code.INVALID_INPUT, ("earlyJoin",))
        assert not seat.sim.commands


async def test_a_phone_may_ring_for_longer_than_any_other_request_may_take() -> None:
    async with connected(request_timeout_s=0.5, dial_timeout_s=3) as seat:
        room = await seat.read(seat.sim.add_room())
        seat.sim.faults.dial_wait_s = 0.3
        assert await seat.do(Invite(room.id, "100"), room)


async def test_ringing_phones_hold_up_nobody_else() -> None:
    async with connected(requests_at_once=1) as seat:
        room = await seat.read(seat.sim.add_room())
        seat.sim.faults.dial_wait_s = 30
        ringing = [asyncio.create_task(seat.do(Invite(room.id, str(100 + n)), room)) for n in range(5)]
        await seat.sim.until(lambda: len(seat.sim.commands) == 5)
        assert await seat.read(room.id)
        for task in ringing:
            task.cancel()
        await asyncio.gather(*ringing, return_exceptions=True)


# ---- rooms ----


async def test_a_room_is_made_and_deleted() -> None:
    async with connected() as seat:
        made = await seat.do(CreateRoom("One", {}))
        assert isinstance(made, Room)
        assert set(await seat.rooms()) == {made.id}
        await seat.do(RoomCommand(Action.DELETE_ROOM, made.id), made)
        assert await seat.rooms() == {}
        assert await seat.adapter.read_room(made.id) is None


async def test_a_room_that_is_not_stored_can_be_neither_changed_nor_deleted() -> None:
    async with connected() as seat:
        room = Room(id=RoomId("adhoc"))
        assert (await refusal(seat, UpdateSettings(room.id, "x", {}), room))[0] is Code.ROOM_NOT_FOUND
        assert (await refusal(seat, RoomCommand(Action.DELETE_ROOM, room.id), room))[0] is Code.ROOM_NOT_FOUND


# ---- failures ----


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, Code.BACKEND_UNAVAILABLE),
        (402, Code.BACKEND_REFUSED),
        (403, Code.FORBIDDEN),
        (404, Code.ROOM_NOT_FOUND),
        (500, Code.BACKEND_UNAVAILABLE),
        (503, Code.BACKEND_UNAVAILABLE),
    ],
)
async def test_every_status_has_its_code(status: int, code: Code) -> None:
    async with connected() as seat:
        room, _ = await busy(seat)
        seat.sim.faults.http_status = status
        assert (await refusal(seat, RoomCommand(Action.LOCK, room.id), room))[0] is code


async def test_an_error_of_a_proxy_leaves_the_outcome_open() -> None:
    async with connected() as seat:
        room, _ = await busy(seat)
        seat.sim.answer_raw("PUT", f"conferences/{room.id}", b"<html>504</html>", 504)
        with pytest.raises(OutcomeUnknown):
            await seat.do(RoomCommand(Action.LOCK, room.id), room)


async def test_a_kazoo_that_does_not_answer_leaves_the_outcome_open() -> None:
    async with connected(request_timeout_s=0.8) as seat:
        room, _ = await busy(seat)
        seat.sim.faults.hang = True
        with pytest.raises(OutcomeUnknown):
            await seat.do(RoomCommand(Action.LOCK, room.id), room)


async def test_a_kazoo_that_is_gone_has_surely_not_acted() -> None:
    async with connected() as seat:
        room, _ = await busy(seat)
        await seat.sim.stop()
        assert (await refusal(seat, RoomCommand(Action.LOCK, room.id), room))[0] is Code.BACKEND_UNAVAILABLE
