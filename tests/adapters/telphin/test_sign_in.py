"""Signing in to Telphin: for how long, how often, and what a refusal means."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping

import pytest

from adapters.telphin.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.telphin.sign_in import SignIn, life_of
from adapters.telphin.wire import TokenJson
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.telphin.signed_in import (
    APP_ID,
    APP_SECRET,
    Handler,
    Server,
    answering,
    granting,
    nowhere,
    plain,
    quota,
    seat_at,
    seat_before,
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

    async def _grant(self, form: Mapping[str, str]) -> TokenJson:
        self.forms.append(dict(form))
        if self.gate is not None:
            await self.gate()
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def granted(text: str, life_s: float = 3600) -> TokenJson:
    return {"access_token": text, "expires_in": life_s}


WRONG = RefusedError(401, "invalid_client")
LOST = UnreachableError("no answer", sent=True)


async def refused_by(token: Handler) -> GatewayError:
    async with seat_before(Server(token=token)) as seat:
        with pytest.raises((SignInRefused, LinkDown)) as caught:
            await seat.transport.sign_in.token()
    return caught.value


# ---- how long ----


async def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    desk = Desk(granted("t1"), granted("t2"))
    assert await desk.sign_in.token() == "t1"
    desk.now = 3539
    assert await desk.sign_in.token() == "t1"
    desk.now = 3540
    assert await desk.sign_in.token() == "t2"


async def test_a_token_that_lives_for_less_is_used_for_half_of_its_life() -> None:
    desk = Desk(granted("t1", life_s=60), granted("t2"))
    await desk.sign_in.token()
    desk.now = 29
    assert await desk.sign_in.token() == "t1"
    desk.now = 30
    assert await desk.sign_in.token() == "t2"


async def test_a_token_of_which_nothing_is_said_lives_for_an_hour() -> None:
    desk = Desk({"access_token": "t1"}, granted("t2"))
    await desk.sign_in.token()
    desk.now = 3539
    assert await desk.sign_in.token() == "t1"
    desk.now = 3540
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


# ---- who asks, and how often ----


async def test_many_who_need_a_token_at_once_sign_in_once() -> None:
    server = Server()
    async with seat_before(server) as seat:
        tokens = await asyncio.gather(*(seat.transport.sign_in.token() for _ in range(50)))
    assert set(tokens) == {"t1"}
    assert len(server.sign_ins) == 1


@pytest.mark.parametrize(
    ("failure", "told"), [(WRONG, SignInRefused), (LOST, LinkDown), (RateLimitedError(30), RateLimitedError)]
)
async def test_many_who_need_a_token_at_once_are_refused_once(failure: Exception, told: type[Exception]) -> None:
    desk = Desk(failure)
    desk.gate = lambda: asyncio.sleep(0)
    results = await asyncio.gather(*(desk.sign_in.token() for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {told}
    assert len({str(result) for result in results}) == 1
    assert len({id(result) for result in results}) == 50
    assert len(desk.forms) == 1


async def test_a_refusal_is_asked_about_again_the_next_time() -> None:
    desk = Desk(WRONG, granted("t1"))
    with pytest.raises(SignInRefused):
        await desk.sign_in.token()
    assert await desk.sign_in.token() == "t1"


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
    desk = Desk(granted("t1"), granted("t2"))
    desk.sign_in.reject(await desk.sign_in.token())
    assert await desk.sign_in.token() == "t2"
    desk.sign_in.reject("t1")
    assert await desk.sign_in.token() == "t2"


async def test_a_telphin_that_is_away_leaves_the_old_token_until_it_expires() -> None:
    desk = Desk(granted("t1"), LOST, LOST, granted("t2"))
    await desk.sign_in.token()
    desk.now = 3541
    assert await desk.sign_in.token() == "t1"
    assert await desk.sign_in.token() == "t1"
    assert len(desk.forms) == 2
    desk.now = 3601
    with pytest.raises(LinkDown, match="no answer"):
        await desk.sign_in.token()
    assert await desk.sign_in.token() == "t2"


async def test_a_secret_that_was_changed_is_told_although_the_old_token_would_do_for_a_minute() -> None:
    desk = Desk(granted("t1"), WRONG)
    await desk.sign_in.token()
    desk.now = 3545
    with pytest.raises(SignInRefused):
        await desk.sign_in.token()


# ---- refusals ----


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_secret_needs_an_operator(status: int) -> None:
    failure = await refused_by(answering({"error": "invalid_client"}, status))
    assert isinstance(failure, SignInRefused)
    assert "the application, or its secret" in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_without_a_reason_points_to_the_settings(status: int) -> None:
    failure = await refused_by(plain(status, "<html>"))
    assert isinstance(failure, SignInRefused)
    assert "are `url`, `app_id` and `app_secret` right" in str(failure)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (plain(200, " " * (16 * 1024 * 1024 + 1)), "too large"),
        (answering({"access_token": "a\r\nX-Injected: b"}), "no token"),
        (answering({"access_token": "clé"}), "no token"),
        (answering({"access_token": ""}), "no token"),
        (answering({}), "access_token"),
        (plain(200), "sign-in"),
        (answering({"access_token": ["t"]}), "access_token"),
        (answering({}, 404), "404"),
        (answering({}, 500), "500"),
        (answering({}, 302, Location="/elsewhere"), "redirected"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_link_that_is_down(answer: Handler, said: str) -> None:
    failure = await refused_by(answer)
    assert isinstance(failure, LinkDown)
    assert said in str(failure)


async def test_a_telphin_that_is_not_there_is_a_link_that_is_down() -> None:
    async with seat_at(nowhere()) as seat:
        for _ in range(3):
            with pytest.raises(LinkDown, match="cannot connect"):
                await seat.transport.sign_in.token()


async def test_after_too_many_sign_ins_nothing_is_sent_for_a_while() -> None:
    server = Server(token=answering({"message": "Too many requests"}, 429, **quota(20, 0, 50)))
    async with seat_before(server) as seat:
        for _ in range(3):
            with pytest.raises(RateLimitedError) as caught:
                await seat.transport.sign_in.token()
            assert caught.value.retry_after_s == pytest.approx(50, abs=20)
        assert seat.transport.quota.spent_until is None
    assert len(server.sign_ins) == 1


# ---- what is sent ----


async def test_the_application_and_its_secret_go_in_a_form_and_nowhere_else() -> None:
    server = Server(token=granting(expires_in=3600, scope="all"))
    async with seat_before(server) as seat:
        assert await seat.transport.sign_in.token() == "t1"
    (request,) = server.sign_ins
    form = dict(await request.post())
    assert form == {"grant_type": "client_credentials", "client_id": APP_ID, "client_secret": APP_SECRET}
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.query_string == ""
    assert "Authorization" not in request.headers


async def test_a_token_does_not_show_in_what_holds_it() -> None:
    desk = Desk(granted("token-secret"))
    await desk.sign_in.token()
    assert "token-secret" not in repr(vars(desk.sign_in))
