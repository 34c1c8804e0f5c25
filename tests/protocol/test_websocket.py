"""graphql-transport-ws, message by message."""

import asyncio
import itertools

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.gateway.schema.house import backend, gid
from tests.protocol.front import ALLOWED_ORIGIN, Front

FOLLOW = """subscription ($id: ID!) { roomEvents(roomId: $id) { __typename position
    ... on RoomSnapshot { snapshotReason room { participantCount } }
    ... on ParticipantJoined { participant { displayName } }
    ... on ParticipantUpdated { participant { displayName muted } changed } } }"""
MUTE = "mutation ($id: ID!) { muteParticipant(input: {participantId: $id}) { outcome position } }"


async def test_a_socket_without_our_protocol_is_closed(front: Front) -> None:
    for offered in (None, [Subprotocol("graphql-ws")], [Subprotocol("soap")]):
        async with front.stranger(subprotocols=offered) as wire:
            assert (await wire.end())[0] == 4406


async def test_our_protocol_is_found_among_others(front: Front) -> None:
    offered = [Subprotocol("soap"), Subprotocol("graphql-transport-ws")]
    async with front.wire(subprotocols=offered) as wire:
        assert wire.socket.subprotocol == "graphql-transport-ws"


async def test_pages_of_other_origins_get_no_socket(front: Front) -> None:
    for origin in ("https://evil.example.com", "null", f"{ALLOWED_ORIGIN}.evil.example.com", "http://app.example.com"):
        with pytest.raises(InvalidStatus) as refusal:
            async with front.stranger(origin=origin):
                pass
        assert refusal.value.response.status_code == 403


async def test_pages_of_our_own_and_of_allowed_origins_get_one(front: Front) -> None:
    for origin in (None, ALLOWED_ORIGIN, f"http://127.0.0.1:{front.port}"):
        async with front.wire(origin=origin) as wire:
            assert await wire.answer("1", "{ __typename }") == {"data": {"__typename": "Query"}}


async def test_nobody_subscribes_before_they_are_let_in(front: Front) -> None:
    async with front.stranger() as wire:
        await wire.subscribe("1", "{ __typename }")
        assert await wire.end() == (4401, "Unauthorized")


async def test_nobody_is_let_in_twice(front: Front) -> None:
    async with front.wire() as wire:
        await wire.say({"type": "connection_init"})
        assert (await wire.end())[0] == 4429


