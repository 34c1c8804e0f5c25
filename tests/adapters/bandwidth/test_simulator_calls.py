"""The simulated Bandwidth makes calls, lets them be answered or not, lists them, and lets them be ended."""

from typing import Any

import pytest

from adapters.bandwidth.simulator import ApiError, Behaviour
from tests.adapters.bandwidth.plain import bandwidth

NOW = 1_700_000_000.0


async def test_a_call_is_answered_at_once_and_tells_who_called_whom() -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        call = await client.call("+12025550101", tag="ours", sipHeaders={"X-a": "b"}, recordingEnabled="true")
        url = f"{client.sim.url}/v1/users/{client.sim.user_id}/calls/{call}"
        assert await client.get(f"calls/{call}") == {
            "id": call,
            "direction": "out",
            "from": client.sim.number,
            "to": "+12025550101",
            "state": "active",
            "startTime": "2023-11-14T22:13:20Z",
            "activeTime": "2023-11-14T22:13:20Z",
            "callbackHttpMethod": "POST",
            "callbackTimeout": 10_000,
            "events": f"{url}/events",
            "recordings": f"{url}/recordings",
            "transcriptions": f"{url}/transcriptions",
            "recordingEnabled": "true",
            "sipHeaders": {"X-a": "b"},
            "tag": "ours",
        }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": None}, "missing-property"),
        ({"to": "bob"}, "validation-error"),
        ({"to": "sip:bob"}, "validation-error"),
        ({"from": "sip:me@a.example"}, "validation-error"),
        ({"callTimeout": 301}, "validation-error"),
        ({"callTimeout": "soon"}, "validation-error"),
        ({"sipHeaders": {f"X-{one}": "" for one in range(6)}}, "validation-error"),
        ({"sipHeaders": "X-a"}, "validation-error"),
    ],
)
async def test_what_cannot_be_a_call_is_refused(body: dict[str, Any], code: str) -> None:
    async with bandwidth() as client:
        given = {"from": client.sim.number, "to": "+12025550101", **body}
        assert await client.refused("calls", given) == (400, "bad-request", code)
        assert client.sim.calls == []


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [("at once", "active"), ("by hand", "started"), ("busy", "completed"), ("rejects", "completed")],
)
async def test_the_called_do_as_the_test_wants(behaviour: Behaviour, state: str) -> None:
    async with bandwidth() as client:
        client.sim.phones.by_number["sip:bob@sip.example"] = behaviour
        call = await client.call("sip:bob@sip.example")
        assert (await client.get(f"calls/{call}"))["state"] == state
        other = await client.call()
        assert (await client.get(f"calls/{other}"))["state"] == "active"


async def test_who_never_answers_is_rung_as_long_as_was_asked_for() -> None:
    now = [NOW]
    async with bandwidth(clock=lambda: now[0]) as client:
        client.sim.phones.answers = "never"
        call, hung_up = [await client.call(callTimeout=one) for one in ("20", 10)]
        await client.post(f"calls/{hung_up}", {"state": "completed"})
        now[0] += 19.9
        client.sim.timers.run_due()
        assert client.sim.call(call).state == "started"
        now[0] += 0.1
        client.sim.timers.run_due()
        assert client.sim.call(call).state == "completed"


async def test_the_hand_lets_what_rings_be_answered_rejected_or_ring_out() -> None:
    async with bandwidth() as client:
        client.sim.phones.answers = "by hand"
        answered, rejected, rung_out = [await client.call() for _ in range(3)]
        client.sim.answer(answered)
        client.sim.reject(rejected)
        client.sim.ring_out(rung_out)
        states = [(await client.get(f"calls/{one}"))["state"] for one in (answered, rejected, rung_out)]
        assert states == ["active", "completed", "completed"]
        for act in (client.sim.answer, client.sim.reject, client.sim.ring_out):
            with pytest.raises(ApiError):
                act(answered)


