"""Python's `gql` as it comes, over both transports."""

from contextlib import aclosing

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from tests.gateway.schema.house import gid
from tests.protocol.front import Front

MUTE = "mutation ($id: ID!) { muteParticipant(input: {participantId: $id}) { outcome position participant { muted } } }"
FOLLOW = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) { __typename position
    ... on ParticipantUpdated { participant { id } changed } } }"""


def about(text: str, **variables: object) -> object:
    request = gql(text)
    request.variable_values = variables
    return request


async def test_gql_asks_and_commands_over_http(front: Front) -> None:
    await front.house.with_people("board", "anna")
    async with Client(transport=AIOHTTPTransport(front.url), fetch_schema_from_transport=True) as session:
        answer = await session.execute(about("{ rooms { totalCount edges { node { name } } } }"))
        assert answer == {"rooms": {"totalCount": 1, "edges": [{"node": {"name": "Board"}}]}}
        done = (await session.execute(about(MUTE, id=gid("board", "anna"))))["muteParticipant"]
        assert (done["outcome"], done["participant"]) == ("CONFIRMED", {"muted": True})
        with pytest.raises(TransportQueryError, match="must be between"):
            await session.execute(about("{ rooms(first: 1000) { totalCount } }"))


async def test_gql_follows_and_resumes_over_websocket(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with Client(transport=WebsocketsTransport(front.ws_url)) as session:
        async with aclosing(session.subscribe(about(FOLLOW, id=room))) as events:
            snapshot = (await anext(events))["roomEvents"]
            assert snapshot["__typename"] == "RoomSnapshot"
            done = (await session.execute(about(MUTE, id=gid("board", "anna"))))["muteParticipant"]
            event = (await anext(events))["roomEvents"]
            assert (event["position"], event["changed"]) == (done["position"], ["MUTED"])
        async with aclosing(session.subscribe(about(FOLLOW, id=room, after=snapshot["position"]))) as events:
            assert (await anext(events))["roomEvents"] == event
        with pytest.raises(TransportQueryError, match="not an id"):
            async with aclosing(session.subscribe(about(FOLLOW, id="x"))) as events:
                await anext(events)
