"""The simulated Blackhole and the crowd: sockets, bindings, events, and what goes wrong with them."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.kazoo.simulator import EVENT_NAMES, Generation, KazooSimulator, crowd_of
from gateway.simulator import Liveliness
from tests.adapters.kazoo.kazoo_client import blackhole, kazoo

ALL = list(Generation)
ROOM = "5edbfdd3b825314a71b0a05957392edb"


def whole_room(generation: Generation, room_id: str = ROOM) -> str:
    return f"conference.event.*.{room_id}.*" if generation is Generation.K5 else f"conference.event.{room_id}.*"


@pytest.mark.parametrize("generation", ALL)
async def test_a_room_tells_its_whole_life_in_order(generation: Generation) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        sim = client.sim
        sim.add_room(room_id=ROOM)
        reply = await events.subscribe(whole_room(generation))
        assert (reply["status"], reply["request_id"]) == ("success", "r1")
        assert reply["data"]["subscribed"] == [whole_room(generation)]
        assert ("subscriptions" in reply["data"]) is (generation is Generation.K5)
        call_id = sim.someone_joins(ROOM)
        sim.set_muted(ROOM, call_id, False)
        sim.talks(ROOM, call_id)
        sim.talks(ROOM, call_id, False)
        sim.set_deafened(ROOM, call_id, True)
        sim.set_deafened(ROOM, call_id, False)
        sim.set_locked(ROOM, True)
        sim.set_locked(ROOM, False)
        sim.set_muted(ROOM, call_id, True)
        sim.someone_leaves(ROOM, call_id)
        told = await events.names(12)
        assert told == [
            "conference-create",
            "add-member",
            "unmute-member",
            "start-talking",
            "stop-talking",
            "deaf-member",
            "undeaf-member",
            "lock",
            "unlock",
            "mute-member",
            "del-member",
            "conference-destroy",
        ]
        assert set(told) == set(EVENT_NAMES)


@pytest.mark.parametrize("generation", ALL)
async def test_an_event_has_the_envelope_and_the_shape_of_its_generation(generation: Generation) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        account = client.sim.account_id
        await events.subscribe(whole_room(generation))
        call_id = client.sim.someone_joins(ROOM, "Ann", "1001", moderator=True)
        created, joined = await events.next(), await events.next()
        old = generation in (Generation.SEED, Generation.K4_0)
        leg = call_id.replace(".", "%2E").replace("@", "%40")
        prefix = f"conference.event.{ROOM}" if old else f"conference.event.add-member.{account}.{ROOM}"
        assert joined["routing_key"] == f"{prefix}.{leg}"
        assert created["routing_key"].endswith(f"{ROOM}.{ROOM}")
        assert joined["subscribed_key"] == whole_room(generation)
        assert joined["subscription_key"] == (
            whole_room(generation) if old else f"conference.event.*.{account}.{ROOM}.*"
        )
        data = joined["data"]
        flat = generation is Generation.SEED
        assert joined["name"] == data["event_name"] == ("participant_event" if flat else "event")
        assert (data if flat else data["conference_channel_vars"])["is_moderator"] is True
        assert ("conference_channel_vars" in data) is not flat
        assert data["instance_id"] == client.sim.instance_id(ROOM)
        assert data["msg_id"] != created["data"]["msg_id"]
        assert not {"call_id", "participant_id"} & set(created["data"])


async def test_the_participant_id_counts_over_all_rooms_and_a_new_run_has_a_new_instance() -> None:
    async with kazoo() as client:
        sim = client.sim
        first = sim.someone_joins("one")
        instance = sim.instance_id("one")
        second = sim.someone_joins("two")
        assert sim.participant_id("two", second) == sim.participant_id("one", first) + 1
        sim.someone_leaves("one", first)
        sim.someone_joins("one")
        assert sim.instance_id("one") != instance


@pytest.mark.parametrize(
    ("generation", "binding", "text"),
    [
        (Generation.K4_0, "conference.event.*.*", "ConferenceId required"),
        (Generation.K4_2, "conference.event.*.*", "ConferenceId required"),
        (Generation.K4_2, f"conference.event.*.{ROOM}.*", "invalid format for conference subscription : event, *, "),
        (Generation.K4_2, "conference.command.*", "ConferenceId required"),
        (Generation.K4_2, "fax.status.*", "no available subscriptions to requested binding"),
        (Generation.K4_3, f"conference.event.*.{ROOM}.*", "ConferenceId required"),
        (Generation.K4_3, f"conference.event.{ROOM}.call", "invalid format for conference subscription : event, "),
        (Generation.K4_3, f"conference.event.{ROOM}.*.dance", "Unsupported conference event dance"),
        (Generation.K5, f"conference.event.{ROOM}.*", "invalid format for conference subscription : event, "),
        (Generation.K5, f"conference.event.dance.{ROOM}.*", "Unsupported conference event dance"),
        (Generation.K5, "conference.event.*.*.*", "unauthorized wildcard for conference id"),
    ],
)
async def test_bindings_of_another_dialect_are_refused_in_known_words(
    generation: Generation, binding: str, text: str
) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        reply = await events.subscribe(binding)
        assert reply["status"] == "error"
        assert reply["data"]["errors"][0].startswith(text)
        assert (await events.subscribe(whole_room(generation)))["status"] == "success"


@pytest.mark.parametrize(
    ("generation", "binding"),
    [
        (Generation.K4_3, f"conference.event.{ROOM}.*.lock"),
        (Generation.K5, f"conference.event.lock.{ROOM}.*"),
    ],
)
async def test_a_single_event_can_be_asked_for(generation: Generation, binding: str) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        await events.subscribe(binding)
        client.sim.open_room(ROOM)
        client.sim.set_locked(ROOM, True)
        assert await events.names(1) == ["lock"]


async def test_one_call_can_be_followed_only_when_its_id_needs_no_encoding() -> None:
    async with kazoo(Generation.K5) as client, blackhole(client) as events:
        assert (await events.subscribe(f"conference.event.*.{ROOM}.plain"))["status"] == "success"
        dotted = await events.subscribe(f"conference.event.*.{ROOM}.a.b")
        assert dotted["data"]["errors"][0].startswith("invalid format")
        client.sim.someone_joins(ROOM, call_id="other")
        client.sim.someone_joins(ROOM, call_id="plain")
        assert (await events.next())["data"]["call_id"] == "plain"


async def test_signing_in_on_the_socket_lasts_and_its_failures_have_their_texts() -> None:
    async with kazoo() as client, blackhole(client) as events:
        missing = await events.ask("subscribe", {"binding": "x"}, auth_token="")
        assert missing["data"]["errors"] == ["authentication token required"]
        wrong = await events.ask("subscribe", {"binding": "x"}, auth_token="not.a.token")
        assert wrong["data"]["errors"] == ["failed to authenticate token not.a.token"]
        assert (await events.subscribe(whole_room(Generation.K4_3)))["status"] == "success"
        client.sim.expire_tokens()
        assert (await events.subscribe(whole_room(Generation.K4_3, "other")))["status"] == "success"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "missing required keys in data object"),
        ({"bindings": [whole_room(Generation.K4_2)]}, "missing required keys : account_id, binding"),
        ({"account_id": "e" * 32, "binding": whole_room(Generation.K4_2)}, "unauthorized account id"),
        ({"account_id": "*", "binding": whole_room(Generation.K4_2)}, "unauthorized wildcard account id"),
    ],
)
async def test_a_subscription_names_its_account_and_one_binding_before_5(data: Any, text: str) -> None:
    async with kazoo(Generation.K4_2) as client, blackhole(client) as events:
        assert (await events.ask("subscribe", data))["data"]["errors"] == [text]


async def test_kazoo_5_takes_many_bindings_and_needs_no_account() -> None:
    async with kazoo(Generation.K5) as client, blackhole(client) as events:
        first, second = whole_room(Generation.K5), whole_room(Generation.K5, "other")
        await events.subscribe(first)
        reply = await events.ask("subscribe", {"bindings": [first, second]})
        assert reply["data"] == {"subscribed": [second], "subscriptions": [first, second]}
        assert (await events.ask("subscribe", {}))["data"]["errors"] == ["empty subscription"]
        left = await events.ask("unsubscribe", {"binding": first})
        assert left["data"] == {"unsubscribed": [first], "subscriptions": [second]}
        assert client.sim.subscriptions == {second}


async def test_the_reply_before_5_lists_all_bindings_and_unsubscribing_stops_events() -> None:
    async with kazoo(Generation.K4_3) as client, blackhole(client) as events:
        one, two = whole_room(Generation.K4_3, "one"), whole_room(Generation.K4_3, "two")
        await events.subscribe(one)
        assert (await events.subscribe(two))["data"] == {"subscribed": [one, two]}
        gone = await events.ask("unsubscribe", {"account_id": client.sim.account_id, "binding": one})
        assert gone["data"] == {"unsubscribed": [one], "subscribed": [two]}
        client.sim.open_room("one")
        client.sim.open_room("two")
        assert (await events.next())["data"]["conference_id"] == "two"


@pytest.mark.parametrize("generation", ALL)
async def test_a_ping_is_answered_with_pong_or_with_whatever_was_said_last(generation: Generation) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        last = (await events.subscribe(whole_room(generation)))["data"]
        expected = {"response": "pong"} if generation is Generation.K5 else last
        assert (await events.ask("ping"))["data"] == expected
        unknown = await events.ask("dance")
        assert unknown["status"] == "success"
        assert unknown["data"] == ({} if generation is Generation.K5 else last)
        client.sim.faults.ping_module = True
        assert (await events.ask("ping"))["data"] == {"response": "pong"}


async def test_a_request_without_id_gets_one_and_a_broken_frame_a_reply() -> None:
    async with kazoo() as client, blackhole(client) as events:
        await events.socket.send_str("{not json")
        broken = await events.next()
        assert broken["data"]["errors"] == ["authentication token required"]
        assert broken["request_id"]


async def test_two_bindings_that_match_deliver_twice_with_one_msg_id() -> None:
    async with kazoo(Generation.K4_3) as client, blackhole(client) as events:
        await events.subscribe(f"conference.event.{ROOM}.*")
        await events.subscribe(f"conference.event.{ROOM}.*.*")
        client.sim.open_room(ROOM)
        first, second = await events.next(), await events.next()
        assert first["data"]["msg_id"] == second["data"]["msg_id"]
        assert first["subscribed_key"] != second["subscribed_key"]


async def test_a_sub_protocol_is_400_and_too_many_sockets_are_429() -> None:
    async with kazoo() as client, blackhole(client, protocols=()) as events:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
            await client.session.ws_connect(client.sim.socket_url, protocols=["json"])
        await events.ask("ping")
        client.sim.faults.max_sockets = 1
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await client.session.ws_connect(client.sim.socket_url)


async def test_any_path_leads_to_the_events_and_kazoo_5_reads_the_header_of_the_upgrade() -> None:
    async with kazoo(Generation.K5) as client:
        url = f"{client.sim.socket_url}any/path"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.session.ws_connect(url, headers={"Authorization": "Bearer no"})
        async with client.session.ws_connect(url, headers={"Authorization": f"Bearer {client.token}"}) as socket:
            await socket.send_json({"action": "subscribe", "data": {"binding": whole_room(Generation.K5)}})
            assert (await socket.receive_json(timeout=5))["status"] == "success"
            listed = await client.call("GET", f"accounts/{client.sim.account_id}/websockets")
            assert listed.data[0]["bindings"] == [whole_room(Generation.K5)]
            session_id = listed.data[0]["websocket_session_id"]
            one = await client.call("GET", f"accounts/{client.sim.account_id}/websockets/{session_id}")
            assert one.data == listed.data[0]


async def test_messages_beyond_the_bucket_are_refused_on_an_open_socket() -> None:
    async with kazoo(clock=lambda: 0.0) as client, blackhole(client) as events:
        client.sim.faults.rate_limit = True
        client.sim.faults.burst = 2
        for _ in range(2):
            assert (await events.ask("ping"))["status"] == "success"
        text = (await events.ask("ping"))["data"]["errors"][0]
        assert text.startswith("rate limiting threshold hit for 127.0.0.1:")
        assert text.endswith("!")


async def test_a_silent_client_is_closed_and_any_frame_keeps_the_socket() -> None:
    async with kazoo(idle_close_s=0.05) as client, blackhole(client) as events:
        closed = await events.socket.receive(timeout=5)
        assert (closed.type, events.socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1000)
        await client.sim.until(lambda: client.sim.sockets == 0)


async def test_a_dropped_link_says_no_goodbye_and_forgets_its_bindings() -> None:
    async with kazoo() as client, blackhole(client) as events:
        await events.subscribe(whole_room(Generation.K4_3))
        assert client.sim.sockets == 1
        client.sim.drop_link()
        await events.socket.receive(timeout=5)
        assert events.socket.close_code == 1006
        await client.sim.until(lambda: client.sim.sockets == 0)
        assert client.sim.subscriptions == set()


async def test_raw_bytes_reach_signed_in_sockets_untouched() -> None:
    async with kazoo() as client, blackhole(client) as events, blackhole(client) as stranger:
        await events.ask("ping")
        client.sim.send_raw(b'{"half": ')
        client.sim.send_raw("x" * 1_000_000)
        assert (await events.socket.receive(timeout=5)).data == '{"half": '
        assert len((await events.socket.receive(timeout=5)).data) == 1_000_000
        assert (await stranger.ask("ping"))["action"] == "reply"


async def test_event_faults_lose_double_and_reorder() -> None:
    async with kazoo() as client, blackhole(client) as events:
        sim = client.sim
        await events.subscribe(whole_room(Generation.K4_3))
        sim.faults.lose_last_del = True
        first, last = sim.someone_joins(ROOM), sim.someone_joins(ROOM)
        sim.someone_leaves(ROOM, first)
        sim.someone_leaves(ROOM, last)
        assert (await events.names(5))[3:] == ["del-member", "conference-destroy"]
        sim.faults.drop_events = {"add-member"}
        sim.faults.duplicate_events = True
        call_id = sim.someone_joins(ROOM, muted=False)
        assert await events.names(2) == ["conference-create"] * 2
        sim.faults.duplicate_events = False
        sim.faults.shuffle_events = True
        for talking in (True, False) * 3:
            sim.talks(ROOM, call_id, talking)
        told = await events.names(6)
        assert sorted(told) == ["start-talking"] * 3 + ["stop-talking"] * 3
        assert told != ["start-talking", "stop-talking"] * 3


@pytest.mark.parametrize(("generation", "loses"), [(Generation.K4_2, False), (Generation.K4_3, True)])
async def test_only_4_3_and_5_drop_messages_of_a_slow_client(generation: Generation, loses: bool) -> None:
    async with kazoo(generation) as client, blackhole(client) as events:
        await events.ask("ping")
        before = client.sim.counters.frames
        # In one turn of the loop the client reads nothing: what the kernel does not take has to wait.
        for _ in range(200):
            client.sim.send_raw("x" * 65_536)
        assert (client.sim.counters.dropped > 0) is loses
        assert (client.sim.counters.frames - before < 200) is loses


async def test_a_muted_talker_stops_and_a_leaving_one_just_leaves() -> None:
    async with kazoo() as client, blackhole(client) as events:
        await events.subscribe(whole_room(Generation.K4_3))
        call_id = client.sim.someone_joins(ROOM, muted=False)
        client.sim.talks(ROOM, call_id)
        client.sim.set_muted(ROOM, call_id, True)
        client.sim.set_muted(ROOM, call_id, False)
        client.sim.talks(ROOM, call_id)
        client.sim.someone_leaves(ROOM, call_id)
        assert (await events.names(9))[3:] == [
            "mute-member",
            "stop-talking",
            "unmute-member",
            "start-talking",
            "del-member",
            "conference-destroy",
        ]


async def test_commands_over_http_show_as_events() -> None:
    async with kazoo() as client, blackhole(client) as events:
        call_id = client.sim.someone_joins(ROOM, muted=False)
        await events.subscribe(whole_room(Generation.K4_3))
        path = f"{ROOM}/participants/{client.sim.participant_id(ROOM, call_id)}"
        for target, action in ((path, "mute"), (ROOM, "lock"), (path, "kick")):
            await client.act(target, action)
        assert await events.names(4) == ["mute-member", "lock", "del-member", "conference-destroy"]


def test_the_same_seed_makes_the_same_crowd() -> None:
    def lived(seed: int) -> Any:
        sim = KazooSimulator(clock=lambda: 0.0)
        crowd = crowd_of(sim, Liveliness(rooms=6, people=4, seed=seed))
        crowd.furnish()
        for _ in range(2_000):
            crowd.step()
            assert all(len(sim.people(room)) <= 4 for room in crowd.room_ids)
        return sim.truth()

    assert lived(3) == lived(3)
    assert lived(3) != lived(4)


def test_a_crowd_keeps_some_rooms_busy_and_some_idle() -> None:
    sim = KazooSimulator()
    crowd = crowd_of(sim, Liveliness(rooms=30, people=5, churn=2, talk_rate=1))
    crowd.furnish()
    for _ in range(20_000):
        crowd.step()
    rooms = sim.truth().values()
    people = [one for room in rooms for one in room["participants"].values()]
    assert 3 < sum(bool(room["active"]) for room in rooms) < 27
    assert all("555" in one["number"] and one["number"].startswith("+1") for one in people)
    assert len({room["name"] for room in rooms}) == 30


async def test_a_living_simulator_sends_events_and_ends_when_cancelled() -> None:
    async with kazoo() as client, blackhole(client) as events:
        crowd = crowd_of(client.sim, Liveliness(rooms=3, people=4, churn=500, talk_rate=500))
        crowd.furnish()
        for room_id in crowd.room_ids:
            await events.subscribe(whole_room(Generation.K4_3, room_id))
        living = asyncio.create_task(crowd.run())
        assert set(await events.names(100)) <= set(EVENT_NAMES)
        living.cancel()
        with pytest.raises(asyncio.CancelledError):
            await living


async def test_a_crowd_without_any_rate_rests() -> None:
    still = Liveliness(rooms=3, people=2, churn=0, talk_rate=0)
    async with kazoo() as client, crowd_of(client.sim, still).living():
        assert len(client.sim.room_ids()) == 3
        before = client.sim.counters.events
        await client.call("GET", client.rooms)
        assert client.sim.counters.events == before
