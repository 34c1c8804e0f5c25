"""Calls of the simulated Telphin: what current calls list, who can be hung up, redirected and called back."""

from typing import Any

import pytest

from tests.adapters.telphin.ringme import Client, Reply, telphin

NOW = 1_700_000_000.0
STRANGER = "79990001122"


async def call_back(client: Client, src: list[str], dst: str = "300", owner: str = "@300", **more: Any) -> Reply:
    return await client.ask("POST", f"extension/{owner}/callback/", {"src_num": src, "dst_num": dst, **more})


def numbers(client: Client, room: str) -> list[str]:
    return [one["number"] for one in client.sim.truth()[room]["participants"].values()]


async def test_current_calls_list_phones_and_never_strangers() -> None:
    async with telphin(clock=lambda: NOW) as client:
        sim = client.sim
        room, ada = sim.add_room("Sales", number="300"), sim.add_phone("Ada Lambert", "101")
        leg = sim.join(room, phone=ada)
        sim.join(room, number=STRANGER)
        [call] = await client.current_calls()
        assert call == {
            "call_api_id": sim.people(room)[0].call.call_api_id,
            "call_flow": "out",
            "caller_id_number": "101",
            "caller_id_name": "Ada Lambert",
            "called_number": "300",
            "called_did": None,
            "caller_extension": {"id": int(ada), "name": f"{sim._extensions.prefix}*101", "type": "phone"},
            "called_extension": {"id": int(room), "name": f"{sim._extensions.prefix}*300", "type": "conference"},
            "extension_id": int(ada),
            "init_time_gmt": "2023-11-14 22:13:20",
            "answer_time_gmt": "2023-11-14 22:13:20",
            "callback_id": None,
            "record_uuid": None,
            "real_call": True,
        }
        assert (await client.ask("GET", f"extension/{ada}/current_calls/")).body == [call]
        assert (await client.ask("GET", f"extension/{room}/current_calls/")).body == []
        sim.leaves(room, leg)
        assert await client.current_calls() == []


async def test_a_call_that_is_asked_for_a_pin_is_not_answered_and_one_that_is_booked_not_real() -> None:
    async with telphin() as client:
        sim = client.sim
        room, ada, ben = sim.add_room("Sales", pin="1234"), sim.add_phone("Ada"), sim.add_phone("Ben")
        leg = sim.dials(room, phone=ada)
        booked = sim.books(room, ben)
        first, second = await client.current_calls()
        assert (first["answer_time_gmt"], first["real_call"]) == (None, True)
        assert first["called_extension"]["id"] == int(room)
        assert (second["call_api_id"], second["real_call"], second["extension_id"]) == (booked, False, int(ben))
        assert sim.truth()[room]["participants"] == {}
        sim.press(room, leg, "1234#")
        assert (await client.current_calls())[0]["answer_time_gmt"]


async def test_calls_are_hung_up_by_way_of_their_phone_or_their_room() -> None:
    async with telphin() as client:
        sim = client.sim
        room, ada = sim.add_room("Sales", number="300"), sim.add_phone("Ada", "101")
        other = sim.add_room("Other")
        sim.join(room, phone=ada)
        sim.join(room, number=STRANGER)
        first, second = (leg.call.call_api_id for leg in sim.people(room))
        for wrong in (f"{other}/current_calls/{first}", f"{ada}/current_calls/{second}", f"{room}/current_calls/none"):
            refused = await client.ask("DELETE", f"extension/{wrong}")
            assert (refused.status, refused.reason) == (404, "call_not_found")
        sim.faults.phones_only = True
        assert (await client.ask("DELETE", f"extension/{room}/current_calls/{second}")).status == 404
        assert (await client.ask("DELETE", f"extension/@101/current_calls/{first}")).status == 204
        assert numbers(client, room) == [STRANGER]
        sim.faults.phones_only = False
        sim.faults.ignore_commands = True
        assert (await client.ask("DELETE", f"extension/{room}/current_calls/{second}")).status == 204
        assert numbers(client, room) == [STRANGER]
        sim.faults.ignore_commands = False
        assert (await client.ask("DELETE", f"extension/{room}/current_calls/{second}")).status == 204
        assert numbers(client, room) == []


async def test_calls_are_redirected_to_a_room() -> None:
    async with telphin() as client:
        sim = client.sim
        room, other, ada = sim.add_room("Sales"), sim.add_room("Other", number="310"), sim.add_phone("Ada", "101")
        leg = sim.join(room, phone=ada)
        stranger = sim.talks_to(ada, STRANGER, "Ben Rowe")
        moved = sim.people(room)[0].call.call_api_id
        for call in (moved, stranger):
            body = {"action": "transfer", "send_dst": "310"}
            reply = await client.ask("PUT", f"extension/{ada}/current_calls/{call}", body)
            assert (reply.status, reply.body["called_number"]) == (200, "310")
        assert numbers(client, room) == []
        assert numbers(client, other) == ["101", STRANGER]
        [moved_leg, _] = sim.truth()[other]["participants"]
        assert moved_leg.partition("-")[2] == leg.partition("-")[2]
        assert [one["call_api_id"] for one in await client.current_calls()] == [moved]


async def test_other_actions_on_a_call_change_nothing_that_shows() -> None:
    async with telphin() as client:
        sim = client.sim
        room, ada = sim.add_room("Sales"), sim.add_phone("Ada")
        sim.join(room, phone=ada)
        path = f"extension/{ada}/current_calls/{sim.people(room)[0].call.call_api_id}"
        before = sim.truth()
        for action in ("hold", "offhold", "park", "conference"):
            assert (await client.ask("PUT", path, {"action": action})).status == 200
        assert sim.truth() == before
        for body in ({}, {"action": "mute"}, {"action": "transfer"}):
            assert (await client.ask("PUT", path, body)).status == 400


