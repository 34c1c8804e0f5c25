"""HTTP to Telphin: what is sent again and what never is, how long it may take, and what is not believed."""

import asyncio
import logging

import pytest
from aiohttp import web

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin.errors import RateLimitedError, RefusedError, TelphinError, UnreachableError
from adapters.telphin.transport import Request
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.telphin.signed_in import (
    APP_SECRET,
    TOKEN,
    Handler,
    Seat,
    Server,
    answering,
    counted,
    granting,
    nowhere,
    plain,
    quota,
    seat_at,
    seat_before,
)
from tests.secrecy import logged, told

PATH = ("extension", "30", "conference", "")
PIN = "471147114711"
READ = Request(method="GET", path=PATH, urgent=False)
COMMAND = Request(method="PUT", path=PATH, urgent=True, body={"pin": PIN})
DIAL = Request(method="POST", path=("extension", "30", "callback", ""), urgent=True, body={"dst_dtmf": PIN})
REMOVAL = Request(method="DELETE", path=("extension", "30", "event", "1"), urgent=True)

BAD_TOKEN = answering({"message": "Unauthorized"}, 401)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


# ---- what goes and comes ----


async def test_json_goes_and_comes_with_the_token() -> None:
    server = Server(answering({"a": [1, None, "é"]}))
    async with seat_before(server) as seat:
        assert await seat.transport.ask(COMMAND) == {"a": [1, None, "é"]}
    (request,) = server.requests
    assert request.headers["Authorization"] == "Bearer t1"
    assert request.headers["Content-Type"] == "application/json"
    assert "gzip" in request.headers["Accept-Encoding"]
    assert await request.json() == {"pin": PIN}


async def test_an_answer_may_be_compressed_and_is_measured_as_it_is() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.json_response({"a": " " * size})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with seat_before(Server(answer)) as seat:
        size = 1
        assert await seat.transport.ask(READ) == {"a": " "}
        size = 16 * 1024 * 1024
        with pytest.raises(NotUnderstoodError, match="too large"):
            await seat.transport.ask(READ)


@pytest.mark.parametrize(
    ("request_", "status", "answer", "read"),
    [(READ, 200, "{}", {}), (DIAL, 201, "{}", {}), (COMMAND, 200, "{}", {}), (REMOVAL, 204, "", None)],
)
async def test_each_of_telphins_ways_to_say_yes_is_one(
    request_: Request, status: int, answer: str, read: object
) -> None:
    async with seat_before(Server(plain(status, answer))) as seat:
        assert await seat.transport.ask(request_) == read


async def test_words_of_a_path_and_of_a_query_are_quoted_and_the_at_of_me_stays() -> None:
    server = Server()
    async with seat_before(server) as seat:
        path = ("client", "@me", "a/../b ?#%.ü", "")
        await seat.transport.ask(Request(method="GET", path=path, urgent=False, query={"q": "a&b=c"}))
    assert server.lines == ["GET /api/ver1.0/client/@me/a%2F..%2Fb%20%3F%23%25.%C3%BC/?q=a%26b%3Dc"]


async def test_everything_is_below_the_path_of_the_url() -> None:
    server = Server(answering({"access_token": "t1"}), answering({}))
    async with seat_before(server) as seat:
        object.__setattr__(seat.settings, "url", f"{seat.settings.url}/pbx")
        await seat.transport.ask(READ)
    assert server.lines == ["POST /pbx/oauth/token", "GET /pbx/api/ver1.0/extension/30/conference/"]


# ---- the token ----


@pytest.mark.parametrize("request_", [READ, COMMAND, DIAL, REMOVAL])
async def test_a_token_that_died_early_is_replaced_and_the_request_sent_once_more(request_: Request) -> None:
    server = Server(BAD_TOKEN, answering({"done": True}))
    async with seat_before(server) as seat:
        assert await seat.transport.ask(request_) == {"done": True}
    assert server.tokens == ["Bearer t1", "Bearer t2"]
    assert server.bodies[0] == server.bodies[1]


async def test_a_token_that_is_not_taken_even_when_fresh_is_an_error() -> None:
    server = Server(BAD_TOKEN)
    async with seat_before(server) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(COMMAND)
    assert (caught.value.status, len(server.requests), len(server.sign_ins)) == (401, 2, 2)


async def test_requests_under_way_with_a_dead_token_share_the_new_one() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer t2"
        return await (answering({}) if good else BAD_TOKEN)(request)

    server = Server(answer)
    async with seat_before(server) as seat:
        await asyncio.gather(*(seat.transport.ask(READ) for _ in range(12)))
    assert len(server.sign_ins) == 2


