"""The same behaviour on every ASGI server: ours, which writes frames itself, and others through plain ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.operations.execution import Answer
from gateway.operations.frames import PING
from gateway.operations.operations import Prepared
from gateway.web.app import WebLimits
from gateway.web.limits import SocketLimits
from gateway.web.server import serving
from gateway.web.session import SessionLimits
from tests.gateway.schema.house import LIMITS, gid, house_with
from tests.gateway.web.direct_server import Raw, raw_client, text, until
from tests.protocol.busy import FOLLOW_ALL, PEOPLE, STATE, Picture, busy, follow, room_name, see_the_gap, until_last
from tests.protocol.front import ALLOWED_ORIGIN, BODY_MAX_BYTES, Front, Wire, front_of, front_with
from tests.protocol.servers import SERVERS, Serve, uvicorn_serving
from tests.protocol.test_websocket import FOLLOW, MUTE

HELLO = (
    b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
RESUME = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) { __typename position
    ... on ParticipantJoined { participant { displayName } } } }"""


@pytest.fixture(params=SERVERS)
def serve(request: pytest.FixtureRequest) -> Serve:
    return SERVERS[request.param]


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert {each.get_name() for each in asyncio.all_tasks() - before - {asyncio.current_task()}} == set()


@pytest.fixture
async def front(tmp_path: Path, serve: Serve) -> AsyncIterator[Front]:
    async with front_with(tmp_path, serve=serve) as front:
        yield front
        await front.watched_by(0)
        assert front.operations.running == 0


def message(**members: object) -> bytes:
    return text(json.dumps(members).encode())


async def begun(raw: Raw, *messages: bytes) -> None:
    """Let a raw client be let in, and say more."""
    raw.say(HELLO)
    assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
    raw.say(message(type="connection_init"), *messages)
    while b"connection_ack" not in (await raw.frame()).data:
        pass


# ---- What is asked and followed ----


