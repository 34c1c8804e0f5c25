"""The open feed: rooms are followed before they are read, many are followed slowly, and its end is told."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters.kazoo import feed as feed_module
from adapters.kazoo import stream as stream_module
from adapters.kazoo.simulator import Generation, KazooSimulator
from adapters.kit.reports import Reports
from gateway.model.errors import LinkDown, SignInRefused
from gateway.model.ids import RoomId
from gateway.model.reports import EndReport, JoinReport, LeaveReport, RosterDoubtReport, StartReport
from gateway.model.room import RoomState
from tests.adapters.kazoo.kazoo_adapter import connected, connected_to


@pytest.mark.parametrize("simulated", Generation)
async def test_a_room_is_read_and_followed_in_every_generation(simulated: Generation) -> None:
    async with connected(simulated) as seat:
        busy, idle = seat.sim.add_room("Busy", numbers=["100"]), seat.sim.add_room("Idle")
        ann = seat.sim.someone_joins(busy, "Ann", moderator=True, owner_id=seat.sim.owner_id)
        rooms = await seat.rooms()
        assert (rooms[busy].state, rooms[idle].state) == (RoomState.ACTIVE, RoomState.IDLE)
        assert rooms[busy].run_id == seat.sim.instance_id(busy)
        assert rooms[busy].participants.keys() == {ann}
        ben = seat.sim.someone_joins(idle, "Ben")
        started, joined = await seat.next(), await seat.next()
        assert started == StartReport(room_id=RoomId(idle), run_id=seat.sim.instance_id(idle))
        assert isinstance(joined, JoinReport)
        assert (joined.participant.id, joined.participant.display_name) == (ben, "Ben")
        seat.sim.someone_leaves(idle, ben)
        assert isinstance(await seat.next(), LeaveReport)
        assert isinstance(await seat.next(), EndReport)
        assert seat.adapter.misunderstood == 0


async def test_a_room_that_starts_between_the_list_and_the_subscription_is_seen() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        seat.sim.faults.drop_events = {"conference-create", "add-member"}
        original = feed_module.Feed.follow

        async def follow(self: feed_module.Feed, room_id: RoomId) -> None:
            if not seat.sim.people(room):
                seat.sim.someone_joins(room)
            await original(self, room_id)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(feed_module.Feed, "follow", follow)
            assert (await seat.rooms())[room].state is RoomState.ACTIVE


async def test_a_room_that_runs_and_has_nobody_in_it_is_asked_for_once_more() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        seat.sim.someone_joins(room)
        empty = b'{"revision":"1-a","data":{"id":"x","_read_only":{"members":0,"participants":[]}}}'
        seat.sim.answer_raw("GET", f"conferences/{room}", empty)
        assert len((await seat.rooms())[room].participants) == 1


async def test_a_participant_that_cannot_be_understood_costs_nobody_else() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        body = b'{"revision":"1","data":{"_read_only":{"members":{},"participants":[7,{"call_id":1},{"call_id":"c"}]}}}'
        seat.sim.answer_raw("GET", f"conferences/{room}", body)
        assert set((await seat.read(room)).participants) == {"c"}
        assert seat.adapter.misunderstood == 3


async def test_list_items_that_cannot_be_understood_cost_only_themselves() -> None:
    async with connected() as seat:
        body = b'{"data":[7,{},{"id":5},{"id":"r1","name":7,"member":[],"_read_only":{"members":0}}]}'
        for _ in range(2):
            seat.sim.answer_raw("GET", "conferences", body)
        assert set(await seat.rooms()) == {"r1"}


# ---- rooms without a document ----


async def test_a_configured_room_without_a_document_is_there_while_somebody_is_in_it() -> None:
    async with connected(adhoc_rooms=["stand.up"]) as seat:
        assert await seat.rooms() == {}
        who = seat.sim.someone_joins("stand.up")
        assert isinstance(await seat.next(), StartReport)
        room = (await seat.rooms())["stand.up"]
        assert (set(room.participants), room.permanent, room.settings) == ({who}, False, None)
        seat.sim.close_room("stand.up")
        assert await seat.rooms() == {}
        assert "conference.event.stand%2Eup.*" in seat.sim.subscriptions


@pytest.mark.parametrize("simulated", [Generation.K4_0, Generation.K4_3])
async def test_an_unknown_room_is_no_room(simulated: Generation) -> None:
    async with connected(simulated) as seat:
        assert await seat.adapter.read_room(RoomId("typo")) is None
        assert not seat.sim.subscriptions


async def test_a_deleted_room_lives_on_without_its_document() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        seat.sim.someone_joins(room)
        await seat.rooms()
        await seat.adapter._client.delete(RoomId(room))
        assert await seat.rooms() == {}
        assert not (await seat.read(room)).permanent


# ---- many rooms ----


async def test_many_rooms_are_followed_within_the_rate_limit_and_read_again_at_the_end() -> None:
    async with KazooSimulator() as sim:
        rooms = [sim.add_room(f"Room {n}") for n in range(95)]
        sim.someone_joins(rooms[7])
        sim.faults.rate_limit = True
        sim.faults.refill_per_s = 1000
        async with connected_to(sim) as seat:
            assert len(await seat.rooms()) == 95
            assert f"conference.event.{rooms[7]}.*" in sim.subscriptions
            assert len(sim.subscriptions) < 95
            assert isinstance(await seat.next(), RosterDoubtReport)
            assert len(sim.subscriptions) == 95


@pytest.fixture
def no_pause() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_module, "_SLOWED_S", 0.01)
        yield


@pytest.mark.usefixtures("no_pause")
async def test_a_subscription_that_came_too_soon_is_sent_again() -> None:
    async with connected() as seat:
        for _ in range(30):
            seat.sim.add_room()
        await seat.read(seat.sim.room_ids()[0])
        seat.sim.faults.rate_limit = True
        seat.sim.faults.burst = 25
        seat.sim.faults.refill_per_s = 5000
        assert len(await seat.rooms()) == 30
        assert len(seat.sim.subscriptions) == 30


# ---- the end ----


async def test_the_end_of_the_socket_ends_the_feed_after_what_was_reported() -> None:
    async with connected() as seat:
        room = seat.sim.add_room()
        await seat.rooms()
        seat.sim.open_room(room)
        assert isinstance(await seat.next(), StartReport)
        seat.sim.drop_link()
        with pytest.raises(LinkDown):
            await seat.next()
        with pytest.raises(LinkDown):
            await seat.adapter.read_room(RoomId(room))


async def test_without_a_feed_nothing_is_read() -> None:
    async with connected() as seat:
        adapter = seat.adapter
        feed = adapter._feed
        assert feed is not None
    with pytest.raises(LinkDown, match="not connected"):
        await adapter.snapshot()


async def test_a_feed_can_be_opened_again_and_leaves_no_socket_behind() -> None:
    async with KazooSimulator() as sim, connected_to(sim) as seat:
        await sim.until(lambda: sim.sockets == 1)
    async with KazooSimulator() as sim:
        adapter = seat.adapter.configured(
            {"url": f"{sim.base_url}/v2", "socket_url": sim.socket_url, "api_key": sim.api_key}
        )
        for _ in range(3):
            async with adapter.feed():
                await sim.until(lambda: sim.sockets == 1)
            await sim.until(lambda: sim.sockets == 0)
        await adapter.aclose()


async def test_an_event_socket_that_is_refused_is_a_link_that_is_down() -> None:
    async with KazooSimulator() as sim:
        sim.faults.max_sockets = 0
        with pytest.raises(LinkDown, match="answered 429"):
            async with connected_to(sim):
                raise AssertionError("it connected")


async def test_a_socket_that_never_answers_is_a_link_that_is_down() -> None:
    async with connected(request_timeout_s=0.8) as seat:
        room = seat.sim.add_room()
        for session in seat.sim._blackhole.sessions:
            session.socket.push = lambda *_: True  # type: ignore[method-assign]  # nothing comes back any more
        with pytest.raises(LinkDown, match="did not answer"):
            await seat.adapter.read_room(RoomId(room))


async def test_a_silent_socket_is_pinged_and_any_reply_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_PING_INTERVAL_S", 0.02)
    for simulated in (Generation.K4_3, Generation.K5):
        async with KazooSimulator(generation=simulated, idle_close_s=0.3) as sim, connected_to(sim) as seat:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.7):
                    await seat.next()
            assert sim.sockets == 1


async def test_another_account_is_not_ours_to_follow() -> None:
    async with connected(account_id="0" * 32, generation="4.3") as seat:
        with pytest.raises(SignInRefused):
            await seat.adapter.snapshot()


async def test_reports_that_nobody_takes_hold_up_those_who_add_them() -> None:
    reports = Reports(most=2)
    for _ in range(2):
        await reports.add(RosterDoubtReport())
    third = asyncio.create_task(reports.add(RosterDoubtReport()))
    await asyncio.sleep(0)
    assert not third.done()
    await anext(reports)
    await third
    reports.end(LinkDown("over"))
    reports.end(LinkDown("again"))
    assert [await anext(reports) for _ in range(2)] == [RosterDoubtReport()] * 2
    with pytest.raises(LinkDown, match="over"):
        await anext(reports)
