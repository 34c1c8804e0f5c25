"""A socket on an ASGI server that a test plays: what it takes, refuses, and when it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message

from gateway.web.asgi_socket import AsgiSocket
from gateway.web.limits import SocketLimits
from tests.gateway.web.direct_server import until

CLOSED = "websocket.close"


class Scripted:
    """A session that does as it is told; `answer` is what it does with a message."""

    heartbeat: bytes | None = None

    def __init__(self, socket: AsgiSocket) -> None:
        self.socket = socket
        self.messages: list[str | bytes] = []
        self.drained_count = 0
        self.gone_count = 0
        self.fault: Exception | None = None

    def received(self, message: str | bytes) -> None:
        assert not self.gone_count
        self.messages.append(message)
        if self.fault is not None:
            raise self.fault

    def held(self) -> None:
        """Do nothing."""

    def drained(self) -> None:
        self.drained_count += 1

    def stopping(self) -> str:
        self.socket.send([b"last words"])
        return "é" * 100

    def gone(self) -> None:
        self.gone_count += 1


class Server:
    """The server's side: `open` while it takes messages, perhaps one at a time; `failure` is what `send` raises."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.open = asyncio.Event()
        self.open.set()
        self.one_at_a_time = False
        self.failure: Exception | None = None
        self.come: asyncio.Queue[Message] = asyncio.Queue()

    async def send(self, message: Message) -> None:
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        if self.one_at_a_time:
            self.open.clear()
        self.sent.append(message)

    def says(self, **message: Any) -> None:
        self.come.put_nowait({"type": "websocket.receive", **message})

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.sent if each["type"] == "websocket.send"]


class Served:
    """A socket that is being served."""

    def __init__(self, limits: SocketLimits) -> None:
        self.server = Server()
        self.socket = AsgiSocket(self.server.send, limits)
        self.session = Scripted(self.socket)
        self.running: asyncio.Task[None]

    def run(self) -> None:
        self.running = asyncio.create_task(self.socket.run(self.session, self.server.come.get))  # type: ignore[arg-type]  # as much of a Session as it needs

    async def end(self) -> Message | None:
        """Wait for the end, and give the close message if there was one; it has to be the last."""
        async with asyncio.timeout(10):
            await asyncio.wait({self.running})
        assert self.session.gone_count == 1
        assert [each for each in self.server.sent[:-1] if each["type"] == CLOSED] == []
        last = self.server.sent[-1] if self.server.sent else {"type": ""}
        return last if last["type"] == CLOSED else None


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


@asynccontextmanager
async def served(heartbeat: bytes | None = None, **limits: Any) -> AsyncIterator[Served]:
    it = Served(SocketLimits(**limits))
    it.session.heartbeat = heartbeat
    it.run()
    yield it
    if not it.running.done():
        it.server.come.put_nowait({"type": "websocket.disconnect"})
        await it.end()


async def test_messages_go_out_in_order_and_the_close_comes_last() -> None:
    async with served() as it:
        it.socket.send([b"1", b"2"])
        it.socket.send(["é".encode()])
        it.socket.close(4400, "enough")
        it.socket.send([b"too late"])
        it.socket.close(1000, "the first reason counts")
        assert await it.end() == {"type": CLOSED, "code": 4400, "reason": "enough"}
        assert it.server.texts == ["1", "2", "é"]
        await it.running


async def test_a_reason_is_cut_between_characters() -> None:
    async with served() as it:
        it.socket.close(4400, "é" * 100)
        closed = await it.end()
        assert closed is not None
        assert closed["reason"] == "é" * 61


async def test_what_comes_after_the_close_is_thrown_away() -> None:
    async with served() as it:
        it.server.open.clear()
        it.socket.send([b"1"])
        it.socket.close(4400, "")
        it.server.says(text="late")
        await until(it.server.come.empty)
        it.server.open.set()
        await it.end()
        assert it.session.messages == []


async def test_a_client_that_leaves_is_sent_nothing_more() -> None:
    async with served() as it:
        it.server.says(text="x")
        it.server.come.put_nowait({"type": "websocket.disconnect"})
        assert await it.end() is None
        assert it.session.messages == ["x"]
        it.socket.send([b"1"])
        it.socket.close(1000, "")
        assert it.server.sent == []


async def test_text_and_binary_are_told_apart_however_the_server_writes_them() -> None:
    async with served() as it:
        it.server.says(text="")
        it.server.says(bytes=b"")
        it.server.says(text="a", bytes=None)
        it.server.says(text=None, bytes=b"b")
        await until(lambda: it.session.messages == ["", b"", "a", b"b"])


@pytest.mark.parametrize("said", [{"text": "é" * 6}, {"bytes": b"x" * 11}])
async def test_a_message_that_the_server_lets_through_may_be_too_large_for_us(said: dict[str, Any]) -> None:
    async with served(message_max_bytes=10) as it:
        it.server.says(text="x" * 10)
        it.server.says(**said)
        assert await it.end() == {"type": CLOSED, "code": 1009, "reason": ""}
        assert it.session.messages == ["x" * 10]


