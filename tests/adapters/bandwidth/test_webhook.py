"""The hook at which Bandwidth calls us: who may call, what is taken, and in which order it is given."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.bandwidth.webhook import Hook, address, is_ours
from adapters.kit.listener import Listener
from adapters.kit.understanding import Complaints
from gateway.model.errors import LinkDown
from tests.fuzzing import anything

SECRET = "callback-secret-88e1"
MUTED = {
    "eventType": "conference-member",
    "conferenceId": "conf-1",
    "memberId": "member-1",
    "callId": "c-1",
    "state": "active",
    "mute": True,
    "activeMembers": 1,
}


class Door:
    """A hook that listens, and somebody who calls."""

    def __init__(self, hook: Hook, complaints: Complaints, url: str, session: aiohttp.ClientSession) -> None:
        self.hook = hook
        self.complaints = complaints
        self.url = url
        self._session = session

    async def call(
        self, body: bytes = b"{}", authorization: str | None = None, method: str = "POST", **query: str
    ) -> tuple[int, bytes, Mapping[str, str]]:
        headers = {"Authorization": authorization or aiohttp.encode_basic_auth("gateway", SECRET)}
        if authorization == "":
            del headers["Authorization"]
        async with self._session.request(method, self.url, data=body, headers=headers, params=query) as response:
            return response.status, await response.read(), response.headers

    async def status(self, body: bytes = b"{}", **more: str) -> int:
        return (await self.call(body, **more))[0]


@asynccontextmanager
async def door(secret: str | None = SECRET) -> AsyncIterator[Door]:
    complaints = Complaints("Bandwidth")
    hook = Hook(complaints)
    if secret is not None:
        hook.expect(secret)
    listener = Listener(Starlette(routes=[Mount("/hooks/bw", routes=[hook.route()])]), "127.0.0.1", 0)
    await listener.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Door(hook, complaints, f"http://127.0.0.1:{listener.port}/hooks/bw/", session)
    finally:
        await listener.stop()


async def taken(hook: Hook, count: int) -> list[Mapping[str, object]]:
    return [await anext(hook) for _ in range(count)]


def basic(user: str, password: str) -> str:
    return aiohttp.encode_basic_auth(user, password)


# ---- who may call ----


async def test_callbacks_with_the_secret_come_in_the_order_they_were_sent() -> None:
    async with door() as outside:
        for serial in range(3):
            assert await outside.status(b'{"n":%d}' % serial) == 200
        assert await taken(outside.hook, 3) == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert outside.complaints.count == 0


@pytest.mark.parametrize(
    "shown",
    [
        basic("gateway", "another"),
        basic("gateway", SECRET[:-1]),
        basic("gateway", SECRET + "x"),
        basic("gateway", ""),
        basic(SECRET, "gateway"),
        "Basic",
        "Basic ???",
        "Basic /w==",
        f"Bearer {SECRET}",
        SECRET,
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_wrong_secret_is_turned_away_told_nothing_and_counted(shown: str, method: str) -> None:
    async with door() as outside:
        status, body, _ = await outside.call(b'{"n":1}', shown, method, n="1")
        assert (status, body) == (401, b"")
        assert outside.complaints.count == 1
        assert await outside.status(b'{"n":2}') == 200
        assert await taken(outside.hook, 1) == [{"n": 2}]


async def test_who_shows_no_secret_is_asked_for_it_like_any_browser() -> None:
    async with door() as outside:
        status, body, headers = await outside.call(b'{"n":1}', "")
        assert (status, body) == (401, b"")
        assert headers["WWW-Authenticate"].startswith("Basic realm=")
        assert outside.complaints.count == 0


async def test_the_user_is_nobodys_business() -> None:
    async with door() as outside:
        assert (await outside.call(authorization=basic("somebody", SECRET)))[0] == 200


async def test_before_the_first_feed_nobody_may_call() -> None:
    async with door(None) as outside:
        assert await outside.status() == 401


async def test_a_new_feed_begins_with_nothing_of_the_old_one() -> None:
    async with door() as outside:
        await outside.status(b'{"n":1}')
        outside.hook.expect(SECRET)
        await outside.status(b'{"n":2}')
        assert await taken(outside.hook, 1) == [{"n": 2}]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_it_takes_nothing_but_post_and_get(method: str) -> None:
    async with door() as outside:
        assert (await outside.call(method=method))[0] == 405


# ---- what is said ----


async def test_by_get_the_query_is_what_is_said() -> None:
    async with door() as outside:
        assert (await outside.call(b"", method="GET", eventType="answer", callId="c-1"))[0] == 200
        assert await taken(outside.hook, 1) == [{"eventType": "answer", "callId": "c-1"}]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 100_000])
async def test_what_is_not_understood_is_counted_and_answered_like_any_other(body: bytes) -> None:
    async with door() as outside:
        assert await outside.status(body) == 200
        assert outside.complaints.count == 1
        await outside.status(b'{"n":1}')
        assert await taken(outside.hook, 1) == [{"n": 1}]


async def test_what_is_too_large_is_not_read_to_its_end() -> None:
    async with door() as outside:
        assert await outside.status(b" " * (256 * 1024) + b"{}") == 413
        assert outside.complaints.count == 0


@given(bodies=st.lists(anything([MUTED]), max_size=20))
@settings(max_examples=15, deadline=None)
def test_whatever_is_sent_with_the_secret_is_taken_or_counted(bodies: list[bytes]) -> None:
    async def send() -> None:
        async with door() as outside:
            for body in bodies:
                assert await outside.status(body) == 200
            outside.hook.add({"n": "last"})
            given = 0
            while (await anext(outside.hook)) != {"n": "last"}:
                given += 1
            assert given + outside.complaints.count == len(bodies)

    asyncio.run(send())


async def test_callbacks_are_answered_although_nobody_takes_them() -> None:
    async with door() as outside:
        statuses = await asyncio.gather(*(outside.status(b'{"n":%d}' % serial) for serial in range(100)))
        assert set(statuses) == {200}


async def test_what_there_is_no_room_for_ends_the_iteration_after_what_there_was() -> None:
    async with door() as outside:
        for serial in range(10_000):
            outside.hook.add({"n": serial})
        assert await outside.status() == 200
        assert len(await taken(outside.hook, 10_000)) == 10_000
        with pytest.raises(LinkDown, match="faster than it could be taken"):
            await anext(outside.hook)
        outside.hook.expect(SECRET)
        await outside.status(b'{"n":1}')
        assert await taken(outside.hook, 1) == [{"n": 1}]


# ---- the address ----


HERE = "https://gateway.example/hooks/bw/"


@pytest.mark.parametrize("secret", [SECRET, "with/slash:colon@at?query#hash %41 ü"])
def test_an_address_is_ours_if_it_has_the_secret_or_leads_here(secret: str) -> None:
    told = address(HERE, secret)
    assert is_ours(told, HERE, secret)
    assert is_ours(told.replace("gateway.example", "old.example"), HERE, secret)
    assert is_ours(told, HERE, "another")
    assert not is_ours(told.replace("gateway.example", "old.example"), HERE, "another")


@pytest.mark.parametrize(
    "url", ["", "https://gateway.example/", "http://[", "https://h:99999999/", "\x00", "x" * 10_000]
)
def test_any_other_address_is_not_ours(url: str) -> None:
    assert not is_ours(url, HERE, SECRET)
