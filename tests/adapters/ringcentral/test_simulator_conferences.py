"""The simulated RingCentral makes, fills and ends conferences, with the traps of the protocol sheet."""

from typing import Any

import pytest

from adapters.ringcentral.simulator.failures import ApiError
from tests.adapters.ringcentral.call_control import Client, ringcentral

NOW = 1_700_000_000.0


async def test_a_new_conference_is_wrapped_has_no_parties_and_names_its_token() -> None:
    async with ringcentral() as client:
        created = (await client.call("POST", "conference", {})).body
        assert list(created) == ["session"]
        session = created["session"]
        assert (session["origin"], session["parties"]) == ({"type": "Conference"}, [])
        assert bytes.fromhex(session["voiceCallToken"].removeprefix("conf_")).startswith(session["id"].encode())
        assert (await client.call("GET", f"sessions/{session['id']}")).body == session


async def test_a_conference_waits_38_seconds_for_its_host() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        hosted, alone = await client.conference(), await client.conference(hosted=False)
        now[0] += 37.9
        client.sim.timers.run_due()
        assert client.sim.conferences() == [hosted, alone]
        now[0] += 0.2
        client.sim.timers.run_due()
        assert client.sim.conferences() == [hosted]
        gone = await client.call("GET", f"sessions/{alone}")
        assert (gone.status, gone.code) == (404, "CMN-102")


async def test_the_wait_for_the_host_ends_by_itself() -> None:
    async with ringcentral(host_wait_s=0.05) as client:
        conference = await client.conference(hosted=False)
        await client.sim.until(lambda: client.sim.conferences() == [])
        assert (await client.call("GET", f"sessions/{conference}")).status == 404


async def test_nobody_can_be_brought_in_before_the_host_is_up() -> None:
    async with ringcentral() as client:
        conference, call = await client.conference(hosted=False), client.sim.make_call(client.ada)
        refused = await client.bring_in(conference, call)
        assert (refused.status, refused.code) == (403, "TAS-106")
        client.sim.host_dials(conference)
        assert (await client.bring_in(conference, call)).status == 201


@pytest.mark.parametrize("key", ["sessionId", "telephonySessionId"])
async def test_a_leg_brought_in_is_in_setup_then_gone_and_says_whose_it_is_by_its_peer_alone(key: str) -> None:
    async with ringcentral() as client:
        conference, call = await client.conference(), client.sim.make_call(client.ada)
        own = client.sim.own_party_id(call)
        body = {key: call, "partyId": own}
        reply = await client.call("POST", f"sessions/{conference}/parties/bring-in", body)
        party = reply.body
        assert (reply.status, party["id"], party["status"]) == (201, f"p{conference[1:]}-2", {"code": "Setup"})
        assert (party["conferenceRole"], party["direction"]) == ("Participant", "Inbound")
        assert not {"accountId", "extensionId", "owner"} & set(party)
        assert party["from"]["phoneNumber"] == client.ada.phone_number
        read = (await client.call("GET", f"sessions/{conference}/parties/{party['id']}")).body
        assert read["status"] == {"code": "Gone", "peerId": {"partyId": own, "sessionId": call}}
        merged = (await client.call("GET", f"sessions/{call}/parties/{own}")).body
        assert (merged["status"]["code"], merged["status"]["reason"]) == ("Gone", "Conference")
        assert merged["status"]["peerId"] == {"partyId": party["id"], "sessionId": conference}
        assert merged["to"]["phoneNumber"] == "+12025550100"


async def test_the_host_has_an_owner_and_is_answered() -> None:
    async with ringcentral() as client:
        [host] = (await client.call("GET", f"sessions/{await client.conference()}")).body["parties"]
        assert (host["conferenceRole"], host["status"]) == ("Host", {"code": "Answered"})
        assert host["owner"] == {"accountId": client.sim.account_id, "extensionId": client.ada.extension_id}
        assert host["to"] == {"name": "Conference", "phoneNumber": "conference"}