async def test_a_blocked_client_is_not_heard_until_it_has_read() -> None:
    async with served(outbox_max_bytes=100) as it:
        it.server.open.clear()
        it.socket.send([b"x" * 50] * 4)
        assert it.socket.blocked
        it.server.says(text="and?")
        it.server.says(text="waits")
        await until(lambda: it.session.messages == ["and?"])
        for _ in range(10):
            await asyncio.sleep(0)
        assert (it.session.messages, it.session.drained_count) == (["and?"], 0)
        it.server.open.set()
        await until(lambda: it.session.messages == ["and?", "waits"])
        assert (it.socket.blocked, it.session.drained_count, len(it.server.texts)) == (False, 1, 4)


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    async with served(stalled_s=0.05) as it:
        it.server.open.clear()
        it.socket.send([b"1"])
        assert await it.end() is None
        await it.running


async def test_a_client_that_takes_a_little_now_and_then_has_to_catch_up_in_time() -> None:
    async with served(stalled_s=0.2, outbox_max_bytes=100) as it:
        it.server.open.clear()
        it.server.one_at_a_time = True
        it.socket.send([b"x" * 10] * 1000)
        began = asyncio.get_running_loop().time()
        while not it.running.done():
            it.server.open.set()
            await asyncio.wait({it.running}, timeout=0.02)
        assert 0.1 < asyncio.get_running_loop().time() - began < 2
        assert it.session.gone_count == 1


async def test_a_client_that_does_not_answer_heartbeats_is_told_so_and_let_go() -> None:
    async with served(b"ping", heartbeat_s=0.05) as it:
        closed = await it.end()
        assert closed is not None
        assert closed["code"] == 1001
        assert it.server.texts == ["ping"]


async def test_a_client_that_answers_stays() -> None:
    async with served(b"ping", heartbeat_s=0.02) as it:
        for count in range(1, 6):
            await until(lambda now=count: len(it.server.texts) == now)
            it.server.says(text="pong")


async def test_a_client_with_something_to_read_is_not_asked() -> None:
    async with served(b"ping", heartbeat_s=0.01, stalled_s=0.2) as it:
        it.server.open.clear()
        it.socket.send([b"1"])
        began = asyncio.get_running_loop().time()
        assert await it.end() is None
        assert asyncio.get_running_loop().time() - began > 0.15, "it had the time for stalled clients"


async def test_a_client_that_was_asked_before_it_got_much_to_read_has_time_to_answer() -> None:
    async with served(b"ping", heartbeat_s=0.05) as it:
        await until(lambda: it.server.texts)
        it.server.open.clear()
        it.socket.send([b"1"])
        await asyncio.wait({it.running}, timeout=0.2)
        assert not it.running.done()
        it.server.open.set()
        await until(lambda: it.server.texts == ["ping", "1", "ping"])
        it.server.says(text="pong")
        await until(lambda: len(it.server.texts) == 4)


@pytest.mark.parametrize("failure", [OSError(), ConnectionResetError(), BrokenPipeError()])
async def test_a_server_that_says_so_when_sending_means_that_the_client_is_gone(failure: Exception) -> None:
    async with served() as it:
        it.server.failure = failure
        it.socket.send([b"1"])
        assert await it.end() is None
        await it.running


async def test_a_fault_of_ours_is_told_to_the_client_and_to_the_server() -> None:
    async with served() as it:
        it.session.fault = ValueError("ours")
        it.server.says(text="x")
        assert await it.end() == {"type": CLOSED, "code": 1011, "reason": ""}
        with pytest.raises(ValueError, match="ours"):
            await it.running


async def test_a_fault_is_not_lost_when_the_client_leaves_at_the_same_moment() -> None:
    async with served() as it:
        await asyncio.sleep(0)
        it.session.fault = ValueError("ours")
        it.server.failure = OSError()
        it.socket.send([b"1"])
        it.server.says(text="x")
        assert await it.end() is None
        with pytest.raises(ValueError, match="ours"):
            await it.running


async def test_a_server_that_stops_by_cancelling_lets_us_say_goodbye() -> None:
    async with served() as it:
        await asyncio.sleep(0)
        it.socket.send([b"1"])
        it.running.cancel()
        assert await it.end() == {"type": CLOSED, "code": 1001, "reason": "é" * 61}
        assert it.server.texts == ["1", "last words"]
        assert it.running.cancelled()


async def test_a_server_that_stops_does_not_wait_for_who_does_not_read() -> None:
    async with served() as it:
        it.server.open.clear()
        it.socket.send([b"1"])
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        it.running.cancel()
        assert await it.end() is None
        assert asyncio.get_running_loop().time() - began < 4
        assert it.running.cancelled()
