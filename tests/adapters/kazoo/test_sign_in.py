"""Signing in to Kazoo: with which words, for how long, and how often."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime

import pytest

from adapters.kazoo import KazooAdapter
from adapters.kazoo.config import KazooSettings
from adapters.kazoo.errors import UnreachableError
from adapters.kazoo.sign_in import SignIn, life_of
from adapters.kazoo.simulator import KazooSimulator
from adapters.kazoo.wire import EnvelopeJson
from adapters.kit.understanding import JsonObject
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.kazoo.kazoo_adapter import connected, connected_to, settings_for


def jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.signature"


class Desk:
    """Answers sign-ins as a test wants, and counts them."""

    def __init__(self, life_s: float = 100) -> None:
        self.asked = 0
        self.life_s = life_s
        self.failure: GatewayError | UnreachableError | None = None

    async def put(self, where: str, data: JsonObject) -> EnvelopeJson:
        assert where == "api_auth"
        assert data == {"api_key": "k" * 64}
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        now = time.time()
        token = jwt(exp=now + self.life_s, serial=self.asked)
        return {"auth_token": token, "data": {"account_id": "a1"}, "timestamp": datetime.now(UTC).isoformat()}


def sign_in(desk: Desk, now: list[float]) -> SignIn:
    settings = KazooSettings.model_validate({"url": "http://kazoo.example/v2", "api_key": "k" * 64})
    return SignIn(settings, desk.put, lambda: now[0])


async def test_a_token_is_renewed_after_four_fifths_of_its_life() -> None:
    now, desk = [0.0], Desk(life_s=100)
    signing = sign_in(desk, now)
    first = await signing.token()
    now[0] = 79
    assert await signing.token() == first
    now[0] = 81
    assert await signing.token() != first
    assert desk.asked == 2


async def test_many_who_need_a_token_at_once_sign_in_once() -> None:
    desk = Desk()
    signing = sign_in(desk, [0.0])
    tokens = await asyncio.gather(*(signing.token() for _ in range(50)))
    assert (len(set(tokens)), desk.asked) == (1, 1)


async def test_many_who_need_a_token_at_once_are_refused_once() -> None:
    desk = Desk()
    desk.failure = SignInRefused("no")
    signing = sign_in(desk, [0.0])
    results = await asyncio.gather(*(signing.token() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(result, SignInRefused) for result in results)
    assert desk.asked == 1
    desk.failure = None
    assert await signing.token()


async def test_a_renewal_that_fails_leaves_the_old_token_until_it_expires() -> None:
    now, desk = [0.0], Desk(life_s=100)
    signing = sign_in(desk, now)
    first = await signing.token()
    desk.failure = UnreachableError("gone", sent=False)
    now[0] = 90
    assert await signing.token() == first
    now[0] = 101
    with pytest.raises(LinkDown, match="gone"):
        await signing.token()


async def test_a_late_complaint_about_an_old_token_does_not_cost_the_new_one() -> None:
    now, desk = [0.0], Desk()
    signing = sign_in(desk, now)
    first = await signing.token()
    signing.reject(first)
    second = await signing.token()
    signing.reject(first)
    assert await signing.token() == second


@pytest.mark.parametrize(
    ("token", "life_s"),
    [
        (jwt(exp=1_000_060), 60),
        (jwt(exp=999_000), 3600),
        (jwt(), 3600),
        ("no-jwt", 3600),
        ("a.%%%.c", 3600),
        (jwt(exp="soon"), 3600),
    ],
)
def test_the_life_of_a_token_is_told_by_the_servers_clock(token: str, life_s: float) -> None:
    server_time = datetime.fromtimestamp(1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert life_of(token, server_time) == life_s


def test_without_a_server_time_our_own_clock_has_to_do() -> None:
    assert life_of(jwt(exp=time.time() + 500), None) == pytest.approx(500, abs=5)


@pytest.mark.parametrize("method", ["md5", "sha"])
async def test_a_user_signs_in_with_a_hash_and_by_any_name_of_the_account(method: str) -> None:
    async with connected(method=method) as seat:
        body = next(each.body for each in seat.sim.requests if each.path.endswith("user_auth"))
        assert seat.sim.password.encode() not in body
        realm = settings_for(seat.sim, account_name=None, account_realm="demo.sip.example")
        adapter = KazooAdapter.configured(realm)
        async with adapter.feed():
            pass
        await adapter.aclose()


async def test_an_api_key_signs_in() -> None:
    async with KazooSimulator() as sim:
        user = {"username": None, "password": None, "account_name": None}
        async with connected_to(sim, api_key=sim.api_key, **user) as seat:
            assert await seat.rooms() == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong-secret"}, "does not know these credentials"),
        ({"account_name": "elsewhere"}, "refuses the sign-in for account_name"),
        ({"username": None, "password": None, "account_name": None, "api_key": "f" * 64}, "does not know these"),
    ],
)
async def test_wrong_credentials_are_refused_without_repeating_them(change: dict[str, object], said: str) -> None:
    async with KazooSimulator() as sim:
        with pytest.raises(SignInRefused, match=said) as caught:
            async with connected_to(sim, **change):
                raise AssertionError("it connected")
        assert "secret" not in str(caught.value)
        assert "f" * 64 not in repr(caught.value)


@pytest.mark.parametrize(("fault", "said"), [("mfa", "second factor"), ("account_disabled", "account")])
async def test_an_account_that_may_not_sign_in_is_named(fault: str, said: str) -> None:
    async with KazooSimulator() as sim:
        sim.faults.login = fault  # type: ignore[assignment]  # one of its literals
        with pytest.raises(SignInRefused, match=said):
            async with connected_to(sim):
                raise AssertionError("it connected")


async def test_a_kazoo_that_is_not_there_is_a_link_that_is_down() -> None:
    async with KazooSimulator() as sim:
        settings = settings_for(sim)
    adapter = KazooAdapter.configured(settings)
    with pytest.raises(LinkDown, match="cannot connect"):
        async with adapter.feed():
            raise AssertionError("it connected")
    await adapter.aclose()


async def test_expired_tokens_are_replaced_in_the_middle_of_everything() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        await seat.rooms()
        seat.sim.expire_tokens()
        logins = seat.sent("PUT", "user_auth")
        await asyncio.gather(*(seat.read(room) for _ in range(20)))
        assert seat.sent("PUT", "user_auth") == logins + 1


async def test_a_token_that_is_refused_again_and_again_is_refused() -> None:
    async with connected() as seat:
        seat.sim.faults.http_status = 401
        with pytest.raises(SignInRefused):
            await seat.adapter.snapshot()


async def test_the_event_socket_gets_a_new_token_when_it_does_not_take_ours() -> None:
    async with KazooSimulator() as sim, connected_to(sim, generation="4.3") as seat:
        sim.add_room()
        await seat.adapter._client.conferences()
        sim.expire_tokens()
        seat.sim.answer_raw("GET", "conferences", b'{"data":[{"id":"r1","members":0}]}')
        seat.sim.answer_raw("GET", "conferences", b'{"data":[{"id":"r1","members":0}]}')
        assert set(await seat.rooms()) == {"r1"}
        assert sim.subscriptions == {"conference.event.r1.*"}