async def test_a_missing_right_is_no_reason_to_sign_in_again() -> None:
    server = Server(answering({"message": "Forbidden", "status": "app_access_type_deny"}, 403))
    async with seat_before(server) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(COMMAND)
    assert (caught.value.status, caught.value.reason) == (403, "app_access_type_deny")
    assert (len(server.requests), len(server.sign_ins)) == (1, 1)


async def test_who_cannot_sign_in_sends_nothing() -> None:
    server = Server(token=answering({"error": "invalid_client"}, 401))
    async with seat_before(server) as seat:
        with pytest.raises(SignInRefused):
            await seat.transport.ask(COMMAND)
    assert not server.requests


# ---- what is never sent twice ----


@pytest.mark.parametrize("request_", [COMMAND, DIAL, REMOVAL])
async def test_a_command_is_never_sent_twice_when_the_connection_breaks(request_: Request) -> None:
    server = Server(hang_up)
    async with seat_before(server) as seat:
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(request_)
    assert caught.value.sent
    assert len(server.requests) == 1


@pytest.mark.parametrize("request_", [COMMAND, DIAL, REMOVAL])
async def test_a_command_is_not_sent_again_on_a_connection_that_was_kept(request_: Request) -> None:
    server = Server(answering({}), hang_up)
    async with seat_before(server) as seat:
        await seat.transport.ask(READ)
        with pytest.raises(UnreachableError):
            await seat.transport.ask(request_)
    assert len(server.requests) == 2


@pytest.mark.parametrize("request_", [READ, COMMAND])
async def test_a_redirect_is_not_followed(request_: Request) -> None:
    server = Server(answering({}, 307, Location="/elsewhere"))
    async with seat_before(server) as seat:
        with pytest.raises(UnreachableError, match="redirected"):
            await seat.transport.ask(request_)
    assert len(server.requests) == 1


async def test_a_connection_that_cannot_be_made_has_sent_nothing() -> None:
    async with seat_before(Server()) as seat:
        await seat.transport.sign_in.token()
        object.__setattr__(seat.settings, "url", nowhere())
        with pytest.raises(UnreachableError) as caught:
            await seat.transport.ask(COMMAND)
    assert not caught.value.sent


async def test_a_request_has_a_time_limit_and_may_have_arrived() -> None:
    async with seat_before(Server(hang)) as seat:
        await seat.transport.sign_in.token()
        object.__setattr__(seat.settings, "request_timeout_s", 0.1)
        with pytest.raises(UnreachableError, match="in time") as caught:
            await seat.transport.ask(COMMAND)
    assert caught.value.sent


# ---- what is not believed ----


@pytest.mark.parametrize("text", ["<html>", '{"data":', "[" * 100_000])
async def test_a_success_that_is_no_json_is_not_understood(text: str) -> None:
    async with seat_before(Server(plain(200, text))) as seat:
        with pytest.raises(NotUnderstoodError):
            await seat.transport.ask(READ)


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"status":7}', '"access_denied"'])
async def test_an_error_that_is_not_of_telphins_form_has_no_reason(text: str) -> None:
    async with seat_before(Server(plain(502, text))) as seat:
        with pytest.raises(RefusedError) as caught:
            await seat.transport.ask(READ)
    assert (caught.value.status, caught.value.reason) == (502, None)


# ---- the quota ----


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Too many requests", "status": "rate_limit_exceeded"},
        {"message": "Too many requests"},
        "<html>",
    ],
)
async def test_a_spent_quota_is_told_with_the_time_to_wait_and_nothing_more_is_sent(body: object) -> None:
    server = Server(counted(100, 0, 1800, 429, body))
    async with seat_before(server) as seat:
        for request in (COMMAND, COMMAND, READ):
            with pytest.raises(RateLimitedError) as caught:
                await seat.transport.ask(request)
            assert caught.value.retry_after_s == pytest.approx(1800, abs=30)
        assert seat.transport.quota.spent_until is not None
    assert len(server.requests) == 1


async def test_reads_stop_before_the_last_of_the_quota_and_commands_go_on() -> None:
    server = Server(counted(100, 10, 1800))
    async with seat_before(server) as seat:
        await seat.transport.ask(READ)
        with pytest.raises(RateLimitedError):
            await seat.transport.ask(READ)
        assert await seat.transport.ask(COMMAND) == {}
    assert len(server.requests) == 2


async def test_without_a_quota_there_is_no_sign_in_either() -> None:
    server = Server(counted(100, 0, 1800))
    async with seat_before(server) as seat:
        await seat.transport.ask(READ)
        seat.transport.sign_in.reject("t1")
        with pytest.raises(RateLimitedError):
            await seat.transport.ask(COMMAND)
    assert len(server.sign_ins) == 1


