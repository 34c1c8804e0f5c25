"""The simulated Bandwidth calls back: what happens to conferences and calls, in order, to the address of the time."""

import base64
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from tests.adapters.bandwidth.plain import Client, Hook, bandwidth

NOW = 1_700_000_000.25


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook().listening() as hook:
        yield hook


def flags(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(one["memberId"], one["state"], one["mute"], one["hold"], one["activeMembers"]) for one in events]


async def test_what_happens_to_a_conference_is_posted_in_order(hook: Hook) -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        conference = await client.conference(callbackUrl=hook.url(), tag="standup")
        uri = f"{client.sim.url}/v1/users/{client.sim.user_id}/conferences/{conference}"
        [created] = await hook.until(1)
        member = client.sim.join(conference)
        call = client.sim.conference(conference).members[member].call.call_id
        client.sim.set_muted(conference, member, True)
        client.sim.set_muted(conference, member, True)
        client.sim.set_hold(conference, member, True)
        client.sim.member_leaves(conference, member)
        events = await hook.until(6)
        at = "2023-11-14T22:13:20.250Z"
        begin = {"eventType": "conference", "conferenceId": conference, "conferenceUri": uri, "tag": "standup"}
        assert created == {**begin, "status": "created", "createdTime": at}
        assert events[-1] == {**begin, "status": "completed", "createdTime": at, "completedTime": at}
        assert events[1] == {
            "eventType": "conference-member",
            "conferenceId": conference,
            "memberId": member,
            "memberUri": f"{uri}/members/{member}",
            "callId": call,
            "state": "active",
            "hold": False,
            "mute": False,
            "activeMembers": 1,
            "time": at,
            "tag": "standup",
        }
        assert flags(events[2:5]) == [
            (member, "active", True, False, 1),
            (member, "active", True, True, 1),
            (member, "completed", True, True, 0),
        ]
        assert {one.method for one in hook.requests} == {"POST"}
        assert hook.requests[0].headers["content-type"] == "application/json; charset=utf-8"
        assert hook.requests[0].headers["user-agent"].startswith("BandwidthAPI/v1 (")
        await client.sim.until(lambda: client.sim.callbacks_answered)
        assert list(client.sim.callbacks) == events


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("effective", [(True, False), (True, False), (True, True), (True, True), (True, False)]),
        ("own", [(True, False), (False, False), (True, False), (False, False), (True, False)]),
    ],
)
async def test_changes_of_the_whole_are_told_for_each_member_there(
    hook: Hook, way: Literal["effective", "own"], told: list[Any]
) -> None:
    async with bandwidth() as client:
        client.sim.faults.member_flags = way
        conference = client.sim.open_conference(callback_url=hook.url())
        first, second, gone = [client.sim.join(conference) for _ in range(3)]
        client.sim.member_leaves(conference, gone)
        client.sim.set_muted(conference, first, True)
        await hook.until(6)
        client.sim.mute_conference(conference, True)
        client.sim.hold_conference(conference, True)
        client.sim.mute_conference(conference, True)
        client.sim.faults.quiet_conferences = True
        client.sim.mute_conference(conference, False)
        client.sim.hold_conference(conference, False)
        client.sim.member_leaves(conference, first)
        events = await hook.until(11)
        assert [one["memberId"] for one in events[6:]] == [first, second, first, second, first]
        assert [(one["mute"], one["hold"]) for one in events[6:]] == told


async def test_user_and_password_of_the_address_become_basic_authentication_and_are_not_in_it(hook: Hook) -> None:
    async with bandwidth() as client:
        await client.conference(callbackUrl=hook.url(user="me:p%40ss@"))
        await hook.until(1)
        [request] = hook.requests
        assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"me:p@ss"
        assert "me" not in request.headers["host"]


async def test_by_get_the_properties_are_the_query_beside_what_is_there(hook: Hook) -> None:
    async with bandwidth() as client:
        conference = await client.conference(callbackUrl=f"{hook.url()}?room=1", callbackHttpMethod="GET")
        member = client.sim.join(conference)
        created, joined = await hook.until(2)
        assert {one.method for one in hook.requests} == {"GET"}
        assert (created["room"], created["status"], created["conferenceId"]) == ("1", "created", conference)
        assert flags([joined]) == [(member, "active", "false", "false", "1")]


