"""What Bandwidth can do, and what of it in a room as it is; its limits are said before they hurt."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.bandwidth.capabilities import capabilities, narrowed
from gateway.live.asks import AskEverybody
from gateway.model.capability import Capability, CapabilityLevel
from gateway.model.commands import Action, ParticipantCommand, RoomCommand, StartConference
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomState
from tests.adapters.bandwidth.bandwidth_gateway import ANN, codes, house

NATIVE = {
    Capability.LIVE_PARTICIPANTS: "conference-member",
    Capability.MUTE: "members/{id} mute",
    Capability.UNMUTE: "members/{id} mute",
    Capability.HOLD: "members/{id} hold",
    Capability.UNHOLD: "members/{id} hold",
    Capability.KICK: "state completed",
    Capability.MUTE_ME: "members/{id} mute",
    Capability.MUTE_ALL: "conferences/{id} mute",
    Capability.UNMUTE_ALL: "conferences/{id} mute",
    Capability.HOLD_ROOM: "conferences/{id} hold",
    Capability.CLOSE: "state completed",
    Capability.PLAY_MEDIA: "audio",
    Capability.CREATE_ROOM: "POST conferences",
    Capability.UPDATE_SETTINGS: "POST conferences/{id}",
    Capability.DELETE_ROOM: "state completed",
    Capability.ADOPT_ROOM: "GET conferences/{id}",
}
COMPOSED = {Capability.LIST_ROOMS, Capability.KICK_ALL, Capability.INVITE}
TABLE = capabilities()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOM = RoomId("conf-1")


def room(state: RoomState, people: int = 0, began: timedelta | None = None) -> Room:
    who = [Participant(id=ParticipantId(f"member-{nth}")) for nth in range(people)]
    started_at = None if began is None else NOW - began
    return Room(id=ROOM, state=state, started_at=started_at, participants={each.id: each for each in who})


def test_every_capability_has_an_entry_and_every_absent_one_a_reason() -> None:
    assert list(TABLE) == list(Capability)
    assert all(support.usable or support.reason for support in TABLE.values())
    assert all(support.source for support in TABLE.values())


def test_what_catapult_has_is_native_and_says_by_which_call() -> None:
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.NATIVE} == set(NATIVE)
    assert {name: how for name, how in NATIVE.items() if how not in (TABLE[name].how or "")} == {}
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.COMPOSED} == COMPOSED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (Capability.CREATE_ROOM, ("24 hours", "20")),
        (Capability.INVITE, ("20",)),
        (Capability.KICK_ALL, ("one request a second",)),
        (Capability.LIST_ROOMS, ("made here or adopted",)),
        (Capability.MUTE_ALL, ("joins later",)),
        (Capability.UPDATE_SETTINGS, ("name",)),
    ],
)
def test_limits_are_said_where_they_will_hurt(name: Capability, words: tuple[str, ...]) -> None:
    assert all(word in (TABLE[name].reason or "") for word in words)


@pytest.mark.parametrize(
    ("absent", "word"),
    [
        (Capability.LOCK, "lock"),
        (Capability.DEAFEN, "hear"),
        (Capability.RECORD, "records calls"),
        (Capability.TALKING, "talks"),
        (Capability.START_CONFERENCE, "one by one"),
    ],
)
def test_what_bandwidth_cannot_do_is_said_with_its_reason(absent: Capability, word: str) -> None:
    assert TABLE[absent].level is CapabilityLevel.ABSENT
    assert word in (TABLE[absent].reason or "")


def test_a_room_that_is_over_is_good_for_nothing_and_says_nothing_of_others() -> None:
    found = narrowed(room(RoomState.ENDED), None, NOW)
    left = {name for name in Capability if TABLE[name].usable} - set(found)
    assert left == {
        Capability.LIST_ROOMS,
        Capability.LIVE_PARTICIPANTS,
        Capability.CREATE_ROOM,
        Capability.ADOPT_ROOM,
    }
    assert {support.code for support in found.values()} == {CommandErrorCode.ROOM_NOT_ACTIVE}


def test_without_anybody_a_room_can_be_filled_held_changed_and_closed() -> None:
    found = narrowed(room(RoomState.IDLE), NOW - timedelta(days=3), NOW)
    assert {support.code for support in found.values()} == {CommandErrorCode.ROOM_NOT_ACTIVE}
    possible = {Capability.INVITE, Capability.HOLD_ROOM, Capability.CLOSE, Capability.UPDATE_SETTINGS}
    assert possible & set(found) == set()
    assert {Capability.MUTE, Capability.KICK_ALL, Capability.PLAY_MEDIA} < set(found)


@pytest.mark.parametrize(("people", "full"), [(19, False), (20, True), (21, True)])
def test_a_full_room_takes_nobody_more(people: int, full: bool) -> None:
    found = narrowed(room(RoomState.ACTIVE, people), NOW, NOW)
    assert (set(found) == {Capability.INVITE}) is full
    assert all("20" in (each.reason or "") and not each.usable for each in found.values())
    assert {each.code for each in found.values()} <= {CommandErrorCode.CONFLICT}


@pytest.mark.parametrize(
    ("made_h", "began_h", "ends"),
    [
        (1.0, 1.0, None),
        (22.9, 22.9, None),
        (23.5, 23.5, "12:30"),
        (23.5, None, "12:30"),
        (23.5, 1.0, "12:30"),  # it may well count from when it was made
        (72.0, 23.5, "12:30"),  # it did not
        (72.0, 1.0, None),
        (72.0, None, None),
    ],
)
def test_in_its_last_hour_a_room_says_when_it_will_end(made_h: float, began_h: float | None, ends: str | None) -> None:
    began = None if began_h is None else timedelta(hours=began_h)
    found = narrowed(room(RoomState.ACTIVE, 2, began), NOW - timedelta(hours=made_h), NOW)
    assert set(found) == (set() if ends is None else {Capability.INVITE})
    for support in found.values():
        assert support.usable
        assert ends is not None
        assert ends in (support.reason or "")


def test_when_nothing_is_known_nothing_is_said() -> None:
    assert narrowed(room(RoomState.ACTIVE, 2), None, NOW) == {}


async def test_what_is_absent_is_refused_with_the_reason_and_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        there.sim.commands.clear()
        key = RoomId(conference)
        for wish in (
            RoomCommand(Action.LOCK, key),
            RoomCommand(Action.START_RECORDING, key),
            ParticipantCommand(Action.DEAFEN, key, ann),
            AskEverybody(Action.DEAFEN_ALL, key),
            StartConference(),
        ):
            result = await there.do(wish)
            assert codes(result) == [CommandErrorCode.NOT_SUPPORTED]
            assert (TABLE[wish.action.capability].reason or "-") in result.errors[0].message
            if not isinstance(wish, AskEverybody | StartConference):  # also where the desk does not stand before it
                with pytest.raises(CommandRefused):
                    await there.adapter.execute(wish, there.room(conference), None)
        assert there.sent == []


async def test_a_conference_near_its_end_says_so_in_the_gateway(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        there.sim.conference(conference).created_at -= 23.5 * 3600
        member = there.sim.join(conference)
        await there.until_shown(conference, member)
        await there.seat.link.reread(RoomId(conference))
        found = there.adapter.capabilities_in(there.room(conference))[Capability.INVITE]
        assert found.usable
        assert "24 hours" in (found.reason or "")
