"""A crowd lives in the simulated XiVO, and `simulate` says how to connect to it."""

import tomllib
from typing import Any

import aiohttp

from adapters.kit.crowd import Crowd
from adapters.xivo.simulated import simulate
from adapters.xivo.simulator import Member, XivoSimulator, crowd_of
from gateway.commands.simulate import as_table
from gateway.simulator import Liveliness, SimulatedBackend
from tests.adapters.xivo.xuc_client import Phone, xuc


def house(sim: XivoSimulator) -> None:
    for login, number in (("host", "1001"), ("guest", "1002")):
        sim.add_user(login, f"pw-{login}", number=number)


def crowded(seed: int, *, people: int = 4) -> tuple[XivoSimulator, Crowd[Member]]:
    sim = XivoSimulator(clock=lambda: 1_700_000_000.0)
    house(sim)
    crowd = crowd_of(sim, Liveliness(rooms=6, people=people, seed=seed), host="host", visitor="guest")
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


def test_the_host_stays_in_the_first_room_and_the_visitor_comes_and_goes() -> None:
    sim, crowd = crowded(1)
    visits = set()
    for _ in range(3_000):
        crowd.step()
        assert sim.rooms_of("host") == ["4000"]
        [host] = [one for one in sim.people("4000") if one.login == "host"]
        assert host.organizer
        visits.add(tuple(sim.rooms_of("guest")))
    assert () in visits
    assert len(visits) > 2
    assert all(len(rooms) <= 1 for rooms in visits)


def test_rooms_are_numbered_from_4000_and_some_ask_for_a_pin() -> None:
    sim, crowd = crowded(1)
    assert crowd.room_ids == [str(number) for number in range(4000, 4006)]
    assert {room.pin is None for room in sim._rooms.by_number.values()} == {True, False}


async def test_a_living_simulator_sends_events() -> None:
    async with xuc(house) as client, client.phone("host") as phone:
        liveliness = Liveliness(rooms=3, people=4, churn=500, talk_rate=500)
        async with crowd_of(client.sim, liveliness, host="host", visitor="guest").living():
            kinds = {(await phone.next())["msgType"] for _ in range(100)}
        assert "ConferenceParticipantEvent" in kinds


async def test_simulate_serves_what_its_settings_connect_to() -> None:
    liveliness = Liveliness(rooms=3, people=4, churn=0, talk_rate=0)
    async with simulate(host="127.0.0.1", port=0, liveliness=liveliness) as backend, aiohttp.ClientSession() as http:
        settings, accounts = backend.settings, backend.settings["accounts"]
        assert isinstance(accounts, dict)
        assert backend.somebody == next(iter(accounts))
        assert settings["login"] not in accounts
        members: set[str | None] = set()
        for login, password in ((settings["login"], settings["password"]), *accounts.items()):
            base = f"{settings['url']}/xuc/api/2.0"
            async with http.post(f"{base}/auth/login", json={"login": login, "password": password}) as response:
                token = (await response.json())["token"]
            async with http.ws_connect(f"{base}/cti", params={"token": token}) as socket:
                rooms = await Phone(socket).rooms()
            members = {one.get("username") for room in rooms for one in room["members"]}
            assert [room["number"] for room in rooms] == ["4000", "4001", "4002"]
        assert backend.somebody in members
        assert settings["login"] not in members


def test_accounts_are_written_as_a_table_that_toml_reads() -> None:
    settings: dict[str, str | dict[str, str]] = {
        "url": "http://127.0.0.1:1",
        "login": "a",
        "accounts": {"ada": 'p"w', "b.c": "é"},
    }
    read = tomllib.loads(as_table("xivo", "xivo", SimulatedBackend("A simulator", settings, "ada")))
    [table] = read["backends"]
    assert table == {"id": "xivo", "kind": "xivo", "name": "A simulator", **settings}
