"""Joins, leaves and changes, as a backend reports them and as the gateway tells them (R1 to R6, R11 to R14)."""

import asyncio
from pathlib import Path

import pytest

from gateway import registry
from gateway.live.link import BackendStatus
from gateway.model.capability import Capability
from gateway.model.events import (
    ChangedField,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomUpdated,
)
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.contract.gateway_on_rig import Seat, gateway_on
from tests.contract.rig import Rig
from tests.contract.rigs import RIGS, live_a_while

_TOLD_WITH = {
    "muted": Capability.MUTE,
    "deafened": Capability.DEAFEN,
    "talking": Capability.TALKING,
    "on_hold": Capability.HOLD,
}
"""Flags that a backend tells only if it knows what they are."""


def test_every_kind_of_backend_has_a_rig() -> None:
    assert {name.partition("-")[0] for name in RIGS} == set(registry.kinds())


@pytest.fixture(name="room")
async def _room(rig: Rig) -> str:
    """A room that exists before the gateway looks."""
    return rig.furnish("Support bridge")


async def test_r1_who_joins_is_announced_once_with_name_and_role(rig: Rig, room: str, seat: Seat) -> None:
    who = rig.somebody_joins(room, "Ann", moderator=rig.moderators_join)
    await seat.until(lambda: seat.people(room))
    joined = [event for event in seat.events(room) if isinstance(event, ParticipantJoined)]
    name = "Ann" if rig.names_people else None
    assert [(event.participant.id, event.participant.display_name) for event in joined] == [(who, name)]
    assert joined[0].participant.role is (ParticipantRole.MODERATOR if rig.moderators_join else rig.guest_role)
    hosts = [seat.everybody(room)[each].role for each in rig.always_there(room)]
    assert all(role is ParticipantRole.MODERATOR for role in hosts)
    assert seat.room(room).room.state is RoomState.ACTIVE
    assert seat.room(room).room.permanent is rig.rooms_stay
    kinds = [type(event) for event in seat.events(room)]
    began = RoomUpdated if rig.rooms_stay or RoomUpdated in kinds else RoomAppeared
    assert kinds.index(began) < kinds.index(ParticipantJoined)


async def test_r1_who_is_already_there_is_found(rig: Rig, tmp_path: Path) -> None:
    room = rig.furnish("Standup")
    who = [rig.somebody_joins(room, name) for name in ("Ann", "Ben", "Cem")]
    async with gateway_on(rig, tmp_path) as seat:
        await seat.until_status(BackendStatus.LIVE)
        assert set(seat.people(room)) == set(who)
        assert seat.is_true()


async def test_r2_who_leaves_is_said_to_have_left_once(rig: Rig, room: str, seat: Seat) -> None:
    stays, goes = rig.somebody_joins(room, "Ann"), rig.somebody_joins(room, "Ben")
    await seat.until(lambda: len(seat.people(room)) == 2)
    rig.leaves(room, goes)
    await seat.until(lambda: set(seat.people(room)) == {stays})
    lefts = [event.participant for event in seat.history(room) if isinstance(event, ParticipantLeft)]
    assert [(each.id, each.display_name) for each in lefts] == [(goes, "Ben" if rig.names_people else None)]


@pytest.mark.needs(Capability.TALKING)
async def test_r2_who_leaves_while_talking_stops_talking_first(rig: Rig, room: str, seat: Seat) -> None:
    stays, goes = rig.somebody_joins(room, "Ann"), rig.somebody_joins(room, "Ben")
    rig.set_flag(room, goes, "talking", value=True)
    await seat.until(lambda: (people := seat.people(room)).get(goes) and people[goes].talking)
    rig.leaves(room, goes)
    await seat.until(lambda: set(seat.people(room)) == {stays})
    *_, stopped, left = [event for event in seat.events(room) if getattr(event, "participant", None)]
    assert isinstance(stopped, ParticipantUpdated)
    assert stopped.participant.talking is False
    assert isinstance(left, ParticipantLeft)
    assert left.participant.id == goes
    assert left.participant.left_at == left.at


async def test_r3_what_happens_while_the_link_is_down_is_announced_when_it_is_back(
    rig: Rig, room: str, seat: Seat
) -> None:
    stays, goes = rig.somebody_joins(room, "Ann"), rig.somebody_joins(room, "Ben")
    await seat.until(lambda: len(seat.people(room)) == 2)
    await rig.stop()
    await seat.until_status(BackendStatus.STALE)
    assert seat.room(room).room.stale
    assert len(seat.people(room)) == 2
    rig.leaves(room, goes)
    comes = rig.somebody_joins(room, "Cem")
    await rig.start()
    await seat.until_status(BackendStatus.LIVE)
    assert set(seat.people(room)) == {stays, comes}
    assert not seat.room(room).room.stale
    lefts = [event for event in seat.events(room) if isinstance(event, ParticipantLeft)]
    assert [(event.participant.id, event.reason) for event in lefts] == [(goes, LeaveReason.FOUND_GONE)]
    changes = [event.changed for event in seat.events(room) if isinstance(event, RoomUpdated)]
    assert sum(ChangedField.STALE in changed for changed in changes) == 2


