"""Conference documents and actions of the simulated Crossbar, and the answers that mean nothing."""

from typing import Any

import pytest

from adapters.kazoo.simulator import EVERYBODY, Command, Generation, JoinRefusedError
from tests.adapters.kazoo.kazoo_client import kazoo


async def test_pages_follow_their_opaque_keys_in_both_directions() -> None:
    async with kazoo() as client:
        ids = sorted(client.sim.add_room(f"Room {n}") for n in range(120))
        seen: list[str] = []
        query = {"page_size": "50"}
        while True:
            reply = await client.call("GET", client.rooms, params=query)
            seen += [item["id"] for item in reply.data]
            assert reply.body["page_size"] == len(reply.data)
            if "next_start_key" not in reply.body:
                break
            query["start_key"] = reply.body["next_start_key"]
        assert seen == ids[::-1]
        assert len((await client.call("GET", client.rooms)).data) == 50
        everything = await client.call("GET", client.rooms, params={"paginate": "false", "ascending": "true"})
        assert [item["id"] for item in everything.data] == ids
        assert not {"page_size", "start_key", "next_start_key"} & set(everything.body)
        client.sim.faults.max_listing = 100
        assert (await client.call("GET", client.rooms, params={"paginate": "false"})).status == 416
        assert (await client.call("GET", client.rooms, params={"page_size": "0"})).status == 400


async def test_filters_narrow_the_list() -> None:
    async with kazoo() as client:
        client.sim.add_room("One", fields={"owner_id": "a" * 32, "play_name": True})
        client.sim.add_room("Two", numbers=["600"])

        async def names(**query: str) -> list[str]:
            return [item["name"] for item in (await client.call("GET", client.rooms, params=query)).data]

        assert await names(filter_owner_id="a" * 32) == ["One"]
        assert await names(filter_not_owner_id="a" * 32) == ["Two"]
        assert await names(filter_play_name="true") == ["One"]
        assert await names(has_value="conference_numbers") == ["Two"]
        assert await names(key_missing="language", **{"filter_member.join_muted": "true"}, filter_name="One") == ["One"]
        assert await names(created_from="99999999999") == []


async def test_a_document_is_created_with_defaults_replaced_patched_and_deleted() -> None:
    async with kazoo() as client:
        made = await client.call("PUT", client.rooms, {"data": {"name": "Sales", "language": "en-us", "mine": 1}})
        room = made.data["id"]
        assert (made.status, made.headers["Location"]) == (201, room)
        assert made.data["member"]["join_muted"] is True
        assert made.data["mine"] == 1
        change = {"language": None, "member": {"pins": ["1234"]}, "conference_numbers": ["600"]}
        patched = await client.call("PATCH", f"{client.rooms}/{room}", {"data": change})
        assert "language" not in patched.data
        assert patched.data["member"] == {"join_deaf": False, "join_muted": True, "numbers": [], "pins": ["1234"]}
        replaced = await client.call("POST", f"{client.rooms}/{room}", {"data": {"name": "Sales 2"}})
        assert (replaced.data["conference_numbers"], replaced.data["member"]["pins"]) == ([], [])
        assert replaced.body["revision"].startswith("3-")
        client.sim.someone_joins(room)
        gone = await client.call("DELETE", f"{client.rooms}/{room}")
        assert gone.data["_read_only"]["deleted"] is True
        assert client.sim.truth()[room]["active"] is True
        assert (await client.call("PATCH", f"{client.rooms}/{room}", {"data": {}})).status == 404


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"name": ""}, "name", "minLength"),
        ({"name": "x" * 129}, "name", "maxLength"),
        ({"name": 7}, "name", "type"),
        ({"owner_id": "short"}, "owner_id", "minLength"),
        ({"conference_numbers": ["6a"]}, "conference_numbers.0", "pattern"),
        ({"member": {"pins": ["1", "1"]}}, "member.pins", "uniqueItems"),
        ({"moderator": {"join_muted": "yes"}}, "moderator.join_muted", "type"),
        ({"max_participants": True}, "max_participants", "type"),
        ({"moderator": {"numbers": ["600"]}}, "numbers", "unique"),
    ],
)
async def test_a_document_the_schema_refuses_names_field_and_code(fields: Any, path: str, code: str) -> None:
    async with kazoo() as client:
        client.sim.add_room("Other", numbers=["600"])
        reply = await client.call("PUT", client.rooms, {"data": {"name": "Sales"} | fields})
        assert (reply.status, reply.body["message"]) == (400, "validation error")
        assert code in reply.data[path]


