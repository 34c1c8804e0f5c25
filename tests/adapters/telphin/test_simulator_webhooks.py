"""The simulated Telphin tells event handlers what happens in calls: form-encoded, in order, once, in microseconds."""

from urllib.parse import urlencode

import pytest

from adapters.telphin.simulator import DeclinedError
from tests.adapters.telphin.ringme import EVENTS, hooked, telphin

NOW = 1_700_000_000.0
STRANGER = "79990001122"


async def test_a_colleague_enters_and_leaves() -> None:
    now = [NOW]
    async with telphin(clock=lambda: now[0]) as client, hooked() as hook:
        sim = client.sim
        room, ada = sim.add_room("Sales", number="300"), sim.add_phone("Ada Lambert", "101")
        prefix = sim._extensions.prefix
        await client.subscribe(room, hook.address)
        leg = sim.join(room, phone=ada)
        [call] = await client.current_calls()
        now[0] += 7.5
        sim.leaves(room, leg)
        await sim.until(lambda: len(hook.got) == 3)
        common = {
            "CallFlow": "in",
            "CallID": leg.partition("-")[2],
            "SubCallID": leg,
            "CallAPIID": call["call_api_id"],
            "CallerIDNum": "101",
            "CallerIDName": "Ada Lambert",
            "CallerExtension": f"{prefix}*101@sipproxy.telphin.ru",
            "CallerExtensionID": ada,
            "CalledNumber": f"{prefix}*300",
            "CalledExtension": f"{prefix}*300@sipproxy.telphin.ru",
            "CalledExtensionID": room,
        }
        told = [dict(one) for one in hook.got]
        times = [int(one.pop("EventTime")) for one in told]
        assert told == [
            common | {"EventType": "dial-in", "CallStatus": "CALLING"},
            common | {"EventType": "answer", "CallStatus": "ANSWER"},
            common | {"EventType": "hangup", "CallStatus": "ANSWER", "Duration": "7500000"},
        ]
        assert times[0] < times[1] < times[2] == 1_700_000_007_500_000
        assert times[1] - times[0] < 10


async def test_a_stranger_is_known_by_number_did_and_name_alone() -> None:
    async with telphin() as client, hooked() as hook:
        room = client.sim.add_room("Sales", number="300")
        await client.subscribe(room, hook.address, "dial-in")
        client.sim.join(room, number=STRANGER)
        client.sim.join(room, number="", name="Ben Rowe & Co.")
        await client.sim.until(lambda: len(hook.got) == 2)
        shown = [(one["CallerIDNum"], one.get("CallerIDName"), one.get("CallerExtensionID")) for one in hook.got]
        assert shown == [(STRANGER, None, None), ("anonymous", "Ben Rowe & Co.", None)]
        assert hook.got[0]["CalledDID"] == "74950000300"
        assert await client.current_calls() == []


async def test_a_room_tells_nothing_of_who_waits_for_a_pin_or_is_declined() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales", pin="1234", moderator_pin="4321", max_members=1)
        await client.subscribe(room, hook.address)
        sim.leaves(room, sim.dials(room, number="79990000001"))
        leg = sim.dials(room, number=STRANGER)
        sim.press(room, leg, "1234#")
        with pytest.raises(DeclinedError):
            sim.join(room, name="Late")
        sim.leaves(room, leg)
        await sim.until(lambda: len(hook.got) == 3)
        assert {one["CallerIDNum"] for one in hook.got} == {STRANGER}


async def test_a_callback_and_a_redirected_call_keep_their_ids() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room, other = sim.add_room("Sales", number="300"), sim.add_room("Other", number="310")
        sim.add_phone("Ada", "101")
        for one in (room, other):
            await client.subscribe(one, hook.address)
        made = await client.ask("POST", "extension/@300/callback/", {"src_num": ["101"], "dst_num": "300"})
        path = f"extension/@101/current_calls/{made.body['call_api_id']}"
        await client.ask("PUT", path, {"action": "transfer", "send_dst": "310"})
        await sim.until(lambda: len(hook.got) == 5)
        assert {(one["CallID"], one["CallAPIID"], one["CallBackID"]) for one in hook.got} == {
            (made.body["call_id"], made.body["call_api_id"], made.body["call_id"])
        }
        told = [(one["EventType"], one["CalledExtensionID"], one.get("Transfered")) for one in hook.got]
        # Each extension has its own order.
        assert [one for one in told if one[1] == room] == [
            ("dial-in", room, None),
            ("answer", room, None),
            ("hangup", room, "yes"),
        ]
        assert [one for one in told if one[1] == other] == [("dial-in", other, None), ("answer", other, None)]


