"""Every command as the call of Call Control that crossed the wire, and what it came to."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.adapter import Receipt
from gateway.live.asks import AskEverybody, AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.commands import Action, CreateRoom, Invite, ParticipantCommand
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.events import CommandFailed
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.adapters.ringcentral.ringcentral_gateway import PLENTY, House, codes, house

CONFIRMED, ACCEPTED, REJECTED = CommandOutcome.CONFIRMED, CommandOutcome.ACCEPTED, CommandOutcome.REJECTED
Code = CommandErrorCode
BEN, CEM = "+15550100001", "+15550100002"


def desk_phone(there: House) -> str:
    return next(each.device_id for each in there.host.devices if each.kind == "HardPhone")


def fault(name: str, value: object = True) -> Callable[[House], None]:
    return lambda there: setattr(there.sim.faults, name, value)


def inside(there: House, conference: str) -> set[str]:
    """Who is in a conference really."""
    return {each.party_id for each in there.sim.people(conference)}


async def inviting(there: House, conference: str, number: str) -> asyncio.Task[CommandResult]:
    """Begin to invite a number that does not answer at once; the call is what rings."""
    there.sim.faults.call_out = "rings"
    calls = len(there.sim.calls())
    task = asyncio.create_task(there.invite(conference, number))
    await there.sim.until(lambda: len(there.sim.calls()) > calls)
    return task


# ---- a room is made ----


async def test_a_room_is_made_with_the_token_that_the_hosts_phone_calls(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        made = await there.create("Board")
        assert made.outcome is CONFIRMED
        assert made.key is not None
        [conference] = there.sim.conferences()
        assert made.key.room_id == conference
        assert made.voice_call_token == there.sim.session(conference).token
        assert there.sent == [("POST", "conference", {})]
        room = there.room(conference)
        assert (room.name, room.state, room.permanent, dict(room.participants)) == ("Board", RoomState.IDLE, False, {})


async def test_a_room_without_name_is_made_as_well(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        assert (await there.create()).outcome is CONFIRMED
        assert there.room(there.sim.conferences()[0]).name is None


async def test_a_room_cannot_be_made_with_settings(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        result = await there.do(CreateRoom("Board", {"max_participants": 5}))
        assert codes(result) == [Code.INVALID_INPUT]
        assert there.sent == []


# ---- on one participant ----


@pytest.mark.parametrize(("action", "muted"), [(Action.MUTE, True), (Action.UNMUTE, False)])
@pytest.mark.parametrize("place", [0, 1])
async def test_mute_changes_the_leg_in_the_conference(tmp_path: Path, place: int, action: Action, muted: bool) -> None:
    async with house(tmp_path) as there:
        conference, legs = await there.meeting(BEN)
        if not muted:
            await there.do_to(Action.MUTE, conference, legs[place])
            there.sim.commands.clear()
        assert (await there.do_to(action, conference, legs[place])).outcome is CONFIRMED
        assert there.sent == [("PATCH", f"sessions/{conference}/parties/{legs[place]}", {"muted": muted})]
        assert there.sim.session(conference).party(legs[place]).muted is muted
        assert [each.muted for each in there.people(conference).values()].count(True) == (1 if muted else 0)


async def test_muting_somebody_is_seen_by_others_although_ringcentral_tells_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        told = len(there.sim.notifications)
        result = await there.do_to(Action.MUTE, conference, ben)
        assert len(there.sim.notifications) == told
        assert result.position is not None
        assert there.people(conference)[ben].muted


@pytest.mark.parametrize("action", [Action.MUTE, Action.HOLD])
async def test_what_the_state_of_a_call_does_not_allow_is_a_conflict(tmp_path: Path, action: Action) -> None:
    async with house(tmp_path) as there:
        conference, (host, _) = await there.meeting(BEN)
        there.sim.faults.mute_conflict = True
        result = await there.do_to(action, conference, host)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.CONFLICT])
        assert not there.people(conference)[host].muted
        assert not there.people(conference)[host].on_hold


async def test_the_host_is_put_on_hold_and_taken_back(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, _) = await there.meeting(BEN)
        for action, word, held in ((Action.HOLD, "hold", True), (Action.UNHOLD, "unhold", False)):
            assert (await there.do_to(action, conference, host)).outcome is CONFIRMED
            assert there.sent[-1] == ("POST", f"sessions/{conference}/parties/{host}/{word}", {})
            assert there.people(conference)[host].on_hold is held


async def test_a_kick_removes_the_leg_and_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben, cem) = await there.meeting(BEN, CEM)
        assert (await there.do_to(Action.KICK, conference, ben)).outcome is CONFIRMED
        assert there.sent == [("DELETE", f"sessions/{conference}/parties/{ben}", {})]
        assert there.left(conference) == [(ben, LeaveReason.KICKED)]
        assert inside(there, conference) == {host, cem}


async def test_who_has_gone_meanwhile_cannot_be_muted_or_kicked(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        there.sim.faults.lose_events = True
        there.sim.remote_hangs_up(there.sim.calls()[0])
        result = await there.do_to(Action.KICK, conference, ben)
        assert result.outcome is CONFIRMED or codes(result) == [Code.PARTICIPANT_NOT_FOUND]
        assert there.left(conference) in ([], [(ben, LeaveReason.KICKED)])


@pytest.mark.parametrize("dials_again", [False, True])
async def test_a_host_who_is_removed_leaves_the_conference_to_the_others(tmp_path: Path, dials_again: bool) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben) = await there.meeting(BEN)
        assert (await there.do_to(Action.KICK, conference, host)).outcome is CONFIRMED
        assert there.sent == [("DELETE", f"sessions/{conference}/parties/{host}", {"keepConferenceAlive": True})]
        await there.until_shown(conference, ben)
        assert there.room(conference).state is RoomState.ACTIVE
        assert there.left(conference) == [(host, LeaveReason.KICKED)]
        if dials_again:
            await there.until_shown(conference, ben, there.sim.host_dials(conference))
            there.sim.host_hangs_up(conference)
        else:
            there.sim.remote_hangs_up(there.sim.calls()[0])
        await there.until(lambda: there.is_over(conference))


async def test_a_host_whose_removal_is_refused_ends_the_conference_by_hanging_up(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, _) = await there.meeting(BEN)
        there.sim.faults.forbidden_scope = "CallControl"
        assert codes(await there.do_to(Action.KICK, conference, host)) == [Code.FORBIDDEN]
        there.sim.faults.forbidden_scope = None
        there.sim.host_hangs_up(conference)
        await there.until(lambda: there.is_over(conference))


async def test_a_host_whose_removal_was_not_answered_may_be_gone_and_the_others_stay(tmp_path: Path) -> None:
    """RingCentral did it, and the answer was lost: nothing but our own command tells that from the end."""
    async with house(tmp_path, request_timeout_s=1) as there:
        conference, (host, ben) = await there.meeting(BEN)
        there.sim.faults.hang = True
        removing = asyncio.create_task(there.do_to(Action.KICK, conference, host))
        result = await removing
        there.sim.faults.hang = False
        assert result.outcome is CommandOutcome.UNKNOWN
        there.sim.host_leaves(conference)
        await there.until_shown(conference, ben)
        assert there.room(conference).state is RoomState.ACTIVE


# ---- on the viewer, and on everybody ----


async def test_the_host_mutes_themselves(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, _) = await there.meeting(BEN)
        for action, muted in ((Action.MUTE_ME, True), (Action.UNMUTE_ME, False)):
            assert (await there.do(AskMe(action, RoomId(conference)))).outcome is CONFIRMED
            assert there.people(conference)[host].muted is muted
        assert codes(await there.do(AskMe(Action.MUTE_ME, RoomId(conference)), "stranger")) == [Code.NOT_A_MEMBER]


async def test_mute_all_is_done_one_by_one_and_answered_one_by_one(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, legs = await there.meeting(BEN, CEM)
        result = await there.do(AskEverybody(Action.MUTE_ALL, RoomId(conference)))
        assert result.outcome is CONFIRMED
        host, *guests = legs
        assert {(each.participant.id, each.outcome) for each in result.results} == {(leg, CONFIRMED) for leg in guests}
        path = f"sessions/{conference}/parties"
        assert sorted(there.sent, key=str) == [("PATCH", f"{path}/{leg}", {"muted": True}) for leg in sorted(guests)]
        assert {leg for leg, each in there.people(conference).items() if each.muted} == {*guests}
        assert not there.people(conference)[host].muted


async def test_mute_all_says_who_could_not_be_muted(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben, cem) = await there.meeting(BEN, CEM)
        there.sim.faults.lose_events = True
        there.sim.remote_hangs_up(there.sim.calls()[0])
        result = await there.do(AskEverybody(Action.MUTE_ALL, RoomId(conference), frozenset()))
        assert result.outcome is ACCEPTED
        outcomes = {each.participant.id: each.outcome for each in result.results}
        assert outcomes == {host: CONFIRMED, ben: REJECTED, cem: CONFIRMED}


async def test_kick_all_leaves_the_host_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, *guests) = await there.meeting(BEN, CEM)
        assert (await there.do(AskEverybody(Action.KICK_ALL, RoomId(conference)))).outcome is CONFIRMED
        assert {leg for leg, _ in there.left(conference)} == {*guests}
        assert set(there.people(conference)) == {host}


async def test_kick_all_that_spares_nobody_removes_the_host_too(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, legs = await there.meeting(BEN, CEM)
        result = await there.do(AskEverybody(Action.KICK_ALL, RoomId(conference), frozenset()))
        assert result.outcome is CONFIRMED
        await there.until(lambda: there.is_over(conference))
        assert {leg for leg, _ in there.left(conference)} == set(legs)
        assert there.sim.conferences() == []


# ---- a room is closed ----


async def test_close_deletes_the_session(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, legs = await there.meeting(BEN)
        assert (await there.close(conference)).outcome is CONFIRMED
        assert there.sent == [("DELETE", f"sessions/{conference}", {})]
        assert there.left(conference) == [(leg, LeaveReason.ROOM_CLOSED) for leg in legs]
        assert there.room(conference).state is RoomState.ENDED


async def test_a_conference_that_still_waits_for_its_host_can_be_closed(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.create()
        [conference] = there.sim.conferences()
        assert (await there.close(conference)).outcome is CONFIRMED
        assert there.sim.conferences() == []


async def test_a_conference_that_is_gone_already_counts_as_closed(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(BEN)
        there.sim.faults.lose_events = True
        there.sim.host_hangs_up(conference)
        result = await there.close(conference)
        assert (result.outcome, result.errors) == (CONFIRMED, ())
        assert there.sent == [("DELETE", f"sessions/{conference}", {})]
        assert there.is_over(conference)


async def test_a_close_that_ringcentral_takes_and_does_not_do_is_not_confirmed(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben) = await there.meeting(BEN)
        there.sim.faults.ignore_commands = True
        assert (await there.close(conference)).outcome is ACCEPTED
        await there.until_shown(conference, host, ben)


# ---- somebody comes in ----


async def test_an_existing_call_is_brought_in_by_its_id_with_the_hosts_own_leg(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host,) = await there.meeting()
        call = there.sim.make_call(there.host, BEN, "Ben", inbound=True)
        own = there.sim.own_party_id(call)
        result = await there.invite(conference, call)
        assert result.outcome is CONFIRMED
        assert there.sent == [("POST", f"sessions/{conference}/parties/bring-in", {"sessionId": call, "partyId": own})]
        assert result.participant is not None
        assert (result.participant.display_name, result.participant.number) == ("Ben", BEN)
        await there.until_shown(conference, host, result.participant.id)


async def test_a_call_that_was_there_before_the_gateway_is_brought_in_too(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.make_call(there.host, BEN, "Ben")) as there:
        conference, _ = await there.meeting()
        assert (await there.invite(conference, there.sim.calls()[0])).outcome is CONFIRMED
        assert ("Ben", BEN) in there.names(conference)


async def test_calls_that_are_invited_together_come_in_one_after_another(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        calls = [there.sim.make_call(there.host, f"+1555010000{each}") for each in range(5)]
        results = await asyncio.gather(*(there.invite(conference, call) for call in calls))
        assert [result.outcome for result in results] == [CONFIRMED] * 5
        assert [each.number for each in there.people(conference).values()][1:] == [
            f"+1555010000{each}" for each in range(5)
        ]


@pytest.mark.parametrize("destination", ["s-none", "s-..", "s-/../x", "s-?a=b"])
async def test_a_call_that_is_not_there_cannot_be_brought_in(tmp_path: Path, destination: str) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        result = await there.invite(conference, destination)
        assert codes(result) == [Code.INVALID_INPUT]
        assert result.errors[0].field == ("destination",)
        assert there.sent == []


async def test_a_call_whose_end_was_not_told_cannot_be_brought_in(tmp_path: Path) -> None:
    """The gateway saw it come up, so that it knows a leg of it."""
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        call = there.sim.make_call(there.host, BEN)
        await there.invite(conference, "s-none")  # what was told before this is known afterwards
        there.sim.faults.lose_events = True
        there.sim.remote_hangs_up(call)
        result = await there.invite(conference, call)
        assert codes(result) == [Code.INVALID_INPUT]
        assert result.errors[0].field == ("destination",)


async def test_a_call_that_is_invited_twice_at_once_is_brought_in_once(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(BEN)
        call = there.sim.make_call(there.host, CEM)
        both = await asyncio.gather(there.invite(conference, call), there.invite(conference, call))
        assert sorted(each.outcome for each in both) == sorted([CONFIRMED, REJECTED])
        assert [path for _, path, _ in there.sent].count(f"sessions/{conference}/parties/bring-in") == 1


async def test_a_call_that_is_in_the_conference_already_is_a_conflict(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(BEN)
        assert codes(await there.invite(conference, there.sim.calls()[0])) == [Code.CONFLICT]


async def test_the_conference_itself_cannot_be_brought_in(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        assert codes(await there.invite(conference, conference)) == [Code.INVALID_INPUT]
        assert there.sent == []


async def test_a_number_is_called_from_the_hosts_phone_and_brought_in_when_it_answers(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host,) = await there.meeting()
        result = await there.invite(conference, BEN)
        assert result.outcome in (CONFIRMED, ACCEPTED)
        [call] = there.sim.calls()
        assert there.sent == [
            ("POST", "call-out", {"from": {"deviceId": desk_phone(there)}, "to": {"phoneNumber": BEN}}),
            (
                "POST",
                f"sessions/{conference}/parties/bring-in",
                {"sessionId": call, "partyId": there.sim.own_party_id(call)},
            ),
        ]
        await there.until(lambda: len(there.people(conference)) == 2)
        assert (None, BEN) in there.names(conference)
        assert there.people(conference)[ParticipantId(host)].number != BEN


async def test_the_phone_that_is_configured_rings(tmp_path: Path) -> None:
    async with house(tmp_path, device_id="not-there") as there:
        conference, _ = await there.meeting()
        assert codes(await there.invite(conference, BEN)) == [Code.INVALID_INPUT]
        assert there.sent[0][2]["from"] == {"deviceId": "not-there"}


@pytest.mark.parametrize(("number", "to"), [("102", "extensionNumber"), (" +15550100001 ", "phoneNumber")])
async def test_short_numbers_are_extensions(tmp_path: Path, number: str, to: str) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_extension("Cem", "102")) as there:
        conference, _ = await there.meeting()
        await there.invite(conference, number)
        assert there.sent[0][2]["to"] == {to: number.strip()}
        await there.until(lambda: len(there.people(conference)) == 2)


async def test_a_number_that_rings_for_long_is_answered_as_accepted_and_comes_in_later(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        task = await inviting(there, conference, BEN)
        assert (await task).outcome is ACCEPTED
        there.sim.answers(there.sim.calls()[0])
        await there.until(lambda: (None, BEN) in there.names(conference))


async def test_a_number_that_rings_is_not_asked_after_again_and_again(tmp_path: Path) -> None:
    """Another room waits for its host, and the host's other calls go on."""
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        await there.create()
        task = await inviting(there, conference, BEN)
        call = there.sim.calls()[0]
        for _ in range(20):
            there.sim.make_call(there.host, CEM)
        await task
        assert there.asked("GET", f"sessions/{call}") <= 3


