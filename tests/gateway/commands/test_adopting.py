"""Conferences of a backend that lists none are adopted by the demo, or by who pastes what `simulate` prints."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.commands.adopting import adopt, to_paste
from gateway.commands.demo import _listened_on
from gateway.commands.running import Complaint
from gateway.live.link import BackendStatus
from gateway.model.capability import Capability, absent
from gateway.model.commands import AdoptRoom
from gateway.web.app import WebLimits, make_app
from gateway.web.server import serving
from tests.gateway.live.desk_side import Faulty
from tests.gateway.schema.house import ADMIN, PBX, House, house_with


@pytest.fixture
def pbx() -> Faulty:
    return Faulty()


@pytest.fixture
async def house(tmp_path: Path, pbx: Faulty) -> AsyncIterator[House]:
    async with house_with(tmp_path, pbx) as house:
        yield house


@pytest.fixture
async def url(house: House) -> AsyncIterator[str]:
    app = make_app(house.live, house.storage, lambda _: ADMIN, b"1" * 32, WebLimits())
    async with serving(app, "127.0.0.1", _listened_on(0)) as port:
        yield f"http://127.0.0.1:{port}/graphql"


async def test_all_are_adopted_once_their_backend_is_connected(house: House, pbx: Faulty, url: str) -> None:
    await house.until_live()
    pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    conferences = [pbx.open_elsewhere(f"conf-{nth}") for nth in range(3)]
    adopting = asyncio.create_task(adopt(url, {"pbx": conferences, "cloud": ()}))
    pbx.reachable = True
    async with asyncio.timeout(20):
        await adopting
    assert all(house.room(each) for each in conferences)


async def test_an_adoption_without_an_answer_is_asked_for_again(house: House, pbx: Faulty, url: str) -> None:
    await house.until_live()
    pbx.open_elsewhere("conf-1")
    pbx.hold.clear()
    adopting = asyncio.create_task(adopt(url, {"pbx": ["conf-1"]}))
    await house.until(lambda: len(pbx.executed) == 2)
    pbx.hold.set()
    async with asyncio.timeout(20):
        await adopting
    assert house.room("conf-1")


@pytest.mark.parametrize(
    ("native_id", "listing", "why"),
    [("nowhere", False, "there is no such conference"), ("conf-1", True, "it lists its rooms by itself")],
)
async def test_what_cannot_be_adopted_ends_the_command(
    house: House, pbx: Faulty, url: str, native_id: str, listing: bool, why: str
) -> None:
    await house.until_live()
    pbx.open_elsewhere("conf-1")
    if listing:
        pbx.abilities[Capability.ADOPT_ROOM] = absent("it lists its rooms by itself", "here")
    with pytest.raises(Complaint, match=f"{native_id} of pbx could not be adopted: .*{why}"):
        await adopt(url, {"pbx": [native_id]})


async def test_what_is_printed_can_be_pasted(house: House, pbx: Faulty) -> None:
    await house.until_live()
    conferences = [pbx.open_elsewhere(f'conf-{nth}-"') for nth in range(60)]
    mutations = list(to_paste("pbx", conferences))
    assert len(mutations) == 2
    for mutation in mutations:
        data = await house.data(mutation)
        assert {each["outcome"] for each in data.values()} == {"CONFIRMED"}
    assert [each.native_id for each in pbx.executed if isinstance(each, AdoptRoom)] == conferences
