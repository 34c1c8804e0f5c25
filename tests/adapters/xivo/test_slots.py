"""A slot that was left is given to the next who comes: no command reaches them in place of whoever it was meant for."""

import asyncio
from pathlib import Path

import pytest

from gateway.live.asks import AskEverybody
from gateway.live.results import CommandOutcome
from gateway.model.commands import Action
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId
from tests.adapters.xivo.xivo_gateway import ROOM, House, codes, house

NOT_FOUND = [CommandErrorCode.PARTICIPANT_NOT_FOUND]
ACTIONS = [Action.MUTE, Action.UNMUTE, Action.DEAFEN, Action.UNDEAFEN, Action.KICK]
FLAGS = {
    Action.MUTE: ("muted", True),
    Action.UNMUTE: ("muted", False),
    Action.DEAFEN: ("deafened", True),
    Action.UNDEAFEN: ("deafened", False),
}
BACK = {
    Action.MUTE: "conferenceUnmute",
    Action.UNMUTE: "conferenceMute",
    Action.DEAFEN: "conferenceUndeafen",
    Action.UNDEAFEN: "conferenceDeafen",
}


async def meeting(there: House) -> ParticipantId:
    """Ada is the organizer in slot 1, Ben sits in slot 2, and whoever is meant in slot 3."""
    await there.joins("ada", organizer=True)
    await there.joins("ben")
    target = await there.joins("Target")
    assert there.index(target) == 3
    return target


def set_flag(there: House, index: int, flag: str, value: bool) -> None:
    hand = there.sim.set_muted if flag == "muted" else there.sim.set_deafened
    hand(ROOM, index, value)


def in_slot(there: House, index: int) -> tuple[str, bool, bool]:
    """Who really sits there, and how."""
    [one] = [one for one in there.sim.people(ROOM) if one.index == index]
    return one.name, one.muted, one.deafened


def hold(there: House) -> None:
    for login in ("ada", "ben", "gateway"):
        there.sim.hold(login)


def release(there: House) -> None:
    for login in ("ada", "ben", "gateway"):
        there.sim.release(login)


