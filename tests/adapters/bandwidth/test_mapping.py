"""Conferences, members and calls as ours, and our settings as theirs: every trap of the pages has a test."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import pytest

from adapters.bandwidth import mapping
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from adapters.kit.understanding import shaped
from gateway.model.commands import CreateRoom, UpdateSettings
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, RoomState

RECORDINGS = Path(__file__).parents[2] / "recordings" / "bandwidth"
NUMBER = "+12025550100"
HOOK = "https://gateway:s3cr3t@gateway.example/hooks/bw/"


def recorded(name: str) -> object:
    found: object = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


SEED = shaped(recorded("seed-conference"), ConferenceJson, "conference")
FULL = shaped(recorded("facts-conference"), ConferenceJson, "conference")
MEMBERS = shaped(recorded("facts-members"), list[MemberJson], "members")
CALL = shaped(recorded("facts-call"), CallJson, "call")


# ---- their values ----


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("2013-07-12T15:22:47-02", datetime(2013, 7, 12, 17, 22, 47, tzinfo=UTC)),
        ("2017-01-26T01:58:59Z", datetime(2017, 1, 26, 1, 58, 59, tzinfo=UTC)),
        ("2013-07-12T20:53:11.646Z", datetime(2013, 7, 12, 20, 53, 11, 646000, tzinfo=UTC)),
        ("2013-07-12T16:29:32.521-02:00", datetime(2013, 7, 12, 18, 29, 32, 521000, tzinfo=UTC)),
        ("2017-01-26T01:58:59", datetime(2017, 1, 26, 1, 58, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_however_it_is_written(raw: str, read: datetime) -> None:
    assert mapping.instant(raw) == read


@pytest.mark.parametrize("raw", [None, "", "soon", 1485395939, [], "0001-01-01T00:00:00+23:59"])
def test_what_is_no_instant_is_none(raw: object) -> None:
    assert mapping.instant(raw) is None


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("false", False),
        ("yes", None),
        (1, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_flag_is_a_boolean_or_the_text_of_one(raw: object, read: bool | None) -> None:
    assert mapping.flag(raw) is read


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (0, 0),
        (20, 20),
        ("2000", 2000),
        (3.0, 3),
        (3.5, None),
        (-1, None),
        (True, None),
        ("-1", None),
        ("²", None),
        ("9" * 5000, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (None, None),
        ([], None),
    ],
)
def test_a_count_is_a_number_or_the_text_of_one(raw: object, read: int | None) -> None:
    assert mapping.count(raw) == read


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://api.catapult.inetwork.com/v1/users/u-1/calls/c-1", "c-1"),
        ("/v1/users/u-1/conferences/conf-1/members/member-1/", "member-1"),
        ("calls/c-1?page=1#x", "c-1"),
        ("c-1", "c-1"),
        ("///", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_an_id_is_the_last_segment_of_an_address(address: object, found: str | None) -> None:
    assert mapping.id_in(address) == found


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (HOOK, "https://gateway.example/hooks/bw/"),
        ("HTTPS://u:p@x@host.example/a@b?c=d@e", "HTTPS://host.example/a@b?c=d@e"),
        ("u:p@host.example/a", "host.example/a"),
        ("https://host.example/a@b", "https://host.example/a@b"),
        (None, None),
    ],
)
def test_an_address_is_shown_without_its_secret(address: str | None, shown: str | None) -> None:
    assert mapping.without_user(address) == shown


# ---- members and calls ----


def test_a_list_of_members_keeps_those_who_left() -> None:
    assert [mapping.has_left(each) for each in MEMBERS] == [False, False, True]
    assert mapping.has_left({"id": "m", "removedTime": "2013-07-12T15:56:59-02"})


def test_the_call_of_a_member_is_told_as_a_url() -> None:
    assert [mapping.call_of(each) for each in MEMBERS] == ["c-1", "c-2", "c-3"]
    assert mapping.call_of({"id": "m", "callId": "c-9"}) == "c-9"
    assert mapping.call_of({"id": "m"}) is None


def test_whose_a_call_is_depends_on_its_direction() -> None:
    assert mapping.number_of(CALL) == "+12025550101"
    incoming: CallJson = {"id": "c", "direction": "in", "from": "sip:ann@pbx.example", "to": NUMBER}
    assert mapping.number_of(incoming) == "sip:ann@pbx.example"
    assert mapping.number_of({"id": "c", "from": NUMBER, "to": NUMBER}) is None
    assert mapping.number_of({"id": "c", "direction": "out", "from": NUMBER}) is None


@pytest.mark.parametrize(
    ("state", "is_over", "rings"),
    [
        ("started", False, True),
        ("active", False, False),
        ("transferring", False, False),
        ("rejected", True, False),
        ("completed", True, False),
        (None, False, False),
    ],
)
def test_a_call_rings_is_up_or_is_over(state: str | None, is_over: bool, rings: bool) -> None:
    call: CallJson = {"id": "c", "state": state}
    assert (mapping.is_over(call), mapping.is_ringing(call)) == (is_over, rings)


@pytest.mark.parametrize(
    ("of_room", "own", "comes_to"),
    [
        (True, False, True),
        (True, None, True),
        (False, True, True),
        (False, False, False),
        (False, None, None),
        (None, True, True),
        (None, False, False),
        (None, None, None),
    ],
)
def test_a_flag_of_the_conference_comes_on_top_of_the_own_one(
    of_room: bool | None, own: bool | None, comes_to: bool | None
) -> None:
    assert mapping.effective(of_room, own) is comes_to


def test_a_participant_is_known_by_number_and_call_and_nothing_is_made_up() -> None:
    at = datetime(2013, 7, 12, 17, 54, 47, tzinfo=UTC)
    assert mapping.participant(
        "member-1", call_id="c-1", number=NUMBER, muted=True, on_hold=False, joined_at=at
    ) == Participant(
        id=ParticipantId("member-1"),
        leg_id="c-1",
        number=NUMBER,
        user_id=NUMBER,
        muted=True,
        on_hold=False,
        joined_at=at,
    )


# ---- conferences ----


def test_the_sample_of_the_page_is_an_idle_room() -> None:
    room = mapping.room(SEED, "Board", {}, active=False, on_hold=None, started_at=None)
    assert (room.id, room.name, room.numbers) == (RoomId("{conferenceId}"), "Board", ("+19703255647",))
    assert (room.state, room.permanent) == (RoomState.IDLE, True)
    assert (room.locked, room.recording, room.pin_required, room.on_hold) == (None, None, None, None)
    assert room.settings is not None
    assert room.settings.max_participants == 20
    assert room.settings.native == SEED


def test_a_conference_with_people_runs_and_does_not_outlive_them() -> None:
    at = datetime(2013, 7, 12, tzinfo=UTC)
    room = mapping.room({"id": "conf-1"}, None, {}, active=True, on_hold=True, started_at=at)
    assert (room.state, room.permanent, room.started_at, room.on_hold) == (RoomState.ACTIVE, False, at, True)
    assert room.numbers is None


def test_every_property_of_the_page_is_shown() -> None:
    assert mapping.settings_of(FULL).native == FULL
    assert set(mapping.settings_of(FULL).native) == set(get_type_hints(ConferenceJson))


def test_properties_are_shown_as_what_they_are_and_without_secrets() -> None:
    raw: ConferenceJson = {
        "id": "conf-1",
        "mute": "true",
        "activeMembers": "3",
        "callbackTimeout": "2000",
        "callbackUrl": HOOK,
        "fallbackUrl": HOOK,
        "tag": None,
    }
    native = mapping.settings_of(raw).native
    assert native["mute"] is True
    assert (native["activeMembers"], native["callbackTimeout"]) == (3, 2000)
    assert "s3cr3t" not in str(native)
    assert "tag" not in native


@pytest.mark.parametrize(("conference", "completed"), [(SEED, False), (FULL, True), ({"id": "c"}, False)])
def test_a_conference_is_over_once_it_says_so(conference: ConferenceJson, completed: bool) -> None:
    assert mapping.is_completed(conference) is completed


# ---- our settings as theirs ----


def test_a_new_conference_has_our_number_and_our_hook() -> None:
    assert mapping.body_to_create(CreateRoom("Board", {}), NUMBER, HOOK) == {"from": NUMBER, "callbackUrl": HOOK}
    assert mapping.body_to_create(CreateRoom(None, {"native": None, "join_muted": None}), NUMBER, HOOK) == {
        "from": NUMBER,
        "callbackUrl": HOOK,
    }


ALL = {
    "from": "+19703255647",
    "profile": "passthru_digits",
    "tag": "",
    "callbackTimeout": 10_000,
    "callbackHttpMethod": "GET",
    "fallbackUrl": "https://fallback.example",
}


def test_a_new_conference_may_be_given_all_that_bandwidth_takes() -> None:
    found = mapping.body_to_create(CreateRoom(None, {"native": ALL}), NUMBER, HOOK)
    assert found == {**ALL, "callbackUrl": HOOK}
    found = mapping.body_to_create(CreateRoom(None, {"native": dict.fromkeys(ALL)}), NUMBER, HOOK)
    assert found == {"from": NUMBER, "callbackUrl": HOOK}


def updated(settings: dict[str, object]) -> object:
    return mapping.body_to_update(UpdateSettings(RoomId("conf-1"), "Board", settings))


def test_a_change_has_only_what_was_asked_for() -> None:
    assert updated({}) == {}
    assert updated({"native": {"tag": "t", "callbackHttpMethod": "post"}}) == {"tag": "t", "callbackHttpMethod": "POST"}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"max_participants": 5}, ("maxParticipants",)),
        ({"join_muted": True}, ("joinMuted",)),
        ({"member_pins": ["4711"]}, ("memberPins",)),
        ({"native": 7}, ("native",)),
        ({"native": None}, ("native",)),
        ({"native": {"from": NUMBER}}, ("native", "from")),
        ({"native": {"profile": "passthru_digits"}}, ("native", "profile")),
        ({"native": {"state": "completed"}}, ("native", "state")),
        ({"native": {"callbackUrl": "https://elsewhere.example"}}, ("native", "callbackUrl")),
        ({"native": {"tag": None}}, ("native", "tag")),
        ({"native": {"tag": 7}}, ("native", "tag")),
        ({"native": {"callbackTimeout": 0}}, ("native", "callbackTimeout")),
        ({"native": {"callbackTimeout": 10_001}}, ("native", "callbackTimeout")),
        ({"native": {"callbackTimeout": True}}, ("native", "callbackTimeout")),
        ({"native": {"callbackTimeout": "2000"}}, ("native", "callbackTimeout")),
        ({"native": {"callbackHttpMethod": "PUT"}}, ("native", "callbackHttpMethod")),
        ({"native": {"callbackHttpMethod": 7}}, ("native", "callbackHttpMethod")),
        ({"native": {"fallbackUrl": "ftp://fallback.example"}}, ("native", "fallbackUrl")),
        ({"native": {"fallbackUrl": "https:///x"}}, ("native", "fallbackUrl")),
        ({"native": {"fallbackUrl": "https://a.example/ b"}}, ("native", "fallbackUrl")),
    ],
)
def test_what_bandwidth_would_not_take_is_refused_with_its_place(
    settings: dict[str, object], field: tuple[str, ...]
) -> None:
    with pytest.raises(CommandRefused) as caught:
        updated(settings)
    (error,) = caught.value.errors
    assert (error.code, error.field) == (CommandErrorCode.INVALID_INPUT, ("settings", *field))
    assert "4711" not in error.message


@pytest.mark.parametrize(
    "native", [{"from": "2025550100"}, {"from": "+0"}, {"profile": "loud"}, {"callbackUrl": HOOK}, {"id": "conf-9"}]
)
def test_a_new_conference_is_checked_too(native: dict[str, object]) -> None:
    with pytest.raises(CommandRefused) as caught:
        mapping.body_to_create(CreateRoom(None, {"native": native}), NUMBER, HOOK)
    assert [error.field for error in caught.value.errors] == [("settings", "native", *native)]


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(CommandRefused) as caught:
        updated({"exit_tone": "beep", "native": {"tag": 7, "colour": "red", "callbackTimeout": 5}})
    assert [error.field for error in caught.value.errors] == [
        ("settings", "exitTone"),
        ("settings", "native", "tag"),
        ("settings", "native", "colour"),
    ]
