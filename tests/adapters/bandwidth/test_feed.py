"""The open feed: rooms over restarts, adopted ones, callbacks true and false, and what is lost, refused or limited."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.bandwidth import BandwidthAdapter
from adapters.bandwidth.simulator import BandwidthSimulator, CallState
from adapters.bandwidth.webhook import address
from gateway.adapter import Notes
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.commands import Action, CreateRoom, ParticipantCommand
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Room, RoomState
from tests.adapters.bandwidth.bandwidth_gateway import (
    ANN,
    BEN,
    CEM,
    NOBODY_LISTENS,
    SECRET,
    TOKEN,
    House,
    adapter_for,
    codes,
    gateway_at,
    house,
    simulated,
)
from tests.contract.gateway_on_rig import gateway_on
from tests.leaping import now, run

CONFIRMED, REJECTED = CommandOutcome.CONFIRMED, CommandOutcome.REJECTED
Code = CommandErrorCode
OFTEN: dict[str, Any] = {"poll_interval_s": 0.1}


def completed(conference: str) -> bytes:
    return json.dumps({"eventType": "conference", "conferenceId": conference, "status": "completed"}).encode()


def joined(conference: str, member: str, call: str = "c-1", **more: Any) -> bytes:
    said = {"conferenceId": conference, "memberId": member, "callId": call, "state": "active", **more}
    return json.dumps({"eventType": "conference-member", **said}).encode()


async def read_again(there: House) -> None:
    """Wait until everything has been read once more."""
    before = there.seat.link.last_synced_at
    await there.sim.until(lambda: there.seat.link.last_synced_at != before, timeout_s=20)


# ---- rooms over restarts ----


async def test_rooms_outlive_the_gateway_with_their_names_and_those_that_ended_do_not(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            board, members = await there.meeting(ANN)
            assert (await there.update(board, name="Board")).outcome is CONFIRMED
            empty, over = await there.made("Empty"), await there.made("Over")
            secret = there.hook_secret
        there.sim.complete(over)
        ben = there.sim.join(board, BEN)
        there.sim.commands.clear()
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            assert there.shown() == {board, empty}
            assert await there.kept() == {board, empty}
            assert (there.room(board).name, there.room(empty).name) == ("Board", "Empty")
            assert set(there.people(board)) == {*members, ben}
            assert there.sent == []  # Bandwidth still calls the same address, with the same secret
            assert there.hook_secret == secret
            cem = there.sim.join(empty, CEM)
            await there.until_shown(empty, cem)


async def test_another_gateway_on_the_same_database_shows_the_rooms_and_leaves_the_callbacks_alone(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, **OFTEN) as there:
        conference, (ann,) = await there.meeting(ANN)
        there.sim.commands.clear()
        async with gateway_on(there, tmp_path, adapter_for(there, **OFTEN)) as other:
            await other.until_status(BackendStatus.LIVE)
            assert set(other.everybody(RoomId(conference))) == {ann}
            made = await there.made("Later")
            await other.until(lambda: RoomId(made) in other.picture())
            there.sim.complete(conference)
            await other.until(lambda: RoomId(conference) not in other.picture())
            assert [path for path, _ in there.sent] == ["conferences"]


async def test_a_database_that_cannot_be_read_at_the_start_is_the_reason_why_nothing_works(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.notes.broken = True

    async with house(tmp_path, arrange=arrange, live=False) as there:
        await there.until(lambda: there.seat.link.status_reason)
        assert there.seat.link.status is BackendStatus.CONNECTING
        assert "the disk is full" in (there.seat.link.status_reason or "")
        there.notes.broken = False
        await there.seat.until_status(BackendStatus.LIVE)
        await there.meeting(ANN)


async def test_a_database_that_fails_later_is_a_trouble_and_is_made_up_for(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        old, _ = await there.meeting(ANN)
        there.notes.broken = True
        made = await there.made("Board")
        there.sim.complete(old)
        await there.until(lambda: there.is_over(old))
        assert any("could not be written down" in each for each in there.adapter.troubles)
        await read_again(there)
        assert there.seat.link.status is BackendStatus.LIVE
        assert there.shown() == {made}
        there.notes.broken = False
        assert await there.kept() == {made}
        assert there.adapter.troubles == []


# ---- rooms of others ----


async def test_a_conference_that_nobody_is_told_about_is_adopted_and_then_told_to_us(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = there.sim.open_conference(tag="theirs")
        ann = there.sim.join(conference, ANN)
        assert there.shown() == set()
        result = await there.adopt(conference, "Board")
        assert (result.outcome, result.errors) == (CONFIRMED, ())
        assert there.room(conference).name == "Board"
        assert set(there.people(conference)) == {ann}
        await there.until_numbered(conference, ANN)
        assert str(there.told_at(conference)) == address(there.hook, there.hook_secret)
        ben = there.sim.join(conference, BEN)
        await there.until_shown(conference, ann, ben)
        assert await there.kept() == {conference}
        there.sim.commands.clear()
        assert (await there.adopt(conference)).outcome is CONFIRMED  # again, without a name
        assert there.room(conference).name == "Board"
        assert there.sent == []


async def test_callbacks_of_another_application_are_left_to_it_and_that_is_said(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        conference = there.sim.open_conference(callback_url=NOBODY_LISTENS)
        ann = there.sim.join(conference, ANN)
        assert (await there.adopt(conference)).outcome is CONFIRMED
        assert [each for each in there.adapter.troubles if conference in each]
        ben = there.sim.join(conference, BEN)
        await there.until_shown(conference, ann, ben)  # by reading
        there.sim.set_muted(conference, ben, True)
        await there.until_muted(conference, ben)
        assert there.sent == []
        assert str(there.told_at(conference)) == NOBODY_LISTENS
        there.sim.complete(conference)
        await there.until(lambda: there.is_over(conference))
        assert there.adapter.troubles == []
        assert await there.kept() == set()


@pytest.mark.parametrize("remembered", ["secret", "address"])
async def test_an_address_that_the_gateway_had_before_is_replaced(tmp_path: Path, remembered: str) -> None:
    """By the secret that is in it, or, when the database was lost, because it leads here."""
    async with house(tmp_path) as there:
        elsewhere = address("http://127.0.0.1:9/hooks/old/", there.hook_secret)
        old = elsewhere if remembered == "secret" else address(there.hook, "a-secret-of-last-year")
        conference = there.sim.open_conference(callback_url=old)
        assert (await there.adopt(conference)).outcome is CONFIRMED
        await there.until(lambda: there.native(conference).get("callbackUrl") == there.hook)
        assert str(there.told_at(conference)) == address(there.hook, there.hook_secret)
        assert there.adapter.troubles == []


async def test_a_room_whose_adoption_took_longer_than_anybody_waits_is_shown_all_the_same(
    tmp_path: Path,
) -> None:
    """Not only with the next poll, which is a minute away."""
    async with house(tmp_path) as there:
        there.answer_within(0.0)
        conference = there.sim.open_conference()
        assert codes(await there.adopt(conference)) == [CommandErrorCode.TIMEOUT]
        await there.until(lambda: there.shown() == {conference})


async def test_what_happens_while_a_conference_is_adopted_is_not_missed(tmp_path: Path) -> None:
    """Read without Ben, told to us only after he came: the second reading has him."""
    async with house(tmp_path) as there:
        conference = there.sim.open_conference()
        ann = there.sim.join(conference, ANN)
        came: list[str] = []

        def look() -> bool:
            if not came and there.asked("GET", f"{conference}/members"):
                came.append(there.sim.join(conference, BEN))
            return bool(came)

        coming = asyncio.create_task(there.sim.until(look))
        assert (await there.adopt(conference)).outcome is CONFIRMED
        await coming
        await there.until_shown(conference, ann, *came)


async def test_who_is_there_before_bandwidth_has_answered_that_the_room_is_made_is_shown(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        making = asyncio.create_task(there.create())
        await there.sim.until(lambda: bool(there.sim.conference_ids))
        [conference] = there.sim.conference_ids
        ann = there.sim.join(conference, ANN)
        assert (await making).outcome is CONFIRMED
        await there.until_shown(conference, ann)
        assert there.joined(conference) == [ann]


@pytest.mark.parametrize("native_id", ["conf-unknown", "", ".", "..", "a/b", "conf-1?x=y", "ü", "x" * 5000, "%2e%2e"])
async def test_what_is_no_conference_cannot_be_adopted(tmp_path: Path, native_id: str) -> None:
    async with house(tmp_path) as there:
        result = await there.adopt(native_id)
        assert (result.outcome, codes(result)) == (REJECTED, [Code.ROOM_NOT_FOUND])
        assert result.errors[0].field in (("nativeId",), None)
        assert there.seat.link.status is BackendStatus.LIVE
        assert await there.kept() == set()


async def test_a_conference_that_was_not_found_by_mistake_can_be_adopted_again(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN)
        mislaid = there.sim._conferences.by_id.pop(conference)
        await there.seat.link.reread(RoomId(conference))
        await there.until(lambda: there.is_over(conference))
        assert await there.kept() == set()
        there.sim._conferences.by_id[conference] = mislaid
        assert (await there.adopt(conference)).outcome is CONFIRMED
        assert await there.kept() == {conference}
        await there.until_shown(conference, *members)


async def test_a_conference_that_is_over_cannot_be_adopted(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = there.sim.open_conference()
        there.sim.complete(conference)
        result = await there.adopt(conference)
        assert (codes(result), result.errors[0].field) == ([Code.ROOM_NOT_ACTIVE], ("nativeId",))
        assert await there.kept() == set()


async def test_a_conference_that_ends_while_it_is_adopted_costs_nothing_else(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        other, _ = await there.meeting(ANN)
        conference = there.sim.open_conference()
        there.sim.faults.fail_next(403, "conference-error")  # the address cannot be set any more
        assert (await there.adopt(conference)).outcome is CONFIRMED
        there.sim.complete(conference)
        await there.seat.link.reread(RoomId(conference))
        await there.until(lambda: there.is_over(conference))
        assert there.seat.link.status is BackendStatus.LIVE
        assert there.shown() == {other}
        assert not there.sim.faults.next_failures


# ---- callbacks ----


@pytest.mark.parametrize("secret", ["another", "", None])
async def test_a_callback_without_the_secret_does_nothing(tmp_path: Path, secret: str | None) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN)
        for body in (completed(conference), joined(conference, "member-x"), b"garbage"):
            assert await there.call_hook(body, secret) == 401
        query = {"eventType": "conference", "conferenceId": conference, "status": "completed"}
        assert await there.call_hook(b"", secret, "GET", **query) == 401
        ben = there.sim.join(conference, BEN)
        await there.until_shown(conference, *members, ben)
        assert there.joined(conference) == [*members, ben]
        assert there.adapter.misunderstood == (0 if secret is None else 4)


async def test_what_is_said_by_get_counts_as_well(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        query = {"eventType": "conference", "conferenceId": conference, "status": "completed"}
        assert await there.call_hook(b"", there.hook_secret, "GET", **query) == 200
        await there.until(lambda: there.is_over(conference))


async def test_callbacks_about_strangers_make_no_room(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN)
        await there.until_numbered(conference, ANN)
        before = len(there.sim.requests)
        for stranger in ("conf-unknown", there.sim.open_conference()):
            for body in (joined(stranger, "member-x"), completed(stranger)):
                assert await there.call_hook(body, there.hook_secret) == 200
        there.sim.set_muted(conference, members[0], True)
        await there.until_muted(conference, *members)
        assert there.shown() == {conference}
        assert len(there.sim.requests) == before
        assert there.adapter.misunderstood == 0


async def test_garbage_with_the_secret_is_counted_and_costs_itself_only(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, members = await there.meeting(ANN)
        garbage = (b"", b"[]", b'{"eventType":7}', b'{"eventType":"conference-member"}', b"[" * 10_000, b"\xff")
        for body in garbage:
            there.sim.send(conference, body)
        ben = there.sim.join(conference, BEN)
        await there.until_shown(conference, *members, ben)
        assert there.adapter.misunderstood == len(garbage)
        assert there.seat.link.status is BackendStatus.LIVE


@pytest.mark.parametrize("fault", ["double_callbacks", "shuffle_callbacks", "both"])
async def test_doubled_and_shuffled_callbacks_come_to_the_same(tmp_path: Path, fault: str) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.double_callbacks = fault != "shuffle_callbacks"
        there.sim.faults.shuffle_callbacks = fault != "double_callbacks"
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.set_muted(conference, ann, True)
        there.sim.set_muted(conference, ann, False)
        there.sim.set_hold(conference, ben, True)
        cem = there.sim.join(conference, CEM)
        there.sim.member_leaves(conference, ben)
        await there.sim.until(lambda: there.sim.callbacks_answered)
        await there.seat.until_true()
        assert set(there.people(conference)) == {ann, cem}
        assert sorted(there.joined(conference)) == sorted([ann, ben, cem])
        assert [who for who, _ in there.left(conference)] == [ben]
        there.sim.complete(conference)
        await there.until(lambda: there.is_over(conference))
        assert len(there.left(conference)) == 3


async def test_everything_told_once_more_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        there.sim.set_muted(conference, ann, True)
        there.sim.member_leaves(conference, ben)
        await there.until_shown(conference, ann)
        await there.until_numbered(conference, ANN)
        before = there.events(conference)
        for event in list(there.sim.callbacks):
            assert await there.call_hook(json.dumps(event).encode(), there.hook_secret) == 200
        cem = there.sim.join(conference, CEM)
        await there.until_shown(conference, ann, cem)
        await there.until_numbered(conference, ANN, CEM)
        assert there.events(conference)[: len(before)] == before
        assert there.joined(conference) == [ann, ben, cem]
        assert [who for who, _ in there.left(conference)] == [ben]


async def test_the_end_of_a_call_is_its_last_word(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        for call, kind in (("c-1", "answer"), ("c-1", "hangup"), ("c-1", "answer"), ("c-2", "answer")):
            body = json.dumps({"eventType": kind, "callId": call, "cause": "NORMAL_CLEARING"}).encode()
            assert await there.call_hook(body, there.hook_secret) == 200
        feed = there.adapter._feed
        assert feed is not None
        words = [await feed.word_of(call, within_s=20) for call in ("c-2", "c-1")]
        assert [word and word.state for word in words] == ["answered", "over"]
        assert await feed.word_of("c-3", within_s=0.01) is None


async def test_numbers_are_found_whether_they_called_or_were_called(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        members = {there.sim.join(conference, number, inbound=number != BEN): number for number in (ANN, BEN, CEM)}
        await there.until_numbered(conference, ANN, BEN, CEM)
        assert {who: each.number for who, each in there.people(conference).items()} == members
        assert {each.user_id for each in there.people(conference).values()} == {ANN, BEN, CEM}
        assert len(there.joined(conference)) == 3


async def test_a_conference_that_lasts_too_long_is_ended_by_bandwidth(tmp_path: Path) -> None:
    async with house(tmp_path, sim={"lasts_s": 0.5}) as there:
        conference, _ = await there.meeting(ANN)
        await there.until(lambda: there.is_over(conference))
        assert await there.kept() == set()
        assert codes(await there.do_in(Action.HOLD_ROOM, conference)) == [Code.ROOM_NOT_ACTIVE]


# ---- what is lost ----


async def test_what_no_callback_told_is_found_by_polling(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        there.sim.faults.lose_callbacks = True
        conference, other = await there.made(), await there.made()
        ann, ben = there.sim.join(conference, ANN), there.sim.join(conference, BEN)
        there.sim.join(other, CEM)
        await there.until_shown(conference, ann, ben)
        await there.until_numbered(conference, ANN, BEN)
        there.sim.set_muted(conference, ben, True)
        await there.until_muted(conference, ben)
        there.sim.mute_conference(conference, True)
        await there.until_muted(conference, ann, ben)
        there.sim.member_leaves(conference, ann)
        await there.until_shown(conference, ben)
        there.sim.complete(other)
        await there.until(lambda: there.is_over(other))
        assert await there.kept() == {conference}


async def test_bandwidth_that_is_away_and_back_is_caught_up_with(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        await there.sim.stop()
        await there.seat.until_status(BackendStatus.STALE)
        assert there.room(conference).stale
        there.sim.member_leaves(conference, ann)
        await there.sim.start()
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(conference, ben)
        assert await there.kept() == {conference}


async def test_without_any_room_it_is_noticed_too_that_bandwidth_is_away(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        await there.sim.stop()
        await there.seat.until_status(BackendStatus.STALE)
        await there.sim.start()
        await there.seat.until_status(BackendStatus.LIVE)


@pytest.mark.parametrize(
    ("status", "link", "word"),
    [
        (401, BackendStatus.FAILED, "token"),
        (404, BackendStatus.STALE, "404"),
        (403, BackendStatus.FAILED, "does not let"),
        (500, BackendStatus.STALE, "500"),
        (503, BackendStatus.STALE, "503"),
    ],
)
async def test_a_bandwidth_that_refuses_everything_costs_no_room(
    tmp_path: Path, status: int, link: BackendStatus, word: str
) -> None:
    async with house(tmp_path, **OFTEN) as there:
        conference, members = await there.meeting(ANN)
        there.sim.faults.http_status = status
        await there.seat.until_status(link)
        assert word in (there.seat.link.status_reason or "")
        there.sim.faults.http_status = None
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(conference, *members)
        assert await there.kept() == {conference}


async def test_one_conference_that_cannot_be_understood_costs_itself_only(tmp_path: Path) -> None:
    async with house(tmp_path, **OFTEN) as there:
        strange, (ann,) = await there.meeting(ANN)
        other, _ = await there.meeting(BEN)
        there.sim.conference(strange).tag = 7  # type: ignore[assignment]  # which it cannot be
        there.sim.faults.lose_callbacks = True
        cem = there.sim.join(other, CEM)
        await there.until(lambda: cem in there.people(other))
        await read_again(there)
        assert there.seat.link.status is BackendStatus.LIVE
        assert set(there.people(strange)) == {ann}
        assert there.adapter.misunderstood > 0
        assert [each for each in there.adapter.troubles if strange in each and "cannot be read" in each]
        assert await there.kept() == {strange, other}
        there.sim.conference(strange).tag = None
        await read_again(there)
        await read_again(there)
        assert there.adapter.troubles == []


@pytest.mark.parametrize("status", [500, 404])
async def test_one_call_that_cannot_be_read_costs_its_number_only(tmp_path: Path, status: int) -> None:
    async with house(tmp_path, **OFTEN) as there:
        conference = await there.made()
        there.sim.faults.fail_next(status, "call-not-found", method="GET", times=2)
        ann = there.sim.join(conference, ANN)
        await there.until_shown(conference, ann)
        ben = there.sim.join(conference, BEN)
        await there.until(lambda: there.people(conference).get(ParticipantId(ben), None))
        await there.sim.until(lambda: not there.sim.faults.next_failures)
        await read_again(there)
        assert there.seat.link.status is BackendStatus.LIVE
        assert set(there.people(conference)) == {ann, ben}


async def test_a_wrong_secret_is_for_an_operator_to_mend(tmp_path: Path) -> None:
    async with house(tmp_path, live=False, secret="wrong-secret-03c7") as there:
        await there.seat.until_status(BackendStatus.FAILED)
        reason = there.seat.link.status_reason or ""
        assert "token and its secret" in reason
        assert "wrong-secret-03c7" not in reason
        assert TOKEN not in reason


async def test_a_wrong_user_is_named_as_that(tmp_path: Path) -> None:
    async with house(tmp_path, live=False, user_id="u-other") as there:
        await there.seat.until_status(BackendStatus.FAILED)
        assert "user_id" in (there.seat.link.status_reason or "")


# ---- one request a second ----


async def test_a_limit_that_others_used_up_is_waited_out(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (ann,) = await there.meeting(ANN)
        await there.until_numbered(conference, ANN)
        there.sim.requests_per_second = 1
        await there.adapter._client.conference(conference)  # as another application would
        there.sim.commands.clear()
        assert (await there.do_to(Action.MUTE, conference, ann)).outcome is CONFIRMED
        assert len(there.sent) == 1
        assert there.asked("POST", f"members/{ann}") == 2
        assert there.seat.link.status is BackendStatus.LIVE


class Memory(Notes):
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def all(self) -> Mapping[str, str]:
        return dict(self.texts)

    async def put(self, key: str, text: str) -> None:
        self.texts[key] = text

    async def drop(self, key: str) -> None:
        self.texts.pop(key, None)


def at_one_a_second(work: Callable[[House, BandwidthAdapter], Awaitable[None]]) -> None:
    """Run an adapter at a Bandwidth that takes one request a second, in time that leaps."""

    async def leaping() -> None:
        async with BandwidthSimulator(token=TOKEN, secret=SECRET, requests_per_second=1, clock=now) as sim:
            there = House(sim, "http://127.0.0.1/hooks/bw/")
            adapter = adapter_for(there, requests_per_second=1)
            adapter.keep_notes(Memory())
            sim.faults.lose_callbacks = True
            try:
                async with adapter.feed() as reports:

                    async def take() -> None:
                        async for _ in reports:
                            pass

                    taking = asyncio.create_task(take())
                    await work(there, adapter)
                    taking.cancel()
                    await asyncio.gather(taking, return_exceptions=True)
            finally:
                await adapter.aclose()

    run(leaping())


async def made_rooms(adapter: BandwidthAdapter, count: int) -> list[Room]:
    receipts = [await adapter.execute(CreateRoom(None, {}), None, None) for _ in range(count)]
    return [receipt.room for receipt in receipts if receipt.room is not None]


def gaps(sim: BandwidthSimulator, endpoint: str) -> list[float]:
    at = [each.at for each in sim.requests if each.path.split("/")[4] == endpoint]
    return [later - sooner for sooner, later in pairwise(at)]


def test_never_more_than_one_request_a_second_goes_to_either_endpoint() -> None:
    async def work(there: House, adapter: BandwidthAdapter) -> None:
        rooms = await made_rooms(adapter, 3)
        members = [there.sim.join(room.id, ANN) for room in rooms for _ in range(3)]
        reading = asyncio.create_task(adapter.snapshot())
        await asyncio.sleep(2.5)
        shown = await reading
        assert sum(len(room.participants) for room in shown) == len(members)
        wishes = [
            adapter.execute(ParticipantCommand(Action.KICK, room.id, who), room, None)
            for room in shown
            for who in room.participants
        ]
        await asyncio.gather(adapter.snapshot(), *wishes)
        assert {call.state for call in there.sim.calls} == {CallState.COMPLETED}
        for endpoint in ("conferences", "calls"):
            assert len(gaps(there.sim, endpoint)) >= 9
            assert min(gaps(there.sim, endpoint)) >= 1

    at_one_a_second(work)


def test_a_command_goes_before_the_reading_of_many_rooms() -> None:
    async def work(there: House, adapter: BandwidthAdapter) -> None:
        rooms = await made_rooms(adapter, 10)
        who = there.sim.join(rooms[0].id, ANN)
        reading = asyncio.gather(*(adapter.snapshot() for _ in range(5)))  # more than ever wait at once
        await asyncio.sleep(3.5)
        began = now()
        await adapter.execute(ParticipantCommand(Action.MUTE, rooms[0].id, ParticipantId(who)), rooms[0], None)
        assert now() - began <= 2
        assert there.sim.conference(rooms[0].id).members[who].mute
        assert not reading.done()
        assert {len(each) for each in await reading} == {10}
        assert min(gaps(there.sim, "conferences")) >= 1

    at_one_a_second(work)


async def test_with_many_rooms_polls_leave_half_of_the_requests_to_commands(tmp_path: Path) -> None:
    async with house(tmp_path, requests_per_second=10_000, poll_interval_s=0.001) as there:
        assert there.adapter.poll_interval_s == 0.001
        for _ in range(10):
            await there.made()
        assert there.adapter.poll_interval_s == pytest.approx(2 * 3 * 10 / 10_000)


async def test_a_room_is_active_once_somebody_came_and_idle_before(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference = await there.made()
        assert (there.room(conference).state, there.room(conference).permanent) == (RoomState.IDLE, True)
        ann = there.sim.join(conference, ANN)
        await there.until_shown(conference, ann)
        room = there.room(conference)
        assert (room.state, room.permanent) == (RoomState.ACTIVE, False)
        assert room.started_at is not None
        there.sim.member_leaves(conference, ann)
        await there.until(lambda: there.is_over(conference))
