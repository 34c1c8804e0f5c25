"""The hook over HTTP: whoever knows its secret is believed, anybody else finds nothing, and it answers at once."""

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientSession
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.kit.listener import Listener
from adapters.kit.understanding import Complaints
from adapters.telphin.webhook import Hook, address, is_ours
from gateway.model.errors import LinkDown

SECRET = "hook-secret-3f91"


class Caller:
    """A hook and somebody who calls it."""

    def __init__(self, hook: Hook, complaints: Complaints, base: str, session: ClientSession) -> None:
        self.hook = hook
        self.complaints = complaints
        self._base = base
        self._session = session

    async def call(
        self,
        method: str = "POST",
        secret: str = SECRET,
        *,
        data: Mapping[str, str] | bytes | None = None,
        query: str = "",
    ) -> tuple[int, bytes]:
        async with self._session.request(method, f"{self._base}{secret}{query}", data=data) as answer:
            return answer.status, await answer.read()

    async def taken(self) -> dict[str, str]:
        return dict((await anext(self.hook)).fields)


@pytest.fixture(name="caller")
async def _caller() -> AsyncIterator[Caller]:
    complaints = Complaints("Telphin")
    hook = Hook(complaints)
    listener = Listener(Starlette(routes=[Mount("/hooks/pbx", routes=[hook.route()])]), "127.0.0.1", 0)
    await listener.start()
    try:
        async with ClientSession() as session:
            yield Caller(hook, complaints, f"http://127.0.0.1:{listener.port}/hooks/pbx/", session)
    finally:
        await listener.stop()


async def test_a_form_that_is_posted_and_a_query_are_taken_in_the_order_they_come(caller: Caller) -> None:
    caller.hook.expect(SECRET)
    assert await caller.call(data={"EventType": "answer", "CallerIDName": "Зоя & co"}) == (200, b"")
    assert await caller.call("GET", query="?EventType=hangup&CallID=c+1%26") == (200, b"")
    assert await caller.taken() == {"EventType": "answer", "CallerIDName": "Зоя & co"}
    assert await caller.taken() == {"EventType": "hangup", "CallID": "c 1&"}


async def test_a_stranger_finds_nothing_whether_there_is_a_hook_or_not(caller: Caller) -> None:
    unknown_yet = await caller.call(data={"EventType": "answer"})
    caller.hook.expect(SECRET)
    wrong = await caller.call(secret="guessed", data={"EventType": "answer"})
    assert unknown_yet == wrong == (404, b"")
    assert (await caller.call(secret=f"{SECRET}x"))[0] == 404
    assert (await caller.call(secret="%D1%91"))[0] == 404
    assert (await caller.call(secret=""))[0] == 404
    assert caller.complaints.count == 4
    await caller.call(data={"EventType": "ours"})
    assert await caller.taken() == {"EventType": "ours"}


async def test_what_is_too_large_or_has_too_many_fields_costs_itself(caller: Caller) -> None:
    caller.hook.expect(SECRET)
    assert (await caller.call(data=b"a=" + b"x" * 20_000))[0] == 413
    assert (await caller.call(data="&".join(f"a{each}=1" for each in range(200)).encode()))[0] == 200
    assert (await caller.call(data=b"\xff\xfe%zz"))[0] == 200
    assert caller.complaints.count == 2
    assert await caller.taken() == {}


async def test_a_head_request_tells_nothing(caller: Caller) -> None:
    caller.hook.expect(SECRET)
    assert (await caller.call("HEAD", query="?EventType=answer"))[0] == 200
    await caller.call(data={"EventType": "first"})
    assert await caller.taken() == {"EventType": "first"}


async def test_what_came_between_two_feeds_is_kept(caller: Caller) -> None:
    caller.hook.expect(SECRET)
    await caller.call(data={"EventType": "between"})
    caller.hook.expect(SECRET)
    assert await caller.taken() == {"EventType": "between"}


async def test_what_could_not_be_kept_ends_one_feed_and_the_next_begins_anew(caller: Caller) -> None:
    caller.hook.expect(SECRET)
    caller.hook.end(LinkDown("too much"))
    await caller.call(data={"EventType": "lost"})
    with pytest.raises(LinkDown, match="too much"):
        await caller.taken()
    caller.hook.expect(SECRET)
    await caller.call(data={"EventType": "kept"})
    assert await caller.taken() == {"EventType": "kept"}


def test_ours_is_an_address_of_ours_with_a_word_that_we_made() -> None:
    here, left, older = "https://gw.example.org/hooks/pbx/", "https://old.example.org/", "x" * 43
    for base in (here, left):
        for word in (SECRET, older):
            assert is_ours(address(base, word), (here, left), SECRET)
            assert not is_ours(address("https://elsewhere.example.org/", word), (here, left), SECRET)
    for other in (here, f"{here}?{SECRET}", "https://[", "", f"{here}{older}/a", f"{here}a/{older}", f"{here}short"):
        assert not is_ours(other, (here, left), SECRET)