async def test_a_call_that_comes_in_is_answered_rejected_hung_up_and_transferred_by_its_state() -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        first, second = [client.sim.make_call("+12025550101", answered=False) for _ in range(2)]
        await client.post(f"calls/{first}", {"state": "active"})
        await client.post(f"calls/{second}", {"state": "rejected"})
        read = await client.get(f"calls/{first}")
        assert (read["direction"], read["from"], read["to"]) == ("in", "+12025550101", client.sim.number)
        assert (read["state"], (await client.get(f"calls/{second}"))["state"]) == ("active", "rejected")
        wrong = (403, "forbidden", "call-invalid-state")
        assert await client.refused(f"calls/{first}", {"state": "active"}) == wrong
        missing = (400, "bad-request", "missing-property")
        assert await client.refused(f"calls/{first}", {"state": "transferring"}) == missing
        conference = client.sim.open_conference()
        client.sim.bring_in(conference, first)
        await client.post(f"calls/{first}", {"state": "transferring", "transferTo": "+12025550103"})
        assert client.sim.truth() == {}
        await client.post(f"calls/{first}", {"state": "completed"})
        read = await client.get(f"calls/{first}")
        assert (read["state"], read["chargeableDuration"]) == ("completed", 1)
        assert await client.refused(f"calls/{first}", {"state": "completed"}) == wrong
        assert await client.refused("calls/c-x", {"state": "completed"}) == (404, "not-found", "call-not-found")


async def test_who_hangs_up_leaves_the_conference() -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference()
        stays, leaves = client.sim.join(conference), client.sim.join(conference)
        call = client.sim.conference(conference).members[leaves].call.call_id
        await client.post(f"calls/{call}", {"state": "completed"})
        assert set(client.sim.truth()[conference]["participants"]) == {stays}
        assert (await client.get(f"calls/{call}"))["conferenceId"] == conference


async def test_a_call_made_for_a_conference_is_added_by_whoever_made_it_unless_it_joins_by_itself() -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference()
        call = await client.call("+12025550102", conferenceId=conference)
        assert client.sim.truth()[conference]["participants"] == {}
        client.sim.faults.auto_join = True
        joined = await client.call(conferenceId=conference)
        people = client.sim.truth()[conference]["participants"]
        assert [one["call_id"] for one in people.values()] == [joined]
        await client.make(f"conferences/{conference}/members", {"callId": call})
        client.sim.complete(conference)
        body = {"from": client.sim.number, "to": "+12025550101"}
        for where, refusal in (
            (conference, (403, "forbidden", "conference-error")),
            ("conf-x", (404, "not-found", "conference-not-found")),
        ):
            assert await client.refused("calls", {**body, "conferenceId": where}) == refusal


async def test_a_full_conference_is_not_joined_by_itself() -> None:
    async with bandwidth() as client:
        client.sim.faults.auto_join = True
        conference = client.sim.open_conference()
        for _ in range(20):
            client.sim.join(conference)
        call = await client.call(conferenceId=conference)
        assert client.sim.call(call).state == "active"
        assert len(client.sim.truth()[conference]["participants"]) == 20


async def test_a_call_names_its_conference_in_one_of_two_ways_or_both() -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference()
        call = await client.call(conferenceId=conference)
        url = f"{client.sim.url}/v1/users/{client.sim.user_id}/conferences/{conference}"
        both = {"conferenceId": conference, "conference": url}
        for way, keys in (("both", set(both)), ("id", {"conferenceId"}), ("url", {"conference"})):
            client.sim.faults.call_conference = way  # type: ignore[assignment]  # of a loop over literals
            read = await client.get(f"calls/{call}")
            assert {key: read[key] for key in both if key in read} == {key: both[key] for key in keys}


async def test_calls_are_listed_in_pages_but_those_of_a_conference_at_once() -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference()
        calls = [client.sim.make_call(f"+1202555{1000 + one}") for one in range(30)]
        for call in calls[:2]:
            client.sim.bring_in(conference, call)
        listed = [one["id"] for one in await client.get(f"calls?conferenceId={conference}&size=1")]
        assert listed == calls[:2]
        assert [one["id"] for one in await client.get("calls?from=%2B12025551004")] == [calls[4]]
        assert [one["id"] for one in await client.get("calls?size=1&sortOrder=desc")] == [calls[-1]]
        first = await client.ask("GET", "calls")
        link = first.headers["Link"]
        assert link == f'<{client.sim.url}/v1/users/{client.sim.user_id}/calls?page=1>; rel="next"'
        second = await client.ask("GET", "calls?page=1")
        assert [one["id"] for one in [*first.body, *second.body]] == calls
        assert "Link" not in second.headers
        for wrong in ("size=0", "size=1001", "page=-1", "sortOrder=up", "size=x"):
            assert (await client.ask("GET", f"calls?{wrong}")).refusal[2] == "validation-error"