async def test_a_busy_number_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=fault("call_out", "busy")) as there:
        conference, (host,) = await there.meeting()
        result = await there.invite(conference, BEN)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.BACKEND_REFUSED])
        assert inside(there, conference) == {host}


async def test_a_number_that_hangs_up_while_it_rings_is_refused_to_those_who_watch(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        task = await inviting(there, conference, BEN)
        assert (await task).outcome is ACCEPTED
        there.sim.remote_hangs_up(there.sim.calls()[0])
        await there.until(lambda: any(isinstance(each, CommandFailed) for each in there.events(conference)))


async def test_a_number_that_nobody_answers_is_given_up_and_hung_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ringcentral.commands._RINGING_S", 0.3)
    async with house(tmp_path, arrange=fault("call_out", "rings")) as there:
        conference, _ = await there.meeting()
        result = await there.invite(conference, BEN)
        assert codes(result) == [Code.TIMEOUT]
        await there.sim.until(lambda: there.sim.calls() == [])


async def test_who_answers_when_the_room_takes_nobody_more_is_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path, sim={"capacity": 2, "limits": PLENTY}) as there:
        conference, _ = await there.meeting(BEN)
        assert codes(await there.invite(conference, CEM)) == [Code.CONFLICT]
        assert len(there.sim.calls()) == 1