# ---- the newcomer is known ----


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_old_id_does_not_reach_the_newcomer_in_its_slot(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        there.leaves(target)
        newcomer = await there.joins("Newcomer")
        assert there.index(newcomer) == 3
        assert codes(await there.do_to(action, target)) == NOT_FOUND
        assert there.sent == []
        assert in_slot(there, 3) == ("Newcomer", False, False)


@pytest.mark.parametrize("action", ACTIONS)
async def test_nor_does_it_when_the_same_caller_comes_back(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        target = await there.joins("Target", number="0612345678")
        there.leaves(target)
        again = await there.joins("Target", number="0612345678")
        assert (there.index(again), again == target) == (2, False)
        assert codes(await there.do_to(action, target)) == NOT_FOUND
        assert there.sent == []


# ---- the gateway is behind: it learns of the newcomer only when the command has gone out ----


@pytest.mark.parametrize("action", FLAGS)
async def test_a_newcomer_who_was_hit_ends_as_they_came(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        flag, value = FLAGS[action]
        set_flag(there, 3, flag, not value)
        await there.until(lambda: getattr(there.person(target), flag) is not value)
        hold(there)
        there.leaves(target)
        newcomer = there.enters("Newcomer")
        assert there.index(newcomer) == 3
        set_flag(there, 3, flag, not value)
        came = in_slot(there, 3)
        doing = asyncio.create_task(there.do_to(action, target))
        await there.sim.until(lambda: there.sent)
        assert in_slot(there, 3) != came, "XiVO has done to the newcomer what was meant for another"
        release(there)
        assert codes(await doing) == NOT_FOUND
        assert in_slot(there, 3) == came
        assert [(login, frame["command"], frame["index"]) for login, frame in there.sent][1:] == [
            ("ada", BACK[action], 3)
        ]
        await there.until(lambda: there.seat.is_true() and target not in there.seat.people(ROOM))


@pytest.mark.parametrize("action", [Action.MUTE, Action.UNMUTE, Action.UNDEAFEN])
async def test_a_newcomer_who_came_as_the_other_was_to_be_stays_so(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        flag, value = FLAGS[action]
        set_flag(there, 3, flag, not value)
        await there.until(lambda: getattr(there.person(target), flag) is not value)
        there.sim.faults.effect_delay_s = 0.1
        doing = asyncio.create_task(there.do_to(action, target))
        await there.sim.until(lambda: there.sent)
        there.leaves(target)
        there.enters("Newcomer", muted=action is Action.MUTE)
        came = in_slot(there, 3)
        assert codes(await doing) == NOT_FOUND
        assert in_slot(there, 3) == came
        assert len(there.sent) == 1


async def test_a_newcomer_who_comes_while_the_command_is_under_way_is_spared_too(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        there.sim.faults.effect_delay_s = 0.1
        doing = asyncio.create_task(there.do_to(Action.MUTE, target))
        await there.sim.until(lambda: there.sent)
        there.leaves(target)
        there.enters("Newcomer")
        assert codes(await doing) == NOT_FOUND
        await there.sim.until(lambda: len(there.sent) == 2)
        await there.until(there.seat.is_true)
        assert in_slot(there, 3) == ("Newcomer", False, False)


async def test_a_target_who_left_and_whom_nobody_followed_is_not_found(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        hold(there)
        there.leaves(target)
        doing = asyncio.create_task(there.do_to(Action.MUTE, target))
        await there.sim.until(lambda: there.sent)
        release(there)
        assert codes(await doing) == NOT_FOUND
        assert [frame["index"] for _, frame in there.sent] == [3]


async def test_somebody_elses_mute_of_the_newcomer_is_theirs_and_stays(tmp_path: Path) -> None:
    """Nothing was under way to the old slot any more: a later mute of the newcomer is nobody's mistake."""
    async with house(tmp_path) as there:
        target = await meeting(there)
        assert (await there.do_to(Action.MUTE, target)).outcome is CommandOutcome.CONFIRMED
        there.leaves(target)
        newcomer = await there.joins("Newcomer")
        set_flag(there, 3, "muted", True)
        await there.until(lambda: there.person(newcomer).muted)
        assert len(there.sent) == 1


# ---- the command waits for its turn ----


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("followed", [True, False])
async def test_a_command_whose_target_leaves_while_it_waits_is_not_sent(
    tmp_path: Path, action: Action, followed: bool
) -> None:
    async with house(tmp_path) as there:
        target = await meeting(there)
        if action in (Action.UNMUTE, Action.UNDEAFEN):
            flag, value = FLAGS[action]
            set_flag(there, 3, flag, not value)
            await there.until(lambda: getattr(there.person(target), flag) is not value)
        ben = next(who for who in there.seat.people(ROOM) if there.index(who) == 2)
        there.sim.faults.ignore_commands = True
        first = asyncio.create_task(there.do_to(Action.DEAFEN, ben))
        await there.sim.until(lambda: there.sent)
        second = await there.waits_in_line(there.do_to(action, target))
        there.leaves(target)
        if followed:
            there.enters("Newcomer")
        await first
        assert codes(await second) == NOT_FOUND
        assert [frame["index"] for _, frame in there.sent] == [2]


async def test_who_is_known_by_the_list_alone_cannot_be_aimed_at_and_is_not_said_to_have_left(tmp_path: Path) -> None:
    """After its socket was lost, xuc does not tell an account again who sits where."""
    async with house(tmp_path, accounts=("ada",)) as there:
        me = await there.joins("ada", organizer=True)
        target = await there.joins("Target")
        there.sim.faults.repeat_join_after_reconnect = False
        there.sim.drop_link("ada")
        await there.until(lambda: there.person(target).role is None)
        await there.sim.until(lambda: there.reads("ada", "getCurrentCallsPhoneEvents") == 2)
        there.sim.talks(ROOM, there.index(me))
        await there.until(lambda: there.person(me).talking)
        for action in (Action.MUTE, Action.KICK):
            assert codes(await there.do_to(action, target)) == [CommandErrorCode.CONFLICT]
        assert there.sent == []
        there.sim.talks(ROOM, there.index(target))
        await there.until(lambda: there.person(target).talking)
        assert (await there.do_to(Action.MUTE, target)).outcome is CommandOutcome.CONFIRMED


async def test_a_mute_all_reaches_those_whose_slot_is_known_and_says_that_it_left_others_out(tmp_path: Path) -> None:
    async with house(tmp_path, accounts=("ada",)) as there:
        me = await there.joins("ada", organizer=True)
        known, unknown = await there.joins("Known"), await there.joins("Unknown")
        there.sim.faults.repeat_join_after_reconnect = False
        there.sim.drop_link("ada")
        await there.until(lambda: there.person(known).role is None)
        await there.sim.until(lambda: there.reads("ada", "getCurrentCallsPhoneEvents") == 2)
        for who in (me, known):
            there.sim.talks(ROOM, there.index(who))
        await there.until(lambda: there.person(me).talking and there.person(known).talking)
        result = await there.do(AskEverybody(Action.MUTE_ALL, ROOM), "cem")
        assert codes(result) == [CommandErrorCode.CONFLICT]
        await there.until(lambda: there.person(known).muted and there.person(me).muted)
        assert not there.person(unknown).muted
