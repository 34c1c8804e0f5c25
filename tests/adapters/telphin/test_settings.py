"""Settings both ways: every property of the page, its limits, and refusals that name the field and repeat no PIN."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.understanding import JsonObject, shaped
from adapters.telphin.settings import number_wanted, patch_to_wire, settings_of
from adapters.telphin.wire import ConferenceJson
from gateway.model.commands import SettingsPatch
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.room import RoomSettings
from tests.adapters.telphin.told import SALES, extension

NOTHING = ConferenceJson(
    announce_caller_name=False,
    enter_sound=None,
    max_members=None,
    pin=None,
    moderator_pin=None,
    mute_non_moderator=False,
    music_on_hold_sound=None,
    record_enabled=False,
)
EVERYTHING = ConferenceJson(
    announce_caller_name=True,
    enter_sound=17,
    max_members=12,
    pin="1234",
    moderator_pin="4321",
    mute_non_moderator=True,
    music_on_hold_sound=18,
    record_enabled=True,
)
pins = st.lists(st.text("0123456789", min_size=1, max_size=32), max_size=1)
sounds = st.none() | st.integers(1, 2**63 - 1).map(str)
patches = st.fixed_dictionaries(
    {},
    optional={
        "max_participants": st.integers(1, 100),
        "member_pins": pins,
        "moderator_pins": pins,
        "join_muted": st.booleans(),
        "announce_joins_by_name": st.booleans(),
        "entry_tone": sounds,
        "music_on_hold": sounds,
        "recording_enabled": st.booleans(),
    },
)


def read(conference: object) -> RoomSettings:
    return settings_of(shaped(conference, ConferenceJson, "conference"), extension(SALES))


def refusal(patch: SettingsPatch, stored: ConferenceJson | None = NOTHING) -> list[tuple[str, ...] | None]:
    """Which fields are refused."""
    with pytest.raises(CommandRefused) as caught:
        patch_to_wire(patch, stored)
    assert {error.code for error in caught.value.errors} == {CommandErrorCode.INVALID_INPUT}
    return [error.field for error in caught.value.errors]


def test_every_property_of_the_page_is_one_of_our_settings() -> None:
    found = read(EVERYTHING)
    assert found == RoomSettings(
        max_participants=12,
        member_pins=("1234",),
        moderator_pins=("4321",),
        join_muted=True,
        announce_joins_by_name=True,
        entry_tone="17",
        music_on_hold="18",
        recording_enabled=True,
        native=found.native,
    )
    assert found.native == {
        "number": "850",
        "name": "000*850",
        "status": "active",
        "label": "Sales",
        "domain": "sip.example.org",
    }


def test_what_is_null_is_the_default_that_the_page_gives_and_what_is_missing_is_not_said() -> None:
    found = read(NOTHING)
    assert found.max_participants == 100
    assert (found.member_pins, found.moderator_pins) == ((), ())
    assert (found.join_muted, found.recording_enabled, found.announce_joins_by_name) == (False, False, False)
    assert (found.entry_tone, found.music_on_hold) == (None, None)
    missing = read({})
    assert missing == RoomSettings(native=missing.native)


def test_what_an_extension_keeps_of_applications_is_not_shown() -> None:
    raw = extension(SALES, extra_params={"password": "x"}, message_did="7495")
    assert "extra_params" not in settings_of(NOTHING, raw).native
    assert settings_of(NOTHING, raw).native["message_did"] == "7495"


@settings(max_examples=100, deadline=None)
@given(patch=patches, stored=st.sampled_from([NOTHING, EVERYTHING]))
def test_what_is_written_is_what_is_read_back(patch: dict[str, object], stored: ConferenceJson) -> None:
    before = read(stored)
    try:
        conference, of_extension = patch_to_wire(patch, stored)
    except CommandRefused:
        member = patch.get("member_pins", before.member_pins)
        assert not member
        assert patch.get("moderator_pins", before.moderator_pins)
        return
    after = read(conference or stored)
    assert of_extension == {}
    for name in ("max_participants", "member_pins", "moderator_pins", "join_muted", "entry_tone", "music_on_hold"):
        expected = patch.get(name, getattr(before, name))
        expected = tuple(expected) if isinstance(expected, list) else expected
        assert getattr(after, name) == expected
    for name in ("announce_joins_by_name", "recording_enabled"):
        assert getattr(after, name) == patch.get(name, getattr(before, name))


def test_all_properties_are_sent_since_nobody_says_what_becomes_of_those_left_out() -> None:
    conference, _ = patch_to_wire({"max_participants": 5}, EVERYTHING)
    assert conference == {**EVERYTHING, "max_members": 5}
    assert patch_to_wire({"native": {"status": "blocked"}}, EVERYTHING) == ({}, {"status": "blocked"})
    assert patch_to_wire({}, EVERYTHING) == ({}, {})


def test_a_moderator_pin_needs_a_member_pin_whichever_of_them_changes() -> None:
    assert refusal({"moderator_pins": ["1"]}) == [("settings", "moderatorPins")]
    assert refusal({"moderator_pins": ["1"]}, None) == [("settings", "moderatorPins")]
    assert refusal({"member_pins": []}, EVERYTHING) == [("settings", "memberPins")]
    assert refusal({"member_pins": [], "moderator_pins": ["1"]}, EVERYTHING) == [("settings", "moderatorPins")]
    with_member = ConferenceJson(pin="1234", moderator_pin=None)
    assert patch_to_wire({"moderator_pins": ["1"]}, with_member)[0]["moderator_pin"] == "1"
    cleared, _ = patch_to_wire({"member_pins": None, "moderator_pins": []}, EVERYTHING)
    assert (cleared["pin"], cleared["moderator_pin"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "shown", "values"),
    [
        ("max_participants", "maxParticipants", [0, 101, -1, True, "5", None]),
        ("member_pins", "memberPins", [["1", "2"], ["12a"], [""], ["１２"], "1234", ["1" * 33], [1234]]),
        ("moderator_pins", "moderatorPins", [["1", "2"], ["#1"]]),
        ("entry_tone", "entryTone", ["default", "", "-1", "0", "007", 17, str(2**63), "1" * 20]),
        ("music_on_hold", "musicOnHold", ["local_stream://moh"]),
        ("join_muted", "joinMuted", ["yes", 1, None]),
        ("exit_tone", "exitTone", ["17", None]),
        ("join_deafened", "joinDeafened", [True]),
        ("owner_id", "ownerId", ["x"]),
    ],
)
def test_what_telphin_does_not_take_is_refused_by_the_name_of_its_field(
    name: str, shown: str, values: list[object]
) -> None:
    for value in values:
        assert refusal({name: value}) == [("settings", shown)]


def test_all_that_is_wrong_is_said_at_once_and_no_pin_is_repeated() -> None:
    patch: JsonObject = {"max_participants": 500, "member_pins": ["77x31"], "native": {"label": "x", "status": "open"}}
    with pytest.raises(CommandRefused) as caught:
        patch_to_wire(patch, NOTHING)
    assert [error.field for error in caught.value.errors] == [
        ("settings", "native", "label"),
        ("settings", "native", "status"),
        ("settings", "maxParticipants"),
        ("settings", "memberPins"),
    ]
    assert "77x31" not in repr(caught.value.errors)
    assert refusal({"native": 5}) == [("settings", "native")]


def test_the_number_is_given_for_a_new_room_and_cannot_be_changed() -> None:
    assert number_wanted({"native": {"number": "860"}}) == "860"
    assert patch_to_wire({"native": {"number": "860"}}) == ({}, {})
    assert refusal({"native": {"number": "860"}}) == [("settings", "native", "number")]
    wrongs: list[JsonObject] = [{}, {"native": {}}, {"native": {"number": 860}}, {"native": {"number": "*86"}}]
    for wrong in wrongs:
        with pytest.raises(CommandRefused) as caught:
            number_wanted(wrong)
        assert caught.value.errors[0].field == ("settings", "native", "number")
