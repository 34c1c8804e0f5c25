"""The simulated RingCentral calls webhooks: the handshake first, then deliveries in order, until it gives up."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.kit.listener import Listener
from tests.adapters.ringcentral.call_control import OWN, Client, Reply, change, ringcentral

NOW = 1_700_000_000.0


class Hook:
    """A subscriber who answers as told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.status = 200
        self.echoes = True
        self.padding = b""
        self.silent = False
        self._listener = Listener(Starlette(routes=[Route("/hook", self._take, methods=["POST"])]), "127.0.0.1", 0)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/hook"

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop()

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if self.silent:
            await request.receive()
        token = request.headers.get("validation-token")
        if token is not None:
            return Response(self.padding, self.status, {"Validation-Token": token} if self.echoes else {})
        self.headers.append(request.headers)
        if self.status == 200:
            self.got.append(json.loads(body))
        return Response(status_code=self.status)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    await hook.start()
    yield hook
    await hook.stop()


async def subscribe(client: Client, hook: Hook, **more: Any) -> Reply:
    mode = {"transportType": "WebHook", "address": hook.address, **more.pop("mode", {})}
    return await client.rest("POST", "subscription/", {"eventFilters": [OWN], "deliveryMode": mode, **more})


async def test_a_webhook_that_gives_the_token_back_gets_deliveries_in_order_with_its_own_token(hook: Hook) -> None:
    async with ringcentral() as client:
        reply = await subscribe(client, hook, mode={"verificationToken": "ours"})
        assert (reply.status, reply.body["status"], reply.body["expiresIn"]) == (200, "Active", 604_799)
        assert reply.body["deliveryMode"] == {"transportType": "WebHook", "encryption": False, "address": hook.address}
        client.sim.make_call(client.ada)
        await client.sim.until(lambda: len(hook.got) == 3)
        assert [change(one)[1] for one in hook.got] == [2, 4, 6]
        assert [one["verification-token"] for one in hook.headers] == ["ours"] * 3
        assert hook.headers[0]["user-agent"] == "RingCentral-Webhook/8.3"
        assert hook.got[0]["subscriptionId"] == reply.body["id"]
        client.sim.faults.wrong_verification_token = True
        client.sim.make_call(client.ada)
        await client.sim.until(lambda: len(hook.got) == 6)
        assert hook.headers[-1]["verification-token"] != "ours"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"echoes": False}, "SUB-520"), ({"status": 202}, "SUB-525"), ({"padding": b"x" * 1100}, "SUB-525")],
)
async def test_a_webhook_that_shakes_hands_wrongly_is_refused(hook: Hook, wrong: dict[str, Any], code: str) -> None:
    for name, value in wrong.items():
        setattr(hook, name, value)
    async with ringcentral() as client:
        reply = await subscribe(client, hook)
        assert (reply.status, reply.code, client.sim.subscriptions) == (400, code, [])


async def test_a_webhook_must_be_there_answer_in_time_and_have_https_but_on_loopback(hook: Hook) -> None:
    async with ringcentral(answer_within_s=0.05) as client:
        hook.silent = True
        assert (await subscribe(client, hook)).code == "SUB-521"
        await hook.stop()
        assert (await subscribe(client, hook)).code == "SUB-521"
        for address, code in (("http://hooks.example/x", "SUB-523"), (None, "CMN-101")):
            assert (await subscribe(client, hook, mode={"address": address})).code == code
        for life in (0, "1", 315_360_001):
            assert (await subscribe(client, hook, expiresIn=life)).code == "CMN-101"


async def test_a_subscription_expires_unless_it_is_renewed(hook: Hook) -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        made = (await subscribe(client, hook, expiresIn=600)).body
        path = f"subscription/{made['id']}"
        for method, where in (("POST", f"{path}/renew"), ("PUT", path)):
            now[0] += 500
            client.sim.timers.run_due()
            renewed = await client.rest(method, where, {"expiresIn": 600})
            assert (renewed.status, renewed.body["expiresIn"], renewed.body["eventFilters"]) == (
                200,
                600,
                made["eventFilters"],
            )
        changed = await client.rest("PUT", path, {"eventFilters": [f"{OWN}?statusCode=Answered"]})
        assert changed.body["eventFilters"] != made["eventFilters"]
        assert [one["id"] for one in (await client.rest("GET", "subscription")).body["records"]] == [made["id"]]
        now[0] += 604_800
        client.sim.timers.run_due()
        client.token = (await client.sign_in()).body["access_token"]
        gone = await client.rest("GET", path)
        assert (gone.status, gone.code) == (404, "SUB-507")


async def test_a_subscription_can_be_ended(hook: Hook) -> None:
    async with ringcentral() as client:
        made = (await subscribe(client, hook)).body
        ben = next(one for one in client.sim._account.extensions.values() if one.number == "102")
        others = (await client.sign_in(ben.jwt)).body["access_token"]
        assert (await client.rest("DELETE", f"subscription/{made['id']}", token=others)).status == 404
        assert (await client.rest("GET", "subscription", token=others)).body["records"] == []
        assert (await client.rest("DELETE", f"subscription/{made['id']}")).status == 204
        assert (await client.rest("DELETE", f"subscription/{made['id']}")).status == 404
        client.sim.make_call(client.ada)
        assert not client.sim.notifications


async def test_who_fails_again_and_again_is_blacklisted_and_gets_nothing_more(hook: Hook) -> None:
    async with ringcentral(blacklist_after=3) as client:
        made = (await subscribe(client, hook)).body
        hook.status = 500
        call = client.sim.make_call(client.ada)
        await client.sim.until(lambda: client.sim.subscriptions[0].blacklisted_at is not None)
        read = (await client.rest("GET", f"subscription/{made['id']}")).body
        assert (read["status"], set(read["blacklistedData"])) == ("Blacklisted", {"reason", "blacklistedAt"})
        hook.status = 200
        client.sim.remote_hangs_up(call)
        again = (await subscribe(client, hook)).body
        client.sim.make_call(client.ada)
        await client.sim.until(lambda: len(hook.got) == 3)
        assert {one["subscriptionId"] for one in hook.got} == {again["id"]}


async def test_one_success_forgives_the_failures_before_it(hook: Hook) -> None:
    async with ringcentral(blacklist_after=3) as client:
        await subscribe(client, hook)
        conference = await client.conference()
        await client.sim.until(lambda: len(hook.got) == 3)
        for status in (500, 500, 200, 500, 500):
            hook.status = status
            before = len(hook.headers)
            client.sim.set_muted(conference, f"p{conference[1:]}-1", True)
            await client.sim.until(lambda before=before: len(hook.headers) > before)  # type: ignore[misc]  # bound in a loop
            # The answer is on its way: the next status is for the next delivery.
            await asyncio.wait([line.worker for line in client.sim._webhooks._lines.values() if line.worker])
        assert client.sim.subscriptions[0].blacklisted_at is None


async def test_a_stop_in_the_middle_of_a_delivery_ends_it(hook: Hook) -> None:
    async with ringcentral() as client:
        await subscribe(client, hook)
        hook.silent = True
        client.sim.make_call(client.ada)
        await client.sim.stop()
        assert hook.got == []
        await client.sim.start()
        hook.silent = False
        client.sim.make_call(client.ada)
        await client.sim.until(lambda: len(hook.got) == 3)
