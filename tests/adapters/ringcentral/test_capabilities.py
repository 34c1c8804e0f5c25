"""What RingCentral can do, and what of it in a room as it is."""

from pathlib import Path

import pytest

from adapters.ringcentral.capabilities import capabilities, narrowed
from gateway.live.asks import AskEverybody
from gateway.model.capability import Capability, CapabilityLevel
from gateway.model.commands import Action, Invite, ParticipantCommand, RoomCommand, StartConference
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomState
from tests.adapters.ringcentral.ringcentral_gateway import codes, house

NATIVE = {
    Capability.LIVE_PARTICIPANTS: "telephony/sessions",
    Capability.MUTE: "PATCH",
    Capability.UNMUTE: "PATCH",
    Capability.HOLD: "/hold",
    Capability.UNHOLD: "/unhold",
    Capability.KICK: "DELETE sessions/{id}/parties",
    Capability.CLOSE: "DELETE sessions",
    Capability.CREATE_ROOM: "POST conference",
}
COMPOSED = {
    Capability.LIST_ROOMS,
    Capability.MUTE_ME,
    Capability.MUTE_ALL,
    Capability.UNMUTE_ALL,
    Capability.KICK_ALL,
    Capability.INVITE,
}
TABLE = capabilities()
ROOM = RoomId("s-1")


def room(state: RoomState, people: int = 0) -> Room:
    who = [Participant(id=ParticipantId(f"p-1-{nth}")) for nth in range(people)]
    return Room(id=ROOM, state=state, participants={each.id: each for each in who})


def test_every_capability_has_an_entry_and_every_absent_one_a_reason() -> None:
    assert list(TABLE) == list(Capability)
    assert all(support.usable or support.reason for support in TABLE.values())
    assert all(support.source for support in TABLE.values())


def test_what_call_control_has_is_native_and_says_by_which_call() -> None:
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.NATIVE} == set(NATIVE)
    assert all(how in TABLE[capability].how for capability, how in NATIVE.items())
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.COMPOSED} == COMPOSED


def test_what_ringcentral_cannot_do_is_said_with_its_reason() -> None:
    for absent, word in (
        (Capability.LOCK, "lock"),
        (Capability.DEAFEN, "hear"),
        (Capability.RECORD, "record"),
        (Capability.TALKING, "talks"),
        (Capability.UPDATE_SETTINGS, "settings"),
    ):
        assert TABLE[absent].level is CapabilityLevel.ABSENT
        assert word in (TABLE[absent].reason or "")


@pytest.mark.parametrize("state", [RoomState.IDLE, RoomState.ENDED])
def test_without_its_host_a_room_can_only_be_closed(state: RoomState) -> None:
    left = {name for name in Capability if TABLE[name].usable} - set(narrowed(room(state), max_parties=10))
    assert left == {
        Capability.LIST_ROOMS,
        Capability.LIVE_PARTICIPANTS,
        Capability.CLOSE,
        Capability.CREATE_ROOM,
    }
    assert {support.code for support in narrowed(room(state), max_parties=10).values()} == {
        CommandErrorCode.ROOM_NOT_ACTIVE
    }


@pytest.mark.parametrize(("people", "full"), [(2, False), (3, True), (4, True)])
def test_a_full_room_takes_nobody_more(people: int, full: bool) -> None:
    found = narrowed(room(RoomState.ACTIVE, people), max_parties=3)
    assert (set(found) == {Capability.INVITE}) is full
    assert all("3" in (support.reason or "") and not support.usable for support in found.values())


async def test_what_is_absent_is_refused_with_the_reason_and_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (_, ben) = await there.meeting("+15550100001")
        key = RoomId(conference)
        for wish in (
            RoomCommand(Action.LOCK, key),
            RoomCommand(Action.START_RECORDING, key),
            RoomCommand(Action.HOLD_ROOM, key),
            RoomCommand(Action.DELETE_ROOM, key),
            ParticipantCommand(Action.DEAFEN, key, ben),
            AskEverybody(Action.DEAFEN_ALL, key),
            StartConference(),
        ):
            result = await there.do(wish)
            assert codes(result) == [CommandErrorCode.NOT_SUPPORTED]
            assert TABLE[wish.action.capability].reason in result.errors[0].message
            if not isinstance(wish, AskEverybody):  # also where the desk does not stand before it
                with pytest.raises(CommandRefused):
                    await there.adapter.execute(wish, there.room(conference), None)
        assert there.sent == []


async def test_a_full_room_takes_nobody_more_although_ringcentral_would(tmp_path: Path) -> None:
    async with house(tmp_path, max_parties=2) as there:
        conference, _ = await there.meeting("+15550100001")
        found = there.adapter.capabilities_in(there.room(conference))
        assert found[Capability.INVITE].code is CommandErrorCode.CONFLICT
        assert codes(await there.do(Invite(RoomId(conference), "+15550100002"))) == [CommandErrorCode.CONFLICT]
        assert there.sent == []
