"""What Kazoo's reference page prints goes over the wire byte for byte, and comes out of GraphQL right."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from adapters.kazoo import KazooAdapter
from adapters.kazoo.simulator import Generation, KazooSimulator
from gateway.live.link import BackendStatus
from gateway.live.live import ConfiguredBackend, Live
from gateway.model.ids import BackendId
from gateway.model.viewer import Viewer, ViewerRole
from gateway.storage import Storage
from gateway.web.app import WebLimits, make_app
from gateway.web.server import serving
from tests.watching import watching_all, watching_backends

_PAGE = Path(__file__).parents[1] / "recordings" / "kazoo"
_CONFERENCE = "5edbfdd3b825314a71b0a05957392edb"
_BACKEND = BackendId("kazoo")
_VIEWER = Viewer("ann", "default", frozenset(ViewerRole), {_BACKEND: "32d8788da9506b4b1991d5bb86d27b0a"})

_ROOMS = """{ rooms { totalCount edges { node {
  id nativeId name numbers state locked pinRequired recording participantCount moderatorCount stale } } } }"""
_ROOM = """query ($id: ID!) { room(id: $id) {
  settings {
    joinMuted joinDeafened moderatorJoinMuted memberPins memberNumbers entryTone exitTone announceJoinsByName native }
  state participantCount moderatorCount
  participants { totalCount edges { node {
    index displayName role muted deafened talking floor joinedAt isMe callId } } } } }"""
_FOLLOW = """subscription ($id: ID!) { roomEvents(roomId: $id) {
  __typename
  ... on ParticipantJoined { participant { ...P } }
  ... on ParticipantUpdated { changed participant { ...P } }
  ... on ParticipantLeft { leaveReason participant { ...P } }
  ... on RoomUpdated { changed room { state } } } }
