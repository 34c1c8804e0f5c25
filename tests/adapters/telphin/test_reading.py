"""Readings at a Telphin that serves one room oddly, lists less than there is, or has extensions that are no phones."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from adapters.telphin.errors import RefusedError
from adapters.telphin.hooks import Hooks
from adapters.telphin.reading import RoomReader, SettingsReader
from adapters.telphin.rooms import Rooms
from gateway.live.link import BackendStatus
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from tests.adapters.telphin.signed_in import HOOK, Server, seat_before
from tests.adapters.telphin.telphin_gateway import House, house
from tests.adapters.telphin.told import told

API = "/api/ver1.0"
EXTENSIONS = f"{API}/client/@me/extension/"


class Pbx:
    """What it lists, what there is, and which settings it refuses with which status; all that is asked is noted."""

    def __init__(self, *rooms: str) -> None:
        self.listed = list(rooms)
        self.there = dict.fromkeys(rooms, "conference")
        self.refused: dict[str, int] = {}
        self.server = Server(self._answer)
        self.reports: list[Report] = []

    async def tell(self, reports: Iterable[Report]) -> None:
        self.reports += reports

    def asked(self, path: str) -> int:
        return sum(line.partition("?")[0] == f"GET {path}" for line in self.server.lines)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == EXTENSIONS:
            rooms = self.listed if request.query["page"] == "1" else []
            return web.json_response([self._extension(room) for room in rooms])
        if request.path.startswith(EXTENSIONS):
            named = request.path.removeprefix(EXTENSIONS)
            if named not in self.there:
                return web.json_response({}, status=404)
            return web.json_response(self._extension(named))
        if request.path.endswith("/conference/"):
            status = self.refused.get(request.path.split("/")[4], 200)
            return web.json_response({"max_members": 5}, status=status)
        return web.json_response([] if request.method == "GET" else {"id": 1})

    def _extension(self, named: str) -> dict[str, object]:
        return {"id": int(named), "name": f"000*{named}", "type": self.there[named], "label": named}


@asynccontextmanager
async def reading(pbx: Pbx) -> AsyncIterator[tuple[RoomReader, SettingsReader, Rooms]]:
    async with seat_before(pbx.server) as seat:
        rooms, hooks = Rooms(), Hooks(seat.client, HOOK)
        hooks.use("hook-secret")
        settings = SettingsReader(seat.client, rooms)
        yield RoomReader(seat.client, rooms, hooks, settings), settings, rooms


@pytest.mark.parametrize("status", [403, 500])
async def test_a_room_whose_settings_are_refused_is_a_trouble_and_the_others_are_read(status: int) -> None:
    pbx = Pbx("1", "2", "3")
    pbx.refused["2"] = status
    async with reading(pbx) as (reader, settings, rooms):
        await reader.all(pbx.tell)
        assert list(settings.due()) == ["1", "2", "3"]
        for room in settings.due():
            await settings.read(room)
        assert [room.settings is None for room in rooms.all()] == [False, True, False]
        assert settings.due() == []  # nor asked for again at once
        [trouble] = settings.troubles
        assert "settings of 1 of the rooms" in trouble
        await reader.one(RoomId("2"), pbx.tell)
        pbx.refused.clear()
        await reader.one(RoomId("2"), pbx.tell)
        assert settings.troubles == ()


async def test_a_refusal_of_who_we_are_is_no_rooms() -> None:
    pbx = Pbx("1")
    pbx.refused["1"] = 401
    async with reading(pbx) as (reader, settings, _):
        await reader.all(pbx.tell)
        with pytest.raises(RefusedError):
            await settings.read(RoomId("1"))


async def test_all_rooms_are_read_without_a_request_for_the_settings_of_each() -> None:
    pbx = Pbx(*map(str, range(1, 51)))
    async with reading(pbx) as (reader, _, rooms):
        await reader.begin()
        assert len(pbx.server.lines) == 2
        await reader.all(pbx.tell)
        assert len(rooms.ids()) == 50
        assert len(pbx.server.lines) == 2 + 3 + 8 * 4  # with the subscriptions of the first
        assert not any("/conference/" in line for line in pbx.server.lines)


async def test_a_known_room_that_is_not_listed_is_asked_for_before_it_is_taken_for_gone() -> None:
    pbx = Pbx(*map(str, range(1, 10)))
    async with reading(pbx) as (reader, _, rooms):
        await reader.all(pbx.tell)
        pbx.listed.remove("3")
        pbx.listed.remove("4")
        del pbx.there["4"]
        await reader.all(pbx.tell)
        assert rooms.ids() == [each for each in map(str, range(1, 10)) if each != "4"]
        pbx.listed.clear()
        pbx.there.clear()
        before = len(pbx.server.lines)
        await reader.all(pbx.tell)
        assert len(rooms.ids()) == 3  # five are asked for at a time
        assert sum(line.startswith(f"GET {EXTENSIONS}") and "?" not in line for line in pbx.server.lines[before:]) == 5


async def test_whether_people_came_from_a_phone_is_asked_for_once() -> None:
    pbx = Pbx("1")
    async with reading(pbx) as (reader, _, rooms):
        await reader.all(pbx.tell)
        pbx.there |= {"101": "phone", "77": "ivr"}
        for call, extension in (("c1", "101"), ("c2", "77"), ("c3", "77"), ("c4", "66")):
            rooms.told(told("dial-in", call, room="1", phone=extension), datetime.now(UTC))
        for _ in range(2):
            await reader.one(RoomId("1"), pbx.tell)
        assert [pbx.asked(f"{EXTENSIONS}{each}") for each in ("101", "77", "66")] == [1, 1, 1]
        room = rooms.one(RoomId("1"))
        assert room is not None
        assert [each.user_id for each in room.participants.values()] == ["77", "77", "66"]


async def test_a_link_that_was_lost_for_a_moment_costs_a_few_requests_however_many_rooms_there_are(
    tmp_path: Path,
) -> None:
    def arrange(there: House) -> None:
        for nth in range(30):
            there.sim.add_room(f"Room {nth}")

    async with house(tmp_path, arrange=arrange, poll_interval_s=0.1) as there:
        there.sim.faults.http_status = 502
        await there.seat.until_status(BackendStatus.STALE)
        asked = there.asked("GET /event/")
        there.sim.faults.http_status = None
        await there.seat.until_status(BackendStatus.LIVE)
        assert there.asked("GET /event/") == asked
