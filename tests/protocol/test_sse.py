"""Server-sent events, a connection for each operation."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.web.app import WebLimits, make_app
from gateway.web.limits import SocketLimits
from tests.gateway.schema.house import ADMIN, House, gid
from tests.protocol.busy import FOLLOW_ALL, PEOPLE, STATE, Picture, busy
from tests.protocol.front import BODY_MAX_BYTES, Front, front_of, front_with
from tests.protocol.streams import HEARTBEAT, SSE, streaming
from tests.protocol.test_websocket import FOLLOW, MUTE

SMALL = SocketLimits(outbox_max_bytes=65_536, heartbeat_s=1.0, stalled_s=0.3)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_room_is_followed(front: Front, method: str) -> None:
    """A browser's own EventSource uses GET."""
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, method=method, id=room) as stream:
        assert (await stream.event())["__typename"] == "RoomSnapshot"
        front.house.pbx.join("board", "anna", display_name="Anna")
        assert (await stream.event())["participant"] == {"displayName": "Anna"}
        headers = stream.response.headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache", "no")


async def test_each_event_has_its_position_as_id_where_there_are_positions(front: Front) -> None:
    room = await front.house.with_people("board")
    async with streaming(front, FOLLOW, id=room) as stream:
        told = await stream.told()
        assert told is not None
        assert told.id == told.data["data"]["roomEvents"]["position"]
    async with streaming(front, "subscription { backendEvents { occurredAt } }") as stream:
        told = await stream.told()
        assert told is not None
        assert (told.id, "extensions" in told.data) == (None, False)


async def test_whoever_follows_the_same_shares_one_execution(front: Front) -> None:
    room = await front.house.with_people("board")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streaming(front, FOLLOW, id=room)) for _ in range(20)]
        wire = await stack.enter_async_context(front.wire())
        await wire.subscribe("1", FOLLOW, id=room)
        await wire.event("1")
        assert (front.operations.followers, front.operations.running) == (21, 1)
        front.house.pbx.join("board", "anna", display_name="Anna")
        expected = await wire.event("1")
        for stream in streams:
            await stream.event()
            assert await stream.event() == expected


async def test_queries_and_mutations_are_one_result_and_the_end(front: Front) -> None:
    await front.house.with_people("board", "anna")
    async with streaming(front, "{ viewer { subject } }") as stream:
        assert await stream.result() == {"data": {"viewer": {"subject": "ada"}}}
        assert await stream.is_complete()
    async with streaming(front, MUTE, id=gid("board", "anna")) as stream:
        assert (await stream.result())["data"]["muteParticipant"]["outcome"] == "CONFIRMED"
        assert await stream.is_complete()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "PARSE_FAILED"),
        ("subscription { nothing }", "VALIDATION_FAILED"),
        ("query ($id: ID!) { room(id: $id) { name } }", "INVALID_INPUT"),
        ('subscription { roomEvents(roomId: "x") { position } }', "INVALID_INPUT"),
        (f'subscription {{ roomEvents(roomId: "{gid("nowhere")}") {{ position }} }}', "ROOM_NOT_FOUND"),
        (f'subscription {{ roomEvents(roomId: "{gid("board")}", after: "x") {{ position }} }}', "FORGED_CURSOR"),
    ],
)
async def test_what_is_refused_is_told_as_a_result_and_the_end(front: Front, query: str, code: str) -> None:
    await front.house.with_people("board")
    async with streaming(front, query) as stream:
        (error,) = (await stream.result())["errors"]
        assert error["extensions"]["code"] == code
        assert await stream.is_complete()


