"""How a socket is asked for, and accepted or refused."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from gateway.web.direct import DIRECT
from gateway.web.limits import SocketLimits
from tests.gateway.web.direct_server import (
    REQUEST,
    Host,
    Seen,
    accepted,
    frame,
    hosting,
    raw_client,
    served,
    text,
    until,
    until_gone,
)


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


async def test_the_answer_and_the_scope_are_what_an_application_and_a_client_expect() -> None:
    async with hosting() as host, raw_client(host.port) as raw:
        host.subprotocol = "spoken"
        raw.say(REQUEST.replace(b"/any?", b"/any%20%C3%A9?"))
        lines = (await raw.head()).decode().split("\r\n")
        assert lines[0] == "HTTP/1.1 101 Switching Protocols"
        assert {line.lower() for line in lines[1:] if line} == {
            "upgrade: websocket",
            "connection: upgrade",
            "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
            "sec-websocket-protocol: spoken",
        }
        await host.latest()
        (scope,) = host.scopes
        assert scope["extensions"].pop(DIRECT) is host.seen[0].socket
        assert scope == {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "server": ("127.0.0.1", host.port),
            "client": raw.writer.get_extra_info("sockname"),
            "root_path": "",
            "path": "/any é",
            "raw_path": b"/any%20%C3%A9",
            "query_string": b"where=here",
            "headers": [
                (b"host", b"gateway"),
                (b"upgrade", b"websocket"),
                (b"connection", b"Upgrade"),
                (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
                (b"sec-websocket-version", b"13"),
                (b"sec-websocket-protocol", b"spoken, other"),
            ],
            "subprotocols": ["spoken", "other"],
            "state": {},
            "extensions": {"websocket.http.response": {}},
        }


@pytest.mark.parametrize(
    ("good", "bad", "status"),
    [
        (b"GET", b"POST", b"405"),
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12", b"400"),
        (b"Sec-WebSocket-Version: 13\r\n", b"", b"400"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short", b"400"),
        (b"Sec-WebSocket-Key", b"Sec-WebSocket-Knee", b"400"),
        (b"Upgrade: websocket", b"Upgrade: websocket\r\nUpgrade: websocket", b"426"),
        (b"/any", b"/\xc3\xa9", b"400"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(good: bytes, bad: bytes, status: bytes) -> None:
    async with hosting() as host, raw_client(host.port) as raw:
        raw.say(REQUEST.replace(good, bad))
        assert (await raw.head()).startswith(b"HTTP/1.1 " + status)
        await raw.rest()
    assert host.scopes == []


async def test_a_handshake_may_be_cut_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    async with hosting() as host:
        for length in range(0, len(REQUEST), 7):
            async with raw_client(host.port) as raw:
                raw.say(REQUEST[:length])
                await raw.writer.drain()
        async with accepted(host) as (raw, seen):
            raw.say(text(b"well"))
            await until(lambda: seen.messages)
        await until_gone(seen)
        assert len(host.seen) == 1
    assert faults(caplog) == []


async def test_a_handshake_may_come_byte_by_byte() -> None:
    async with hosting() as host, raw_client(host.port) as raw:
        for byte in REQUEST:
            raw.say(bytes((byte,)))
            await raw.writer.drain()
        assert (await raw.head()).startswith(b"HTTP/1.1 101")


async def test_a_client_that_leaves_right_after_asking_is_gone() -> None:
    async with hosting() as host:
        async with raw_client(host.port) as raw:
            raw.say(REQUEST)
            await raw.writer.drain()
        seen = await host.latest()
        await until_gone(seen)


async def test_a_socket_can_be_refused_with_a_close_code() -> None:
    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["extensions"][DIRECT].refuse(4406, "not spoken")

    async with served(app) as port, connect(f"ws://127.0.0.1:{port}/") as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (4406, "not spoken")


async def test_a_socket_is_accepted_once() -> None:
    async with hosting() as host, accepted(host) as (_, seen):
        with pytest.raises(RuntimeError, match="accepted before"):
            seen.socket.accept(seen, None)


async def test_a_client_that_left_before_it_is_accepted_is_gone_soon() -> None:
    told: list[Seen] = []
    lost, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        direct = scope["extensions"][DIRECT]
        told.append(Seen(direct))
        direct.abort()
        await until(lambda: direct.is_lost)
        direct.accept(told[0], None)
        assert told[0].gone_count == 0
        lost.set()
        await go_on.wait()

    async with served(app) as port, raw_client(port) as raw:
        raw.say(REQUEST)
        await lost.wait()
        await until(lambda: told[0].gone_count)
        go_on.set()
        await raw.rest()
    assert told[0].gone_count == 1


async def test_nothing_of_the_handshake_stays_with_accepted_sockets() -> None:
    """Not even until the garbage collector comes; and one reader is enough for all."""
    gc.collect()
    async with hosting() as host, AsyncExitStack() as clients:
        for _ in range(5):
            raw, _ = await clients.enter_async_context(accepted(host))
            raw.say(text(b"x"))
            await until(lambda: host.seen[-1].messages)
        host.scopes.clear()
        alive = Counter(type(each).__name__ for each in gc.get_objects())
        assert (alive["DirectProtocol"], alive["Opening"], alive["PatientHttp"], alive["Reader"]) == (5, 0, 0, 1)


# ---- Applications that use ASGI messages ----


App = Callable[[WebSocket], Awaitable[object]]


def classic(app: App) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        await app(WebSocket(scope, receive, send))

    return called


async def test_an_application_without_the_extension_talks_by_messages() -> None:
    ended: list[int] = []

    async def app(websocket: WebSocket) -> None:
        await websocket.accept("spoken", [(b"x-more", b"headers")])
        with suppress(WebSocketDisconnect):
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                await websocket.send({**message, "type": "websocket.send"})
        ended.append(1)

    async with served(classic(app)) as port:
        async with connect(f"ws://127.0.0.1:{port}/", subprotocols=["spoken"]) as client:  # type: ignore[list-item]  # a NewType
            assert client.subprotocol == "spoken"
            assert client.response is not None
            assert client.response.headers["X-More"] == "headers"
            for message in ("text", b"bytes", "x" * 100_000):
                await client.send(message)
            assert [await client.recv() for _ in range(3)] == ["text", b"bytes", "x" * 100_000]
        await until(lambda: ended)


async def test_an_application_that_takes_no_messages_keeps_the_client_from_sending_more() -> None:
    take = asyncio.Event()
    taken: list[str] = []

    async def app(websocket: WebSocket) -> None:
        await websocket.accept()
        await take.wait()
        with suppress(WebSocketDisconnect):
            while True:
                taken.append(await websocket.receive_text())

    async with served(classic(app)) as port, raw_client(port) as raw:
        raw.say(REQUEST)
        await raw.head()
        many = [text(b"x" * 60_000) for _ in range(500)]
        raw.say(*many)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert raw.writer.transport.get_write_buffer_size() > 10_000_000
        take.set()
        await until(lambda: len(taken) == 500)


async def test_an_application_that_sends_faster_than_the_client_reads_waits() -> None:
    sent = 0

    async def app(websocket: WebSocket) -> None:
        nonlocal sent
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            for _ in range(200):
                await websocket.send_text("x" * 100_000)
                sent += 1
        await websocket.close(4000, "all")

    limits = SocketLimits(outbox_max_bytes=100_000)
    async with served(classic(app), limits) as port, raw_client(port, narrow=True) as raw:
        raw.say(REQUEST)
        await raw.head()
        await until(lambda: sent > 1)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert sent < 100
        assert await raw.closed() == (4000, "all")


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (lambda websocket: websocket.close(), 403),
        (lambda websocket: websocket.send_denial_response(denial()), 429),
    ],
)
async def test_an_application_can_refuse(app: App, status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with served(classic(app)) as port:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://127.0.0.1:{port}/"):
                pass
        answer = refused.value.response
        assert answer.status_code == status
        if status == 429:
            assert (answer.body, answer.headers["Retry-After"]) == (b"later", "9")
    assert faults(caplog) == []


def denial() -> PlainTextResponse:
    return PlainTextResponse("later", 429, {"Retry-After": "9"})


async def do_nothing(_: object) -> None:
    pass


async def fail(_: object) -> None:
    raise ValueError("a fault that a test made")


async def accept_and_fail(websocket: WebSocket) -> None:
    await websocket.accept()
    await fail(websocket)


async def accept_and_leave(websocket: WebSocket) -> None:
    await websocket.accept()


@pytest.mark.parametrize("app", [do_nothing, fail])
async def test_an_application_that_does_not_answer_is_answered_for(app: App, caplog: pytest.LogCaptureFixture) -> None:
    async with served(classic(app)) as port, raw_client(port) as raw:
        raw.say(REQUEST)
        assert (await raw.head()).startswith(b"HTTP/1.1 500 ")
        await raw.rest()
    assert len(faults(caplog)) == 1


@pytest.mark.parametrize(("app", "code", "count"), [(accept_and_fail, 1011, 1), (accept_and_leave, 1000, 0)])
async def test_an_application_that_ends_leaves_no_socket_behind(
    app: App, code: int, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(classic(app)) as port, connect(f"ws://127.0.0.1:{port}/") as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == code
    assert len(faults(caplog)) == count


async def test_an_application_that_fails_after_it_accepted_directly_ends_the_socket(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Host):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)
            await fail(self)

    async with hosting(host=Failing()) as host, accepted(host) as (raw, seen):
        assert (await raw.closed())[0] == 1011
        raw.say(frame(Opcode.CLOSE))
        await raw.rest()
        await until_gone(seen)
    assert len(faults(caplog)) == 1
