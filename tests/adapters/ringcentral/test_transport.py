"""HTTP to RingCentral: what is sent again and what never is, how long it may take, and what is not believed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.ringcentral.pace import Group
from adapters.ringcentral.transport import Request
from tests.adapters.ringcentral.signed_in import Handler, Seat, answering, nowhere, ringcentral, seat_at, served

PATH = ("restapi", "v1.0", "account", "~")
READ = Request(method="GET", path=PATH, group=Group.LIGHT, urgent=False)
COMMAND = Request(method="POST", path=PATH, group=Group.LIGHT, urgent=True, body={"muted": True})
REMOVAL = Request(method="DELETE", path=PATH, group=Group.LIGHT, urgent=True)


class Asked:
    """What has arrived at a server, and what it answers next."""

    def __init__(self, *answers: Handler) -> None:
        self.requests: list[web.Request] = []
        self._answers = answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.requests.append(request)
        return await self._answers[min(len(self.requests), len(self._answers)) - 1](request)

    @property
    def tokens(self) -> list[str]:
        return [request.headers["Authorization"] for request in self.requests]


@asynccontextmanager
async def seat_before(asked: Asked, **change: object) -> AsyncIterator[Seat]:
    async with served(asked.answer, tokens()) as url, seat_at(url, **change) as seat:
        yield seat


def tokens() -> Handler:
    count = 0

    async def grant(request: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        return web.json_response({"access_token": f"t{count}", "expires_in": 3600})

    return grant


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


BAD_TOKEN = answering({"errorCode": "TokenInvalid", "errors": [{"errorCode": "OAU-213"}]}, 401)
LIMITED = answering({"errorCode": "CMN-301"}, 429, Retry_After="0.05")


def plain(status: int, text: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


async def test_json_goes_and_comes_with_the_token() -> None:
    asked = Asked(answering({"a": [1, None, "é"]}))
    async with seat_before(asked) as seat:
        assert await seat.transport.ask(COMMAND) == {"a": [1, None, "é"]}
    (request,) = asked.requests
    assert request.headers["Authorization"] == "Bearer t1"
    assert request.headers["Content-Type"] == "application/json"
    assert await request.json() == {"muted": True}


@pytest.mark.parametrize(("status", "text"), [(204, ""), (200, ""), (200, " \n")])
async def test_an_empty_answer_is_none(status: int, text: str) -> None:
    async with seat_before(Asked(plain(status, text))) as seat:
        assert await seat.transport.ask(REMOVAL) is None


async def test_words_of_a_path_and_of_a_query_are_quoted() -> None:
    asked = Asked(answering({}))
    async with seat_before(asked) as seat:
        path = (*PATH, "a/../b ?#%.ü")
        await seat.transport.ask(
            Request(method="GET", path=path, group=Group.LIGHT, urgent=False, query={"q": "a&b=c"})
        )
    assert asked.requests[0].raw_path == "/restapi/v1.0/account/~/a%2F..%2Fb%20%3F%23%25.%C3%BC?q=a%26b%3Dc"


# ---- the token ----


async def test_a_token_that_is_not_taken_is_replaced_and_the_request_sent_once_more() -> None:
    asked = Asked(BAD_TOKEN, answering({"done": True}))
    async with seat_before(asked) as seat:
        assert await seat.transport.ask(COMMAND) == {"done": True}
    assert asked.tokens == ["Bearer t1", "Bearer t2"]


async def test_a_token_that_is_not_taken_even_when_fresh_is_an_error() -> None:
    asked = Asked(BAD_TOKEN)
    async with seat_before(asked) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(COMMAND)
    assert (caught.value.status, len(asked.requests)) == (401, 2)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_missing_permission_is_no_reason_to_sign_in_again(status: int) -> None:
    asked = Asked(answering({"errors": [{"errorCode": "CMN-401", "permissionName": "ReadPresence"}]}, status))
    async with seat_before(asked) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(READ)
    assert (caught.value.permission, len(asked.requests)) == ("ReadPresence", 1)


# ---- what is never sent twice ----


@pytest.mark.parametrize("request_", [COMMAND, REMOVAL])
async def test_a_command_is_never_sent_twice_when_the_connection_breaks(request_: Request) -> None:
    asked = Asked(hang_up)
    async with seat_before(asked) as seat:
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(request_)
    assert caught.value.sent
    assert len(asked.requests) == 1


async def test_a_removal_is_not_sent_again_on_a_connection_that_was_kept() -> None:
    asked = Asked(answering({}), hang_up)
    async with seat_before(asked) as seat:
        await seat.transport.ask(READ)
        with pytest.raises(UnreachableError):
            await seat.transport.ask(REMOVAL)
    assert len(asked.requests) == 2


async def test_a_redirect_is_not_followed() -> None:
    asked = Asked(answering({}, 307, Location="/restapi/elsewhere"))
    async with seat_before(asked) as seat:
        with pytest.raises(UnreachableError, match="redirected"):
            await seat.transport.ask(COMMAND)
    assert len(asked.requests) == 1


async def test_a_connection_that_cannot_be_made_has_sent_nothing() -> None:
    async with served(answering({})) as url, seat_at(url) as seat:
        await seat.transport.sign_in.token()
        object.__setattr__(seat.settings, "url", nowhere())
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(COMMAND)
    assert not caught.value.sent


async def test_a_request_has_a_time_limit_and_may_have_arrived() -> None:
    async with seat_before(Asked(hang), request_timeout_s=0.1) as seat:
        with pytest.raises(UnreachableError, match="in time") as caught:
            await seat.transport.ask(COMMAND)
    assert caught.value.sent


# ---- what is not believed ----


@pytest.mark.parametrize("text", ["<html>", '{"data":', "[" * 100_000])
async def test_a_success_that_is_no_json_is_not_understood(text: str) -> None:
    async with seat_before(Asked(plain(200, text))) as seat:
        with pytest.raises(NotUnderstoodError):
            await seat.transport.ask(READ)


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"errors":7}', '"CMN-101"'])
async def test_an_error_that_is_no_envelope_has_no_codes(text: str) -> None:
    async with seat_before(Asked(plain(502, text))) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(READ)
    assert (caught.value.status, caught.value.codes) == (502, ())


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async with seat_before(Asked(plain(200, " " * (8 * 1024 * 1024 + 1)))) as seat:
        with pytest.raises(NotUnderstoodError, match="too large"):
            await seat.transport.ask(READ)


# ---- rate limits ----


async def test_a_read_that_is_too_much_waits_and_is_sent_again() -> None:
    asked = Asked(LIMITED, answering({"done": True}))
    async with seat_before(asked) as seat:
        assert await seat.transport.ask(READ) == {"done": True}
    assert len(asked.requests) == 2


async def test_a_read_that_is_too_much_again_and_again_is_given_up() -> None:
    asked = Asked(LIMITED)
    async with seat_before(asked) as seat:
        with pytest.raises(RateLimitedError):
            await seat.transport.ask(READ)
    assert len(asked.requests) == 3


async def test_a_command_in_a_long_penalty_is_given_back_with_the_time_to_wait_and_nothing_is_sent() -> None:
    async with ringcentral(limits={"light": 2}, penalty_s=60) as scene, seat_at(scene.sim.url) as other:
        await scene.transport.sign_in.token()
        scene.sim.faults.rate_limit = True
        for _ in range(2):
            await other.client.extension()  # of the same user, and unknown to our pace
        waits = []
        for _ in range(4):
            with pytest.raises(RateLimitedError) as caught:
                await scene.client.change_party("s-1", "p-1", muted=True)
            waits.append(caught.value.retry_after_s)
        assert waits == [pytest.approx(60, abs=1)] * 4
        assert scene.asked()["PATCH p-1"] == 1


async def test_a_burst_within_the_limits_of_ringcentral_is_never_refused() -> None:
    async with ringcentral(limits={"light": 7}, limit_window_s=0.2, penalty_s=30) as scene:
        scene.sim.faults.rate_limit = True
        await scene.client.extension()
        await asyncio.gather(*(scene.client.extension() for _ in range(30)))
        assert scene.asked()["GET ~"] == 31
        assert scene.transport.pace.wait_s(Group.LIGHT) < 1
