"""Commands for everybody in a room: at once or one by one, sparing some, each with an outcome of their own."""

import asyncio
from pathlib import Path

from gateway.live.asks import AskEverybody
from gateway.live.results import CommandOutcome
from gateway.model.capability import Capability, Sparing, absent, composed
from gateway.model.commands import (
    Action,
    BulkCommand,
    ParticipantCommand,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, OutcomeUnknown
from gateway.model.events import ParticipantLeft
from gateway.model.ids import ParticipantId
from gateway.model.room import LeaveReason, ParticipantRole
from tests.gateway.live.desk_side import (
    BEN,
    BOARD,
    CEM,
    NO,
    QUICK,
    Faulty,
    code,
    do,
    eventually,
    outcomes,
)
from tests.gateway.schema.house import ADMIN, PBX, House, house_with


async def test_everybody_at_once_is_one_command(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", "ben")
    pbx.join("board", "cem", role=ParticipantRole.MODERATOR)
    await house.until(lambda: len(house.people("board")) == 3)
    answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD))
    assert pbx.executed == [BulkCommand(Action.MUTE_ALL, BOARD)]
    assert outcomes(answer) == {"anna": CommandOutcome.CONFIRMED, "ben": CommandOutcome.CONFIRMED}


async def test_everybody_is_done_one_by_one_where_the_viewer_spares_others(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", "ben")
    pbx.join("board", "cem", role=ParticipantRole.MODERATOR, user_id=ADMIN.identities[PBX])
    await house.until(lambda: len(house.people("board")) == 3)
    answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD, frozenset({Sparing.ME})))
    assert {command.participant_id for command in pbx.executed} == {"anna", "ben"}
    assert answer.outcome is CommandOutcome.CONFIRMED
    answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD, frozenset()))
    assert set(outcomes(answer)) == {"anna", "ben", "cem"}


async def test_who_may_be_a_moderator_is_left_alone_where_moderators_are_spared(house: House, pbx: Faulty) -> None:
    await house.with_people("board")
    for name, role in (("anna", None), ("ben", ParticipantRole.PARTICIPANT), ("cem", ParticipantRole.MODERATOR)):
        pbx.join("board", name, role=role)
    await house.until(lambda: len(house.people("board")) == 3)
    spared = frozenset({Sparing.ME, Sparing.MODERATORS})
    answer = await do(house, AskEverybody(Action.KICK_ALL, BOARD, spared))
    assert pbx.executed == [ParticipantCommand(Action.KICK, BOARD, BEN)]
    assert outcomes(answer) == {"anna": CommandOutcome.REJECTED, "ben": CommandOutcome.CONFIRMED}
    assert [error.code for error in answer.errors] == [CommandErrorCode.CONFLICT]


async def test_each_has_an_outcome_of_their_own(tmp_path: Path, pbx: Faulty) -> None:
    pbx.abilities[Capability.MUTE_ALL] = composed("one by one", "here")
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna", "ben", "cem")
        pbx.failing = {BEN: CommandRefused(NO)}
        answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD))
        confirmed, refused = CommandOutcome.CONFIRMED, CommandOutcome.REJECTED
        assert outcomes(answer) == {"anna": confirmed, "ben": refused, "cem": confirmed}
        assert (answer.outcome, answer.errors) == (CommandOutcome.ACCEPTED, (NO,))
        assert [each.error for each in answer.results if each.participant.id == BEN] == [NO]
        pbx.failing[CEM] = OutcomeUnknown("the line was cut")
        pbx.change("board", "cem", muted=False)
        await house.until(lambda: not house.room("board").room.participants[CEM].muted)
        answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD))
        assert outcomes(answer) == {"anna": confirmed, "ben": refused, "cem": CommandOutcome.UNKNOWN}
        assert answer.outcome is CommandOutcome.UNKNOWN
        pbx.fault, pbx.failing = CommandRefused(NO), {}
        answer = await do(house, AskEverybody(Action.DEAFEN_ALL, BOARD, frozenset({Sparing.MODERATORS})))
        assert (answer.outcome, answer.errors) == (CommandOutcome.REJECTED, (NO,))


async def test_nobody_is_too_many_for_the_backend(house: House, pbx: Faulty) -> None:
    """A command for everybody that is done one by one has a few of them under way at a time."""
    people = [f"p{number}" for number in range(30)]
    await house.with_people("board", *people)
    pbx.hold.clear()
    asking = asyncio.create_task(do(house, AskEverybody(Action.KICK_ALL, BOARD)))
    await eventually(lambda: len(pbx.executed) >= 8)
    pbx.change("board", "p0", talking=True)
    await house.until(lambda: house.room("board").room.participants[ParticipantId("p0")].talking)
    assert len(pbx.executed) == 8
    pbx.hold.set()
    answer = await asking
    assert answer.outcome is CommandOutcome.CONFIRMED
    assert {each.participant.id for each in answer.results} == set(people)
    reasons = {update.event.reason for update in house.seen if isinstance(update.event, ParticipantLeft)}
    assert reasons == {LeaveReason.KICKED}


async def test_a_slow_backend_is_not_sent_the_rest_all_at_once(tmp_path: Path, pbx: Faulty) -> None:
    """The answer is due, the others are still to be kicked: they are, a few at a time."""
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", *(f"p{number}" for number in range(30)))
        pbx.hold.clear()
        answer = await do(house, AskEverybody(Action.KICK_ALL, BOARD))
        assert answer.outcome is CommandOutcome.UNKNOWN
        assert len(pbx.executed) == 8
        pbx.hold.set()
        await house.until(lambda: not house.people("board"))
        assert len(pbx.executed) == 30


async def test_an_empty_room_is_muted_already(house: House, pbx: Faulty) -> None:
    pbx.abilities[Capability.MUTE_ALL] = composed("one by one", "here")
    await house.with_people("board")
    answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD))
    assert (answer.outcome, answer.results, pbx.executed) == (CommandOutcome.CONFIRMED, (), [])


async def test_everybody_needs_the_ability(house: House, pbx: Faulty) -> None:
    pbx.abilities[Capability.MUTE_ALL] = absent("never", "here")
    await house.with_people("board", "anna")
    answer = await do(house, AskEverybody(Action.MUTE_ALL, BOARD))
    assert code(answer) is CommandErrorCode.NOT_SUPPORTED
    assert "never" in answer.errors[0].message
