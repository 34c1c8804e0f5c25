"""graphql-ws, the deprecated protocol of subscriptions-transport-ws, message by message."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.typing import Subprotocol

from gateway.web.session import SessionLimits
from tests.gateway.schema.house import gid
from tests.protocol.front import Front, Wire, front_with
from tests.protocol.servers import SERVERS, Serve
from tests.protocol.test_websocket import FOLLOW, MUTE

OLD = Subprotocol("graphql-ws")
NEW = Subprotocol("graphql-transport-ws")


@pytest.fixture(params=SERVERS)
def serve(request: pytest.FixtureRequest) -> Serve:
    return SERVERS[request.param]


@pytest.fixture
async def front(tmp_path: Path, serve: Serve) -> AsyncIterator[Front]:
    async with front_with(tmp_path, serve=serve, legacy_graphql_ws=True) as front:
        yield front
        await front.watched_by(0)


async def begin(wire: Wire) -> None:
    await wire.say({"type": "connection_init", "payload": {}})
    assert await wire.next() == {"type": "connection_ack"}
    assert await wire.next() == {"type": "ka"}


async def start(wire: Wire, operation_id: str, query: str, **variables: Any) -> None:
    await wire.say({"id": operation_id, "type": "start", "payload": {"query": query, "variables": variables}})


async def data(wire: Wire, operation_id: str) -> Any:
    message = await wire.next(operation_id)
    assert message["type"] == "data", message
    return message["payload"]


async def test_queries_mutations_and_subscriptions_are_told_as_data(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.stranger(subprotocols=[OLD]) as wire:
        assert wire.socket.subprotocol == OLD
        await begin(wire)
        await start(wire, "follow", FOLLOW, id=room)
        assert (await data(wire, "follow"))["data"]["roomEvents"]["__typename"] == "RoomSnapshot"
        await start(wire, "ask", "{ viewer { subject } }")
        assert await data(wire, "ask") == {"data": {"viewer": {"subject": "ada"}}}
        assert await wire.next("ask") == {"id": "ask", "type": "complete"}
        await start(wire, "mute", MUTE, id=gid("board", "anna"))
        done = (await data(wire, "mute"))["data"]["muteParticipant"]
        assert await wire.next("mute") == {"id": "mute", "type": "complete"}
        event = (await data(wire, "follow"))["data"]["roomEvents"]
        assert (done["outcome"], event["changed"], event["position"]) == ("CONFIRMED", ["MUTED"], done["position"])


async def test_stop_ends_one_operation_and_terminate_all(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.stranger(subprotocols=[OLD]) as wire:
        await begin(wire)
        for operation_id in ("1", "2"):
            await start(wire, operation_id, FOLLOW, id=room)
            await data(wire, operation_id)
        await wire.say({"id": "1", "type": "stop"})
        await front.watched_by(1)
        front.house.pbx.change("board", "anna", muted=True)
        assert (await data(wire, "2"))["data"]["roomEvents"]["changed"] == ["MUTED"]
        assert wire.waiting("1") == 0
        await wire.say({"type": "connection_terminate"})
        assert await wire.end() == (1000, "")
    await front.watched_by(0)


@pytest.mark.parametrize("query", ["{", "{ nothing }", "subscription { roomEvents(roomId: 1) { position } }"])
async def test_an_operation_that_is_wrong_ends_with_its_errors_and_nothing_else_does(front: Front, query: str) -> None:
    async with front.stranger(subprotocols=[OLD]) as wire:
        await begin(wire)
        await start(wire, "1", query)
        payload = await data(wire, "1")
        assert payload["data"] is None
        assert payload["errors"][0]["message"]
        assert await wire.next("1") == {"id": "1", "type": "complete"}
        await start(wire, "1", "{ __typename }")
        assert await data(wire, "1") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([{"id": "1", "type": "start", "payload": {"query": "{ __typename }"}}], 4401),
        ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}], 4400),
        ([{"type": "connection_init"}, {"type": "start", "id": "1", "payload": {"query": 7}}], 4400),
        ([{"type": "connection_init"}, {"type": "stop"}], 4400),
        (["null"], 4400),
        ([{"type": "ping"}], 4400),
    ],
)
async def test_what_is_no_message_of_it_closes_the_socket(front: Front, said: list[object], code: int) -> None:
    async with front.stranger(subprotocols=[OLD]) as wire:
        for each in said:
            await wire.say(each)
        assert (await wire.end())[0] == code


async def test_who_speaks_both_gets_what_they_would_rather_have(front: Front) -> None:
    for offered in ([OLD, NEW], [NEW, OLD]):
        async with front.stranger(subprotocols=offered) as wire:
            assert wire.socket.subprotocol == offered[0]


async def test_it_is_said_again_and_again_that_the_gateway_lives(tmp_path: Path, serve: Serve) -> None:
    """Clients that were told once give up when they are not told again."""
    limits = SessionLimits(keep_alive_s=0.02)
    async with (
        front_with(tmp_path, serve=serve, legacy_graphql_ws=True, session=limits) as front,
        front.stranger(subprotocols=[OLD]) as wire,
    ):
        await begin(wire)
        for _ in range(5):
            assert await wire.next() == {"type": "ka"}


async def test_unless_configured_it_is_not_spoken(tmp_path: Path, serve: Serve) -> None:
    async with front_with(tmp_path, serve=serve) as front:
        async with front.stranger(subprotocols=[OLD]) as wire:
            assert await wire.end() == (4406, "Subprotocol not acceptable")
        async with front.stranger(subprotocols=[OLD, NEW]) as wire:
            assert wire.socket.subprotocol == NEW
