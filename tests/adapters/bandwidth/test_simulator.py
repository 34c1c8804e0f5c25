"""The simulated Bandwidth asks who is there, counts requests, refuses with codes, and misbehaves as wanted."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.bandwidth.simulator import BandwidthSimulator
from tests.adapters.bandwidth.plain import bandwidth

NOW = 1_700_000_000.0


async def test_token_and_secret_sign_in_and_the_user_is_a_third_value() -> None:
    async with bandwidth() as client:
        assert await client.get("calls?size=1") == []
        for auth in (
            (client.sim.token, "wrong"),
            ("wrong", client.sim.secret),
            (client.sim.user_id, client.sim.secret),
        ):
            reply = await client.ask("GET", "calls", auth=auth)
            assert reply.refusal == (401, "authentication", "invalid-credentials")
            assert reply.headers["WWW-Authenticate"].startswith("Basic")
        reply = await client.ask("GET", "calls", user="u-other")
        assert reply.refusal == (401, "authorization", "user-access-denied")
        async with client.http.get(f"{client.sim.url}/v1/users/{client.sim.user_id}/calls") as response:
            assert response.status == 401


@pytest.mark.parametrize("path", ["conferences", "bridges", "conferences/conf-1/x", "conferences/a%2Fb", ""])
async def test_there_is_no_list_of_conferences_nor_any_other_place(path: str) -> None:
    async with bandwidth() as client:
        status, category, code = (await client.ask("GET", path)).refusal
        assert (status, category) == (404, "not-found")
        assert code == ("conference-not-found" if "%2F" in path else "resource-not-found")


async def test_nothing_is_deleted() -> None:
    async with bandwidth() as client:
        conference = await client.conference()
        assert (await client.ask("DELETE", f"conferences/{conference}")).status == 404
        assert client.sim.conference_ids == [conference]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing-property"),
        ({"from": None}, "missing-property"),
        ({"from": "12025550100"}, "validation-error"),
        ({"from": 12025550100}, "validation-error"),
        (b"[1]", "validation-error"),
        (b"{", "validation-error"),
        ({"from": "+12025550100", "callbackUrl": "gateway.example"}, "callback-url-invalid"),
        ({"from": "+12025550100", "callbackUrl": "ftp://gateway.example"}, "callback-url-invalid"),
        ({"from": "+12025550100", "callbackUrl": ""}, "callback-url-invalid"),
        ({"from": "+12025550100", "fallbackUrl": "http://["}, "callback-url-invalid"),
        ({"from": "+12025550100", "callbackTimeout": 10_001}, "validation-error"),
        ({"from": "+12025550100", "callbackTimeout": "0"}, "validation-error"),
        ({"from": "+12025550100", "callbackTimeout": True}, "validation-error"),
        ({"from": "+12025550100", "callbackHttpMethod": "PUT"}, "validation-error"),
        ({"from": "+12025550100", "profile": "loud"}, "validation-error"),
        ({"from": "+12025550100", "tag": 1}, "validation-error"),
    ],
)
async def test_what_cannot_be_a_conference_is_refused(body: Any, code: str) -> None:
    async with bandwidth() as client:
        assert await client.refused("conferences", body) == (400, "bad-request", code)
        assert client.sim.conference_ids == []


async def test_a_number_of_somebody_else_is_refused_with_401_although_the_credentials_are_good() -> None:
    async with bandwidth() as client:
        client.sim.faults.no_numbers = True
        body = {"from": "+12025550100", "to": "+12025550101"}
        for path in ("conferences", "calls"):
            assert await client.refused(path, body) == (401, "authorization", "number-access-denied")


# Rates


async def test_one_request_a_second_for_each_endpoint_and_the_answer_says_when_in_milliseconds() -> None:
    now = [NOW]
    async with bandwidth(requests_per_second=1, clock=lambda: now[0]) as client:
        conference = await client.conference()
        assert await client.get("calls") == []
        for method, path in (("GET", f"conferences/{conference}"), ("POST", "conferences"), ("GET", "calls")):
            now[0] = NOW + 0.999
            reply = await client.ask(method, path)
            assert reply.refusal == (429, "too-many-requests", "rate-limit-reached")
            reset = reply.headers["X-RateLimit-Reset"]
            assert int(reset) == pytest.approx((NOW + 1) * 1000, abs=1)
            assert {"name": "rateLimitResetTime", "value": reset} in reply.body["details"]
        now[0] = NOW + 1
        assert (await client.get(f"conferences/{conference}"))["id"] == conference
        assert [one.method for one in client.sim.commands] == ["POST"]


async def test_a_429_may_lack_what_it_says_or_say_it_in_seconds() -> None:
    async with bandwidth(requests_per_second=1, clock=lambda: NOW + 0.5) as client:
        client.sim.faults.no_message = True
        await client.get("calls")
        reply = await client.ask("GET", "calls")
        assert (reply.status, "message" in reply.body) == (429, False)
        client.sim.faults.reset_in_seconds = True
        assert (await client.ask("GET", "calls")).headers["X-RateLimit-Reset"] == str(int(NOW) + 2)
        client.sim.faults.no_reset = True
        assert "X-RateLimit-Reset" not in (await client.ask("GET", "calls")).headers


async def test_calls_are_counted_on_their_own_over_ten_seconds_and_refused_with_403() -> None:
    now = [NOW]
    async with bandwidth(requests_per_second=1, clock=lambda: now[0]) as client:
        for _ in range(10):
            await client.call()
        body = {"from": client.sim.number, "to": "+12025550101"}
        reply = await client.ask("POST", "calls", body)
        assert reply.refusal == (403, "limit", "call-rate-limit")
        assert "Your rate is: 1.1" in reply.body["message"]
        now[0] += 10
        await client.call()


async def test_a_higher_rate_and_none() -> None:
    async with bandwidth(requests_per_second=20, clock=lambda: NOW) as client:
        statuses = [(await client.ask("GET", "calls")).status for _ in range(21)]
        assert statuses == [200] * 20 + [429]
        client.sim.requests_per_second = None
        assert (await client.ask("GET", "calls")).status == 200


# Faults


async def test_the_next_requests_can_be_refused_and_do_nothing() -> None:
    async with bandwidth() as client:
        client.sim.faults.fail_next(403, "insufficient-available-balance")
        client.sim.faults.fail_next(409, "conference-update-conflict", times=2)
        client.sim.faults.fail_next(503, "call-unavailable", method="GET")
        body = {"from": client.sim.number}
        assert await client.refused("conferences", body) == (403, "credit", "insufficient-available-balance")
        for _ in range(2):
            assert await client.refused("conferences", body) == (409, "conflict", "conference-update-conflict")
        assert client.sim.conference_ids == []
        await client.conference()
        assert (await client.ask("GET", "calls")).refusal == (503, "unavailable", "call-unavailable")
        assert await client.get("calls") == []


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_everything_can_fail(status: int) -> None:
    async with bandwidth() as client:
        client.sim.faults.http_status = status
        assert (await client.ask("GET", "calls")).status == status


async def test_changes_can_be_accepted_and_not_happen() -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference()
        client.sim.faults.ignore_commands = True
        await client.post(f"conferences/{conference}", {"mute": True})
        made = await client.conference()
        assert made.startswith("conf-")
        assert client.sim.conference_ids == [conference]
        assert not client.sim.conference(conference).mute
        assert [one.path for one in client.sim.commands] == [f"conferences/{conference}", "conferences"]


@pytest.mark.parametrize(("fault", "made"), [("hang", 0), ("lose_answers", 1)])
async def test_an_answer_may_never_come_whether_the_request_was_done_or_not(fault: str, made: int) -> None:
    async with bandwidth() as client:
        setattr(client.sim.faults, fault, True)
        asked = asyncio.create_task(client.ask("POST", "conferences", {"from": client.sim.number}))
        await client.sim.until(lambda: len(client.sim.requests) == 1 and len(client.sim.conference_ids) == made)
        await client.sim.stop()
        with pytest.raises(aiohttp.ClientError):
            await asked
        assert len(client.sim.conference_ids) == made


async def test_location_is_a_path_may_be_a_url_and_may_be_missing() -> None:
    async with bandwidth() as client:
        body = {"from": client.sim.number}
        path = f"/v1/users/{client.sim.user_id}/conferences/"
        locations = [(await client.ask("POST", "conferences", body)).headers["Location"]]
        client.sim.faults.absolute_location = True
        locations.append((await client.ask("POST", "conferences", body)).headers["Location"])
        assert locations[0].startswith(path)
        assert locations[1].startswith(client.sim.url + path)
        client.sim.faults.no_location = True
        assert "Location" not in (await client.ask("POST", "conferences", body)).headers
        assert len(client.sim.conference_ids) == 3


async def test_an_answer_can_be_rubbish() -> None:
    async with bandwidth() as client:
        client.sim.faults.answer_with = b'{"a":'
        with pytest.raises(ValueError, match="Expecting"):
            await client.ask("GET", "calls")


async def test_what_is_simulated_survives_a_stop() -> None:
    async with bandwidth() as client:
        conference = await client.conference()
        port = client.sim.port
        await client.sim.stop()
        client.sim.join(conference)
        await client.sim.start()
        assert client.sim.port == port
        assert (await client.get(f"conferences/{conference}"))["activeMembers"] == 1


async def test_no_secret_is_logged(everything_is_logged: None, caplog: pytest.LogCaptureFixture) -> None:
    async with bandwidth() as client:
        hook = "http://user:hook-password@127.0.0.1:9/"
        conference = await client.conference(callbackUrl=hook)
        await client.ask("GET", "calls", auth=(client.sim.token, "other-secret"))
        client.sim.join(conference)
        await client.sim.until(lambda: client.sim.callbacks_failed == 2)
        assert client.sim.callbacks_answered
        shown = "\n".join(f"{one.getMessage()} {one.args!r} {one.exc_text}" for one in caplog.records)
        for secret in (*client.sim.secrets, "hook-password", "other-secret"):
            assert secret not in shown


def test_a_hand_that_names_what_is_not_there_is_told() -> None:
    sim = BandwidthSimulator()
    conference = sim.open_conference()
    for wrong in (
        lambda: sim.conference("conf-x"),
        lambda: sim.call("c-x"),
        lambda: sim.set_muted(conference, "member-x", True),
        lambda: sim.send(conference, b""),
    ):
        with pytest.raises(LookupError):
            wrong()


async def test_ids_are_the_same_for_the_same_seed() -> None:
    def ids(seed: int) -> list[str]:
        sim = BandwidthSimulator(seed=seed)
        return [sim.open_conference(), sim.make_call()]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
