"""What each generation can do, and what in a room as it is."""

from dataclasses import replace

import pytest

from adapters.kazoo.capabilities import capabilities_of, narrowed
from adapters.kazoo.generations import Generation
from gateway.model.capability import Capability, CapabilityLevel, Sparing
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomState

IDLE = Room(id=RoomId("r1"), state=RoomState.IDLE)
ACTIVE = replace(IDLE, state=RoomState.ACTIVE, participants={ParticipantId("c1"): Participant(id=ParticipantId("c1"))})
NEVER = {
    Capability.HOLD,
    Capability.UNHOLD,
    Capability.HOLD_ROOM,
    Capability.START_CONFERENCE,
    Capability.ADOPT_ROOM,
}


def absent_in(generation: Generation, *, recording: bool = True) -> set[Capability]:
    table = capabilities_of(generation, recording=recording)
    assert set(table) == set(Capability)
    assert all(support.usable or support.reason for support in table.values())
    return {capability for capability, support in table.items() if not support.usable}


@pytest.mark.parametrize(
    ("generation", "more"),
    [
        (Generation.K4_0, {Capability.INVITE, Capability.PLAY_MEDIA, Capability.RECORD}),
        (Generation.K4_2, {Capability.RECORD}),
        (Generation.MASTER, set()),
        (Generation.K4_3, {Capability.RECORD}),
        (Generation.K5, set()),
    ],
)
def test_each_generation_lacks_what_its_source_lacks(generation: Generation, more: set[Capability]) -> None:
    assert absent_in(generation) == NEVER | more
    assert absent_in(generation, recording=False) == NEVER | more | {Capability.RECORD}


def test_all_spares_moderators_but_for_kick() -> None:
    table = capabilities_of(Generation.K4_3, recording=False)
    sparing = {name for name, support in table.items() if support.spares == frozenset({Sparing.MODERATORS})}
    assert sparing == {
        Capability.MUTE_ALL,
        Capability.UNMUTE_ALL,
        Capability.DEAFEN_ALL,
        Capability.UNDEAFEN_ALL,
    }
    assert not table[Capability.KICK_ALL].spares
    assert table[Capability.CLOSE].level is CapabilityLevel.NATIVE
    assert table[Capability.MUTE_ME].level is CapabilityLevel.COMPOSED


def test_in_an_idle_room_one_can_invite_and_configure_and_no_more() -> None:
    table = capabilities_of(Generation.K4_3, recording=False)
    narrow = narrowed(IDLE, table)
    assert not any(support.usable for support in narrow.values())
    assert all(support.reason for support in narrow.values())
    usable = {name for name, support in {**table, **narrow}.items() if support.usable}
    assert usable == {
        Capability.LIST_ROOMS,
        Capability.LIVE_PARTICIPANTS,
        Capability.TALKING,
        Capability.INVITE,
        Capability.CREATE_ROOM,
        Capability.UPDATE_SETTINGS,
        Capability.DELETE_ROOM,
    }


def test_a_running_room_is_narrowed_by_its_lock_and_by_having_no_document() -> None:
    table = capabilities_of(Generation.K4_3, recording=False)
    assert not narrowed(ACTIVE, table)
    assert set(narrowed(replace(ACTIVE, locked=True), table)) == {Capability.INVITE}
    assert set(narrowed(replace(ACTIVE, permanent=False), table)) == {
        Capability.UPDATE_SETTINGS,
        Capability.DELETE_ROOM,
    }


def test_the_reason_why_an_ability_is_absent_everywhere_is_not_hidden_by_the_room() -> None:
    table = capabilities_of(Generation.K4_0, recording=False)
    assert Capability.PLAY_MEDIA not in narrowed(IDLE, table)
    assert Capability.INVITE not in narrowed(replace(ACTIVE, locked=True), table)