@pytest.mark.parametrize(("src", "internal"), [("101", True), (STRANGER, False), ("+12025550100", False)])
async def test_a_callback_rings_somebody_and_takes_them_into_the_room(src: str, internal: bool) -> None:
    async with telphin() as client:
        sim = client.sim
        room, ada = sim.add_room("Sales", number="300"), sim.add_phone("Ada", "101")
        sim.answers = "by hand"
        made = await call_back(client, [src], owner="@300", caller_id_name="Ada Lambert")
        assert made.status == 201
        assert set(made.body) == {"call_id", "call_api_id"}
        assert {len(one) for one in made.body.values()} == {32}
        assert numbers(client, room) == []
        ringing = await client.current_calls()
        assert [(one["extension_id"], one["answer_time_gmt"]) for one in ringing] == [(int(ada), None)] * internal
        sim.answer(made.body["call_api_id"])
        assert sim.truth()[room]["participants"] == {
            f"{room}-{made.body['call_id']}": {
                "name": "Ada Lambert",
                "number": src,
                "internal": internal,
                "muted": False,
                "moderator": False,
            }
        }
        calls = [(one["call_api_id"], one["callback_id"]) for one in await client.current_calls()]
        assert calls == [(made.body["call_api_id"], made.body["call_id"])] * internal
        with pytest.raises(LookupError):
            sim.answer(made.body["call_api_id"])


async def test_a_callback_enters_the_pin_and_presses_keys() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300", pin="1234", moderator_pin="4321")) as client:
        [room] = client.sim.rooms()
        await call_back(client, [STRANGER], dst_dtmf="WW1234#")
        assert numbers(client, room) == [STRANGER]
        await call_back(client, ["79990001123"])
        await call_back(client, ["79990001124"], dst_dtmf="w1234")
        assert numbers(client, room) == [STRANGER]
        await call_back(client, ["79990001125"], dst_dtmf="W4321#w*92")
        assert numbers(client, room) == [STRANGER, "79990001125"]
        assert client.sim.truth()[room]["locked"]
        refused = await call_back(client, ["79990001126"], dst_dtmf="W1234#")
        assert refused.status == 201
        assert len(numbers(client, room)) == 2


async def test_of_several_the_first_picks_up_and_the_others_stop_ringing() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        sim = client.sim
        ada, ben = sim.add_phone("Ada", "101"), sim.add_phone("Ben", "102")
        sim.answers = "by hand"
        made = await call_back(client, ["101", "102"])
        assert [one["extension_id"] for one in await client.current_calls()] == [int(ada), int(ben)]
        sim.answer(made.body["call_api_id"])
        assert [one["extension_id"] for one in await client.current_calls()] == [int(ada)]


async def test_who_is_busy_or_hung_up_on_while_it_rings_never_enters() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        sim = client.sim
        sim.add_phone("Ada", "101")
        sim.answers = "busy"
        assert (await call_back(client, ["101"])).status == 201
        assert await client.current_calls() == []
        sim.answers = "never"
        made = (await call_back(client, ["101"])).body["call_api_id"]
        assert (await client.ask("DELETE", f"extension/@101/current_calls/{made}")).status == 204
        assert await client.current_calls() == []
        sim.faults.ignore_commands = True
        assert (await call_back(client, ["101"])).status == 201
        assert sim.truth()[sim.rooms()[0]]["participants"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"dst_num": "300"},
        {"src_num": "101", "dst_num": "300"},
        {"src_num": [], "dst_num": "300"},
        {"src_num": [101], "dst_num": "300"},
        {"src_num": ["300"], "dst_num": "300"},
        {"src_num": ["101"]},
        {"src_num": ["101"], "dst_num": "300", "dst_dtmf": "12 34"},
        {"src_num": ["101"], "dst_num": "300", "caller_id_name": 5},
    ],
)
async def test_a_callback_that_cannot_be_rings_nobody(body: dict[str, Any]) -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        client.sim.add_phone("Ada", "101")
        refused = await client.ask("POST", "extension/@300/callback/", body)
        assert (refused.status, refused.reason) == (400, "validation_error")
        assert (await client.ask("POST", "extension/@999/callback/", body)).status == 404
        assert await client.current_calls() == []


async def test_calls_that_are_over_are_in_the_history() -> None:
    now = [NOW]
    async with telphin(clock=lambda: now[0]) as client:
        sim = client.sim
        room = sim.add_room("Sales", number="300")
        leg = sim.join(room, number=STRANGER)
        now[0] += 90
        sim.leaves(room, leg)
        sim.answers = "busy"
        await call_back(client, [STRANGER])
        path = "client/@me/call_history/"
        body = (await client.ask("GET", path)).body
        assert (body["page"], body["per_page"], body["order"]) == (1, 20, "desc")
        assert [one["result"] for one in body["call_history"]] == ["busy", "answered"]
        [answered] = (await client.ask("GET", path, params={"extension_id": room})).body["call_history"]
        assert (answered["duration"], answered["from_username"], answered["to_username"]) == (90, STRANGER, "300")
        assert f"{room}-{answered['call_uuid']}" == leg
        later = {"start_datetime": "2023-11-14 22:14:00"}
        assert len((await client.ask("GET", path, params=later)).body["call_history"]) == 1
