"""The samples of xuc's page over a real socket, byte for byte in their envelope, and what the gateway shows then."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.model.commands import Action, RoomCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, RoomDetail, RoomState
from tests.adapters.xivo.xivo_gateway import House, codes, house

RECORDINGS = Path(__file__).parents[2] / "recordings" / "xivo"
PUBLIC, SUPPORT = RoomId("4000"), RoomId("4001")
JAMES = Participant(
    id=ParticipantId("1-1519659524032"),
    display_name="James Bond",
    number="1002",
    username="jbond",
    user_id="jbond",
    muted=False,
    joined_at=datetime(2018, 2, 26, 15, 38, 44, 32000, tzinfo=UTC),
)


def say(there: House, login: str, message: str, sample: str) -> None:
    raw = (RECORDINGS / sample).read_bytes()
    there.sim.send_raw(b'{"msgType":"' + message.encode() + b'","ctiMessage":' + raw + b"}", login)


def push_list(there: House) -> None:
    say(there, "gateway", "ConferenceList", "seed-conference-list.json")


def enter(there: House) -> None:
    say(there, "ada", "ConferenceEvent", "seed-conference-event.json")


async def james(there: House) -> Participant:
    """Whoever is in the room that was entered; XiVO's list does not have them, so that it takes a second."""
    await there.until(lambda: there.seat.people(SUPPORT))
    [participant] = there.seat.people(SUPPORT).values()
    return participant


async def test_the_room_list(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        push_list(there)
        await there.until(lambda: there.seat.people(PUBLIC))
        public, support = there.seat.room(PUBLIC).room, there.seat.room(SUPPORT).room
        assert dict(public.participants) == {JAMES.id: JAMES}
        assert (public.name, public.pin_required, public.state) == ("public", False, RoomState.ACTIVE)
        assert (public.detail, public.started_at) == (RoomDetail.SUMMARY, JAMES.joined_at)
        assert (support.name, support.pin_required, support.state) == ("conference_support", True, RoomState.IDLE)
        assert (support.started_at, support.permanent, dict(support.participants)) == (None, True, {})
        assert there.adapter.misunderstood == 0


async def test_ones_own_entering(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        enter(there)
        participant = await james(there)
        assert (participant.display_name, participant.number, participant.user_id) == ("James Bond", "1002", "jbond")
        assert (participant.index, participant.role) == (1, ParticipantRole.PARTICIPANT)
        assert (participant.muted, participant.deafened, participant.talking) == (False, False, False)
        room = there.seat.room(SUPPORT).room
        assert (room.detail, room.state) == (RoomDetail.FULL, RoomState.ACTIVE)
        assert there.adapter.misunderstood == 0


async def test_somebody_who_is_different_now(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        enter(there)
        before = await james(there)
        say(there, "ada", "ConferenceParticipantEvent", "seed-conference-participant-event.json")
        await there.until(lambda: there.seat.people(SUPPORT)[before.id].talking)
        after = there.seat.people(SUPPORT)[before.id]
        assert (after.role, after.muted, after.deafened) == (ParticipantRole.MODERATOR, False, False)
        assert (after.display_name, after.number, after.user_id) == ("James Bond", "1002", "jbond")
        assert there.adapter.misunderstood == 0


async def test_a_command_that_fails(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        enter(there)
        before = await james(there)
        say(there, "ada", "ConferenceParticipantEvent", "seed-conference-participant-event.json")
        await there.until(lambda: there.seat.people(SUPPORT)[before.id].role is ParticipantRole.MODERATOR)
        there.sim.faults.ignore_commands = True
        closing = asyncio.create_task(there.do(RoomCommand(Action.CLOSE, SUPPORT)))
        await there.sim.until(lambda: there.sent)
        say(there, "ada", "ConferenceCommandError", "seed-conference-command-error.json")
        assert codes(await closing) == [CommandErrorCode.NOT_A_MEMBER]


@pytest.mark.parametrize("order", [(push_list, enter), (enter, push_list)])
async def test_list_and_entering_in_either_order(tmp_path: Path, order: tuple[Callable[[House], None], ...]) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.no_room_list = True  # its own rooms are empty
        for say_it in order:
            say_it(there)
        await there.until(lambda: there.seat.people(PUBLIC) and there.seat.people(SUPPORT))
        assert there.seat.room(SUPPORT).room.detail is RoomDetail.FULL
