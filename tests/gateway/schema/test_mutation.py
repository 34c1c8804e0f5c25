"""What mutations do, and what they answer."""

import asyncio
from typing import Any

import pytest

from gateway.live.link import BackendStatus
from gateway.model.capability import Capability, absent
from gateway.model.commands import Action, AdoptRoom, CreateRoom, Invite, PlayMedia, UpdateSettings
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.ids import BackendId, ParticipantId, RoomId
from gateway.model.room import ParticipantRole
from tests.gateway.schema.house import ADMIN, CLOUD, ME, MODERATOR, PBX, SCHEMA, VIEWER, House, backend, gid
from tests.switchboard import NO_HOLD, VOICE_CALL_TOKEN

ERRORS = "outcome position errors { code message field retryAfterMs capability }"
ELSEWHERE = BackendId("elsewhere")


def on_participant(name: str) -> str:
    return f"""mutation ($input: ParticipantCommandInput!) {{ payload: {name}(input: $input) {{
        __typename {ERRORS} participant {{ id muted deafened leftAt }} room {{ id participantCount position }} }} }}"""


def on_room(name: str) -> str:
    return f"""mutation ($input: RoomCommandInput!) {{ payload: {name}(input: $input) {{
        {ERRORS} room {{ id state locked recording }} }} }}"""


def on_everybody(name: str) -> str:
    return f"""mutation ($input: BulkCommandInput!) {{ payload: {name}(input: $input) {{
        {ERRORS} room {{ id }} results {{ outcome error {{ code }} participant {{ id muted }} }} }} }}"""


async def done(house: House, mutation: str, viewer: Any = MODERATOR, **wish: Any) -> Any:
    return (await house.data(mutation, viewer, input=wish))["payload"]


def refusal(payload: Any) -> tuple[str, list[str] | None]:
    assert payload["outcome"] == "REJECTED"
    assert payload["position"] is None
    (error,) = payload["errors"]
    assert error["message"]
    return error["code"], error["field"]


@pytest.mark.parametrize(
    ("mutation", "field", "value"),
    [
        ("muteParticipant", "muted", True),
        ("unmuteParticipant", "muted", False),
        ("deafenParticipant", "deafened", True),
        ("undeafenParticipant", "deafened", False),
    ],
)
async def test_a_command_is_confirmed_with_what_it_did(house: House, mutation: str, field: str, value: bool) -> None:
    await house.with_people("board", "anna", **{field: not value})
    payload = await done(house, on_participant(mutation), participantId=gid("board", "anna"))
    assert (payload["outcome"], payload["errors"]) == ("CONFIRMED", [])
    assert payload["participant"][field] is value
    assert payload["room"]["position"] == payload["position"]
    assert payload["__typename"] == "ParticipantCommandPayload"


async def test_the_position_of_a_confirmed_command_is_that_of_its_event(house: House) -> None:
    room = await house.with_people("board", "anna")
    query = "subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position } }"
    async with house.follow(query, VIEWER, id=room) as events:
        await events.next()
        house.pbx.change("board", "anna", talking=True)
        payload = await done(house, on_participant("muteParticipant"), participantId=gid("board", "anna"))
        house.pbx.change("board", "anna", talking=False)
        positions = [(await events.next())["position"] for _ in range(3)]
    assert positions.index(payload["position"]) == 1


async def test_a_kick_answers_with_the_participant_as_they_left(house: House) -> None:
    await house.with_people("board", "anna", "ben")
    payload = await done(house, on_participant("kickParticipant"), participantId=gid("board", "ben"))
    assert payload["outcome"] == "CONFIRMED"
    assert payload["participant"]["id"] == gid("board", "ben")
    assert payload["participant"]["leftAt"] is not None
    assert payload["room"]["participantCount"] == 1


async def test_what_the_backend_accepts_and_nobody_sees_is_accepted(house: House) -> None:
    await house.with_people("board", "anna")
    house.pbx.silent = True
    payload = await done(house, on_participant("muteParticipant"), participantId=gid("board", "anna"))
    assert (payload["outcome"], payload["errors"], payload["position"]) == ("ACCEPTED", [], None)


async def test_what_the_backend_does_not_answer_is_unknown(house: House) -> None:
    await house.with_people("board", "anna")
    house.pbx.silent = house.pbx.mute_of_answers = True
    payload = await done(house, on_participant("muteParticipant"), participantId=gid("board", "anna"))
    assert payload["outcome"] == "UNKNOWN"
    assert [each["code"] for each in payload["errors"]] == ["TIMEOUT"]