async def test_kazoo_5_wants_a_name_of_its_own() -> None:
    async with kazoo(Generation.K5) as client:
        client.sim.add_room("Sales")
        assert "required" in (await client.call("PUT", client.rooms, {"data": {}})).data["name"]
        assert "unique" in (await client.call("PUT", client.rooms, {"data": {"name": "Sales"}})).data["name"]
        shown = await client.call("GET", client.rooms, params={"fields": '["name"]'})
        assert set(shown.data[0]) == {"id", "name", "_read_only"}
        assert "play_name" in (await client.call("GET", client.rooms, params={"full_docs": "true"})).data[0]
    async with kazoo() as client:
        assert (await client.call("PUT", client.rooms, {"data": {}})).status == 201


async def test_one_participant_is_commanded_by_number_and_both_body_forms_work() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        call_id = client.sim.someone_joins(room)
        assert client.sim.truth()[room]["participants"][call_id]["muted"] is True
        path = f"{room}/participants/{client.sim.participant_id(room, call_id)}"
        assert (await client.act(path, "unmute")).data == "ok"
        assert client.sim.truth()[room]["participants"][call_id]["muted"] is False
        reply = await client.call("PUT", f"{client.rooms}/{path}", {"action": "deaf"})
        assert (reply.status, reply.data) == (201, "ok")
        assert (await client.call("PUT", f"{client.rooms}/{path}?action=mute", {})).data == "ok"
        state = client.sim.truth()[room]["participants"][call_id]
        assert (state["muted"], state["deafened"]) == (True, True)
        assert (await client.call("GET", f"{client.rooms}/{path}")).data["call_id"] == call_id
        assert client.sim.commands[0] == Command("unmute", room, client.sim.participant_id(room, call_id), {})


async def test_kazoo_says_ok_to_nonsense() -> None:
    async with kazoo() as client:
        room = client.sim.add_room("Sales")
        assert (await client.act(room, "lock")).data == "ok"
        assert (await client.act(f"{room}/participants/77", "kick")).data == "ok"
        assert (await client.act(room, "play", media_id="no such media")).data == "ok"
        assert client.sim.truth()[room]["active"] is False
        assert (await client.call("GET", f"{client.rooms}/{room}/participants/77")).data == {}
        for path, action in ((f"{room}/participants/7", "dance"), (f"{room}/participants/abc", "mute")):
            swallowed = await client.act(path, action)
            assert (swallowed.body["status"], swallowed.data["name"]) == ("success", "Sales")
        assert (await client.act(f"{room}/participants/7", None)).data["name"] == "Sales"


async def test_bulk_mute_spares_moderators_and_answers_the_document_as_it_was() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        boss = client.sim.someone_joins(room, moderator=True)
        ann = client.sim.someone_joins(room, muted=False)
        reply = await client.act(f"{room}/participants", "mute")
        people = client.sim.truth()[room]["participants"]
        assert (people[boss]["muted"], people[ann]["muted"]) == (False, True)
        shown = {one["call_id"]: one["conference_channel_vars"] for one in reply.data["_read_only"]["participants"]}
        assert shown[ann]["speak"] is True
        assert client.sim.commands[-1].target == EVERYBODY
        await client.act(f"{room}/participants", "kick")
        assert client.sim.truth()[room]["active"] is False


async def test_the_lock_keeps_people_out_and_vanishes_when_the_room_empties() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        call_id = client.sim.someone_joins(room)
        await client.act(room, "lock")
        assert (await client.room(room)).data["_read_only"]["is_locked"] is True
        with pytest.raises(JoinRefusedError):
            client.sim.someone_joins(room)
        client.sim.someone_leaves(room, call_id)
        client.sim.someone_joins(room)
        assert client.sim.truth()[room]["locked"] is False


