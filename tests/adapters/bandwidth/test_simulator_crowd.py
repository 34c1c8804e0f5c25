"""The crowd of the simulated Bandwidth lives in conferences that never end by themselves, the same for a seed."""

from typing import Any

import aiohttp

from adapters.bandwidth.simulated import simulate
from adapters.bandwidth.simulator import BandwidthSimulator, crowd_of
from gateway.simulator import Liveliness
from tests.adapters.bandwidth.plain import Hook


def crowded(seed: int, *, people: int = 4) -> tuple[BandwidthSimulator, Any]:
    sim = BandwidthSimulator(clock=lambda: 1_700_000_000.0, seed=seed)
    crowd = crowd_of(sim, Liveliness(rooms=6, people=people, churn=1.0, seed=seed))
    crowd.furnish()
    return sim, crowd


def test_the_same_seed_makes_the_same_crowd() -> None:
    def lived(seed: int) -> Any:
        sim, crowd = crowded(seed)
        for _ in range(500):
            crowd.step()
        return sim.truth()

    assert lived(3) == lived(3)
    assert lived(3) != lived(4)


def test_people_come_and_go_and_whoever_is_there_longest_stays() -> None:
    sim, crowd = crowded(1)
    longest = {room: next(iter(one["participants"])) for room, one in sim.truth().items()}
    assert list(longest) == crowd.room_ids
    seen: set[str] = set()
    sizes, flags = set(), set()
    for _ in range(2_000):
        crowd.step()
        for room, truth in sim.truth().items():
            assert longest[room] in truth["participants"]
            seen |= set(truth["participants"])
            sizes.add(len(truth["participants"]))
            flags |= {(one["muted"], one["on_hold"]) for one in truth["participants"].values()}
    assert sim.conference_ids == crowd.room_ids
    assert sizes == {1, 2, 3, 4}
    assert len(seen) > 100
    assert flags == {(one, other) for one in (True, False) for other in (True, False)}


def test_more_people_than_a_conference_takes_stay_outside() -> None:
    sim, crowd = crowded(1, people=30)
    sizes = {len(room["participants"]) for room in sim.truth().values()}
    for _ in range(500):
        crowd.step()
        sizes |= {len(room["participants"]) for room in sim.truth().values()}
    assert max(sizes) == 20


def test_when_clients_remove_people_or_end_a_room_the_crowd_lives_on() -> None:
    sim, crowd = crowded(2)
    for step in range(1_000):
        crowd.step()
        room = crowd.room_ids[step % 5]
        first = next(iter(sim.truth()[room]["participants"]))
        if len(sim.truth()[room]["participants"]) > 1:
            sim.remove(room, first)
    sim.complete(crowd.room_ids[0])
    for _ in range(1_000):
        crowd.step()
    assert sim.conference_ids == crowd.room_ids[1:]
    up = [call for call in sim.calls if call.state == "active"]
    inside = sum(len(room["participants"]) for room in sim.truth().values())
    assert len(up) - inside < 20, "calls of people who were removed are hung up in the end"


async def test_a_living_simulator_calls_back() -> None:
    async with Hook().listening() as hook, BandwidthSimulator() as sim:
        crowd = crowd_of(sim, Liveliness(rooms=3, people=4, churn=500))
        async with crowd.living():
            for room in crowd.room_ids:
                # As a client would set its own address in a conference that somebody else has made.
                path = f"{sim.url}/v1/users/{sim.user_id}/conferences/{room}"
                basic = aiohttp.encode_basic_auth(sim.token, sim.secret)
                async with aiohttp.ClientSession(headers={"Authorization": basic}) as http:
                    await http.post(path, json={"callbackUrl": hook.url()})
            await sim.until(lambda: {one["state"] for one in hook.got} == {"active", "completed"})


async def test_simulate_serves_what_its_settings_connect_to() -> None:
    liveliness = Liveliness(rooms=3, people=4, churn=0, talk_rate=0)
    async with simulate(host="127.0.0.1", port=0, liveliness=liveliness) as backend, aiohttp.ClientSession() as http:
        settings = {name: str(value) for name, value in backend.settings.items()}
        assert settings.keys() >= {"url", "user_id", "token", "secret", "number", "requests_per_second"}
        assert (backend.callback_setting, len(backend.adopt)) == ("callback_url", 3)
        basic = aiohttp.encode_basic_auth(settings["token"], settings["secret"])
        base = f"{settings['url']}/v1/users/{settings['user_id']}"
        for room in backend.adopt:
            async with http.get(f"{base}/conferences/{room}", headers={"Authorization": basic}) as response:
                read = await response.json()
            assert (read["state"], read["from"], "callbackUrl" in read) == ("active", settings["number"], False)
        url = f"{base}/calls?conferenceId={backend.adopt[0]}"
        async with http.get(url, headers={"Authorization": basic}) as response:
            calls = await response.json()
        assert backend.somebody in [one["to"] if one["direction"] == "out" else one["from"] for one in calls]


async def test_no_rooms_are_possible_too() -> None:
    async with simulate(host="127.0.0.1", port=0, liveliness=Liveliness(rooms=0)) as backend:
        assert (backend.adopt, backend.somebody) == ((), None)