async def test_a_refusal_of_the_backend_is_in_the_payload(house: House) -> None:
    await house.with_people("board", "anna")
    house.pbx.refusal = CommandError(CommandErrorCode.BACKEND_RATE_LIMITED, "slower, please", retry_after_ms=700)
    payload = await done(house, on_participant("muteParticipant"), participantId=gid("board", "anna"))
    assert refusal(payload) == ("BACKEND_RATE_LIMITED", None)
    assert payload["errors"][0]["retryAfterMs"] == 700


async def test_what_a_backend_cannot_do_says_why(house: House) -> None:
    await house.with_people("board", "anna")
    payload = await done(house, on_participant("holdParticipant"), participantId=gid("board", "anna"))
    assert refusal(payload) == ("NOT_SUPPORTED", None)
    assert NO_HOLD in payload["errors"][0]["message"]
    assert payload["errors"][0]["capability"] == "HOLD"
    by_keys = await done(house, on_room("holdRoom"), roomId=gid("board"))
    assert "*6" in by_keys["errors"][0]["message"]
    assert house.pbx.executed == []


async def test_a_role_that_is_too_low_is_refused(house: House) -> None:
    await house.with_people("board", "anna")
    payload = await done(house, on_participant("muteParticipant"), VIEWER, participantId=gid("board", "anna"))
    assert refusal(payload) == ("FORBIDDEN", None)
    deletion = "mutation ($input: RoomCommandInput!) { payload: deleteRoom(input: $input) { " + ERRORS + " } }"
    assert refusal(await done(house, deletion, MODERATOR, roomId=gid("board"))) == ("FORBIDDEN", None)
    assert house.pbx.executed == []


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("nonsense", "INVALID_INPUT"),
        ("", "INVALID_INPUT"),
        (gid("board"), "INVALID_INPUT"),
        (gid("board", "ben"), "PARTICIPANT_NOT_FOUND"),
        (gid("lobby", "anna"), "PARTICIPANT_NOT_FOUND"),
        (gid("board", "anna", CLOUD), "PARTICIPANT_NOT_FOUND"),
        (gid("board", "anna", ELSEWHERE), "PARTICIPANT_NOT_FOUND"),
    ],
)
async def test_a_participant_that_does_not_exist_is_refused(house: House, who: str, code: str) -> None:
    await house.with_people("board", "anna")
    payload = await done(house, on_participant("muteParticipant"), participantId=who)
    assert refusal(payload) == (code, ["input", "participantId"])
    assert (payload["participant"], house.pbx.executed) == (None, [])


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ("nonsense", "INVALID_INPUT"),
        (gid("board", "anna"), "INVALID_INPUT"),
        (gid("lobby"), "ROOM_NOT_FOUND"),
        (gid("board", None, ELSEWHERE), "ROOM_NOT_FOUND"),
    ],
)
async def test_a_room_that_does_not_exist_is_refused(house: House, which: str, code: str) -> None:
    await house.with_people("board", "anna")
    for mutation in (on_room("lockRoom"), on_room("muteMe"), on_everybody("muteAll")):
        assert refusal(await done(house, mutation, roomId=which)) == (code, ["input", "roomId"])


@pytest.mark.parametrize(
    ("mutation", "field", "value"),
    [
        ("lockRoom", "locked", True),
        ("unlockRoom", "locked", False),
        ("startRecording", "recording", True),
        ("stopRecording", "recording", False),
    ],
)
async def test_a_room_is_locked_and_recorded(house: House, mutation: str, field: str, value: bool) -> None:
    room = await house.with_people("board", "anna")
    payload = await done(house, on_room(mutation), roomId=room)
    assert payload["outcome"] == "CONFIRMED"
    assert payload["room"][field] is value


async def test_closing_a_room_ends_its_conference(house: House) -> None:
    room = await house.with_people("board", "anna", "ben")
    payload = await done(house, on_room("closeRoom"), roomId=room)
    assert (payload["outcome"], payload["room"]["state"]) == ("CONFIRMED", "IDLE")


async def test_an_empty_room_cannot_be_locked(house: House) -> None:
    house.pbx.open_room("board")
    await house.until(lambda: house.room("board"))
    assert refusal(await done(house, on_room("lockRoom"), roomId=gid("board"))) == ("ROOM_NOT_ACTIVE", None)


