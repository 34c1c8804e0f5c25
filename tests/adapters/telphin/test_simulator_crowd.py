"""The crowd of the simulated Telphin does what is possible, and is the same for the same seed."""

from typing import Any

import aiohttp

from adapters.telphin.simulated import simulate
from adapters.telphin.simulator import TelphinSimulator, crowd_of
from gateway.simulator import Liveliness
from tests.adapters.telphin.ringme import hooked, telphin


def crowded(seed: int, *, people: int = 4) -> tuple[TelphinSimulator, Any]:
    sim = TelphinSimulator(clock=lambda: 1_700_000_000.0, seed=seed)
    liveliness = Liveliness(rooms=6, people=people, churn=1.0, seed=seed)
    crowd = crowd_of(sim, liveliness, sim.add_phone("Ada Lambert"))
    crowd.furnish()
    return sim, crowd


def test_the_same_seed_makes_the_same_crowd() -> None:
    def lived(seed: int) -> Any:
        sim, crowd = crowded(seed)
        for _ in range(1_000):
            crowd.step()
        return sim.truth()

    assert lived(3) == lived(3)
    assert lived(3) != lived(4)


def test_rooms_fill_and_empty_with_colleagues_and_strangers_and_the_host_stays() -> None:
    sim, crowd = crowded(1)
    [first, *_] = crowd.room_ids
    sizes, kinds, muted, moderators = set(), set(), set(), set()
    for _ in range(2_000):
        crowd.step()
        truth = sim.truth()
        assert "Ada Lambert" in {one["name"] for one in truth[first]["participants"].values()}
        phones = [leg.call.caller.phone for room in sim.rooms() for leg in sim.people(room) if leg.call.caller.phone]
        assert len(phones) == len(set(phones))
        for room in truth.values():
            sizes.add(len(room["participants"]))
            for one in room["participants"].values():
                kinds.add(one["internal"])
                muted.add(one["muted"])
                moderators.add(one["moderator"])
    assert sizes == {0, 1, 2, 3, 4}
    assert kinds == muted == moderators == {True, False}
    assert len({room["label"] for room in sim.truth().values()}) == 6


def test_the_crowd_leaves_a_room_alone_that_somebody_removes() -> None:
    sim, crowd = crowded(1)
    sim.remove_room(crowd.room_ids[1])
    for _ in range(500):
        crowd.step()
    assert len(sim.truth()) == 5


async def test_a_living_simulator_tells_of_it() -> None:
    lively = Liveliness(rooms=2, people=4, churn=500)
    async with telphin() as client, hooked() as hook:
        host = client.sim.add_phone("Ada Lambert")
        async with crowd_of(client.sim, lively, host).living():
            for room in client.sim.rooms():
                await client.subscribe(room, hook.address)
            await client.sim.until(lambda: {"dial-in", "answer", "hangup"} == set(hook.told()))


async def test_simulate_serves_what_its_settings_connect_to() -> None:
    liveliness = Liveliness(rooms=3, people=4, churn=0, talk_rate=0)
    async with simulate(host="127.0.0.1", port=0, liveliness=liveliness) as backend, aiohttp.ClientSession() as http:
        settings = {name: str(value) for name, value in backend.settings.items()}
        assert set(settings) == {"url", "app_id", "app_secret", "poll_interval_s"}
        assert backend.callback_setting == "webhook_url"
        form = {
            "grant_type": "client_credentials",
            "client_id": settings["app_id"],
            "client_secret": settings["app_secret"],
        }
        async with http.post(f"{settings['url']}/oauth/token", data=form) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
        url = f"{settings['url']}/api/ver1.0/client/@me"
        async with http.get(f"{url}/extension/", params={"type": "conference"}, headers=headers) as response:
            assert len(await response.json()) == 3
        async with http.get(f"{url}/current_calls/", headers=headers) as response:
            callers = {str(call["caller_extension"]["id"]) for call in await response.json()}
        assert backend.somebody in callers
