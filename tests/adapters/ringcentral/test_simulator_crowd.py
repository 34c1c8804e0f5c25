"""The crowd of the simulated RingCentral holds conferences that are possible, and is the same for the same seed."""

from typing import Any

import aiohttp

from adapters.ringcentral.simulated import simulate
from adapters.ringcentral.simulator import RingCentralSimulator, crowd_of
from gateway.simulator import Liveliness
from tests.adapters.ringcentral.call_control import BEARER, ringcentral


def crowded(seed: int, *, people: int = 4) -> tuple[RingCentralSimulator, Any]:
    sim = RingCentralSimulator(clock=lambda: 1_700_000_000.0, seed=seed)
    crowd = crowd_of(sim, Liveliness(rooms=6, people=people, churn=1.0, seed=seed), sim.add_extension(jwt="jwt"))
    crowd.furnish()
    return sim, crowd


def test_the_same_seed_makes_the_same_crowd() -> None:
    def lived(seed: int) -> Any:
        sim, crowd = crowded(seed)
        for _ in range(2_000):
            crowd.step()
        return sim.truth()

    assert lived(3) == lived(3)
    assert lived(3) != lived(4)


def test_conferences_are_hosted_come_to_an_end_and_follow_one_another() -> None:
    sim, crowd = crowded(1)
    seen, sizes, aside = set(sim.conferences()), set(), set()
    for _ in range(3_000):
        crowd.step()
        truth = sim.truth()
        assert len(truth) <= 6
        assert all(room["active"] for room in truth.values())
        sizes |= {len(room["participants"]) for room in truth.values()}
        joined = sum(len(room["participants"]) - 1 for room in truth.values())
        aside.add(len(sim.calls()) - joined)
        seen |= set(truth)
    assert sizes == {1, 2, 3, 4, 5}
    assert len(seen) > 10
    assert aside == {0, 1, 2, 3}


def test_more_people_than_a_conference_takes_stay_outside() -> None:
    sim, crowd = crowded(1, people=30)
    for _ in range(2_000):
        crowd.step()
    assert max(len(room["participants"]) for room in sim.truth().values()) == 10


async def test_a_living_simulator_sends_events() -> None:
    lively = Liveliness(rooms=3, people=4, churn=500)
    async with (
        ringcentral() as client,
        client.subscribed() as socket,
        crowd_of(client.sim, lively, client.ada).living(),
    ):
        codes: set[str] = set()
        while not {"Gone", "Disconnected"} <= codes:
            codes |= {one[3] for one in await socket.changes()}


async def test_simulate_serves_what_its_settings_connect_to() -> None:
    liveliness = Liveliness(rooms=3, people=4, churn=0, talk_rate=0)
    async with simulate(host="127.0.0.1", port=0, liveliness=liveliness) as backend, aiohttp.ClientSession() as http:
        settings = {name: str(value) for name, value in backend.settings.items()}
        assert set(settings) == {"url", "client_id", "client_secret", "jwt"}
        basic = aiohttp.encode_basic_auth(settings["client_id"], settings["client_secret"])
        form = {"grant_type": BEARER, "assertion": settings["jwt"]}
        async with http.post(
            f"{settings['url']}/restapi/oauth/token", data=form, headers={"Authorization": basic}
        ) as response:
            tokens = await response.json()
        assert tokens["owner_id"] == backend.somebody
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        url = f"{settings['url']}/restapi/v1.0/account/~/extension/~/presence?detailedTelephonyState=true"
        async with http.get(url, headers=headers) as response:
            calls = (await response.json())["activeCalls"]
        assert sum(one["to"] == "conference" for one in calls) == 3