async def test_viewers_may_mute_themselves(house: House) -> None:
    room = await house.with_people("board", "anna", user_id=ME)
    payload = await done(house, on_room("muteMe"), VIEWER, roomId=room)
    assert payload["outcome"] == "CONFIRMED"
    at = house.room("board")
    assert at is not None
    assert at.room.participants[ParticipantId("anna")].muted is True
    assert (await done(house, on_room("unmuteMe"), VIEWER, roomId=room))["outcome"] == "CONFIRMED"


async def test_who_is_not_in_a_room_cannot_mute_themselves_there(house: House) -> None:
    room = await house.with_people("board", "anna")
    assert refusal(await done(house, on_room("muteMe"), VIEWER, roomId=room)) == ("NOT_A_MEMBER", None)


async def test_muting_all_spares_whom_the_backend_spares_unless_told_otherwise(house: House) -> None:
    room = await house.with_people("board", "anna", "ben")
    house.pbx.join("board", "mia", role=ParticipantRole.MODERATOR, user_id=ME)
    await house.until(lambda: "mia" in house.people("board"))
    payload = await done(house, on_everybody("muteAll"), roomId=room)
    assert payload["outcome"] == "CONFIRMED"
    assert {each["participant"]["id"] for each in payload["results"]} == {gid("board", "anna"), gid("board", "ben")}
    assert [command.action for command in house.pbx.executed] == [Action.MUTE_ALL]
    everybody = await done(house, on_everybody("muteAll"), roomId=room, sparing=[])
    assert len(everybody["results"]) == 3
    but_me = await done(house, on_everybody("unmuteAll"), roomId=room, sparing=["ME"])
    assert {each["outcome"] for each in but_me["results"]} == {"CONFIRMED"}
    assert len(but_me["results"]) == 2


async def test_kicking_all_answers_for_each(house: House) -> None:
    room = await house.with_people("board", "anna", "ben")
    house.pbx.refusal = CommandError(CommandErrorCode.BACKEND_REFUSED, "not today")
    payload = await done(house, on_everybody("kickAll"), roomId=room)
    assert payload["outcome"] == "REJECTED"
    assert [each["error"] for each in payload["results"]] == [{"code": "BACKEND_REFUSED"}] * 2
    house.pbx.refusal = None
    payload = await done(house, on_everybody("kickAll"), roomId=room)
    assert (payload["outcome"], len(payload["results"])) == ("CONFIRMED", 2)
    assert house.people("board") == set()


INVITE = """mutation ($input: InviteParticipantInput!) { payload: inviteParticipant(input: $input) {
    outcome position errors { code field } participant { number role displayName } } }"""


async def test_a_guest_is_called_into_a_room(house: House) -> None:
    room = await house.with_people("board", "anna")
    payload = await done(
        house, INVITE, roomId=room, destination="+1555", role="MODERATOR", earlyJoin=True, displayName="Guest"
    )
    assert payload["outcome"] == "CONFIRMED"
    assert payload["participant"] == {"number": "+1555", "role": "MODERATOR", "displayName": "Guest"}
    assert house.pbx.executed == [
        Invite(RoomId("board"), "+1555", ParticipantRole.MODERATOR, early_join=True, display_name="Guest")
    ]


async def test_what_an_invitation_leaves_out_is_as_the_schema_says(house: House) -> None:
    room = await house.with_people("board", "anna")
    await done(house, INVITE, roomId=room, destination="7")
    await done(house, INVITE, roomId=room, destination="8", role=None, earlyJoin=None, displayName=None)
    assert house.pbx.executed == [Invite(RoomId("board"), each) for each in ("7", "8")]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"destination": ""}, "destination"),
        ({"destination": "1" * 257}, "destination"),
        ({"destination": "1", "displayName": "x" * 129}, "displayName"),
    ],
)
async def test_texts_have_a_limit(house: House, wish: dict[str, str], field: str) -> None:
    room = await house.with_people("board", "anna")
    payload = (await house.data(INVITE, MODERATOR, input={"roomId": room} | wish))["payload"]
    assert payload["errors"] == [{"code": "INVALID_INPUT", "field": ["input", field]}]
    assert house.pbx.executed == []


PLAY = """mutation ($input: PlayMediaInput!) { payload: playMedia(input: $input) {
    outcome position errors { code message field } } }"""


