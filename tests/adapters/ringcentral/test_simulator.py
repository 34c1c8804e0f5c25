"""The simulated RingCentral signs apps in, counts their requests and refuses as the protocol sheet says."""

import aiohttp
import pytest

from adapters.ringcentral.simulator import Lives, RingCentralSimulator
from tests.adapters.ringcentral.call_control import BEARER, ringcentral

NOW = 1_700_000_000.0


async def test_a_jwt_gives_an_access_token_and_a_refresh_token() -> None:
    async with ringcentral(lives=Lives(access_s=600)) as client:
        reply = await client.sign_in()
        assert (reply.status, reply.body["token_type"], reply.body["expires_in"]) == (200, "bearer", 600)
        assert reply.body["refresh_token_expires_in"] == 604_800
        assert reply.body["owner_id"] == client.ada.extension_id
        assert await client.me(reply.body["access_token"]) == 200


async def test_wrong_secrets_and_tokens_are_refused_in_the_shape_of_oauth() -> None:
    async with ringcentral() as client:
        expected = [
            (await client.sign_in(secret="wrong"), 401, "invalid_client", "OAU-123"),
            (await client.sign_in("wrong"), 400, "invalid_grant", "OAU-140"),
            (await client.refresh("wrong"), 400, "invalid_grant", "OAU-213"),
            (await client.oauth("token", {"grant_type": "password"}), 400, "unsupported_grant_type", "OAU-250"),
            (await client.oauth("token", {}), 400, "unsupported_grant_type", "OAU-250"),
        ]
        for reply, status, error, code in expected:
            assert (reply.status, reply.body["error"], reply.code) == (status, error, code)
            assert reply.body["error_description"]
        async with client.http.post(f"{client.sim.url}/restapi/oauth/token", data={"grant_type": BEARER}) as response:
            assert response.status == 401


async def test_a_request_without_a_good_token_is_refused() -> None:
    async with ringcentral() as client:
        reply = await client.rest("GET", "account/~/extension/~", token="wrong")
        assert (reply.status, reply.body["errorCode"], reply.code) == (401, "TokenInvalid", "OAU-213")
        url = f"{client.sim.url}/restapi/v1.0/account/~/extension/~"
        async with client.http.get(url) as response:
            assert response.status == 401
        async with client.http.get(url, params={"access_token": client.token}) as response:
            assert response.status == 200


async def test_a_refresh_kills_the_old_access_token_at_once() -> None:
    async with ringcentral() as client:
        first = (await client.sign_in()).body
        second = (await client.refresh(first["refresh_token"])).body
        assert second["refresh_token"] != first["refresh_token"]
        assert await client.me(first["access_token"]) == 401
        assert await client.me(second["access_token"]) == 200


async def test_a_refresh_token_works_again_for_ten_seconds_after_the_new_token_was_used() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        first = (await client.sign_in()).body
        second = (await client.refresh(first["refresh_token"])).body
        now[0] += 3000
        assert (await client.refresh(first["refresh_token"])).body == second
        assert await client.me(second["access_token"]) == 200
        now[0] += 9
        assert (await client.refresh(first["refresh_token"])).body == second
        now[0] += 2
        refused = await client.refresh(first["refresh_token"])
        assert (refused.status, refused.code) == (400, "OAU-213")
        assert (await client.refresh(second["refresh_token"])).status == 200


async def test_an_unused_new_token_keeps_the_old_refresh_token_good_for_an_hour_only() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        first = (await client.sign_in()).body
        await client.refresh(first["refresh_token"])
        now[0] += 3601
        assert (await client.refresh(first["refresh_token"])).status == 400


