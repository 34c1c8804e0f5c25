"""The subscriptions of the hook: three for each room, made once, found again, put right, and nobody else's touched."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError
from adapters.telphin.hooks import Hooks
from adapters.telphin.simulator import TelphinSimulator
from adapters.telphin.transport import Transport
from gateway.live.link import BackendStatus
from gateway.model.ids import RoomId
from tests.adapters.telphin.signed_in import APP_SECRET, Server, answering, seat_before, settings_for
from tests.adapters.telphin.telphin_gateway import STRANGER, House, adapter_for, gateway_at, house, simulated
from tests.contract.gateway_on_rig import gateway_on

SECRET = "hook-secret-3f91"
URL = "http://127.0.0.1:1/hooks/pbx/"
OTHERS = "https://crm.example.org/telphin"
DAY_S = 24 * 3600.0
KINDS = {"dial-in", "answer", "hangup"}


class Keeper:
    """The upkeep without the rest of the adapter, and a clock that a test sets."""

    def __init__(self, sim: TelphinSimulator, transport: Transport) -> None:
        self.sim = sim
        self.client = Client(transport)
        self.now_s = 0.0
        self.room = RoomId(sim.add_room("Sales"))
        self.hooks = Hooks(self.client, URL, lambda: self.now_s)
        self.hooks.use(SECRET)

    @property
    def urls(self) -> list[tuple[str, str]]:
        return [(each.event_type, each.url) for each in self.sim.subscriptions(self.room)]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, url in self.urls if url == f"{URL}{SECRET}"]


@asynccontextmanager
async def keeper(**options: object) -> AsyncIterator[Keeper]:
    async with TelphinSimulator(app_secret=APP_SECRET, **options) as sim:  # type: ignore[arg-type]  # as a test has them
        transport = Transport(settings_for(sim.url, app_id=sim.app_id))
        try:
            yield Keeper(sim, transport)
        finally:
            await transport.aclose()


ROOMS = [RoomId(str(nth)) for nth in range(1, 10)]


@asynccontextmanager
async def refusing(is_refused: Callable[[str], bool]) -> AsyncIterator[tuple[Hooks, Server]]:
    """The upkeep at a Telphin that takes no subscription for some rooms."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response([])
        refused = is_refused(request.path.split("/")[4])
        return web.json_response({"message": "no"} if refused else {"id": 1}, status=400 if refused else 201)

    server = Server(answer)
    async with seat_before(server) as seat:
        hooks = Hooks(seat.client, URL)
        hooks.use(SECRET)
        yield hooks, server


# ---- as the gateway has them ----