async def test_a_guest_of_the_room_is_recorded_where_the_room_is_set_so() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales", record_enabled=True)
        await client.subscribe(room, hook.address, "hangup")
        ada = sim.join(room, name="Ada")
        sim.press(room, ada, f"*8{STRANGER}")
        [guest] = [leg for leg in sim.truth()[room]["participants"] if leg != ada]
        sim.leaves(room, guest)
        sim.leaves(room, ada)
        await sim.until(lambda: len(hook.got) == 2)
        assert hook.got[0]["RecID"].startswith(f"{room}-")
        assert "RecID" not in hook.got[1]


async def test_phones_tell_of_themselves_and_of_all_phones() -> None:
    async with telphin() as client, hooked() as one, hooked() as every:
        sim = client.sim
        room, ada, ben = sim.add_room("Sales"), sim.add_phone("Ada"), sim.add_phone("Ben")
        await client.subscribe(ada, one.address, "dial-out", "answer", "hangup")
        for event_type in ("dial-out", "extension-call-status"):
            body = {"url": every.address, "event_type": event_type, "method": "POST"}
            assert (await client.ask("POST", "client/@me/phone_events/", body)).status == 201
        sim.leaves(room, sim.join(room, phone=ada))
        sim.join(room, phone=ben)
        await sim.until(lambda: len(one.got) == 3 and len(every.got) == 2)
        assert [told["EventType"] for told in one.got] == ["dial-out", "answer", "hangup"]
        assert all(told["SubCallID"].startswith(f"{ada}-") and told["CallFlow"] == "out" for told in one.got)
        assert sorted(told["CallerExtensionID"] for told in every.got) == sorted([ada, ben])
        assert len((await client.ask("GET", "client/@me/phone_events/")).body) == 2


async def test_handlers_are_made_listed_and_removed() -> None:
    async with telphin() as client:
        sim = client.sim
        room, other = sim.add_room("Sales", number="300"), sim.add_room("Other")
        path = f"extension/{room}/event/"
        body = {"url": "https://gateway.example/hooks/t/secret", "event_type": "dial-in", "method": "POST"}
        made = await client.ask("POST", path, body)
        assert (made.status, made.body) == (201, {"id": made.body["id"], **body})
        again = (await client.ask("POST", "extension/@300/event/", body)).body
        assert again["id"] != made.body["id"]
        assert (await client.ask("GET", path)).body == [made.body, again]
        assert (await client.ask("GET", f"{path}{again['id']}")).body == again
        assert (await client.ask("GET", f"extension/{other}/event/")).body == []
        assert (await client.ask("DELETE", f"extension/{other}/event/{again['id']}")).reason == "event_not_found"
        assert (await client.ask("DELETE", f"{path}{again['id']}")).status == 204
        assert (await client.ask("DELETE", f"{path}{again['id']}")).status == 404
        assert [one.event_id for one in sim.subscriptions(room)] == [made.body["id"]]
        assert (await client.ask("DELETE", path)).status == 204
        assert sim.subscriptions(room) == []
        await client.ask("POST", path, body)
        sim.remove_room(room)
        assert sim.subscriptions(room) == []
        assert list(sim.commands) == []
        assert len(sim.upkeep) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x/"},
        {"url": None},
        {"url": "http://["},
        {"event_type": "extension-call-status"},
        {"method": "PUT"},
    ],
)
async def test_a_handler_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        body = {"url": "http://127.0.0.1:9/", "event_type": "dial-in", "method": "POST"} | wrong
        refused = await client.ask("POST", "extension/@300/event/", body)
        assert (refused.status, refused.reason) == (400, "validation_error")


async def test_there_are_only_so_many_handlers() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300"), most_events=2) as client:
        await client.subscribe("@300", "http://127.0.0.1:9/", "dial-in", "hangup")
        body = {"url": "http://127.0.0.1:9/", "event_type": "answer"}
        refused = await client.ask("POST", "extension/@300/event/", body)
        assert (refused.status, refused.reason) == (409, "limit_exceeded")
        assert (await client.ask("GET", "client/@me/limit/")).body == {"event": {"limit": 2, "used": 2}}