async def test_tokens_end_by_the_clock_by_the_hand_and_by_revocation() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0], lives=Lives(access_s=600, refresh_s=6000)) as client:
        tokens = (await client.sign_in()).body
        now[0] += 601
        assert await client.me(tokens["access_token"]) == 401
        tokens = (await client.refresh(tokens["refresh_token"])).body
        client.sim.expire_tokens()
        assert await client.me(tokens["access_token"]) == 401
        now[0] += 6001
        assert (await client.refresh(tokens["refresh_token"])).status == 400
        tokens = (await client.sign_in()).body
        assert (await client.oauth("revoke", {"token": tokens["access_token"]})).status == 200
        assert await client.me(tokens["access_token"]) == 401
        assert (await client.refresh(tokens["refresh_token"])).status == 400


async def test_an_app_may_get_no_refresh_token() -> None:
    async with ringcentral() as client:
        client.sim.faults.no_refresh_token = True
        assert "refresh_token" not in (await client.sign_in()).body


async def test_a_sixth_session_of_one_user_ends_the_oldest() -> None:
    async with ringcentral() as client:
        tokens = [(await client.sign_in()).body["access_token"] for _ in range(5)]
        assert await client.me(client.token) == 401
        assert [await client.me(token) for token in tokens] == [200] * 5


# Requests


async def test_what_is_not_there_and_what_is_no_json_is_refused() -> None:
    async with ringcentral() as client:
        assert (await client.rest("GET", "account/~/nothing")).code == "CMN-120"
        assert (await client.rest("PUT", "account/~/telephony/conference")).status == 404
        other = await client.rest("GET", "account/1/extension/~")
        assert (other.status, other.code) == (404, "CMN-102")
        assert other.body["errors"][0]["parameterName"] == "accountId"
        broken = await client.rest("POST", "account/~/telephony/conference", data=b"{")
        assert (broken.status, broken.code) == (400, "CMN-103")


async def test_a_body_may_be_empty_although_it_is_called_json() -> None:
    async with ringcentral() as client:
        url = f"{client.sim.url}/restapi/v1.0/account/~/telephony/conference"
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
        async with client.http.post(url, headers=headers) as response:
            assert response.status == 201


async def test_every_answer_tells_of_its_rate_and_unlimited_requests_use_nothing_up() -> None:
    async with ringcentral() as client:
        for method, path, group, limit in (
            ("GET", "account/~/extension/~", "light", "50"),
            ("GET", "subscription", "light", "50"),
            ("DELETE", "subscription/none", "medium", "40"),
            ("POST", "account/~/telephony/conference", "heavy", "10"),
        ):
            for _ in range(2):
                headers = (await client.rest(method, path)).headers
                assert (headers["X-Rate-Limit-Group"], headers["X-Rate-Limit-Limit"]) == (group, limit)
                assert (headers["X-Rate-Limit-Remaining"], headers["X-Rate-Limit-Window"]) == (limit, "60")
        assert (await client.sign_in()).headers["X-Rate-Limit-Group"] == "auth"


async def test_impatience_prolongs_the_penalty() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0], limits={"heavy": 2}, limit_window_s=10, penalty_s=30) as client:
        client.sim.faults.rate_limit = True
        left = []
        for _ in range(2):
            reply = await client.call("POST", "conference")
            left.append((reply.status, reply.headers["X-Rate-Limit-Remaining"]))
        assert left == [(201, "1"), (201, "0")]
        for waited in (0, 29, 29):
            now[0] += waited
            refused = await client.call("POST", "conference")
            assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "CMN-301", "30")
        assert (await client.rest("GET", "account/~/extension/~")).status == 200
        client.sim.faults.no_retry_after = True
        assert "Retry-After" not in (await client.call("POST", "conference")).headers
        now[0] += 31
        assert (await client.call("POST", "conference")).status == 201


async def test_the_window_slides() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0], limits={"heavy": 2}) as client:
        client.sim.faults.rate_limit = True
        for waited in (0, 40, 21, 40):
            now[0] += waited
            assert (await client.call("POST", "conference")).status == 201
        assert (await client.call("POST", "conference")).status == 429


