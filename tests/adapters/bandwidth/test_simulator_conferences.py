"""The simulated Bandwidth makes, fills, holds, mutes and ends conferences as its pages say."""

from typing import Any

import pytest

from adapters.bandwidth.simulator import ApiError, BandwidthSimulator
from tests.adapters.bandwidth.plain import Client, bandwidth

NOW = 1_700_000_000.0


async def filled(client: Client, people: int = 2) -> tuple[str, list[str]]:
    """Make a conference with people in it."""
    conference = client.sim.open_conference()
    return conference, [client.sim.join(conference, f"+1202555{1000 + one}") for one in range(people)]


async def test_a_new_conference_has_no_members_and_what_is_not_set_is_missing() -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        conference = await client.conference()
        assert await client.get(f"conferences/{conference}") == {
            "id": conference,
            "state": "created",
            "from": client.sim.number,
            "createdTime": "2023-11-14T22:13:20Z",
            "activeMembers": 0,
            "hold": False,
            "mute": False,
            "profile": "interpret_digits",
            "callbackHttpMethod": "POST",
            "callbackTimeout": 10_000,
        }
        client.sim.faults.hour_offsets = True
        read = await client.get(f"conferences/{conference}")
        assert read["createdTime"] == "2023-11-14T20:13:20-02"


async def test_every_property_can_be_given_as_json_or_as_a_string_and_null_is_not_given() -> None:
    given = {
        "from": "+12025550199",
        "callbackUrl": "https://user:pass@gateway.example/hooks/bw/",
        "callbackHttpMethod": "get",
        "callbackTimeout": "2000",
        "fallbackUrl": "https://fallback.example/",
        "profile": "passthru_digits",
        "tag": "standup",
    }
    async with bandwidth() as client:
        conference = await client.make("conferences", given)
        path = f"conferences/{conference}"
        read = await client.get(path)
        assert {name: read[name] for name in given} == given | {"callbackTimeout": 2000}
        nothing = dict.fromkeys([*given, "state", "hold", "mute"])
        await client.post(path, nothing)
        assert await client.get(path) == read
        changed = {
            "callbackUrl": "https://other.example/",
            "callbackHttpMethod": "POST",
            "callbackTimeout": 1,
            "tag": "",
        }
        await client.post(path, {**changed, "mute": "true", "hold": True, "from": "+12025550100", "profile": "x"})
        after = await client.get(path)
        assert "tag" not in after
        assert after | {"tag": ""} == {**read, **changed, "mute": True, "hold": True}


@pytest.mark.parametrize("body", [{"mute": "yes"}, {"hold": 1}, {"state": "active"}, {"state": "gone"}, {"mute": {}}])
async def test_an_update_that_cannot_be_changes_nothing(body: dict[str, Any]) -> None:
    async with bandwidth() as client:
        path = f"conferences/{await client.conference()}"
        before = await client.get(path)
        assert await client.refused(path, {**body, "tag": "new"}) == (400, "bad-request", "validation-error")
        assert await client.get(path) == before


async def test_the_first_member_makes_it_active_and_the_last_one_to_go_completes_it() -> None:
    now = [NOW]
    async with bandwidth(clock=lambda: now[0]) as client:
        conference = await client.conference()
        path = f"conferences/{conference}"
        first = await client.make(f"{path}/members", {"callId": await client.call()})
        second = await client.make(f"{path}/members", {"callId": client.sim.make_call("+12025550102")})
        read = await client.get(path)
        assert (read["state"], read["activeMembers"]) == ("active", 2)
        await client.post(f"{path}/members/{first}", {"state": "completed"})
        assert (await client.get(path))["activeMembers"] == 1
        now[0] += 60
        client.sim.member_leaves(conference, second)
        read = await client.get(path)
        assert (read["state"], read["activeMembers"]) == ("completed", 0)
        assert read["completedTime"] == "2023-11-14T22:14:20Z"


async def test_members_have_the_url_of_their_call_and_stay_in_the_list_when_they_have_left() -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        conference, [first, second] = await filled(client)
        client.sim.member_leaves(conference, first)
        path = f"conferences/{conference}/members"
        listed = await client.get(path)
        assert [one["id"] for one in listed] == [first, second]
        assert [one["state"] for one in listed] == ["completed", "active"]
        assert ["removedTime" in one for one in listed] == [True, False]
        call = client.sim.conference(conference).members[second].call
        assert listed[1] == await client.get(f"{path}/{second}")
        assert listed[1] == {
            "id": second,
            "state": "active",
            "mute": False,
            "hold": False,
            "joinTone": False,
            "leavingTone": False,
            "addedTime": "2023-11-14T22:13:20Z",
            "call": f"{client.sim.url}/v1/users/{client.sim.user_id}/calls/{call.call_id}",
        }


async def test_flags_of_the_whole_and_of_a_member_are_stored_apart_and_either_counts() -> None:
    async with bandwidth() as client:
        conference, [first, second] = await filled(client)
        path = f"conferences/{conference}"

        async def seen() -> list[Any]:
            listed = await client.get(f"{path}/members")
            people = client.sim.truth()[conference]["participants"]
            return [(one["mute"], people[one["id"]]["muted"], people[one["id"]]["on_hold"]) for one in listed]

        await client.post(f"{path}/members/{first}", {"mute": "true", "joinTone": True})
        assert await seen() == [(True, True, False), (False, False, False)]
        await client.post(path, {"mute": True, "hold": True})
        assert await seen() == [(True, True, True), (False, True, True)]
        await client.post(path, {"mute": False})
        assert await seen() == [(True, True, True), (False, False, True)]
        client.sim.hold_conference(conference, False)
        client.sim.set_hold(conference, second, True)
        assert await seen() == [(True, True, False), (False, False, True)]


