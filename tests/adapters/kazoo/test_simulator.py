"""The simulated Crossbar says what the protocol sheet says, traps included."""

import asyncio
import hashlib
import json
from base64 import urlsafe_b64decode
from typing import Any

import aiohttp
import pytest

from adapters.kazoo.simulator import Generation, KazooSimulator
from tests.adapters.kazoo.kazoo_client import KazooClient, kazoo

ALL = list(Generation)
NO_ROOM = "0" * 32
GREGORIAN_2024 = 63_871_286_400


async def test_a_user_signs_in_with_the_hash_of_name_and_password_and_gets_a_jwt() -> None:
    async with kazoo(clock=lambda: 1_000_000.0, token_life_s=60) as client:
        reply = await client.sign_in()
        claims = json.loads(urlsafe_b64decode(reply.body["auth_token"].split(".")[1] + "=="))
        assert reply.status == 201
        assert reply.data["account_id"] == client.sim.account_id
        assert reply.data["owner_id"] == client.sim.owner_id
        assert claims["exp"] == 1_000_060


async def test_sha_is_taken_and_sha1_and_strangers_are_refused() -> None:
    async with kazoo() as client:
        plain = f"{client.sim.username}:{client.sim.password}".encode()
        data = {"credentials": hashlib.sha1(plain).hexdigest(), "method": "sha", "account_name": "D e-M o!"}
        assert (await client.call("PUT", "user_auth", {"data": data})).status == 201
        refused = await client.call("PUT", "user_auth", {"data": data | {"method": "sha1"}})
        assert (refused.status, "enum" in refused.data["method"]) == (400, True)
        wrong = await client.call("PUT", "user_auth", {"data": data | {"credentials": "0" * 40}})
        assert (wrong.status, wrong.body["message"]) == (401, "invalid_credentials")
        assert wrong.data == {"message": "invalid credentials"}


async def test_an_api_key_signs_in_and_an_unknown_one_is_404_with_the_key_in_it() -> None:
    async with kazoo() as client:
        good = await client.call("PUT", "api_auth", {"data": {"api_key": client.sim.api_key}})
        assert (good.status, "owner_id" in good.data) == (201, False)
        unknown = await client.call("PUT", "api_auth", {"data": {"api_key": "f" * 64}})
        assert (unknown.status, unknown.body["message"], unknown.data) == (404, "bad identifier", ["f" * 64])
        short = await client.call("PUT", "api_auth", {"data": {"api_key": "f", "other": 1}})
        assert (short.status, set(short.data)) == (400, {"api_key", "other"})


async def test_an_expired_token_is_refused_in_other_words_than_a_wrong_login() -> None:
    now = [1_000_000.0]
    async with kazoo(clock=lambda: now[0], token_life_s=60) as client:
        assert (await client.call("GET", client.rooms)).status == 200
        now[0] += 61
        reply = await client.call("GET", client.rooms)
        assert (reply.status, reply.body["message"], reply.data) == (401, "invalid credentials", {})
        assert reply.body["error"] == "401"
        await client.sign_in()
        assert (await client.call("GET", "token_auth")).data["account_id"] == client.sim.account_id
        assert (await client.call("DELETE", "token_auth")).status == 200
        assert (await client.call("GET", client.rooms)).status == 200
        client.sim.expire_tokens()
        assert (await client.call("GET", client.rooms)).status == 401


@pytest.mark.parametrize("login", ["mfa", "account_disabled"])
async def test_other_reasons_not_to_be_let_in(login: Any) -> None:
    async with kazoo() as client:
        client.sim.faults.login = login
        reply = await client.sign_in()
        expected = (401, "multi_factor_request") if login == "mfa" else (400, "account")
        assert (reply.status, next(iter(reply.data))) == expected


async def test_another_account_is_forbidden_and_the_token_can_come_by_three_more_ways() -> None:
    async with kazoo() as client:
        token, client.token = client.token, ""
        assert (await client.call("GET", f"{client.rooms}?auth_token={token}")).status == 200
        assert (await client.call("GET", client.rooms, headers={"Authorization": f"Bearer {token}"})).status == 200
        assert (await client.call("GET", client.rooms, {"auth_token": token})).status == 200
        client.token = token
        other = await client.call("GET", f"accounts/{'e' * 32}/conferences")
        assert (other.status, other.body["message"]) == (403, "forbidden")


async def test_the_envelope_carries_the_request_id_and_errors_carry_their_status_as_a_string() -> None:
    async with kazoo() as client:
        reply = await client.call("DELETE", f"{client.rooms}/{NO_ROOM}", headers={"X-Request-ID": "mine"})
        assert reply.body["request_id"] == "mine"
        assert (reply.status, reply.body["status"], reply.body["error"]) == (404, "error", "404")
        assert reply.body["message"] == "bad_identifier"
        assert reply.data == {"message": "bad identifier", "cause": NO_ROOM}
        assert (await client.call("POST", client.rooms)).status == 405


