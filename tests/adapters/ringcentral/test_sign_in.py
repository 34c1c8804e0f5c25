"""Signing in to RingCentral: by JWT or refresh token, for how long, how often, and what a refusal means."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from adapters.ringcentral.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.ringcentral.sign_in import SignIn, life_of
from adapters.ringcentral.wire import TokenJson
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.ringcentral.signed_in import (
    APP_SECRET,
    GRANTED,
    JWT,
    Handler,
    answering,
    nowhere,
    ringcentral,
    seat_at,
    served,
    settings_for,
)

Outcome = TokenJson | Exception


class Desk:
    """A token endpoint that answers as it is told, and a clock."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.now = 0.0
        self.forms: list[dict[str, str]] = []
        self.gate: Callable[[], Awaitable[None]] | None = None
        self._outcomes = iter(outcomes)
        self.sign_in = SignIn(settings_for("http://127.0.0.1"), self._grant, lambda: self.now)

    @property
    def kinds(self) -> list[str]:
        return [form["grant_type"].rpartition(":")[2] for form in self.forms]

    async def _grant(self, form: Mapping[str, str]) -> TokenJson:
        self.forms.append(dict(form))
        if self.gate is not None:
            await self.gate()
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def granted(text: str, refresh: str | None = None, life_s: float = 3600) -> TokenJson:
    found: TokenJson = {"access_token": text, "expires_in": life_s}
    if refresh is not None:
        found["refresh_token"] = refresh
    return found


DEAD = RefusedError(400, ("invalid_grant", "OAU-213"))
LOST = UnreachableError("no answer", sent=True)


async def refused_by(token: Handler) -> GatewayError:
    async with served(answering({}), token) as url, seat_at(url, request_timeout_s=0.5) as seat:
        with pytest.raises((SignInRefused, LinkDown)) as caught:
            await seat.transport.sign_in.token()
    return caught.value


# ---- how long ----


async def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    desk = Desk(granted("t1", "r1"), granted("t2", "r2"))
    assert await desk.sign_in.token() == "t1"
    desk.now = 3539
    assert await desk.sign_in.token() == "t1"
    desk.now = 3540
    assert await desk.sign_in.token() == "t2"
    assert desk.kinds == ["jwt-bearer", "refresh_token"]


async def test_a_token_that_lives_for_less_is_used_for_half_of_its_life() -> None:
    desk = Desk(granted("t1", life_s=60), granted("t2"))
    await desk.sign_in.token()
    desk.now = 29
    assert await desk.sign_in.token() == "t1"
    desk.now = 30
    assert await desk.sign_in.token() == "t2"


@pytest.mark.parametrize(
    ("expires_in", "life_s"),
    [
        (60, 60),
        (0.5, 0.5),
        (None, 3600),
        ("60", 3600),
        (0, 3600),
        (-5, 3600),
        (math.inf, 3600),
        (math.nan, 3600),
        (True, 3600),
        ({}, 3600),
        (10**12, 30 * 86_400),
    ],
)
def test_the_life_of_a_token_is_a_number_of_seconds_or_an_hour(expires_in: object, life_s: float) -> None:
    assert life_of(expires_in) == life_s


# ---- refresh tokens ----


async def test_a_refresh_token_is_used_once_and_the_next_one_after_it() -> None:
    desk = Desk(granted("t1", "r1"), granted("t2", "r2"), granted("t3", "r3"))
    for now, token in ((0, "t1"), (3600, "t2"), (7200, "t3")):
        desk.now = now
        assert await desk.sign_in.token() == token
    assert [form.get("refresh_token") for form in desk.forms] == [None, "r1", "r2"]


async def test_a_refresh_that_got_no_answer_is_repeated_with_the_same_token() -> None:
    desk = Desk(granted("t1", "r1"), LOST, granted("t2", "r2"))
    await desk.sign_in.token()
    desk.now = 3545
    assert await desk.sign_in.token() == "t1"
    desk.sign_in.reject("t1")
    assert await desk.sign_in.token() == "t2"
    assert [form.get("refresh_token") for form in desk.forms] == [None, "r1", "r1"]


async def test_without_refresh_tokens_the_jwt_is_presented_again() -> None:
    async with ringcentral() as scene:
        scene.sim.faults.no_refresh_token = True
        signing = scene.transport.sign_in
        first = await signing.token()
        signing.reject(first)
        assert await signing.token() != first
        assert scene.grants() == 2