async def test_a_sound_is_played_to_the_room_or_to_one(house: House) -> None:
    room = await house.with_people("board", "anna")
    await house.with_people("lobby", "anna")
    assert (await done(house, PLAY, roomId=room, media="gong"))["outcome"] == "ACCEPTED"
    await done(house, PLAY, roomId=room, media="gong", participantId=gid("board", "anna"))
    assert house.pbx.executed == [
        PlayMedia(RoomId("board"), "gong"),
        PlayMedia(RoomId("board"), "gong", ParticipantId("anna")),
    ]
    for wish, code, field in (
        ({"media": ""}, "INVALID_INPUT", "media"),
        ({"media": "x" * 2049}, "INVALID_INPUT", "media"),
        ({"media": "gong", "participantId": gid("lobby", "anna")}, "INVALID_INPUT", "participantId"),
        ({"media": "gong", "participantId": gid("board", "ben")}, "PARTICIPANT_NOT_FOUND", "participantId"),
    ):
        assert refusal(await done(house, PLAY, roomId=room, **wish)) == (code, ["input", field])


CREATE = """mutation ($input: CreateRoomInput!) { payload: createRoom(input: $input) {
    outcome position errors { code message field } room { id name settings { maxParticipants memberPins } } } }"""
UPDATE = """mutation ($input: UpdateRoomSettingsInput!) { payload: updateRoomSettings(input: $input) {
    outcome position errors { code message field }
    room { name settings { maxParticipants memberPins joinMuted } } } }"""


async def test_a_room_is_made_changed_and_deleted(house: House) -> None:
    made = await done(
        house, CREATE, ADMIN, backendId=backend(PBX), name="New", settings={"maxParticipants": 5, "memberPins": ["1"]}
    )
    assert made["outcome"] == "CONFIRMED"
    assert made["room"]["settings"] == {"maxParticipants": 5, "memberPins": ["1"]}
    room = made["room"]["id"]
    changed = await done(house, UPDATE, ADMIN, roomId=room, settings={"maxParticipants": None, "joinMuted": True})
    assert changed["outcome"] == "CONFIRMED"
    assert changed["room"] == {
        "name": "New",
        "settings": {"maxParticipants": None, "memberPins": ["1"], "joinMuted": True},
    }
    deletion = "mutation ($input: RoomCommandInput!) { payload: deleteRoom(input: $input) { outcome deletedRoomId } }"
    assert await done(house, deletion, ADMIN, roomId=room) == {"outcome": "CONFIRMED", "deletedRoomId": room}
    assert await house.data("query ($id: ID!) { room(id: $id) { id } }", id=room) == {"room": None}


async def test_what_opens_a_conference_is_given_once_and_stored_nowhere(house: House) -> None:
    create = """mutation ($input: CreateRoomInput!) { payload: createRoom(input: $input) {
      outcome voiceCallToken room { id } } }"""
    made = await done(house, create, ADMIN, backendId=backend(PBX), name="New", idempotencyKey="once")
    assert (made["outcome"], made["voiceCallToken"]) == ("CONFIRMED", VOICE_CALL_TOKEN)
    again = await done(house, create, ADMIN, backendId=backend(PBX), name="New", idempotencyKey="once")
    assert (again["room"], again["voiceCallToken"]) == (made["room"], None)


async def test_settings_left_out_are_unchanged_and_null_ones_cleared(house: House) -> None:
    room = await house.with_people("board", "anna")
    await done(house, UPDATE, ADMIN, roomId=room, name="New name", settings={"memberPins": ["1", "2"], "ownerId": None})
    await done(house, UPDATE, ADMIN, roomId=room, name=None, settings={"native": {"a": [1, {"b": None}]}})
    await done(house, CREATE, ADMIN, backendId=backend(PBX), settings=None)
    assert house.pbx.executed == [
        UpdateSettings(RoomId("board"), "New name", {"member_pins": ("1", "2"), "owner_id": None}),
        UpdateSettings(RoomId("board"), None, {"native": {"a": [1, {"b": None}]}}),
        CreateRoom(None, {}),
    ]


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"name": "x" * 129, "settings": {}}, ["input", "name"]),
        ({"settings": {"native": None}}, ["input", "settings", "native"]),
        ({"settings": {"native": [1]}}, ["input", "settings", "native"]),
        ({"settings": {"entryTone": "x" * 2049}}, ["input", "settings", "entryTone"]),
        ({"settings": {"memberPins": ["x" * 2049]}}, ["input", "settings", "memberPins"]),
        ({"settings": {"memberPins": ["1"] * 501}}, ["input", "settings", "memberPins"]),
    ],
)
async def test_wrong_settings_are_named_by_their_path(house: House, wish: dict[str, Any], path: list[str]) -> None:
    room = await house.with_people("board", "anna")
    assert refusal(await done(house, UPDATE, ADMIN, roomId=room, **wish)) == ("INVALID_INPUT", path)


