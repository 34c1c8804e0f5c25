"""Bandwidth's own Python client, the last one for the API v1, works with the simulator as it comes."""

from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.adapters.bandwidth.plain import Hook, bandwidth
from tests.conformance.clients import Client
from tests.npm import Absent
from tests.pypi import python_with

_WALK = Path(__file__).parent / "official" / "walk.py"


@pytest.fixture(scope="module")
def python_client() -> str:
    """Give a Python that has the client: it brings packages along that we do not want beside ours."""
    try:
        return python_with("bandwidth-sdk==3.1.0")
    except Absent as why:
        pytest.skip(str(why))


async def test_the_python_client_holds_a_conference(python_client: str) -> None:
    async with Hook().listening() as hook, bandwidth() as plain:
        sim = plain.sim
        arguments = (str(_WALK), sim.url, sim.user_id, sim.token, sim.secret, sim.number, hook.url())
        client = Client(await create_subprocess_exec(python_client, *arguments, stdout=PIPE, stderr=PIPE), "walk.py")
        try:
            await client.until(lambda: len(client.told.get("members", ())) == 2)
            await client.finished()
        finally:
            await client.aclose()
        told = client.told
        [conference] = told["conference"]
        [read] = told["read"]
        assert (read["id"], read["from"], read["state"], read["active_members"]) == (
            conference,
            sim.number,
            "created",
            0,
        )
        assert (read["tag"], read["callback_url"], read["profile"]) == ("walk", hook.url(), "interpret_digits")
        first, second = [one.member_id for one in sim.conference(conference).members.values()]
        assert told["members"] == [
            [[first, "active", False, False], [second, "active", False, False]],
            [[first, "active", True, False], [second, "active", False, True]],
            [[first, "active", True, False], [second, "completed", False, True]],
        ]
        [call] = told["call"]
        assert (call["direction"], call["to"], call["state"]) == ("out", "+12025550101", "active")
        assert told["calls"] == [[one.call_id for one in sim.calls]]
        assert told["seen"] == [
            {"state": "active", "mute": True, "hold": False},
            {"state": "active", "mute": False, "hold": True},
            {"state": "active", "mute": False, "hold": False},
            {"state": "completed", "mute": False, "hold": False},
        ]
        assert told["refused"] == [[403, "conference-error"]]
        assert (sim.truth(), sim.conference(conference).tag) == ({}, "walked")
        assert [one.state.value for one in sim.calls] == ["completed", "active"]
        await sim.until(lambda: sim.callbacks_answered)
        kinds = [(one["eventType"], one.get("status", one.get("state"))) for one in hook.got]
        assert (kinds[0], kinds[-1]) == (("conference", "created"), ("conference", "completed"))
        assert [kind for kind in kinds if kind[0] in ("conference-speak", "conference-playback")] == [
            ("conference-speak", "started"),
            ("conference-speak", "done"),
            ("conference-playback", "started"),
            ("conference-playback", "done"),
        ]
        # Two joined; of each of the three changes of the whole both were told; one was muted, one held; two left.
        assert [kind for kind, _ in kinds].count("conference-member") == 2 + 2 * 3 + 2 + 2