async def test_no_more_than_four_requests_go_at_the_same_time() -> None:
    under_way = most = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return web.json_response({})

    async with seat_before(Server(answer)) as seat:
        await asyncio.gather(*(seat.transport.ask(READ) for _ in range(20)))
    assert most == 4


# ---- secrets ----


def _page(status: int, **headers: str) -> Handler:
    """Repeat what was asked, and secrets, as a page."""

    async def answer(request: web.Request) -> web.StreamResponse:
        repeated = f"{request.path_qs} {dict(request.headers)} {await request.text()} {TOKEN} {APP_SECRET} {PIN}"
        return web.Response(status=status, text=repeated, headers=headers)

    return answer


def _failure(status: int) -> Handler:
    said = f"{TOKEN} {APP_SECRET} {PIN}"
    return answering({"message": said, "status": said, "error": APP_SECRET, "error_description": said}, status)


GOOD = answering({"access_token": TOKEN, "expires_in": 3600})
SERVERS: dict[str, tuple[Handler, Handler]] = {
    "sign-in repeats what it was sent": (_page(400), answering({})),
    "sign-in fails with secrets": (_failure(401), answering({})),
    "sign-in redirects": (_page(302, Location=f"/?{APP_SECRET}"), answering({})),
    "sign-in is no JSON": (_page(200), answering({})),
    "sign-in hangs up": (hang_up, answering({})),
    "sign-in is limited": (answering({"message": APP_SECRET}, 429, **quota(20, 0, 1)), answering({})),
    "token is no token": (answering({"access_token": f"{TOKEN} {APP_SECRET}"}), answering({})),
    "answers repeat what they were sent": (GOOD, _page(400)),
    "answers are no JSON": (GOOD, _page(200)),
    "answers fail with secrets": (GOOD, _failure(403)),
    "tokens are not taken": (GOOD, _failure(401)),
    "answers are limited": (GOOD, _failure(429)),
    "answers redirect": (GOOD, _page(307, Location=f"/?{TOKEN}")),
    "answers hang up": (GOOD, hang_up),
    "answers hang": (GOOD, hang),
    "strange answers": (GOOD, answering({"id": [TOKEN], "pin": [PIN], "enter_sound": {"x": PIN}, "url": [TOKEN]})),
}


async def _shown_by(seat: Seat) -> str:
    """Do what an adapter does with a Telphin, and give what is shown of it all and of what goes wrong."""
    transport = seat.transport
    shown = [repr(seat.settings), repr(COMMAND), repr(transport), repr(vars(transport))]
    for work in (
        seat.client.update_conference("30", {"pin": PIN}),
        seat.client.create_event("30", f"http://127.0.0.1/{TOKEN}", "answer"),
        seat.client.current_calls(),
        transport.ask(COMMAND),
    ):
        try:
            await work
        except (GatewayError, TelphinError, NotUnderstoodError) as error:
            shown.append(told(error))
    return "\n".join([*shown, repr(vars(transport.sign_in))])


@pytest.mark.usefixtures("everything_is_logged")
@pytest.mark.parametrize("server", SERVERS)
async def test_a_strange_server_cannot_make_us_show_a_secret(server: str, caplog: pytest.LogCaptureFixture) -> None:
    token, answer = SERVERS[server]
    async with seat_before(Server(answer, token=token), request_timeout_s=0.3) as seat:
        shown = await _shown_by(seat)
    assert "Error" in shown or "SignInRefused" in shown or "LinkDown" in shown
    for secret in (APP_SECRET, TOKEN, PIN):
        assert secret not in shown
        assert secret not in logged(caplog)


@pytest.mark.usefixtures("everything_is_logged")
async def test_a_telphin_that_is_not_there_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with seat_at(nowhere()) as seat:
        with pytest.raises(LinkDown):
            await seat.client.current_calls()
        shown = await _shown_by(seat)
    for secret in (APP_SECRET, TOKEN, PIN):
        assert secret not in shown + logged(caplog)


async def test_this_test_would_find_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    error = KeyError("x")
    error.__context__ = ValueError(TOKEN)
    assert TOKEN in told(error)
    logging.getLogger("anything").warning("with %s", PIN)
    assert PIN in logged(caplog)


async def test_a_token_endpoint_that_says_nothing_of_the_life_of_a_token_is_asked_once() -> None:
    server = Server(token=granting())
    async with seat_before(server) as seat:
        for _ in range(3):
            await seat.transport.ask(READ)
    assert len(server.sign_ins) == 1
