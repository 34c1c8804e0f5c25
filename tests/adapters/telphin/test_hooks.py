"""The subscriptions of the hook: three for each room, made once, found again, put right, and nobody else's touched."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError
from adapters.telphin.hooks import Hooks
from adapters.telphin.simulator import TelphinSimulator
from adapters.telphin.transport import Transport
from gateway.live.link import BackendStatus
from gateway.model.ids import RoomId
from tests.adapters.telphin.signed_in import APP_SECRET, settings_for
from tests.adapters.telphin.telphin_gateway import STRANGER, House, gateway_at, house, simulated

SECRET = "hook-secret-3f91"
URL = "http://127.0.0.1:1/hooks/pbx/"
OTHERS = "https://crm.example.org/telphin"
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
        subscribed = asked.index(f"/extension/{room}/event/")
        assert f"/extension/{room}/conference/" in asked[subscribed:]
        assert f"/extension/{room}/conference/" not in asked[:subscribed]


async def test_a_limit_of_subscriptions_is_a_trouble_and_the_rest_goes_on(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        for label in ("Sales", "Support"):
            there.sim.add_room(label)

    async with house(tmp_path, arrange=arrange, sim={"most_events": 4}, poll_interval_s=0.05) as there:
        sales, support = there.sim.rooms()
        assert set(there.addresses(sales)) == KINDS
        assert set(there.addresses(support)) == {"hangup"}
        [trouble] = there.adapter.troubles
        assert "takes no more webhooks" in trouble
        assert "409 limit_exceeded" in trouble
        leg = there.join(support, phone=there.identity)
        await there.until(lambda: there.people(support))
        there.leaves(support, leg)
        await there.until_shown(support)


async def test_where_subscribing_is_forbidden_the_operator_is_told_what_to_ask_for(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales")
        there.sim.faults.fail_upkeep = 403

    async with house(tmp_path, arrange=arrange, live=False) as there:
        await there.seat.until_status(BackendStatus.FAILED)
        assert "let the user manage the conference extensions" in str(there.seat.link.status_reason)


async def test_a_failing_telphin_is_a_link_that_is_down(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales")
        there.sim.faults.fail_upkeep = 503

    async with house(tmp_path, arrange=arrange, live=False) as there:
        await there.until(lambda: "503" in str(there.seat.link.status_reason))
        there.sim.faults.fail_upkeep = None
        await there.seat.until_status(BackendStatus.LIVE)


# ---- by themselves ----


async def test_what_was_found_in_order_is_left_alone_for_an_hour() -> None:
    async with keeper() as there:
        await there.hooks.see_to([there.room])
        assert there.kinds == ["hangup", "answer", "dial-in"]
        asked = len(there.sim.requests)
        there.now_s = 3599.0
        await there.hooks.see_to([there.room])
        assert len(there.sim.requests) == asked
        there.now_s = 3600.0
        await there.hooks.see_to([there.room])
        assert len(there.sim.requests) == asked + 1


async def test_subscriptions_that_telphin_lost_are_made_again() -> None:
    async with keeper() as there:
        await there.hooks.see_to([there.room])
        there.sim.forget_subscriptions(there.room)
        there.now_s = 3600.0
        await there.hooks.see_to([there.room])
        assert there.kinds == ["hangup", "answer", "dial-in"]


async def test_what_is_double_of_another_kind_or_elsewhere_is_ended_and_others_are_left_alone() -> None:
    async with keeper() as there:
        for url, kind in (
            (f"{URL}{SECRET}", "hangup"),
            (f"{URL}{SECRET}", "hangup"),
            (f"{URL}{SECRET}", "voicemail"),
            (f"https://old.example.org/hooks/pbx/{SECRET}", "answer"),
            (OTHERS, "hangup"),
            (OTHERS, "hangup"),
            (f"{URL}another-secret", "answer"),
        ):
            await there.client.create_event(there.room, url, kind)
        await there.hooks.see_to([there.room])
        assert sorted(there.kinds) == ["answer", "dial-in", "hangup"]
        assert [each for each in there.urls if SECRET not in each[1]] == [
            ("hangup", OTHERS),
            ("hangup", OTHERS),
            ("answer", f"{URL}another-secret"),
        ]
        assert len(there.urls) == 6


async def test_what_is_removed_with_a_room_is_ours_alone() -> None:
    async with keeper() as there:
        await there.client.create_event(there.room, OTHERS, "hangup")
        await there.hooks.see_to([there.room])
        await there.hooks.remove(there.room)
        assert there.urls == [("hangup", OTHERS)]


async def test_a_room_that_is_gone_is_passed_over() -> None:
    async with keeper() as there:
        gone = there.room
        there.sim.remove_room(gone)
        there.room = RoomId(there.sim.add_room("Support"))
        await there.hooks.see_to([gone, there.room])
        assert set(there.kinds) == KINDS


async def test_a_trouble_ends_when_there_is_room_for_subscriptions_again() -> None:
    async with keeper(most_events=3) as there:
        other = await there.client.create_event(there.room, OTHERS, "hangup")
        await there.hooks.see_to([there.room])
        assert there.kinds == ["hangup", "answer"]
        assert len(there.hooks.troubles) == 1
        asked = len(there.sim.upkeep)
        there.now_s = 3600.0
        full = RoomId(there.sim.add_room("Support"))
        await there.hooks.see_to([there.room, full])
        assert len(there.sim.upkeep) == asked + 1  # one in vain is enough
        assert "2 of the rooms" in there.hooks.troubles[0]
        there.sim.remove_room(full)
        await there.client.delete_event(there.room, str(other["id"]))
        there.now_s = 7200.0
        await there.hooks.see_to([there.room])
        assert set(there.kinds) == KINDS
        assert "1 of the rooms" in there.hooks.troubles[0]  # of the one that is gone, until the next look at all


async def test_without_a_quota_nothing_is_sent_and_it_is_tried_again() -> None:
    async with keeper() as there:
        there.sim.spend_quota()
        with pytest.raises(RateLimitedError):
            await there.hooks.see_to([there.room])
        asked = len(there.sim.requests)
        with pytest.raises(RateLimitedError):
            await there.hooks.see_to([there.room])
        assert len(there.sim.requests) == asked


async def test_a_refusal_of_who_we_are_is_no_limit() -> None:
    async with keeper() as there:
        there.sim.faults.forbidden = "access_denied"
        with pytest.raises(RefusedError):
            await there.hooks.see_to([there.room])
        assert not there.hooks.troubles