async def test_each_room_has_one_subscription_of_each_kind_with_our_secret_in_its_path(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        for label in ("Sales", "Support"):
            there.sim.add_room(label)

    async with house(tmp_path, arrange=arrange) as there:
        secrets = {there.secret(room) for room in there.sim.rooms()}
        assert len(secrets) == 1
        assert len(secrets.pop()) >= 32
        for room in there.sim.rooms():
            assert there.addresses(room) == dict.fromkeys(KINDS, f"{there.hook}{there.secret(room)}")
            assert {each.method for each in there.sim.subscriptions(room)} == {"POST"}


async def test_a_restarted_gateway_finds_its_subscriptions_and_makes_none(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        room = there.sim.add_room("Sales")
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
        before = there.addresses(room)
        assert set(before) == KINDS
        upkeep = len(there.sim.upkeep)
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            assert there.addresses(room) == before
            assert len(there.sim.upkeep) == upkeep
            await there.until_shown(room, there.join(room, number=STRANGER))


async def test_a_gateway_that_has_moved_replaces_its_subscriptions(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        room = there.sim.add_room("Sales")
        async with gateway_at(there, app, tmp_path, webhook_url="http://127.0.0.1:9/old/") as seat:
            await seat.until_status(BackendStatus.LIVE)
        secret = there.secret(room)
        assert there.addresses(room)["hangup"] == f"http://127.0.0.1:9/old/{secret}"
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            assert there.addresses(room) == dict.fromkeys(KINDS, f"{there.hook}{secret}")


async def test_a_room_that_appears_is_subscribed_to_before_anybody_in_it_is_looked_for(tmp_path: Path) -> None:
    async with house(tmp_path, poll_interval_s=0.05) as there:
        room = there.sim.add_room("Sales")
        await there.until(lambda: there.is_known(room))
        assert set(there.addresses(room)) == KINDS
        asked = [each.partition("/ver1.0")[2] for each in there.sim.requests]
        assert "/client/@me/current_calls/" in asked[asked.index(f"/extension/{room}/event/") :]


async def test_a_limit_of_subscriptions_is_a_trouble_and_the_rest_goes_on(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        for label in ("Sales", "Support"):
            there.sim.add_room(label)

    async with house(tmp_path, arrange=arrange, sim={"most_events": 4}, poll_interval_s=0.05) as there:
        sales, support = there.sim.rooms()
        assert set(there.addresses(sales)) == KINDS
        assert set(there.addresses(support)) == {"hangup"}
        [trouble] = there.adapter.troubles
        assert "does not tell of calls in 1 of the rooms" in trouble
        assert "409 limit_exceeded" in trouble
        leg = there.join(support, phone=there.identity)
        await there.until(lambda: there.people(support))
        there.leaves(support, leg)
        await there.until_shown(support)


@pytest.mark.parametrize(("status", "word"), [(403, "let the user manage the conference extensions"), (503, "503")])
async def test_where_subscribing_is_refused_that_is_a_trouble_and_the_backend_is_there(
    tmp_path: Path, status: int, word: str
) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales")
        there.sim.faults.fail_upkeep = status

    async with house(tmp_path, arrange=arrange) as there:
        [trouble] = there.adapter.troubles
        assert word in trouble


async def test_a_large_pbx_is_there_at_once_and_is_subscribed_to_bit_by_bit(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        for nth in range(50):
            there.sim.add_room(f"Room {nth}")

    async with house(tmp_path, arrange=arrange, live=False, sim={"quota": 100, "clock": lambda: 0.0}) as there:
        await there.seat.until_status(BackendStatus.LIVE)
        assert len(list(there.seat.live.rooms())) == 50
        assert not there.adapter.troubles
        await there.read(there.sim.rooms()[-1])  # whichever it is, it is seen to
        assert set(there.addresses(there.sim.rooms()[-1])) == KINDS
        looked_after = [line for line in there.sim.requests if line.endswith(("/event/", "/conference/"))]
        assert len(looked_after) <= 100 / 3 + 8


async def test_a_gateway_on_a_copy_of_the_notes_of_one_that_runs_leaves_its_subscriptions_alone(
    tmp_path: Path,
) -> None:
    async with simulated() as (there, app):
        room = there.sim.add_room("Sales")
        original, copied = tmp_path / "original", tmp_path / "copied"
        original.mkdir()
        async with gateway_at(there, app, original) as seat:  # it has run before, and was stopped
            await seat.until_status(BackendStatus.LIVE)
        async with gateway_at(there, app, original) as seat:
            await seat.until_status(BackendStatus.LIVE)
            before = {each.url for each in there.sim.subscriptions(room)}
            shutil.copytree(original, copied)
            for _ in range(2):  # it leaves them alone when it comes again, too
                elsewhere = adapter_for(there.sim, "http://127.0.0.1:9/staging/")
                async with gateway_on(there, copied, elsewhere) as other:
                    await other.until_status(BackendStatus.LIVE)
                assert before < {each.url for each in there.sim.subscriptions(room)}


# ---- by themselves ----


async def test_what_was_found_in_order_is_left_alone_for_most_of_a_day() -> None:
    async with keeper() as there:
        await there.hooks.see_to(there.room)
        assert there.kinds == ["hangup", "answer", "dial-in"]
        asked = len(there.sim.requests)
        there.now_s = DAY_S * 0.74
        await there.hooks.see_to(there.room)
        assert len(there.sim.requests) == asked
        there.now_s = DAY_S
        await there.hooks.see_to(there.room)
        assert len(there.sim.requests) == asked + 1


async def test_subscriptions_that_telphin_lost_are_made_again() -> None:
    async with keeper() as there:
        await there.hooks.see_to(there.room)
        there.sim.forget_subscriptions(there.room)
        there.now_s = DAY_S
        await there.hooks.see_to(there.room)
        assert there.kinds == ["hangup", "answer", "dial-in"]


async def test_what_is_double_of_another_kind_or_has_an_older_secret_is_ended_and_others_are_left_alone() -> None:
    async with keeper() as there:
        there.hooks.use(SECRET, "https://left.example.org/")
        elsewhere = f"https://other.example.org/hooks/pbx/{SECRET}"
        for url, kind in (
            (f"{URL}{SECRET}", "hangup"),
            (f"{URL}{SECRET}", "hangup"),
            (f"{URL}{SECRET}", "voicemail"),
            (f"{URL}{'x' * 43}", "answer"),
            (f"https://left.example.org/{SECRET}", "answer"),
            (elsewhere, "answer"),
            (OTHERS, "hangup"),
            (OTHERS, "hangup"),
        ):
            await there.client.create_event(there.room, url, kind)
        await there.hooks.see_to(there.room)
        assert sorted(there.kinds) == ["answer", "dial-in", "hangup"]
        others = [each for each in there.urls if each[1] != f"{URL}{SECRET}"]
        assert others == [("answer", elsewhere), ("hangup", OTHERS), ("hangup", OTHERS)]


async def test_what_is_removed_with_a_room_is_ours_alone() -> None:
    async with keeper() as there:
        await there.client.create_event(there.room, OTHERS, "hangup")
        await there.hooks.see_to(there.room)
        await there.hooks.remove(there.room)
        assert there.urls == [("hangup", OTHERS)]


async def test_a_room_that_is_gone_is_passed_over() -> None:
    async with keeper() as there:
        gone = there.room
        there.sim.remove_room(gone)
        there.room = RoomId(there.sim.add_room("Support"))
        await there.hooks.see_to_some([gone, there.room])
        assert set(there.kinds) == KINDS


async def test_a_trouble_ends_when_there_is_room_for_subscriptions_again() -> None:
    async with keeper(most_events=3) as there:
        other = await there.client.create_event(there.room, OTHERS, "hangup")
        await there.hooks.see_to(there.room)
        assert there.kinds == ["hangup", "answer"]
        assert len(there.hooks.troubles) == 1
        await there.client.delete_event(there.room, str(other["id"]))
        there.now_s = 3600.0
        await there.hooks.see_to(there.room)
        assert set(there.kinds) == KINDS
        assert not there.hooks.troubles


async def test_one_room_that_is_refused_costs_itself() -> None:
    async with refusing(lambda room: room == "2") as (hooks, server):
        await hooks.see_to_some(ROOMS[:5])
        assert "1 of the rooms" in hooks.troubles[0]
        assert {line.split("/")[4] for line in server.lines if line.startswith("POST")} == set(ROOMS[:5])


async def test_when_three_in_succession_are_refused_the_others_are_not_asked_for_in_vain() -> None:
    async with refusing(lambda room: room != "1") as (hooks, server):
        await hooks.see_to_some(ROOMS[:8])
        assert "7 of the rooms" in hooks.troubles[0]
        assert {line.split("/")[4] for line in server.lines} == set(ROOMS[:4])
        await hooks.see_to_some(ROOMS[:8])
        assert {line.split("/")[4] for line in server.lines} == set(ROOMS[:4])


async def test_a_room_is_not_waited_for_by_others_and_waits_for_nobody_when_it_is_in_order() -> None:
    busy, go_on = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if "/extension/1/" in request.path:
            busy.set()
            await go_on.wait()
        return web.json_response([] if request.method == "GET" else {"id": 1})

    async with seat_before(Server(answer)) as seat:
        hooks = Hooks(seat.client, URL)
        hooks.use(SECRET)
        await hooks.see_to(RoomId("2"))
        round_ = asyncio.create_task(hooks.see_to_some(ROOMS[:3]))
        await busy.wait()
        await hooks.see_to(RoomId("2"))
        await hooks.see_to(RoomId("4"))
        await hooks.remove(RoomId("3"))
        go_on.set()
        await round_


async def test_what_can_wait_has_a_third_of_the_quota_in_an_hour() -> None:
    async with keeper(quota=90, most_events=10_000, clock=lambda: 0.0) as there:
        there.sim.restore_quota()
        rooms = [RoomId(there.sim.add_room(f"Room {nth}")) for nth in range(40)]
        for hour in range(1, 5):
            there.now_s = hour * 3600.0
            for _ in range(6):
                await there.hooks.see_to_some(rooms)
            assert sum(len(there.sim.subscriptions(room)) > 0 for room in rooms) == hour * 8  # four requests each
            there.sim.restore_quota()
            await there.client.current_calls()


async def test_without_a_quota_nothing_is_sent_and_it_is_tried_again() -> None:
    async with keeper() as there:
        there.sim.spend_quota()
        with pytest.raises(RateLimitedError):
            await there.hooks.see_to(there.room)
        asked = len(there.sim.requests)
        with pytest.raises(RateLimitedError):
            await there.hooks.see_to(there.room)
        assert len(there.sim.requests) == asked


async def test_a_refusal_of_who_we_are_is_the_links() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    async with seat_before(Server(answer)) as seat:
        hooks = Hooks(seat.client, URL)
        with pytest.raises(RefusedError):
            await hooks.see_to(RoomId("1"))
        assert not hooks.troubles


async def test_a_list_of_subscriptions_that_is_none_costs_that_room() -> None:
    async with seat_before(Server(answering({}))) as seat:
        hooks = Hooks(seat.client, URL)
        await hooks.see_to(RoomId("1"))
        assert "1 of the rooms" in hooks.troubles[0]
