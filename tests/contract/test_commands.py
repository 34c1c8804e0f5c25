"""Commands, and what the desk says they came to (R7 to R10, R15)."""

from dataclasses import replace

import pytest

from gateway.live.asks import AskEverybody, AskMe
from gateway.live.desk import own_presence
from gateway.live.results import CommandOutcome
from gateway.model.capability import Capability, Sparing
from gateway.model.commands import (
    Action,
    AdoptRoom,
    CreateRoom,
    Invite,
    ParticipantCommand,
    SettingsPatch,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode
from gateway.model.events import ParticipantJoined, ParticipantLeft, ParticipantUpdated, RoomRemoved
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.contract.gateway_on_rig import BACKEND, Seat

_ON_ONE = {
    Action.MUTE: ("muted", True),
    Action.UNMUTE: ("muted", False),
    Action.DEAFEN: ("deafened", True),
    Action.UNDEAFEN: ("deafened", False),
    Action.HOLD: ("on_hold", True),
    Action.UNHOLD: ("on_hold", False),
}
_ON_ALL = {
    Action.MUTE_ALL: ("muted", True),
    Action.UNMUTE_ALL: ("muted", False),
    Action.DEAFEN_ALL: ("deafened", True),
    Action.UNDEAFEN_ALL: ("deafened", False),
}


def _needs(seat: Seat, action: Action) -> None:
    support = seat.link.adapter.capabilities()[action.capability]
    if not support.usable:
        pytest.skip(f"{action}: {support.reason}")


def _has(seat: Seat, room: RoomId, patch: SettingsPatch) -> None:
    """See that a room is as it was asked to be; what was cleared is empty."""
    settings = seat.room(room).room.settings
    assert settings is not None
    for name, value in patch.items():
        found = getattr(settings, name)
        if name == "native":
            assert isinstance(value, dict)
            assert value.items() <= found.items()
        else:
            assert found == (tuple(value or ()) if name.endswith("_pins") else value)
    if "member_pins" in patch:
        assert seat.room(room).room.pin_required is bool(patch["member_pins"])


async def _room_with(seat: Seat, *names: str) -> tuple[RoomId, list[ParticipantId]]:
    """Have a new room with people in it, the first of them a moderator where people who join can be."""
    room = seat.rig.furnish("Board meeting")
    people = [
        seat.rig.somebody_joins(room, name, moderator=nth == 0 and seat.rig.moderators_join)
        for nth, name in enumerate(names)
    ]
    await seat.link.reread(room)
    await seat.until(lambda: set(seat.people(room)) == set(people))
    return room, people


def _spared(seat: Seat, room: RoomId, action: Action) -> set[ParticipantId]:
    """Give the moderators, where the backend leaves those alone when it does something to everybody."""
    if Sparing.MODERATORS not in seat.link.adapter.capabilities()[action.capability].spares:
        return set()
    return {who for who, each in seat.everybody(room).items() if each.role is ParticipantRole.MODERATOR}


@pytest.mark.parametrize("action", _ON_ONE)
async def test_r7_a_command_is_confirmed_at_the_event_that_shows_it(seat: Seat, action: Action) -> None:
    _needs(seat, action)
    room, (ann, ben) = await _room_with(seat, "Ann", "Ben")
    flag, value = _ON_ONE[action]
    who = seat.rig.bearer(room, flag, ben)
    seat.rig.set_flag(room, who, flag, value=not value)
    await seat.learn(room, flag)
    await seat.until(lambda: getattr(seat.everybody(room)[who], flag) is not value)
    result = await seat.do_to(action, room, who)
    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.participant is not None
    assert getattr(result.participant, flag) is value
    (shown,) = [update for update in seat.seen if update.position == result.position]
    assert isinstance(shown.event, ParticipantUpdated)
    assert shown.event.participant.id == who
    assert getattr(seat.people(room)[ann], flag) is not True


@pytest.mark.needs(Capability.KICK)
async def test_r7_a_kick_is_known_as_one(seat: Seat) -> None:
    room, (_, ben) = await _room_with(seat, "Ann", "Ben")
    result = await seat.do_to(Action.KICK, room, ben)
    assert result.outcome is CommandOutcome.CONFIRMED
    (left,) = [event for event in seat.events(room) if isinstance(event, ParticipantLeft)]
    assert (left.participant.id, left.reason) == (ben, LeaveReason.KICKED)
    assert result.participant == left.participant


@pytest.mark.needs(Capability.KICK)
async def test_r7_a_kick_whose_leave_is_never_reported_is_found_and_known_as_one(seat: Seat) -> None:
    room, (_, ben) = await _room_with(seat, "Ann", "Ben")
    seat.rig.lose_next_leaves()
    result = await seat.do_to(Action.KICK, room, ben)
    assert result.outcome is CommandOutcome.CONFIRMED
    (left,) = [event for event in seat.events(room) if isinstance(event, ParticipantLeft)]
    assert (left.participant.id, left.reason) == (ben, LeaveReason.KICKED)


@pytest.mark.parametrize("action", _ON_ALL)
async def test_r7_a_command_for_everybody_spares_whom_the_backend_says(seat: Seat, action: Action) -> None:
    _needs(seat, action)
    room, (ann, *others) = await _room_with(seat, "Ann", "Ben", "Cem")
    flag, value = _ON_ALL[action]
    everybody = {ann, *others, *seat.rig.always_there(room)}
    for who in everybody:
        seat.rig.set_flag(room, who, flag, value=not value)
    await seat.learn(room, flag)
    await seat.until(lambda: all(getattr(each, flag) is not value for each in seat.everybody(room).values()))
    result = await seat.do(AskEverybody(action, room))
    assert result.outcome is CommandOutcome.CONFIRMED
    expected = everybody - _spared(seat, room, action)
    assert {each.participant.id for each in result.results} == expected
    assert {who for who, each in seat.everybody(room).items() if getattr(each, flag) is value} == expected


@pytest.mark.needs(Capability.MUTE_ALL)
async def test_r7_nobody_is_spared_when_the_viewer_says_so(seat: Seat) -> None:
    room, people = await _room_with(seat, "Ann", "Ben", "Cem")
    result = await seat.do(AskEverybody(Action.MUTE_ALL, room, frozenset()))
    assert result.outcome is CommandOutcome.CONFIRMED
    assert {each.participant.id for each in result.results} == {*people, *seat.rig.always_there(room)}
    assert all(each.muted for each in seat.everybody(room).values())


@pytest.mark.needs(Capability.KICK_ALL)
async def test_r7_everybody_is_kicked_whom_the_backend_does_not_spare(seat: Seat) -> None:
    room, (ann, *others) = await _room_with(seat, "Ann", "Ben", "Cem")
    spared = _spared(seat, room, Action.KICK_ALL)
    result = await seat.do(AskEverybody(Action.KICK_ALL, room))
    assert result.outcome is CommandOutcome.CONFIRMED
    assert {each.participant.id for each in result.results} == {ann, *others, *seat.rig.always_there(room)} - spared
    assert set(seat.everybody(room)) == spared
    assert all(each.participant.left_at for each in result.results)
    reasons = {event.reason for event in seat.events(room) if isinstance(event, ParticipantLeft)}
    assert reasons <= {LeaveReason.KICKED, LeaveReason.ROOM_CLOSED}


@pytest.mark.needs(Capability.MUTE_ME)
async def test_r7_i_can_mute_myself_and_nobody_else_is(seat: Seat) -> None:
    room, (ann,) = await _room_with(seat, "Ann")
    me = seat.rig.somebody_joins(room, "Me", owner=True)
    await seat.until(lambda: own_presence(seat.viewer, seat.room(room)))
    for action, muted in ((Action.MUTE_ME, True), (Action.UNMUTE_ME, False)):
        result = await seat.do(AskMe(action, room))
        assert result.outcome is CommandOutcome.CONFIRMED
        assert seat.everybody(room)[me].muted is muted
        assert not seat.people(room)[ann].muted


@pytest.mark.needs(Capability.MUTE_ME)
async def test_r8_who_is_not_in_the_room_cannot_mute_themselves(seat: Seat) -> None:
    room, _ = await _room_with(seat, "Ann")
    viewers = [replace(seat.viewer, identities={BACKEND: "somebody-else"})]
    if not seat.rig.always_there(room):
        viewers.append(seat.viewer)
    for viewer in viewers:
        result = await seat.do(AskMe(Action.MUTE_ME, room), viewer)
        assert [error.code for error in result.errors] == [CommandErrorCode.NOT_A_MEMBER]


@pytest.mark.needs(Capability.LOCK, Capability.UNLOCK)
async def test_r7_a_room_is_locked_and_unlocked(seat: Seat) -> None:
    room, _ = await _room_with(seat, "Ann")
    for action, locked in ((Action.LOCK, True), (Action.UNLOCK, False)):
        result = await seat.do_in(action, room)
        assert result.outcome is CommandOutcome.CONFIRMED
        assert seat.room(room).room.locked is locked


@pytest.mark.needs(Capability.HOLD_ROOM)
async def test_r7_a_room_is_put_on_hold_and_taken_off(seat: Seat) -> None:
    room, people = await _room_with(seat, "Ann", "Ben")
    for action, on_hold in ((Action.HOLD_ROOM, True), (Action.UNHOLD_ROOM, False)):
        result = await seat.do_in(action, room)
        assert result.outcome is CommandOutcome.CONFIRMED
        assert seat.room(room).room.on_hold is on_hold
        assert all(seat.people(room)[who].on_hold is on_hold for who in people)


@pytest.mark.needs(Capability.ADOPT_ROOM)
async def test_r7_a_room_that_was_made_elsewhere_is_adopted_once_it_is_named(seat: Seat) -> None:
    room = seat.rig.open_elsewhere()
    who = seat.rig.somebody_joins(room, "Ann")
    for name in ("The board", "Board of directors"):
        adopted = await seat.do(AdoptRoom(room, name))
        assert (adopted.outcome, adopted.key) == (CommandOutcome.CONFIRMED, seat.room(room).key)
        assert seat.room(room).room.name == name
        assert set(seat.people(room)) == {who}
    nowhere = await seat.do(AdoptRoom("nowhere", None))
    assert [error.code for error in nowhere.errors] == [CommandErrorCode.ROOM_NOT_FOUND]


@pytest.mark.needs(Capability.CLOSE)
async def test_r7_a_closed_room_is_empty_and_everybody_knows_why_they_left(seat: Seat) -> None:
    room, people = await _room_with(seat, "Ann", "Ben")
    result = await seat.do_in(Action.CLOSE, room)
    assert result.outcome is CommandOutcome.CONFIRMED
    await seat.until(lambda: seat.is_over(room))
    lefts = [event for event in seat.history(room) if isinstance(event, ParticipantLeft)]
    assert {event.participant.id for event in lefts} == {*people, *seat.rig.always_there(room)}
    assert {event.reason for event in lefts} == {LeaveReason.ROOM_CLOSED}


@pytest.mark.needs(Capability.INVITE)
async def test_r7_who_is_invited_joins(seat: Seat) -> None:
    room, _ = await _room_with(seat, "Ann")
    name = "Guest" if seat.rig.names_guests else None
    result = await seat.do(Invite(room, "+12025550123", display_name=name))
    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.participant is not None
    joined = [event.participant.id for event in seat.events(room) if isinstance(event, ParticipantJoined)]
    assert joined.count(result.participant.id) == 1


@pytest.mark.needs(Capability.MUTE)
async def test_r8_who_has_left_cannot_be_muted_and_nothing_is_sent(seat: Seat) -> None:
    room, (_, ben) = await _room_with(seat, "Ann", "Ben")
    seat.rig.leaves(room, ben)
    await seat.until(lambda: ben not in seat.people(room))
    sent = seat.rig.commands()
    result = await seat.do_to(Action.MUTE, room, ben)
    assert result.outcome is CommandOutcome.REJECTED
    assert [error.code for error in result.errors] == [CommandErrorCode.PARTICIPANT_NOT_FOUND]
    assert seat.rig.commands() == sent


@pytest.mark.needs(Capability.LOCK)
async def test_r8_an_idle_room_cannot_be_locked_and_nothing_is_sent(seat: Seat) -> None:
    room, _ = await _room_with(seat)
    sent = seat.rig.commands()
    result = await seat.do_in(Action.LOCK, room)
    assert [error.code for error in result.errors] == [CommandErrorCode.ROOM_NOT_ACTIVE]
    assert seat.rig.commands() == sent


async def test_r8_a_room_that_does_not_exist_is_not_found(seat: Seat) -> None:
    for wish in (ParticipantCommand(Action.MUTE, RoomId("nowhere"), ParticipantId("nobody")),):
        result = await seat.do(wish)
        assert [error.code for error in result.errors] == [CommandErrorCode.ROOM_NOT_FOUND]


@pytest.mark.needs(Capability.MUTE)
async def test_r9_a_command_without_effect_is_only_accepted(seat: Seat) -> None:
    room, (_, ben) = await _room_with(seat, "Ann", "Ben")
    seat.rig.obey(False)
    result = await seat.do_to(Action.MUTE, room, ben)
    assert result.outcome is CommandOutcome.ACCEPTED
    assert result.position is None
    assert not seat.people(room)[ben].muted


@pytest.mark.needs(Capability.RECORD)
async def test_r9_what_no_report_ever_shows_is_only_accepted(seat: Seat) -> None:
    room, _ = await _room_with(seat, "Ann")
    sent = seat.rig.commands()
    for action in (Action.START_RECORDING, Action.STOP_RECORDING):
        result = await seat.do_in(action, room)
        shown = seat.room(room).room.recording is (action is Action.START_RECORDING)
        assert result.outcome is (CommandOutcome.CONFIRMED if shown else CommandOutcome.ACCEPTED)
    assert seat.rig.commands() == sent + 2


async def test_r10_what_the_backend_cannot_do_is_refused_with_the_declared_reason(seat: Seat) -> None:
    room, (ann,) = await _room_with(seat, "Ann")
    supports = seat.link.adapter.capabilities()
    assert set(supports) == set(Capability)
    sent = seat.rig.commands()
    for action in (*_ON_ONE, Action.LOCK, Action.HOLD_ROOM, Action.START_RECORDING):
        support = supports[action.capability]
        if support.usable:
            continue
        assert support.reason
        result = await (seat.do_to(action, room, ann) if action in _ON_ONE else seat.do_in(action, room))
        assert [error.code for error in result.errors] == [CommandErrorCode.NOT_SUPPORTED]
        assert support.reason in result.errors[0].message
        assert result.errors[0].capability is action.capability
    assert seat.rig.commands() == sent


@pytest.mark.needs(Capability.CREATE_ROOM, Capability.CLOSE)
async def test_r15_a_conference_begins_and_ends_in_a_room_that_was_made(seat: Seat) -> None:
    made = await seat.do(CreateRoom("Hiring round", {}))
    assert made.outcome is CommandOutcome.CONFIRMED
    assert made.key is not None
    room = made.key.room_id
    assert (seat.room(room).room.name, seat.room(room).room.state) == ("Hiring round", RoomState.IDLE)
    seat.rig.begin(room, made.voice_call_token)
    await seat.until(lambda: seat.room(room).room.state is RoomState.ACTIVE)
    await seat.until_true()
    closed = await seat.do_in(Action.CLOSE, room)
    assert closed.outcome is CommandOutcome.CONFIRMED
    await seat.until(lambda: seat.is_over(room))
    await seat.until_true()


@pytest.mark.needs(Capability.CREATE_ROOM, Capability.UPDATE_SETTINGS, Capability.DELETE_ROOM)
async def test_r15_a_room_is_made_changed_and_deleted(seat: Seat) -> None:
    made = await seat.do(CreateRoom("Hiring round", seat.rig.some_settings))
    assert made.outcome is CommandOutcome.CONFIRMED
    assert made.key is not None
    room = made.key.room_id
    assert seat.room(room).room.name == "Hiring round"
    _has(seat, room, seat.rig.some_settings)

    changed = await seat.do(UpdateSettings(room, "Hiring", seat.rig.other_settings))
    assert changed.outcome is CommandOutcome.CONFIRMED
    assert seat.room(room).room.name == "Hiring"
    _has(seat, room, seat.rig.other_settings)

    if seat.rig.rooms_stay:
        who = seat.rig.somebody_joins(room, "Ann")
        await seat.until(lambda: who in seat.people(room))
        seat.rig.leaves(room, who)
        await seat.until(lambda: not seat.people(room))

    deleted = await seat.do_in(Action.DELETE_ROOM, room)
    assert deleted.outcome is CommandOutcome.CONFIRMED
    assert isinstance(seat.events(room)[-1], RoomRemoved)
    assert seat.live.room(made.key) is None
