"""Every command as the frame that crossed the wire, whose socket it came out of, and what it came to."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.live.asks import AskEverybody, AskMe
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.capability import Sparing
from gateway.model.commands import Action, BulkCommand, Invite, ParticipantCommand, RoomCommand, StartConference
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.events import CommandFailed, ParticipantLeft
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.adapters.xivo.xivo_gateway import ROOM, House, codes, eventually, house

CONFIRMED, ACCEPTED, REJECTED = CommandOutcome.CONFIRMED, CommandOutcome.ACCEPTED, CommandOutcome.REJECTED
Code = CommandErrorCode
ON_ONE = [
    (Action.MUTE, "conferenceMute", "muted", True),
    (Action.UNMUTE, "conferenceUnmute", "muted", False),
    (Action.DEAFEN, "conferenceDeafen", "deafened", True),
    (Action.UNDEAFEN, "conferenceUndeafen", "deafened", False),
]


def web(command: str, **fields: object) -> dict[str, Any]:
    return {"claz": "web", "command": command, **fields}


async def meeting(there: House) -> tuple[ParticipantId, ParticipantId]:
    """Ada is the organizer in slot 1, a guest sits in slot 2."""
    return await there.joins("ada", organizer=True), await there.joins("Guest")


def error_frame(code: str) -> str:
    return json.dumps({"msgType": "ConferenceCommandError", "ctiMessage": {"error": code}})


# ---- on one participant ----


@pytest.mark.parametrize(("action", "command", "flag", "value"), ON_ONE)
async def test_a_flag_is_set_by_slot(tmp_path: Path, action: Action, command: str, flag: str, value: bool) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        hand = there.sim.set_muted if flag == "muted" else there.sim.set_deafened
        hand(ROOM, 2, not value)
        await there.until(lambda: getattr(there.person(guest), flag) is not value)
        result = await there.do_to(action, guest)
        assert result.outcome is CONFIRMED
        assert getattr(there.person(guest), flag) is value
        assert there.sent == [("ada", web(command, numConf=ROOM, index=2))]


async def test_a_kick_is_by_slot(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        assert (await there.do_to(Action.KICK, guest)).outcome is CONFIRMED
        assert there.sent == [("ada", web("conferenceKick", numConf=ROOM, index=2))]
        assert [one.login for one in there.sim.people(ROOM)] == ["ada"]


@pytest.mark.parametrize("action", [Action.MUTE, Action.UNMUTE, Action.DEAFEN, Action.UNDEAFEN])
async def test_what_is_so_already_is_not_asked_for_again(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        there.sim.set_muted(ROOM, 2, action is Action.MUTE)
        there.sim.set_deafened(ROOM, 2, action is Action.DEAFEN)
        await there.until(there.seat.is_true)
        assert (await there.do_to(action, guest)).outcome is CONFIRMED
        assert there.sent == []


async def test_what_is_so_by_a_lost_event_only_is_asked_for(tmp_path: Path) -> None:
    """The list says that somebody is not muted; the event that would have said so was lost."""
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        there.sim.set_muted(ROOM, 2, True)
        await there.until(there.seat.is_true)
        there.sim.faults.lose_updates = True
        there.sim.set_muted(ROOM, 2, False)
        await eventually(lambda: there.seat.link.adapter._rooms.is_disputed(ROOM, guest))
        there.sim.faults.lose_updates = False
        assert there.person(guest).muted
        await there.do_to(Action.MUTE, guest)
        assert there.sent == [("ada", web("conferenceMute", numConf=ROOM, index=2))]
        await there.until(there.seat.is_true)


async def test_another_phone_of_mine_is_not_the_one_my_account_acts_on(tmp_path: Path) -> None:
    """One phone of theirs was lost without a word, and they came again with another."""
    lost = {"index": 7, "callerIdName": "Ada", "callerIdNum": "1099", "username": "ada", "since": 60, "isMe": False}
    told = {"eventType": "Join", "conferenceNumber": ROOM, "role": "User", "isMuted": False, **lost}
    async with house(tmp_path) as there:
        await there.joins("ben", organizer=True)
        await there.joins("ada")
        there.sim.send_raw(json.dumps({"msgType": "ConferenceParticipantEvent", "ctiMessage": told}), login="ben")
        await there.until(lambda: any(each.number == "1099" for each in there.seat.people(ROOM).values()))
        [other] = [who for who, each in there.seat.people(ROOM).items() if each.number == "1099"]
        assert there.person(other).user_id == "ada"
        assert codes(await there.do_to(Action.KICK, other, "ada")) == [Code.PARTICIPANT_NOT_FOUND]
        assert there.sent == [("ben", web("conferenceKick", numConf=ROOM, index=7))]


async def test_who_is_muted_can_be_deafened_and_stays_muted(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        for action in (Action.MUTE, Action.DEAFEN, Action.UNMUTE):
            assert (await there.do_to(action, guest)).outcome is CONFIRMED
        assert (there.person(guest).muted, there.person(guest).deafened) == (False, True)


# ---- on the viewer ----


@pytest.mark.parametrize("organizer", [True, False])
async def test_i_mute_and_unmute_myself_by_my_own_account(tmp_path: Path, organizer: bool) -> None:
    async with house(tmp_path) as there:
        await there.joins("ben", organizer=True)
        me = await there.joins("ada", organizer=organizer)
        for action, muted in ((Action.MUTE_ME, True), (Action.UNMUTE_ME, False)):
            assert (await there.do(AskMe(action, ROOM))).outcome is CONFIRMED
            assert there.person(me).muted is muted
        assert there.sent == [
            ("ada", web("conferenceMuteMe", numConf=ROOM)),
            ("ada", web("conferenceUnmuteMe", numConf=ROOM)),
        ]


async def test_i_am_muted_already_and_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", muted=True)
        assert (await there.do(AskMe(Action.MUTE_ME, ROOM))).outcome is CONFIRMED
        assert there.sent == []


async def test_who_has_no_account_here_is_muted_by_an_organizer(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        cem = await there.joins("cem")
        assert (await there.do(AskMe(Action.MUTE_ME, ROOM), "cem")).outcome is CONFIRMED
        assert there.sent == [("ada", web("conferenceMute", numConf=ROOM, index=there.index(cem)))]


@pytest.mark.parametrize("organizer", [True, False])
async def test_removing_oneself_is_hanging_up_ones_own_call(tmp_path: Path, organizer: bool) -> None:
    async with house(tmp_path) as there:
        me, guest = await there.joins("ada", organizer=organizer), await there.joins("Guest")
        [own] = [one for one in there.sim.people(ROOM) if one.login == "ada"]
        assert (await there.do_to(Action.KICK, me)).outcome is CONFIRMED
        assert there.sent == [("ada", web("hangup", uniqueId=own.unique_id))]
        await there.until(lambda: set(there.seat.people(ROOM)) == {guest})


async def test_a_hang_up_that_waited_while_the_viewer_left_ends_no_other_call(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        me, guest = await meeting(there)
        there.sim.faults.ignore_commands = True
        first = asyncio.create_task(there.do_to(Action.MUTE, guest))
        await there.sim.until(lambda: there.sent)
        second = await there.waits_in_line(there.do_to(Action.KICK, me))
        there.leaves(me)
        await asyncio.gather(first, second)
        assert [frame["command"] for _, frame in there.sent] == ["conferenceMute"]


async def test_muting_oneself_does_not_reach_the_next_visit(tmp_path: Path) -> None:
    """The command waits in the lane, and meanwhile the viewer hangs up and calls again."""
    async with house(tmp_path) as there:
        me, guest = await meeting(there)
        there.sim.faults.ignore_commands = True
        first = asyncio.create_task(there.do_to(Action.MUTE, guest))
        await there.sim.until(lambda: there.sent)
        second = await there.waits_in_line(there.do(AskMe(Action.MUTE_ME, ROOM)))
        there.leaves(me)
        there.enters("ada", organizer=True)
        await first
        assert codes(await second) == [Code.PARTICIPANT_NOT_FOUND]
        assert [frame["command"] for _, frame in there.sent] == ["conferenceMute"]


# ---- on everybody ----


async def full_house(there: House) -> list[ParticipantId]:
    return [
        await there.joins("ada", organizer=True),
        await there.joins("ben", organizer=True),
        await there.joins("Guest"),
        await there.joins("cem"),
    ]


async def test_mute_all_by_the_viewers_own_account_is_xivos_own(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        me, *others = await full_house(there)
        result = await there.do(AskEverybody(Action.MUTE_ALL, ROOM))
        assert result.outcome is CONFIRMED
        assert {each.participant.id for each in result.results} == set(others)
        assert there.sent == [("ada", web("conferenceMuteAll", numConf=ROOM))]
        assert [who for who, each in there.seat.people(ROOM).items() if not each.muted] == [me]


@pytest.mark.parametrize("identity", ["cem", "ben"])
async def test_mute_all_by_another_account_spares_the_viewer_and_nobody_else(tmp_path: Path, identity: str) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        await there.joins("Guest")
        viewer = await there.joins(identity)
        await there.joins("Other")
        result = await there.do(AskEverybody(Action.MUTE_ALL, ROOM), identity)
        assert result.outcome is CONFIRMED
        assert [who for who, each in there.seat.people(ROOM).items() if not each.muted] == [viewer]
        assert there.sent == [("ada", web("conferenceMute", numConf=ROOM, index=index)) for index in (1, 2, 4)]


async def test_somebody_who_leaves_during_a_mute_all_stops_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        goes, stays = await there.joins("Goes"), await there.joins("Stays")
        viewer = await there.joins("cem")
        there.sim.faults.effect_delay_s = 0.1
        muting = asyncio.create_task(there.do(AskEverybody(Action.MUTE_ALL, ROOM), "cem"))
        await there.sim.until(lambda: there.sent)
        there.leaves(goes)
        await muting
        await there.until(lambda: there.person(stays).muted)
        assert not there.person(viewer).muted
        assert [frame["index"] for _, frame in there.sent] == [1, 3]


async def test_unmute_all_reaches_everybody_the_viewer_too(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        people = await full_house(there)
        for who in people:
            there.sim.set_muted(ROOM, there.index(who), True)
        await there.until(there.seat.is_true)
        result = await there.do(AskEverybody(Action.UNMUTE_ALL, ROOM), "cem")
        assert result.outcome is CONFIRMED
        assert there.sent == [("ada", web("conferenceUnmuteAll", numConf=ROOM))]
        assert not any(each.muted for each in there.seat.people(ROOM).values())


async def test_mute_all_but_moderators_is_one_by_one(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await full_house(there)
        result = await there.do(AskEverybody(Action.MUTE_ALL, ROOM, frozenset({Sparing.MODERATORS})))
        assert result.outcome is CONFIRMED
        assert sorted(frame["index"] for _, frame in there.sent) == [3, 4]
        assert {frame["command"] for _, frame in there.sent} == {"conferenceMute"}


async def test_kick_all_leaves_the_organizers(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        ada, ben, *_ = await full_house(there)
        assert (await there.do(AskEverybody(Action.KICK_ALL, ROOM))).outcome is CONFIRMED
        assert set(there.seat.people(ROOM)) == {ada, ben}


async def test_what_xivo_does_one_by_one_is_never_taken_for_unmute_all(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        with pytest.raises(CommandRefused) as caught:
            await there.adapter.execute(BulkCommand(Action.DEAFEN_ALL, ROOM), there.room, "ada")
        assert [error.code for error in caught.value.errors] == [Code.NOT_SUPPORTED]
        assert there.sent == []


# ---- the room ----


async def test_closing_hangs_up_everybody(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        people = await full_house(there)
        assert (await there.do(RoomCommand(Action.CLOSE, ROOM))).outcome is CONFIRMED
        assert there.sent == [("ada", web("conferenceClose", numConf=ROOM))]
        assert there.room.state is RoomState.IDLE
        left = [event for event in there.seat.events(ROOM) if isinstance(event, ParticipantLeft)]
        assert {event.participant.id: event.reason for event in left} == dict.fromkeys(people, LeaveReason.ROOM_CLOSED)


@pytest.mark.parametrize(
    ("invite", "fields"),
    [
        (Invite(ROOM, "0612345678"), {"role": "User", "earlyJoin": False}),
        (
            Invite(ROOM, " 0612345678 ", ParticipantRole.MODERATOR, early_join=True),
            {"role": "Organizer", "earlyJoin": True},
        ),
        (
            Invite(ROOM, "0612345678", display_name="Front desk"),
            {"role": "User", "earlyJoin": False, "callerId": "Front desk"},
        ),
    ],
)
async def test_an_invitation_in_xivos_words(tmp_path: Path, invite: Invite, fields: dict[str, object]) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        result = await there.do(invite)
        assert result.outcome is CONFIRMED
        assert result.participant is not None
        assert there.person(result.participant.id).number == "0612345678"
        assert there.person(result.participant.id).role is invite.role
        assert there.sent == [("ada", web("conferenceInvite", numConf=ROOM, exten="0612345678", **fields))]


async def test_a_guest_who_answers_late_is_confirmed_when_they_come(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        there.sim.faults.invite_answers = 0.5  # later than errors are waited for
        assert (await there.do(Invite(ROOM, "0612345678"))).outcome is CONFIRMED


async def test_while_a_phone_rings_other_commands_are_done(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        there.sim.faults.invite_answers = "busy"
        inviting = asyncio.create_task(there.do(Invite(ROOM, "0612345678")))
        await there.sim.until(lambda: there.sent)
        assert (await there.do_to(Action.MUTE, guest)).outcome is CONFIRMED
        result = await inviting
        assert (result.outcome, result.participant) == (ACCEPTED, None)


async def test_somebody_with_the_number_who_is_there_already_is_not_the_guest(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        await there.joins("Same", number="0612345678")
        there.sim.faults.invite_answers = "busy"
        assert (await there.do(Invite(ROOM, "0612345678"))).outcome is ACCEPTED


async def test_an_invitation_of_nobody_is_not_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        result = await there.do(Invite(ROOM, "  "))
        assert [(error.code, error.field) for error in result.errors] == [(Code.INVALID_INPUT, ("destination",))]
        assert there.sent == []


# ---- the viewer's phone ----


async def test_the_phone_that_joins_its_calls_is_the_viewers_own(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        for room in (ROOM, "4001"):
            there.sim.someone_joins(room, login="ben")
        assert (await there.do(StartConference(), "ben")).outcome is ACCEPTED
        assert there.sent == [("ben", web("conference"))]


@pytest.mark.parametrize(
    ("identity", "code"), [(None, Code.NOT_SUPPORTED), ("cem", Code.NOT_SUPPORTED), ("ada", Code.BACKEND_REFUSED)]
)
async def test_nobody_elses_phone_does_it(tmp_path: Path, identity: str | None, code: Code) -> None:
    """Cem's account is not configured; Ada's phone has no two calls, which xuc answers with its generic error."""
    async with house(tmp_path) as there:
        assert codes(await there.do(StartConference(), identity)) == [code]
        assert [login for login, _ in there.sent] == (["ada"] if identity == "ada" else [])


async def test_a_phone_whose_account_is_away_cannot_be_asked_now(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.logged_on = "error"
        there.sim.drop_link("ada")
        await there.sim.until(lambda: there.adapter.troubles)
        result = await there.do(StartConference())
        assert codes(result) == [Code.BACKEND_UNAVAILABLE]
        assert result.errors[0].retry_after_ms


# ---- what xuc refuses ----


async def outdated(there: House, identity: str = "ada") -> ParticipantId:
    """A meeting that the gateway knows only as it was: nothing reaches its accounts any more."""
    _, guest = await meeting(there)
    for login in ("ada", "gateway"):
        there.sim.hold(login)
    return guest


async def refused_by_xivo(there: House, result: asyncio.Task[CommandResult]) -> list[Code]:
    """Let the frames through once the command has arrived, and give what it came to."""
    await there.sim.until(lambda: there.sent)
    for login in ("ada", "gateway"):
        there.sim.release(login)
    outcome = await result
    assert outcome.outcome is REJECTED
    return codes(outcome)


async def test_not_organizer(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        guest = await outdated(there)
        there.sim.set_organizer(ROOM, 1, False)
        doing = asyncio.create_task(there.do_to(Action.DEAFEN, guest))
        assert await refused_by_xivo(there, doing) == [Code.NOT_ORGANIZER]


async def test_not_a_member(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await outdated(there)
        there.sim.someone_leaves(ROOM, 1)
        doing = asyncio.create_task(there.do(AskMe(Action.MUTE_ME, ROOM)))
        assert await refused_by_xivo(there, doing) == [Code.NOT_A_MEMBER]


async def test_cannot_kick_an_organizer(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        guest = await outdated(there)
        there.sim.set_organizer(ROOM, 2, True)
        doing = asyncio.create_task(there.do_to(Action.KICK, guest))
        assert await refused_by_xivo(there, doing) == [Code.CANNOT_KICK_ORGANIZER]


async def test_participant_not_found(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        guest = await outdated(there)
        there.sim.someone_leaves(ROOM, 2)
        doing = asyncio.create_task(there.do_to(Action.MUTE, guest))
        assert await refused_by_xivo(there, doing) == [Code.PARTICIPANT_NOT_FOUND]


async def test_a_known_organizer_is_not_even_tried_to_be_kicked(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        ben = await there.joins("ben", organizer=True)
        assert codes(await there.do_to(Action.KICK, ben)) == [Code.CANNOT_KICK_ORGANIZER]
        assert there.sent == []


@pytest.mark.parametrize("raw", ["RoomIsOnFire", ""])
async def test_a_code_that_nobody_has_documented_is_a_refusal_all_the_same(tmp_path: Path, raw: str) -> None:
    async with house(tmp_path) as there:
        await meeting(there)
        there.sim.faults.ignore_commands = True
        doing = asyncio.create_task(there.do(RoomCommand(Action.CLOSE, ROOM)))
        await there.sim.until(lambda: there.sent)
        there.sim.send_raw(error_frame(raw), "ada")
        result = await doing
        assert codes(result) == [Code.BACKEND_REFUSED]
        assert raw in result.errors[0].message


async def test_an_error_after_the_answer_is_told_to_those_who_watch_the_room(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        _, guest = await meeting(there)
        there.sim.faults.ignore_commands = True
        assert (await there.do_to(Action.MUTE, guest)).outcome is ACCEPTED
        there.sim.send_raw(error_frame("NotOrganizer"), "ada")
        await there.until(lambda: any(isinstance(event, CommandFailed) for event in there.seat.events(ROOM)))


async def test_of_two_viewers_commands_on_one_session_the_right_one_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        chief, guest = await there.joins("Chief"), await there.joins("Guest")
        for login in ("ada", "gateway"):
            there.sim.hold(login)
        there.sim.set_organizer(ROOM, there.index(chief), True)
        kicking = asyncio.create_task(there.do_to(Action.KICK, chief, "ada"))
        muting = asyncio.create_task(there.do_to(Action.MUTE, guest, "cem"))
        await there.sim.until(lambda: there.sent)
        assert len(there.sent) == 1, "one at a time"
        for login in ("ada", "gateway"):
            there.sim.release(login)
        assert codes(await kicking) == [Code.CANNOT_KICK_ORGANIZER]
        assert (await muting).outcome is CONFIRMED
        assert set(there.seat.people(ROOM)) >= {chief, guest}


@pytest.mark.parametrize("seed", range(4))
async def test_many_commands_at_once_each_get_their_own_answer(tmp_path: Path, seed: int) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        guests = [await there.joins(f"Guest {nth}") for nth in range(6)]
        for login in ("ada", "gateway"):
            there.sim.hold(login)
        chiefs = {who for nth, who in enumerate(guests) if nth % 3 == seed % 3}
        for who in chiefs:
            there.sim.set_organizer(ROOM, there.index(who), True)
        doing = {
            who: asyncio.create_task(there.do_to(Action.KICK if nth % 2 else Action.DEAFEN, who))
            for nth, who in enumerate(guests)
        }
        await there.sim.until(lambda: there.sent)
        for login in ("ada", "gateway"):
            there.sim.release(login)
        for nth, (who, task) in enumerate(doing.items()):
            result = await task
            if nth % 2 and who in chiefs:
                assert codes(result) == [Code.CANNOT_KICK_ORGANIZER]
            else:
                assert result.outcome is CONFIRMED


@pytest.mark.parametrize("closing", [True, False])
async def test_an_error_to_what_came_about_by_itself_is_not_blamed_on_the_next_command(
    tmp_path: Path, closing: bool
) -> None:
    """Who is to be kicked hangs up first: xuc finds nobody to kick when the next command is under way already."""
    async with house(tmp_path) as there:
        ada, guest = await meeting(there)
        other = await there.joins("Other")
        there.sim.faults.effect_delay_s = 0.15
        wish = RoomCommand(Action.CLOSE, ROOM) if closing else ParticipantCommand(Action.KICK, ROOM, guest)
        first = asyncio.create_task(there.do(wish))
        await there.sim.until(lambda: there.sent)
        if closing:
            there.leaves(ada)
            there.sim.someone_joins("4001", login="ada", organizer=True)
            await there.until(lambda: there.seat.people(RoomId("4001")))
            second = asyncio.create_task(there.do(AskMe(Action.MUTE_ME, RoomId("4001"))))
        else:
            there.leaves(guest)
            second = asyncio.create_task(there.do_to(Action.MUTE, other))
        await there.sim.until(lambda: len(there.sent) == 2)
        assert (await second).outcome is CONFIRMED
        assert (await first).outcome is (ACCEPTED if closing else CONFIRMED)


async def test_an_organizer_who_leaves_before_their_kick_acts_has_kicked_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        ada, guest = await meeting(there)
        there.sim.faults.effect_delay_s = 0.1
        kicking = asyncio.create_task(there.do_to(Action.KICK, guest))
        await there.sim.until(lambda: there.sent)
        there.leaves(ada)
        assert codes(await kicking) == [Code.NOT_A_MEMBER]
        assert set(there.seat.people(ROOM)) == {guest}


async def test_an_organizer_who_leaves_before_their_mute_is_answered_says_nothing_of_the_other(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        ada, guest = await meeting(there)
        there.sim.faults.ignore_commands = True
        muting = asyncio.create_task(there.do_to(Action.MUTE, guest))
        await there.sim.until(lambda: there.sent)
        there.leaves(ada)
        assert (await muting).outcome is ACCEPTED
