"""What the simulated Telphin writes has the shape of what the pages print: the same members, of the same types."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.adapters.telphin.ringme import hooked, telphin

RECORDINGS = Path(__file__).parents[2] / "recordings" / "telphin"
JSON_TYPES = {"boolean": (True, False), "integer": (7, None), "string": ("1234", None)}


def recording(name: str) -> Any:
    return json.loads((RECORDINGS / name).read_bytes())


def test_every_recording_is_named_in_the_readme() -> None:
    readme = (RECORDINGS / "README.md").read_text()
    recorded = [path.name for path in RECORDINGS.iterdir() if path.name != "README.md"]
    assert recorded
    for name in recorded:
        assert f"`{name}`" in readme


async def test_a_room_has_the_properties_of_the_page_and_takes_what_their_types_allow() -> None:
    properties = recording("seed-properties.json")
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        path = "extension/@300/conference/"
        read = (await client.ask("GET", path)).body
        assert read == recording("conference.json") == {one["name"]: one["default"] for one in properties}
        for one in properties:
            for value in JSON_TYPES[one["type"]]:
                body = {"pin": "9876", one["name"]: value}
                reply = await client.ask("PUT", path, body)
                assert (reply.status, reply.body[one["name"]]) == (200, value), one


async def test_a_token_and_an_extension_have_the_members_of_the_pages() -> None:
    async with telphin(lambda sim: sim.add_room("Sales", number="300")) as client:
        token, printed = (await client.sign_in()).body, recording("token.json")
        assert token | {"access_token": "…"} == printed
        [listed] = (await client.ask("GET", "client/@me/extension/")).body
        assert set(listed) == set(recording("extension.json"))


async def test_a_second_query_of_statistics_is_refused_without_a_word_for_programs() -> None:
    async with telphin() as client:
        client.sim.faults.statistics_busy = True
        refused = await client.ask("GET", "client/@me/call_history/")
        assert (refused.status, set(refused.body)) == (429, set(recording("statistics-busy.json")))
        assert refused.body["message"].startswith("Stats request already exists, ")


async def test_a_hangup_has_the_parameters_of_the_sample() -> None:
    sample = dict(parse_qsl((RECORDINGS / "hangup.form").read_text(), strict_parsing=True))
    async with telphin() as client, hooked() as hook:
        sim = client.sim
        room = sim.add_room("Sales", number="101", record_enabled=True)
        await client.subscribe(room, hook.address, "hangup")
        ada = sim.join(room, name="Ada")
        sim.press(room, ada, "*879990001122")
        guest = next(leg for leg in sim.truth()[room]["participants"] if leg != ada)
        sim.leaves(room, guest)
        await sim.until(lambda: len(hook.got) == 1)
        [told] = hook.got
        assert set(told) == set(sample)
        for name in ("EventType", "CallStatus", "CallFlow", "CallerIDNum"):
            assert told[name] == sample[name]
        assert len(told["EventTime"]) == len(sample["EventTime"])
        for one in (told, sample):
            assert one["SubCallID"] == f"{one['CalledExtensionID']}-{one['CallID']}"
            assert one["CalledExtension"].startswith(f"{one['CalledNumber']}@")