async def test_what_the_backend_finds_wrong_is_named_by_its_path(house: House) -> None:
    house.pbx.refusal = CommandError(
        CommandErrorCode.INVALID_INPUT, "at least 1", field=("settings", "maxParticipants")
    )
    payload = await done(house, CREATE, ADMIN, backendId=backend(PBX), settings={"maxParticipants": 0})
    assert refusal(payload) == ("INVALID_INPUT", ["input", "settings", "maxParticipants"])


async def test_a_backend_that_does_not_exist_is_refused(house: House) -> None:
    for which in ("nonsense", backend(ELSEWHERE)):
        assert refusal(await done(house, CREATE, ADMIN, backendId=which)) == ("INVALID_INPUT", ["input", "backendId"])


ADOPT = """mutation ($input: AdoptRoomInput!) { payload: adoptRoom(input: $input) {
    outcome position errors { code message field capability } room { id nativeId name position } } }"""


async def test_a_conference_made_elsewhere_is_adopted_and_served_like_any_other(house: House) -> None:
    house.pbx.open_elsewhere("conf-1")
    adopted = await done(house, ADOPT, ADMIN, backendId=backend(PBX), nativeId="conf-1", name="Hotline")
    assert (adopted["outcome"], adopted["errors"]) == ("CONFIRMED", [])
    room = {"id": gid("conf-1"), "nativeId": "conf-1", "name": "Hotline"}
    assert adopted["room"] == room | {"position": adopted["position"]}
    found = await house.data("query ($id: ID!) { room(id: $id) { id nativeId name } }", VIEWER, id=gid("conf-1"))
    assert found == {"room": room}
    house.pbx.join("conf-1", "anna")
    await house.until(lambda: house.people("conf-1") == {"anna"})


async def test_only_an_admin_adopts(house: House) -> None:
    house.pbx.open_elsewhere("conf-1")
    for viewer in (VIEWER, MODERATOR):
        payload = await done(house, ADOPT, viewer, backendId=backend(PBX), nativeId="conf-1")
        assert refusal(payload) == ("FORBIDDEN", None)
        assert payload["errors"][0]["capability"] == "ADOPT_ROOM"
    assert house.pbx.executed == []


async def test_a_backend_that_lists_its_rooms_says_why_none_is_adopted(house: House) -> None:
    house.pbx.abilities[Capability.ADOPT_ROOM] = absent("this switch lists its rooms by itself", "here")
    payload = await done(house, ADOPT, ADMIN, backendId=backend(PBX), nativeId="conf-1")
    assert refusal(payload) == ("NOT_SUPPORTED", None)
    assert "lists its rooms by itself" in payload["errors"][0]["message"]
    assert house.pbx.executed == []


async def test_a_repeated_adoption_gets_the_first_answer(house: House) -> None:
    house.pbx.open_elsewhere("conf-1")
    wish = {"backendId": backend(PBX), "nativeId": "conf-1", "idempotencyKey": "k"}
    first, at_once = await asyncio.gather(done(house, ADOPT, ADMIN, **wish), done(house, ADOPT, ADMIN, **wish))
    assert first["outcome"] == "CONFIRMED"
    assert first == at_once == await done(house, ADOPT, ADMIN, **wish)
    assert house.pbx.executed == [AdoptRoom("conf-1", None)]
    other = await done(house, ADOPT, ADMIN, **wish | {"nativeId": "conf-2"})
    assert refusal(other) == ("CONFLICT", ["input", "idempotencyKey"])


@pytest.mark.parametrize(
    ("wish", "code", "field"),
    [
        ({"nativeId": "nowhere"}, "ROOM_NOT_FOUND", "nativeId"),
        ({"nativeId": ""}, "INVALID_INPUT", "nativeId"),
        ({"nativeId": "x" * 129}, "INVALID_INPUT", "nativeId"),
        ({"nativeId": "x", "name": "x" * 129}, "INVALID_INPUT", "name"),
        ({"nativeId": "x", "backendId": backend(ELSEWHERE)}, "INVALID_INPUT", "backendId"),
    ],
)
async def test_what_cannot_be_adopted_is_named_by_its_path(
    house: House, wish: dict[str, Any], code: str, field: str
) -> None:
    payload = await done(house, ADOPT, ADMIN, **{"backendId": backend(PBX)} | wish)
    assert refusal(payload) == (code, ["input", field])


