"""The hook at which RingCentral calls us: its handshake, who may call, and its subscription kept alive."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.kit.listener import Listener
from adapters.kit.understanding import JsonObject
from adapters.ringcentral.subscription import HookSubscription
from adapters.ringcentral.webhook import Hook
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.ringcentral.signed_in import Scene, nowhere, ringcentral, seat_at, served

VERIFICATION = "verification-secret-31e9"


class Door:
    """A hook that listens, and somebody who calls."""

    def __init__(self, hook: Hook, url: str, session: aiohttp.ClientSession) -> None:
        self.hook = hook
        self.url = url
        self._session = session

    async def call(
        self, body: bytes = b"{}", token: str | None = VERIFICATION, method: str = "POST", **headers: str
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if token is not None:
            headers["Verification-Token"] = token
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, self.url, data=body, headers=named) as response:
            return response.status, await response.read(), response.headers

    async def status(self, body: bytes = b"{}", token: str | None = VERIFICATION, **headers: str) -> int:
        return (await self.call(body, token, **headers))[0]


@asynccontextmanager
async def door(token: str = VERIFICATION) -> AsyncIterator[Door]:
    hook = Hook(token)
    listener = Listener(Starlette(routes=[Mount("/hooks/rc", routes=[hook.route()])]), "127.0.0.1", 0)
    await listener.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Door(hook, f"http://127.0.0.1:{listener.port}/hooks/rc/", session)
    finally:
        await listener.stop()


@asynccontextmanager
async def hooked(**options: object) -> AsyncIterator[tuple[Scene, Door]]:
    """A simulated RingCentral, and a hook that it can call."""
    change = {"notifications": "webhook", "poll_interval_s": 0.05}
    async with door() as outside, ringcentral({**change, "webhook_url": outside.url}, **options) as scene:
        yield scene, outside


async def opened(scene: Scene) -> HookSubscription:
    return await HookSubscription.open(scene.client, scene.settings, VERIFICATION)


async def refusal_of(scene: Scene) -> GatewayError:
    with pytest.raises((LinkDown, SignInRefused)) as caught:
        await opened(scene)
    return caught.value


def notification(serial: int) -> bytes:
    return f'{{"uuid":"{serial}"}}'.encode()


async def taken(hook: Hook, count: int) -> list[JsonObject]:
    return [await anext(hook) for _ in range(count)]


# ---- the handshake ----


async def test_the_handshake_is_answered_with_the_token_it_came_with() -> None:
    async with door() as outside:
        status, body, headers = await outside.call(b"", None, Validation_Token="v-1")
        assert (status, body) == (200, b"")
        assert headers["Validation-Token"] == "v-1"
        assert headers["Content-Type"].startswith("application/json")
        assert outside.hook.strangers == 0


@pytest.mark.parametrize("token", ["x" * 513, "two words", "Grüße"])
async def test_what_is_no_token_is_not_repeated(token: str) -> None:
    async with door() as outside:
        status, _, headers = await outside.call(b"", None, Validation_Token=token)
        assert status == 404
        assert "Validation-Token" not in headers


async def test_a_handshake_may_bring_the_token_of_the_subscription_and_a_notification_that_of_a_handshake() -> None:
    async with door() as outside:
        for body in (b"", notification(1)):
            status, _, headers = await outside.call(body, Validation_Token="v-1")
            assert (status, headers["Validation-Token"]) == (200, "v-1")
        assert await taken(outside.hook, 1) == [{"uuid": "1"}]
        assert outside.hook.complaints.count == 0
        assert await outside.status(token="another", Validation_Token="v-1") == 401


# ---- who may call ----


async def test_notifications_with_the_token_come_in_the_order_they_were_posted() -> None:
    async with door() as outside:
        for serial in range(3):
            assert await outside.status(notification(serial)) == 200
        assert await taken(outside.hook, 3) == [{"uuid": "0"}, {"uuid": "1"}, {"uuid": "2"}]


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 404), ("", 401), ("another", 401), (VERIFICATION[:-1], 401), (VERIFICATION + "x", 401), ("Grüße", 401)],
)
async def test_a_stranger_is_turned_away_and_told_nothing(token: str | None, status: int) -> None:
    async with door() as outside:
        found = await outside.call(notification(1), token)
        assert found[:2] == (status, b"")
        assert outside.hook.strangers == 1
        await outside.status(notification(2))
        assert await taken(outside.hook, 1) == [{"uuid": "2"}]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_it_takes_nothing_but_posts(method: str) -> None:
    async with door() as outside:
        status, _, _ = await outside.call(method=method)
        assert status == 405


async def test_a_new_subscription_has_a_token_of_its_own_and_nothing_of_the_old_one_is_left() -> None:
    async with door() as outside:
        await outside.status(notification(1))
        outside.hook.expect("another")
        assert await outside.status(notification(2)) == 401
        assert await outside.status(notification(3), "another") == 200
        assert await taken(outside.hook, 1) == [{"uuid": "3"}]


async def test_while_nothing_is_expected_there_is_no_hook() -> None:
    async with door() as outside:
        outside.hook.expect(None)
        assert await outside.status() == 404
        assert await outside.status(Validation_Token="v-1") == 404


# ---- what is posted ----


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
async def test_what_is_not_understood_is_counted_and_answered_like_any_other(body: bytes) -> None:
    async with door() as outside:
        assert await outside.status(body) == 200
        assert outside.hook.complaints.count == 1
        await outside.status(notification(1))
        assert await taken(outside.hook, 1) == [{"uuid": "1"}]


async def test_what_is_too_large_is_not_read_to_its_end() -> None:
    async with door() as outside:
        assert await outside.status(b" " * (256 * 1024) + notification(1)) == 413
        assert outside.hook.complaints.count == 0


async def test_a_notification_is_answered_although_nobody_takes_it() -> None:
    async with door() as outside:
        async with asyncio.timeout(3):
            statuses = await asyncio.gather(*(outside.status(notification(serial)) for serial in range(200)))
        assert set(statuses) == {200}


async def test_what_there_is_no_room_for_ends_the_iteration_after_what_there_was() -> None:
    async with door() as outside:
        hook = outside.hook
        for serial in range(10_000):
            hook._take(notification(serial))
        assert await outside.status(notification(10_000)) == 200
        assert await outside.status(notification(10_001)) == 200
        assert len(await taken(hook, 10_000)) == 10_000
        for _ in range(2):
            with pytest.raises(LinkDown, match="faster than it could be taken"):
                await anext(hook)
        hook.expect(VERIFICATION)
        await outside.status(notification(1))
        assert await taken(hook, 1) == [{"uuid": "1"}]


async def test_who_waits_for_a_notification_learns_of_an_end() -> None:
    hook = Hook(VERIFICATION)
    waiting = asyncio.create_task(anext(hook))  # type: ignore[arg-type]  # anext gives a coroutine here
    await asyncio.sleep(0)
    hook.end(LinkDown("over"))
    with pytest.raises(LinkDown, match="over"):
        await waiting


# ---- the subscription ----


async def test_what_happens_comes_to_the_hook() -> None:
    async with hooked() as (scene, outside):
        await opened(scene)
        scene.sim.make_call(scene.host)
        told = await taken(outside.hook, 3)
        assert told == [sent.notification for sent in list(scene.sim.notifications)[:3]]
        assert outside.hook.strangers == 0


async def test_what_an_earlier_run_left_for_this_address_is_ended_and_nothing_else() -> None:
    async with hooked() as (scene, _):
        left = await opened(scene)
        other = await scene.client.create_subscription(
            ["/restapi/v1.0/account/~/telephony/sessions"], scene.settings.webhook_url or "", "other", 60
        )
        async with door("other") as elsewhere:
            foreign = await scene.client.create_subscription(
                ["/restapi/v1.0/account/~/telephony/sessions"], elsewhere.url, "other", 60
            )
            mine = await opened(scene)
        assert {each.subscription_id for each in scene.sim.subscriptions} == {mine.id, foreign["id"]}
        assert left.id != mine.id != other["id"]


async def test_the_subscription_is_ended_with_the_feed_even_if_ringcentral_is_away() -> None:
    async with hooked() as (scene, _):
        await (await opened(scene)).aclose()
        assert scene.sim.subscriptions == []
        again = await opened(scene)
        await scene.sim.stop()
        await again.aclose()


async def test_a_subscription_is_renewed_before_it_expires() -> None:
    renewed = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/renew"):
            renewed.set()
        if request.method == "GET" and request.path.endswith("/subscription"):
            return web.json_response({"records": []})
        return web.json_response({"id": "sub", "status": "Active", "expiresIn": 0.2})

    hook = {"notifications": "webhook", "webhook_url": "http://127.0.0.1/"}
    async with served(answer) as url, seat_at(url, **hook) as seat:
        subscription = await HookSubscription.open(seat.client, seat.settings, VERIFICATION)
        keeping = asyncio.create_task(subscription.keep())
        async with asyncio.timeout(5):
            await renewed.wait()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_a_hook_that_ringcentral_gave_up_is_noticed_and_subscribed_anew() -> None:
    async with hooked(blacklist_after=2) as (scene, outside):
        subscription = await opened(scene)
        keeping = asyncio.create_task(subscription.keep())
        scene.sim.faults.wrong_verification_token = True
        scene.sim.make_call(scene.host)
        async with asyncio.timeout(5):
            with pytest.raises(LinkDown, match="blacklisted"):
                await keeping
        scene.sim.faults.wrong_verification_token = False
        assert outside.hook.strangers >= 2
        again = await opened(scene)
        assert [each.subscription_id for each in scene.sim.subscriptions] == [again.id]
        call = scene.sim.make_call(scene.host)
        body = (await taken(outside.hook, 1))[0]["body"]
        assert isinstance(body, dict)
        assert body["telephonySessionId"] == call


async def test_a_subscription_that_has_ended_is_noticed() -> None:
    async with hooked() as (scene, _):
        subscription = await opened(scene)
        await scene.client.delete_subscription(subscription.id)
        async with asyncio.timeout(5):
            with pytest.raises(LinkDown, match="has ended the subscription"):
                await subscription.keep()


@pytest.mark.parametrize(("status", "said"), [("Suspended", "suspended"), ("Blacklisted", "blacklisted")])
async def test_a_subscription_that_does_not_deliver_from_the_start_is_ended_again(status: str, said: str) -> None:
    ended = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            ended.append(request.path)
            return web.Response(status=204)
        if request.method == "GET":
            return web.json_response({"records": []})
        return web.json_response({"id": "sub", "status": status})

    hook = {"notifications": "webhook", "webhook_url": "http://127.0.0.1/"}
    async with served(answer) as url, seat_at(url, **hook) as seat:
        with pytest.raises(LinkDown, match=said):
            await HookSubscription.open(seat.client, seat.settings, VERIFICATION)
    assert ended == ["/restapi/v1.0/subscription/sub"]


async def test_a_hook_that_cannot_be_reached_is_a_link_that_is_down() -> None:
    async with ringcentral({"notifications": "webhook", "webhook_url": nowhere()}) as scene:
        failure = await refusal_of(scene)
    assert isinstance(failure, LinkDown)
    assert "cannot reach `webhook_url`" in str(failure)


async def test_a_hook_that_is_not_ours_is_a_link_that_is_down() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with served(page) as url, ringcentral({"notifications": "webhook", "webhook_url": url}) as scene:
        failure = await refusal_of(scene)
    assert isinstance(failure, LinkDown)
    assert "does `webhook_url` lead to this gateway" in str(failure)


async def test_a_hook_that_expects_nobody_cannot_be_subscribed() -> None:
    async with hooked() as (scene, outside):
        outside.hook.expect(None)
        assert isinstance(await refusal_of(scene), LinkDown)
