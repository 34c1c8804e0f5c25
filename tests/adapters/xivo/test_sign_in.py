"""Signing in to XiVO: for how long, how often, and what a refusal means."""

import asyncio
import math
from collections import Counter

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.xivo.sign_in import SignIn, life_of
from adapters.xivo.simulator import XivoSimulator
from gateway.model.errors import LinkDown, SignInRefused
from tests.adapters.xivo.accounts import PASSWORD, Handler, answering, nowhere, seat_at, served, xivo


def asked(sim: XivoSimulator) -> Counter[str]:
    return Counter(request.path.rpartition("/")[2] for request in sim.requests)


async def refused_by(login: Handler) -> Exception:
    """Give what comes of signing in at such a server."""
    async with served(login) as url, seat_at(url, request_timeout_s=0.5) as seat:
        with pytest.raises((SignInRefused, LinkDown)) as caught:
            await seat.account().sign_in.token()
    return caught.value


@pytest.mark.parametrize("ttl", ["number", "text"])
async def test_a_token_is_exchanged_after_four_fifths_of_its_life(ttl: str) -> None:
    now = [0.0]
    async with xivo(token_life_s=100) as sim, seat_at(sim.url, lambda: now[0]) as seat:
        sim.faults.ttl = ttl  # type: ignore[assignment]  # one of its literals
        signing = seat.account().sign_in
        first = await signing.token()
        assert signing.renew_at == 80
        now[0] = 79
        assert await signing.token() == first
        now[0] = 81
        second = await signing.token()
        assert second != first
        assert signing.renew_at == 161
        assert asked(sim) == {"login": 1, "check": 1}


async def test_a_token_that_says_nothing_of_its_life_has_an_hour() -> None:
    async with xivo() as sim, seat_at(sim.url, lambda: 0.0) as seat:
        sim.faults.ttl = "absent"
        signing = seat.account().sign_in
        await signing.token()
        assert signing.renew_at == 2880


async def test_an_exchanged_token_that_says_nothing_of_its_life_lives_as_long_as_the_first() -> None:
    now = [0.0]
    login, check = answering({"token": "t1", "TTL": 100}), answering({"token": "t2"})
    async with served(login, check=check) as url, seat_at(url, lambda: now[0]) as seat:
        signing = seat.account().sign_in
        await signing.token()
        now[0] = 90
        assert await signing.token() == "t2"
        assert signing.renew_at == 170


async def test_an_expired_token_means_logging_in_again() -> None:
    now = [0.0]
    async with xivo(token_life_s=100) as sim, seat_at(sim.url, lambda: now[0]) as seat:
        signing = seat.account().sign_in
        first = await signing.token()
        sim.expire_tokens()
        now[0] = 90
        assert await signing.token() != first
        assert asked(sim) == {"login": 2, "check": 1}


@pytest.mark.parametrize("body", [{"error": "Whatever"}, {"login": "ada"}, {"token": ""}, ["token"], {"token": 5}])
async def test_a_check_that_gives_no_token_means_logging_in_again(body: object) -> None:
    now, given = [0.0], iter(["t1", "t2"])

    async def login(request: web.Request) -> web.StreamResponse:
        return web.json_response({"token": next(given), "TTL": 100})

    async with served(login, check=answering(body)) as url, seat_at(url, lambda: now[0]) as seat:
        signing = seat.account().sign_in
        assert await signing.token() == "t1"
        now[0] = 90
        assert await signing.token() == "t2"


async def test_many_who_need_a_token_at_once_sign_in_once() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account().sign_in
        tokens = await asyncio.gather(*(signing.token() for _ in range(50)))
        assert len(set(tokens)) == 1
        assert asked(sim) == {"login": 1}


async def test_many_who_need_a_token_at_once_are_refused_once() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account(password="another").sign_in
        results = await asyncio.gather(*(signing.token() for _ in range(50)), return_exceptions=True)
        assert {type(result) for result in results} == {SignInRefused}
        assert asked(sim) == {"login": 1}
        with pytest.raises(SignInRefused):
            await signing.token()
        assert asked(sim) == {"login": 2}


async def test_one_who_gives_up_does_not_take_the_token_from_the_others() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account().sign_in
        impatient = asyncio.create_task(signing.token())
        patient = asyncio.create_task(signing.token())
        sim.faults.hang = True
        await sim.until(lambda: asked(sim)["login"] == 1)
        sim.faults.hang = False
        impatient.cancel()
        assert await patient
        assert impatient.cancelled()