async def test_who_answers_when_the_room_is_over_is_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        task = await inviting(there, conference, BEN)
        await task
        there.sim.host_hangs_up(conference)
        there.sim.answers(there.sim.calls()[0])
        await there.sim.until(lambda: there.sim.calls() == [])


@pytest.mark.parametrize("status", [500, 503])
async def test_a_ringcentral_that_fails_while_it_rings_does_not_cost_the_invitation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("adapters.ringcentral.commands._LOOK_AGAIN_S", 0.05)
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        task = await inviting(there, conference, BEN)
        there.sim.faults.http_status = status
        await task
        there.sim.faults.http_status = None
        there.sim.answers(there.sim.calls()[0])
        await there.until(lambda: (None, BEN) in there.names(conference))


async def test_a_user_without_a_phone_that_can_be_rung_can_only_bring_in(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        object.__setattr__(there.host, "devices", tuple(each for each in there.host.devices if each.kind == "WebPhone"))
        assert codes(await there.invite(conference, BEN)) == [Code.NOT_SUPPORTED]
        assert there.sent == []
        assert (await there.invite(conference, there.sim.make_call(there.host, BEN))).outcome is CONFIRMED


async def test_nobody_can_be_invited_before_the_host_is_in(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.create()
        [conference] = there.sim.conferences()
        call = there.sim.make_call(there.host, BEN)
        result = await there.invite(conference, call)
        assert codes(result) == [Code.ROOM_NOT_ACTIVE]
        assert there.sent == [("POST", "conference", {})]


async def test_ringcentrals_own_refusal_before_the_host_is_in_is_a_conflict(tmp_path: Path) -> None:
    """The gateway has not noticed yet that the host is gone."""
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        there.sim.faults.lose_events = True
        there.sim.host_leaves(conference)
        call = there.sim.make_call(there.host, CEM)
        assert codes(await there.invite(conference, call)) == [Code.CONFLICT]
        assert inside(there, conference) == {ben}


@pytest.mark.parametrize("known", [True, False])
async def test_more_than_fit_are_refused_by_us_or_by_ringcentral(tmp_path: Path, known: bool) -> None:
    async with house(tmp_path, sim={"capacity": 3, "limits": PLENTY}, max_parties=3 if known else 10) as there:
        conference, _ = await there.meeting(BEN, CEM)
        call = there.sim.make_call(there.host, "+15550100003")
        assert codes(await there.invite(conference, call)) == [Code.CONFLICT]
        assert len(there.sent) == (0 if known else 1)
        assert len(there.people(conference)) == 3


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"destination": " "}, "destination"),
        ({"role": ParticipantRole.MODERATOR}, "role"),
        ({"early_join": True}, "earlyJoin"),
        ({"display_name": "Ben"}, "displayName"),
    ],
)
async def test_an_invitation_that_ringcentral_cannot_do_is_refused_by_its_field(
    tmp_path: Path, how: dict[str, Any], field: str
) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        result = await there.do(Invite(**{"room_id": RoomId(conference), "destination": BEN, **how}))
        assert codes(result) == [Code.INVALID_INPUT]
        assert result.errors[0].field == (field,)
        assert there.sent == []


