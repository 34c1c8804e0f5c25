"""Frames that are no messages of graphql-transport-ws: the socket is closed with a reason, and nothing else happens."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.gateway.schema.house import gid
from tests.protocol.front import Front, Wire, front_with
from tests.protocol.test_websocket import FOLLOW, MUTE

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """One gateway for all of them: it has to survive each."""
    async with front_with(tmp_path_factory.mktemp("front")) as front:
        await front.house.with_people("board", "anna")
        yield front


def subscribing(**payload: object) -> dict[str, object]:
    return {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"} | payload}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "{",
        "null",
        "[]",
        "7",
        '"ping"',
        "true",
        "NaN",
        "[" * 20_000,
        '{"type":"ping","payload":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"type":"subscribe","id":"1","payload":{"query":"{__typename}","variables":' + '{"a":' * 9_000,
        '{"type":"ping"} {"type":"ping"}',
        '{"type": "\\ud800"}',
        b'{"type":"ping"}',
        b"\x00\xff",
        {},
        {"type": None},
        {"type": 7},
        {"type": ["subscribe"]},
        {"type": "start"},
        {"type": "x" * 5000},
        {"type": "next", "id": "1", "payload": {}},
        {"type": "connection_ack"},
        {"type": "ping", "payload": []},
        {"type": "pong", "payload": "x"},
        {"type": "connection_init", "payload": []},
        {"type": "connection_init", "payload": "token"},
        {"type": "subscribe"},
        {"type": "subscribe", "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": None},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": "{ __typename }"},
        {"type": "subscribe", "id": "1", "payload": {}},
        {"type": "complete"},
        {"type": "complete", "id": None},
        {"type": "complete", "id": ["1"]},
        {"type": "complete", "id": {}},
        subscribing() | {"id": None},
        subscribing() | {"id": ""},
        subscribing() | {"id": 7},
        subscribing() | {"id": ["1"]},
        subscribing() | {"id": {"a": 1}},
        subscribing(query=None),
        subscribing(query=7),
        subscribing(query=["{ __typename }"]),
        subscribing(variables=[]),
        subscribing(variables="{}"),
        subscribing(variables=7),
        subscribing(operationName=7),
        subscribing(operationName=["A"]),
        subscribing(extensions=[]),
        subscribing(extensions="x"),
    ],
    ids=lambda message: (message if isinstance(message, str | bytes) else json.dumps(message))[:60],
)
async def test_what_is_no_message_closes_the_socket(front: Front, message: object) -> None:
    """Also while subscriptions are busy: none of them falls over the closed socket."""
    async with front.wire() as wire:
        for number in range(3):
            await wire.subscribe(f"busy {number}", FOLLOW, id=gid("board"))
            await wire.event(f"busy {number}")
        for number in range(20):
            front.house.pbx.change("board", "anna", muted=number % 2 == 0)
        await wire.say(message)
        for number in range(20):
            front.house.pbx.change("board", "anna", muted=number % 2 == 0)
        code, reason = await wire.end()
    assert code == 4400
    assert reason
    assert len(reason.encode()) <= 123
    await front.watched_by(0)


async def test_a_message_that_is_too_large_closes_the_socket(front: Front) -> None:
    async with front.wire() as wire:
        await wire.subscribe("1", "{ __typename }", padding="x" * 70_000)
        assert (await wire.end())[0] == 1009


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b'{"type":"ping\xe9"}', b"\xed\xa0\x80"])
async def test_text_that_is_not_utf8_closes_the_socket(front: Front, text: bytes) -> None:
    async with front.wire() as wire:
        await wire.socket.send(text, text=True)
        assert (await wire.end())[0] == 1007


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        '{ "a" : [1, 2.50, {"b": null}], "é": "\\u00e9😀" }',
        '{"n":123456789012345678901234567890,"f":1e-400}',
        "null",
    ],
)
async def test_a_ping_is_answered_with_its_own_payload(front: Front, payload: str) -> None:
    """Character by character, so that numbers stay what they are."""
    async with front.wire() as wire:
        await wire.say(f'{{"type":"ping","payload":{payload}}}')
        expected = '{"type":"pong"}' if payload == "null" else f'{{"type":"pong","payload":{payload}}}'
        assert await wire.socket.recv() == expected


@pytest.mark.parametrize(
    "payload", ["7", "[]", '"x"', "true", '{"a":1e999}', '{"a":"\\ud800"}', '{"a":' + "9" * 5000 + "}"]
)
async def test_a_ping_may_carry_an_object_only(front: Front, payload: str) -> None:
    async with front.wire() as wire:
        await wire.say(f'{{"type":"ping","payload":{payload}}}')
        assert (await wire.end())[0] == 4400


async def test_messages_before_being_let_in_are_checked_too(front: Front) -> None:
    async with front.stranger() as wire:
        await wire.say("null")
        assert (await wire.end())[0] == 4400


@pytest.mark.parametrize("last_words", [b"", b"null", b'{"type":"connection_init"}', b'{"type":"ping"}'])
async def test_who_hangs_up_on_the_doorstep_is_nobodys_fault(front: Front, last_words: bytes) -> None:
    """Whatever the gateway was about to say to them."""
    hello = (
        b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    frame = bytes([0x81, 0x80 | len(last_words), 0, 0, 0, 0]) + last_words if last_words else b""
    for turns in range(10):
        rude = socket.create_connection(("127.0.0.1", front.port))
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset instead of a goodbye
        rude.sendall(hello + frame * 3)
        for _ in range(turns):
            await asyncio.sleep(0)
        rude.close()
        async with front.wire() as wire:
            await wire.answer("1", "{ __typename }")


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
_anything = st.recursive(_scalars, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some))
_ids = st.sampled_from(["1", "2", "3", "", '"']) | _scalars
_ROOMS = [gid("board"), gid("nowhere"), gid("board", "anna"), "", None, 7]
_requests = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from([FOLLOW, MUTE, "{ __typename }", "{ rooms { totalCount } }", "{", "", None])
        | _anything,
        "variables": st.fixed_dictionaries({"id": st.sampled_from(_ROOMS)}) | _anything,
        "operationName": st.none() | st.text(max_size=3),
        "extensions": st.dictionaries(st.sampled_from(["cursor", "delivery-guarantee", "persistedQuery"]), _anything),
    },
)
_types = ["subscribe", "subscribe", "subscribe", "complete", "ping", "pong", "connection_init", "start", "next", ""]
_messages = st.fixed_dictionaries(
    {"type": st.sampled_from(_types)}, optional={"id": _ids, "payload": _requests | _requests | _anything}
)
_cut = st.tuples(_messages, st.integers(1, 200)).map(lambda pair: json.dumps(pair[0])[: pair[1]])
_good = st.tuples(st.sampled_from(["1", "2"]), st.sampled_from([FOLLOW, "{ __typename }"])).map(
    lambda pair: subscribing(query=pair[1], variables={"id": gid("board")}) | {"id": pair[0]}
)
_sayings = st.lists(_good | _messages | _good | _messages | _anything.map(json.dumps) | _cut, min_size=1, max_size=12)


@given(_sayings, st.booleans())
async def test_whatever_is_said_is_answered_or_closes_the_socket(
    front: Front, sayings: list[object], is_let_in: bool
) -> None:
    """And who is on another socket notices nothing."""
    async with front.wire() as beside:
        await beside.subscribe("1", FOLLOW, id=gid("board"))
        await beside.event("1")
        async with front.stranger() as wire:
            if is_let_in:
                await wire.begin()
            code = await outcome(wire, sayings)
        assert code in {None, 4400, 4401, 4409, 4429}
        for muted in (True, False):
            front.house.pbx.change("board", "anna", muted=muted)
        while (await beside.event("1"))["participant"]["muted"]:
            pass
        await front.watched_by(1)
    await front.watched_by(0)


async def outcome(wire: Wire, sayings: list[object]) -> int | None:
    """Say it all and a ping; None when that was answered, else the code that the socket was closed with."""
    with suppress(ConnectionClosed):
        for each in sayings:
            await wire.say(each)
        await wire.say({"type": "ping", "payload": {"the": "last"}})
        while (await wire.next()) != {"type": "pong", "payload": {"the": "last"}}:
            pass
        return None
    return (await wire.end())[0]