async def test_a_permission_may_be_missing() -> None:
    async with ringcentral() as client:
        client.sim.faults.forbidden_scope = "CallControl"
        refused = await client.call("POST", "conference")
        assert (refused.status, refused.code) == (403, "CMN-401")
        assert not client.sim.commands
        assert "CallControl" not in (await client.sign_in()).body["scope"]
        assert (await client.rest("GET", "account/~/extension/~")).status == 200


async def test_every_request_fails_or_none_is_answered() -> None:
    async with ringcentral() as client:
        client.sim.faults.http_status = 503
        assert (await client.sign_in()).status == 503
        assert (await client.call("POST", "conference")).code == "CMN-201"
        client.sim.faults.http_status = None
        client.sim.faults.hang = True
        with pytest.raises(TimeoutError):
            await client.rest("GET", "account/~/extension/~", timeout=aiohttp.ClientTimeout(total=0.05))


# Who is who


async def test_extensions_and_their_devices_can_be_read() -> None:
    async with ringcentral() as client:
        me = (await client.rest("GET", "account/~/extension/~")).body
        assert (me["id"], me["name"], me["extensionNumber"]) == (int(client.ada.extension_id), "Ada Lambert", "101")
        devices = (await client.rest("GET", "account/~/extension/~/device")).body["records"]
        assert [one["type"] for one in devices] == ["HardPhone", "WebPhone"]
        path = f"account/{client.sim.account_id}/extension/{client.ada.extension_id}"
        assert (await client.rest("GET", path)).body == me


async def test_presence_shows_a_conference_as_a_call_to_conference() -> None:
    async with ringcentral() as client:
        call = client.sim.make_call(client.ada, "+12025550101", "Eve", inbound=True)
        conference = await client.conference()
        path = "account/~/extension/~/presence"
        assert "activeCalls" not in (await client.rest("GET", path)).body
        detailed = await client.rest("GET", f"{path}?detailedTelephonyState=true&sipData=true")
        first, second = detailed.body["activeCalls"]
        assert (first["telephonySessionId"], first["from"], first["fromName"]) == (call, "+12025550101", "Eve")
        assert (second["to"], second["toName"], second["sessionId"]) == ("conference", "Conference", "0")
        assert (second["telephonySessionId"], second["partyId"]) == (conference, f"p{conference[1:]}-1")
        whole = (await client.rest("GET", "account/~/presence?detailedTelephonyState=true")).body["records"]
        assert [len(one["activeCalls"]) for one in whole] == [2, 0]
        await client.bring_in(conference, call)
        detailed = await client.rest("GET", f"{path}?detailedTelephonyState=true")
        assert [one["telephonySessionId"] for one in detailed.body["activeCalls"]] == [conference]


async def test_a_stop_and_a_start_keep_everything_but_the_connections() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        await client.brought_in(conference)
        before, port = client.sim.truth(), client.sim.port
        async with client.subscribed() as socket:
            await client.sim.stop()
            assert await socket.over() is not None
        await client.sim.start()
        assert (client.sim.truth(), client.sim.port) == (before, port)
        assert await client.legs(conference) == {"1": "Answered", "2": "Gone"}


async def test_what_proves_an_identity_is_named_as_secret() -> None:
    async with ringcentral() as client:
        tokens, token = (await client.sign_in()).body, await client.socket_token()
        conference = (await client.call("POST", "conference")).body["session"]
        for secret in (
            *(tokens["access_token"], tokens["refresh_token"], token["ws_access_token"]),
            *(client.ada.jwt, client.sim.client_secret, conference["voiceCallToken"]),
        ):
            assert secret in client.sim.secrets
        assert client.ada.jwt not in repr(client.ada)


def test_a_simulator_can_be_furnished_before_it_runs() -> None:
    sim = RingCentralSimulator()
    ada = sim.add_extension()
    conference = sim.open_conference(ada)
    sim.bring_in(conference, sim.make_call(ada))
    assert len(sim.truth()[conference]["participants"]) == 2
