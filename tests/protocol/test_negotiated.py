"""Delivery guarantees, as a client asks for them and is answered, over each transport that has subscriptions."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.model.ids import Position
from tests.gateway.schema.house import House
from tests.protocol.front import Front, Wire
from tests.protocol.streams import streaming
from tests.protocol.test_single_stream import TOKEN, reserve
from tests.protocol.test_websocket import FOLLOW

HEADER = "x-cosmo-at-least-once-capabilities"
MEMBER = "at-least-once-capabilities"
BACKENDS = "subscription { backendEvents { backend { name } } }"


def asking(guarantee: str) -> dict[str, Any]:
    return {"delivery-guarantee": guarantee}


async def subscribe(wire: Wire, operation_id: str, query: str, extensions: dict[str, Any], **variables: Any) -> None:
    payload = {"query": query, "variables": variables, "extensions": extensions}
    await wire.say({"id": operation_id, "type": "subscribe", "payload": payload})


def too_old(house: House) -> str:
    """Make a cursor of a log that is no longer kept."""
    at = house.room("board")
    assert at is not None
    return house.cursors.encode("acme", at.key, Position(at.position.epoch ^ 1, 5))


async def test_on_a_socket_the_first_event_tells_what_was_agreed(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with front.wire() as wire:
        await subscribe(wire, "1", FOLLOW, asking("cursor, at-most-once"), id=room)
        first = (await wire.next("1"))["payload"]
        front.house.pbx.join("board", "anna")
        second = (await wire.next("1"))["payload"]
    assert first["extensions"] == {MEMBER: "cursor", "cursor": first["data"]["roomEvents"]["position"]}
    assert second["extensions"] == {"cursor": second["data"]["roomEvents"]["position"]}


async def test_over_server_sent_events_a_header_tells_what_was_agreed(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, extensions=asking("cursor"), id=room) as stream:
        assert stream.response.headers[HEADER] == "cursor"
        front.house.pbx.join("board", "anna")
        for _ in range(2):
            result = await stream.result()
            assert result["extensions"] == {"cursor": result["data"]["roomEvents"]["position"]}


async def test_on_a_single_stream_the_answer_tells_what_was_agreed(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with AsyncExitStack() as stack:
        single = await reserve(front)
        await single.open(stack)
        for operation_id, wish, agreed in (("1", asking("cursor"), "cursor"), ("2", {}, None)):
            body = {"query": FOLLOW, "variables": {"id": room}, "extensions": {"operationId": operation_id, **wish}}
            async with front.session.post(f"{front.url}/stream", json=body, headers={TOKEN: single.token}) as response:
                assert (response.status, response.headers.get(HEADER)) == (202, agreed)
            _, payload = await single.next(operation_id)
            assert payload["extensions"].keys() == {"cursor"}


@pytest.mark.parametrize("wish", [{}, asking("at-most-once"), asking("at-most-once, cursor"), asking("")])
async def test_who_asks_for_no_more_than_usual_is_told_of_no_agreement(front: Front, wish: dict[str, Any]) -> None:
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, extensions=wish, id=room) as stream, front.wire() as wire:
        assert HEADER not in stream.response.headers
        await subscribe(wire, "1", FOLLOW, wish, id=room)
        assert MEMBER not in (await wire.next("1"))["payload"]["extensions"]


@pytest.mark.parametrize(
    ("query", "wish", "code"),
    [
        (FOLLOW, asking("exactly-once"), "DELIVERY_GUARANTEE_UNSUPPORTED"),
        (BACKENDS, asking("cursor"), "DELIVERY_GUARANTEE_UNSUPPORTED"),
        (BACKENDS, {"cursor": "x"}, "DELIVERY_GUARANTEE_UNSUPPORTED"),
        (FOLLOW, {"cursor": "x"}, "DELIVERY_GUARANTEE_UNSATISFIABLE"),
        (FOLLOW, {"cursor": "x", "snapshot-fallback": True}, "FORGED_CURSOR"),
        (FOLLOW, {"cursor": 7}, "INVALID_INPUT"),
        (FOLLOW, {"delivery-guarantee": ["cursor"]}, "INVALID_INPUT"),
    ],
)
async def test_what_cannot_be_promised_is_refused_by_code(
    front: Front, query: str, wish: dict[str, Any], code: str
) -> None:
    room = await front.house.with_people("board")
    variables = {"id": room} if query is FOLLOW else {}
    async with streaming(front, query, extensions=wish, **variables) as stream, front.wire() as wire:
        (error,) = (await stream.result())["errors"]
        assert await stream.is_complete()
        assert HEADER not in stream.response.headers
        await subscribe(wire, "1", query, wish, **variables)
        assert await wire.refusal("1") == error
    assert error["extensions"]["code"] == code
    if code == "DELIVERY_GUARANTEE_UNSUPPORTED":
        assert error["extensions"]["supported"] == (
            ["at-most-once"] if query is BACKENDS else ["cursor", "at-most-once"]
        )
    await front.watched_by(0)


async def test_a_cursor_is_resumed_whichever_transport_gave_it(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, id=room) as stream:
        last = (await stream.result())["extensions"]["cursor"]
    await front.house.until_joined("board", "anna", "ben")
    wish = asking("cursor") | {"cursor": last}
    async with streaming(front, FOLLOW, extensions=wish, id=room) as stream, front.wire() as wire:
        await subscribe(wire, "1", FOLLOW, wish, id=room)
        for name in ("Anna", "Ben"):
            assert (await stream.event())["participant"] == {"displayName": name}
            assert (await wire.event("1"))["participant"] == {"displayName": name}
        assert stream.response.headers[HEADER] == "cursor"


async def test_a_position_that_is_gone_is_an_error_or_a_snapshot_as_the_client_wishes(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    cursor = too_old(front.house)
    async with streaming(front, FOLLOW, extensions={"cursor": cursor}, id=room) as stream:
        (error,) = (await stream.result())["errors"]
        assert error["extensions"]["code"] == "DELIVERY_GUARANTEE_UNSATISFIABLE"
    fallback = {"cursor": cursor, "snapshot-fallback": True}
    async with streaming(front, FOLLOW, extensions=fallback, id=room) as stream:
        assert (await stream.event())["snapshotReason"] == "EPOCH_CHANGED"
    async with streaming(front, FOLLOW, headers={"Last-Event-ID": cursor}, id=room) as stream:
        assert (await stream.event())["snapshotReason"] == "EPOCH_CHANGED"
