"""Clients that stall, vanish or dawdle, and a server that stops."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from gateway.web.direct import DirectProtocol
from gateway.web.limits import SocketLimits
from tests.gateway.web.direct_server import (
    REQUEST,
    Host,
    Seen,
    accepted,
    frame,
    hosting,
    pair,
    raw_client,
    served,
    text,
    until,
    until_gone,
)

POST = b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n0123456789"


@pytest.fixture(autouse=True)
def nothing_is_logged_as_a_fault(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    records = [record for phase in ("setup", "call", "teardown") for record in caplog.get_records(phase)]
    assert [each.getMessage() for each in records if each.levelno >= logging.WARNING] == []


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


def fill(direct: DirectProtocol) -> int:
    """Send until the socket is blocked, and give the number of messages."""
    count = 0
    while not direct.blocked:
        direct.send([b"x" * 10_000])
        count += 1
    return count


# ---- Slow readers ----


async def test_a_client_that_stops_reading_is_blocked_and_then_cut() -> None:
    async with pair(SocketLimits(outbox_max_bytes=50_000, stalled_s=0.3), narrow=True) as (_, seen):
        fill(seen.socket)
        began = asyncio.get_running_loop().time()
        await until_gone(seen)
        assert 0.2 < asyncio.get_running_loop().time() - began < 5
        assert seen.drained_count == 0


async def test_a_slow_client_gets_everything_and_is_not_heard_until_then() -> None:
    async with pair(SocketLimits(outbox_max_bytes=50_000, stalled_s=60), narrow=True) as (raw, seen):
        count = fill(seen.socket)
        seen.socket.send([b"kept all the same"])
        raw.say(text(b"and now?"))
        await raw.writer.drain()
        for _ in range(100):
            await asyncio.sleep(0)
        assert seen.messages == []
        for _ in range(count):
            assert len((await raw.frame()).data) == 10_000
        assert (await raw.frame()).data == b"kept all the same"
        await until(lambda: seen.messages)
        assert not seen.socket.blocked
        assert seen.drained_count == 1


async def test_a_client_that_reads_again_is_not_cut_later() -> None:
    limits = SocketLimits(outbox_max_bytes=50_000, stalled_s=0.5)
    async with (
        hosting(limits) as host,
        accepted(host, narrow=True) as (raw, seen),
        accepted(host, narrow=True) as (_, beside),
    ):
        for _ in range(fill(seen.socket)):
            await raw.frame()
        await until(lambda: not seen.socket.blocked)
        fill(beside.socket)  # whose time begins later
        await until_gone(beside)
        assert not seen.gone_count


async def test_a_blocked_client_that_is_closed_reads_what_waits_and_then_the_reason() -> None:
    async with pair(SocketLimits(outbox_max_bytes=50_000, stalled_s=60), narrow=True) as (raw, seen):
        count = fill(seen.socket)
        seen.socket.close(4000, "too slow")
        for _ in range(count):
            await raw.frame()
        assert await raw.closed() == (4000, "too slow")
        raw.say(frame(Opcode.CLOSE, (4000).to_bytes(2)))
        assert await raw.reader.read() == b""  # its end in order, and not a reset
        await until_gone(seen)
        assert seen.drained_count == 0


async def test_a_blocked_client_that_is_closed_and_does_not_answer_is_cut_soon_after_it_has_read() -> None:
    async with pair(SocketLimits(outbox_max_bytes=50_000, stalled_s=60), narrow=True) as (raw, seen):
        fill(seen.socket)
        seen.socket.close(4000, "too slow")
        await raw.closed()
        await until_gone(seen)


async def test_the_limit_of_the_outbox_is_what_makes_a_socket_blocked() -> None:
    """The kernel's buffer is full first, and holds little for each."""
    async with pair(SocketLimits(outbox_max_bytes=1_000_000), narrow=True) as (_, seen):
        assert 1_000_000 < fill(seen.socket) * 10_000 < 2_000_000
        seen.socket.abort()


# ---- Vanished peers ----


