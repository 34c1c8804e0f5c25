"""The simulated RingCentral tells of calls and conferences on its socket, with gaps, recovery and everything else."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.ringcentral.simulator import SocketLimits
from tests.adapters.ringcentral.call_control import OWN, WHOLE, Client, Socket, change, ringcentral

NOW = 1_700_000_000.0


async def test_a_socket_begins_with_its_details() -> None:
    async with ringcentral() as client, client.socket() as (_, [meta, details]):
        assert (meta["type"], meta["status"], meta["wsc"]["sequence"]) == ("ConnectionDetails", 200, 1)
        assert (details["recoveryTimeout"], details["recoveryBufferSize"], details["idleTimeout"]) == (180, 100, 1800)
        assert "recoveryState" not in details


async def test_a_token_of_the_socket_works_once_and_for_thirty_seconds() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        used, late = await client.socket_token(), await client.socket_token()
        assert used["expires_in"] == 30
        params = [{"access_token": token} for token in (used["ws_access_token"], late["ws_access_token"], "wrong")]
        async with client.http.ws_connect(used["uri"], params=params[0]):
            pass
        for waited, refused in ((0, params[0]), (31, params[1]), (0, params[2])):
            now[0] += waited
            async with client.http.ws_connect(used["uri"], params=refused) as websocket:
                socket = Socket(websocket)
                [meta, body] = await socket.next()
                assert (meta["type"], body["errorCode"]) == ("Error", "WSG-401")
                assert await socket.over() == 1000


async def test_a_heartbeat_comes_back_and_what_is_nothing_known_is_an_error() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        assert await socket.told() == []
        for text in ("{", "[]", "{}", "[1]", '[{"type":"Nothing","messageId":"m"}]'):
            await socket.socket.send_str(text)
            [meta, body] = await socket.next()
            assert (meta["type"], meta["status"], body["errorCode"]) == ("Error", 400, "WSG-400")


async def test_any_request_travels_over_the_socket() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        [meta, body] = await socket.ask("POST", "/restapi/v1.0/account/~/telephony/conference")
        assert (meta["type"], meta["status"], meta["headers"]["X-Rate-Limit-Group"]) == ("ClientRequest", 201, "heavy")
        [meta] = await socket.ask("DELETE", f"/restapi/v1.0/account/~/telephony/sessions/{body['session']['id']}")
        assert meta["status"] == 204
        [meta, body] = await socket.ask("GET", f"/restapi/v1.0/account/~/telephony/sessions/{body['session']['id']}")
        assert (meta["status"], body["errorCode"]) == (404, "CMN-102")
        path = "/restapi/v1.0/account/~/extension/~/presence"
        for where, more in (
            (f"{path}?detailedTelephonyState=true", {}),
            (path, {"query": {"detailedTelephonyState": "true"}}),
        ):
            [meta, body] = await socket.ask("GET", where, **more)
            assert body["activeCalls"] == []
        assert {one.way for one in client.sim.requests} == {"http", "socket"}


async def test_a_subscription_is_told_with_its_id_and_resolved_filters() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        [meta, body] = await socket.subscribe(OWN, f"{WHOLE}?direction=Inbound")
        assert (meta["status"], meta["headers"]["WSG-SubscriptionId"], meta["wsc"]["sequence"]) == (200, body["id"], 2)
        account = f"/restapi/v1.0/account/{client.sim.account_id}"
        assert body["eventFilters"] == [
            f"{account}/extension/{client.ada.extension_id}/telephony/sessions",
            f"{account}/telephony/sessions?direction=Inbound",
        ]
        assert body["deliveryMode"] == {"transportType": "WebSocket", "encryption": False}


async def test_a_second_subscription_replaces_the_first() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        first, second = (await socket.subscribe())[1]["id"], (await socket.subscribe())[1]["id"]
        assert [one.subscription_id for one in client.sim.subscriptions] == [second]
        client.sim.make_call(client.ada)
        assert {one["subscriptionId"] for one in await socket.told()} == {second}
        [meta, _] = await socket.ask("GET", f"/restapi/v1.0/subscription/{first}")
        assert meta["status"] == 404


async def test_wrong_filters_and_other_transports_are_refused() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        mode = {"transportType": "WebSocket"}
        for body, code in (
            ({"eventFilters": ["/restapi/v1.0/nothing"], "deliveryMode": mode}, "SUB-508"),
            ({"eventFilters": [f"{OWN}?colour=red"], "deliveryMode": mode}, "SUB-508"),
            ({"eventFilters": [OWN.replace("extension/~", "extension/1")], "deliveryMode": mode}, "SUB-508"),
            ({"eventFilters": [], "deliveryMode": mode}, "SUB-508"),
            ({"eventFilters": [OWN], "deliveryMode": {"transportType": "PubNub"}}, "CMN-101"),
        ):
            [meta, answer] = await socket.ask("POST", "/restapi/v1.0/subscription/", body)
            assert (meta["status"], answer["errorCode"]) == (400, code)
        over_http = await client.rest("POST", "subscription", {"eventFilters": [OWN], "deliveryMode": mode})
        assert over_http.code == "CMN-101"


# Events


async def test_with_a_filter_of_the_extension_only_the_own_leg_is_told_of_and_numbers_have_gaps() -> None:
    async with ringcentral() as client, client.subscribed() as socket:
        call = client.sim.make_call(client.ada)
        told = await socket.told()
        assert [change(one)[1:] for one in told] == [(2, "1", "Setup"), (4, "1", "Proceeding"), (6, "1", "Answered")]
        first = told[0]
        assert first["event"].endswith(f"/extension/{client.ada.extension_id}/telephony/sessions")
        assert first["ownerId"] == client.ada.extension_id
        assert (first["body"]["telephonySessionId"], first["body"]["origin"]) == (call, {"type": "Call"})
        assert first["body"]["sessionId"].isdigit()
        [party] = first["body"]["parties"]
        assert party["from"]["extensionId"] == client.ada.extension_id
        assert (party["status"]["rcc"], party["park"], party["missedCall"]) == (False, {}, False)


async def test_with_a_filter_of_the_account_both_legs_are_told_of_by_the_path_they_have() -> None:
    async with ringcentral() as client, client.subscribed(WHOLE) as socket:
        client.sim.make_call(client.ada, "+12025550101", "Eve", inbound=True)
        told = await socket.told()
        assert [change(one)[1:] for one in told] == [
            (2, "1", "Setup"),
            (3, "2", "Setup"),
            (4, "2", "Proceeding"),
            (5, "2", "Answered"),
            (6, "1", "Answered"),
        ]
        account = f"/restapi/v1.0/account/{client.sim.account_id}"
        assert told[0]["event"] == f"{account}/telephony/sessions"
        assert told[1]["event"] == f"{account}/extension/{client.ada.extension_id}/telephony/sessions"
        remote, own = told[0]["body"]["parties"][0], told[1]["body"]["parties"][0]
        assert ("accountId" in remote, "extensionId" in remote, remote["direction"]) == (True, False, "Outbound")
        assert (own["direction"], own["from"]) == ("Inbound", {"phoneNumber": "+12025550101", "name": "Eve"})


async def test_the_host_is_told_of_on_the_conference_and_a_join_on_the_call_that_was_brought_in() -> None:
    async with ringcentral() as client, client.subscribed(OWN, WHOLE) as socket:
        conference, call = await client.conference(), client.sim.make_call(client.ada)
        told = await socket.told()
        hosting = [one for one in told if one["body"]["telephonySessionId"] == conference]
        assert [change(one)[1:] for one in hosting[::2]] == [
            (2, "1", "Setup"),
            (3, "1", "Proceeding"),
            (4, "1", "Answered"),
        ]
        assert (hosting[0]["body"]["sessionId"], hosting[0]["body"]["origin"]) == ("0", {"type": "Conference"})
        assert hosting[0]["body"]["parties"][0]["conferenceRole"] == "Host"
        leg = (await client.bring_in(conference, call)).body["id"]
        first, second = await socket.told()
        assert first["uuid"] != second["uuid"]
        assert first["body"] == second["body"]
        assert change(first) == (call, 7, "1", "Gone")
        assert first["body"]["parties"][0]["status"] == {
            "code": "Gone",
            "reason": "Conference",
            "peerId": {"telephonySessionId": conference, "sessionId": "0", "partyId": leg},
            "rcc": False,
        }


async def test_a_participant_who_leaves_is_told_of_on_their_call_without_a_reason() -> None:
    async with ringcentral() as client, client.subscribed() as socket:
        conference = await client.conference()
        call, leg = await client.brought_in(conference)
        await socket.told()
        await client.call("DELETE", f"sessions/{conference}/parties/{leg}")
        [left] = await socket.told()
        assert change(left) == (call, 9, "1", "Disconnected")
        assert left["body"]["parties"][0]["status"] == {"code": "Disconnected", "rcc": False}


async def test_muting_the_host_is_told_and_muting_a_participant_is_not() -> None:
    async with ringcentral() as client, client.subscribed(WHOLE) as socket:
        conference = await client.conference()
        _, leg = await client.brought_in(conference)
        host = f"p{conference[1:]}-1"
        await socket.told()
        for one in (leg, host):
            await client.call("PATCH", f"sessions/{conference}/parties/{one}", {"muted": True})
        [told] = await socket.told()
        assert (told["body"]["parties"][0]["id"], told["body"]["parties"][0]["muted"]) == (host, True)
        client.sim.set_hold(conference, host, True)
        assert [one[2:] for one in await socket.changes()] == [("1", "Hold")]
        client.sim.faults.emit_participant_legs = True
        client.sim.set_muted(conference, leg, False)
        [told] = await socket.told()
        assert told["body"]["parties"][0]["id"] == leg
        assert told["event"].endswith(f"/account/{client.sim.account_id}/telephony/sessions")


async def test_the_end_is_told_of_the_host_first_and_of_every_call() -> None:
    async with ringcentral() as client, client.subscribed() as socket:
        conference = await client.conference()
        first, _ = await client.brought_in(conference)
        second, _ = await client.brought_in(conference)
        await socket.told()
        client.sim.host_hangs_up(conference)
        assert await socket.changes() == [
            (conference, 5, "1", "Disconnected"),
            (first, 9, "1", "Disconnected"),
            (second, 9, "1", "Disconnected"),
        ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("direction=Inbound", [3, 5]),
        ("statusCode=Answered", [5, 6]),
        ("phoneNumber=%2B12025550100", [2, 3, 4, 5, 6]),
        ("phoneNumber=%2B12025550199", []),
        ("missedCall=true", []),
        ("withRecordings=true&sipData=true", [2, 3, 4, 5, 6]),
    ],
)
async def test_filters_can_ask_for_less(query: str, numbers: list[int]) -> None:
    async with ringcentral() as client, client.subscribed(f"{WHOLE}?{query}") as socket:
        client.sim.make_call(client.ada)
        assert [one[1] for one in await socket.changes()] == numbers


async def test_events_may_be_doubled_lost_or_mixed_up_in_a_short_window() -> None:
    async with ringcentral(seed=2) as client, client.subscribed(WHOLE) as socket:
        client.sim.faults.duplicate_events = True
        client.sim.make_call(client.ada)
        told = await socket.told()
        assert (len(told), len({one["uuid"] for one in told})) == (10, 5)
        client.sim.faults.duplicate_events = False
        client.sim.faults.lose_events = True
        client.sim.make_call(client.ada)
        assert await socket.told() == []
        client.sim.faults.lose_events = False
        client.sim.faults.shuffle_events = True
        client.sim.make_call(client.ada)
        mixed: list[int] = []
        while len(mixed) < 5:
            mixed += [one[1] for one in await socket.changes()]
        assert sorted(mixed) == [2, 3, 4, 5, 6]
        assert mixed != sorted(mixed)
        assert len(client.sim.notifications) == 15


# The end of sockets, and recovery


async def wsc_of(client: Client, lose: Any) -> str:
    """A socket with a subscription, lost."""
    async with client.socket() as (socket, _):
        wsc: str = (await socket.subscribe())[0]["wsc"]["token"]
        await lose(socket)
        await client.sim.until(lambda: client.sim.sockets == 0)
    return wsc


async def cut(client: Client) -> str:
    async def lose(socket: Socket) -> None:
        client.sim.drop_link()
        assert await socket.over() is None

    return await wsc_of(client, lose)


async def test_a_recovered_socket_gets_what_was_missed_and_its_subscription_lives() -> None:
    async with ringcentral() as client:
        wsc = await cut(client)
        call = client.sim.make_call(client.ada)
        async with client.socket(wsc) as (socket, [meta, details]):
            assert details["recoveryState"] == "Successful"
            assert meta["wsc"]["sequence"] == 3
            assert [one[:2] for one in await socket.changes()] == [(call, 2), (call, 4), (call, 6)]
            client.sim.remote_hangs_up(call)
            assert [one[3] for one in await socket.changes()] == ["Disconnected"]


async def test_what_was_missed_comes_unasked_and_before_what_is_new() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        wsc, host = await cut(client), f"p{conference[1:]}-1"
        client.sim.set_muted(conference, host, True)
        async with client.socket(wsc) as (socket, _):
            client.sim.set_muted(conference, host, False)
            assert [change((await socket.next())[1])[1] for _ in range(2)] == [5, 6]
        async with client.socket(wsc) as (_, [_, details]):
            assert details["recoveryState"] == "Failed"


async def test_the_newest_hundred_are_kept() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        wsc = await cut(client)
        for _ in range(60):
            for muted in (True, False):
                client.sim.set_muted(conference, f"p{conference[1:]}-1", muted)
        async with client.socket(wsc) as (socket, _):
            assert [one[1] for one in await socket.changes()] == list(range(25, 125))


async def test_a_refreshed_token_of_the_same_session_recovers_and_a_new_session_does_not() -> None:
    async with ringcentral() as client:
        tokens = (await client.sign_in()).body
        client.token = tokens["access_token"]
        wsc = await cut(client)
        other = (await client.sign_in()).body["access_token"]
        async with client.socket(wsc, other) as (socket, [_, details]):
            assert (details["recoveryState"], details["recoveryErrorCode"]) == ("Failed", "WSG-1003")
            await socket.subscribe()
        client.token = (await client.refresh(tokens["refresh_token"])).body["access_token"]
        async with client.socket(wsc) as (_, [_, details]):
            assert details["recoveryState"] == "Successful"


async def test_recovery_fails_too_late_without_a_subscription_and_when_it_is_switched_off() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0], sockets=SocketLimits(recovery_s=100)) as client:
        async with client.socket() as (_, [meta, details]):
            assert details["recoveryTimeout"] == 100
        async with client.socket(meta["wsc"]["token"]) as (_, [_, details]):
            assert details["recoveryErrorCode"] == "WSG-1005"
        late, switched_off = await cut(client), await cut(client)
        client.sim.faults.recovery_fails = True
        async with client.socket(switched_off) as (_, [_, details]):
            assert (details["recoveryState"], details["recoveryErrorCode"]) == ("Failed", "WSG-1001")
        client.sim.faults.recovery_fails = False
        now[0] += 101
        client.sim.timers.run_due()
        assert client.sim.subscriptions == []
        async with client.socket(late) as (_, [_, details]):
            assert details["recoveryErrorCode"] == "WSG-1001"


async def test_a_token_for_recovery_that_is_none_ends_the_socket() -> None:
    async with ringcentral() as client, client.socket("made-up") as (socket, [meta, body]):
        assert (meta["type"], body["errorCode"]) == ("Error", "WSG-400")
        assert await socket.over() == 1000


@pytest.mark.parametrize("code", ["WSG-902", "WSG-903"])
async def test_a_socket_closed_with_an_error_can_be_recovered(code: str) -> None:
    async def lose(socket: Socket) -> None:
        client.sim.close_sockets(code)
        [meta, body] = await socket.next()
        assert (meta["type"], body["errorCode"]) == ("Error", code)
        assert await socket.over() == 1000

    async with ringcentral() as client, client.socket(await wsc_of(client, lose)) as (_, [_, details]):
        assert details["recoveryState"] == "Successful"


@pytest.mark.parametrize(("limits", "code"), [({"idle_s": 0.05}, "WSG-902"), ({"absolute_s": 0.05}, "WSG-903")])
async def test_sockets_end_by_themselves(limits: dict[str, float], code: str) -> None:
    async with ringcentral(sockets=SocketLimits(**limits)) as client, client.socket() as (socket, _):
        assert (await socket.next())[1]["errorCode"] == code


async def test_expired_tokens_leave_sockets_open_and_revoked_ones_do_not() -> None:
    async with ringcentral() as client, client.subscribed() as socket:
        client.sim.expire_tokens()
        client.sim.make_call(client.ada)
        assert len(await socket.told()) == 3
        client.sim.revoke_all()
        assert await socket.over() is None
        assert client.sim.subscriptions == []


async def test_a_mute_socket_stays_open_and_what_it_did_not_send_is_kept() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        wsc = (await socket.subscribe())[0]["wsc"]["token"]
        client.sim.faults.mute_sockets = True
        client.sim.make_call(client.ada)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await socket.next()
        client.sim.faults.mute_sockets = False
        async with client.socket(wsc) as (again, _):
            assert len(await again.told()) == 3


async def test_raw_bytes_can_be_sent_and_handshakes_fail_or_hang() -> None:
    async with ringcentral() as client, client.socket() as (socket, _):
        client.sim.send_raw("[]")
        assert await socket.socket.receive_str() == "[]"
        token = await client.socket_token()
        client.sim.faults.http_status = 503
        params = {"access_token": token["ws_access_token"]}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.http.ws_connect(token["uri"], params=params)
        assert refused.value.status == 503
        client.sim.faults.http_status = None
        client.sim.faults.hang = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await socket.told()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.http.ws_connect(token["uri"], params=params)