@pytest.mark.parametrize("status", [400, 401])
async def test_a_dead_refresh_token_means_presenting_the_jwt_again(status: int) -> None:
    desk = Desk(granted("t1", "r1"), RefusedError(status, DEAD.codes), granted("t2"), granted("t3"))
    await desk.sign_in.token()
    desk.now = 3600
    assert await desk.sign_in.token() == "t2"
    desk.now = 7200
    assert await desk.sign_in.token() == "t3"
    assert desk.kinds == ["jwt-bearer", "refresh_token", "jwt-bearer", "jwt-bearer"]


async def test_a_session_that_was_ended_is_begun_again_in_one_go() -> None:
    async with ringcentral() as scene:
        first = await scene.transport.sign_in.token()
        scene.sim.revoke_all()
        assert (await scene.client.extension())["id"]
        assert await scene.transport.sign_in.token() != first
        assert scene.grants() == 3


async def test_a_failure_inside_ringcentral_does_not_cost_the_refresh_token() -> None:
    desk = Desk(granted("t1", "r1"), RefusedError(500, ("CMN-203",)), granted("t2"))
    await desk.sign_in.token()
    desk.now = 3600
    with pytest.raises(LinkDown, match="500 CMN-203"):
        await desk.sign_in.token()
    assert await desk.sign_in.token() == "t2"
    assert desk.forms[-1]["refresh_token"] == "r1"


# ---- who asks, and how often ----


async def test_many_who_need_a_token_at_once_sign_in_once() -> None:
    async with ringcentral() as scene:
        tokens = await asyncio.gather(*(scene.transport.sign_in.token() for _ in range(50)))
        assert len(set(tokens)) == 1
        assert scene.grants() == 1


