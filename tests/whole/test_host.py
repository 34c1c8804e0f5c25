"""A host's hour: a RingCentral conference made, joined, moderated and ended in GraphQL, as a subscriber sees it."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from adapters.ringcentral.simulator import RingCentralSimulator
from tests.whole.commands import running

_PATIENCE_S = 90.0
_RESULT = "outcome errors { code message }"
_FOLLOW = """subscription ($room: ID!) { roomEvents(roomId: $room) {
    __typename
    ... on RoomSnapshot { room { name state participantCount } }
    ... on ParticipantJoined { participant { displayName number role } }
    ... on ParticipantUpdated { changed participant { displayName muted } }
    ... on ParticipantLeft { leaveReason participant { displayName number } }
    ... on RoomUpdated { changed room { state } }
} }"""


def _config(folder: Path, sim: RingCentralSimulator, jwt: str) -> str:
    path = folder / "gateway.toml"
    path.write_text(
        f'[storage]\nurl = "sqlite:///{folder / "gateway.sqlite3"}"\n'
        "[limits]\nconfirm_s = 30\n"
        f'[[backends]]\nid = "cloud"\nkind = "ringcentral"\nname = "Cloud"\nurl = "{sim.url}"\n'
        f'client_id = {json.dumps(sim.client_id)}\nclient_secret = {json.dumps(sim.client_secret)}\njwt = "{jwt}"\n',
        encoding="utf-8",
    )
    return str(path)


async def test_a_host_makes_a_conference_brings_two_in_mutes_one_removes_one_and_ends_it(tmp_path: Path) -> None:
    async with RingCentralSimulator() as sim:
        ada = sim.add_extension("Ada Lambert", "101")
        serve = ("serve", "--config", _config(tmp_path, sim, ada.jwt), "--insecure-no-auth", "--port=0", "--json")
        async with (
            running(*serve) as (_, addresses),
            Client(transport=WebsocketsTransport(addresses["ws"])) as session,
            asyncio.timeout(_PATIENCE_S),
        ):
            status = gql("{ backends { status } }")
            while (await session.execute(status))["backends"] != [{"status": "LIVE"}]:
                pass
            answers, events = await host(session, sim, ada)
        assert [each["outcome"] for each in answers] == ["CONFIRMED"] * 6
        assert answers[0]["voiceCallToken"].startswith("conf_")
        gists = [_gist(event) for event in events if _is_told_of(event)]
        assert gists[:6] == [
            "RoomSnapshot IDLE",
            "ParticipantJoined +16505559000 MODERATOR",
            "ParticipantJoined +15550100001 PARTICIPANT",
            "ParticipantJoined +15550100002 PARTICIPANT",
            "ParticipantUpdated muted",
            "ParticipantLeft +15550100001 KICKED",
        ]
        left = [f"ParticipantLeft {number} ROOM_CLOSED" for number in ("+15550100002", "+16505559000")]
        assert sorted(gists[6:]) == [*left, "RoomEnded"]
        assert not any(sim.truth().values())


async def host(session: Any, sim: RingCentralSimulator, ada: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Go through the hour; give what each mutation answered, and the events of the room."""
    answers: list[dict[str, Any]] = []

    async def ask(field: str, **variables: str) -> dict[str, Any]:
        types = ", ".join(f"${name}: ID!" for name in variables)
        document = gql(f"mutation ({types}) {{ {field} }}")
        document.variable_values = variables
        (answer,) = (await session.execute(document)).values()
        answers.append(answer)
        return answer

    (backend,) = (await session.execute(gql("{ backends { id } }")))["backends"]
    create = (
        f'createRoom(input: {{backendId: $on, name: "Board"}}) {{ {_RESULT} voiceCallToken room {{ id nativeId }} }}'
    )
    made = (await ask(create, on=backend["id"]))["room"]
    follow = gql(_FOLLOW)
    follow.variable_values = {"room": made["id"]}
    async with aclosing(session.subscribe(follow)) as following:
        events = [(await anext(following))["roomEvents"]]

        async def until(kind: str) -> dict[str, Any]:
            while events[-1]["__typename"] != kind:
                events.append((await anext(following))["roomEvents"])
            return events[-1]

        sim.host_dials(made["nativeId"])
        await until("ParticipantJoined")
        guests = []
        for number in ("+15550100001", "+15550100002"):
            call = sim.make_call(ada, number)
            wish = f'{{roomId: $room, destination: "{call}"}}'
            invite = f"inviteParticipant(input: {wish}) {{ {_RESULT} participant {{ id }} }}"
            guests.append((await ask(invite, room=made["id"]))["participant"]["id"])
        await ask(f"muteParticipant(input: {{participantId: $who}}) {{ {_RESULT} }}", who=guests[0])
        await ask(f"kickParticipant(input: {{participantId: $who}}) {{ {_RESULT} }}", who=guests[0])
        await ask(f"closeRoom(input: {{roomId: $room}}) {{ {_RESULT} }}", room=made["id"])
        events.append((await anext(following))["roomEvents"])
        await until("RoomEnded")
    return answers, events


def _is_told_of(event: dict[str, Any]) -> bool:
    """Whether an event is of the story: when RingCentral first says that somebody is not muted is its own affair."""
    if event["__typename"] == "ParticipantUpdated":
        return bool(event["participant"]["muted"])
    return event["__typename"] != "RoomUpdated"


def _gist(event: dict[str, Any]) -> str:
    who = event.get("participant") or {}
    what = [(event.get("room") or {}).get("state"), who.get("number"), who.get("role"), event.get("leaveReason")]
    return " ".join(filter(None, (event["__typename"], *what, "muted" if who.get("muted") else None)))
