"""Legs as participants: who somebody is, whether they are in a conference, and what is never concluded."""

from datetime import UTC, datetime

import pytest

from adapters.ringcentral import mapping
from adapters.ringcentral.events import NOBODY, Code, End, Party
from gateway.model.ids import ParticipantId
from gateway.model.room import NOBODY as NOBODY_IN_IT
from gateway.model.room import Participant, ParticipantRole, RoomState
from tests.adapters.ringcentral.told import ANN, HOST_END, gone, host, member, own, remote


def test_who_a_participant_is_is_at_the_other_end_of_the_own_leg() -> None:
    assert mapping.other_end(own("A", Code.GONE, ANN)) == ANN
    assert mapping.other_end(own("A", Code.GONE, HOST_END, inbound=True, caller=ANN)) == ANN


def test_the_other_end_of_an_outside_leg_is_the_host_and_not_told() -> None:
    assert mapping.other_end(remote("A", Code.ANSWERED, ANN)) == NOBODY
    assert mapping.other_end(own("A", Code.GONE, ANN, inbound=None)) == NOBODY


def test_an_outside_leg_tells_whose_it_is() -> None:
    assert mapping.own_end(remote("A", Code.ANSWERED, ANN)) == ANN
    assert mapping.own_end(remote("A", Code.ANSWERED, ANN, inbound=None)) == NOBODY
    assert mapping.own_end(host(Code.ANSWERED)) == HOST_END


def test_the_conference_is_nobody() -> None:
    assert mapping.own_end(host(Code.ANSWERED, inbound=True)) == NOBODY
    assert mapping.other_end(host(Code.ANSWERED)) == NOBODY


@pytest.mark.parametrize(
    ("party", "merged"),
    [
        (gone("A", 2, ANN), True),
        (gone("A", 2, ANN, code=Code.DISCONNECTED), False),
        (gone("A", 2, ANN, reason="AttendedTransfer"), False),
        (gone("A", 2, ANN, reason=None), False),
        (gone("A", 2, ANN, peer=None), False),
        (gone("A", 2, ANN, extension_id=None), False),
    ],
)
def test_a_join_is_the_own_leg_gone_for_the_reason_conference_with_a_peer(party: Party, merged: bool) -> None:
    assert mapping.merged_into(party) is merged


@pytest.mark.parametrize(
    ("party", "is_host"),
    [
        (host(Code.ANSWERED), True),
        (host(Code.ANSWERED, is_host=None, reason="CallSwitch"), True),
        (host(Code.ANSWERED, is_host=False), False),
        (member(2, Code.GONE, "A"), False),
        (member(2, Code.GONE, "A", is_host=None), False),
    ],
)
def test_the_host_is_known_by_role_or_else_by_the_extension(party: Party, is_host: bool) -> None:
    assert mapping.is_host(party) is is_host


@pytest.mark.parametrize("code", Code)
def test_a_host_is_in_the_conference_when_answered_or_on_hold(code: Code) -> None:
    assert mapping.is_in(host(code), host=True) is (code in (Code.ANSWERED, Code.HOLD))


@pytest.mark.parametrize("code", Code)
def test_a_participant_is_in_the_conference_when_gone_with_a_peer(code: Code) -> None:
    assert mapping.is_in(member(2, code, "A"), host=False) is (code in (Code.GONE, Code.ANSWERED, Code.HOLD))
    assert mapping.is_in(member(2, code), host=False) is (code is Code.HOLD)


@pytest.mark.parametrize("reason", ["CallSwitch", "Pickup"])
def test_a_leg_that_ends_for_another_device_has_moved(reason: str) -> None:
    assert mapping.has_moved(host(Code.DISCONNECTED, reason=reason))
    assert not mapping.has_moved(host(Code.ANSWERED, reason=reason))
    assert not mapping.has_moved(host(Code.DISCONNECTED))


def test_hold_is_a_status() -> None:
    assert mapping.on_hold(host(Code.HOLD)) is True
    assert mapping.on_hold(host(Code.ANSWERED)) is False
    assert mapping.on_hold(Party(id="p")) is None


def test_a_participant_has_what_is_known_and_nothing_else() -> None:
    at = datetime(2024, 2, 27, 16, 4, 52, tzinfo=UTC)
    found = mapping.participant(
        "p-C-2",
        host=False,
        original_id="p-A-1",
        who=End("+15550100001", "Ann", "E2"),
        muted=True,
        on_hold=None,
        joined_at=at,
    )
    assert found == Participant(
        id=ParticipantId("p-C-2"),
        leg_id="p-A-1",
        display_name="Ann",
        number="+15550100001",
        user_id="E2",
        role=ParticipantRole.PARTICIPANT,
        muted=True,
        joined_at=at,
    )


def test_the_hosts_leg_is_its_own() -> None:
    found = mapping.participant(
        "p-C-1", host=True, original_id=None, who=HOST_END, muted=None, on_hold=None, joined_at=None
    )
    assert (found.leg_id, found.role, found.user_id) == ("p-C-1", ParticipantRole.MODERATOR, "EXT")


def test_a_room_does_not_outlive_its_conference() -> None:
    found = mapping.room("s-C", None, NOBODY_IN_IT, state=RoomState.IDLE, started_at=None)
    assert (found.id, found.name, found.permanent, found.numbers) == ("s-C", None, False, None)
