"""Random conferences, delivered in order, late and doubled: everybody joined once, left once, as who they are."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model.ids import RoomId
from gateway.model.room import Participant, Room, RoomState
from tests.adapters.ringcentral.model import Call, Delivery, RingCentral
from tests.adapters.ringcentral.told import HOST_END
from tests.gateway.model.invariants import presences

_LATE_PLACES = 8
_ACTIONS = ["call", "call", "create", "host", "merge", "merge", "merge", "mute", "change", "hang_up"]
_RARE = ["move", "leave", "end"]
_BEGINNING = [(action, 0, True, True, 0.0) for action in ("call", "create", "host", "merge")]


Step = tuple[str, int, bool, bool, float]
"""What is done, to which, two choices, and how many seconds pass afterwards."""
steps = st.tuples(
    st.sampled_from(_ACTIONS * 2 + _RARE),
    st.integers(0, 7),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 0, 0.1, 1, 3]),
)
scripts = st.lists(steps, min_size=8, max_size=40)


def played(script: list[Step]) -> RingCentral:
    """Some calls and conferences of one host."""
    truth = RingCentral()
    for action, which, yes, also, passing_s in [*_BEGINNING, *script]:
        act(truth, action, which, yes=yes, also=also)
        truth.pass_s(passing_s)
    return truth


def act(truth: RingCentral, action: str, which: int, *, yes: bool, also: bool) -> None:
    """Do something if it can be done now."""
    free = [call for call in truth.calls if call.up and call.merged is None]
    match action:
        case "call" if len(truth.calls) < 6:
            truth.call(inbound=yes, named=also)
        case "create" if len(truth.rooms) < 3:
            truth.create(by_us=yes)
        case "hang_up" if free and not also:
            truth.hang_up(free[which % len(free)], None)
        case "mute" | "hang_up":
            act_on_somebody(truth, action, which)
        case _:
            act_in_room(truth, action, which, free, yes=yes, also=also)


def act_on_somebody(truth: RingCentral, action: str, which: int) -> None:
    inside = [(room, call) for room in truth.open_rooms() for call in truth.inside(room)]
    if inside:
        room, call = inside[which % len(inside)]
        if action == "mute":
            truth.mute(room, call)
        else:
            truth.hang_up(call, room)


def act_in_room(truth: RingCentral, action: str, which: int, free: list[Call], *, yes: bool, also: bool) -> None:
    rooms = [room for room in truth.open_rooms() if truth.sessions[room].parties or action in ("host", "end")]
    if not rooms:
        return
    room = rooms[which % len(rooms)]
    match action:
        case "host" if not truth.sessions[room].parties:
            truth.host_comes(room, role=yes)
        case "end":
            truth.end(room, by_us=yes)
        case _ if room not in truth.hosts:
            return
        case "merge" if free:
            truth.merge(free[which % len(free)], room, by_us=yes)
        case "change":
            truth.host_changes(room, muted=yes, hold=also)
        case "move":
            truth.host_moves(room)
        case "leave" if truth.inside(room):
            truth.host_leaves(room)


delays = st.lists(st.integers(0, _LATE_PLACES), max_size=20)


def histories(delivery: Delivery) -> dict[tuple[str, str], list[str]]:
    """Who joined and left, by room and leg."""
    return {
        (room_id, leg_id): [each for each in said if each != "updated"]
        for room_id, follower in delivery.watcher.followers.items()
        for leg_id, said in presences(follower.events).items()
    }


def assert_true(delivery: Delivery) -> None:
    """Compare the histories with the truth."""
    truth = delivery.truth
    assert histories(delivery) == {
        each: ["joined", "left"] if each in truth.left else ["joined"] for each in truth.joined
    }
    assert delivery.calls.wanted == []


def assert_nobody_is_the_host(delivery: Delivery) -> None:
    for room_id, follower in delivery.watcher.followers.items():
        for event in follower.events:
            shown: Participant | None = getattr(event, "participant", None)
            if shown is not None:
                number = delivery.truth.joined[room_id, shown.id]
                assert shown.number in (number, None)
                assert number == HOST_END.number or shown.display_name != HOST_END.name


def final_rooms(delivery: Delivery) -> dict[RoomId, Room]:
    """The rooms as they are shown in the end, without the moments at which things were noticed."""
    return {
        room.id: replace(
            room, started_at=None, participants={each.id: replace(each, joined_at=None) for each in people(room)}
        )
        for room in delivery.calls.all()
    }


def people(room: Room) -> list[Participant]:
    return list(room.participants.values())


def deliver(truth: RingCentral, late: list[int], doubled: list[int], *, account_wide: bool) -> Delivery:
    delivery = Delivery(truth, account_wide=account_wide)
    delivery.deliver(late, doubled)
    return delivery


@pytest.mark.parametrize("account_wide", [False, True])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, late=delays, doubled=delays)
def test_a_history_is_the_same_however_it_is_delivered(
    account_wide: bool, script: list[Step], late: list[int], doubled: list[int]
) -> None:
    truth = played(script)
    in_order = deliver(truth, [], [], account_wide=account_wide)
    shuffled = deliver(truth, late, doubled, account_wide=account_wide)
    for delivery in (in_order, shuffled):
        assert_nobody_is_the_host(delivery)
        assert_the_host_is_as_said(delivery)
        delivery.poll()
        assert_true(delivery)
        assert_nobody_is_the_host(delivery)
    assert final_rooms(shuffled) == final_rooms(in_order)
    for room in shuffled.calls.all():
        assert shuffled.watcher.room(room.id).state is room.state


def assert_the_host_is_as_said(delivery: Delivery) -> None:
    """Before anything is read: what the last event said of the host counts, in whichever order they came."""
    for room, leg_id in delivery.truth.hosts.items():
        shown = delivery.calls.one(RoomId(room))
        if shown is not None and room in delivery.truth.sessions:
            leg = delivery.truth.leg_of(room, leg_id)
            host = next((each for each in people(shown) if each.id == leg_id), None)
            assert host is not None or shown.state is RoomState.IDLE
            assert host is None or host.muted == leg.muted


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, late=delays, doubled=delays, from_entry=st.integers(0, 60))
def test_what_was_missed_is_found_by_reading(
    script: list[Step], late: list[int], doubled: list[int], from_entry: int
) -> None:
    """Events before some moment are lost; once the rooms have been read, they are true, and nobody left twice."""
    truth = played(script)
    delivery = Delivery(truth, account_wide=False)
    missed = {index for index, entry in enumerate(truth.entries[:from_entry]) if entry.event}
    entries = [replace(each, event=None) if index in missed else each for index, each in enumerate(truth.entries)]
    delivery.truth = replace(truth, entries=entries)
    delivery.deliver(late, doubled)
    for room in truth.open_rooms():
        delivery.get(room)
    delivery.poll()
    here = {each for each in truth.joined if each not in truth.left}
    assert {(room.id, leg) for room in delivery.calls.all() for leg in room.participants} == here
    assert all(said in (["joined"], ["joined", "left"]) for said in histories(delivery).values())
    assert_nobody_is_the_host(delivery)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, late=delays, doubled=delays)
def test_events_alone_are_enough_when_none_is_lost(script: list[Step], late: list[int], doubled: list[int]) -> None:
    delivery = Delivery(played(script), account_wide=False, answering=False)
    delivery.deliver(late, doubled)
    delivery.pass_until(delivery.truth.now + timedelta(seconds=3))
    assert_true(delivery)
    assert_nobody_is_the_host(delivery)