async def test_only_the_own_leg_of_a_call_that_is_up_can_be_brought_into_a_conference_once() -> None:
    async with ringcentral() as client:
        conference, call = await client.conference(), client.sim.make_call(client.ada)
        other = f"p{call[1:]}-2"
        ringing = client.sim.make_call(client.ada, answered=False)
        refusals = [
            (await client.bring_in(conference, call, other), 403),
            (await client.bring_in(call, call), 403),
            (await client.bring_in(conference, ringing), 409),
            (await client.bring_in(conference, call, "p-none-1"), 404),
            (await client.bring_in(conference, "s-none", other), 404),
            (await client.bring_in("s-none", call), 404),
            (await client.call("POST", f"sessions/{conference}/parties/bring-in", {"partyId": other}), 400),
            (await client.call("POST", f"sessions/{conference}/parties/bring-in", {"sessionId": call}), 400),
        ]
        assert [reply.status for reply, _ in refusals] == [status for _, status in refusals]
        assert (await client.bring_in(conference, call)).status == 201
        assert (await client.bring_in(conference, call)).status == 409
        assert await client.legs(conference) == {"1": "Answered", "2": "Gone"}


async def test_a_conference_takes_ten_with_its_host_and_a_place_becomes_free_again() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        legs = [(await client.brought_in(conference))[1] for _ in range(9)]
        call = client.sim.make_call(client.ada)
        assert (await client.bring_in(conference, call)).status == 409
        assert client.sim.takes_more() == []
        assert (await client.call("DELETE", f"sessions/{conference}/parties/{legs[0]}")).status == 204
        again = await client.bring_in(conference, call)
        assert (again.status, again.body["id"]) == (201, f"p{conference[1:]}-11")


# How one leaves, and how it ends


async def leg_deleted(client: Client, conference: str, call: str, leg: str) -> None:
    assert (await client.call("DELETE", f"sessions/{conference}/parties/{leg}")).status == 204


async def own_leg_deleted(client: Client, conference: str, call: str, leg: str) -> None:
    assert (await client.call("DELETE", f"sessions/{call}/parties/{client.sim.own_party_id(call)}")).status == 204


async def call_deleted(client: Client, conference: str, call: str, leg: str) -> None:
    assert (await client.call("DELETE", f"sessions/{call}")).status == 204


async def hung_up(client: Client, conference: str, call: str, leg: str) -> None:
    client.sim.remote_hangs_up(call)


@pytest.mark.parametrize("leave", [leg_deleted, own_leg_deleted, call_deleted, hung_up])
async def test_a_participant_leaves_and_the_leg_stays_in_the_list_as_disconnected(leave: Any) -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        call, leg = await client.brought_in(conference)
        await leave(client, conference, call, leg)
        assert await client.legs(conference) == {"1": "Answered", "2": "Disconnected"}
        assert (await client.call("GET", f"sessions/{call}")).status == 404
        assert (await client.call("DELETE", f"sessions/{conference}/parties/{leg}")).status == 404
        assert list(client.sim.truth()[conference]["participants"]) == [f"p{conference[1:]}-1"]


async def host_hung_up(client: Client, conference: str) -> None:
    client.sim.host_hangs_up(conference)


async def host_deleted(client: Client, conference: str) -> None:
    assert (await client.call("DELETE", f"sessions/{conference}/parties/p{conference[1:]}-1")).status == 204


async def conference_deleted(client: Client, conference: str) -> None:
    assert (await client.call("DELETE", f"sessions/{conference}")).status == 204


@pytest.mark.parametrize("end", [host_hung_up, host_deleted, conference_deleted])
async def test_a_conference_ends_with_its_host_and_is_not_found_after_that(end: Any) -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        await client.brought_in(conference)
        await end(client, conference)
        assert client.sim.conferences() == client.sim.calls() == []
        for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", f"/parties/p{conference[1:]}-2")):
            assert (await client.call(method, f"sessions/{conference}{path}")).status == 404


async def test_the_host_may_leave_a_conference_to_the_others_until_the_last_of_them_goes() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        call, leg = await client.brought_in(conference)
        host = f"p{conference[1:]}-1"
        kept = {"keepConferenceAlive": True}
        assert (await client.call("DELETE", f"sessions/{conference}/parties/{host}", kept)).status == 204
        assert await client.legs(conference) == {"1": "Disconnected", "2": "Gone"}
        assert (client.sim.truth()[conference]["active"], client.sim.calls()) == (False, [call])
        assert (await client.bring_in(conference, client.sim.make_call(client.ada))).status == 403
        assert client.sim.host_dials(conference) == f"p{conference[1:]}-3"
        client.sim.host_leaves(conference)
        await leg_deleted(client, conference, call, leg)
        assert client.sim.conferences() == []


async def test_a_conference_with_its_host_alone_goes_on() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        call, _ = await client.brought_in(conference)
        client.sim.remote_hangs_up(call)
        assert client.sim.truth()[conference]["active"]


