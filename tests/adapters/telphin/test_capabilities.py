"""What Telphin can do, which keys do what it cannot, and what of it in a room as it is."""

import pytest

from adapters.telphin.capabilities import capabilities, narrowed
from gateway.model.capability import Capability, CapabilityLevel
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomSettings

TABLE = capabilities()
NATIVE = {
    Capability.LIST_ROOMS: "type=conference",
    Capability.LIVE_PARTICIPANTS: "current_calls",
    Capability.KICK: "DELETE",
    Capability.INVITE: "callback",
    Capability.CREATE_ROOM: "POST",
    Capability.UPDATE_SETTINGS: "PUT extension/{id}/conference/",
    Capability.DELETE_ROOM: "DELETE",
}
KEYS = {
    Capability.MUTE_ME: "*1",
    Capability.MUTE_ALL: "*91",
    Capability.UNMUTE_ALL: "*90",
    Capability.LOCK: "*92",
    Capability.UNLOCK: "*93",
}


def room(people: int = 0, **settings: object) -> Room:
    who = [Participant(id=ParticipantId(f"501-c{nth}")) for nth in range(people)]
    given = RoomSettings(max_participants=3, native={"status": "active", **settings})
    return Room(id=RoomId("501"), settings=given, participants={each.id: each for each in who})


def test_every_capability_has_an_entry_a_source_and_a_reason_where_it_cannot_be_used() -> None:
    assert list(TABLE) == list(Capability)
    assert all(support.usable or support.reason for support in TABLE.values())
    assert all(support.source for support in TABLE.values())


def test_what_the_api_has_is_native_and_says_by_which_request() -> None:
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.NATIVE} == set(NATIVE)
    assert all(how in TABLE[capability].how for capability, how in NATIVE.items())
    assert {name for name, support in TABLE.items() if support.level is CapabilityLevel.COMPOSED} == {
        Capability.KICK_ALL
    }


def test_what_only_the_phone_does_names_the_keys_of_the_page() -> None:
    by_phone = {name: support for name, support in TABLE.items() if support.level is CapabilityLevel.PHONE_ONLY}
    assert {name: support.phone_keys for name, support in by_phone.items()} == KEYS


def test_what_changes_the_pbx_says_which_access_level_it_needs() -> None:
    for capability in (Capability.CREATE_ROOM, Capability.UPDATE_SETTINGS, Capability.DELETE_ROOM):
        assert "access level All" in (TABLE[capability].reason or "")


@pytest.mark.parametrize(
    ("absent", "word"),
    [
        (Capability.MUTE, "*1"),
        (Capability.UNMUTE, "*90"),
        (Capability.TALKING, "talks"),
        (Capability.CLOSE, "not seen"),
        (Capability.RECORD, "recordingEnabled"),
        (Capability.ADOPT_ROOM, "lists all"),
        (Capability.START_CONFERENCE, "invite"),
    ],
)
def test_what_telphin_cannot_do_is_said_with_what_can_be_done_instead(absent: Capability, word: str) -> None:
    assert TABLE[absent].level is CapabilityLevel.ABSENT
    assert word in (TABLE[absent].reason or "")


def test_whether_a_room_is_full_is_telphins_to_say_since_who_is_shown_may_be_gone() -> None:
    assert narrowed(room(people=4)) == {}


def test_a_blocked_room_takes_nobody_and_one_of_unknown_settings_is_not_judged() -> None:
    assert narrowed(room(status="blocked"))[Capability.INVITE].code is CommandErrorCode.CONFLICT
    assert narrowed(Room(id=RoomId("501"))) == {}