async def test_a_conference_of_ones_own_calls_says_why_it_cannot_be(house: House) -> None:
    start = """mutation ($input: StartConferenceInput!) { payload: startConference(input: $input) {
        outcome position errors { code message field } } }"""
    assert refusal(await done(house, start, VIEWER, backendId=backend(PBX))) == ("NOT_SUPPORTED", None)


async def test_a_backend_that_is_away_is_unavailable_for_now(house: House) -> None:
    room = await house.with_people("board", "anna")
    house.pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is not BackendStatus.LIVE)
    payload = await done(house, on_room("lockRoom"), roomId=room)
    assert refusal(payload) == ("BACKEND_UNAVAILABLE", None)
    assert payload["errors"][0]["retryAfterMs"] > 0


async def test_the_same_key_acts_once_and_a_repeat_gets_the_first_answer(house: House) -> None:
    await house.with_people("board", "anna")
    wish = {"participantId": gid("board", "anna"), "idempotencyKey": "k"}
    mute = on_participant("muteParticipant")
    first, at_once = await asyncio.gather(done(house, mute, **wish), done(house, mute, **wish))
    later = await done(house, mute, **wish)
    assert first["outcome"] == "CONFIRMED"
    assert first == at_once == later
    assert len(house.pbx.executed) == 1
    other = await done(house, on_participant("deafenParticipant"), **wish)
    assert refusal(other) == ("CONFLICT", ["input", "idempotencyKey"])
    theirs = await done(house, mute, ADMIN, **wish)
    assert theirs["outcome"] == "CONFIRMED"
    assert len(house.pbx.executed) == 2


async def test_an_idempotency_key_has_a_limit(house: House) -> None:
    await house.with_people("board", "anna")
    for key in ("", "k" * 201):
        payload = await done(
            house, on_participant("muteParticipant"), participantId=gid("board", "anna"), idempotencyKey=key
        )
        assert refusal(payload) == ("INVALID_INPUT", ["input", "idempotencyKey"])


async def test_every_mutation_refuses_a_room_of_nowhere_in_its_payload(house: House) -> None:
    """None is raised: whatever the mutation, a wrong id comes back as an error of the payload."""
    mutations = SCHEMA._schema.mutation_type
    assert mutations is not None
    more: dict[str, dict[str, Any]] = {
        "AdoptRoomInput": {"nativeId": "1"},
        "InviteParticipantInput": {"destination": "1"},
        "PlayMediaInput": {"media": "x"},
        "UpdateRoomSettingsInput": {"settings": {}},
    }
    on_backends = ("AdoptRoomInput", "CreateRoomInput", "StartConferenceInput")
    for name, field in mutations.fields.items():
        takes = str(field.args["input"].type).rstrip("!")
        wish = {"participantId": "x"} if takes == "ParticipantCommandInput" else {"roomId": "x"}
        wish = {"backendId": "x"} if takes in on_backends else wish
        answer = f"{{ ... on CommandPayload {{ {ERRORS} }} }}"
        query = f"mutation ($input: {takes}!) {{ payload: {name}(input: $input) {answer} }}"
        payload = await done(house, query, ADMIN, **wish, **more.get(takes, {}))
        assert refusal(payload) == ("INVALID_INPUT", ["input", next(iter(wish))]), name


async def test_an_effect_that_overtakes_the_answer_is_confirmed_too(house: House) -> None:
    """The room is gone before the backend has said yes to deleting it."""
    room = await house.with_people("board", "anna")
    house.pbx.hold.clear()
    deletion = """mutation ($input: RoomCommandInput!) { payload: deleteRoom(input: $input) {
        outcome deletedRoomId position } }"""
    asked = asyncio.create_task(done(house, deletion, ADMIN, roomId=room))
    async with asyncio.timeout(10):
        while not house.pbx.executed:  # noqa: ASYNC110  a list, which nobody announces
            await asyncio.sleep(0)
    house.pbx.remove_room("board")
    await house.until(lambda: house.room("board") is None)
    house.pbx.silent = True
    house.pbx.hold.set()
    payload = await asked
    assert (payload["outcome"], payload["deletedRoomId"]) == ("CONFIRMED", room)
    gone = house.seen[-1]
    assert payload["position"] == house.cursors.encode("acme", gone.key, gone.position)
