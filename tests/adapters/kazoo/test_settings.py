"""A room's settings: ours to Kazoo's and back, through a real PATCH, and what Kazoo has no setting for."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kazoo.generations import Generation
from adapters.kazoo.settings import document_of, patch_of, places_in, settings_of
from adapters.kazoo.simulator import Generation as Simulated
from adapters.kit.understanding import JsonObject
from gateway.model.commands import CreateRoom, SettingsPatch, UpdateSettings
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import RoomId
from gateway.model.room import Room, RoomSettings
from tests.adapters.kazoo.kazoo_adapter import connected

DIGITS = st.lists(st.from_regex(r"[0-9]{3,8}", fullmatch=True), unique=True, max_size=3).map(tuple)
TONES = st.sampled_from(["default", "none", "tone_stream://%(200,0,500)"])
FLAGS = (
    "join_muted",
    "join_deafened",
    "moderator_join_muted",
    "moderator_join_deafened",
    "require_moderator",
    "wait_for_moderator",
    "announce_joins_by_name",
    "welcome_prompt",
)
PATCHES: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "max_participants": st.integers(2, 500),
        "member_pins": DIGITS,
        "moderator_pins": DIGITS,
        "entry_tone": TONES,
        "exit_tone": TONES,
        "owner_id": st.text("0123456789abcdef", min_size=32, max_size=32),
        **dict.fromkeys(FLAGS, st.booleans()),
    },
)


@given(PATCHES)
def test_what_is_written_is_what_is_read(patch: SettingsPatch) -> None:
    read = settings_of(document_of("One", patch, Generation.K4_3))
    assert {name: getattr(read, name) for name in patch} == patch
    assert read.native == {}


async def test_settings_go_there_and_back_through_kazoo_of_every_generation() -> None:
    patch: dict[str, object] = {
        "max_participants": 12,
        "member_pins": ("1234", "5678"),
        "moderator_numbers": ("700",),
        "entry_tone": "none",
        "exit_tone": "default",
        "native": {"member": {"play_entry_prompt": True}, "flags": ["vip"]},
        **dict.fromkeys(FLAGS, True),
    }
    for simulated in Simulated:
        async with connected(simulated) as seat:
            made = await seat.do(CreateRoom("One", patch))
            assert isinstance(made, Room)
            room = await seat.read(made.id)
            assert (room.name, room.settings) == (made.name, made.settings)
            assert room.settings is not None
            assert all(getattr(room.settings, name) == value for name, value in patch.items() if name != "native")
            assert room.settings.native["flags"] == ["vip"]
            assert room.settings.native["member"] == {"play_entry_prompt": True}

            change: dict[str, object] = {"max_participants": None, "member_pins": (), "join_muted": False}
            changed = await seat.do(UpdateSettings(room.id, "Two", change), room)
            assert isinstance(changed, Room)
            assert changed.name == "Two"
            assert changed.settings is not None
            assert (changed.settings.max_participants, changed.settings.member_pins) == (None, ())
            assert changed.settings.join_muted is False
            assert changed.settings.moderator_numbers == ("700",)
            assert (await seat.read(made.id)).settings == changed.settings


async def test_kazoo_5_alone_records_by_itself() -> None:
    async with connected(Simulated.K5) as seat:
        made = await seat.do(CreateRoom("One", {"recording_enabled": True}))
        assert isinstance(made, Room)
        assert made.settings is not None
        assert made.settings.recording_enabled is True
    with pytest.raises(CommandRefused, match="begins with Kazoo 5"):
        patch_of(None, {"recording_enabled": True}, Generation.K4_3)


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"music_on_hold": "x"}, ("settings", "musicOnHold")),
        ({"max_participants": 1}, ("settings", "maxParticipants")),
        ({"exit_tone": ""}, ("settings", "exitTone")),
        ({"recording_enabled": False}, ("settings", "recordingEnabled")),
        ({"native": 7}, ("settings", "native")),
        ({"native": {"id": "x"}}, ("settings", "native", "id")),
        ({"native": {"name": "x"}}, ("settings", "native", "name")),
        ({"native": {"pvt_type": "x"}}, ("settings", "native", "pvt_type")),
        ({"native": {"member": {"pins": ["1"]}}}, ("settings", "native", "member", "pins")),
        ({"native": {"play_name": True}}, ("settings", "native", "play_name")),
    ],
)
def test_what_kazoo_has_no_setting_for_is_refused_by_name(patch: SettingsPatch, field: tuple[str, ...]) -> None:
    with pytest.raises(CommandRefused) as caught:
        patch_of(None, patch, Generation.K4_3)
    assert [(error.code, error.field) for error in caught.value.errors] == [(CommandErrorCode.INVALID_INPUT, field)]


def test_every_objection_is_told_at_once() -> None:
    with pytest.raises(CommandRefused) as caught:
        patch_of(None, {"music_on_hold": "x", "max_participants": 0, "join_muted": True}, Generation.K4_3)
    assert len(caught.value.errors) == 2


def test_null_clears_in_a_change_and_is_left_out_of_a_new_document() -> None:
    patch: SettingsPatch = {"max_participants": None, "member_pins": None, "join_muted": True}
    assert patch_of(None, patch, Generation.K4_3) == {
        "max_participants": None,
        "member": {"pins": None, "join_muted": True},
    }
    assert document_of("One", patch, Generation.K4_3) == {"name": "One", "member": {"join_muted": True}}


def test_secrets_are_not_among_the_settings_in_kazoos_words() -> None:
    document: JsonObject = {
        "bridge_username": "u",
        "bridge_password": "hunter2",
        "pin": "hunter2",
        "ui_metadata": {"api_token": "hunter2", "ui": "x"},
        "profile": {"shared-secret": "hunter2"},
        "member": {"pins": ["hunter2"]},
    }
    settings = settings_of(document)
    assert settings.native == {"bridge_username": "u", "ui_metadata": {"ui": "x"}}
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "odd", [{"member": 7}, {"member": {"pins": "1"}}, {"max_participants": True}, {"play_name": 1}]
)
def test_settings_of_odd_types_count_as_not_said(odd: JsonObject) -> None:
    read = settings_of(odd)
    assert read == RoomSettings(native=read.native)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"member_pins": ["12a"]}, ("settings", "memberPins", "0")),
        ({"native": {"language": 7}}, ("settings", "native", "language")),
        ({"owner_id": "short"}, ("settings", "ownerId")),
        ({"join_muted": "yes"}, ("settings", "joinMuted")),
        ({"max_participants": "many"}, ("settings", "maxParticipants")),
        ({"native": {"conference_numbers": ["abc"]}}, ("settings", "native", "conference_numbers", "0")),
    ],
)
async def test_what_kazoos_schema_refuses_is_named_by_our_field(
    settings: Mapping[str, object], field: tuple[str, ...]
) -> None:
    async with connected() as seat:
        with pytest.raises(CommandRefused) as caught:
            await seat.do(CreateRoom("One", settings))
        assert [error.field for error in caught.value.errors] == [field]
        assert {error.code for error in caught.value.errors} == {CommandErrorCode.INVALID_INPUT}


async def test_a_name_that_kazoo_5_refuses_is_named() -> None:
    async with connected(Simulated.K5) as seat:
        seat.sim.add_room("One")
        for name, said in (
            (None, "is required"),
            ("One", "is already in use"),
            ("x" * 200, "too long: the limit is 128"),
        ):
            with pytest.raises(CommandRefused, match=said) as caught:
                await seat.do(CreateRoom(name, {}))
            assert [error.field for error in caught.value.errors] == [("name",)]


async def test_numbers_of_another_room_are_refused_with_the_numbers() -> None:
    async with connected() as seat:
        seat.sim.add_room(numbers=["100"])
        room = await seat.read(seat.sim.add_room())
        with pytest.raises(CommandRefused, match="already in use in this account: 100") as caught:
            await seat.do(UpdateSettings(room.id, None, {"moderator_numbers": ["100"]}), room)
        assert [error.field for error in caught.value.errors] == [("settings", "moderatorNumbers")]


def test_taken_numbers_out_of_two_lists_are_said_of_the_settings() -> None:
    assert places_in({"member_numbers": ["1"], "moderator_numbers": ["2"]})["numbers"].path == ("settings",)


async def test_a_change_that_collides_is_tried_once_more_and_then_is_a_conflict() -> None:
    conflict = (
        b'{"error":"409","message":"datastore_conflict","data":{"message":"conflicting documents"},"status":"error"}'
    )
    async with connected() as seat:
        room = await seat.read(seat.sim.add_room())
        change = UpdateSettings(RoomId(room.id), "New", {})
        seat.sim.answer_raw("PATCH", f"conferences/{room.id}", conflict, 409)
        changed = await seat.do(change, room)
        assert isinstance(changed, Room)
        assert changed.name == "New"
        for _ in range(2):
            seat.sim.answer_raw("PATCH", f"conferences/{room.id}", conflict, 409)
        with pytest.raises(CommandRefused) as caught:
            await seat.do(change, room)
        assert [error.code for error in caught.value.errors] == [CommandErrorCode.CONFLICT]