@pytest.mark.parametrize("trouble", ["status", "silent", "nobody"])
async def test_a_callback_that_fails_is_tried_once_at_the_other_address(hook: Hook, trouble: str) -> None:
    async with Hook().listening() as other, bandwidth() as client:
        hook.status = 500 if trouble == "status" else 200
        hook.silent = trouble == "silent"
        url = "http://127.0.0.1:9/" if trouble == "nobody" else hook.url()
        await client.conference(callbackUrl=url, callbackTimeout=500, fallbackUrl=other.url())
        [created] = await other.until(1)
        assert created["status"] == "created"
        assert len(hook.requests) == (trouble != "nobody")
        await client.sim.until(lambda: client.sim.callbacks_answered)
        assert client.sim.callbacks_failed == 0
        other.status = 503
        await client.conference(callbackUrl=url, callbackTimeout=500, fallbackUrl=other.url())
        await client.sim.until(lambda: client.sim.callbacks_failed == 1)
        assert len(other.requests) == 2


async def test_a_new_address_gets_what_happens_from_then_on(hook: Hook) -> None:
    async with Hook().listening() as other, bandwidth() as client:
        conference = client.sim.open_conference(callback_url=other.url())
        member = client.sim.join(conference)
        await other.until(2)
        await client.post(f"conferences/{conference}", {"callbackUrl": hook.url(), "mute": True})
        client.sim.member_leaves(conference, member)
        assert [one["eventType"] for one in await hook.until(3)] == ["conference-member"] * 2 + ["conference"]
        assert len(other.got) == 2


async def test_who_wants_no_callbacks_gets_none(hook: Hook) -> None:
    async with bandwidth() as client:
        client.sim.join(client.sim.open_conference())
        assert client.sim.callbacks_answered
        assert not client.sim.callbacks


# Calls


async def test_a_call_tells_that_it_was_answered_and_that_it_is_over_with_its_tag(hook: Hook) -> None:
    async with bandwidth(clock=lambda: NOW) as client:
        call = await client.call("+12025550101", callbackUrl=hook.url(), tag="ours")
        client.sim.hang_up(call)
        about = {
            "callId": call,
            "callUri": f"{client.sim.url}/v1/users/{client.sim.user_id}/calls/{call}",
            "from": client.sim.number,
            "to": "+12025550101",
            "time": "2023-11-14T22:13:20.250Z",
            "tag": "ours",
        }
        assert await hook.until(2) == [
            {**about, "eventType": "answer", "callState": "active"},
            {**about, "eventType": "hangup", "callState": "completed", "cause": "NORMAL_CLEARING"},
        ]


async def test_how_a_call_that_is_not_answered_ends(hook: Hook) -> None:
    async with bandwidth() as client:
        client.sim.phones.answers = "by hand"
        calls = [await client.call(callbackUrl=hook.url()) for _ in range(4)]
        client.sim.reject(calls[0])
        client.sim.reject(calls[1], "USER_BUSY")
        client.sim.ring_out(calls[2])
        await client.post(f"calls/{calls[3]}", {"state": "completed"})
        ends = {one["callId"]: (one["eventType"], one.get("cause")) for one in await hook.until(4)}
        assert [ends[one] for one in calls] == [
            ("hangup", "CALL_REJECTED"),
            ("hangup", "USER_BUSY"),
            ("timeout", None),
            ("hangup", "ORIGINATOR_CANCEL"),
        ]


async def test_calls_that_come_in_are_told_to_the_application_of_the_number(hook: Hook) -> None:
    async with bandwidth() as client:
        client.sim.application_url = hook.url()
        call = client.sim.make_call("+12025550101")
        incoming, answer = await hook.until(2)
        assert (incoming["eventType"], incoming["callState"], incoming["callId"]) == ("incomingcall", "active", call)
        assert (answer["eventType"], answer["from"], answer["to"]) == ("answer", "+12025550101", client.sim.number)


# Sounds


async def sounds(client: Client, hook: Hook) -> tuple[str, str]:
    """Give the places for sounds of a conference and of a member in it."""
    conference = client.sim.open_conference(callback_url=hook.url())
    call = await client.call(callbackUrl=hook.url("call"))
    member = client.sim.bring_in(conference, call)
    await hook.until(3)
    hook.got.clear()
    return f"conferences/{conference}/audio", f"conferences/{conference}/members/{member}/audio"


def told(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(one["eventType"], one["status"], one.get("tag")) for one in events]


async def test_sounds_start_and_are_done_and_a_member_hears_them_as_events_of_their_call(hook: Hook) -> None:
    now = [NOW]
    async with bandwidth(clock=lambda: now[0], sound_s=3) as client:
        whole, member = await sounds(client, hook)
        await client.post(whole, {"sentence": "Hello", "tag": "a", "voice": "kate"})
        await client.post(member, {"fileUrl": "https://media.example/a.wav"})
        await hook.until(2)
        now[0] += 3
        client.sim.timers.run_due()
        events = await hook.until(4)
        of_whole = [one for one in events if "conferenceId" in one]
        assert told(of_whole) == [("conference-speak", "started", "a"), ("conference-speak", "done", "a")]
        of_call = [one for one in events if "callId" in one]
        assert told(of_call) == [("playback", "started", None), ("playback", "done", None)]
        assert [one.url.path for one in hook.requests if one.url.path == "/call"] == ["/call"] * 3
        refused = await client.refused(member, {"sentence": ""})
        assert refused == (403, "forbidden", "call-audio-invalid-state")
        await client.post(whole, {"sentence": ""})