@pytest.mark.needs(Capability.LIVE_PARTICIPANTS)
@pytest.mark.parametrize("flag", ["muted", "deafened", "talking", "on_hold"])
async def test_r4_a_key_on_the_phone_changes_one_flag_and_no_other(rig: Rig, room: str, seat: Seat, flag: str) -> None:
    support = seat.link.adapter.capabilities()[_TOLD_WITH.get(flag, Capability.LIVE_PARTICIPANTS)]
    if not support.usable:
        pytest.skip(f"{flag}: {support.reason}")
    joins = rig.somebody_joins(room, "Ann")
    await seat.until(lambda: joins in seat.people(room))
    who = rig.bearer(room, flag, joins)
    await seat.link.reread(room)
    before = seat.everybody(room)[who]
    since = len(seat.history(room))  # what a reading completes is no key
    for value in (True, False):
        rig.set_flag(room, who, flag, value=value)
        await seat.learn(room, flag)
        await seat.until(lambda value=value: getattr(seat.everybody(room)[who], flag) is value)
    assert seat.everybody(room)[who] == before
    updates = [event for event in seat.history(room)[since:] if isinstance(event, ParticipantUpdated)]
    assert [event.changed for event in updates] == [(ChangedField[flag.upper()],)] * 2


async def test_r5_when_the_last_one_leaves_the_conference_is_over(rig: Rig, room: str, seat: Seat) -> None:
    who = rig.somebody_joins(room, "Ann")
    await seat.until(lambda: who in seat.people(room))
    rig.empty(room)
    await seat.until(lambda: seat.is_over(room))
    assert not seat.everybody(room)
    lefts = [event.participant.id for event in seat.history(room) if isinstance(event, ParticipantLeft)]
    assert sorted(lefts) == sorted({who, *rig.always_there(room)})


async def test_r6_a_leave_that_was_never_reported_is_found(rig: Rig, room: str, seat: Seat) -> None:
    stays, goes = rig.somebody_joins(room, "Ann"), rig.somebody_joins(room, "Ben")
    await seat.until(lambda: len(seat.people(room)) == 2)
    rig.lose_next_leaves()
    rig.leaves(room, goes)
    await seat.link.reread(room)
    assert set(seat.people(room)) == {stays}
    assert seat.is_true()


async def test_r11_garbage_costs_the_frame_and_nothing_else(rig: Rig, room: str, seat: Seat) -> None:
    who = rig.somebody_joins(room, "Ann")
    await seat.until(lambda: who in seat.people(room))
    rig.send_garbage()
    also = rig.somebody_joins(room, "Ben")
    await seat.until(lambda: also in seat.people(room))
    assert seat.link.adapter.misunderstood > 0
    assert seat.link.status is BackendStatus.LIVE


async def test_r12_a_backend_that_is_down_at_the_start_is_waited_for(rig: Rig, tmp_path: Path) -> None:
    room = rig.furnish("Standup")
    await rig.stop()
    async with gateway_on(rig, tmp_path) as seat:
        await seat.until(lambda: seat.link.status_reason)
        assert seat.link.status is BackendStatus.CONNECTING
        await rig.start()
        await seat.until_status(BackendStatus.LIVE)
        assert seat.room(room).room.name == ("Standup" if rig.rooms_stay else None)


async def test_r13_wrong_credentials_need_the_operator_and_are_not_repeated(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    adapter, secret = rig.stranger()
    async with gateway_on(rig, tmp_path, adapter) as seat:
        await seat.until_status(BackendStatus.FAILED)
        assert seat.link.status_reason
        assert secret not in seat.link.status_reason
    assert secret not in caplog.text


@pytest.mark.parametrize("seed", range(3))
async def test_r14_after_a_busy_time_our_picture_is_the_backends(rig: Rig, tmp_path: Path, seed: int) -> None:
    rooms = [rig.furnish(f"Room {nth}") for nth in range(5)]
    async with gateway_on(rig, tmp_path) as seat:
        await live_a_while(rig, rooms, steps=400, seed=seed)
        await seat.until_true()
        for room in rooms:
            _history_is_sound(seat, room)
        assert all(each.room.state is RoomState.ACTIVE for each in seat.live.rooms() if each.room.participants)


def _history_is_sound(seat: Seat, room: str) -> None:
    """Joined before anything else, left exactly once, numbered without a gap."""
    inside: set[str] = set()
    for event in seat.history(room):
        match event:
            case ParticipantJoined(_, participant):
                assert participant.id not in inside
                inside.add(participant.id)
            case ParticipantUpdated(_, participant, changed):
                assert participant.id in inside
                assert changed
            case ParticipantLeft(_, participant, _):
                inside.remove(participant.id)
                assert not participant.talking
    sequences = [update.position.sequence for update in seat.seen if update.key.room_id == room]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_two_gateways_on_one_backend_see_the_same(rig: Rig, room: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with gateway_on(rig, tmp_path / "a") as one, gateway_on(rig, tmp_path / "b") as other:
        await asyncio.gather(one.until_status(BackendStatus.LIVE), other.until_status(BackendStatus.LIVE))
        rig.somebody_joins(room, "Ann")
        await asyncio.gather(one.until_true(), other.until_true())
        assert one.picture() == other.picture()