async def test_the_limit_of_a_room_counts_as_it_stood_when_the_run_began() -> None:
    async with kazoo() as client:
        room = client.sim.add_room(fields={"max_participants": 2})
        client.sim.someone_joins(room)
        await client.call("PATCH", f"{client.rooms}/{room}", {"data": {"max_participants": 5}})
        client.sim.someone_joins(room)
        with pytest.raises(JoinRefusedError):
            client.sim.someone_joins(room)


@pytest.mark.parametrize(
    ("generation", "master", "action", "status"),
    [
        (Generation.K4_0, False, "play", 404),
        (Generation.K4_2, False, "play", 400),
        (Generation.K4_2, False, "record", 404),
        (Generation.K4_2, True, "record", 400),
        (Generation.K4_3, False, "record", 404),
        (Generation.K5, False, "record", 400),
        (Generation.K5, False, "vars", 200),
        (Generation.K4_3, False, "vars", 404),
        (Generation.K4_3, False, None, 404),
    ],
)
async def test_which_actions_on_a_room_exist(generation: Generation, master: bool, action: str, status: int) -> None:
    async with kazoo(generation, master=master) as client:
        reply = await client.act(client.sim.add_room("Sales"), action)
        assert reply.status == status
        assert reply.body.get("message") == {404: "faulty_request", 400: "validation error"}.get(status)


async def test_kazoo_5_lists_the_actions_it_knows() -> None:
    async with kazoo(Generation.K5) as client:
        room = client.sim.add_room("Sales")
        reply = await client.act(room, "dance")
        assert (reply.status, reply.data["action"]["enum"]["value"]) == (400, "dance")
        assert (await client.act(f"{room}/participants", "dance")).body["message"] == "faulty_request"
        assert (await client.act(room, "lock")).status == 200
        assert (await client.act(f"{room}/email_invite", None)).data == "request accepted"


async def test_record_promises_and_never_starts() -> None:
    async with kazoo(Generation.K5) as client:
        room = client.sim.add_room("Sales")
        assert (await client.act(room, "record", action="start")).data == "starting recording"
        assert "enum" in (await client.act(room, "record", action="pause")).data["data.action"]


async def test_relate_wants_both_participants_present() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        one, two = (client.sim.participant_id(room, client.sim.someone_joins(room)) for _ in range(2))
        related = await client.act(f"{room}/participants", "relate", participant_id=one, other_participant=str(two))
        assert related.data == "relating participants"
        absent = await client.act(f"{room}/participants", "relate", participant_id=one, other_participant=99)
        assert (absent.status, absent.data["id"]) == (404, 99)


async def test_dial_starts_an_idle_room_and_its_legs_join() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        client.sim.add_endpoint("d" * 32, "Ann's phone", "1001", client.sim.owner_id)
        reply = await client.act(
            room, "dial", endpoints=["d" * 32, "sip:bob@example.com"], participant_flags=["is_moderator", "mute"]
        )
        legs = reply.data["endpoint_responses"]
        people = client.sim.truth()[room]["participants"]
        assert [leg["call_id"] for leg in legs] == list(people)
        assert all(one["moderator"] and one["muted"] for one in people.values())
        assert [one["name"] for one in people.values()] == ["Ann's phone", "sip:bob@example.com"]


async def test_dial_fails_inside_a_success() -> None:
    async with kazoo() as client:
        room = client.sim.add_room()
        client.sim.faults.dial = "leg_error"
        leg = (await client.act(room, "dial", endpoints=["1001"])).data["endpoint_responses"][0]
        assert (leg["status"], leg["message"], leg["call_id"]) == ("error", "NO_ANSWER", None)
        for fault in ("timeout", "no_media_server"):
            client.sim.faults.dial = fault
            reply = await client.act(room, "dial", endpoints=["1001"])
            assert (reply.body["status"], reply.data["status"]) == ("success", "error")
        wrong = await client.act(room, "dial", endpoints=["1001", "a" * 32], timeout=0)
        assert (wrong.status, set(wrong.data)) == (400, {"data.endpoints.2", "data.timeout"})
        assert "minItems" in (await client.act(room, "dial", endpoints=[])).data["data.endpoints"]