# ---- limits, failures ----


async def test_a_rate_limit_says_when_to_come_back_and_nothing_is_sent_before(tmp_path: Path) -> None:
    async with house(tmp_path, sim={"limits": {**PLENTY, "heavy": 2}}) as there:
        there.sim.faults.rate_limit = True
        assert [(await there.create()).outcome for _ in range(2)] == [CONFIRMED] * 2
        limited = await there.create()
        assert codes(limited) == [Code.BACKEND_RATE_LIMITED]
        assert limited.errors[0].retry_after_ms is not None
        assert 50_000 < limited.errors[0].retry_after_ms <= 60_000
        requests = len(there.sim.requests)
        for _ in range(3):
            assert codes(await there.create()) == [Code.BACKEND_RATE_LIMITED]
        assert len(there.sim.requests) == requests
        assert there.seat.link.status is BackendStatus.LIVE


async def test_a_429_stops_the_whole_group_for_as_long_as_ringcentral_says(tmp_path: Path) -> None:
    """Somebody else has used up what the user may send, so that the gateway learns of it by the refusal."""
    async with house(tmp_path, sim={"limits": {**PLENTY, "heavy": 3}}) as there:
        there.sim.faults.rate_limit = True
        for _ in range(3):
            there.sim._api._limits.take(there.identity, "heavy")
        limited = await there.create()
        assert codes(limited) == [Code.BACKEND_RATE_LIMITED]
        assert limited.errors[0].retry_after_ms is not None
        assert limited.errors[0].retry_after_ms > 50_000
        requests = len(there.sim.requests)
        assert codes(await there.create()) == [Code.BACKEND_RATE_LIMITED]
        assert len(there.sim.requests) == requests


