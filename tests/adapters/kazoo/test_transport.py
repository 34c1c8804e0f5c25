"""HTTP to Kazoo: what is sent again and what never is, how long it may take, and what is not believed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.kazoo.client import Client
from adapters.kazoo.config import KazooSettings
from adapters.kazoo.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.kazoo.transport import Request, Transport
from adapters.kit.understanding import NotUnderstoodError
from gateway.model.commands import Action, RoomCommand
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.ids import RoomId
from tests.adapters.kazoo.kazoo_adapter import connected

SIGNED_IN = b'{"data":{"account_id":"a1"},"auth_token":"t.t.t","status":"success"}'
Answer = Callable[[str], bytes]


class Server:
    """An HTTP server that answers each request line as a test wants; nothing means that it hangs up."""

    def __init__(self, answer: Answer) -> None:
        self.lines: list[str] = []
        self.asked = asyncio.Event()
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line = head.split(b"\r\n")[0].decode()
                length = next((int(each[15:]) for each in head.split(b"\r\n") if each[:15] == b"Content-Length:"), 0)
                await reader.readexactly(length)
                if "user_auth" in line or "api_auth" in line:
                    writer.write(http(200, SIGNED_IN))
                    continue
                self.lines.append(line.rpartition(" ")[0])
                self.asked.set()
                if not (raw := self._answer(line)):
                    break
                writer.write(raw)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def server(answer: Answer, **more: object) -> AsyncIterator[tuple[Server, Transport]]:
    serving = Server(answer)
    listener = await asyncio.start_server(serving.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    settings = {"url": f"http://127.0.0.1:{port}/v2", "api_key": "k" * 64, "request_timeout_s": 2, **more}
    transport = Transport(KazooSettings.model_validate(settings))
    try:
        yield serving, transport
    finally:
        await transport.aclose()
        listener.close()
        await listener.wait_closed()


LOCK = Request(method="PUT", path=("conferences", "r1"), data={"action": "lock"})
READ = Request(method="GET", path=("conferences",))


@pytest.mark.parametrize("request_", [LOCK, Request(method="DELETE", path=("conferences", "r1"))])
async def test_a_command_is_never_sent_twice_when_the_connection_breaks(request_: Request) -> None:
    async with server(lambda _: b"") as (serving, transport):
        with pytest.raises(UnreachableError) as caught:
            await transport.ask(request_)
        assert caught.value.sent
        assert len(serving.lines) == 1


async def test_a_redirect_is_not_followed() -> None:
    away = http(302, b"", "Location: http://127.0.0.1:1/v2/elsewhere")
    async with server(lambda _: away) as (serving, transport):
        with pytest.raises(UnreachableError):
            await transport.ask(READ)
        assert len(serving.lines) == 1


async def test_a_connection_that_cannot_be_made_has_sent_nothing() -> None:
    async with server(lambda _: b"") as (_, transport):
        settings = transport._settings
    nowhere = Transport(settings)
    with pytest.raises(UnreachableError) as caught:
        await nowhere.ask_openly(Request(method="GET", path=("websockets",), of_account=False))
    assert not caught.value.sent
    await nowhere.aclose()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data":', b'{"status":7}', b"[" * 100_000])
async def test_a_success_that_is_no_envelope_is_not_understood(body: bytes) -> None:
    async with server(lambda _: http(200, body)) as (_, transport):
        with pytest.raises(NotUnderstoodError):
            await transport.ask(READ)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status":"success"}'])
async def test_an_error_that_is_no_envelope_is_not_kazoos(body: bytes) -> None:
    async with server(lambda _: http(502, body)) as (_, transport):
        with pytest.raises(RefusedError) as caught:
            await transport.ask(READ)
        assert (caught.value.status, caught.value.of_kazoo) == (502, False)


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    huge = http(200, b"").replace(b"Content-Length: 0", b"Content-Length: 90000000") + b" " * 90_000_000
    async with server(lambda _: huge) as (_, transport):
        with pytest.raises(NotUnderstoodError):
            await transport.ask(READ)


async def test_words_of_a_path_and_of_a_query_are_quoted() -> None:
    async with server(lambda _: http(200, b'{"data":{}}')) as (serving, transport):
        await Client(transport).conference(RoomId("a/../b ?#%.ü"))
        await transport.ask(Request(method="GET", path=("conferences",), query={"start_key": "a&b=c"}))
        assert serving.lines == [
            "GET /v2/accounts/a1/conferences/a%2F..%2Fb%20%3F%23%25.%C3%BC",
            "GET /v2/accounts/a1/conferences?start_key=a%26b%3Dc",
        ]


async def test_pages_are_followed_by_the_key_as_it_came() -> None:
    pages = iter(
        [
            b'{"data":[{"id":"1"}],"next_start_key":"op/aque"}',
            b'{"data":[{"id":"2"}],"next_start_key":["k",3]}',
            b'{"data":[{"id":"3"}],"next_start_key":null}',
        ]
    )
    async with server(lambda _: http(200, next(pages))) as (serving, transport):
        assert [item["id"] for item in await Client(transport).conferences()] == ["1", "2", "3"]
        assert [line.partition("?")[2] for line in serving.lines] == [
            "page_size=100",
            "page_size=100&start_key=op%2Faque",
            "page_size=100&start_key=%5B%22k%22%2C3%5D",
        ]


async def test_a_listing_of_several_pages_is_complete() -> None:
    async with connected() as seat:
        made = {seat.sim.add_room(f"Room {n}") for n in range(230)}
        listed = await seat.adapter._client.conferences()
        assert {item["id"] for item in listed} == made
        assert seat.sent("GET", "/conferences") == 3


def limited(times: int) -> tuple[Answer, list[str]]:
    """An answerer that refuses the first so many requests for being too many."""
    order: list[str] = []

    def answer(line: str) -> bytes:
        order.append(line.partition(" ")[0])
        if len(order) <= times:
            return http(429, b'{"status":"error","error":"429","message":"too_many_requests","data":{}}')
        return http(200, b'{"data":"ok"}')

    return answer, order


async def test_a_read_that_is_too_much_waits_and_is_sent_again() -> None:
    answer, order = limited(1)
    async with server(answer) as (_, transport):
        assert (await transport.ask(READ)).get("data") == "ok"
        assert order == ["GET", "GET"]


async def test_after_a_429_a_later_command_goes_before_the_reads_that_wait() -> None:
    answer, order = limited(1)
    async with server(answer, requests_at_once=1) as (serving, transport):
        reads = [asyncio.create_task(transport.ask(READ)) for _ in range(3)]
        await serving.asked.wait()
        await transport.ask(LOCK)
        await asyncio.gather(*reads)
        assert order == ["GET", "PUT", "GET", "GET", "GET"]


async def test_a_command_that_would_have_to_wait_too_long_is_given_back_with_the_time_to_wait() -> None:
    answer, order = limited(100)
    async with server(answer) as (_, transport):
        with pytest.raises(RateLimitedError) as caught:
            await transport.ask(LOCK)
        assert caught.value.retry_after_s == pytest.approx(2, abs=0.2)
        assert order == ["PUT", "PUT"]


async def test_a_viewer_is_told_when_to_try_again() -> None:
    async with connected() as seat:
        room_id = seat.sim.add_room()
        seat.sim.someone_joins(room_id)
        room = await seat.read(room_id)
        seat.sim.faults.http_status = 429
        with pytest.raises(CommandRefused) as caught:
            await seat.do(RoomCommand(Action.LOCK, room.id), room)
        (error,) = caught.value.errors
        assert error.code is CommandErrorCode.BACKEND_RATE_LIMITED
        assert error.retry_after_ms is not None
        assert 1000 < error.retry_after_ms <= 2000


async def test_a_burst_over_kazoos_limit_loses_nothing() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        await seat.rooms()
        seat.sim.faults.rate_limit = True
        seat.sim.faults.burst = 20
        seat.sim.faults.refill_per_s = 100
        rooms = await asyncio.gather(*(seat.read(room) for _ in range(60)))
        assert len(rooms) == 60


@pytest.mark.parametrize("room", ["", ".", ".."])
async def test_an_id_that_is_no_word_of_a_path_names_no_room(room: str) -> None:
    async with server(lambda _: http(200, b'{"data":{}}')) as (serving, transport):
        client = Client(transport)
        assert await client.conference(RoomId(room)) is None
        for work in (
            client.act(RoomId(room), "lock"),
            client.delete(RoomId(room)),
            client.act_on_one(RoomId(room), 1, "x"),
        ):
            with pytest.raises(RefusedError):
                await work
        assert not serving.lines