async def test_what_is_no_request_is_refused_at_once(front: Front) -> None:
    async with front.session.post(front.url, json={"variables": {}}, headers=SSE) as response:
        assert (response.status, response.content_type) == (400, "application/json")
        assert (await response.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_who_reconnects_gets_what_they_missed(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, id=room) as stream:
        last = (await stream.event())["position"]
    await front.house.until_joined("board", "anna", "ben")
    async with streaming(front, FOLLOW, headers={"Last-Event-ID": last}, id=room) as stream:
        assert [(await stream.event())["participant"]["displayName"] for _ in range(2)] == ["Anna", "Ben"]
    async with streaming(front, FOLLOW, headers={"Last-Event-ID": "x" * 60}, id=room) as stream:
        assert (await stream.result())["errors"][0]["extensions"]["code"] == "FORGED_CURSOR"
        assert await stream.is_complete()


async def test_the_stream_of_a_room_that_is_gone_ends(front: Front) -> None:
    room = await front.house.with_people("board")
    async with streaming(front, FOLLOW, id=room) as stream:
        await stream.event()
        front.house.pbx.remove_room("board")
        while (told := await stream.told()) is not None and told.name == "next":
            pass
        assert (told, await stream.told()) == (("complete", None, None), None)


async def test_names_that_would_break_lines_do_not(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with streaming(front, FOLLOW, id=room) as stream:
        await stream.event()
        for name in ("a\r\nb\rc\n\nd", "event: complete\ndata:\n\n", "half \ud83d", "\u2028\u0085"):
            front.house.pbx.join("board", name, display_name=name)
            assert (await stream.event())["participant"] == {"displayName": name}


async def test_a_client_that_goes_away_is_followed_no_longer(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with AsyncExitStack() as stack:
        for _ in range(10):
            stream = await stack.enter_async_context(streaming(front, FOLLOW, id=room))
            await stream.event()
        assert front.operations.followers == 10
    await front.watched_by(0)


async def test_a_quiet_stream_is_kept_alive(tmp_path: Path) -> None:
    async with front_with(tmp_path, socket=SocketLimits(heartbeat_s=0.02)) as front:
        room = await front.house.with_people("board")
        async with streaming(front, FOLLOW, id=room) as stream:
            await stream.event()
            for _ in range(5):
                assert await stream.told(heartbeats=True) == (HEARTBEAT, None, None)


@asynccontextmanager
async def narrow() -> AsyncIterator[aiohttp.ClientSession]:
    """Make a client with little room for what is not read yet."""

    def make(info: Any) -> socket.socket:
        made = socket.socket(info[0], info[1], info[2])
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setblocking(False)
        return made

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=make), read_bufsize=4096) as session:
        yield session


async def test_a_slow_reader_is_told_of_the_gap_and_ends_up_with_the_truth(tmp_path: Path) -> None:
    async with front_with(tmp_path, socket=SocketLimits(outbox_max_bytes=65_536)) as front:
        room = await front.house.with_people("board", *PEOPLE)
        async with narrow() as session, streaming(front, FOLLOW_ALL, session=session, id=room) as stream:
            await front.watched_by(1)
            await busy(front, 100)
            picture = Picture()
            while picture.name != "At last":
                picture.take(await stream.event())
        _, answer = await front.post(STATE, id=room)
        truth = answer["data"]["room"]
        assert picture.muted == {each["node"]["id"]: each["node"]["muted"] for each in truth["participants"]["edges"]}
        assert picture.positions[-1] == truth["position"]
        assert len(set(picture.positions)) == len(picture.positions)
        assert picture.reasons[0] == "START"
        assert set(picture.reasons[1:]) == {"SLOW_CONSUMER"}


async def test_a_reader_that_has_stalled_is_cut(tmp_path: Path) -> None:
    async with front_with(tmp_path, socket=SMALL) as front:
        room = await front.house.with_people("board", *PEOPLE)
        async with narrow() as session, streaming(front, FOLLOW_ALL, session=session, id=room) as stream:
            await front.watched_by(1)
            await busy(front, 100)
            await front.watched_by(0)
            with pytest.raises(aiohttp.ClientError):
                await stream.rest()


async def test_who_follows_while_the_gateway_stops_resumes_at_the_next(house: House) -> None:
    """The response ends in order, yet nobody says that the subscription is complete."""
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            session = await clients.enter_async_context(aiohttp.ClientSession())
            streams = [
                await clients.enter_async_context(streaming(front, FOLLOW, session=session, id=gid("board")))
                for _ in range(20)
            ]
            for stream in streams:
                last = (await stream.event())["position"]
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert [await stream.rest() for stream in streams] == [b""] * len(streams)
        assert front.operations.followers == house.live.hub.watchers == 0
    house.pbx.join("board", "anna", display_name="Anna")
    async with (
        front_of(house, WebLimits((), BODY_MAX_BYTES)) as front,
        streaming(front, FOLLOW, headers={"Last-Event-ID": last}, id=gid("board")) as stream,
    ):
        assert (await stream.event())["participant"] == {"displayName": "Anna"}


async def test_the_gateway_stops_though_somebody_does_not_read(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            session = await clients.enter_async_context(narrow())
            await clients.enter_async_context(streaming(front, FOLLOW_ALL, session=session, id=gid("board")))
            await front.watched_by(1)
            await busy(front, 100)
            began = time.monotonic()
        assert time.monotonic() - began < 4
        assert front.operations.followers == 0


# ---- Other servers than ours ----


class Foreign:
    """A server that knows plain ASGI only, and one request."""

    def __init__(self, house: House, body: object, *, tells: bool) -> None:
        self.app = make_app(house.live, house.storage, lambda _: ADMIN, b"secret", WebLimits(socket=SMALL))
        self.said = asyncio.Queue[dict[str, Any]]()
        self.gone = asyncio.Event()
        self.takes_it = asyncio.Event()
        self.takes_it.set()
        self._body: bytes | None = json.dumps(body).encode()
        self._told = self.gone if tells else asyncio.Event()

    async def run(self) -> None:
        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._body is None:
            await self._told.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body}

    async def _send(self, message: Any) -> None:
        await self.takes_it.wait()
        if self.gone.is_set():
            raise OSError("the client is gone")
        self.said.put_nowait(message)


@pytest.mark.parametrize("how", ["told", "found out", "stalled"])
async def test_on_any_server_a_client_that_is_gone_is_followed_no_longer(house: House, how: str) -> None:
    body = {"query": FOLLOW_ALL, "variables": {"id": gid("board")}}
    server = Foreign(house, body, tells=how == "told")
    running = asyncio.create_task(server.run())
    assert (await server.said.get())["status"] == 200
    while b"RoomSnapshot" not in (await server.said.get())["body"]:
        pass
    if how == "stalled":
        server.takes_it.clear()
    else:
        server.gone.set()
    if how != "told":
        house.pbx.tell("board", name="Another")
    async with asyncio.timeout(10):
        await running
    assert server.app.state.operations.followers == 0
