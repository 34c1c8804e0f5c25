"""What queries answer, to whom."""

import pytest

from gateway.live.link import BackendStatus
from gateway.model.capability import Capability
from gateway.model.ids import BackendId
from gateway.model.room import ParticipantRole, RoomSettings
from gateway.model.viewer import Viewer
from gateway.schema.ids import conference_gid
from tests.gateway.schema.house import ADMIN, ME, MODERATOR, PBX, VIEWER, House, backend, gid
from tests.switchboard import NO_HOLD

SETTINGS = """query ($id: ID!) { room(id: $id) { settings {
    maxParticipants memberPins moderatorPins memberNumbers joinMuted native } } }"""


async def test_the_viewer_is_told_who_they_are(house: House) -> None:
    data = await house.data("{ viewer { subject tenant roles } }", MODERATOR)
    assert data["viewer"] == {"subject": "mo", "tenant": "acme", "roles": ["VIEWER", "MODERATOR"]}


async def test_backends_tell_kind_status_and_abilities(house: House) -> None:
    query = """{ backends { __typename id name kind status statusReason lastSyncedAt
        capabilities { capability level reason phoneKeys spares } rooms { totalCount } } }"""
    pbx, cloud = (await house.data(query))["backends"]
    assert (pbx["id"], pbx["name"], pbx["kind"], pbx["status"]) == (backend(PBX), "Head office", "KAZOO", "LIVE")
    assert cloud["kind"] == "BANDWIDTH"
    assert pbx["lastSyncedAt"].endswith("Z")
    abilities = {each["capability"]: each for each in pbx["capabilities"]}
    assert list(abilities) == [each.value for each in Capability]
    assert abilities["HOLD"]["level"] == "ABSENT"
    assert abilities["HOLD"]["reason"] == NO_HOLD
    assert abilities["HOLD_ROOM"]["phoneKeys"] == "*6"
    assert abilities["MUTE_ALL"]["spares"] == ["MODERATORS"]


async def test_a_lost_backend_says_so_and_its_rooms_are_stale(house: House) -> None:
    room = await house.with_people("board", "anna")
    house.pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    query = (
        "query ($b: ID!, $r: ID!) { backend(id: $b) { status statusReason } room(id: $r) { stale participantCount } }"
    )
    data = await house.data(query, b=backend(PBX), r=room)
    assert data["backend"] == {"status": "STALE", "statusReason": "the switchboard is unplugged"}
    assert data["room"] == {"stale": True, "participantCount": 1}


async def test_a_room_shows_who_is_in_it(house: House) -> None:
    house.pbx.open_room("board", name="Board", numbers=("100", "101"))
    house.pbx.join("board", "anna", display_name="Anna", role=ParticipantRole.MODERATOR, user_id=ME, leg_id="leg-1")
    house.pbx.join("board", "ben", display_name="Ben", number="+1555", index=7, muted=True)
    await house.until(lambda: house.people("board") == {"anna", "ben"})
    query = """query ($id: ID!) { room(id: $id) {
        id nativeId name numbers state detail permanent locked onHold pinRequired recording stale participantCount
        moderatorCount backend { name } me { displayName }
        participants { totalCount edges { node {
            id nativeId index displayName number username role muted deafened onHold talking floor isMe callId
            joinedAt leftAt room { id } } } } } }"""
    room = (await house.data(query, id=gid("board")))["room"]
    anna, ben = (edge["node"] for edge in room["participants"]["edges"])
    assert (room["id"], room["nativeId"], room["numbers"]) == (gid("board"), "board", ["100", "101"])
    assert (room["state"], room["participantCount"], room["moderatorCount"]) == ("ACTIVE", 2, 1)
    assert room["locked"] is None
    assert room["backend"] == {"name": "Head office"}
    assert room["me"] == {"displayName": "Anna"}
    assert (anna["isMe"], anna["callId"], anna["role"]) == (True, "leg-1", "MODERATOR")
    assert (ben["id"], ben["isMe"], ben["index"], ben["muted"], ben["floor"]) == (
        gid("board", "ben"),
        False,
        7,
        True,
        None,
    )
    assert ben["room"] == {"id": gid("board")}
    assert ben["joinedAt"] is not None
    assert ben["leftAt"] is None


async def test_who_is_nobody_on_the_backend_is_nobody_in_the_room(house: House) -> None:
    room = await house.with_people("board", "anna")
    stranger = Viewer("sam", "acme", VIEWER.roles)
    query = "query ($id: ID!) { room(id: $id) { me { id } participants { edges { node { isMe } } } } }"
    data = await house.data(query, stranger, id=room)
    assert data["room"] == {"me": None, "participants": {"edges": [{"node": {"isMe": False}}]}}


async def test_anything_with_an_id_is_found_by_it(house: House) -> None:
    await house.with_people("board", "anna")
    query = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for gid_, typename in ((backend(PBX), "Backend"), (gid("board"), "Room"), (gid("board", "anna"), "Participant")):
        assert (await house.data(query, id=gid_))["node"] == {"__typename": typename, "id": gid_}
    named = "query ($id: ID!) { participant(id: $id) { displayName room { name } } }"
    found = await house.data(named, id=gid("board", "anna"))
    assert found["participant"] == {"displayName": "Anna", "room": {"name": "Board"}}


