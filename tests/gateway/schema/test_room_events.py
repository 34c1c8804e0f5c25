"""One room, followed: a beginning that joins what comes after it, with nothing lost and nothing twice."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.live.live import LiveLimits
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.ids import Position, RoomId, RoomKey
from gateway.model.reports import CommandFailedReport
from gateway.model.room import LeaveReason, RoomSettings
from gateway.schema.cursor import Cursors
from tests.gateway.schema.house import ADMIN, ME, PBX, VIEWER, House, gid, house_with

EVENTS = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
    __typename position roomId occurredAt
    ... on ParticipantEvent { participant { id displayName muted talking isMe leftAt room { participantCount } } }
    ... on ParticipantUpdated { changed }
    ... on ParticipantLeft { leaveReason }
    ... on RoomUpdated { changed room { locked position } }
    ... on RoomEnded { room { state participantCount } }
    ... on CommandFailed { error { code message } }
    ... on RoomSnapshot { snapshotReason room {
        position participantCount participants { totalCount edges { node { id displayName muted talking } } } } }
} }"""


class Replica:
    """A client's picture of a room, built from events alone; it notices whatever does not fit."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.position: str | None = None
        self.positions: list[str] = []
        self.snapshots: list[str] = []

    def take(self, event: dict[str, Any]) -> None:
        assert event["position"] not in self.positions, "an event came twice"
        self.position = event["position"]
        self.positions.append(event["position"])
        person = event.get("participant", {})
        match event["__typename"]:
            case "RoomSnapshot":
                self.snapshots.append(event["snapshotReason"])
                edges = event["room"]["participants"]["edges"]
                self.people = {edge["node"]["id"]: edge["node"] for edge in edges}
            case "ParticipantJoined":
                assert person["id"] not in self.people, "joined twice"
                self.people[person["id"]] = person
            case "ParticipantUpdated":
                assert person["id"] in self.people, "updated without having joined"
                self.people[person["id"]] = person
            case "ParticipantLeft":
                del self.people[person["id"]]
            case "RoomEnded":
                assert not self.people, "ended while somebody was in the room"

    def picture(self) -> dict[str, Any]:
        return {id_: (each["displayName"], each["muted"], each["talking"]) for id_, each in self.people.items()}


def truth(house: House, room_id: str) -> dict[str, Any]:
    at = house.room(room_id)
    assert at is not None
    return {
        gid(room_id, each.id): (each.display_name, each.muted, each.talking) for each in at.room.participants.values()
    }


async def test_a_room_is_followed_through_join_talk_mute_and_leave(house: House) -> None:
    room = await house.with_people("board", "anna")
    async with house.follow(EVENTS, VIEWER, id=room) as events:
        snapshot = await events.next()
        assert (snapshot["__typename"], snapshot["snapshotReason"], snapshot["roomId"]) == (
            "RoomSnapshot",
            "START",
            room,
        )
        assert snapshot["position"] == snapshot["room"]["position"]
        house.pbx.join("board", "ben", display_name="Ben", user_id=ME)
        joined = await events.next()
        assert (joined["__typename"], joined["participant"]["displayName"]) == ("ParticipantJoined", "Ben")
        assert joined["participant"]["isMe"] is True
        assert joined["participant"]["room"] == {"participantCount": 2}
        house.pbx.change("board", "ben", talking=True)
        assert (await events.next())["changed"] == ["TALKING"]
        house.pbx.change("board", "ben", muted=True)
        muted = await events.next()
        assert (muted["changed"], muted["participant"]["muted"]) == (["MUTED"], True)
        house.pbx.tell("board", locked=True)
        locked = await events.next()
        assert (locked["changed"], locked["room"]["locked"]) == (["LOCKED"], True)
        assert locked["room"]["position"] == locked["position"]
        house.pbx.leave("board", "ben", LeaveReason.KICKED)
        assert (await events.next())["changed"] == ["TALKING"]
        left = await events.next()
        assert (left["leaveReason"], left["participant"]["room"]) == ("KICKED", {"participantCount": 1})
        assert left["participant"]["leftAt"] == left["occurredAt"]


async def test_the_end_of_a_conference_comes_after_everybody_has_left(house: House) -> None:
    room = await house.with_people("board", "anna", "ben")
    async with house.follow(EVENTS, id=room) as events:
        await events.next()
        house.pbx.end("board")
        seen = [await events.next() for _ in range(3)]
    assert [each["__typename"] for each in seen] == ["ParticipantLeft", "ParticipantLeft", "RoomEnded"]
    assert seen[0]["leaveReason"] == "ROOM_CLOSED"
    assert seen[2]["room"] == {"state": "IDLE", "participantCount": 0}


async def test_a_command_that_fails_later_is_told(house: House) -> None:
    room = await house.with_people("board", "anna")
    async with house.follow(EVENTS, id=room) as events:
        await events.next()
        error = CommandError(CommandErrorCode.BACKEND_REFUSED, "changed its mind")
        house.live.links[PBX].table.report(CommandFailedReport(room_id=RoomId("board"), error=error))
        failed = await events.next()
    assert (failed["__typename"], failed["error"]) == (
        "CommandFailed",
        {"code": "BACKEND_REFUSED", "message": "changed its mind"},
    )


async def test_the_stream_is_over_when_the_room_exists_no_longer(house: House) -> None:
    room = await house.with_people("board", "anna")
    async with house.follow(EVENTS, id=room) as events:
        await events.next()
        house.pbx.remove_room("board")
        assert (await events.next())["leaveReason"] == "FOUND_GONE"
        assert (await events.next())["__typename"] == "RoomEnded"
        assert await events.is_over()


class Crowd:
    """People who come, talk, and go in one room, by a seed."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.random = Random(seed)
        self.here = ["p0", "p1"]

    def joins(self, name: str | None = None) -> None:
        self.here.append(name or f"p{self.random.getrandbits(60)}")
        self.house.pbx.join("board", self.here[-1], display_name=self.here[-1].title())

    def stirs(self) -> None:
        """Let something happen, or nothing."""
        yes = self.random.random() < 0.5
        match self.random.randrange(4):
            case 0:
                self.joins()
            case 1 if len(self.here) > 1:
                self.house.pbx.leave("board", self.here.pop(self.random.randrange(len(self.here))))
            case 2:
                self.house.pbx.change("board", self.random.choice(self.here), muted=yes)
            case _:
                self.house.pbx.change("board", self.random.choice(self.here), talking=yes)


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_lost_and_nothing_comes_twice_while_people_come_and_go(house: House, seed: int) -> None:
    """Somebody goes away and comes back with their last position again and again, and the room is never quiet."""
    room = await house.with_people("board", "p0", "p1")
    replica, crowd = Replica(), Crowd(house, seed)
    for _ in range(8):
        async with house.follow(EVENTS, id=room, after=replica.position) as events:
            crowd.stirs()
            crowd.joins()
            # Whatever stands between registering and reading the state lets this be in both.
            crowd.stirs()
            crowd.joins()
            for _ in range(crowd.random.randrange(2, 9)):
                replica.take(await events.next())
                crowd.stirs()
                crowd.joins()
    crowd.joins("last")
    async with house.follow(EVENTS, id=room, after=replica.position) as events:
        while gid("board", "last") not in replica.people:
            replica.take(await events.next())
    assert replica.picture() == truth(house, "board")
    assert replica.snapshots == ["START"], "the log reaches back far enough here"


