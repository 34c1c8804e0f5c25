"""What the simulator says has the properties and the types that the recordings of Bandwidth have."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.bandwidth.plain import Hook, bandwidth

RECORDINGS = Path(__file__).parents[2] / "recordings" / "bandwidth"
EVENTS = {
    "facts-event-created.json": ("conference", "created"),
    "facts-event-completed.json": ("conference", "completed"),
    "facts-event-member-joined.json": ("conference-member", "active"),
    "facts-event-member-muted.json": ("conference-member", "active"),
    "facts-event-member-left.json": ("conference-member", "completed"),
    "facts-event-playback.json": ("conference-playback", "started"),
    "facts-event-speak.json": ("conference-speak", "started"),
    "facts-event-call-speak.json": ("speak", "done"),
    "facts-event-incomingcall.json": ("incomingcall", None),
    "facts-event-answer.json": ("answer", None),
    "facts-event-hangup.json": ("hangup", "NORMAL_CLEARING"),
    "facts-event-rejected.json": ("hangup", "CALL_REJECTED"),
    "facts-event-timeout.json": ("timeout", None),
}
ELSEWHERE = {
    "seed-conference.json",
    "facts-conference.json",
    "facts-members.json",
    "facts-call.json",
    "facts-error-rate-limit.json",
    "facts-error-call-rate-limit.json",
}


def recording(name: str) -> Any:
    return json.loads((RECORDINGS / name).read_bytes())


def check(said: dict[str, Any], recorded: dict[str, Any], lacks: frozenset[str] = frozenset()) -> None:
    """See that everything recorded is said too, in the same types."""
    assert set(recorded) - set(said) == lacks
    assert {key: type(said[key]) for key in recorded if key in said} == {
        key: type(value) for key, value in recorded.items() if key in said
    }


def test_every_recording_is_there_and_named_in_the_readme() -> None:
    files, readme = {path.name for path in RECORDINGS.glob("*.json")}, (RECORDINGS / "README.md").read_text()
    assert files >= set(EVENTS) | ELSEWHERE
    assert [name for name in files if name not in readme] == []


def test_the_answer_on_the_page_is_there_byte_for_byte() -> None:
    raw = (RECORDINGS / "seed-conference.json").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == AS_PUBLISHED


AS_PUBLISHED = "f70d3e68d2a7c741c2c676aa729e54ac97ab27e4428586faa7af8e936a9f77f0"


async def test_resources_are_as_recorded() -> None:
    async with Hook().listening() as hook, bandwidth() as client:
        given = {"callbackUrl": hook.url(), "fallbackUrl": hook.url("other"), "tag": "standup"}
        conference = await client.conference(**given)
        path = f"conferences/{conference}"
        check(await client.get(path), recording("seed-conference.json"))
        call = await client.call(conferenceId=conference, recordingEnabled=False)
        client.sim.faults.call_conference = "url"
        check(await client.get(f"calls/{call}"), recording("facts-call.json"))
        client.sim.bring_in(conference, call)
        members = [client.sim.join(conference) for _ in range(2)]
        client.sim.member_leaves(conference, members[-1])
        listed = await client.get(f"{path}/members")
        for said, recorded in zip(listed, recording("facts-members.json"), strict=True):
            check(said, recorded)
        client.sim.complete(conference)
        check(await client.get(path), recording("facts-conference.json"))


async def test_refusals_for_rates_are_as_recorded() -> None:
    async with bandwidth(requests_per_second=1, clock=lambda: 1_700_000_000.0) as client:
        client.sim.faults.no_message = True
        await client.get("calls")
        refused, recorded = (await client.ask("GET", "calls")).body, recording("facts-error-rate-limit.json")
        check(refused, recorded)
        assert [one["name"] for one in refused["details"]] == [one["name"] for one in recorded["details"]]
        for _ in range(10):
            await client.call()
        refused = (await client.ask("POST", "calls", {"from": "+12025550100", "to": "+12025550101"})).body
        recorded = recording("facts-error-call-rate-limit.json")
        assert refused["message"] == recorded["message"]
        assert (refused["category"], refused["code"]) == (recorded["category"], recorded["code"])


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, Any], dict[str, Any]]:
    """What the simulator says, by type and status; each test of the module looks, none changes."""
    return asyncio.run(everything_said())


async def everything_said() -> dict[tuple[str, Any], dict[str, Any]]:
    async with Hook().listening() as hook, bandwidth() as client:
        sim = client.sim
        sim.phones.answers = "by hand"
        sim.application_url = hook.url()
        conference = await client.conference(callbackUrl=hook.url())
        member = sim.join(conference)
        for body in ({"sentence": "Hello"}, {"fileUrl": "https://media.example/a.wav"}):
            await client.post(f"conferences/{conference}/audio", body)
        for sentence in ("Hello", ""):
            await client.post(f"conferences/{conference}/members/{member}/audio", {"sentence": sentence})
        calls = [await client.call(callbackUrl=hook.url(), tag="standup") for _ in range(3)]
        sim.reject(calls[0])
        sim.ring_out(calls[1])
        sim.answer(calls[2])
        sim.complete(conference)
        sim.hang_up(calls[2])
        await sim.until(lambda: sim.callbacks_answered)
        names = ("status", "state", "cause")
        return {(one["eventType"], next((one[name] for name in names if name in one), None)): one for one in hook.got}


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_as_recorded(name: str, said: dict[tuple[str, Any], dict[str, Any]]) -> None:
    # Which application a number belongs to is nothing that is simulated.
    check(said[EVENTS[name]], recording(name), frozenset({"applicationId"} if "incoming" in name else ()))