async def test_a_reading_that_has_to_wait_for_a_limit_does_not_cost_the_connection(tmp_path: Path) -> None:
    """The penalty is three seconds long, and a command waits for two at most."""
    async with house(tmp_path, sim={"limits": {**PLENTY, "light": 15}, "limit_window_s": 3, "penalty_s": 3}) as there:
        conference, (host, _) = await there.meeting(BEN)
        there.sim.faults.rate_limit = True
        for _ in range(15):
            there.sim._api._limits.take(there.identity, "light")
        assert codes(await there.do_to(Action.MUTE, conference, host)) == [Code.BACKEND_RATE_LIMITED]
        statuses: list[BackendStatus] = []
        there.seat.live.hub.watch_backends(lambda _: statuses.append(there.seat.link.status))
        await there.seat.link.reread(RoomId(conference))
        assert set(statuses) <= {BackendStatus.LIVE}
        assert there.asked("GET", "wstoken") + there.asked("POST", "wstoken") == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, Code.FORBIDDEN),
        (404, Code.PARTICIPANT_NOT_FOUND),
        (500, Code.BACKEND_UNAVAILABLE),
        (503, Code.BACKEND_UNAVAILABLE),
    ],
)
async def test_what_ringcentral_refuses_is_refused_with_a_code(tmp_path: Path, status: int, code: Code) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        there.sim.faults.http_status = status
        assert codes(await there.do_to(Action.MUTE, conference, ben)) == [code]
        there.sim.faults.http_status = None


