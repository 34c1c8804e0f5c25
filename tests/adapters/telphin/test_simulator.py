"""The simulated Telphin answers requests as the pages say: tokens, quota, extensions, settings, refusals."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.adapters.telphin.ringme import SECRET, telphin

NOW = 1_700_000_000.0
DEFAULTS = {
    "announce_caller_name": False,
    "enter_sound": None,
    "max_members": None,
    "pin": None,
    "moderator_pin": None,
    "mute_non_moderator": False,
    "music_on_hold_sound": None,
    "record_enabled": False,
}


# Tokens


async def test_an_application_gets_a_token_for_its_id_and_secret() -> None:
    async with telphin() as client:
        reply = await client.sign_in()
        assert reply.status == 200
        assert {**reply.body, "access_token": "…"} == {
            "access_token": "…",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "all",
        }
        client.sim.faults.no_expires_in = True
        assert "expires_in" not in (await client.sign_in()).body


async def test_a_wrong_secret_and_another_way_to_sign_in_are_refused() -> None:
    async with telphin() as client:
        refused = await client.sign_in("wrong")
        assert (refused.status, refused.body) == (401, {"error": "invalid_client"})
        refused = await client.sign_in(client_id="nobody")
        assert (refused.status, refused.body) == (401, {"error": "invalid_client"})
        refused = await client.sign_in(grant_type="password")
        assert (refused.status, refused.body) == (400, {"error": "unsupported_grant_type"})


async def test_a_token_dies_at_its_end_or_before_it() -> None:
    now = [NOW]
    async with telphin(clock=lambda: now[0]) as client:
        assert (await client.ask("GET", "user/")).status == 200
        client.sim.kill_tokens()
        refused = await client.ask("GET", "user/")
        assert (refused.status, refused.body) == (401, {"message": "Unauthorized"})
        client.token = (await client.sign_in()).body["access_token"]
        now[0] += 3600
        assert (await client.ask("GET", "user/")).status == 401
        client.token = ""
        assert (await client.ask("GET", "user/")).status == 401


async def test_a_restart_keeps_tokens_and_rooms() -> None:
    async with telphin() as client:
        room = client.sim.add_room("Sales")
        await client.sim.stop()
        await client.sim.start()
        assert (await client.ask("GET", f"extension/{room}/conference/")).status == 200


# The quota


async def test_every_answer_tells_what_is_left_of_the_hour_in_seconds_and_in_requests() -> None:
    now = [3600 * 400_000 + 3000.0]
    async with telphin(clock=lambda: now[0], quota=3) as client:

        def told(headers: Any) -> list[str]:
            return [headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]

        assert told((await client.ask("GET", "user/")).headers) == ["3", "2", "600"]
        assert told((await client.ask("GET", "nowhere/")).headers) == ["3", "1", "600"]
        assert told((await client.ask("GET", "user/")).headers) == ["3", "0", "600"]
        refused = await client.ask("GET", "user/")
        assert (refused.status, refused.reason) == (429, "rate_limit_exceeded")
        assert told(refused.headers) == ["3", "0", "600"]
        now[0] += 601
        assert told((await client.ask("GET", "user/")).headers) == ["3", "2", "3599"]
        client.token = "worthless"
        assert told((await client.ask("GET", "user/")).headers) == ["3", "2", "3599"]


async def test_other_applications_can_spend_the_quota() -> None:
    async with telphin() as client:
        client.sim.spend_quota(leaving=1)
        assert (await client.ask("GET", "user/")).status == 200
        assert (await client.ask("GET", "user/")).status == 429
        client.sim.restore_quota()
        assert (await client.ask("GET", "user/")).status == 200


# Who may do what


async def test_call_api_reads_and_calls_and_does_not_configure() -> None:
    async with telphin(access="Call API") as client:
        sim = client.sim
        room, phone = sim.add_room("Sales", number="300"), sim.add_phone("Ada", "101")
        for method, path, body in (
            ("POST", "client/@me/extension/", {"name": "301", "type": "conference"}),
            ("PUT", f"client/@me/extension/{room}", {"label": "Other"}),
            ("DELETE", f"client/@me/extension/{room}", None),
            ("PUT", f"extension/{room}/conference/", {"pin": "1234"}),
        ):
            refused = await client.ask(method, path, body)
            assert (refused.status, refused.reason) == (403, "app_access_type_deny")
        assert (await client.ask("GET", f"extension/{room}/conference/")).body == DEFAULTS
        hook = {"url": "http://127.0.0.1:9/x", "event_type": "hangup", "method": "POST"}
        assert (await client.ask("POST", f"extension/{room}/event/", hook)).status == 201
        made = await client.ask("POST", f"extension/{phone}/callback/", {"src_num": ["101"], "dst_num": "300"})
        assert made.status == 201
        gone = await client.ask("DELETE", f"extension/{phone}/current_calls/{made.body['call_api_id']}")
        assert gone.status == 204
        assert [one.partition("/")[0] for one in sim.commands] == [
            "POST client",
            "PUT client",
            "DELETE client",
            "PUT extension",
            "POST extension",
            "DELETE extension",
        ]
        assert list(sim.upkeep) == [f"POST extension/{room}/event/"]


@pytest.mark.parametrize("reason", ["access_denied", "user_blocked", "user_access_type_deny"])
async def test_a_user_can_be_kept_out(reason: Any) -> None:
    async with telphin() as client:
        client.sim.faults.forbidden = reason
        refused = await client.ask("GET", "user/")
        assert (refused.status, refused.reason) == (403, reason)


# Extensions


async def test_the_user_tells_the_client_whom_the_application_acts_for() -> None:
    async with telphin() as client:
        user = (await client.ask("GET", "user/")).body
        assert str(user["client_id"]) == client.sim.client_id
        room = client.sim.add_room("Sales")
        mine = await client.ask("GET", f"client/{user['client_id']}/extension/{room}")
        assert (mine.status, mine.body["client_id"]) == (200, user["client_id"])
        others = await client.ask("GET", f"client/1/extension/{room}")
        assert (others.status, others.reason) == (404, "client_not_found")


async def test_a_room_is_made_blocked_changed_and_removed() -> None:
    async with telphin() as client:
        made = await client.ask("POST", "client/@me/extension/", {"name": "350", "type": "conference"})
        assert made.status == 201
        room = made.body["id"]
        assert isinstance(room, int)
        assert (made.body["type"], made.body["status"]) == ("conference", "blocked")
        assert made.body["name"].endswith("*350")
        assert (await client.ask("GET", "extension/@350/conference/")).body == DEFAULTS
        changed = await client.ask("PUT", f"client/@me/extension/{room}", {"label": "Sales", "status": "active"})
        assert (changed.status, changed.body["label"], changed.body["status"]) == (200, "Sales", "active")
        assert (await client.ask("GET", f"client/@me/extension/{room}")).body == changed.body
        assert (await client.ask("GET", "client/@me/extension/@350")).body == changed.body
        assert client.sim.truth()[str(room)]["label"] == "Sales"
        assert (await client.ask("DELETE", f"client/@me/extension/{room}")).status == 204
        gone = await client.ask("GET", f"client/@me/extension/{room}")
        assert (gone.status, gone.reason) == (404, "extension_not_found")
        assert client.sim.truth() == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "conference"}, 400),
        ({"name": "three hundred", "type": "conference"}, 400),
        ({"name": "99999*300", "type": "conference"}, 400),
        ({"name": "301"}, 400),
        ({"name": "301", "type": "room"}, 400),
        ({"name": "301", "type": "conference", "status": "open"}, 400),
        ({"name": "301", "type": "conference", "label": 5}, 400),
        ({"name": "300", "type": "conference"}, 409),
    ],
)
async def test_an_extension_that_cannot_be_is_not_made(body: dict[str, Any], status: int) -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        refused = await client.ask("POST", "client/@me/extension/", body)
        assert refused.status == status
        assert refused.reason
        assert len(client.sim.truth()) == 1


async def test_an_extension_keeps_its_name_and_its_type() -> None:
    async with telphin() as client:
        room = client.sim.add_room("Sales", number="300")
        path = f"client/@me/extension/{room}"
        whole = (await client.ask("GET", path)).body
        assert (await client.ask("PUT", path, whole | {"label": "Other"})).status == 200
        assert (await client.ask("PUT", path, {"name": "301"})).status == 400
        assert (await client.ask("PUT", path, {"type": "phone"})).status == 400


async def test_extensions_are_listed_by_type_name_and_page() -> None:
    async with telphin() as client:
        sim = client.sim
        rooms = [int(sim.add_room(f"Room {index}")) for index in range(5)]
        sim.add_phone("Ada", "101")

        async def ids(**query: str) -> list[int]:
            reply = await client.ask("GET", "client/@me/extension/", params=query)
            assert reply.status == 200
            return [one["id"] for one in reply.body]

        assert await ids(type="conference") == rooms
        assert await ids(type="conference", page="2", per_page="2") == rooms[2:4]
        assert await ids(type="conference", page="3", per_page="2") == rooms[4:]
        assert await ids(type="conference", page="4", per_page="2") == []
        assert await ids(name="302") == [rooms[2]]
        assert len(await ids()) == 6
        sim.faults.ignore_type_filter = True
        assert len(await ids(type="conference")) == 6
        for query in ({"page": "0"}, {"per_page": "many"}):
            assert (await client.ask("GET", "client/@me/extension/", params=query)).status == 400


async def test_a_page_is_never_larger_than_a_hundred() -> None:
    async with telphin() as client:
        for _ in range(120):
            client.sim.add_room("Room")
        for asked, got in ((None, 20), ("500", 100)):
            query = {} if asked is None else {"per_page": asked}
            assert len((await client.ask("GET", "client/@me/extension/", params=query)).body) == got


# Settings of a room


async def test_settings_that_are_left_out_stay() -> None:
    async with telphin() as client:
        room = client.sim.add_room("Sales")
        path = f"extension/{room}/conference/"
        changed = await client.ask("PUT", path, {"pin": "1234", "moderator_pin": "4321", "max_members": 10})
        assert changed.status == 200
        expected = DEFAULTS | {"pin": "1234", "moderator_pin": "4321", "max_members": 10}
        assert changed.body == expected
        changed = await client.ask("PUT", path, {"max_members": None, "record_enabled": True, "enter_sound": 7})
        expected |= {"max_members": None, "record_enabled": True, "enter_sound": 7}
        assert changed.body == (await client.ask("GET", path)).body == expected


@pytest.mark.parametrize(
    "body",
    [
        {"moderator_pin": "4321"},
        {"max_members": 0},
        {"max_members": 101},
        {"max_members": True},
        {"pin": 1234},
        {"pin": ""},
        {"pin": "12a4"},
        {"record_enabled": "yes"},
        {"announce_caller_name": None},
        {"enter_sound": "7"},
        {"music_on_hold_sound": 1.5},
        [],
    ],
)
async def test_settings_that_cannot_be_change_nothing(body: Any) -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        refused = await client.ask("PUT", "extension/@300/conference/", body)
        assert (refused.status, refused.reason) == (400, "validation_error")
        assert (await client.ask("GET", "extension/@300/conference/")).body == DEFAULTS


async def test_the_pin_of_participants_cannot_be_taken_away_from_under_the_moderators() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300", pin="1234", moderator_pin="4321")) as client:
        path = "extension/@300/conference/"
        assert (await client.ask("PUT", path, {"pin": None})).status == 400
        assert (await client.ask("PUT", path, {"pin": None, "moderator_pin": None})).body == DEFAULTS


async def test_only_a_conference_has_settings_of_a_conference() -> None:
    async with telphin(lambda sim: sim.add_phone("Ada", "101")) as client:
        for method in ("GET", "PUT"):
            for which in ("@101", "@999", "1", "@{VAR}", "²"):
                body: dict[str, Any] | None = {} if method == "PUT" else None
                assert (await client.ask(method, f"extension/{which}/conference/", body)).status == 404


# Faults of the wire


async def test_requests_fail_as_they_are_told_to() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        path, faults = "extension/@300/conference/", client.sim.faults
        faults.fail_next = 500
        assert (await client.ask("GET", path)).status == 200
        assert (await client.ask("PUT", path, {"pin": "1"})).status == 500
        assert (await client.ask("PUT", path, {"pin": "2"})).body["pin"] == "2"
        faults.ignore_commands = True
        assert (await client.ask("PUT", path, {"pin": "3"})).body["pin"] == "3"
        assert (await client.ask("GET", path)).body["pin"] == "2"
        faults.ignore_commands = False
        faults.fail_upkeep = 503
        assert (await client.ask("GET", "extension/@300/event/")).status == 503
        faults.http_status = 502
        assert (await client.ask("GET", path)).status == (await client.sign_in()).status == 502


async def test_what_was_done_may_never_be_answered() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        path, sim = "extension/@300/conference/", client.sim
        sim.faults.swallow_answers = True
        asking = asyncio.create_task(client.ask("PUT", path, {"pin": "1234"}))
        await sim.until(lambda: "1234" in sim.secrets)
        assert (await client.ask("GET", path)).body["pin"] == "1234"
        assert not asking.done()
        asking.cancel()
        await asyncio.wait({asking})
        sim.faults.hang = True
        with pytest.raises(TimeoutError):
            await client.ask("GET", path, timeout=aiohttp.ClientTimeout(total=0.05))
        sim.faults.hang = sim.faults.swallow_answers = False
        assert (await client.ask("GET", path)).status == 200


async def test_what_is_nowhere_and_what_is_no_json_is_refused() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        assert (await client.ask("GET", "nowhere/")).body == {"message": "Not Found"}
        assert (await client.ask("PATCH", "extension/@300/conference/")).status == 404
        refused = await client.ask("PUT", "extension/@300/conference/", data=b"{")
        assert (refused.status, refused.reason) == (400, "validation_error")


async def test_answers_are_compressed_for_whoever_accepts_that() -> None:
    async with telphin(lambda sim: sim.add_room("Sales" * 200)) as client:
        for accepted, got in (("gzip", "gzip"), ("identity", None)):
            headers = {"Accept-Encoding": accepted, "Authorization": f"Bearer {client.token}"}
            url = f"{client.sim.url}/api/ver1.0/client/@me/extension/"
            async with client.http.get(url, headers=headers) as response:
                assert len(await response.json()) == 1
                assert response.headers.get("Content-Encoding") == got


async def test_secrets_are_known_to_tests_that_look_for_them() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", pin="1234", moderator_pin="4321")) as client:
        assert set(client.sim.secrets) == {SECRET, client.token, "1234", "4321"}