async def test_a_client_that_answers_pings_stays_and_one_that_does_not_is_gone_within_two_intervals() -> None:
    async with hosting(SocketLimits(heartbeat_s=0.3)) as host, connect(f"ws://127.0.0.1:{host.port}/") as client:
        lives = await host.latest()
        began = asyncio.get_running_loop().time()
        async with accepted(host) as (raw, vanished):
            assert (await raw.frame()).opcode is Opcode.PING
            await until_gone(vanished)
            assert asyncio.get_running_loop().time() - began < 2
            await raw.rest()
        assert not lives.gone_count
        await client.send("still here")
        await until(lambda: lives.messages)


async def test_whatever_a_client_says_is_a_sign_of_life() -> None:
    """Even a byte of a frame that is never finished."""
    limits = SocketLimits(heartbeat_s=0.3)
    async with hosting(limits) as host, accepted(host) as (silent, gone), accepted(host) as (raw, seen):
        whole = iter(text(b"x" * 100))
        while not gone.gone_count:
            await raw.frame()
            raw.say(bytes((next(whole),)))
        assert not seen.gone_count
        await silent.rest()


async def test_a_client_that_is_slow_is_not_taken_for_dead() -> None:
    limits = SocketLimits(outbox_max_bytes=50_000, heartbeat_s=0.2, stalled_s=60)
    async with hosting(limits) as host, accepted(host, narrow=True) as (_, slow):
        fill(slow.socket)
        for _ in range(2):
            async with accepted(host) as (vanished, gone):
                await until_gone(gone)
                await vanished.rest()
        assert not slow.gone_count
        slow.socket.abort()


# ---- Requests that do not come to an end ----


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def test_a_hundred_half_requests_are_cut_in_time() -> None:
    halves = [b"", b"G", REQUEST[:-1], REQUEST[:40], POST[:-1], POST[:-12], b"GET / HTTP/1.1\r\n"]
    limits = SocketLimits(request_s=0.5)
    async with served(answer, limits) as port, AsyncExitStack() as clients:
        began = asyncio.get_running_loop().time()
        raws = [await clients.enter_async_context(raw_client(port)) for _ in range(100)]
        for number, raw in enumerate(raws):
            raw.say(halves[number % len(halves)])
        await asyncio.gather(*(raw.rest() for raw in raws))
        assert 0.4 < asyncio.get_running_loop().time() - began < 5


