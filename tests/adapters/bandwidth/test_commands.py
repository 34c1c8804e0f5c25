"""Every command as the call of Catapult that crossed the wire, and what it came to."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.bandwidth.simulator import CallState
from gateway.live.asks import AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.commands import Action, Invite
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import RoomId
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.adapters.bandwidth.bandwidth_gateway import ANN, BEN, CEM, House, codes, gateway_at, house, simulated

CONFIRMED, ACCEPTED, REJECTED = CommandOutcome.CONFIRMED, CommandOutcome.ACCEPTED, CommandOutcome.REJECTED
UNKNOWN = CommandOutcome.UNKNOWN
Code = CommandErrorCode
DAN = "+12025550104"


def inside(there: House, conference: str) -> set[str]:
    """Who is in a conference really."""
    return {each.member_id for each in there.sim.conference(conference).active}


def commands_below(there: House, path: str) -> list[dict[str, object]]:
    """The bodies of all commands to one place."""
    return [body for each, body in there.sent if each == path]


async def inviting(
    there: House, conference: str, number: str = BEN, *, patience_s: float = 10.0
) -> tuple[asyncio.Task[CommandResult], str]:
    """Begin to invite a number that does not answer at once; the call is what rings."""
    there.answer_within(patience_s)
    there.sim.phones.by_number[number] = "by hand"
    calls = len(there.sim.calls)
    task = asyncio.create_task(there.invite(conference, number))
    await there.sim.until(lambda: len(there.sim.calls) > calls)
    return task, there.sim.calls[-1].call_id


# ---- a room is made, changed and read ----


async def test_a_conference_is_made_with_our_number_and_a_callback_that_has_our_secret(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made("Board")
        [(path, body)] = there.sent
        told_at = there.told_at(conference)
        assert (path, body) == ("conferences", {"from": there.sim.number, "callbackUrl": str(told_at)})
        assert str(told_at.with_user(None)) == there.hook
        assert len(told_at.password or "") >= 32
        room = there.room(conference)
        assert (room.name, room.state, room.permanent) == ("Board", RoomState.IDLE, True)
        assert (room.numbers, dict(room.participants)) == ((there.sim.number,), {})
        assert room.settings is not None
        assert room.settings.max_participants == 20


async def test_number_profile_tag_and_callback_settings_are_the_makers_choice(tmp_path: Path) -> None:
    wanted = {
        "from": "+12025550177",
        "profile": "passthru_digits",
        "tag": "standup",
        "callbackTimeout": 2000,
        "callbackHttpMethod": "GET",
        "fallbackUrl": "https://other.example/",
    }
    async with house(tmp_path) as there:
        conference = await there.made(None, {"native": wanted})
        native = there.native(conference)
        assert {key: native.get(key) for key in wanted} == wanted
        assert native["callbackUrl"] == there.hook
        assert there.room(conference).numbers == ("+12025550177",)
        member = there.sim.join(conference)
        await there.until_shown(conference, member)  # told by GET


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"native": {"callbackUrl": "https://elsewhere.example/"}}, "callbackUrl"),
        ({"native": {"profile": "loud"}}, "profile"),
        ({"native": {"callbackTimeout": 10_001}}, "callbackTimeout"),
        ({"native": {"name": "Board"}}, "name"),
        ({"max_participants": 30}, "maxParticipants"),
    ],
)
async def test_what_bandwidth_does_not_have_is_refused_by_name_and_nothing_is_sent(
    tmp_path: Path, settings: dict[str, object], field: str
) -> None:
    async with house(tmp_path) as there:
        result = await there.create("Board", settings)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.INVALID_INPUT])
        assert (result.errors[0].field or ())[-1] == field
        assert there.sent == []


async def test_a_number_of_somebody_else_is_refused_as_bandwidth_does(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.no_numbers = True
        assert codes(await there.create()) == [Code.FORBIDDEN]
        there.sim.faults.no_numbers = False
        conference, _ = await there.meeting(ANN)
        there.sim.faults.no_numbers = True
        assert codes(await there.invite(conference, BEN)) == [Code.FORBIDDEN]
        assert there.seat.link.status is BackendStatus.LIVE


async def test_settings_and_name_are_changed_and_what_is_settled_is_not(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        there.sim.commands.clear()
        assert (
            await there.update(conference, {"tag": "hiring", "callbackTimeout": 3000}, "Hiring")
        ).outcome is CONFIRMED
        assert there.sent == [(f"conferences/{conference}", {"tag": "hiring", "callbackTimeout": 3000})]
        assert (there.room(conference).name, there.native(conference)["tag"]) == ("Hiring", "hiring")
        assert (await there.update(conference, name="Sales")).outcome is CONFIRMED
        assert len(there.sent) == 1
        for settled in ("from", "profile"):
            assert codes(await there.update(conference, {settled: "+12025550177"})) == [Code.INVALID_INPUT]


async def test_a_conference_that_was_made_and_named_by_no_answer_is_not_known_to_be(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.no_location = True
        assert (await there.create()).outcome is UNKNOWN
        there.sim.faults.no_location = False
        assert there.shown() == set()


# ---- on one participant ----


@pytest.mark.parametrize(
    ("action", "undo", "flag"), [(Action.MUTE, Action.UNMUTE, "mute"), (Action.HOLD, Action.UNHOLD, "hold")]
)
async def test_somebody_is_muted_or_held_and_freed(tmp_path: Path, action: Action, undo: Action, flag: str) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.commands.clear()
        for each, value in ((action, True), (undo, False)):
            assert (await there.do_to(each, conference, ben)).outcome is CONFIRMED
            assert there.sent[-1] == (f"conferences/{conference}/members/{ben}", {flag: value})
            shown = there.people(conference)
            assert (shown[ben].muted, shown[ben].on_hold) == (value and flag == "mute", value and flag == "hold")
            assert (shown[ann].muted, shown[ann].on_hold) == (False, False)
        assert len(there.sent) == 2


async def test_a_viewer_with_a_number_mutes_themselves(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann, _) = await there.meeting(ANN, BEN)
        await there.until_numbered(conference, ANN, BEN)
        for action, muted in ((Action.MUTE_ME, [ann]), (Action.UNMUTE_ME, [])):
            assert (await there.do(AskMe(action, RoomId(conference)))).outcome is CONFIRMED
            await there.until_muted(conference, *muted)
        assert codes(await there.do(AskMe(Action.MUTE_ME, RoomId(conference)), DAN)) == [Code.NOT_A_MEMBER]


async def test_a_kick_takes_somebody_out_and_ends_their_call(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        call = there.sim.conference(conference).members[ben].call
        there.sim.commands.clear()
        assert (await there.do_to(Action.KICK, conference, ben)).outcome is CONFIRMED
        over = {"state": "completed"}
        assert there.sent == [(f"conferences/{conference}/members/{ben}", over), (f"calls/{call.call_id}", over)]
        assert call.state is CallState.COMPLETED
        assert there.left(conference) == [(ben, LeaveReason.KICKED)]
        await there.until_shown(conference, ann)


async def test_a_kick_of_the_last_one_ends_the_room(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        call = there.sim.conference(conference).members[ann].call
        assert (await there.do_to(Action.KICK, conference, ann)).outcome is CONFIRMED
        await there.until(lambda: there.is_over(conference))
        assert there.left(conference) == [(ann, LeaveReason.KICKED)]
        assert call.state is CallState.COMPLETED
        assert await there.kept() == set()


async def test_a_kick_counts_although_the_call_has_ended_by_itself_meanwhile(tmp_path: Path) -> None:
    """Between our two requests: the second one, which ends the call, is refused."""
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(ANN, BEN)
        call = there.sim.conference(conference).members[ben].call
        kicking = asyncio.create_task(there.do_to(Action.KICK, conference, ben))
        await there.sim.until(lambda: ben not in inside(there, conference))
        if call.state is CallState.ACTIVE:
            there.sim.hang_up(call.call_id)
        assert (await kicking).outcome is CONFIRMED
        assert there.left(conference) == [(ben, LeaveReason.KICKED)]


@pytest.mark.parametrize("action", [Action.KICK, Action.MUTE, Action.HOLD])
async def test_who_has_gone_unnoticed_is_found_out_by_the_refusal(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.faults.lose_callbacks = True
        there.sim.member_leaves(conference, ben)
        result = await there.do_to(action, conference, ben)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.CONFLICT])
        await there.until_shown(conference, ann)
        assert codes(await there.do_to(action, conference, ben)) == [Code.PARTICIPANT_NOT_FOUND]


async def test_whom_bandwidth_does_not_know_is_not_found(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(ANN, BEN)
        there.sim.faults.fail_next(404, "conference-member-not-found")
        assert codes(await there.do_to(Action.MUTE, conference, ben)) == [Code.PARTICIPANT_NOT_FOUND]
        assert codes(await there.do_to(Action.MUTE, conference, "member-other")) == [Code.PARTICIPANT_NOT_FOUND]


# ---- on the whole conference ----


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("flags", ["effective", "own"])
async def test_the_whole_conference_is_muted_with_those_who_come_later(tmp_path: Path, flags: str, quiet: bool) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.quiet_conferences = quiet
        there.sim.faults.member_flags = flags  # type: ignore[assignment]  # one of the two
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.commands.clear()
        assert (await there.do_to_all(Action.MUTE_ALL, conference)).outcome is CONFIRMED
        assert there.sent == [(f"conferences/{conference}", {"mute": True})]
        await there.until_muted(conference, ann, ben)
        await there.until(lambda: there.native(conference)["mute"])
        cem = there.sim.join(conference, CEM)
        await there.until_muted(conference, ann, ben, cem)
        result = await there.do_to(Action.UNMUTE, conference, ben)
        assert codes(result) == [Code.CONFLICT]
        assert "unmute everybody" in result.errors[0].message
        assert len(there.sent) == 1
        assert (await there.do_to_all(Action.UNMUTE_ALL, conference)).outcome is CONFIRMED
        await there.until_muted(conference)
        assert inside(there, conference) == {ann, ben, cem}


@pytest.mark.parametrize("flags", ["effective", "own"])
async def test_unmuting_everybody_frees_those_too_who_were_muted_by_themselves(tmp_path: Path, flags: str) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.member_flags = flags  # type: ignore[assignment]  # one of the two
        conference, (ann, ben, _) = await there.meeting(ANN, BEN, CEM)
        await there.do_to(Action.MUTE, conference, ben)
        await there.do_to_all(Action.MUTE_ALL, conference)
        assert (await there.do_to_all(Action.UNMUTE_ALL, conference)).outcome is CONFIRMED
        assert not any(each["muted"] for each in there.sim.truth()[conference]["participants"].values())
        await there.until_muted(conference)
        assert commands_below(there, f"conferences/{conference}/members/{ann}") in ([], [{"mute": False}])


async def test_one_who_leaves_meanwhile_does_not_keep_the_others_muted(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben, cem) = await there.meeting(ANN, BEN, CEM)
        for who in (ann, ben, cem):
            await there.do_to(Action.MUTE, conference, who)
        there.sim.faults.lose_callbacks = True
        there.sim.member_leaves(conference, ann)
        there.answer_within(0.5)
        result = await there.do_to_all(Action.UNMUTE_ALL, conference)
        assert result.outcome in (CONFIRMED, ACCEPTED)
        await there.until_shown(conference, ben, cem)
        await there.until_muted(conference)
        assert not any(each["muted"] for each in there.sim.truth()[conference]["participants"].values())


@pytest.mark.parametrize("quiet", [False, True])
async def test_the_room_is_held_and_let_go_and_one_alone_is_not(tmp_path: Path, quiet: bool) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.quiet_conferences = quiet
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.commands.clear()
        assert (await there.do_in(Action.HOLD_ROOM, conference)).outcome is CONFIRMED
        assert there.sent == [(f"conferences/{conference}", {"hold": True})]
        assert there.room(conference).on_hold
        await there.until(lambda: all(each.on_hold for each in there.people(conference).values()))
        assert codes(await there.do_to(Action.UNHOLD, conference, ann)) == [Code.CONFLICT]
        cem = there.sim.join(conference, CEM)
        await there.until(lambda: cem in there.people(conference))
        await there.until(lambda: all(each.on_hold for each in there.people(conference).values()))
        assert (await there.do_in(Action.UNHOLD_ROOM, conference)).outcome is CONFIRMED
        await there.until(lambda: not any(each.on_hold for each in there.people(conference).values()))
        assert set(there.people(conference)) == {ann, ben, cem}


async def test_an_empty_conference_can_be_held_before_anybody_comes(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        assert (await there.do_in(Action.HOLD_ROOM, conference)).outcome is CONFIRMED
        ann = there.sim.join(conference, ANN)
        await there.until_shown(conference, ann)
        await there.until(lambda: there.people(conference)[ann].on_hold)  # type: ignore[index]  # a NewType of str


async def test_everybody_is_kicked_one_by_one_and_the_room_is_over(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN, BEN, CEM)
        result = await there.do_to_all(Action.KICK_ALL, conference)
        assert result.outcome is CONFIRMED
        assert {each.outcome for each in result.results} == {CONFIRMED}
        assert {each.participant.id for each in result.results} == set(members)
        await there.until(lambda: there.is_over(conference))
        assert sorted(there.left(conference)) == sorted((who, LeaveReason.KICKED) for who in members)
        assert {each.state for each in there.sim.calls} == {CallState.COMPLETED}


async def test_kicking_everybody_says_whom_it_did_not_reach(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben, cem) = await there.meeting(ANN, BEN, CEM)
        there.sim.faults.fail_next(404, "conference-member-not-found")
        result = await there.do_to_all(Action.KICK_ALL, conference)
        outcomes = sorted(each.outcome for each in result.results)
        assert outcomes == sorted([CONFIRMED, CONFIRMED, REJECTED])
        assert {each.participant.id for each in result.results} == {ann, ben, cem}
        assert len(inside(there, conference)) == 1


@pytest.mark.parametrize("action", [Action.CLOSE, Action.DELETE_ROOM])
@pytest.mark.parametrize("people", [(), (ANN, BEN)])
async def test_to_close_is_to_complete_and_the_room_is_not_kept(
    tmp_path: Path, action: Action, people: tuple[str, ...]
) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(*people)
        there.sim.commands.clear()
        assert (await there.do_in(action, conference)).outcome is CONFIRMED
        assert there.sent == [(f"conferences/{conference}", {"state": "completed"})]
        await there.until(lambda: there.is_over(conference))
        assert {who for who, _ in there.left(conference)} == set(members)
        if action is Action.CLOSE:
            assert {reason for _, reason in there.left(conference)} <= {LeaveReason.ROOM_CLOSED}
        assert await there.kept() == set()


async def test_a_conference_that_is_over_already_counts_as_closed(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        there.sim.faults.lose_callbacks = True
        there.sim.complete(conference)
        result = await there.do_in(Action.CLOSE, conference)
        assert (result.outcome, result.errors) == (CONFIRMED, ())
        await there.until(lambda: there.is_over(conference))


async def test_a_close_that_is_taken_and_not_done_is_not_confirmed(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN)
        there.sim.faults.ignore_commands = True
        there.answer_within(0.3)
        assert (await there.do_in(Action.CLOSE, conference)).outcome is ACCEPTED
        await there.until_shown(conference, *members)


EACH: dict[str, Callable[[House, str, str], object]] = {
    "mute": lambda there, conference, who: there.do_to(Action.MUTE, conference, who),
    "hold": lambda there, conference, who: there.do_to(Action.HOLD, conference, who),
    "kick": lambda there, conference, who: there.do_to(Action.KICK, conference, who),
    "mute all": lambda there, conference, _: there.do_to_all(Action.MUTE_ALL, conference),
    "unmute all": lambda there, conference, _: there.do_to_all(Action.UNMUTE_ALL, conference),
    "hold room": lambda there, conference, _: there.do_in(Action.HOLD_ROOM, conference),
    "play": lambda there, conference, _: there.play(conference, "tts://Hello"),
    "play to one": lambda there, conference, who: there.play(conference, "tts://Hello", who),
    "invite": lambda there, conference, _: there.invite(conference, BEN),
    "update": lambda there, conference, _: there.update(conference, {"tag": "late"}),
}


@pytest.mark.parametrize("name", EACH)
async def test_a_completed_conference_is_said_to_be_over_and_found_so(tmp_path: Path, name: str) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        there.sim.faults.lose_callbacks = True
        there.sim.complete(conference)
        result = await EACH[name](there, conference, ann)  # type: ignore[misc]  # a coroutine each
        assert (result.outcome, codes(result) or codes(result.results[0])) == (REJECTED, [Code.ROOM_NOT_ACTIVE])
        await there.until(lambda: there.is_over(conference))
        assert all(call.state is CallState.COMPLETED for call in there.sim.calls)


@pytest.mark.parametrize("name", EACH)
async def test_a_conference_that_bandwidth_no_longer_knows_is_not_found(tmp_path: Path, name: str) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        del there.sim._conferences.by_id[conference]
        result = await EACH[name](there, conference, ann)  # type: ignore[misc]  # a coroutine each
        assert (result.outcome, codes(result) or codes(result.results[0])) == (REJECTED, [Code.ROOM_NOT_FOUND])
        await there.until(lambda: there.is_over(conference))
        assert codes(await there.do_in(Action.CLOSE, "conf-unknown")) == [Code.ROOM_NOT_FOUND]


# ---- sounds ----


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("https://media.example/welcome.mp3", {"fileUrl": "https://media.example/welcome.mp3"}),
        ("tts://Good morning, all", {"sentence": "Good morning, all"}),
        ("tts://" + "x" * 1000, {"sentence": "x" * 1000}),
    ],
)
async def test_a_file_or_a_sentence_is_played_to_all_or_to_one(
    tmp_path: Path, media: str, body: dict[str, str]
) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        there.sim.commands.clear()
        for who, path in ((None, "audio"), (ann, f"members/{ann}/audio")):
            assert (await there.play(conference, media, who)).outcome is ACCEPTED
            assert there.sent[-1] == (f"conferences/{conference}/{path}", body)
        await there.sim.until(lambda: there.sim.callbacks_answered)
        assert there.adapter.misunderstood == 0


@pytest.mark.parametrize("media", ["", "tts://", "tts://" + "x" * 1001, "welcome.wav", "say://Hello", "ftp://x/y.wav"])
async def test_what_is_no_sound_or_too_long_a_sentence_is_refused_before_it_is_sent(tmp_path: Path, media: str) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        there.sim.commands.clear()
        result = await there.play(conference, media)
        assert (codes(result), result.errors[0].field) == ([Code.INVALID_INPUT], ("media",))
        assert there.sent == []


# ---- somebody is called ----


async def test_somebody_is_called_and_added_once_they_have_answered(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        there.sim.commands.clear()
        ringing, call = await inviting(there, conference)
        there.sim.answer(call)
        result = await ringing
        assert (result.outcome, result.errors) == (CONFIRMED, ())
        assert result.participant is not None
        assert result.participant.number == BEN
        assert not there.asked("GET", f"calls/{call}")
        [(dialled, dialling), (added, adding)] = there.sent
        wanted = {"from": there.sim.number, "to": BEN, "conferenceId": conference, "callTimeout": 60, "tag": conference}
        assert (dialled, wanted.items() <= dialling.items()) == ("calls", True)
        assert dialling["callbackUrl"] == str(there.told_at(conference))
        assert (added, adding) == (f"conferences/{conference}/members", {"callId": call})
        await there.until_numbered(conference, BEN)
        assert there.joined(conference) == [result.participant.id]
        assert there.people(conference)[result.participant.id].leg_id == call


@pytest.mark.parametrize("auto_join", [False, True])
@pytest.mark.parametrize("url", [False, True])
async def test_an_answer_before_our_request_is_answered_is_not_missed(
    tmp_path: Path, auto_join: bool, url: bool
) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.auto_join = auto_join
        there.sim.faults.absolute_location = url
        there.sim.faults.call_conference = "url" if url else "id"
        conference = await there.made()
        assert (await there.invite(conference, BEN)).outcome is CONFIRMED  # it answers at once
        assert len(inside(there, conference)) == 1
        await there.until_numbered(conference, BEN)
        assert len(there.joined(conference)) == 1


@pytest.mark.parametrize(("phone", "cause"), [("busy", "USER_BUSY"), ("rejects", "CALL_REJECTED")])
async def test_who_does_not_want_to_come_is_told_with_the_cause(tmp_path: Path, phone: str, cause: str) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        there.sim.phones.answers = phone  # type: ignore[assignment]  # one of them
        result = await there.invite(conference, BEN)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.BACKEND_REFUSED])
        assert cause in result.errors[0].message
        assert there.people(conference) == {}
        assert there.room(conference).state is RoomState.IDLE


async def test_nobody_answers_and_whoever_watches_is_told_later(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        ringing, call = await inviting(there, conference, patience_s=0.1)
        result = await ringing
        assert (result.outcome, result.errors) == (ACCEPTED, ())  # it rings for longer than anybody waits
        there.sim.ring_out(call)
        await there.until(lambda: there.failed(conference))
        assert there.failed(conference) == [Code.BACKEND_REFUSED]
        assert len(inside(there, conference)) == 1


@pytest.mark.parametrize("end", ["answered", "over"])
async def test_a_callback_of_the_call_that_is_lost_is_made_up_by_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("adapters.bandwidth.commands._LOOK_AGAIN_S", 0.1)
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        there.sim.faults.lose_callbacks = True
        ringing, call = await inviting(there, conference, patience_s=4.0)
        if end == "answered":
            there.sim.answer(call)
            assert (await ringing).outcome is CONFIRMED
            assert set(there.people(conference)) == inside(there, conference) > {ann}
        else:
            there.sim.reject(call)
            assert codes(await ringing) == [Code.BACKEND_REFUSED]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_call_rings_on_while_bandwidth_cannot_say_how_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("adapters.bandwidth.commands._LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr("adapters.bandwidth.pace._PAUSE_S", 0.01)
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        await there.until_numbered(conference, ANN)
        there.sim.faults.fail_next(status, "rate-limit-reached", method="GET", times=4)
        ringing, call = await inviting(there, conference)
        await there.sim.until(lambda: not there.sim.faults.next_failures)
        there.sim.answer(call)
        assert (await ringing).outcome is CONFIRMED


async def test_who_hangs_up_just_before_being_added_was_not_reached(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        there.sim.faults.lose_callbacks = True
        there.sim.answer(call)
        there.sim.hang_up(call)
        told = b'{"eventType":"answer","callId":"%s"}' % call.encode()
        assert await there.call_hook(told, there.hook_secret) == 200
        result = await ringing
        assert (result.outcome, codes(result)) == (REJECTED, [Code.BACKEND_REFUSED])
        assert inside(there, conference) == {ann}


async def test_the_end_of_a_call_is_not_undone_by_its_answer_that_is_told_late(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.double_callbacks = there.sim.faults.shuffle_callbacks = True
        conference, (ann,) = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        there.sim.answer(call)
        there.sim.hang_up(call)
        assert codes(await ringing) == [Code.BACKEND_REFUSED]
        assert inside(there, conference) == {ann}


async def test_a_room_that_is_closed_while_somebody_is_rung_calls_them_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bandwidth.commands._LOOK_AGAIN_S", 0.1)
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        assert (await there.do_in(Action.CLOSE, conference)).outcome is CONFIRMED
        assert codes(await ringing) == [Code.ROOM_NOT_ACTIVE]
        await there.sim.until(lambda: there.sim.call(call).state is CallState.COMPLETED)


async def test_whoever_answers_into_a_room_that_is_over_is_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        there.sim.faults.lose_callbacks = True
        there.sim.complete(conference)
        there.sim.faults.lose_callbacks = False
        there.sim.answer(call)
        assert codes(await ringing) == [Code.ROOM_NOT_ACTIVE]
        await there.sim.until(lambda: there.sim.call(call).state is CallState.COMPLETED)


async def test_a_gateway_that_stops_while_somebody_is_rung_hangs_up(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            conference, _ = await there.meeting(ANN)
            ringing, call = await inviting(there, conference, patience_s=0.1)
            assert (await ringing).outcome is ACCEPTED
            assert there.sim.call(call).state is CallState.STARTED
        assert there.sim.call(call).state is CallState.COMPLETED


async def test_an_invitation_outlives_a_link_that_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.bandwidth.commands._LOOK_AGAIN_S", 0.1)
    async with house(tmp_path, poll_interval_s=0.1) as there:
        conference, (ann,) = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        await there.sim.stop()
        await there.seat.until_status(BackendStatus.STALE)
        await there.sim.start()
        there.sim.answer(call)
        await there.until(lambda: set(there.people(conference)) == inside(there, conference) > {ann})
        await ringing


async def test_somebody_whose_adding_was_not_answered_is_not_hung_up(tmp_path: Path) -> None:
    """Bandwidth did it, and the answer was lost: whether they are in is seen by reading."""
    async with house(tmp_path, request_timeout_s=1.5) as there:
        conference, (ann,) = await there.meeting(ANN)
        await there.until_numbered(conference, ANN)
        ringing, call = await inviting(there, conference, patience_s=2.0)
        there.sim.faults.lose_answers = True
        there.sim.answer(call)
        await there.sim.until(lambda: len(inside(there, conference)) == 2)
        result = await ringing
        assert result.outcome in (UNKNOWN, ACCEPTED)
        there.sim.faults.lose_answers = False
        await there.until(lambda: set(there.people(conference)) == inside(there, conference) > {ann})
        assert there.sim.call(call).state is CallState.ACTIVE


async def test_somebody_who_was_added_as_nobody_knows_whom_is_found_in_the_list(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        ringing, call = await inviting(there, conference)
        there.sim.faults.no_location = True
        there.sim.answer(call)
        result = await ringing
        assert (result.outcome, codes(result)) == (CONFIRMED, [])
        assert result.participant is not None
        assert inside(there, conference) == {ann, result.participant.id}


async def test_an_existing_call_is_added_by_its_id_once_however_often_it_is_asked(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        call = there.sim.make_call(BEN)
        there.sim.commands.clear()
        results = await asyncio.gather(*(there.invite(conference, call) for _ in range(3)))
        assert {each.outcome for each in results} == {CONFIRMED}
        assert len({each.participant.id for each in results if each.participant is not None}) == 1
        assert {path for path, _ in there.sent} == {f"conferences/{conference}/members"}
        await there.until_numbered(conference, ANN, BEN)
        assert len(inside(there, conference)) == 2
        assert there.sim.call(call).state is CallState.ACTIVE
        assert len(there.joined(conference)) == 2
        assert ann in there.people(conference)


@pytest.mark.parametrize("state", ["unknown", "over", "elsewhere", "rings"])
async def test_a_call_that_cannot_be_added_is_refused_and_not_hung_up(tmp_path: Path, state: str) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        call = "c-unknown" if state == "unknown" else there.sim.make_call(BEN, answered=state != "rings")
        match state:
            case "over":
                there.sim.hang_up(call)
            case "elsewhere":
                there.sim.bring_in(there.sim.open_conference(), call)
        result = await there.invite(conference, call)
        rings = state == "rings"
        assert codes(result) == [Code.BACKEND_UNAVAILABLE if rings else Code.INVALID_INPUT]
        assert result.errors[0].field == (None if rings else ("destination",))
        assert inside(there, conference) == {ann}
        assert [path for path, _ in there.sent if path.startswith("calls")] == []


@pytest.mark.parametrize(
    "wish",
    [
        {"destination": " "},
        {"destination": BEN, "role": ParticipantRole.MODERATOR},
        {"destination": BEN, "early_join": True},
        {"destination": BEN, "display_name": "Ben"},
        {"destination": "Ben"},
    ],
)
async def test_an_invitation_that_cannot_be_is_refused(tmp_path: Path, wish: dict[str, object]) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        result = await there.do(Invite(RoomId(conference), **wish))  # type: ignore[arg-type]  # as parametrised
        assert codes(result) == [Code.INVALID_INPUT]
        assert there.sim.calls == []


# ---- the limits ----


async def test_the_21st_is_refused_before_anybody_is_called(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(*(f"+120255502{nth:02}" for nth in range(20)))
        there.sim.commands.clear()
        result = await there.invite(conference, BEN)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.CONFLICT])
        assert "20" in result.errors[0].message
        assert there.sent == []


async def test_the_21st_is_refused_in_bandwidths_word_when_somebody_else_was_faster(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(*(f"+120255502{nth:02}" for nth in range(19)))
        ringing, call = await inviting(there, conference)
        late = there.sim.join(conference, CEM)
        there.sim.answer(call)
        result = await ringing
        assert (result.outcome, codes(result)) == (REJECTED, [Code.CONFLICT])
        assert "it holds 20" in result.errors[0].message
        assert there.sim.call(call).state is CallState.COMPLETED
        await there.until_shown(conference, *members, late)


async def test_calls_too_fast_for_bandwidth_are_told_with_when_to_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bandwidth.pace._PAUSE_S", 0.01)
    async with house(tmp_path) as there:
        conference = await there.made()
        there.sim.faults.fail_next(403, "call-rate-limit", times=3)
        result = await there.invite(conference, BEN)
        assert codes(result) == [Code.BACKEND_RATE_LIMITED]
        assert (result.errors[0].retry_after_ms or 0) > 0
        assert there.sim.calls == []


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (403, "insufficient-available-balance", Code.BACKEND_REFUSED),
        (409, "conference-update-conflict", Code.CONFLICT),
        (500, "backend-protocol-support-failure", Code.BACKEND_UNAVAILABLE),
        (400, "validation-error", Code.INVALID_INPUT),
    ],
)
async def test_a_refusal_is_told_with_its_code(tmp_path: Path, status: int, code: str, ours: Code) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        there.sim.faults.fail_next(status, code)
        result = await there.do_in(Action.HOLD_ROOM, conference)
        assert (result.outcome, codes(result)) == (REJECTED, [ours])
        assert code in result.errors[0].message or ours is Code.BACKEND_REFUSED
        assert not there.room(conference).on_hold


async def test_a_command_without_an_answer_may_have_been_done_and_is_seen_by_reading(tmp_path: Path) -> None:
    async with house(tmp_path, request_timeout_s=1.5) as there:
        conference, _ = await there.meeting(ANN)
        await there.until_numbered(conference, ANN)
        there.sim.faults.lose_answers = True
        holding = asyncio.create_task(there.do_in(Action.HOLD_ROOM, conference))
        await there.sim.until(lambda: there.sim.conference(conference).hold)
        there.sim.faults.lose_answers = False
        assert (await holding).outcome in (UNKNOWN, CONFIRMED)
        await there.until(lambda: there.room(conference).on_hold)