async def test_a_handler_may_be_called_with_get() -> None:
    async with telphin() as client, hooked() as hook:
        room = client.sim.add_room("Sales")
        for address in (hook.address, f"{hook.address}?key=a%2Fb"):
            await client.subscribe(room, address, "dial-in", method="GET")
        leg = client.sim.join(room, name="Ada Lambert")
        await client.sim.until(lambda: len(hook.got) == 2)
        assert hook.methods == ["GET", "GET"]
        assert [(one["SubCallID"], one["CallerIDName"], one.get("key")) for one in hook.got] == [
            (leg, "Ada Lambert", None),
            (leg, "Ada Lambert", "a/b"),
        ]


async def test_each_is_sent_once_whatever_the_answer_is() -> None:
    async with telphin(answer_within_s=0.5) as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales")
        await client.subscribe(room, hook.address)
        hook.status = 500
        leg = sim.join(room, name="Ada")
        await sim.until(lambda: len(hook.got) == 2)
        hook.silent = True
        sim.leaves(room, leg)
        await sim.until(lambda: len(hook.got) == 3)
        hook.silent = False
        sim.join(room, name="Ben")
        await sim.until(lambda: len(hook.got) == 5)
        assert hook.told() == ["dial-in", "answer", "hangup", "dial-in", "answer"]
        await hook.stop()
        sim.join(room, name="Cleo")
        await sim.until(lambda: not sim._webhooks._lines[int(room)].waiting)
        await hook.start()
        sim.leaves(room, sim.join(room, name="Dora"))
        await sim.until(lambda: "hangup" in hook.told()[5:])


async def test_webhooks_are_lost_doubled_and_shuffled_on_demand() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales")
        await client.subscribe(room, hook.address)
        sim.faults.lose_webhooks = True
        sim.join(room, name="Ada")
        sim.faults.lose_webhooks = False
        sim.faults.double_webhooks = True
        sim.join(room, name="Ben")
        await sim.until(lambda: len(hook.got) == 4)
        assert hook.told() == ["dial-in", "dial-in", "answer", "answer"]
        assert hook.got[0] == hook.got[1]
        sim.faults.double_webhooks = False
        sim.faults.shuffle_webhooks = True
        for index in range(8):
            sim.join(room, number=f"7999000112{index}")
        await sim.until(lambda: len(hook.got) == 20)
        times = [int(one["EventTime"]) for one in hook.got[4:]]
        assert sorted(times) != times
        assert len(set(times)) == 16


async def test_anything_can_be_posted_to_the_hooks_of_a_room() -> None:
    async with telphin() as client, hooked() as hook, hooked() as other:
        room = client.sim.add_room("Sales")
        await client.subscribe(room, hook.address)
        await client.subscribe(room, other.address, "hangup")
        body = urlencode({"EventType": "strange", "SubCallID": "1-1"}).encode()
        client.sim.send(room, body)
        client.sim.send(room, b"\xff&&&")
        await client.sim.until(lambda: len(hook.raw) == len(other.raw) == 2)
        assert hook.raw == other.raw == [body, b"\xff&&&"]


async def test_handlers_can_be_lost_and_survive_a_restart() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales")
        await client.subscribe(room, hook.address, "dial-in")
        await sim.stop()
        await sim.start()
        sim.join(room, name="Ada")
        await sim.until(lambda: len(hook.got) == 1)
        sim.forget_subscriptions(room)
        assert (await client.ask("GET", f"extension/{room}/event/")).body == []
        sim.join(room, name="Ben")
        assert len(sim.webhooks) == 1


async def test_a_stop_in_the_middle_of_a_delivery_ends_it() -> None:
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales")
        await client.subscribe(room, hook.address, *EVENTS)
        hook.silent = True
        sim.join(room, name="Ada")
        await hook.called.wait()
        await sim.stop()
        hook.silent = False
        await sim.start()
        sim.join(room, name="Ben")
        await sim.until(lambda: len(hook.got) == 3)
        assert [one["CallerIDName"] for one in hook.got] == ["Ada", "Ben", "Ben"]