async def test_two_operations_cannot_have_one_id(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        await wire.subscribe("1", FOLLOW, id=room)
        await wire.event("1")
        await wire.subscribe("1", "{ __typename }")
        code, reason = await wire.end()
    assert code == 4409
    assert "1" in (reason or "")


async def test_an_id_is_free_again_after_the_end(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        for _ in range(3):
            await wire.answer("1", "{ __typename }")
            await wire.subscribe("1", FOLLOW, id=room)
            assert (await wire.event("1"))["__typename"] == "RoomSnapshot"
            await wire.complete("1")


async def test_a_ping_is_answered_at_any_time(front: Front) -> None:
    async with front.stranger() as wire:
        await wire.say({"type": "ping"})
        assert await wire.next() == {"type": "pong"}
        await wire.begin()
        await wire.say({"type": "ping", "payload": {"at": 1}})
        assert (await wire.next())["type"] == "pong"
        await wire.say({"type": "pong"})
        await wire.answer("1", "{ __typename }")


async def test_queries_and_mutations_are_done_and_end(front: Front) -> None:
    await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        payload = await wire.answer("q", "{ viewer { subject } }")
        assert payload == {"data": {"viewer": {"subject": "ada"}}}
        payload = await wire.answer("m", MUTE, id=gid("board", "anna"))
        assert payload["data"]["muteParticipant"]["outcome"] == "CONFIRMED"


async def test_a_command_and_the_event_of_its_effect_have_one_position(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        await wire.subscribe("follow", FOLLOW, id=room)
        await wire.event("follow")
        done = (await wire.answer("mute", MUTE, id=gid("board", "anna")))["data"]["muteParticipant"]
        event = await wire.event("follow")
    assert (event["changed"], event["position"]) == (["MUTED"], done["position"])


async def test_operations_on_one_socket_do_not_wait_for_each_other(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    front.house.pbx.hold.clear()
    async with front.wire() as wire:
        await wire.subscribe("follow", FOLLOW, id=room)
        await wire.subscribe("status", "subscription { backendEvents { backend { name status } } }")
        await wire.subscribe("mute", MUTE, id=gid("board", "anna"))
        await wire.event("follow")
        assert {(await wire.event("status"))["backend"]["name"] for _ in range(2)} == {"Head office", "Cloud"}
        await front.house.until(lambda: front.house.pbx.executed)
        assert "data" in await wire.answer("ask", "{ viewer { subject } }")
        front.house.pbx.join("board", "ben", display_name="Ben")
        assert (await wire.event("follow"))["participant"] == {"displayName": "Ben"}
        front.house.pbx.hold.set()
        assert (await wire.next("mute"))["payload"]["data"]["muteParticipant"]["outcome"] == "CONFIRMED"
        assert (await wire.event("follow"))["changed"] == ["MUTED"]


async def test_a_completed_subscription_is_followed_no_longer(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        await wire.subscribe("1", FOLLOW, id=room)
        await wire.event("1")
        await wire.complete("1")
        await front.watched_by(0)
        front.house.pbx.join("board", "anna")
        await wire.answer("2", "{ __typename }")
        assert wire.waiting("1") == 0


async def test_completing_at_once_or_twice_or_nothing_does_no_harm(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        for number in range(50):
            await wire.subscribe(str(number), FOLLOW, id=room)
            await wire.complete(str(number))
            await wire.complete(str(number))
        await wire.complete("never")
        await wire.answer("end", "{ __typename }")
        await front.watched_by(0)


async def test_the_stream_of_a_room_that_is_gone_ends(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        await wire.subscribe("1", FOLLOW, id=room)
        await wire.event("1")
        front.house.pbx.remove_room("board")
        while (message := await wire.next("1"))["type"] == "next":
            pass
        assert message == {"id": "1", "type": "complete"}
        await front.watched_by(0)


async def test_a_hundred_subscriptions_share_a_socket(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        for number in range(100):
            await wire.subscribe(str(number), FOLLOW, id=room)
        for number in range(100):
            assert (await wire.event(str(number)))["__typename"] == "RoomSnapshot"
        front.house.pbx.join("board", "anna", display_name="Anna")
        for number in range(100):
            while (event := await wire.event(str(number)))["__typename"] != "ParticipantJoined":
                pass
            assert event["participant"] == {"displayName": "Anna"}
        assert front.operations.running == 1, "and it is executed once for all of them"
        await wire.complete("0")
        await front.watched_by(99)
    await front.watched_by(0)


async def test_ten_thousand_operations_on_one_socket_are_nine_thousand_too_many(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire, front.wire() as other:
        await other.subscribe("1", FOLLOW, id=room)
        await other.event("1")
        for number in range(10_000):
            await wire.subscribe(str(number), FOLLOW, id=room)
        for number in range(1000):
            assert (await wire.event(str(number)))["__typename"] == "RoomSnapshot"
        for number in range(1000, 10_000):
            assert (await wire.refusal(str(number)))["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        front.house.pbx.join("board", "anna", display_name="Anna")
        for each, operation_id in ((other, "1"), (wire, "999")):
            while (event := await each.event(operation_id))["__typename"] != "ParticipantJoined":
                pass
            assert event["participant"] == {"displayName": "Anna"}
    await front.watched_by(0)


@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_goes_away_leaves_no_watcher(front: Front, politely: bool) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        for number in range(10):
            await wire.subscribe(str(number), FOLLOW, id=room)
            await wire.event(str(number))
        if politely:
            await wire.socket.close()
        else:
            wire.socket.transport.abort()
        async with asyncio.timeout(10):
            for muted in itertools.cycle((True, False)):
                front.house.pbx.change("board", "anna", muted=muted)
                if front.house.live.hub.watchers == 0:
                    break
                await asyncio.sleep(0)


async def test_subscriptions_with_wrong_arguments_are_refused_by_code(front: Front) -> None:
    cases = [
        ("x", "INVALID_INPUT"),
        ("", "INVALID_INPUT"),
        (backend("pbx"), "INVALID_INPUT"),
        (gid("board", "anna"), "INVALID_INPUT"),
        (gid("nowhere"), "ROOM_NOT_FOUND"),
        (gid("board", None, "elsewhere"), "ROOM_NOT_FOUND"),
    ]
    async with front.wire() as wire:
        for number, (room, code) in enumerate(cases):
            await wire.subscribe(str(number), FOLLOW, id=room)
            assert (await wire.refusal(str(number)))["extensions"] == {"code": code, "argument": "roomId"}
        assert front.house.live.hub.watchers == 0


async def test_a_forged_cursor_is_refused_by_code(front: Front) -> None:
    room = await front.house.with_people("board")
    query = "subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) { position } }"
    async with front.wire() as wire:
        for number, cursor in enumerate(["", "x", "A" * 32, "é" * 32]):
            await wire.subscribe(str(number), query, id=room, after=cursor)
            assert (await wire.refusal(str(number)))["extensions"]["code"] == "FORGED_CURSOR"


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("{", None, "Syntax Error"),
        ("x" * 5000, None, "Syntax Error"),
        ("", None, ""),
        ("{ nothing }", None, "nothing"),
        ("subscription { roomEvents { position } }", None, "roomId"),
        ("query A { __typename }", "B", "B"),
        ("query A { __typename }", "B" * 5000, "B"),
        ("fragment A on Query { __typename }", None, ""),
        ("{ " + "a: __typename " * 1000 + "}", None, "more than"),
        ("{ a " * 5000, None, "deep"),
        ("subscription { backendEvents { occurredAt } roomListEvents { __typename } }", None, ""),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_faulty_document_ends_its_operation_and_nothing_else(
    front: Front, query: str, name: str | None, words: str
) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        await wire.subscribe("good", FOLLOW, id=room)
        await wire.event("good")
        await wire.say({"id": "bad", "type": "subscribe", "payload": {"query": query, "operationName": name}})
        assert words in (await wire.refusal("bad"))["message"]
        front.house.pbx.join("board", "anna", display_name="Anna")
        while (await wire.event("good"))["__typename"] != "ParticipantJoined":
            pass
        await wire.answer("bad", "{ __typename }")
