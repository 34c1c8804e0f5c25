"""The simulated xuc signs users on, keeps their sockets and refuses who is not good, as the protocol sheet says."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.xivo.simulator import XivoSimulator
from adapters.xivo.simulator.shapes import decoded
from tests.adapters.xivo.xuc_client import EARLY, payload, xuc

ROOM = "4000"


async def test_a_user_logs_in_and_gets_a_token_with_its_life_in_seconds() -> None:
    async with xuc(token_life_s=60) as client:
        reply = await client.login("ada")
        assert (reply.status, set(reply.body)) == (200, {"login", "token", "TTL"})
        assert (reply.body["login"], reply.body["TTL"]) == ("ada", 60)
        assert reply.body["token"] != (await client.login("ada")).body["token"]


@pytest.mark.parametrize(("ttl", "written"), [("text", "60"), ("absent", None)])
async def test_the_life_of_a_token_can_be_written_otherwise(ttl: Any, written: str | None) -> None:
    async with xuc(token_life_s=60) as client:
        client.sim.faults.ttl = ttl
        assert (await client.login("ada")).body.get("TTL") == written


async def test_a_wrong_password_an_unknown_user_and_a_broken_body_are_refused() -> None:
    async with xuc() as client:
        for login in ("ada", "nobody"):
            reply = await client.login(login, "wrong")
            assert (reply.status, reply.body["error"], set(reply.body)) == (
                401,
                "InvalidCredentials",
                {"error", "message"},
            )
        for broken in (b"{", b"[]", b"{}", b'{"login":"ada","password":1}', b"\xff"):
            async with client.http.post(f"{client.base}/auth/login", data=broken) as response:
                assert (response.status, (await response.json())["error"]) == (400, "InvalidJson")


async def test_a_check_gives_a_new_token_and_the_old_one_stays_good() -> None:
    async with xuc() as client:
        old = await client.token("ada")
        checked = await client.check(old)
        assert (checked.status, checked.body["login"]) == (200, "ada")
        assert checked.body["token"] != old
        assert (await client.check(old)).status == 200
        async with client.socket("ada", checked.body["token"]) as phone:
            assert (await phone.next())["msgType"] == "LoggedOn"


async def test_an_expired_token_is_refused_at_both_doors_and_so_is_an_unknown_one() -> None:
    now = [1_700_000_000.0]
    async with xuc(token_life_s=60, clock=lambda: now[0]) as client:
        token = await client.token("ada")
        now[0] += 61
        for bad, code in ((token, "TokenExpired"), ("made-up", "InvalidToken")):
            reply = await client.check(bad)
            assert (reply.status, reply.body["error"]) == (401, code)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with client.socket("ada", bad):
                    pass
            assert refused.value.status == 403


async def test_tokens_made_worthless_leave_open_sockets_open() -> None:
    async with xuc() as client, client.phone("ada") as phone:
        token = await client.token("ada")
        client.sim.expire_tokens()
        assert (await client.check(token)).body["error"] == "TokenExpired"
        assert await phone.rooms()


async def test_logged_on_comes_first_and_the_other_early_messages_in_any_order() -> None:
    orders = set()
    for seed in range(8):
        async with xuc(seed=seed) as client, client.socket("ada") as phone:
            kinds = [frame["msgType"] for frame in await phone.so_far()]
            assert kinds[0] == "LoggedOn"
            assert set(kinds[1:]) == EARLY
            orders.add(tuple(kinds))
    assert len(orders) > 1


async def test_a_ping_comes_back_as_it_was_sent() -> None:
    async with xuc() as client, client.phone("ada") as phone:
        await phone.send({"claz": "ping"})
        assert await phone.next() == {"claz": "ping"}


async def test_a_client_that_says_nothing_is_dropped_without_a_close_frame() -> None:
    async with xuc(silence_s=0.05) as client, client.socket("ada") as phone:
        assert await phone.over() is None
        await client.sim.until(lambda: client.sim.logins == [])


async def test_a_client_that_pings_is_kept() -> None:
    async with xuc(silence_s=0.5) as client, client.socket("ada") as phone:
        loop = asyncio.get_running_loop()
        until = loop.time() + 0.8
        while loop.time() < until:
            await phone.so_far()
        assert client.sim.logins == ["ada"]


async def test_what_is_no_command_gets_the_generic_error() -> None:
    async with xuc() as client, client.phone("ada") as phone:
        for frame in ({"claz": "web", "command": "teleport"}, {"claz": "web"}, {"claz": "other"}, {}):
            await phone.send(frame)
            [answer] = await phone.told()
            assert set(payload(answer, "Error")) == {"Error"}
        for text in ("{", "[]", "ping"):
            await phone.socket.send_str(text)
            assert (await phone.next())["msgType"] == "Error"


async def test_the_line_is_told_with_its_secret_and_a_dash_says_that_there_is_none() -> None:
    async with xuc() as client:
        for login, has_line in (("ada", True), ("web", False)):
            async with client.phone(login) as phone:
                [frame] = await phone.do("getConfig", objectType="line")
                line = payload(frame, "LineConfig")
                assert (line["id"] != "-", "password" in line) == (has_line, has_line)


async def test_a_user_without_a_line_gets_no_list_and_no_pushes() -> None:
    async with xuc() as client, client.phone("web") as phone:
        [frame] = await phone.do("getList", objectType="meetme")
        assert frame["msgType"] == "Error"
        client.sim.someone_joins(ROOM)
        assert await phone.told() == []


async def test_the_list_is_pushed_only_to_who_has_asked_for_it() -> None:
    async with xuc() as client, client.phone("ada") as asking, client.phone("ben") as silent:
        empty, support = await asking.rooms()
        assert empty == {"number": ROOM, "name": "open", "pinRequired": False, "startTime": 0, "members": []}
        assert (support["number"], support["pinRequired"]) == ("4001", True)
        assert client.sim.subscribed == ["ada"]
        seat = client.sim.someone_joins(ROOM, "Eve", "0199000101")
        [pushed] = await asking.told()
        assert payload(pushed, "ConferenceList")[0]["members"] == [
            {"joinOrder": 1, "joinTime": seat.join_ms, "muted": False, "name": "Eve", "number": "0199000101"}
        ]
        assert await silent.told() == []


async def test_reads_are_kept_apart_from_commands() -> None:
    async with xuc() as client, client.phone("ada") as phone:
        await phone.rooms()
        await phone.do("getConfig", objectType="line")
        await phone.do("getCurrentCallsPhoneEvents")
        await phone.do("conferenceMuteMe", numConf=ROOM)
        assert [one.frame["command"] for one in client.sim.reads] == [
            "getList",
            "getConfig",
            "getCurrentCallsPhoneEvents",
        ]
        assert [(one.login, one.frame) for one in client.sim.commands] == [
            ("ada", {"claz": "web", "command": "conferenceMuteMe", "numConf": ROOM})
        ]


async def test_a_refused_sign_on_is_told_and_the_socket_closed() -> None:
    async with xuc() as client:
        client.sim.faults.logged_on = "error"
        async with client.socket("ada") as phone:
            assert payload(await phone.next(), "LoggedOnError") == {"Error": "loggedOnFailed"}
            assert await phone.over() == 1000


async def test_without_logged_on_pings_are_answered_and_commands_lost() -> None:
    async with xuc() as client:
        client.sim.faults.logged_on = "silent"
        async with client.socket("ada") as phone:
            await phone.web("getList", objectType="meetme")
            await phone.web("conferenceMuteMe", numConf=ROOM)
            client.sim.someone_joins(ROOM, login="ada")
            assert await phone.so_far() == []
        assert not client.sim.commands
        assert not client.sim.reads


@pytest.mark.parametrize("double_login", ["allow", "kick_first"])
async def test_a_second_login_stands_beside_the_first_or_ends_it(double_login: Any) -> None:
    async with xuc() as client, client.phone("ada") as first, client.phone("ben"):
        client.sim.faults.double_login = double_login
        async with client.phone("ada") as second:
            if double_login == "allow":
                assert await first.rooms()
            else:
                assert await first.over() == 1000
            assert await second.rooms()
            assert client.sim.logins.count("ada") == (2 if double_login == "allow" else 1)
            assert client.sim.logins.count("ben") == 1


async def test_every_request_fails_or_none_is_answered() -> None:
    async with xuc() as client:
        token = await client.token("ada")
        client.sim.faults.http_status = 503
        assert (await client.login("ada")).status == 503
        reply = await client.check(token)
        assert (reply.status, reply.body["error"]) == (503, "UnhandledError")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with client.socket("ada", token):
                pass
        assert refused.value.status == 503
        client.sim.faults.http_status = None
        client.sim.faults.hang = True
        for answer in (client.login("ada"), client.check(token), client.socket("ada", token).__aenter__()):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await answer


async def test_a_link_is_cut_without_a_word_or_closed_with_a_code() -> None:
    async with xuc() as client, client.phone("ada") as ada, client.phone("ben") as ben, client.phone("cleo") as cleo:
        client.sim.drop_link("ada")
        assert await ada.over() is None
        client.sim.close_session("ben", 4003)
        assert await ben.over() == 4003
        assert client.sim.logins == ["cleo"]
        client.sim.drop_link()
        assert await cleo.over() is None


async def test_a_mute_server_sends_nothing_and_keeps_the_socket() -> None:
    async with xuc() as client, client.phone("ada") as phone:
        client.sim.faults.mute_pings = True
        await phone.send({"claz": "ping"})
        await phone.web("conferenceMuteMe", numConf=ROOM)
        await client.sim.until(lambda: len(client.sim.commands) == 1)
        client.sim.faults.mute_pings = False
        assert await phone.so_far() == []
        assert client.sim.logins == ["ada"]


async def test_bytes_go_out_as_they_are_and_the_transcript_has_every_frame() -> None:
    async with xuc() as client, client.phone("ada") as ada, client.phone("ben") as ben:
        client.sim.send_raw(b'{"msgType":', "ada")
        client.sim.send_raw("[1]")
        assert await ada.socket.receive_str(timeout=5) == '{"msgType":'
        assert await ada.socket.receive_str(timeout=5) == "[1]"
        assert await ben.socket.receive_str(timeout=5) == "[1]"
        assert list(client.sim.frames_sent)[-3:] == [("ada", '{"msgType":'), ("ada", "[1]"), ("ben", "[1]")]


async def test_it_starts_again_at_the_same_port_with_rooms_people_and_tokens() -> None:
    async with xuc() as client:
        token, port = await client.token("ada"), client.sim.port
        client.sim.someone_joins(ROOM, login="ada")
        before = client.sim.truth()
        async with client.phone("ben") as phone:
            await client.sim.stop()
            assert await phone.over() == 1012
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.login("ada")
        await client.sim.start()
        assert (client.sim.port, client.sim.truth()) == (port, before)
        assert (await client.check(token)).status == 200


async def test_a_condition_that_does_not_come_true_is_waited_for_in_vain() -> None:
    with pytest.raises(TimeoutError):
        await XivoSimulator().until(lambda: False, timeout_s=0.01)


def test_secrets_are_in_no_repr() -> None:
    sim = XivoSimulator()
    user = sim.add_user("ada", "pw-ada", number="1002")
    sim.add_room("4000", "open", pin="1234", organizer_pin="9876")
    shown = f"{user!r} {sim._rooms.by_number!r}"
    assert not any(secret in shown for secret in ("pw-ada", "1234", "9876"))
    assert decoded("[") is None
