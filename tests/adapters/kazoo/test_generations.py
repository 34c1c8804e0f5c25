"""Which generation of Kazoo answers, and how it wants a subscription written."""

import pytest

from adapters.kazoo.generations import Generation, binding, detect, of_templates
from adapters.kazoo.simulator import Generation as Simulated
from adapters.kazoo.simulator import KazooSimulator
from gateway.model.errors import SignInRefused
from gateway.model.reports import StartReport
from tests.adapters.kazoo.kazoo_adapter import connected, connected_to

FOUND = [
    (Simulated.SEED, False, "4.0"),
    (Simulated.K4_0, False, "4.0"),
    (Simulated.K4_2, False, "4.2"),
    (Simulated.K4_2, True, "master"),
    (Simulated.K4_3, False, "4.3"),
    (Simulated.K5, False, "5"),
]


@pytest.mark.parametrize(("simulated", "master", "found"), FOUND)
async def test_the_generation_is_found_out_when_connecting(simulated: Simulated, master: bool, found: str) -> None:
    async with connected(simulated, master=master) as seat:
        assert seat.adapter.generation == found


@pytest.mark.parametrize(
    ("simulated", "found"),
    [(Simulated.K4_0, "4.0"), (Simulated.K4_2, "4.2"), (Simulated.K4_3, "4.2"), (Simulated.K5, "5")],
)
async def test_without_the_list_of_templates_the_right_form_of_subscription_is_tried_out(
    simulated: Simulated, found: str
) -> None:
    async with KazooSimulator(generation=simulated) as sim:
        sim.faults.websockets_module = False
        room = sim.add_room()
        async with connected_to(sim) as seat:
            assert seat.adapter.generation == found
            assert not sim.subscriptions
            await seat.rooms()
            sim.open_room(room)
            assert isinstance(await seat.next(), StartReport)


@pytest.mark.parametrize("configured", ["4.0", "4.2", "master", "4.3"])
async def test_a_configured_generation_is_believed(configured: str) -> None:
    async with connected(Simulated.K4_2, generation=configured) as seat:
        assert seat.adapter.generation == configured
        assert seat.sent("GET", "/websockets") == 0


async def test_a_wrongly_configured_generation_is_said_to_be_so() -> None:
    async with connected(Simulated.K5, generation="4.2") as seat:
        seat.sim.add_room()
        with pytest.raises(SignInRefused, match="is `generation` right"):
            await seat.adapter.snapshot()


def test_each_generation_names_the_events_of_a_room_in_its_way() -> None:
    names = {generation: binding(generation, "a.b c") for generation in Generation}
    assert names.pop(Generation.K5) == "conference.event.*.a%2Eb%20c.*"
    assert set(names.values()) == {"conference.event.a%2Eb%20c.*"}


@pytest.mark.parametrize(
    "odd", [None, [], {}, {"conference": None}, {"conference": [7, "x", "conference.command.{Y}"]}]
)
def test_odd_lists_of_templates_say_nothing(odd: object) -> None:
    assert of_templates(odd) is None


async def test_an_unknown_room_tells_4_0_from_4_2() -> None:
    async def yes(_: str = "") -> bool:
        return True

    async def no(_: str = "") -> bool:
        return False

    assert await detect({}, yes, no) is Generation.K4_0
    assert await detect({}, yes, yes) is Generation.K4_2
    assert await detect(None, no, yes) is Generation.K5
