"""HTTP to Bandwidth: what is sent again and what never is, how long it may take, and what is not believed."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from adapters.bandwidth.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.bandwidth.pace import Endpoint
from adapters.bandwidth.transport import Answer, Request
from adapters.kit.understanding import NotUnderstoodError
from tests.adapters.bandwidth.seat import (
    BASE,
    SECRET,
    TOKEN,
    Asked,
    Handler,
    answering,
    failing,
    hang,
    hang_up,
    nowhere,
    plain,
    seat_at,
    seat_before,
)

READ = Request(method="GET", path=("conferences", "conf-1"), endpoint=Endpoint.CONFERENCES, urgent=False)
COMMAND = Request(
    method="POST", path=("conferences", "conf-1"), endpoint=Endpoint.CONFERENCES, urgent=True, body={"mute": True}
)
DIALLING = Request(method="POST", path=("calls",), endpoint=Endpoint.DIALLING, urgent=True, body={})


# ---- what goes and what comes ----


async def test_json_goes_and_comes_with_token_and_secret() -> None:
    asked = Asked(answering({"a": [1, None, "é"]}))
    async with seat_before(asked) as seat:
        assert await seat.transport.ask(COMMAND) == Answer({"a": [1, None, "é"]})
    (request,) = asked.requests
    assert request.headers["Authorization"] == aiohttp.encode_basic_auth(TOKEN, SECRET)
    assert request.headers["Content-Type"] == "application/json"
    assert await request.json() == {"mute": True}
    assert asked.lines == [f"POST {BASE}/conferences/conf-1"]


async def test_a_read_has_no_body() -> None:
    asked = Asked(answering({}))
    async with seat_before(asked) as seat:
        await seat.transport.ask(READ)
    assert not asked.requests[0].body_exists
    assert "Content-Type" not in asked.requests[0].headers


@pytest.mark.parametrize("text", ["", " \n"])
@pytest.mark.parametrize("status", [200, 201, 202])
async def test_an_empty_answer_is_no_body_even_if_it_calls_itself_json(status: int, text: str) -> None:
    asked = Asked(plain(status, text, Content_Type="application/json", Location="/v1/users/u/calls/c-1"))
    async with seat_before(asked) as seat:
        assert await seat.transport.ask(COMMAND) == Answer(None, "/v1/users/u/calls/c-1")


async def test_words_of_a_path_and_of_a_query_are_quoted() -> None:
    asked = Asked(answering({}))
    async with seat_before(asked) as seat:
        await seat.transport.ask(
            Request(
                method="GET", path=("calls", "a?#%.ü"), endpoint=Endpoint.CALLS, urgent=False, query={"q": "a&b=+c"}
            )
        )
    assert asked.lines == [f"GET {BASE}/calls/a%3F%23%25.%C3%BC?q=a%26b%3D%2Bc"]


async def test_a_next_page_is_told_as_an_address() -> None:
    asked = Asked(plain(200, "[]", Link='<?page=0>; rel="first", </v1/x?page=2>; rel="next"'), answering([]))
    async with seat_before(asked) as seat:
        found = (await seat.transport.ask(READ)).next_page
        assert str(found) == f"{seat.settings.url}/v1/x?page=2"
        assert (await seat.transport.ask(READ)).next_page is None


async def test_a_next_page_without_an_address_is_none() -> None:
    async with seat_before(Asked(plain(200, "[]", Link="next"))) as seat:
        assert (await seat.transport.ask(READ)).next_page is None


async def test_a_next_page_at_an_address_that_is_none_is_not_understood() -> None:
    async with seat_before(Asked(plain(200, "[]", Link='<http://h:99999999/>; rel="next"'))) as seat:
        with pytest.raises(NotUnderstoodError, match="next page"):
            await seat.transport.ask(READ)


# ---- never sent twice ----


async def test_a_command_whose_connection_breaks_is_not_sent_again_and_may_have_arrived() -> None:
    asked = Asked(hang_up)
    async with seat_before(asked) as seat:
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(COMMAND)
    assert caught.value.sent
    assert len(asked.requests) == 1


async def test_a_command_on_a_connection_that_was_kept_open_is_not_sent_again_either() -> None:
    asked = Asked(answering({}), hang_up)
    async with seat_before(asked) as seat:
        await seat.transport.ask(READ)
        with pytest.raises(UnreachableError):
            await seat.transport.ask(COMMAND)
    assert len(asked.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 503])
async def test_a_command_that_is_refused_is_not_sent_again(status: int) -> None:
    asked = Asked(failing(status, "conference-error", "forbidden"), answering({}))
    async with seat_before(asked) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(COMMAND)
    assert (caught.value.status, caught.value.category, caught.value.code) == (status, "forbidden", "conference-error")
    assert len(asked.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    asked = Asked(plain(status, Location="/v1/users/u-4711/elsewhere"))
    async with seat_before(asked) as seat:
        for request in (READ, COMMAND):
            with pytest.raises(UnreachableError, match="redirected") as caught:
                await seat.transport.ask(request)
            assert caught.value.sent
    assert len(asked.requests) == 2


async def test_a_connection_that_cannot_be_made_has_sent_nothing() -> None:
    async with seat_at(nowhere()) as seat:
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(COMMAND)
    assert not caught.value.sent


async def test_a_request_has_a_time_limit_and_may_have_arrived() -> None:
    async with seat_before(Asked(hang), request_timeout_s=0.1) as seat:
        with pytest.raises(UnreachableError, match="in time") as caught:
            await seat.transport.ask(COMMAND)
    assert caught.value.sent


async def test_a_time_limit_is_none_for_who_waits_for_a_turn() -> None:
    asked = Asked(answering({}))
    async with seat_before(asked, request_timeout_s=1, requests_per_second=8) as seat:
        await asyncio.gather(*(seat.transport.ask(READ) for _ in range(10)))
    assert len(asked.requests) == 10


# ---- what is not believed ----


@pytest.mark.parametrize("text", ["<html>", '{"id":', "[" * 100_000])
async def test_a_success_that_is_no_json_is_not_understood(text: str) -> None:
    async with seat_before(Asked(plain(200, text))) as seat:
        with pytest.raises(NotUnderstoodError):
            await seat.transport.ask(READ)


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"code":7}', '"conference-not-found"', "[" * 100_000])
async def test_an_error_that_is_not_bandwidths_has_no_code(text: str) -> None:
    async with seat_before(Asked(plain(502, text))) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(READ)
    assert (caught.value.status, caught.value.category, caught.value.code) == (502, None, None)


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async with seat_before(Asked(plain(200, " " * (8 * 1024 * 1024 + 1)))) as seat:
        with pytest.raises(NotUnderstoodError, match="too large"):
            await seat.transport.ask(READ)


# ---- rate limits ----


def soon(request: web.Request) -> str:
    return str(round((time.time() + 0.05) * 1000))


async def in_the_header(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"X-RateLimit-Reset": soon(request)})


async def in_the_body(request: web.Request) -> web.StreamResponse:
    """As the sample has it: without a message."""
    details = [{"name": "requestMethod", "value": "GET"}, {"name": "rateLimitResetTime", "value": soon(request)}]
    body = {"category": "too-many-requests", "code": "rate-limit-reached", "details": details}
    return web.json_response(body, status=429)


@pytest.mark.parametrize("limited", [in_the_header, in_the_body])
@pytest.mark.parametrize("request_", [READ, COMMAND], ids=["read", "command"])
async def test_what_came_too_early_has_not_acted_and_is_sent_again(limited: Handler, request_: Request) -> None:
    asked = Asked(limited, answering({"done": True}))
    async with seat_before(asked) as seat:
        began = time.monotonic()
        assert (await seat.transport.ask(request_)).body == {"done": True}
        assert time.monotonic() - began >= 0.04
    assert len(asked.requests) == 2
    assert asked.lines[0] == asked.lines[1]


async def test_what_comes_too_early_again_and_again_is_given_up() -> None:
    asked = Asked(in_the_header)
    async with seat_before(asked) as seat:
        with pytest.raises(RateLimitedError) as caught:
            await seat.transport.ask(COMMAND)
    assert len(asked.requests) == 3
    assert 0 <= caught.value.retry_after_s <= 1


async def too_many_calls(request: web.Request) -> web.StreamResponse:
    return await failing(403, "call-rate-limit", "limit", X_RateLimit_Reset=soon(request))(request)


async def test_a_call_over_the_rate_of_calls_has_not_been_dialled_and_is_dialled_again() -> None:
    asked = Asked(too_many_calls, plain(201, Location="/v1/users/u/calls/c-1"))
    async with seat_before(asked) as seat:
        assert (await seat.transport.ask(DIALLING)).location == "/v1/users/u/calls/c-1"
    assert asked.lines == [f"POST {BASE}/calls"] * 2


@pytest.mark.parametrize("place", ["header", "body"])
async def test_a_command_in_a_long_pause_is_given_back_with_the_time_to_wait_and_nothing_is_sent(place: str) -> None:
    reset = str(round((time.time() + 50) * 1000))
    details = [{"name": "rateLimitResetTime", "value": reset}]
    limited = {"header": plain(429, X_RateLimit_Reset=reset), "body": answering({"details": details}, 429)}
    asked = Asked(limited[place])
    async with seat_before(asked) as seat:
        waits = []
        for _ in range(3):
            with pytest.raises(RateLimitedError) as caught:
                await seat.transport.ask(COMMAND)
            waits.append(caught.value.retry_after_s)
    assert waits == [pytest.approx(50, abs=10)] * 3
    assert len(asked.requests) == 1


async def test_a_full_conference_is_no_rate_limit() -> None:
    asked = Asked(failing(403, "conference-max-members", "limit"))
    async with seat_before(asked) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(COMMAND)
    assert caught.value.code == "conference-max-members"
    assert len(asked.requests) == 1
