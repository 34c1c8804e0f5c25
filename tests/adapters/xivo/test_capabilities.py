"""What a XiVO can do, and what of it in a room as it is."""

from pathlib import Path

import pytest

from adapters.xivo.capabilities import capabilities_of, narrowed
from adapters.xivo.views import Seat
from gateway.live.asks import AskEverybody
from gateway.model.capability import Capability, CapabilityLevel, Sparing
from gateway.model.commands import Action, Invite, ParticipantCommand, RoomCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, ParticipantRole, Room, RoomState
from tests.adapters.xivo.xivo_gateway import ROOM, codes, house

SEED = {
    Capability.LIST_ROOMS: "getConferenceRooms",
    Capability.LIVE_PARTICIPANTS: "ConferenceParticipantEvent",
    Capability.TALKING: "isTalking",
    Capability.MUTE: "conferenceMute",
    Capability.UNMUTE: "conferenceUnmute",
    Capability.DEAFEN: "conferenceDeafen",
    Capability.UNDEAFEN: "conferenceUndeafen",
    Capability.KICK: "conferenceKick",
    Capability.MUTE_ME: "conferenceMuteMe",
    Capability.MUTE_ALL: "conferenceMuteAll",
    Capability.UNMUTE_ALL: "conferenceUnmuteAll",
    Capability.CLOSE: "conferenceClose",
    Capability.INVITE: "conferenceInvite",
    Capability.START_CONFERENCE: "conference",
}
COMPOSED = {Capability.DEAFEN_ALL, Capability.UNDEAFEN_ALL, Capability.KICK_ALL}
TODAY = capabilities_of(lacks=(), lists=True)
IDLE = Room(id=RoomId("4000"), state=RoomState.IDLE)
ACTIVE = Room(
    id=RoomId("4000"), state=RoomState.ACTIVE, participants={ParticipantId("1-1"): Participant(id=ParticipantId("1-1"))}
)


def seat(role: ParticipantRole | None) -> Seat:
    return Seat("ada", 1, role, "1.1")


def test_every_capability_has_an_entry_and_every_absent_one_a_reason() -> None:
    assert list(TODAY) == list(Capability)
    assert all(support.usable or support.reason for support in TODAY.values())
    assert all(support.source for support in TODAY.values())


def test_what_the_page_describes_is_native_and_says_by_which_call() -> None:
    assert {name for name, support in TODAY.items() if support.level is CapabilityLevel.NATIVE} == set(SEED)
    assert all(how in TODAY[capability].how for capability, how in SEED.items())
    assert {name for name, support in TODAY.items() if support.level is CapabilityLevel.COMPOSED} == COMPOSED


def test_whom_a_command_for_everybody_leaves_alone() -> None:
    assert {name: support.spares for name, support in TODAY.items() if support.spares} == {
        Capability.MUTE_ALL: {Sparing.ME},
        Capability.KICK_ALL: {Sparing.MODERATORS},
    }


@pytest.mark.parametrize(
    ("lacks", "gone"),
    [
        ("deafen", {Capability.DEAFEN, Capability.UNDEAFEN, Capability.DEAFEN_ALL, Capability.UNDEAFEN_ALL}),
        ("close", {Capability.CLOSE}),
        ("invite", {Capability.INVITE}),
    ],
)
def test_an_older_xivo_lacks_what_is_configured(lacks: str, gone: set[Capability]) -> None:
    table = capabilities_of(lacks=(lacks,), lists=True)
    assert {name for name in Capability if TODAY[name].usable and not table[name].usable} == gone
    assert all("too old" in (table[name].reason or "") for name in gone)


def test_without_a_room_list_only_that_is_absent() -> None:
    table = capabilities_of(lacks=(), lists=False)
    assert {name for name in Capability if TODAY[name].usable and not table[name].usable} == {Capability.LIST_ROOMS}
    assert table[Capability.LIST_ROOMS].reason


@pytest.mark.parametrize(
    ("room", "seats", "code", "still"),
    [
        (IDLE, [], CommandErrorCode.ROOM_NOT_ACTIVE, {Capability.TALKING}),
        (ACTIVE, [], CommandErrorCode.NOT_A_MEMBER, set()),
        (
            ACTIVE,
            [seat(ParticipantRole.PARTICIPANT)],
            CommandErrorCode.NOT_ORGANIZER,
            {Capability.KICK, Capability.MUTE_ME, Capability.TALKING},
        ),
    ],
)
def test_a_room_narrows_it_with_a_code(
    room: Room, seats: list[Seat], code: CommandErrorCode, still: set[Capability]
) -> None:
    narrow = narrowed(room, seats, TODAY)
    assert {support.code for support in narrow.values()} == {code}
    assert all(support.reason and not support.usable for support in narrow.values())
    usable = {name for name, support in {**TODAY, **narrow}.items() if support.usable}
    always = {Capability.LIST_ROOMS, Capability.LIVE_PARTICIPANTS, Capability.START_CONFERENCE}
    assert usable == always | still


@pytest.mark.parametrize("role", [ParticipantRole.MODERATOR, None])
def test_an_organizer_or_who_may_be_one_can_do_everything(role: ParticipantRole | None) -> None:
    assert narrowed(ACTIVE, [seat(ParticipantRole.PARTICIPANT), seat(role)], TODAY) == {}


def test_that_a_xivo_is_too_old_is_not_hidden_by_the_room() -> None:
    old = capabilities_of(lacks=("deafen", "close", "invite"), lists=True)
    assert not narrowed(IDLE, [], old).keys() & {Capability.DEAFEN, Capability.CLOSE, Capability.INVITE}


async def test_a_room_and_who_sits_in_it_decide_while_the_gateway_runs(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        guest = ParticipantId("1-1")
        asks = (
            AskEverybody(Action.MUTE_ALL, ROOM),
            RoomCommand(Action.CLOSE, ROOM),
            Invite(ROOM, "1003"),
            ParticipantCommand(Action.DEAFEN, ROOM, guest),
        )
        for ask in asks:
            assert codes(await there.do(ask)) == [CommandErrorCode.ROOM_NOT_ACTIVE]
        await there.joins("Guest")
        for ask in asks:
            assert codes(await there.do(ask)) == [CommandErrorCode.NOT_A_MEMBER]
        ada = await there.joins("ada")
        for ask in asks:
            assert codes(await there.do(ask)) == [CommandErrorCode.NOT_ORGANIZER]
        assert there.sent == []
        there.sim.set_organizer(ROOM, there.index(ada), True)
        await there.until(lambda: there.person(ada).role is ParticipantRole.MODERATOR)
        assert there.adapter.capabilities_in(there.room) == {}


async def test_an_older_xivo_says_so_and_is_sent_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, lacks=("deafen", "close", "invite")) as there:
        there.sim.faults.old = True
        await there.joins("ada", organizer=True)
        guest = await there.joins("Guest")
        for ask in (
            ParticipantCommand(Action.DEAFEN, ROOM, guest),
            RoomCommand(Action.CLOSE, ROOM),
            Invite(ROOM, "1003"),
        ):
            assert codes(await there.do(ask)) == [CommandErrorCode.NOT_SUPPORTED]
        assert there.sent == []


async def test_an_older_xivo_that_nobody_has_said_is_one_refuses_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.old = True
        await there.joins("ada", organizer=True)
        await there.joins("Guest")
        assert codes(await there.do(RoomCommand(Action.CLOSE, ROOM))) == [CommandErrorCode.BACKEND_REFUSED]
