"""Server-sent events, one connection for many operations, as npm's graphql-sse asks for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.web import single_stream
from gateway.web.app import WebLimits
from gateway.web.limits import SocketLimits
from gateway.web.session import SessionLimits
from tests.gateway.schema.house import House, gid
from tests.protocol.front import BODY_MAX_BYTES, Front, front_of, front_with
from tests.protocol.streams import SSE, EventStream, streaming
from tests.protocol.test_websocket import FOLLOW, MUTE

TOKEN = "X-GraphQL-Event-Stream-Token"


class Single:
    """A client of one stream."""

    def __init__(self, front: Front, session: aiohttp.ClientSession, token: str) -> None:
        self.token = token
        self._url = f"{front.url}/stream"
        self._session = session
        self._waiting: dict[str, list[tuple[str, Any]]] = {}
        self._events: EventStream | None = None

    async def open(self, stack: AsyncExitStack, *, in_url: bool = False) -> None:
        """Open the stream."""
        options: dict[str, Any] = {"params": {"token": self.token}} if in_url else {}
        headers = SSE if in_url else {TOKEN: self.token, **SSE}
        response = await stack.enter_async_context(self._session.get(self._url, headers=headers, **options))
        assert (response.status, response.content_type) == (200, "text/event-stream")
        self._events = EventStream(response)

    async def start(self, operation_id: str | None, query: str, **variables: Any) -> tuple[int, Any]:
        """Start an operation, and give the answer."""
        body = {"query": query, "variables": variables, "extensions": {"operationId": operation_id}}
        return await self.ask("POST", json=body)

    async def stop(self, operation_id: str) -> None:
        """Stop an operation."""
        assert (await self.ask("DELETE", params={"operationId": operation_id}))[0] == 200

    async def ask(self, method: str, token: str | None = None, **options: Any) -> tuple[int, Any]:
        """Send any request about the stream."""
        headers = {TOKEN: token or self.token}
        async with asyncio.timeout(10), self._session.request(method, self._url, headers=headers, **options) as answer:
            body = await answer.read()
            return answer.status, (await answer.json()) if body else None

    async def next(self, operation_id: str) -> tuple[str, Any]:
        """Give what comes next for an operation."""
        waiting = self._waiting.setdefault(operation_id, [])
        while not waiting:
            assert self._events is not None
            told = await self._events.told()
            assert told is not None, "the stream is over"
            assert told.id is None
            self._waiting.setdefault(told.data["id"], []).append((told.name, told.data.get("payload")))
        return waiting.pop(0)

    async def event(self, operation_id: str) -> Any:
        """Give the next event of a subscription."""
        name, payload = await self.next(operation_id)
        assert (name, "errors" in payload) == ("next", False), payload
        (event,) = payload["data"].values()
        return event

    async def rest(self) -> bytes:
        """Read to the end."""
        assert self._events is not None
        return await self._events.rest()


async def reserve(front: Front, session: aiohttp.ClientSession | None = None) -> Single:
    session = session or front.session
    async with session.put(f"{front.url}/stream") as response:
        assert (response.status, response.content_type) == (201, "text/plain")
        return Single(front, session, await response.text())


@asynccontextmanager
async def opened(front: Front, *, in_url: bool = False) -> AsyncIterator[Single]:
    async with AsyncExitStack() as stack:
        single = await reserve(front)
        await single.open(stack, in_url=in_url)
        yield single


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    return status, body["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("in_url", [False, True])
async def test_operations_of_all_kinds_share_a_stream(front: Front, in_url: bool) -> None:
    room = await front.house.with_people("board", "anna")
    async with opened(front, in_url=in_url) as single:
        for number in range(3):
            assert await single.start(f"follow {number}", FOLLOW, id=room) == (202, None)
        for number in range(3):
            assert (await single.event(f"follow {number}"))["__typename"] == "RoomSnapshot"
        await single.start("ask", "{ viewer { subject } }")
        assert await single.next("ask") == ("next", {"data": {"viewer": {"subject": "ada"}}})
        assert await single.next("ask") == ("complete", None)
        await single.start("mute", MUTE, id=gid("board", "anna"))
        done = await single.event("mute")
        assert (done["outcome"], await single.next("mute")) == ("CONFIRMED", ("complete", None))
        for number in range(3):
            event = await single.event(f"follow {number}")
            assert (event["changed"], event["position"]) == (["MUTED"], done["position"])
    await front.watched_by(0)


async def test_an_operation_that_is_stopped_is_followed_no_longer_and_its_id_is_free(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with opened(front) as single:
        for _ in range(3):
            await single.start("1", FOLLOW, id=room)
            assert (await single.event("1"))["__typename"] == "RoomSnapshot"
            await single.stop("1")
            assert front.operations.followers == 0
            await single.stop("1")
        await single.stop("never")


async def test_operations_may_begin_before_the_stream_is_opened(front: Front) -> None:
    room = await front.house.with_people("board")
    single = await reserve(front)
    await single.start("1", FOLLOW, id=room)
    async with AsyncExitStack() as stack:
        await single.open(stack)
        assert (await single.event("1"))["__typename"] == "RoomSnapshot"


async def test_what_is_refused_before_it_runs_is_told_in_the_answer(front: Front) -> None:
    async with opened(front) as single:
        assert code(await single.start("1", "{")) == (400, "PARSE_FAILED")
        assert code(await single.start("1", "{ nothing }")) == (400, "VALIDATION_FAILED")
        assert code(await single.start(None, "{ __typename }")) == (400, "BAD_REQUEST")
        assert code(await single.start("", "{ __typename }")) == (400, "BAD_REQUEST")
        assert code(await single.ask("POST", json={"query": 7})) == (400, "BAD_REQUEST")
        assert code(await single.ask("DELETE")) == (400, "BAD_REQUEST")
        assert code(await single.ask("PATCH")) == (405, "BAD_REQUEST")


async def test_what_fails_when_it_runs_is_told_on_the_stream(front: Front) -> None:
    async with opened(front) as single:
        cases = [
            ("1", FOLLOW, {"id": gid("nowhere")}, "ROOM_NOT_FOUND"),
            ("2", FOLLOW, {}, "INVALID_INPUT"),
            ("3", "query ($id: ID!) { room(id: $id) { name } }", {}, "INVALID_INPUT"),
        ]
        for operation_id, query, variables, expected in cases:
            assert (await single.start(operation_id, query, **variables))[0] == 202
            name, payload = await single.next(operation_id)
            assert (name, payload["errors"][0]["extensions"]["code"]) == ("next", expected)
            assert await single.next(operation_id) == ("complete", None)


async def test_two_operations_cannot_have_one_id(front: Front) -> None:
    room = await front.house.with_people("board")
    async with opened(front) as single:
        await single.start("1", FOLLOW, id=room)
        assert code(await single.start("1", "{ __typename }")) == (409, "BAD_REQUEST")
        assert (await single.event("1"))["__typename"] == "RoomSnapshot"


async def test_a_stream_is_opened_once(front: Front) -> None:
    async with opened(front) as single:
        assert code(await single.ask("GET")) == (409, "BAD_REQUEST")


async def test_nobody_guesses_a_stream(front: Front) -> None:
    single = await reserve(front)
    assert len(single.token) >= 40
    assert (await reserve(front)).token != single.token
    for method, options in (("GET", {}), ("POST", {"json": {"query": "{ __typename }"}}), ("DELETE", {})):
        assert code(await single.ask(method, token=f"{single.token}x", **options)) == (404, "BAD_REQUEST")


async def test_a_stream_is_of_the_viewer_who_reserved_it(front: Front) -> None:
    single = await reserve(front)
    async with aiohttp.ClientSession(headers={"X-Mo": "it is me"}) as session:
        thief = Single(front, session, single.token)
        for method, options in (("GET", {}), ("POST", {"json": {"query": "{ __typename }"}}), ("DELETE", {})):
            assert code(await thief.ask(method, **options)) == (404, "BAD_REQUEST")
    async with AsyncExitStack() as stack:
        await single.open(stack)


async def test_a_reservation_that_nobody_opens_expires(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    room = await front.house.with_people("board")
    monkeypatch.setattr(single_stream, "_OPENED_WITHIN_S", 0.05)
    single = await reserve(front)
    await single.start("1", FOLLOW, id=room)
    await front.watched_by(0)
    assert code(await single.ask("GET")) == (404, "BAD_REQUEST")


async def test_reservations_have_a_limit(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_stream, "_RESERVED_MAX", 3)
    first, *_ = [await reserve(front) for _ in range(3)]
    assert code(await first.ask("PUT")) == (503, "BAD_REQUEST")
    async with AsyncExitStack() as stack:
        await first.open(stack)
        await reserve(front)


async def test_operations_on_a_stream_have_a_limit(tmp_path: Path) -> None:
    async with front_with(tmp_path, session=SessionLimits(max_operations=2)) as front:
        room = await front.house.with_people("board")
        async with opened(front) as single:
            for number in range(2):
                await single.start(str(number), FOLLOW, id=room)
            assert code(await single.start("2", FOLLOW, id=room)) == (429, "BAD_REQUEST")
            await single.stop("0")
            assert (await single.start("2", FOLLOW, id=room))[0] == 202


async def test_who_does_not_read_cannot_fill_the_memory(tmp_path: Path) -> None:
    async with front_with(tmp_path, socket=SocketLimits(outbox_max_bytes=10_000)) as front:
        single = await reserve(front)
        asked = 0
        while (answer := await single.start(str(asked), "{ viewer { subject } }"))[0] == 202:
            asked += 1
        assert code(answer) == (429, "BAD_REQUEST")
        async with AsyncExitStack() as stack:
            await single.open(stack)
            for number in range(asked):
                assert (await single.next(str(number)))[0] == "next"
            assert (await single.start("again", "{ __typename }"))[0] == 202


async def test_without_a_token_it_serves_one_operation_a_connection(front: Front) -> None:
    """Some clients use this address for both modes."""
    room = await front.house.with_people("board")
    async with streaming(front, FOLLOW, path="/stream", id=room) as stream:
        assert (await stream.event())["__typename"] == "RoomSnapshot"
    async with front.session.options(f"{front.url}/stream") as response:
        assert (response.status, response.headers["Allow"]) == (204, "PUT, GET, POST, DELETE, OPTIONS")


async def test_a_mutation_goes_on_when_the_client_leaves(front: Front) -> None:
    await front.house.with_people("board", "anna")
    front.house.pbx.hold.clear()
    async with opened(front) as single:
        await single.start("mute", MUTE, id=gid("board", "anna"))
        async with asyncio.timeout(10):
            while not front.house.pbx.executed:  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0)
    front.house.pbx.hold.set()
    await front.house.until(lambda: (at := front.house.room("board")) and at.room.participants["anna"].muted)


async def test_the_stream_ends_when_the_gateway_stops(house: House) -> None:
    """Without saying that any operation is complete: clients connect again."""
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            session = await clients.enter_async_context(aiohttp.ClientSession())
            single = await reserve(front, session)
            await single.open(clients)
            await single.start("1", FOLLOW, id=gid("board"))
            await single.event("1")
            forgotten = await reserve(front, session)
            await forgotten.start("1", FOLLOW, id=gid("board"))
        assert await single.rest() == b""
        assert front.operations.followers == house.live.hub.watchers == 0
    async with asyncio.timeout(1):
        await front.watched_by(0)