async def test_a_xivo_that_is_away_leaves_the_old_token_until_it_expires() -> None:
    now = [0.0]
    async with xivo(token_life_s=100) as sim, seat_at(sim.url, lambda: now[0]) as seat:
        signing = seat.account().sign_in
        first = await signing.token()
        await sim.stop()
        now[0] = 85
        assert await signing.token() == first
        assert signing.renew_at == 100
        now[0] = 101
        with pytest.raises(LinkDown, match="cannot connect"):
            await signing.token()
        await sim.start()
        assert await signing.token()


async def test_a_late_complaint_about_an_old_token_does_not_cost_the_new_one() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = seat.account().sign_in
        first = await signing.token()
        signing.reject(first)
        second = await signing.token()
        signing.reject(first)
        assert await signing.token() == second != first


async def test_a_wrong_password_names_the_account() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        with pytest.raises(SignInRefused, match="account 'ada' or its password"):
            await seat.account(password="another").sign_in.token()


async def test_a_login_that_hangs_is_a_link_that_is_down() -> None:
    async with xivo() as sim, seat_at(sim.url, request_timeout_s=0.1) as seat:
        sim.faults.hang = True
        with pytest.raises(LinkDown, match="did not answer in time"):
            await seat.account().sign_in.token()


async def test_a_xivo_that_fails_inside_is_a_link_that_is_down() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        sim.faults.http_status = 500
        with pytest.raises(LinkDown, match="UnhandledError"):
            await seat.account().sign_in.token()


async def test_a_xivo_that_is_not_there_is_a_link_that_is_down() -> None:
    async with seat_at(nowhere()) as seat:
        with pytest.raises(LinkDown, match="cannot connect"):
            await seat.account().sign_in.token()


async def test_an_error_is_one_although_the_status_says_success() -> None:
    assert isinstance(await refused_by(answering({"error": "InvalidCredentials"})), SignInRefused)


async def test_a_redirect_is_not_followed() -> None:
    visited = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        visited.append(request.path)
        return web.json_response({"token": "t"})

    async with served(elsewhere) as other:

        async def redirect(request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(f"{other}/xuc/api/2.0/auth/login")

        assert "with 307" in str(await refused_by(redirect))
    assert visited == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering({"token": "x" * 100_000}), "too large"),
        (answering({"token": "a\r\nX-Injected: b"}), "no token"),
        (answering({"token": "clé"}), "no token"),
        (answering({}), "no token"),
        (answering("token"), "answer"),
        (answering({"token": ["t"]}), "token"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_link_that_is_down(answer: Handler, said: str) -> None:
    failure = await refused_by(answer)
    assert isinstance(failure, LinkDown)
    assert said in str(failure)


async def test_a_web_page_instead_of_xivo_points_to_the_url() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", status=404)

    assert "is `url` right" in str(await refused_by(page))


async def test_the_password_is_sent_in_the_body_and_the_token_in_a_header() -> None:
    now, seen = [0.0], []

    async def login(request: web.Request) -> web.StreamResponse:
        seen.append((request.query_string, await request.json()))
        return web.json_response({"token": "t1", "TTL": 10})

    async def check(request: web.Request) -> web.StreamResponse:
        seen.append((request.query_string, request.headers["Authorization"]))
        return web.json_response({"token": "t2", "TTL": 10})

    async with served(login, check=check) as url, seat_at(url, lambda: now[0]) as seat:
        signing = seat.account().sign_in
        await signing.token()
        now[0] = 9
        await signing.token()
    assert seen == [("", {"login": "ada", "password": PASSWORD}), ("", "Bearer t1")]


@pytest.mark.parametrize(
    ("ttl", "life_s"),
    [
        (60, 60),
        (0.5, 0.5),
        ("90", 90),
        (" 90.5 ", 90.5),
        (None, 7),
        (0, 7),
        (-5, 7),
        (math.inf, 7),
        (math.nan, 7),
        (10**400, 7),
        ("soon", 7),
        ("", 7),
        (True, 7),
        ({"s": 5}, 7),
        (10**12, 30 * 86_400),
    ],
)
def test_the_life_of_a_token_is_a_number_of_seconds_or_the_usual(ttl: object, life_s: float) -> None:
    assert life_of(ttl, 7) == life_s


async def test_a_token_and_a_password_do_not_show_in_what_holds_them() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        signing = SignIn("ada", SecretStr(PASSWORD), seat.transport)
        token = await signing.token()
        for shown in (repr(signing), repr(vars(signing))):
            assert PASSWORD not in shown
            assert token not in shown
