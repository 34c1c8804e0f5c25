"""The CTI socket: opened with a token, kept alive by pings, and lost with a reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from adapters.xivo.stream import CtiSocket
from gateway.model.errors import LinkDown, SignInRefused
from tests.adapters.xivo.accounts import TOKEN, Handler, Talk, listen, nowhere, seat_at, served, talking, xivo

PING = '{"claz":"ping"}'


@asynccontextmanager
async def opened(url: str, **change: Any) -> AsyncIterator[CtiSocket]:
    async with seat_at(url, **change) as seat:
        socket = await CtiSocket.open(seat.transport, seat.account().sign_in)
        try:
            yield socket
        finally:
            await socket.aclose()


@asynccontextmanager
async def opened_to(talk: Talk, **change: Any) -> AsyncIterator[CtiSocket]:
    async with served(TOKEN, talking(talk)) as url, opened(url, **change) as socket:
        yield socket


async def to_the_end(socket: CtiSocket) -> list[bytes]:
    frames = []
    while (frame := await socket.frame()) is not None:
        frames.append(frame)
    return frames


async def refusal_of(handshake: Handler, **change: Any) -> Exception:
    with pytest.raises((LinkDown, SignInRefused)) as caught:
        async with served(TOKEN, handshake) as url, opened(url, **change):
            raise AssertionError("it opened")
    return caught.value


async def test_frames_come_as_they_were_sent_and_go_as_they_are_given() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"msgType" : "é"}')
        await socket.send_str(await socket.receive_str())

    async with opened_to(talk) as socket:
        assert await socket.frame() == '{"msgType" : "é"}'.encode()
        await socket.send({"claz": "web", "command": "conferenceKick", "index": 2})
        assert await socket.frame() == b'{"claz":"web","command":"conferenceKick","index":2}'


async def test_a_token_is_quoted_in_the_url() -> None:
    seen = []

    async def upgrade(request: web.Request) -> web.StreamResponse:
        seen.append(request.query["token"])
        return await talking(listen)(request)

    async def login(request: web.Request) -> web.StreamResponse:
        return web.json_response({"token": "a+b&c=%41#d"})

    async with served(login, upgrade) as url, opened(url):
        pass
    assert seen == ["a+b&c=%41#d"]


async def test_an_expired_token_is_replaced_when_the_socket_opens() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account().sign_in
        first = await signing.token()
        sim.expire_tokens()
        socket = await CtiSocket.open(seat.transport, signing)
        await socket.aclose()
        assert await signing.token() != first


@pytest.mark.parametrize("status", [401, 403])
async def test_tokens_that_are_refused_even_when_fresh_need_an_operator(status: int) -> None:
    tried, logins = [], []

    async def refuse(request: web.Request) -> web.StreamResponse:
        tried.append(request.query["token"])
        return web.Response(status=status)

    async def login(request: web.Request) -> web.StreamResponse:
        logins.append(request.path)
        return web.json_response({"token": f"t{len(logins)}"})

    with pytest.raises(SignInRefused, match="its own token for 'ada'"):
        async with served(login, refuse) as url, opened(url):
            raise AssertionError("it opened")
    assert tried == ["t1", "t2"]


@pytest.mark.parametrize("status", [200, 404, 500, 503])
async def test_a_socket_that_does_not_open_is_a_link_that_is_down(status: int) -> None:
    failure = await refusal_of(_with_status(status))
    assert isinstance(failure, LinkDown)
    assert f"answered {status} instead of opening" in str(failure)


async def test_a_redirected_socket_is_not_followed_with_its_token() -> None:
    visited = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        visited.append(request.path_qs)
        return await talking(listen)(request)

    async with served(TOKEN, elsewhere) as other:

        async def redirect(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"{other}{request.path_qs}")

        assert isinstance(await refusal_of(redirect), LinkDown)
    assert visited == []


async def test_a_handshake_that_hangs_is_given_up() -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    assert "TimeoutError" in str(await refusal_of(hang, request_timeout_s=0.1))


async def test_a_xivo_that_goes_away_between_login_and_socket_is_a_link_that_is_down() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account().sign_in
        await signing.token()
        await sim.stop()
        with pytest.raises(LinkDown, match="cannot be opened"):
            await CtiSocket.open(seat.transport, signing)


async def test_where_nobody_listens_there_is_no_link() -> None:
    with pytest.raises(LinkDown):
        async with opened(nowhere()):
            raise AssertionError("it opened")


# ---- the end ----


async def test_a_goodbye_is_told_from_a_cut() -> None:
    async with xivo() as sim, opened(sim.url) as socket:
        sim.close_session("ada", 4001)
        assert await to_the_end(socket)
        assert socket.closed_by_xivo
        assert socket.reason == "XiVO closed the connection (code 4001)"
        assert await socket.frame() is None
        assert socket.closed_by_xivo

    async with xivo() as sim, opened(sim.url) as socket:
        sim.drop_link()
        await to_the_end(socket)
        assert not socket.closed_by_xivo
        assert socket.reason == "the connection to XiVO broke"
        with pytest.raises(LinkDown, match="broke"):
            await socket.send({"claz": "web"})


async def test_the_words_of_a_goodbye_are_not_repeated() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.close(code=1008, message=b"token=secret")

    async with opened_to(talk) as socket:
        assert await to_the_end(socket) == []
        assert "secret" not in socket.reason


@pytest.mark.parametrize(("size", "arrives"), [(4 * 1024 * 1024 - 1, True), (4 * 1024 * 1024 + 1, False)])
async def test_a_frame_has_a_largest_size(size: int, arrives: bool) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str("x" * size)
        await listen(socket)

    async with opened_to(talk) as socket:
        frame = await socket.frame()
        assert (frame is not None and len(frame) == size) is arrives
        if not arrives:
            assert "too large" in socket.reason
            assert not socket.closed_by_xivo


async def test_what_is_no_frame_ends_the_connection() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.write(b"\xff\xff\xff\xff")
        await listen(socket)

    async with opened_to(talk) as socket:
        assert await socket.frame() is None
        assert "no websocket frame" in socket.reason


# ---- signs of life ----


async def test_a_ping_goes_out_again_and_again_and_its_answer_is_a_frame() -> None:
    async with xivo(silence_s=0.3) as sim, opened(sim.url, keepalive_s=0.05) as socket:
        answers = 0
        async with asyncio.timeout(5):
            while answers < 20:
                frame = await socket.frame()
                assert frame is not None, socket.reason
                answers += frame == PING.encode()


async def test_a_silent_xivo_is_lost_after_three_misses_and_the_reason_says_so() -> None:
    async with xivo() as sim, opened(sim.url, keepalive_s=0.05) as socket:
        sim.faults.mute_pings = True
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(5):
            await to_the_end(socket)
        assert asyncio.get_running_loop().time() - begun >= 0.15
        assert socket.reason == "XiVO has sent nothing for 0.15 s"
        assert not socket.closed_by_xivo


async def test_any_frame_is_a_sign_of_life() -> None:
    pings = 0

    async def talk(socket: web.WebSocketResponse) -> None:
        nonlocal pings
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            assert message.data == PING
            pings += 1
            if pings % 2 == 0:
                await socket.send_str('{"msgType":"RightProfile","ctiMessage":{}}')
            if pings == 8:
                await socket.close()

    async with opened_to(talk, keepalive_s=0.05) as socket:
        frames = await to_the_end(socket)
        assert socket.closed_by_xivo
        assert len(frames) == 4


async def test_frames_that_nobody_fetches_are_no_silence_of_xivo() -> None:
    pings: asyncio.Queue[str] = asyncio.Queue()

    async def talk(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            pings.put_nowait(message.data)
            await socket.send_str(message.data)

    async with opened_to(talk, keepalive_s=0.02) as socket:
        async with asyncio.timeout(5):
            for _ in range(10):
                assert await pings.get() == PING
        assert await socket.frame() == PING.encode()


async def test_closing_does_not_wait_for_a_xivo_that_says_no_goodbye() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        socket = await CtiSocket.open(seat.transport, seat.account().sign_in)
        reading = asyncio.create_task(to_the_end(socket))
        await sim.until(lambda: sim.logins == ["ada"])
        async with asyncio.timeout(5):
            await socket.aclose()
            await reading
            await sim.until(lambda: sim.logins == [])


def _with_status(status: int) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    return answer