async def test_what_does_not_exist_is_null(house: House) -> None:
    await house.with_people("board", "anna")
    query = (
        "query ($b: ID!, $r: ID!, $p: ID!) { backend(id: $b) { id } room(id: $r) { id } participant(id: $p) { id } }"
    )
    nobody = {"backend": None, "room": None, "participant": None}
    unknown = BackendId("elsewhere")
    assert await house.data(query, b=backend(unknown), r=gid("lobby"), p=gid("board", "ben")) == nobody
    gone = await house.data(query, b=backend(unknown), r=gid("board", None, unknown), p=gid("lobby", "ben"))
    assert gone == nobody
    for each in (backend(unknown), gid("lobby"), gid("board", "ben")):
        assert (await house.data("query ($id: ID!) { node(id: $id) { id } }", id=each))["node"] is None


@pytest.mark.parametrize("field", ["node", "backend", "room", "participant"])
@pytest.mark.parametrize("bad", ["", "x", "1", "Ym9hcmQ", gid("board") + "=", gid("board")[:-1], "ä", "A" * 5000])
async def test_an_id_that_the_gateway_never_gave_out_is_an_error(house: House, field: str, bad: str) -> None:
    error = await house.error(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=bad)
    assert error.extensions == {"code": "INVALID_INPUT", "argument": "id"}


async def test_an_id_of_something_else_is_an_error(house: House) -> None:
    for field, wrong in (
        ("room", backend(PBX)),
        ("backend", gid("a")),
        ("participant", gid("a")),
        ("room", gid("a", "b")),
    ):
        error = await house.error(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=wrong)
        assert error.extensions == {"code": "INVALID_INPUT", "argument": "id"}
    error = await house.error("query ($id: ID!) { node(id: $id) { id } }", id=conference_gid("1"))
    assert error.extensions == {"code": "INVALID_INPUT", "argument": "id"}


async def test_settings_are_for_those_who_command_and_pins_for_admins(house: House) -> None:
    settings = RoomSettings(
        max_participants=9, member_pins=("1234",), moderator_pins=(), member_numbers=("100",), native={"key": "secret"}
    )
    house.pbx.open_room("board", settings=settings)
    await house.until(lambda: house.room("board"))
    full = {"maxParticipants": 9, "memberPins": ["1234"], "moderatorPins": [], "memberNumbers": ["100"]}
    assert (await house.data(SETTINGS, ADMIN, id=gid("board")))["room"]["settings"] == full | {
        "joinMuted": None,
        "native": {"key": "secret"},
    }
    assert (await house.data(SETTINGS, MODERATOR, id=gid("board")))["room"]["settings"] == full | {
        "joinMuted": None,
        "memberPins": None,
        "moderatorPins": None,
        "native": {},
    }
    assert (await house.data(SETTINGS, VIEWER, id=gid("board")))["room"]["settings"] is None


async def test_settings_are_read_from_the_backend_once_and_only_when_asked_for(house: House) -> None:
    room = await house.with_people("board", "anna")
    before = house.pbx.rooms_read
    await house.data("query ($id: ID!) { room(id: $id) { name participantCount } }", id=room)
    await house.data(SETTINGS, VIEWER, id=room)
    assert house.pbx.rooms_read == before
    for _ in range(3):
        assert (await house.data(SETTINGS, id=room))["room"]["settings"]["native"] == {}
    assert house.pbx.rooms_read == before + 1


async def test_settings_that_cannot_be_read_are_null(house: House) -> None:
    room = await house.with_people("board", "anna")
    house.pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    assert (await house.data(SETTINGS, id=room))["room"] == {"settings": None}


async def test_a_room_tells_what_this_viewer_can_do_in_it_now(house: House) -> None:
    room = await house.with_people("board", "anna")
    house.pbx.open_room("empty")
    await house.until(lambda: house.room("empty"))
    query = "query ($id: ID!) { room(id: $id) { capabilities { capability level reason } } }"

    async def ability(name: str, viewer: Viewer, room_id: str) -> tuple[str, str | None]:
        listed = (await house.data(query, viewer, id=room_id))["room"]["capabilities"]
        (found,) = [each for each in listed if each["capability"] == name]
        return found["level"], found["reason"]

    assert await ability("LOCK", MODERATOR, room) == ("NATIVE", None)
    assert await ability("LOCK", VIEWER, room) == ("ABSENT", "needs the role MODERATOR")
    assert await ability("LOCK", MODERATOR, gid("empty")) == ("ABSENT", "nobody is in the room")
    assert await ability("DELETE_ROOM", MODERATOR, room) == ("ABSENT", "needs the role ADMIN")
    assert await ability("MUTE_ME", VIEWER, room) == ("NATIVE", None)
    assert await ability("HOLD", ADMIN, room) == ("ABSENT", NO_HOLD)


async def test_the_position_of_a_room_is_where_events_go_on(house: House) -> None:
    room = await house.with_people("board", "anna")
    before = (await house.data("query ($id: ID!) { room(id: $id) { position } }", id=room))["room"]["position"]
    house.pbx.join("board", "ben")
    await house.until(lambda: "ben" in house.people("board"))
    query = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
        __typename position } }"""
    async with house.follow(query, id=room, after=before) as events:
        joined = await events.next()
    now = (await house.data("query ($id: ID!) { room(id: $id) { position } }", id=room))["room"]["position"]
    assert joined == {"__typename": "ParticipantJoined", "position": now}
    assert before != now