# Muting, holding, recording


@pytest.mark.parametrize("wrapped", [False, True])
async def test_legs_are_muted_by_a_flat_body_or_a_wrapped_one(wrapped: bool) -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        _, leg = await client.brought_in(conference)
        for one in (leg, f"p{conference[1:]}-1"):
            for muted in (True, True, False):
                body: Any = {"muted": muted}
                reply = await client.call(
                    "PATCH", f"sessions/{conference}/parties/{one}", {"party": body} if wrapped else body
                )
                assert (reply.status, reply.body["muted"]) == (200, muted)
                assert client.sim.truth()[conference]["participants"][one]["muted"] is muted


async def test_the_switch_of_the_phone_is_another_and_both_must_be_off() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        _, leg = await client.brought_in(conference)
        client.sim.mute_by_phone(conference, leg, True)
        reply = await client.call("PATCH", f"sessions/{conference}/parties/{leg}", {"muted": False})
        assert reply.body["muted"] is False
        assert not client.sim.truth()[conference]["participants"][leg]["audible"]
        client.sim.mute_by_phone(conference, leg, False)
        assert client.sim.truth()[conference]["participants"][leg]["audible"]


async def test_what_cannot_be_muted_or_held_is_in_the_incorrect_state() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        call, leg = await client.brought_in(conference)
        path = f"sessions/{conference}/parties/{leg}"
        for body in ({}, {"muted": "yes"}, {"muted": None}, {"party": {}}):
            assert (await client.call("PATCH", path, body)).code == "CMN-101"
        assert (await client.call("POST", f"{path}/hold")).status == 409
        client.sim.remote_hangs_up(call)
        refused = await client.call("PATCH", path, {"muted": True})
        assert (refused.status, "Incorrect State" in refused.body["message"]) == (409, True)
        client.sim.faults.mute_conflict = True
        for method, place, asked in (
            ("PATCH", "", {"muted": True}),
            ("POST", "/hold", None),
            ("POST", "/unhold", None),
        ):
            reply = await client.call(method, f"sessions/{conference}/parties/p{conference[1:]}-1{place}", asked)
            assert reply.status == 409


async def test_the_host_can_be_held_and_taken_back() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        host = f"p{conference[1:]}-1"
        for verb, code in (("hold", "Hold"), ("unhold", "Answered")):
            reply = await client.call("POST", f"sessions/{conference}/parties/{host}/{verb}")
            assert (reply.status, reply.body["status"]) == (200, {"code": code})
            assert await client.legs(conference) == {"1": code}
            assert client.sim.truth()[conference]["participants"][host]["on_hold"] is (code == "Hold")


async def test_a_call_can_be_recorded_and_a_conference_not() -> None:
    async with ringcentral() as client:
        conference, call = await client.conference(), client.sim.make_call(client.ada)
        path = f"sessions/{call}/parties/{client.sim.own_party_id(call)}"
        started = await client.call("POST", f"{path}/recordings")
        assert (started.status, started.body["active"]) == (201, True)
        stopped = await client.call("PATCH", f"{path}/recordings/{started.body['id']}", {"active": False})
        assert (stopped.status, stopped.body) == (200, {"id": started.body["id"], "active": False})
        assert (await client.call("GET", path)).body["recordings"] == [stopped.body]
        refused = await client.call("POST", f"sessions/{conference}/parties/p{conference[1:]}-1/recordings")
        assert refused.status == 409


# Calling somebody first


async def test_call_out_rings_then_answers_and_can_be_brought_in() -> None:
    async with ringcentral() as client:
        desk, web = client.ada.devices
        conference = await client.conference()
        to = {"phoneNumber": "+12025550123"}
        reply = await client.call("POST", "call-out", {"from": {"deviceId": desk.device_id}, "to": to})
        session = reply.body["session"]
        assert (reply.status, session["origin"], session["parties"][0]["status"]["code"]) == (
            201,
            {"type": "CallOut"},
            "Setup",
        )
        assert (await client.bring_in(conference, session["id"])).status == 201
        for wrong in ({"from": {"deviceId": web.device_id}, "to": to}, {"from": {"deviceId": desk.device_id}}, {}):
            assert (await client.call("POST", "call-out", wrong)).code == "CMN-101"