async def test_a_command_that_is_not_answered_has_an_unknown_outcome(tmp_path: Path) -> None:
    async with house(tmp_path, request_timeout_s=1) as there:
        conference, (_, ben) = await there.meeting(BEN)
        there.sim.faults.hang = True
        result = await there.do_to(Action.MUTE, conference, ben)
        there.sim.faults.hang = False
        assert (result.outcome, codes(result)) == (CommandOutcome.UNKNOWN, [Code.TIMEOUT])


async def test_a_token_that_has_died_meanwhile_costs_a_command_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        there.sim.expire_tokens()
        assert (await there.do_to(Action.MUTE, conference, ben)).outcome is CONFIRMED
        assert there.sent == [("PATCH", f"sessions/{conference}/parties/{ben}", {"muted": True})]


async def test_while_there_is_no_connection_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting(BEN)
        adapter, room = there.adapter, there.room(conference)
        there.sim.faults.http_status = 503
        there.sim.drop_link()
        await there.seat.until_status(BackendStatus.STALE)
        assert codes(await there.do_to(Action.MUTE, conference, ben)) == [Code.BACKEND_UNAVAILABLE]
        with pytest.raises(CommandRefused):
            await adapter.execute(ParticipantCommand(Action.MUTE, room.id, ben), room, None)
        assert there.sent == []


async def test_moderators_are_quick_while_many_rooms_are_read(tmp_path: Path) -> None:
    """Commands go before readings, and some of every window is left to them."""
    async with house(tmp_path, sim={"limits": {**PLENTY, "light": 20}}, poll_interval_s=0.05) as there:
        there.sim.faults.rate_limit = True
        conference, (_, ben) = await there.meeting(BEN)
        await there.sim.until(lambda: there.asked("GET", f"sessions/{conference}") >= 5)
        began = time.monotonic()
        assert (await there.do_to(Action.MUTE, conference, ben)).outcome is CONFIRMED
        assert time.monotonic() - began < 1


def test_a_receipt_does_not_show_its_token() -> None:
    assert "conf_" not in repr(Receipt(voice_call_token="conf_1"))