fragment P on Participant {
  nativeId index displayName number username role muted deafened onHold talking floor isMe callId }"""


@dataclass
class _Desk:
    """A client of the gateway, and the Kazoo behind it."""

    kazoo: KazooSimulator
    live: Live
    client: Any

    async def ask(self, document: str, **variables: str) -> Any:
        return await self.client.execute(_request(document, variables))

    def follow(self, document: str, **variables: str) -> Any:
        return self.client.subscribe(_request(document, variables))


def _request(document: str, variables: dict[str, str]) -> Any:
    request = gql(document)
    request.variable_values = variables
    return request


def _enveloped(name: str) -> bytes:
    """The page prints the `data` of an answer without its envelope."""
    return b'{"status":"success","revision":"1-a","data":' + (_PAGE / name).read_bytes() + b"}"


@pytest.fixture(name="desk")
async def _desk(tmp_path: Path) -> AsyncIterator[_Desk]:
    async with KazooSimulator(generation=Generation.SEED) as kazoo:
        kazoo.add_room("Conf", room_id=_CONFERENCE)
        settings = {
            "url": f"{kazoo.base_url}/v2",
            "socket_url": kazoo.socket_url,
            "account_name": kazoo.account_name,
            "username": kazoo.username,
            "password": kazoo.password,
        }
        backend = ConfiguredBackend(_BACKEND, "Kazoo", KazooAdapter.configured(settings))
        async with (
            Storage.open(f"sqlite:///{tmp_path}/gateway.sqlite3") as storage,
            Live([backend], storage, b"0" * 32) as live,
        ):
            app = make_app(live, storage, lambda _: _VIEWER, b"1" * 32, WebLimits())
            async with serving(app, "127.0.0.1", 0) as port:
                with watching_backends(live.hub) as changes:
                    while live.links[_BACKEND].status is not BackendStatus.LIVE:
                        await changes.next()
                transport = WebsocketsTransport(f"ws://127.0.0.1:{port}/graphql")
                async with Client(transport=transport) as client:
                    yield _Desk(kazoo, live, client)


async def _room_id(desk: _Desk) -> str:
    return str((await desk.ask(_ROOMS))["rooms"]["edges"][0]["node"]["id"])


async def test_the_list_of_the_page(desk: _Desk) -> None:
    for _ in range(2):  # it is listed again once its events are subscribed to
        desk.kazoo.answer_raw("GET", "conferences", _enveloped("seed-conferences.json"))
    desk.kazoo.drop_link()  # so that the gateway reads it anew
    with watching_all(desk.live.hub) as updates:
        while not any(each.room.id == "" for each in desk.live.rooms()):
            await updates.next()
    rooms = [edge["node"] for edge in (await desk.ask(_ROOMS))["rooms"]["edges"]]
    (found,) = [room for room in rooms if room["nativeId"] == ""]
    del found["id"]
    assert found == {
        "nativeId": "",
        "name": None,
        "numbers": [],
        "state": "IDLE",
        "locked": False,
        "pinRequired": False,
        "recording": None,
        "participantCount": 0,
        "moderatorCount": 0,
        "stale": False,
    }


async def test_the_document_of_the_page(desk: _Desk) -> None:
    room_id = await _room_id(desk)
    desk.kazoo.answer_raw("GET", f"conferences/{_CONFERENCE}", _enveloped("seed-conference.json"))
    room = (await desk.ask(_ROOM, id=room_id))["room"]
    assert room["settings"] == {
        "joinMuted": False,
        "joinDeafened": False,
        "moderatorJoinMuted": False,
        "memberPins": [],
        "memberNumbers": [],
        "entryTone": "default",
        "exitTone": "default",
        "announceJoinsByName": False,
        "native": {"conference_numbers": [], "ui_metadata": {"ui": "kazoo-ui"}},
    }
    room = (await desk.ask(_ROOM, id=room_id))["room"]
    assert (room["state"], room["participantCount"], room["moderatorCount"]) == ("ACTIVE", 1, 0)
    assert [edge["node"] for edge in room["participants"]["edges"]] == [
        {
            "index": 1,
            "displayName": None,
            "role": "PARTICIPANT",
            "muted": False,
            "deafened": False,
            "talking": False,
            "floor": False,
            "joinedAt": "2016-07-08T17:14:35Z",  # the page calls 63635217275 an epoch; it counts from year 0
            "isMe": False,
            "callId": "",
        }
    ]


async def test_the_event_of_the_page_and_every_event_name_on_it(desk: _Desk) -> None:
    room_id = await _room_id(desk)
    page = (_PAGE / "seed-event.json").read_bytes()
    ann = {
        "nativeId": "934800819",
        "index": 20,
        "displayName": "sip1",
        "number": "sip1",
        "username": "sip1",
        "role": None,
        "muted": False,
        "deafened": False,
        "onHold": None,
        "talking": False,
        "floor": False,
        "isMe": True,
        "callId": "934800819",
    }
    async with aclosing(desk.follow(_FOLLOW, id=room_id)) as events:
        assert (await anext(events))["roomEvents"] == {"__typename": "RoomSnapshot"}
        desk.kazoo.send_raw(page)
        assert (await anext(events))["roomEvents"]["changed"] == ["STATE", "RUN", "STARTED_AT"]
        assert (await anext(events))["roomEvents"] == {"__typename": "ParticipantJoined", "participant": ann}
        for name, field, value in (
            ("mute-member", "muted", True),
            ("unmute-member", "muted", False),
            ("deaf-member", "deafened", True),
            ("undeaf-member", "deafened", False),
            ("start-talking", "talking", True),
            ("stop-talking", "talking", False),
        ):
            desk.kazoo.send_raw(_named(page, name))
            ann[field] = value
            changed = {"__typename": "ParticipantUpdated", "changed": [field.upper()], "participant": ann}
            assert (await anext(events))["roomEvents"] == changed
        desk.kazoo.send_raw(_named(page, "del-member"))
        left = {"__typename": "ParticipantLeft", "leaveReason": "UNKNOWN", "participant": ann}
        assert (await anext(events))["roomEvents"] == left


def _named(page: bytes, name: str) -> bytes:
    """The page's one event under another of the names it lists; each event has an id of its own."""
    assert page.count(b'"add-member"') == 1
    assert msgspec.json.decode(page)["msg_id"] == "a6fbbf034b5cd3af"
    return page.replace(b'"add-member"', f'"{name}"'.encode()).replace(b"a6fbbf034b5cd3af", name.encode())