async def test_what_was_missed_comes_first_then_what_happens(house: House) -> None:
    room = await house.with_people("board", "anna")
    replica = Replica()
    async with house.follow(EVENTS, id=room) as events:
        replica.take(await events.next())
    for guest in ("ben", "cleo"):
        house.pbx.join("board", guest, display_name=guest.title())
    house.pbx.tell("board", locked=True)
    house.pbx.tell("board", locked=False)
    await house.until(lambda: (at := house.room("board")) and at.room.locked is False)
    async with house.follow(EVENTS, id=room, after=replica.position) as events:
        missed = [await events.next() for _ in range(4)]
        assert [each["__typename"] for each in missed] == ["ParticipantJoined"] * 2 + ["RoomUpdated"] * 2
        assert [each["room"]["locked"] for each in missed[2:]] == [True, False], "as it was then"
        for event in missed:
            replica.take(event)
        house.pbx.leave("board", "anna")
        replica.take(await events.next())
    assert replica.picture() == truth(house, "board")


async def test_the_newest_position_misses_nothing_and_gets_nothing_again(house: House) -> None:
    room = await house.with_people("board", "anna")
    at = house.room("board")
    assert at is not None
    newest = house.cursors.encode("acme", at.key, at.position)
    async with house.follow(EVENTS, id=room, after=newest) as events:
        # It begins with the first wait for an event; what happens before that is replayed.
        house.pbx.join("board", "ben")
        assert (await events.next())["participant"]["id"] == gid("board", "ben")


async def test_a_position_that_is_too_old_gives_a_snapshot(tmp_path: Path) -> None:
    async with house_with(tmp_path, limits=LiveLimits(log_max_events=3)) as house:
        await house.until_live()
        room = await house.with_people("board", "anna")
        at = house.room("board")
        assert at is not None
        old = house.cursors.encode("acme", at.key, at.position)
        for muted in (True, False, True, False):
            house.pbx.change("board", "anna", muted=muted)
        await house.until(lambda: (now := house.room("board")) and now.position.sequence == at.position.sequence + 4)
        async with house.follow(EVENTS, id=room, after=old) as events:
            snapshot = await events.next()
        assert (snapshot["__typename"], snapshot["snapshotReason"]) == ("RoomSnapshot", "CURSOR_TOO_OLD")