async def test_a_body_that_is_no_json_is_400_and_a_strange_content_type_415() -> None:
    async with kazoo() as client:
        headers = {"X-Auth-Token": client.token}
        url = f"{client.sim.base_url}/v2/{client.rooms}"
        as_json = headers | {"Content-Type": "application/json"}
        for broken in (b"{", b"[]", b'{"a":"\xff"}', b'{"a":' * 100_000):
            async with client.session.put(url, data=broken, headers=as_json) as reply:
                assert (reply.status, "invalid" in (await reply.json())["data"]["json"]) == (400, True)
        async with client.session.put(url, data=b"{}", headers=headers | {"Content-Type": "text/xml"}) as reply:
            assert reply.status == 415


@pytest.mark.parametrize("generation", ALL)
async def test_the_realtime_block_stands_where_the_generation_puts_it(generation: Generation) -> None:
    async with kazoo(generation) as client:
        room = client.sim.add_room("Stand-up")
        client.sim.someone_joins(room, "Ann", "1001", moderator=True)
        call_id = client.sim.someone_joins(room, "Bob", "1002", muted=True)
        reply = await client.room(room)
        block = reply.body["metadata"] if generation is Generation.K5 else reply.data["_read_only"]
        assert ("_read_only" in reply.data, "metadata" in reply.body) == (
            generation is not Generation.K5,
            generation is Generation.K5,
        )
        assert block["members"] == 1
        assert block["admins" if generation is Generation.SEED else "moderators"] == 1
        assert ("uuid" in block, "locked" in block) == (generation in (Generation.K4_3, Generation.K5),) * 2
        bob = block["participants"][1]
        assert bob["call_id"] == call_id
        flags = bob if generation is Generation.SEED else bob["conference_channel_vars"]
        assert (flags["speak"], flags["hear"], flags["is_moderator"]) == (False, True, False)
        assert ("conference_channel_vars" in bob) is (generation is not Generation.SEED)
        assert ("custom_application_vars" in bob) is (generation not in (Generation.SEED, Generation.K4_0))
        assert ("member_type" in flags) is (generation not in (Generation.SEED, Generation.K5))
        assert ("current_energy" in flags) is (generation in (Generation.SEED, Generation.K5))
        assert bob["join_time"] > GREGORIAN_2024
        bare = await client.call("GET", f"{client.rooms}/{room}/participants")
        assert [one["call_id"] for one in bare.data] == [one["call_id"] for one in block["participants"]]


@pytest.mark.parametrize("generation", ALL)
async def test_list_items_carry_realtime_keys_under_changing_names(generation: Generation) -> None:
    async with kazoo(generation) as client:
        idle = client.sim.add_room("Idle")
        busy = client.sim.add_room("Busy")
        client.sim.someone_joins(busy)
        items = {item["id"]: item for item in (await client.call("GET", client.rooms)).data}
        at_root = generation in (Generation.SEED, Generation.K4_0)
        blocks = {key: item if at_root else item["_read_only"] for key, item in items.items()}
        assert blocks[idle]["is_locked"] is False
        assert blocks[idle]["members"] == 0
        assert blocks[busy]["members"] == 1
        assert ("is_locked" in blocks[busy]) is (generation is not Generation.K5)
        assert ("locked" in blocks[busy]) is (generation is Generation.K5)
        assert ("run_time" in blocks[busy]) is (generation is not Generation.SEED)
        assert ("duration" in blocks[busy]) is (generation in (Generation.SEED, Generation.K5))
        assert ("participants" in blocks[busy]) is (generation is Generation.K5)


@pytest.mark.parametrize("generation", ALL)
async def test_a_mistyped_id_looks_like_an_empty_room_since_4_2(generation: Generation) -> None:
    async with kazoo(generation) as client:
        reply = await client.room(NO_ROOM)
        if generation in (Generation.SEED, Generation.K4_0):
            assert reply.status == 404
            assert (await client.act(NO_ROOM, "lock")).status == 404
            return
        assert (reply.status, reply.data["id"], "name" in reply.data) == (200, NO_ROOM, False)
        assert "revision" not in reply.body
        assert (await client.act(NO_ROOM, "lock")).data == "ok"


async def test_an_ad_hoc_room_is_seen_by_id_and_never_in_the_list() -> None:
    async with kazoo() as client:
        dialled = await client.act("lunch", "dial", endpoints=["+12025550123"])
        assert dialled.data["endpoint_responses"][0]["status"] == "success"
        assert (await client.room("lunch")).data["_read_only"]["members"] == 1
        assert (await client.call("GET", client.rooms)).data == []
        assert client.sim.truth()["lunch"]["active"] is True