async def test_a_number_called_may_ring_for_a_while_or_be_busy() -> None:
    async with ringcentral() as client:
        client.sim.faults.call_out = "rings"
        body = {"from": {"deviceId": client.ada.devices[0].device_id}, "to": {"extensionNumber": "102"}}
        ringing = (await client.call("POST", "call-out", body)).body["session"]["id"]
        assert await client.legs(ringing) == {"1": "Proceeding", "2": "Setup"}
        client.sim.answers(ringing)
        assert await client.legs(ringing) == {"1": "Answered", "2": "Answered"}
        client.sim.faults.call_out = "busy"
        busy = (await client.call("POST", "call-out", body)).body["session"]["id"]
        assert (await client.call("GET", f"sessions/{busy}")).status == 404


# Who may, and what is kept


async def test_who_takes_no_part_sees_nothing_and_a_colleague_sees_their_own_call() -> None:
    async with ringcentral() as client:
        ben = next(one for one in client.sim._account.extensions.values() if one.number == "102")
        conference, call = await client.conference(), client.sim.make_call(client.ada, "102")
        token = (await client.sign_in(ben.jwt)).body["access_token"]
        assert (await client.rest("GET", f"account/~/telephony/sessions/{conference}", token=token)).status == 404
        assert (await client.rest("GET", f"account/~/telephony/sessions/{call}", token=token)).status == 200


async def test_commands_are_kept_and_reads_are_not() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        await client.legs(conference)
        await client.call("PATCH", f"sessions/{conference}/parties/p{conference[1:]}-1", {"muted": True})
        assert [
            (one.extension_id, one.method, one.path.rpartition("/")[2], one.body) for one in client.sim.commands
        ] == [
            (client.ada.extension_id, "POST", "conference", {}),
            (client.ada.extension_id, "PATCH", f"p{conference[1:]}-1", {"muted": True}),
        ]
        assert [one.method for one in client.sim.requests] == ["POST", "POST", "GET", "PATCH"]


async def test_commands_may_be_accepted_and_not_obeyed() -> None:
    async with ringcentral() as client:
        conference = await client.conference()
        _, leg = await client.brought_in(conference)
        before = client.sim.truth()
        client.sim.faults.ignore_commands = True
        assert (await client.call("PATCH", f"sessions/{conference}/parties/{leg}", {"muted": True})).body["muted"]
        assert (await client.call("DELETE", f"sessions/{conference}/parties/{leg}")).status == 204
        assert (await client.call("DELETE", f"sessions/{conference}")).status == 204
        assert (await client.bring_in(conference, client.sim.make_call(client.ada))).status == 201
        assert client.sim.truth() == before
        assert (await client.legs(conference))["3"] == "Setup"


async def test_commands_may_be_obeyed_later_or_come_too_late() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        conference = await client.conference()
        client.sim.faults.effect_delay_s = 5
        _, leg = await client.brought_in(conference)
        second, _ = await client.brought_in(conference)
        assert (await client.bring_in(conference, second)).status == 409
        client.sim.remote_hangs_up(second)
        await client.call("DELETE", f"sessions/{conference}/parties/{leg}")
        await client.call("DELETE", f"sessions/{conference}/parties/{leg}")
        assert await client.legs(conference) == {"1": "Answered", "2": "Setup", "3": "Setup"}
        now[0] += 6
        client.sim.timers.run_due()
        assert await client.legs(conference) == {"1": "Answered", "2": "Disconnected", "3": "Disconnected"}


async def test_what_is_still_to_happen_is_forgotten_by_a_stop() -> None:
    now = [NOW]
    async with ringcentral(clock=lambda: now[0]) as client:
        conference = await client.conference()
        client.sim.faults.effect_delay_s = 5
        await client.call("DELETE", f"sessions/{conference}")
        await client.sim.stop()
        await client.sim.start()
        now[0] += 6
        client.sim.timers.run_due()
        assert client.sim.conferences() == [conference]


async def test_another_app_of_the_host_is_refused_for_the_same_reasons() -> None:
    async with ringcentral() as client:
        conference, call = client.sim.open_conference(client.ada, hosted=False), client.sim.make_call(client.ada)
        with pytest.raises(ApiError):
            client.sim.bring_in(conference, call)
        client.sim.host_dials(conference)
        with pytest.raises(LookupError):
            client.sim.host_dials(conference)
        assert client.sim.bring_in(conference, call) == f"p{conference[1:]}-2"
        with pytest.raises(LookupError):
            client.sim.session("s-none")