async def test_a_position_from_before_a_restart_gives_a_snapshot(house: House) -> None:
    room = await house.with_people("board", "anna")
    at = house.room("board")
    assert at is not None
    before = house.cursors.encode("acme", at.key, Position(at.position.epoch ^ 1, 5))
    async with house.follow(EVENTS, id=room, after=before) as events:
        snapshot = await events.next()
        assert snapshot["snapshotReason"] == "EPOCH_CHANGED"
        house.pbx.leave("board", "anna")
        assert (await events.next())["__typename"] == "ParticipantLeft"


async def test_who_reads_too_slowly_gets_a_snapshot_and_goes_on_from_there(house: House) -> None:
    room = await house.with_people("board", "anna")
    replica = Replica()
    async with house.follow(EVENTS, id=room, room_for=1) as events:
        replica.take(await events.next())
        await house.until_joined("board", *(f"g{guest}" for guest in range(9)))
        for _ in range(2):
            replica.take(await events.next())
        assert replica.snapshots == ["START", "SLOW_CONSUMER"]
        assert replica.picture() == truth(house, "board")
        house.pbx.leave("board", "g3")
        replica.take(await events.next())
        assert replica.picture() == truth(house, "board")


async def test_a_snapshot_has_everybody_even_in_a_large_room(house: House) -> None:
    room = await house.with_people("board", *(f"p{number}" for number in range(260)))
    some = """subscription ($id: ID!) { roomEvents(roomId: $id) { ... on RoomSnapshot { room {
        participants { totalCount pageInfo { hasNextPage } edges { node { id } } } } } } }"""
    async with house.follow(some, id=room) as events:
        people = (await events.next())["room"]["participants"]
    assert (len(people["edges"]), people["totalCount"], people["pageInfo"]["hasNextPage"]) == (260, 260, False)
    first = some.replace("participants {", "participants(first: 2) {")
    async with house.follow(first, id=room) as events:
        people = (await events.next())["room"]["participants"]
    assert (len(people["edges"]), people["pageInfo"]["hasNextPage"]) == (2, True)


async def test_the_first_snapshot_can_ask_for_settings_and_later_events_tell_what_is_known(house: House) -> None:
    house.pbx.open_room("board", settings=RoomSettings(max_participants=9))
    await house.until(lambda: house.room("board"))
    query = """subscription ($id: ID!) { roomEvents(roomId: $id) { __typename
        ... on RoomSnapshot { room { settings { maxParticipants } } }
        ... on RoomUpdated { changed room { settings { maxParticipants } } } } }"""
    nine = {"settings": {"maxParticipants": 9}}
    async with house.follow(query, id=gid("board")) as events:
        assert (await events.next())["room"] == nine
        assert await events.next() == {"__typename": "RoomUpdated", "changed": ["SETTINGS"], "room": nine}


async def test_a_room_that_does_not_exist_is_an_error_before_anything_comes(house: House) -> None:
    for wrong, code in (
        (gid("lobby"), "ROOM_NOT_FOUND"),
        ("nonsense", "INVALID_INPUT"),
        (gid("a", "b"), "INVALID_INPUT"),
    ):
        async with house.follow(EVENTS, id=wrong) as events:
            error = await events.error()
            assert error.extensions == {"code": code, "argument": "roomId"}
            assert await events.is_over()


async def test_a_position_of_another_room_tenant_or_gateway_is_refused(house: House) -> None:
    room = await house.with_people("board", "anna")
    await house.with_people("lobby", "ben")
    at, lobby = house.room("board"), house.room("lobby")
    assert at is not None
    assert lobby is not None
    forged = [
        house.cursors.encode("acme", lobby.key, at.position),
        house.cursors.encode("rivals", at.key, at.position),
        house.cursors.encode("acme", RoomKey(at.key.backend_id, RoomId("boar")), at.position),
        Cursors(b"another secret").encode("acme", at.key, at.position),
        "",
        "nonsense",
    ]
    for cursor in forged:
        async with house.follow(EVENTS, ADMIN, id=room, after=cursor) as events:
            assert (await events.error()).extensions == {"code": "FORGED_CURSOR", "argument": "after"}
            assert await events.is_over()


async def test_a_watcher_who_goes_away_is_forgotten(house: House) -> None:
    room = await house.with_people("board", "anna")
    key = RoomKey(PBX, RoomId("board"))
    async with house.follow(EVENTS, id=room) as events:
        await events.next()
        assert house.live.hub.watchers_of(key) == 1
    assert house.live.hub.watchers_of(key) == 0
    async with house.follow(EVENTS, id=room):
        pass
    assert house.live.hub.watchers == 0