@pytest.mark.parametrize(
    ("generation", "master", "expected"),
    [
        (Generation.SEED, False, None),
        (Generation.K4_0, False, None),
        (Generation.K4_2, False, None),
        (Generation.K4_2, True, "conference.event.{CONFERENCE_ID}.{CALL_ID}"),
        (Generation.K4_3, False, "conference.event.{CONFERENCE_ID}.{CALL_ID}.add-member"),
        (Generation.K5, False, "conference.event.add-member.{CONFERENCE_ID}.{CALL_ID}"),
    ],
)
async def test_the_templates_tell_the_dialect_without_a_token(
    generation: Generation, master: bool, expected: str | None
) -> None:
    async with kazoo(generation, master=master) as client:
        client.token = ""
        data = (await client.call("GET", "websockets")).data
        assert expected in data.get("conference", [None])
        client.sim.faults.websockets_module = False
        assert (await client.call("GET", "websockets")).status != 200


async def test_the_etag_hides_realtime_changes() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        tag = (await client.room(room)).headers["ETag"]
        client.sim.someone_joins(room)
        assert (await client.call("GET", f"{client.rooms}/{room}", headers={"If-None-Match": tag})).status == 304


async def test_a_restarted_controller_knows_the_calls_only_until_the_next_event() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        ann = client.sim.someone_joins(room)
        bob = client.sim.someone_joins(room)
        client.sim.restart_controller()
        shown = (await client.call("GET", f"{client.rooms}/{room}/participants")).data
        assert [set(one) for one in shown] == [{"call_id", "join_time", "duration"}] * 2
        assert (await client.call("GET", client.rooms)).data[0]["_read_only"]["members"] == 0
        client.sim.talks(room, ann)
        shown = (await client.call("GET", f"{client.rooms}/{room}/participants")).data
        assert {one["call_id"]: "participant_id" in one for one in shown} == {ann: True, bob: False}
        assert (await client.call("GET", client.rooms)).data[0]["_read_only"]["members"] == 2


async def test_state_faults_of_the_bus_come_with_success() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        client.sim.someone_joins(room)
        client.sim.faults.empty_state = True
        reply = await client.room(room)
        assert (reply.body["status"], reply.data["_read_only"]["participants"]) == ("success", [])
        client.sim.faults.empty_state = False
        client.sim.faults.missing_flags = True
        assert "conference_channel_vars" not in (await client.room(room)).data["_read_only"]["participants"][0]


async def test_too_many_requests_empty_the_bucket_until_time_fills_it() -> None:
    now = [0.0]
    async with kazoo(clock=lambda: now[0]) as client:
        client.sim.faults.rate_limit = True
        client.sim.faults.burst = 3
        statuses = [(await client.call("GET", client.rooms)).status for _ in range(4)]
        limited = await client.call("GET", client.rooms)
        assert (statuses, limited.body["message"]) == ([200, 200, 200, 429], "too_many_requests")
        assert "Retry-After" not in limited.headers
        now[0] += 0.1
        assert (await client.call("GET", client.rooms)).status == 200


async def test_the_hands_on_the_wire_answer_raw_and_break_requests() -> None:
    async with kazoo() as client:
        client.sim.answer_raw("GET", "/conferences/abc", b'{"data": {"exactly": "this"}}', status=203)
        reply = await client.room("abc")
        assert (reply.status, reply.body) == (203, {"data": {"exactly": "this"}})
        assert (await client.room("abc")).status == 200
        client.sim.faults.http_status = 503
        assert (await client.room("abc")).status == 503
        client.sim.faults.http_status = None
        client.sim.faults.hang = True
        count = len(client.sim.requests)
        hanging = asyncio.create_task(client.room("abc"))
        await client.sim.until(lambda: len(client.sim.requests) > count)
        assert not hanging.done()
        await client.sim.stop()
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_commands_can_be_ignored_or_late() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        call_id = client.sim.someone_joins(room)
        path = f"{room}/participants/{client.sim.participant_id(room, call_id)}"
        client.sim.faults.ignore_commands = True
        assert (await client.act(path, "kick")).data == "ok"
        assert client.sim.truth()[room]["active"] is True
        client.sim.faults.ignore_commands = False
        client.sim.faults.effect_delay_s = 0.01
        assert (await client.act(path, "kick")).data == "ok"
        await client.sim.until(lambda: not client.sim.truth()[room]["active"])


async def test_a_held_dial_does_not_keep_the_server_from_stopping() -> None:
    async with kazoo() as client:
        client.sim.faults.dial_wait_s = 600
        dialling = asyncio.create_task(client.act(client.sim.add_room(), "dial", endpoints=["1001"]))
        await client.sim.until(lambda: bool(client.sim.commands))
        await client.sim.stop()
        with pytest.raises(aiohttp.ClientError):
            await dialling


async def test_a_stopped_simulator_starts_again_on_its_port_with_its_rooms() -> None:
    sim = KazooSimulator()
    room = sim.add_room("Sales")
    await sim.start()
    port = sim.port
    await sim.stop()
    await sim.stop()
    async with sim, aiohttp.ClientSession() as session:
        client = KazooClient(sim, session)
        assert (await client.sign_in()).status == 201
        assert (sim.port, (await client.room(room)).data["name"]) == (port, "Sales")
