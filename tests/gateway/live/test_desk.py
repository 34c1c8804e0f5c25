"""Commands: who may, what they came to, and what is written down of them."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.commands import (
    Action,
    AdoptRoom,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    StartConference,
    UpdateSettings,
)
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused, OutcomeUnknown
from gateway.model.events import CommandFailed, ParticipantLeft
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.room import LeaveReason
from tests.gateway.live.desk_side import (
    ANNA,
    BOARD,
    LOCK,
    MUTE_ANNA,
    NO,
    QUICK,
    Faulty,
    audit,
    code,
    do,
    eventually,
    rows,
)
from tests.gateway.schema.house import ADMIN, LIMITS, MODERATOR, PBX, VIEWER, House, house_with


def failures(house: House) -> list[CommandError]:
    """Give what those who watch have been told of commands that failed."""
    return [update.event.error for update in house.seen if isinstance(update.event, CommandFailed)]


# ---- who may ----


@pytest.mark.parametrize(
    ("wish", "needed"),
    [
        *((ParticipantCommand(action, BOARD, ANNA), "MODERATOR") for action in (Action.MUTE, Action.KICK)),
        (LOCK, "MODERATOR"),
        (RoomCommand(Action.CLOSE, BOARD), "MODERATOR"),
        (AskEverybody(Action.MUTE_ALL, BOARD), "MODERATOR"),
        (Invite(BOARD, "+1"), "MODERATOR"),
        (PlayMedia(BOARD, "tone"), "MODERATOR"),
        (RoomCommand(Action.START_RECORDING, BOARD), "MODERATOR"),
        (CreateRoom("new", {}), "ADMIN"),
        (AdoptRoom("elsewhere"), "ADMIN"),
        (UpdateSettings(BOARD, "new", {}), "ADMIN"),
        (RoomCommand(Action.DELETE_ROOM, BOARD), "ADMIN"),
    ],
    ids=lambda value: getattr(value, "action", value),
)
async def test_a_command_needs_its_role(house: House, pbx: Faulty, wish: Any, needed: str) -> None:
    await house.with_people("board", "anna")
    pbx.open_elsewhere("elsewhere")
    for viewer in (VIEWER, MODERATOR) if needed == "ADMIN" else (VIEWER,):
        answer = await do(house, wish, viewer=viewer)
        assert (answer.outcome, code(answer)) == (CommandOutcome.REJECTED, CommandErrorCode.FORBIDDEN)
        assert needed in answer.errors[0].message
        assert answer.errors[0].capability is wish.action.capability
    assert pbx.executed == []
    allowed = await do(house, wish, viewer=ADMIN if needed == "ADMIN" else MODERATOR)
    assert allowed.outcome is not CommandOutcome.REJECTED
    assert len(pbx.executed) == 1


async def test_everybody_may_mute_themselves(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", user_id=VIEWER.identities[PBX])
    answer = await do(house, AskMe(Action.MUTE_ME, BOARD), viewer=VIEWER)
    assert answer.outcome is CommandOutcome.CONFIRMED
    assert pbx.executed == [ParticipantCommand(Action.MUTE_ME, BOARD, ANNA)]


async def test_who_is_not_there_cannot_mute_themselves(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", user_id="somebody else")
    assert code(await do(house, AskMe(Action.MUTE_ME, BOARD), viewer=VIEWER)) is CommandErrorCode.NOT_A_MEMBER
    assert pbx.executed == []


async def test_a_viewer_without_the_role_learns_nothing_of_rooms(house: House) -> None:
    await house.with_people("board", "anna")
    there = await do(house, LOCK, viewer=VIEWER)
    nowhere = await do(house, RoomCommand(Action.LOCK, RoomId("nowhere")), viewer=VIEWER)
    assert there.errors == nowhere.errors


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (RoomCommand(Action.LOCK, RoomId("nowhere")), CommandErrorCode.ROOM_NOT_FOUND),
        (ParticipantCommand(Action.MUTE, BOARD, ParticipantId("nobody")), CommandErrorCode.PARTICIPANT_NOT_FOUND),
        (PlayMedia(BOARD, "tone", ParticipantId("nobody")), CommandErrorCode.PARTICIPANT_NOT_FOUND),
        (ParticipantCommand(Action.HOLD, BOARD, ANNA), CommandErrorCode.NOT_SUPPORTED),
        (RoomCommand(Action.HOLD_ROOM, BOARD), CommandErrorCode.NOT_SUPPORTED),
        (StartConference(), CommandErrorCode.NOT_SUPPORTED),
        (RoomCommand(Action.LOCK, RoomId("idle")), CommandErrorCode.ROOM_NOT_ACTIVE),
    ],
)
async def test_what_cannot_be_done_is_not_sent(
    house: House, pbx: Faulty, wish: Command, expected: CommandErrorCode
) -> None:
    await house.with_people("idle")
    await house.with_people("board", "anna")
    answer = await do(house, wish)
    assert (answer.outcome, code(answer)) == (CommandOutcome.REJECTED, expected)
    assert pbx.executed == []


async def test_a_backend_that_is_away_or_unknown_is_sent_nothing(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    answer = await do(house, MUTE_ANNA)
    assert (code(answer), answer.errors[0].retry_after_ms) == (CommandErrorCode.BACKEND_UNAVAILABLE, 2000)
    answer = await house.live.desk.do(ADMIN, Ask(BackendId("elsewhere"), CreateRoom("x", {})))
    assert (code(answer), answer.errors[0].field) == (CommandErrorCode.INVALID_INPUT, ("backendId",))
    assert pbx.executed == []


# ---- what it came to ----


async def test_a_refusal_is_handed_on_as_it_is(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    errors = (NO, CommandError(CommandErrorCode.INVALID_INPUT, "and wrong", ("destination",)))
    pbx.fault = CommandRefused(*errors)
    answer = await do(house, Invite(BOARD, "+1"))
    assert (answer.outcome, answer.errors) == (CommandOutcome.REJECTED, errors)
    assert failures(house) == [], "who asked has been told"


async def test_a_viewer_who_goes_away_does_not_stop_what_was_begun(tmp_path: Path, house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.hold.clear()
    asking = asyncio.create_task(do(house, MUTE_ANNA))
    await eventually(lambda: pbx.executed)
    asking.cancel()
    await asyncio.wait([asking])
    pbx.hold.set()
    await house.until(lambda: house.room("board").room.participants[ANNA].muted)
    await eventually(lambda: not house.live.desk._running)
    assert [row["outcome"] for row in await audit(house, tmp_path)] == ["CONFIRMED"]


async def test_a_backend_that_does_nothing_is_answered_for_as_accepted(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.silent = True
        read = pbx.rooms_read
        answer = await do(house, MUTE_ANNA)
        assert (answer.outcome, answer.position, answer.errors) == (CommandOutcome.ACCEPTED, None, ())
        assert pbx.rooms_read > read, "it was asked whether it had done so without saying it"


async def test_a_backend_that_answers_too_late_leaves_the_outcome_unknown(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.hold.clear()
        answer = await do(house, MUTE_ANNA)
        assert (answer.outcome, code(answer)) == (CommandOutcome.UNKNOWN, CommandErrorCode.TIMEOUT)
        invitation = await do(house, Invite(BOARD, "+1"))
        assert (invitation.outcome, invitation.errors) == (CommandOutcome.ACCEPTED, ()), "a telephone may ring for long"
        pbx.hold.set()
        await house.until(lambda: len(house.people("board")) == 2)


async def test_a_refusal_that_comes_too_late_is_told_to_those_who_watch(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.hold.clear()
        pbx.fault = CommandRefused(NO)
        assert (await do(house, Invite(BOARD, "+1"))).outcome is CommandOutcome.ACCEPTED
        assert failures(house) == []
        pbx.hold.set()
        await house.until(lambda: failures(house))
        assert failures(house) == [NO]


async def test_a_late_refusal_about_a_room_that_is_gone_harms_nobody(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.hold.clear()
        pbx.fault = CommandRefused(NO)
        await do(house, Invite(BOARD, "+1"))
        pbx.remove_room("board")
        await house.until(lambda: house.room("board") is None)
        pbx.hold.set()
        await eventually(lambda: not house.live.desk._running)
        assert failures(house) == []


async def test_an_answer_that_was_lost_is_made_up_for_by_what_is_seen(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.mute_of_answers = True
    answer = await do(house, MUTE_ANNA)
    assert (answer.outcome, answer.errors) == (CommandOutcome.CONFIRMED, ())
    assert answer.position
    assert answer.participant
    assert answer.participant.muted


async def test_an_answer_that_was_lost_and_no_effect_leave_the_outcome_unknown(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.fault = OutcomeUnknown("the line was cut")
        answer = await do(house, MUTE_ANNA)
        assert (answer.outcome, code(answer)) == (CommandOutcome.UNKNOWN, CommandErrorCode.TIMEOUT)
        assert answer.errors[0].message == "the line was cut"


async def test_a_link_that_is_lost_meanwhile_leaves_the_command_accepted(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.silent = True
    pbx.hold.clear()
    asking = asyncio.create_task(do(house, MUTE_ANNA))
    await eventually(lambda: pbx.executed)
    pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    pbx.hold.set()
    assert (await asking).outcome is CommandOutcome.ACCEPTED


async def test_a_fault_of_an_adapter_is_raised_and_leaves_the_desk_working(
    tmp_path: Path, house: House, pbx: Faulty
) -> None:
    await house.with_people("board", "anna")
    pbx.fault = ZeroDivisionError("a slip")
    with pytest.raises(ZeroDivisionError):
        await do(house, MUTE_ANNA)
    pbx.fault = None
    assert (await do(house, MUTE_ANNA)).outcome is CommandOutcome.CONFIRMED
    assert [row["outcome"] for row in await audit(house, tmp_path)] == ["UNKNOWN", "CONFIRMED"]


@pytest.mark.parametrize("who", ["nobody waits any more", "the viewer has gone"])
async def test_a_fault_that_comes_too_late_is_logged(
    tmp_path: Path, pbx: Faulty, caplog: pytest.LogCaptureFixture, who: str
) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK if who.startswith("nobody") else LIMITS) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.hold.clear()
        pbx.fault = ZeroDivisionError("a slip")
        asking = asyncio.create_task(do(house, MUTE_ANNA))
        await eventually(lambda: pbx.executed)
        if who == "the viewer has gone":
            asking.cancel()
        await asyncio.wait([asking])
        pbx.hold.set()
        await eventually(lambda: not house.live.desk._running)
    assert ["a slip" in str(each.exc_info) for each in caplog.records if each.levelno >= logging.ERROR] == [True]


async def test_a_new_room_is_confirmed_when_it_can_be_read(house: House, pbx: Faulty) -> None:
    answer = await do(house, CreateRoom("new", {}))
    assert answer.outcome is CommandOutcome.CONFIRMED
    assert answer.key
    assert house.live.room(answer.key)
    pbx.silent = True
    assert (await do(house, CreateRoom("newer", {}))).outcome is CommandOutcome.ACCEPTED


async def test_an_adopted_room_is_confirmed_when_it_can_be_read(house: House, pbx: Faulty) -> None:
    pbx.open_elsewhere("elsewhere")
    assert house.room("elsewhere") is None
    answer = await do(house, AdoptRoom("elsewhere", "Ours now"))
    assert answer.outcome is CommandOutcome.CONFIRMED
    assert answer.key == RoomKey(PBX, RoomId("elsewhere"))
    adopted = house.live.room(answer.key)
    assert adopted
    assert (adopted.room.name, adopted.position) == ("Ours now", answer.position)


async def test_a_kick_that_shows_late_is_still_the_kick(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", "ben")
    pbx.hold.clear()
    asking = asyncio.create_task(do(house, ParticipantCommand(Action.KICK, BOARD, ANNA)))
    await eventually(lambda: pbx.executed)
    pbx.hold.set()
    answer = await asking
    (left,) = [update for update in house.seen if isinstance(update.event, ParticipantLeft)]
    assert (left.event.reason, left.position) == (LeaveReason.KICKED, answer.position)


# ---- what is written down ----


async def test_every_command_is_in_the_audit_whatever_it_came_to(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx, limits=QUICK) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        await do(house, MUTE_ANNA, viewer=MODERATOR)
        await do(house, LOCK, viewer=VIEWER)
        await do(house, PlayMedia(BOARD, "tone"))
        pbx.fault = OutcomeUnknown("cut")
        await do(house, LOCK)
        await do(house, CreateRoom("x", {}))
        await do(house, AdoptRoom("conf-1"))
        pbx.fault = CommandRefused(NO)
        await do(house, Invite(BOARD, "+1"))
        await do(house, RoomCommand(Action.LOCK, RoomId("nowhere \ud83d\x00")))
        written = await audit(house, tmp_path)
    told = [(row["subject"], row["command"], row["outcome"], row["error_code"]) for row in written]
    assert told == [
        ("mo", "MUTE", "CONFIRMED", None),
        ("vic", "LOCK", "REJECTED", "FORBIDDEN"),
        ("ada", "PLAY_MEDIA", "ACCEPTED", None),
        ("ada", "LOCK", "UNKNOWN", "TIMEOUT"),
        ("ada", "CREATE_ROOM", "UNKNOWN", "TIMEOUT"),
        ("ada", "ADOPT_ROOM", "UNKNOWN", "TIMEOUT"),
        ("ada", "INVITE", "REJECTED", "BACKEND_REFUSED"),
        ("ada", "LOCK", "REJECTED", "ROOM_NOT_FOUND"),
    ]
    assert {row["tenant"] for row in written} == {"acme"}
    assert {row["backend_id"] for row in written} == {"pbx"}
    assert (written[0]["room_id"], written[0]["participant_id"]) == ("board", "anna")
    assert written[5]["room_id"] == "conf-1"
    assert all(0 <= row["duration_ms"] < 10_000 for row in written)


async def test_what_was_under_way_when_the_gateway_stopped_is_in_the_audit(tmp_path: Path, pbx: Faulty) -> None:
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        await house.with_people("board", "anna")
        pbx.hold.clear()
        asking = asyncio.create_task(do(house, MUTE_ANNA))
        await eventually(lambda: pbx.executed)
    await asyncio.wait([asking])
    assert [row["outcome"] for row in rows(tmp_path, "audit")] == ["UNKNOWN"]


async def test_a_repeat_is_in_the_audit_too(tmp_path: Path, house: House) -> None:
    await house.with_people("board", "anna")
    for _ in range(2):
        await do(house, MUTE_ANNA, "k")
    assert [row["outcome"] for row in await audit(house, tmp_path)] == ["CONFIRMED", "CONFIRMED"]


async def test_the_audit_tells_no_secret(tmp_path: Path, house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pin, key = "83521947", "a-key-of-my-own"
    settings = {"member_pins": (pin,), "moderator_pins": (pin,), "native": {"password": pin}}
    await do(house, UpdateSettings(BOARD, None, settings), key)
    await do(house, CreateRoom("new", settings))
    pbx.refusal = NO
    await do(house, UpdateSettings(BOARD, None, settings))
    written = await audit(house, tmp_path)
    assert len(written) == 3
    assert pin not in repr(written)
    assert key not in repr(written)
