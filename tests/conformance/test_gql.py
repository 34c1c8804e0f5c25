"""Python's `gql` as it comes: every event of a lively room, over each transport it speaks; SSE is none of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport import AsyncTransport
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.websockets import WebsocketsTransport

from tests.conformance.meeting import GUESTS, LAST_NAME, ROOM, Meeting, told_after
from tests.protocol.front import Front

FOLLOW = """
  subscription Follow($room: ID!) {
    roomEvents(roomId: $room) {
      __typename
      position
      ... on ParticipantJoined { participant { __typename id displayName muted talking } }
      ... on ParticipantUpdated { changed participant { __typename id displayName muted talking } }
      ... on ParticipantLeft { leaveReason participant { __typename id displayName muted talking } }
      ... on RoomUpdated { changed room { __typename id name locked } }
    }
  }
"""
LEGACY = ["graphql-ws"]
TRANSPORTS: dict[str, Callable[[Front], AsyncTransport]] = {
    "multipart": lambda front: AIOHTTPTransport(front.url),
    "ws-aiohttp": lambda front: AIOHTTPWebsocketsTransport(front.ws_url),
    "ws-websockets": lambda front: WebsocketsTransport(front.ws_url),
    "legacy-ws-aiohttp": lambda front: AIOHTTPWebsocketsTransport(front.ws_url, subprotocols=LEGACY),
    "legacy-ws-websockets": lambda front: WebsocketsTransport(front.ws_url, subprotocols=LEGACY),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_gql_gets_every_event_once_and_in_order(front: Front, transport: str) -> None:
    room = await front.house.with_people(ROOM, *GUESTS)
    follow = GraphQLRequest(FOLLOW, variable_values={"room": room})
    async with (
        Client(transport=TRANSPORTS[transport](front)) as session,
        aclosing(session.subscribe(follow)) as results,
        asyncio.TaskGroup() as tasks,
    ):
        snapshot = (await anext(results))["roomEvents"]
        tasks.create_task(Meeting(front.house).run())
        events = await _to_the_end(results)
    published = told_after(front.house, snapshot["position"])
    assert len(published) > 100
    assert events == published


async def _to_the_end(results: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not events or events[-1].get("room", {}).get("name") != LAST_NAME:
            events.append((await anext(results))["roomEvents"])
    return events