async def test_queries_mutations_and_subscriptions_share_a_socket(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        assert wire.socket.subprotocol == "graphql-transport-ws"
        await wire.subscribe("follow", FOLLOW, id=room)
        await wire.subscribe("status", "subscription { backendEvents { backend { name } } }")
        assert (await wire.event("follow"))["__typename"] == "RoomSnapshot"
        assert await wire.answer("ask", "{ viewer { subject } }") == {"data": {"viewer": {"subject": "ada"}}}
        done = (await wire.answer("mute", MUTE, id=gid("board", "anna")))["data"]["muteParticipant"]
        event = await wire.event("follow")
        assert (done["outcome"], event["changed"], event["position"]) == ("CONFIRMED", ["MUTED"], done["position"])
        await wire.subscribe("wrong", "{ nothing }")
        assert "nothing" in (await wire.refusal("wrong"))["message"]
        await wire.complete("follow")
        await front.watched_by(1)
        await wire.socket.close()
    await front.watched_by(0)


async def test_who_comes_late_has_the_same_picture_as_everybody(front: Front) -> None:
    await front.house.with_people("board", *PEOPLE)
    async with AsyncExitStack() as clients:

        async def comes() -> Picture:
            wire = await clients.enter_async_context(front.wire())
            await follow(wire)
            picture = Picture()
            await until_last(wire, picture)
            return picture

        happening = asyncio.create_task(busy(front, 60))
        coming: list[asyncio.Task[Picture]] = []
        while not happening.done():
            coming.append(asyncio.create_task(comes()))
            await asyncio.wait({happening}, timeout=0.01)
        await happening
        pictures = await asyncio.gather(*coming)
        _, answer = await front.post(STATE, id=gid("board"))
    for picture in pictures:
        truth = answer["data"]["room"]
        assert picture.muted == {each["node"]["id"]: each["node"]["muted"] for each in truth["participants"]["edges"]}
        assert picture.positions[-1] == truth["position"]
        assert picture.reasons == ["START"]


async def test_who_comes_back_gets_what_was_missed(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        await wire.subscribe("1", RESUME, id=room)
        position = (await wire.event("1"))["position"]
    people = [f"guest {number}" for number in range(20)]
    await front.house.until_joined("board", *people)
    async with front.wire() as wire:
        await wire.subscribe("1", RESUME, id=room, after=position)
        events = [await wire.event("1") for _ in people]
    assert [event["participant"]["displayName"] for event in events] == [person.title() for person in people]


async def test_ten_thousand_operations_at_once_are_answered_one_by_one(front: Front) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire, front.wire() as beside:
        await beside.subscribe("1", FOLLOW, id=room)
        await beside.event("1")

        async def asks() -> None:
            for number in range(10_000):
                await wire.subscribe(str(number), FOLLOW, id=room)

        asking = asyncio.create_task(asks())
        for number in range(1000):
            assert (await wire.event(str(number)))["__typename"] == "RoomSnapshot"
        for number in range(1000, 10_000):
            assert (await wire.refusal(str(number)))["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        await asking
        front.house.pbx.join("board", "anna", display_name="Anna")
        for each, operation_id in ((beside, "1"), (wire, "0"), (wire, "999")):
            while (event := await each.event(operation_id))["__typename"] != "ParticipantJoined":
                pass
            assert event["participant"] == {"displayName": "Anna"}


# ---- What closes a socket ----


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([{"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}], 4401),
        ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
        (
            [
                {"type": "connection_init"},
                {"id": "1", "type": "subscribe", "payload": {"query": "subscription { backendEvents { occurredAt } }"}},
                {"id": "1", "type": "subscribe", "payload": {"query": "subscription { backendEvents { occurredAt } }"}},
            ],
            4409,
        ),
        (["hello"], 4400),
        ([b"binary"], 4400),
        ([{"type": "start"}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "payload": {"query": "{ __typename }"}}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": {"query": 7}}], 4400),
        (["x" * (BODY_MAX_BYTES + 1)], 1009),
    ],
    ids=lambda value: str(value)[-60:],
)
async def test_a_socket_is_closed_with_the_code_of_the_protocol(front: Front, said: list[object], code: int) -> None:
    async with front.stranger() as wire:
        for each in said:
            await wire.say(each)
        closed = await wire.end()
    assert closed[0] == code
    assert code == 1009 or closed[1]


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["soap"]])
async def test_without_our_protocol_there_is_a_reason(front: Front, offered: list[str] | None) -> None:
    async with front.stranger(subprotocols=offered) as wire:
        assert await wire.end() == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://[", "http://[::1", "null", "", "x" * 2000])
async def test_pages_of_other_origins_get_no_socket(front: Front, origin: str) -> None:
    async with raw_client(front.port) as raw:
        raw.say(HELLO.replace(b"Host:", f"Origin: {origin}\r\nHost:".encode()))
        assert (await raw.head()).split(b" ")[1] == b"403"
    async with front.wire(origin=ALLOWED_ORIGIN) as wire:
        await wire.answer("1", "{ __typename }")


async def test_who_does_not_begin_in_time_is_closed(tmp_path: Path, serve: Serve) -> None:
    async with (
        front_with(tmp_path, serve=serve, session=SessionLimits(let_in_s=0.1)) as front,
        front.stranger() as late,
        front.wire() as in_time,
    ):
        assert await late.end() == (4408, "Connection initialisation timeout")
        await in_time.answer("1", "{ __typename }")


@pytest.mark.parametrize("said", [b"", b"null", b'{"type":"connection_init"}', b'{"type":"ping"}'])
async def test_who_hangs_up_at_any_moment_is_nobodys_fault(tmp_path: Path, serve: Serve, said: bytes) -> None:
    """Also where nobody tells of it: Hypercorn does not when messages came with the handshake."""
    limits = {"session": SessionLimits(let_in_s=0.2), "socket": SocketLimits(heartbeat_s=0.2)}
    async with front_with(tmp_path, serve=serve, **limits) as front:
        for turns in range(8):
            async with raw_client(front.port) as raw:
                raw.say(HELLO, *([text(said)] * 3 if said else []))
                for _ in range(turns):
                    await asyncio.sleep(0)
        async with front.wire() as wire:
            await wire.answer("1", "{ __typename }")
        await until(lambda: not any(each.get_name().startswith("socket:") for each in asyncio.all_tasks()))


# ---- Who is slow, stalled or gone ----


async def test_a_slow_reader_is_told_of_the_gap_and_ends_up_with_the_truth(tmp_path: Path, serve: Serve) -> None:
    limits = replace(LIMITS, log_max_events=10_000)
    async with front_with(tmp_path, limits=limits, serve=serve, socket=SocketLimits(outbox_max_bytes=65_536)) as front:
        await see_the_gap(front, 200)


async def test_a_client_that_reads_nothing_is_let_go_in_time(tmp_path: Path, serve: Serve) -> None:
    """And nobody beside it notices."""
    limits = SocketLimits(outbox_max_bytes=65_536, stalled_s=0.5)
    async with front_with(tmp_path, serve=serve, socket=limits) as front:
        await front.house.with_people("board", *PEOPLE)
        async with raw_client(front.port, narrow=True) as stalled, front.wire() as beside:
            await begun(stalled)
            for number in range(3):
                payload = {"query": FOLLOW_ALL, "variables": {"id": gid("board")}}
                stalled.say(message(type="subscribe", id=f"{number}", payload=payload))
            await follow(beside)
            await front.watched_by(4)
            picture = Picture()
            taking = asyncio.create_task(until_last(beside, picture))
            await busy(front, 100, picture)
            await taking
            assert picture.reasons == ["START"]
            await front.watched_by(1)


async def test_a_client_from_which_nothing_comes_is_gone_within_two_intervals(tmp_path: Path, serve: Serve) -> None:
    async with front_with(tmp_path, serve=serve, socket=SocketLimits(heartbeat_s=0.5)) as front:
        room = await front.house.with_people("board")
        async with raw_client(front.port) as vanished, front.wire() as alive:
            await alive.subscribe("1", FOLLOW, id=room)
            payload = {"query": FOLLOW, "variables": {"id": room}}
            await begun(vanished, message(type="subscribe", id="1", payload=payload))
            await front.watched_by(2)
            began = asyncio.get_running_loop().time()
            answering = asyncio.create_task(pong(alive))
            await front.watched_by(1)
            assert asyncio.get_running_loop().time() - began < 1.5
            if serve is serving:
                assert PING in await vanished.rest()
            else:
                assert await vanished.closed() == (1001, "nothing was heard of the client")
            await asyncio.wait({answering}, timeout=1.5)
            assert front.operations.followers == 1, "who answers stays"
            answering.cancel()


async def pong(wire: Wire) -> None:
    """Answer pings that are messages."""
    while (await wire.next()) == {"type": "ping"}:
        await wire.say({"type": "pong"})


async def test_what_a_client_asks_for_waits_until_it_reads(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand questions with long answers come at once: memory is not for keeping the answers."""
    async with front_with(tmp_path, serve=serve, socket=SocketLimits(outbox_max_bytes=65_536)) as front:
        await front.house.with_people("board")
        front.house.pbx.tell("board", name="x" * 50_000)
        await front.house.until(lambda: len(room_name(front)) == 50_000)
        answer, answered = front.operations.answer, 0

        def counted(prepared: Prepared) -> Answer | Awaitable[Answer]:
            nonlocal answered
            answered += 1
            return answer(prepared)

        monkeypatch.setattr(front.operations, "answer", counted)
        async with raw_client(front.port, narrow=True) as raw:
            payload = {"query": "{ rooms { edges { node { name } } } }"}
            await begun(raw, *(message(type="subscribe", id=str(number), payload=payload) for number in range(1000)))
            for read in range(1000):
                while b'"complete"' not in (await raw.frame()).data:
                    pass
                assert answered - read < 20


# ---- A server that stops ----


async def test_a_server_that_stops_leaves_nothing_behind(tmp_path: Path, serve: Serve) -> None:
    async with house_with(tmp_path) as house, AsyncExitStack() as clients:
        await house.until_live()
        await house.with_people("board", *PEOPLE)
        async with front_of(house, WebLimits((), BODY_MAX_BYTES), serve) as front:
            wires = [await clients.enter_async_context(front.wire()) for _ in range(20)]
            wires.append(await clients.enter_async_context(front.stranger()))
            for wire in wires[:-1]:
                await follow(wire)
            last = [(await wire.event("1"))["position"] for wire in wires[:-1]]
            operations = front.operations
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3
        ends = [await wire.end() for wire in wires]
        assert (operations.followers, operations.running, house.live.hub.watchers) == (0, 0, 0)
    if serve is uvicorn_serving:  # it closes sockets itself and says so afterwards
        assert {code for code, _ in ends} == {1012}
    else:
        assert ends == [*((1001, f"going away; 1={cursor}") for cursor in last), (1001, "going away")]