async def test_a_head_without_end_is_refused_long_before_it_fills_the_memory() -> None:
    async with served(answer) as port, raw_client(port) as raw:
        raw.say(POST[:-14], b"\r\nX-More: ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 50_000_000 and not raw.reader.at_eof():
                raw.say(b"x" * 10_000)
                sent += 10_000
                await raw.writer.drain()
        assert sent < 10_000_000


async def test_a_head_that_is_nearly_too_large_is_taken() -> None:
    async with served(answer) as port, raw_client(port) as raw:
        raw.say(POST[:-14], b"\r\nX-More: ", b"x" * 60_000, POST[-14:])
        assert (await raw.head()).startswith(b"HTTP/1.1 200")


async def test_a_second_request_has_as_long_as_the_first() -> None:
    async with served(answer, SocketLimits(request_s=0.3)) as port, raw_client(port) as raw:
        raw.say(POST)
        assert (await raw.head()).startswith(b"HTTP/1.1 200")
        assert await raw.reader.readexactly(10) == b"0123456789"
        raw.say(POST[:-1])
        assert await raw.rest() == b""


async def test_once_the_request_is_there_the_answer_may_take_longer() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async with raw_client(port) as beside:
            await beside.rest()  # until the patience of a later one is over
        await answer(scope, receive, send)

    async with served(slow, SocketLimits(request_s=0.3)) as port, raw_client(port) as raw:
        raw.say(POST)
        assert (await raw.head()).startswith(b"HTTP/1.1 200")


async def test_an_accepted_socket_may_be_silent_for_longer_than_a_request() -> None:
    async with hosting(SocketLimits(request_s=0.3)) as host, accepted(host) as (raw, seen):
        async with raw_client(host.port) as beside:
            await beside.rest()
        raw.say(text(b"here I am"))
        await until(lambda: seen.messages)


# ---- What connections inherit ----


async def test_connections_hold_little_in_the_kernel_and_are_cut_by_it() -> None:
    async with pair(SocketLimits(heartbeat_s=10, stalled_s=5)) as (_, seen):
        connection = seen.socket._transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in {131_072, 262_144}  # Linux doubles it
        if sys.platform == "linux":
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets us ask the kernel for it")
async def test_a_stream_over_http_that_nobody_reads_is_cut_by_the_kernel() -> None:
    ended = asyncio.Event()

    async def pour(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        pouring = asyncio.ensure_future(
            send({"type": "http.response.body", "body": b"x" * 5_000_000, "more_body": True})
        )
        assert (await receive())["type"] == "http.disconnect"
        await pouring
        ended.set()

    async with served(pour, SocketLimits(heartbeat_s=0.3, stalled_s=0.5)) as port, raw_client(port, narrow=True) as raw:
        raw.say(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n")
        await ended.wait()


# ---- The server stops ----


def farewell(seen: Seen, reason: str) -> str:
    seen.socket.send([b"last"])
    return reason


async def test_everybody_is_told_that_the_server_stops_and_why() -> None:
    async with AsyncExitStack() as clients:
        async with hosting() as host:
            opened = [await clients.enter_async_context(connect(f"ws://127.0.0.1:{host.port}/")) for _ in range(20)]
            await host.latest(20)
            for number, seen in enumerate(host.seen):
                seen.last_words = partial(farewell, seen, f"at {number}")
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1
        reasons = set()
        for client in opened:
            assert await client.recv() == "last"
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001
            reasons.add(client.close_reason)
        assert reasons == {f"at {number}" for number in range(20)}
        assert [seen.gone_count for seen in host.seen] == [1] * 20


async def test_those_who_do_not_answer_or_read_do_not_keep_the_server_from_stopping() -> None:
    """An idle socket, a blocked one, one that is closing, half a request, and an answer that nobody takes."""

    class Pouring(Host):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                await super().__call__(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * 10_000_000})
            poured.set()

    poured = asyncio.Event()
    async with AsyncExitStack() as clients:
        async with hosting(host=Pouring()) as host:
            for _ in range(3):
                await clients.enter_async_context(accepted(host, narrow=True))
            _, blocked, closing = host.seen
            fill(blocked.socket)
            closing.socket.close(4000, "")
            half = await clients.enter_async_context(raw_client(host.port))
            half.say(POST[:-1])
            dry = await clients.enter_async_context(raw_client(host.port, narrow=True))
            dry.say(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n")
            await poured.wait()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1.9
        assert [seen.gone_count for seen in host.seen] == [1, 1, 1]


async def test_a_blocked_client_is_not_waited_for_when_the_server_stops() -> None:
    async with AsyncExitStack() as clients:
        async with hosting() as host:
            _, seen = await clients.enter_async_context(accepted(host, narrow=True))
            fill(seen.socket)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 0.9


async def test_who_is_not_accepted_yet_when_the_server_stops_is_refused() -> None:
    asked = asyncio.Event()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        asked.set()
        assert (await receive())["type"] == "websocket.connect"
        assert (await receive())["type"] == "websocket.disconnect"

    async with AsyncExitStack() as clients:
        async with served(app) as port:
            raw = await clients.enter_async_context(raw_client(port))
            raw.say(REQUEST)
            await asked.wait()
        assert (await raw.head()).startswith(b"HTTP/1.1 503 ")


async def test_a_fault_while_stopping_ends_the_socket_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise ValueError("a fault that a test made")

    async with AsyncExitStack() as clients:
        async with hosting() as host:
            client = await clients.enter_async_context(connect(f"ws://127.0.0.1:{host.port}/"))
            (await host.latest()).last_words = fail
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1011
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    caplog.clear()