@pytest.mark.parametrize(
    ("failure", "told"), [(DEAD, SignInRefused), (LOST, LinkDown), (RateLimitedError(30), RateLimitedError)]
)
async def test_many_who_need_a_token_at_once_are_refused_once(failure: Exception, told: type[Exception]) -> None:
    desk = Desk(failure)
    desk.gate = lambda: asyncio.sleep(0)
    results = await asyncio.gather(*(desk.sign_in.token() for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {told}
    assert len({str(result) for result in results}) == 1
    assert len({id(result) for result in results}) == 50
    assert len(desk.forms) == 1


async def test_one_who_gives_up_does_not_take_the_token_from_the_others() -> None:
    desk = Desk(granted("t1"))
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    desk.gate = wait
    impatient = asyncio.create_task(desk.sign_in.token())
    patient = asyncio.create_task(desk.sign_in.token())
    await asyncio.sleep(0)
    assert len(desk.forms) == 1
    desk.gate = None
    impatient.cancel()
    assert await patient == "t1"
    assert impatient.cancelled()


async def test_a_late_complaint_about_an_old_token_does_not_cost_the_new_one() -> None:
    desk = Desk(granted("t1", "r1"), granted("t2", "r2"))
    desk.sign_in.reject(await desk.sign_in.token())
    assert await desk.sign_in.token() == "t2"
    desk.sign_in.reject("t1")
    assert await desk.sign_in.token() == "t2"


async def test_requests_under_way_with_the_old_token_are_sent_again_with_the_new_one() -> None:
    async with ringcentral() as scene:
        await scene.client.extension()
        scene.sim.expire_tokens()
        found = await asyncio.gather(*(scene.client.extension() for _ in range(10)))
        assert len(found) == 10
        assert scene.grants() == 2


async def test_a_ringcentral_that_is_away_leaves_the_old_token_until_it_expires() -> None:
    desk = Desk(granted("t1", "r1"), LOST, LOST, granted("t2"))
    await desk.sign_in.token()
    desk.now = 3541
    assert await desk.sign_in.token() == "t1"
    assert await desk.sign_in.token() == "t1"
    assert len(desk.forms) == 2
    desk.now = 3601
    with pytest.raises(LinkDown, match="no answer"):
        await desk.sign_in.token()
    assert await desk.sign_in.token() == "t2"


# ---- refusals ----


async def test_a_wrong_jwt_needs_an_operator() -> None:
    async with ringcentral({"jwt": "another"}) as scene:
        with pytest.raises(SignInRefused, match="does not accept the JWT"):
            await scene.transport.sign_in.token()


async def test_a_jwt_that_was_taken_away_is_told_although_the_old_token_would_do_for_a_minute() -> None:
    desk = Desk(granted("t1", "r1"), DEAD, RefusedError(400, ("invalid_grant", "OAU-140")))
    await desk.sign_in.token()
    desk.now = 3545
    with pytest.raises(SignInRefused):
        await desk.sign_in.token()


async def test_a_wrong_app_secret_needs_an_operator() -> None:
    async with ringcentral({"client_secret": "another"}) as scene:
        with pytest.raises(SignInRefused, match="the app, or its secret"):
            await scene.transport.sign_in.token()


async def test_an_app_that_may_not_use_jwts_needs_an_operator() -> None:
    failure = await refused_by(answering({"error": "unauthorized_client"}, 400))
    assert isinstance(failure, SignInRefused)
    assert "not set up to sign in with a JWT" in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_that_is_not_of_ringcentral_points_to_the_url(status: int) -> None:
    assert "is `url` right" in str(await refused_by(answering("<html>", status)))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering({"access_token": "x" * 9_000_000}), "too large"),
        (answering({"access_token": "a\r\nX-Injected: b"}), "no token"),
        (answering({"access_token": "clé"}), "no token"),
        (answering({"access_token": ""}), "no token"),
        (answering({}), "access_token"),
        (answering("token"), "sign-in"),
        (answering({"access_token": ["t"]}), "access_token"),
        (answering({}, 500), "500"),
        (answering({}, 302, Location="/elsewhere"), "redirected"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_link_that_is_down(answer: Handler, said: str) -> None:
    failure = await refused_by(answer)
    assert isinstance(failure, LinkDown)
    assert said in str(failure)


async def test_a_sign_in_that_hangs_is_a_link_that_is_down() -> None:
    async with ringcentral({"request_timeout_s": 0.1}) as scene:
        scene.sim.faults.hang = True
        with pytest.raises(LinkDown, match="did not answer in time"):
            await scene.transport.sign_in.token()


async def test_a_ringcentral_that_is_not_there_is_a_link_that_is_down() -> None:
    async with seat_at(nowhere()) as seat:
        for _ in range(10):
            with pytest.raises(LinkDown, match="cannot connect"):
                await seat.transport.sign_in.token()


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"), [(429, {}, 60), (429, {"Retry_After": "50"}, 50), (503, {}, 60)]
)
async def test_in_a_penalty_of_the_sign_in_nothing_is_sent(status: int, headers: dict[str, str], wait_s: float) -> None:
    asked = []

    async def token(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return await answering({"errorCode": "CMN-301"}, status, **headers)(request)

    async with served(answering({}), token) as url, seat_at(url) as seat:
        with pytest.raises((RateLimitedError, LinkDown)):
            await seat.transport.sign_in.token()
        for _ in range(3):
            with pytest.raises(RateLimitedError) as caught:
                await seat.transport.sign_in.token()
            assert caught.value.retry_after_s == pytest.approx(wait_s, abs=1)
    assert len(asked) == 1


# ---- what is sent ----


async def test_the_app_is_named_in_a_header_and_the_jwt_in_a_form() -> None:
    seen: list[Any] = []

    async def token(request: web.Request) -> web.StreamResponse:
        seen.append((request.query_string, request.content_type, dict(await request.post())))
        seen.append(request.headers["Authorization"])
        return web.json_response({**GRANTED, "refresh_token": "r1"})

    async with served(answering({}), token) as url, seat_at(url) as seat:
        signing = seat.transport.sign_in
        signing.reject(await signing.token())
        await signing.token()
    assertion = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": JWT}
    assert seen[0] == ("", "application/x-www-form-urlencoded", assertion)
    assert seen[1].startswith("Basic ")
    assert APP_SECRET not in seen[1]
    assert seen[2][2] == {"grant_type": "refresh_token", "refresh_token": "r1"}


async def test_a_token_does_not_show_in_what_holds_it() -> None:
    async with ringcentral() as scene:
        token = await scene.transport.sign_in.token()
        shown = repr(scene.transport.sign_in) + repr(scene.transport.sign_in._held)
        assert token not in shown