async def test_a_removed_member_still_has_a_call_that_can_be_added_again() -> None:
    async with bandwidth() as client:
        conference, [first, _] = await filled(client)
        call = client.sim.conference(conference).members[first].call
        await client.post(f"conferences/{conference}/members/{first}", {"state": "completed"})
        assert call.state == "active"
        again = await client.make(f"conferences/{conference}/members", {"callId": call.call_id, "hold": "true"})
        assert again != first
        assert client.sim.truth()[conference]["participants"][again]["on_hold"]


async def test_a_completed_conference_ends_its_calls_and_can_only_be_read() -> None:
    async with bandwidth() as client:
        conference, [first, _] = await filled(client)
        calls = [one.call for one in client.sim.conference(conference).active]
        path = f"conferences/{conference}"
        await client.post(path, {"state": "completed", "mute": True})
        assert [call.state.value for call in calls] == ["completed"] * 2
        assert client.sim.truth() == {}
        over = (403, "forbidden", "conference-error")
        for place in (path, f"{path}/audio", f"{path}/members", f"{path}/members/{first}"):
            assert await client.refused(place, {"state": "completed"}) == over
        read = await client.get(path)
        assert (read["state"], read["mute"], read["activeMembers"]) == ("completed", False, 0)
        assert [one["state"] for one in await client.get(f"{path}/members")] == ["completed"] * 2


async def test_twenty_members_and_no_more() -> None:
    async with bandwidth() as client:
        conference, members = await filled(client, 20)
        path = f"conferences/{conference}/members"
        call = client.sim.make_call()
        assert await client.refused(path, {"callId": call}) == (403, "limit", "conference-max-members")
        client.sim.member_leaves(conference, members[3])
        await client.make(path, {"callId": call})
        assert len(client.sim.truth()[conference]["participants"]) == 20


async def test_only_calls_that_are_up_and_free_become_members() -> None:
    async with bandwidth() as client:
        client.sim.phones.answers = "by hand"
        (conference, [member]), (other, _) = await filled(client, 1), await filled(client, 1)
        path = f"conferences/{conference}/members"
        here = client.sim.conference(conference).members[member].call.call_id
        there = client.sim.conference(other).active[0].call.call_id
        ended = client.sim.make_call()
        client.sim.hang_up(ended)
        for_other = await client.call(conferenceId=other)
        client.sim.answer(for_other)
        for call, refusal in (
            ("c-unknown", (403, "forbidden", "call-id-not-found")),
            (await client.call(), (503, "unavailable", "call-unavailable")),
            (ended, (403, "forbidden", "call-invalid-state")),
            (there, (403, "forbidden", "invalid-call-conference-id")),
            (for_other, (403, "forbidden", "invalid-call-conference-id")),
            (here, (409, "conflict", "conference-update-conflict")),
            (None, (400, "bad-request", "missing-property")),
        ):
            assert await client.refused(path, {"callId": call}) == refusal
        assert len(await client.get(path)) == 1


async def test_what_was_never_there_is_not_found_and_who_has_left_cannot_be_changed() -> None:
    async with bandwidth() as client:
        conference, [first, _] = await filled(client)
        path = f"conferences/{conference}/members"
        client.sim.remove(conference, first)
        for place, code in (
            ("conferences/conf-x", "conference-not-found"),
            ("conferences/conf-x/members", "conference-not-found"),
            (f"{path}/member-x", "conference-member-not-found"),
            (f"conferences/{client.sim.open_conference()}/members/{first}", "conference-member-not-found"),
        ):
            assert (await client.ask("GET", place)).refusal == (404, "not-found", code)
        for body in ({"mute": True}, {"state": "completed"}):
            refusal = await client.refused(f"{path}/{first}", body)
            assert refusal == (409, "conflict", "conference-member-update-conflict")
        assert (await client.get(f"{path}/{first}"))["state"] == "completed"
        with pytest.raises(ApiError):
            client.sim.set_muted(conference, first, True)


async def test_a_conference_lasts_a_day_from_its_first_member() -> None:
    now = [NOW]
    async with bandwidth(clock=lambda: now[0]) as client:
        empty = client.sim.open_conference()
        conference, _ = await filled(client)
        now[0] += 24 * 60 * 60 - 1
        client.sim.timers.run_due()
        assert client.sim.conference_ids == [empty, conference]
        now[0] += 1
        client.sim.timers.run_due()
        assert client.sim.conference_ids == [empty]


async def test_the_end_of_the_day_comes_by_itself() -> None:
    async with bandwidth(lasts_s=0.05) as client:
        await filled(client)
        await client.sim.until(lambda: client.sim.conference_ids == [])


def test_of_many_who_left_the_latest_are_kept() -> None:
    sim = BandwidthSimulator()
    conference = sim.open_conference()
    stays = sim.join(conference)
    left = []
    for _ in range(1_005):
        left.append(sim.join(conference))
        sim.member_leaves(conference, left[-1])
    assert list(sim.conference(conference).members) == [stays, *left[5:]]