async def test_a_looped_sound_goes_on_until_it_is_stopped_or_another_one_starts(hook: Hook) -> None:
    now = [NOW]
    async with bandwidth(clock=lambda: now[0], sound_s=3) as client:
        whole, member = await sounds(client, hook)
        await client.post(whole, {"fileUrl": "https://media.example/a.mp3", "loopEnabled": "true"})
        await client.post(member, {"sentence": "Hello", "loopEnabled": True})
        now[0] += 30
        client.sim.timers.run_due()
        assert len(await hook.until(2)) == 2
        await client.post(whole, {"sentence": "x" * 1000})
        await client.post(whole, {"sentence": ""})
        await client.post(member, {"sentence": ""})
        events = await hook.until(6)
        assert told([one for one in events if "conferenceId" in one]) == [
            ("conference-playback", "started", None),
            ("conference-playback", "done", None),
            ("conference-speak", "started", None),
            ("conference-speak", "done", None),
        ]
        assert told([one for one in events if "callId" in one]) == [("speak", "started", None), ("speak", "done", None)]


async def test_what_cannot_be_played_is_refused(hook: Hook) -> None:
    async with bandwidth() as client:
        whole, member = await sounds(client, hook)
        for path in (whole, member):
            for body, code in (
                ({}, "missing-property"),
                ({"sentence": "x" * 1001}, "validation-error"),
                ({"sentence": "x", "fileUrl": "https://media.example/a.wav"}, "validation-error"),
                ({"fileUrl": "a.wav"}, "callback-url-invalid"),
                ({"fileUrl": 1}, "validation-error"),
            ):
                assert await client.refused(path, body) == (400, "bad-request", code)
        client.sim.make_call()
        assert hook.got == []


async def test_the_end_of_a_conference_ends_its_sounds(hook: Hook) -> None:
    async with bandwidth() as client:
        whole, member = await sounds(client, hook)
        await client.post(whole, {"sentence": "Hello"})
        await client.post(member, {"sentence": "Hello"})
        client.sim.complete(client.sim.conference_ids[0])
        events = await hook.until(7)
        assert [one["eventType"] for one in events if "conferenceId" in one] == [
            "conference-speak",
            "conference-speak",
            "conference-member",
            "conference",
        ]
        of_call = [(one["eventType"], one.get("status")) for one in events if "conferenceId" not in one]
        assert of_call == [("speak", "started"), ("speak", "done"), ("hangup", None)]


# Faults


async def test_callbacks_can_get_lost_double_and_mixed_up(hook: Hook) -> None:
    async with bandwidth(seed=3) as client:
        faults = client.sim.faults
        faults.lose_callbacks = True
        conference = client.sim.open_conference(callback_url=hook.url())
        faults.lose_callbacks, faults.double_callbacks = False, True
        first = client.sim.join(conference)
        assert [one["memberId"] for one in await hook.until(2)] == [first] * 2
        faults.double_callbacks, faults.shuffle_callbacks = False, True
        joined = [client.sim.join(conference) for _ in range(8)]
        assert not client.sim.callbacks_answered
        came = [one["memberId"] for one in (await hook.until(10))[2:]]
        assert sorted(came) == sorted(joined)
        assert came != joined


async def test_anything_can_be_sent_and_sent_again(hook: Hook) -> None:
    async with bandwidth() as client:
        conference = client.sim.open_conference(callback_url=hook.url())
        [created] = await hook.until(1)
        client.sim.send(conference, b"\xff{")
        client.sim.send(conference, created)
        await hook.until(3)
        assert hook.raw[1] == b"\xff{"
        assert hook.got[2] == created


async def test_a_stop_ends_deliveries_and_nothing_is_sent_until_the_next_start(hook: Hook) -> None:
    async with bandwidth() as client:
        hook.silent = True
        conference = client.sim.open_conference(callback_url=hook.url())
        await client.sim.until(lambda: len(client.sim.callbacks) == 1)
        assert not client.sim.callbacks_answered
        await client.sim.stop()
        hook.silent = False
        client.sim.join(conference)
        assert client.sim.callbacks_answered
        await client.sim.start()
        member = client.sim.join(conference)
        await client.sim.until(lambda: client.sim.callbacks_answered)
        assert [one.get("memberId") for one in hook.got][-1] == member
        assert len(client.sim.callbacks) == 2
