"""The open feed: several accounts, the room list and its absence, and what is lost and comes back."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web

from adapters.xivo import XivoAdapter
from adapters.xivo.roster import Rooms
from adapters.xivo.simulator import XivoSimulator
from adapters.xivo.told import CallsTold, CallTold, Described, ListedRoom, Member, PersonKind, PersonTold, RoomsListed
from gateway.live.asks import AskMe
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.capability import Capability
from gateway.model.commands import Action
from gateway.model.errors import CommandErrorCode, LinkDown
from gateway.model.events import ParticipantJoined, ParticipantLeft
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import PictureReport, Report
from gateway.model.room import ParticipantRole, RoomDetail, RoomState
from tests.adapters.xivo.accounts import TOKEN, Talk, served, settings_for, sign_on, talking
from tests.adapters.xivo.xivo_gateway import (
    PASSWORD,
    PATIENCE,
    ROOM,
    House,
    adapter_for,
    codes,
    eventually,
    house,
    simulated,
)
from tests.contract.gateway_on_rig import gateway_on

T = TypeVar("T")
FOUGHT = ["XiVO ends the session of 'ada' again and again: is the account signed in elsewhere?"]

FULL, SUMMARY = RoomDetail.FULL, RoomDetail.SUMMARY
ASK = {"claz": "web", "command": "getList", "objectType": "meetme"}


def joined(there: House) -> list[ParticipantId]:
    return [event.participant.id for event in there.seat.events(ROOM) if isinstance(event, ParticipantJoined)]


def left(there: House) -> list[ParticipantId]:
    return [event.participant.id for event in there.seat.events(ROOM) if isinstance(event, ParticipantLeft)]


def subfolder(folder: Path) -> Path:
    (folder / "other").mkdir()
    return folder / "other"


def person_event(kind: str, room: str, index: int, **more: object) -> str:
    payload = {"eventType": kind, "conferenceNumber": room, "uniqueId": "1.1", "index": index, **more}
    return json.dumps({"msgType": "ConferenceParticipantEvent", "ctiMessage": payload})


# ---- an account costs only what it would have shown ----


async def test_a_second_account_with_a_wrong_password_costs_only_its_own(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.add_user("ben", "another password", number="1002")

    async with house(tmp_path, arrange=arrange) as there:
        [trouble] = there.adapter.troubles
        assert "'ben'" in trouble
        assert PASSWORD not in trouble
        await there.joins("ada", organizer=True)
        assert there.room.detail is FULL
        there.sim.add_user("ben", PASSWORD, name="Ben", number="1002")
        await there.sim.until(lambda: not there.adapter.troubles)


async def test_a_second_account_without_a_line_is_named(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_user("ben", PASSWORD)) as there:
        [trouble] = there.adapter.troubles
        assert "'ben' has no line" in trouble
        assert there.seat.link.status is BackendStatus.LIVE


async def test_a_room_is_a_summary_while_its_account_is_away(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        guest = await there.joins("Guest")
        there.sim.talks(ROOM, 2)
        await there.until(lambda: there.person(guest).talking)
        there.sim.faults.logged_on = "silent"
        there.sim.drop_link("ada")
        await there.until(lambda: there.room.detail is SUMMARY)
        await there.until(lambda: there.person(guest).talking is None)
        assert (there.person(guest).role, there.person(guest).deafened) == (None, None)
        assert (there.person(guest).display_name, there.person(guest).muted) == ("Guest", False)
        assert there.seat.link.status is BackendStatus.LIVE
        assert any("closed" in each or "broke" in each for each in there.adapter.troubles)
        assert codes(await there.do_to(Action.MUTE, guest)) == [CommandErrorCode.NOT_A_MEMBER]
        there.sim.faults.logged_on = "ok"
        there.sim.drop_link("ada")
        await there.until(lambda: there.room.detail is FULL)
        await there.until(there.seat.is_true)
        assert there.person(guest).talking
        assert (there.adapter.troubles, left(there)) == ([], [])


async def test_what_happens_in_a_room_while_its_account_is_away_is_seen_in_the_list(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        goes = await there.joins("Goes")
        there.sim.faults.logged_on = "silent"
        there.sim.drop_link("ada")
        await there.until(lambda: there.room.detail is SUMMARY)
        there.leaves(goes)
        comes = there.enters("Comes")
        await there.until(lambda: left(there) == [goes] and comes in there.seat.people(ROOM))
        there.sim.faults.logged_on = "ok"
        there.sim.drop_link("ada")
        await there.until(lambda: there.room.detail is FULL and there.seat.is_true())
        assert (left(there), len(joined(there))) == ([goes], 3)


async def test_the_list_account_without_a_line_is_the_operators_business(tmp_path: Path) -> None:
    async with house(tmp_path, live=False, arrange=lambda there: there.sim.add_user("gateway", PASSWORD)) as there:
        await there.seat.until_status(BackendStatus.FAILED)
        assert "'gateway' has no line" in (there.seat.link.status_reason or "")


async def test_an_account_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Its session is never ready; the feed begins all the same."""
    async with simulated() as sim:
        sim.hold("ben")
        adapter = adapter_for(sim, patience=replace(PATIENCE, list_wait_s=0.2))
        async with asyncio.timeout(5), adapter.feed():
            assert "ben" in sim.logins
            assert adapter.troubles == []
        await adapter.aclose()


async def test_an_account_that_is_quicker_than_the_list_account_loses_nothing(tmp_path: Path) -> None:
    async with simulated() as sim:
        sim.someone_joins(ROOM, login="ada", organizer=True)
        sim.hold("gateway")
        adapter = adapter_for(sim, accounts=("ada",))
        feed = adapter.feed()
        opening = asyncio.create_task(feed.__aenter__())
        asked = ("ada", {"claz": "web", "command": "getCurrentCallsPhoneEvents"})
        await sim.until(lambda: asked in sim.reads and "gateway" in sim.logins)
        await eventually(lambda: adapter._rooms.seats(ROOM))
        sim.release("gateway")
        await opening
        assert adapter.troubles == []
        assert sim.logins.count("ada") == 1
        assert sum(each.login == "ada" for each in sim.reads) == 2
        await feed.__aexit__(None, None, None)
        await adapter.aclose()


async def test_the_socket_of_an_account_survives_the_loss_of_anothers(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        await there.joins("ben")
        there.sim.drop_link("ben")
        await there.sim.until(lambda: there.sim.logins.count("ben") == 1)
        guest = await there.joins("Guest")
        assert there.person(guest).role is ParticipantRole.PARTICIPANT
        assert there.seat.link.status is BackendStatus.LIVE


# ---- two accounts in one room ----


@pytest.mark.parametrize("list_first", [True, False])
@pytest.mark.parametrize("duplicate", [True, False])
async def test_who_is_told_of_twice_joins_and_leaves_once(tmp_path: Path, list_first: bool, duplicate: bool) -> None:
    async with house(tmp_path, accounts=("ada", "ben", "cem")) as there:
        there.sim.faults.list_first, there.sim.faults.duplicate_events = list_first, duplicate
        there.sim.faults.join_of_self = True
        people = [await there.joins(login) for login in ("ada", "ben", "cem")]
        people += [await there.joins(f"Guest {nth}") for nth in range(3)]
        for who in reversed(people):
            there.leaves(who)
        await there.until(lambda: there.room.state is RoomState.IDLE)
        assert joined(there) == people
        assert sorted(left(there)) == sorted(people)


@pytest.mark.parametrize("how", ["leaves", "drops"])
async def test_when_the_account_that_is_believed_goes_the_next_takes_over(tmp_path: Path, how: str) -> None:
    async with house(tmp_path) as there:
        ada, ben = await there.joins("ada"), await there.joins("ben")
        guest = await there.joins("Guest")
        there.sim.faults.logged_on = "silent"
        if how == "leaves":
            there.leaves(ada)
            await there.until(lambda: left(there) == [ada])
        else:
            there.sim.drop_link("ada")
            await there.sim.until(lambda: there.adapter.troubles)
        there.sim.talks(ROOM, there.index(guest))
        await there.until(lambda: there.person(guest).talking)
        assert there.room.detail is FULL
        assert set(left(there)) <= {ada}
        assert there.person(ben).role is ParticipantRole.PARTICIPANT


# ---- the room list ----


async def test_without_a_room_list_rooms_show_while_an_account_is_inside(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.faults.no_room_list = True

    async with house(tmp_path, arrange=arrange) as there:
        support = there.adapter.capabilities()[Capability.LIST_ROOMS]
        assert not support.usable
        assert support.reason
        assert list(there.seat.live.rooms()) == []
        ada = there.sim.someone_joins(ROOM, login="ada", organizer=True)
        await there.until(lambda: there.seat.people(ROOM))
        [me] = there.seat.people(ROOM)
        guest = there.enters("Guest")
        await there.until(lambda: len(there.seat.people(ROOM)) == 2)
        shown = next(who for who in there.seat.people(ROOM) if who != me)
        assert shown.startswith("2~")
        assert (there.room.permanent, there.room.detail) == (False, FULL)
        assert (await there.do_to(Action.MUTE, shown)).outcome is CommandOutcome.CONFIRMED
        there.leaves(guest)
        await there.until(lambda: set(there.seat.people(ROOM)) == {me})
        there.sim.someone_leaves(ROOM, ada.index)
        await there.until(lambda: not list(there.seat.live.rooms()))
        assert there.seat.link.status is BackendStatus.LIVE


async def test_a_xivo_said_to_have_no_list_is_never_asked_for_it(tmp_path: Path) -> None:
    async with house(tmp_path, room_list=False) as there:
        there.sim.someone_joins(ROOM, login="ada")
        await there.until(lambda: there.seat.people(ROOM))
        await there.seat.link.reread(ROOM)
        assert there.seat.people(ROOM)
        assert ASK not in [each.frame for each in there.sim.reads]


async def test_what_the_list_told_before_it_was_removed_is_over(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("Guest")
        there.sim.faults.no_room_list = True
        there.sim.drop_link()
        await there.until(lambda: not list(there.seat.live.rooms()))
        assert not there.adapter.capabilities()[Capability.LIST_ROOMS].usable


def answering_the_list_with(*answers: str | None) -> Talk:
    """A session that says this when it is asked for the list; None ends it."""

    async def talk(socket: web.WebSocketResponse) -> None:
        await sign_on(socket)
        async for message in socket:
            for answer in answers if "getList" in message.data else ():
                if answer is None:
                    await socket.close()
                    return
                await socket.send_str(answer)

    return talk


def adapter_at(url: str, **patience: float) -> XivoAdapter:
    return XivoAdapter(settings_for(url), replace(PATIENCE, **patience))


async def test_an_error_about_something_else_does_not_cost_the_list() -> None:
    error, no_rooms = '{"msgType":"Error","ctiMessage":{}}', '{"msgType":"ConferenceList","ctiMessage":[]}'
    async with served(TOKEN, talking(answering_the_list_with(error, no_rooms))) as url:
        adapter = adapter_at(url)
        async with adapter.feed() as reports:
            async with asyncio.timeout(5):
                while not adapter.capabilities()[Capability.LIST_ROOMS].usable:
                    await asyncio.wait_for(taken(reports, asyncio.create_task(adapter.snapshot())), 5)
        await adapter.aclose()


async def test_the_loss_of_the_list_account_while_the_list_is_awaited_is_noticed_at_once() -> None:
    async with served(TOKEN, talking(answering_the_list_with(None))) as url:
        adapter = adapter_at(url, list_wait_s=60)
        async with asyncio.timeout(5):
            with pytest.raises(LinkDown):
                await adapter.feed().__aenter__()
        await adapter.aclose()


async def test_a_list_that_comes_after_its_supposed_refusal_is_a_list(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.faults.no_room_list = True

    async with house(tmp_path, arrange=arrange) as there:
        room = {"number": ROOM, "name": "Board", "pinRequired": False, "startTime": 0, "members": []}
        there.sim.send_raw(json.dumps({"msgType": "ConferenceList", "ctiMessage": [room]}), "gateway")
        await there.until(lambda: list(there.seat.live.rooms()))
        assert there.adapter.capabilities()[Capability.LIST_ROOMS].usable


def asks(sim: XivoSimulator) -> int:
    return sum(each.frame == ASK for each in sim.reads)


async def read_until_listed(adapter: XivoAdapter) -> None:
    while not adapter.capabilities()[Capability.LIST_ROOMS].usable:
        await adapter.snapshot()


async def test_a_list_that_was_refused_once_is_asked_for_by_every_reading() -> None:
    async with simulated() as sim:
        sim.faults.no_room_list = True
        adapter = adapter_for(sim, accounts=())
        async with adapter.feed() as reports:
            [trouble] = adapter.troubles
            assert trouble.startswith("XiVO does not list its rooms: ")
            for _ in range(2):
                asked = asks(sim)
                assert await taken(reports, asyncio.create_task(adapter.snapshot())) == []
                await eventually(lambda before=asked: asks(sim) == before + 1)
                await eventually(lambda: adapter._feed and not adapter._feed._list_of().is_open)
            sim.send_raw('{"msgType":"Error","ctiMessage":{}}', "gateway")  # about nothing that we asked
            sim.faults.no_room_list = False
            await asyncio.wait_for(taken(reports, asyncio.create_task(read_until_listed(adapter))), 5)
            rooms = await taken(reports, asyncio.create_task(adapter.snapshot()))
            assert {room.id for room in rooms} == {ROOM, "4001"}
            assert adapter.troubles == []
        await adapter.aclose()


async def test_a_list_that_stayed_out_once_is_asked_for_by_the_next_reading() -> None:
    asked = 0

    async def silent_at_first(socket: web.WebSocketResponse) -> None:
        nonlocal asked
        await sign_on(socket)
        async for message in socket:
            asked += "getList" in message.data
            if "getList" in message.data and asked > 1:
                await socket.send_str('{"msgType":"ConferenceList","ctiMessage":[]}')

    async with served(TOKEN, talking(silent_at_first)) as url:
        adapter = adapter_at(url, list_wait_s=0.2)
        async with adapter.feed() as reports:
            assert len(adapter.troubles) == 1
            await asyncio.wait_for(taken(reports, asyncio.create_task(read_until_listed(adapter))), 5)
            assert (adapter.troubles, asked) == ([], 2)
        await adapter.aclose()


async def test_an_error_while_a_command_and_a_question_are_under_way_leaves_no_question_open(tmp_path: Path) -> None:
    async with house(tmp_path, patience=replace(PATIENCE, list_wait_s=5.0)) as there:
        await there.joins("gateway", organizer=True)
        guest = await there.joins("Guest")
        there.sim.hold("gateway")
        there.sim.faults.no_room_list = True
        asked = asks(there.sim)
        reading = asyncio.create_task(there.seat.link.reread(ROOM))
        await there.sim.until(lambda: asks(there.sim) > asked)
        doing = asyncio.create_task(there.do_to(Action.MUTE, guest, "gateway"))
        await there.sim.until(lambda: there.sent)
        there.sim.faults.no_room_list = False
        there.sim.release("gateway")
        await asyncio.wait_for(reading, 4.5)
        await doing
        assert there.seat.link.status is BackendStatus.LIVE
        assert there.adapter.capabilities()[Capability.LIST_ROOMS].usable


async def test_while_the_list_is_refused_our_asking_costs_no_command(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.faults.no_room_list = True

    async with house(tmp_path, arrange=arrange) as there:
        there.sim.someone_joins(ROOM, login="gateway", organizer=True)
        there.enters("Guest")
        await there.until(lambda: len(there.seat.people(ROOM)) == 2)
        guest = next(who for who in there.seat.people(ROOM) if who.startswith("2~"))
        there.sim.hold("gateway")
        asked = asks(there.sim)
        reading = asyncio.create_task(there.seat.link.reread(ROOM))
        await there.sim.until(lambda: asks(there.sim) > asked)
        doing = asyncio.create_task(there.do_to(Action.MUTE, guest, "gateway"))
        await there.sim.until(lambda: there.sent)
        there.sim.release("gateway")
        assert (await doing).outcome is CommandOutcome.CONFIRMED
        await reading


async def test_a_list_that_another_account_is_told_is_none_before_the_list_account_is_there() -> None:
    async with simulated() as sim:
        sim.hold("gateway")
        adapter = adapter_for(sim, accounts=("ada",))
        feed = adapter.feed()
        opening = asyncio.create_task(feed.__aenter__())
        asked = ("ada", {"claz": "web", "command": "getCurrentCallsPhoneEvents"})
        await sim.until(lambda: asked in sim.reads and "gateway" in sim.logins)
        sim.send_raw('{"msgType":"ConferenceList","ctiMessage":[]}', "ada")
        sim.someone_joins(ROOM, login="ada", organizer=True)
        await eventually(lambda: adapter._rooms.seats(ROOM))
        sim.release("gateway")
        await opening
        assert adapter.troubles == []
        assert sum(each.login == "ada" for each in sim.reads) == 2, "signed on once"
        await feed.__aexit__(None, None, None)
        await adapter.aclose()


async def test_a_list_that_another_account_is_told_answers_no_question() -> None:
    async with simulated() as sim:
        adapter = adapter_for(sim, accounts=("ada",))
        async with adapter.feed() as reports:
            sim.hold("gateway")
            asked = asks(sim)
            reading = asyncio.create_task(adapter.snapshot())
            await sim.until(lambda: asks(sim) > asked)
            sim.send_raw('{"msgType":"ConferenceList","ctiMessage":[]}', "ada")
            sim.someone_joins(ROOM, login="ada", organizer=True)
            seen = asyncio.create_task(eventually(lambda: adapter._rooms.seats(ROOM)))
            await taken(reports, seen)
            assert not reading.done()
            sim.release("gateway")
            rooms = await taken(reports, reading)
            assert {room.id for room in rooms} == {ROOM, "4001"}
        await adapter.aclose()


async def test_a_list_that_stays_out_ends_the_link(tmp_path: Path) -> None:
    async with house(tmp_path, patience=replace(PATIENCE, list_wait_s=0.2)) as there:
        there.sim.hold("gateway")
        with pytest.raises(LinkDown):
            await there.seat.link.reread(ROOM)
        await there.seat.until_status(BackendStatus.STALE)
        assert "getConferenceRooms" in (there.seat.link.status_reason or "")


async def test_a_mute_that_was_never_told_is_found_by_the_next_reading(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        guest = await there.joins("Guest")
        there.sim.faults.lose_updates = True
        there.sim.hold("gateway")
        there.sim.set_muted(ROOM, 2, True)
        there.sim.release("gateway")
        async with asyncio.timeout(5):  # an answer is believed rather than an event, when that is older by a second
            while not there.person(guest).muted:
                await there.seat.link.reread(ROOM)


async def test_who_is_in_no_list_yet_is_announced_after_a_second_at_most(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        there.sim.hold("gateway")
        began = asyncio.get_running_loop().time()
        there.enters("Guest")
        await there.until(lambda: len(there.seat.people(ROOM)) == 2)
        assert 0.9 < asyncio.get_running_loop().time() - began < 3
        guest = next(who for who in there.seat.people(ROOM) if who.startswith("2~"))
        assert there.person(guest).role is ParticipantRole.PARTICIPANT
        assert (await there.do_to(Action.MUTE, guest)).outcome is CommandOutcome.CONFIRMED
        there.sim.release("gateway")
        await there.seat.link.reread(ROOM)
        assert guest in there.seat.people(ROOM)
        assert len(joined(there)) == 2


async def test_who_leaves_before_any_list_has_had_them_came_and_went(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        there.sim.hold("gateway")
        guest = there.enters("Guest")
        there.leaves(guest)
        await there.until(lambda: left(there))
        there.sim.release("gateway")
        await there.seat.link.reread(ROOM)
        assert len(joined(there)) == 2
        assert joined(there)[1:] == left(there)


def test_a_room_that_is_listed_no_longer_leaves_no_question_open() -> None:
    """An account seems to sit in it and tells of an unknown leave: were lists asked about that, it would never end."""
    rooms = Rooms()
    rooms.listed(RoomsListed(rooms=(ListedRoom(number=ROOM, members=(Member(order=1, joined_ms=1000),)),)))
    rooms.in_calls("ada", CallsTold(calls=(CallTold(kind="EventEstablished", unique_id="1.1", other_number=ROOM),)))
    rooms.listed(RoomsListed(rooms=()))
    rooms.person("ada", PersonTold(kind=PersonKind.LEAVE, room=ROOM, unique_id="1.1", person=Described(index=9)))
    rooms.listed(RoomsListed(rooms=()))
    assert not rooms.wants_list


# ---- readings and reports ----


async def taken(reports: AsyncIterator[Report], work: asyncio.Task[T], seen: list[Report] | None = None) -> T:
    """Take reports until something else is done."""
    while not work.done():
        taking = asyncio.ensure_future(anext(reports))
        await asyncio.wait({taking, work}, return_when=asyncio.FIRST_COMPLETED)
        taking.cancel()
        with suppress(asyncio.CancelledError):
            report = await taking
            if seen is not None and isinstance(report, PictureReport):
                seen.append(report)
    return await work


def head_count(report: Report) -> int:
    assert isinstance(report, PictureReport)
    return len(report.room.participants)


async def test_a_reading_tells_of_its_place_among_the_reports() -> None:
    """Two people join right behind the answer: the reading that waited for it is older than the reports of them."""
    async with simulated() as sim:
        adapter = adapter_for(sim, accounts=())
        async with adapter.feed() as reports:
            await taken(reports, asyncio.create_task(adapter.snapshot()))
            sim.hold("gateway")
            asked = sum(each.frame == ASK for each in sim.reads)
            reading = asyncio.create_task(adapter.snapshot())
            await sim.until(lambda: sum(each.frame == ASK for each in sim.reads) > asked)
            sim.someone_joins(ROOM, "Ann", "100")
            sim.someone_joins(ROOM, "Ben", "101")
            sim.release("gateway")
            seen: list[Report] = []
            [answer] = [room for room in await taken(reports, reading, seen) if room.id == ROOM]
            while len(seen) < 2:
                seen.append(await anext(reports))
            assert [len(answer.participants), *map(head_count, seen)] == [0, 1, 2]
        await adapter.aclose()


async def test_a_reading_without_a_list_waits_for_what_was_reported_before() -> None:
    async with simulated() as sim:
        adapter = adapter_for(sim, accounts=("ada",), room_list=False)
        async with adapter.feed() as reports:
            sim.someone_joins(ROOM, login="ada")
            assert head_count(await anext(reports)) == 1
            sim.someone_joins(ROOM, "Ann", "100")
            sim.someone_joins(ROOM, "Ben", "101")
            await eventually(lambda: len(adapter._rooms.all()[0].participants) == 3)
            reading = asyncio.create_task(adapter.snapshot())
            for _ in range(5):
                await asyncio.sleep(0)
            assert not reading.done()
            assert [head_count(await anext(reports)) for _ in range(2)] == [2, 3]
            [answer] = await taken(reports, reading)
            assert len(answer.participants) == 3
        await adapter.aclose()


# ---- strange frames ----


async def test_somebody_in_a_room_never_seen_is_not_believed_and_has_the_rooms_read(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        asked = sum(each.frame == ASK for each in there.sim.reads)
        for kind in ("Join", "Update", "Leave"):
            there.sim.send_raw(person_event(kind, "8888", 2, callerIdNum="0612345678"), "ada")
        await there.sim.until(lambda: sum(each.frame == ASK for each in there.sim.reads) > asked)
        await there.joins("ada")
        assert {room.key.room_id for room in there.seat.live.rooms()} == {ROOM, "4001"}


async def test_a_new_room_is_there_when_somebody_joins_it(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.add_room("4007", "New")
        there.sim.someone_joins("4007", login="ada", organizer=True)
        await there.until(lambda: there.seat.people(RoomId("4007")) and there.seat.is_true())
        assert there.seat.room(RoomId("4007")).room.name == "New"


async def test_frames_that_nobody_knows_cost_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.faults.strange_frames = True
        for raw in (
            "{}",
            "[]",
            "null",
            "7",
            '"x"',
            "",
            "\x00",
            '{"msgType":7}',
            '{"msgType":"Error"}',
            '{"claz":"pong"}',
        ):
            there.sim.send_raw(raw)
        await there.joins("ada", organizer=True)
        guest = await there.joins("Guest")
        assert (await there.do_to(Action.DEAFEN, guest)).outcome is CommandOutcome.CONFIRMED
        assert there.seat.is_true()
        assert there.adapter.misunderstood
        assert there.seat.link.status is BackendStatus.LIVE


# ---- connections that break ----


@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_socket_cut_in_mid_command_is_resolved_by_state(tmp_path: Path, cut: str, repeat: bool) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        guest = await there.joins("Guest")
        there.sim.faults.repeat_join_after_reconnect = repeat
        there.sim.faults.drop_after_command = "before" if cut == "before" else "after"
        result = await there.do_to(Action.MUTE, guest)
        really = there.sim.people(ROOM)[1].muted
        assert really is (cut == "after")
        assert result.outcome is (CommandOutcome.CONFIRMED if really else CommandOutcome.UNKNOWN)
        assert len(there.sent) == 1, "never sent twice"
        await there.until(there.seat.is_true)


async def test_the_list_account_is_cut_in_mid_command(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("gateway", organizer=True)
        guest = await there.joins("Guest")
        there.sim.faults.drop_after_command = "after"
        result = await there.do_to(Action.MUTE, guest)
        assert result.outcome in (CommandOutcome.CONFIRMED, CommandOutcome.UNKNOWN)
        there.sim.faults.drop_after_command = None
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until(lambda: there.person(guest).muted)
        assert len(there.sent) == 1


@pytest.mark.parametrize("login", ["ada", None])
@pytest.mark.parametrize("repeat", [True, False])
async def test_nobody_leaves_because_a_connection_was_lost(tmp_path: Path, repeat: bool, login: str | None) -> None:
    async with house(tmp_path) as there:
        people = [await there.joins("ada", organizer=True), await there.joins("Guest")]
        asked = there.reads("ada", "getCurrentCallsPhoneEvents")
        there.sim.faults.repeat_join_after_reconnect = repeat
        there.sim.drop_link(login)
        await there.until(lambda: there.room.detail is SUMMARY or there.seat.link.status is not BackendStatus.LIVE)
        await there.sim.until(lambda: there.reads("ada", "getCurrentCallsPhoneEvents") > asked)
        await there.seat.until_status(BackendStatus.LIVE)
        there.sim.set_muted(ROOM, 2, True)
        await there.until(lambda: there.person(people[1]).muted and there.person(people[1]).role)
        assert there.room.detail is (FULL if repeat else SUMMARY)
        assert (joined(there), left(there)) == (people, [])
        assert there.seat.is_true()
        assert (await there.do(AskMe(Action.MUTE_ME, ROOM))).outcome is CommandOutcome.CONFIRMED


async def test_a_list_account_that_is_used_elsewhere_fails_with_the_reason(tmp_path: Path) -> None:
    async with house(tmp_path, accounts=()) as there:
        there.sim.faults.double_login = "kick_first"
        rival = adapter_for(there.sim, accounts=())
        async with gateway_on(there, subfolder(tmp_path), rival) as other:
            await asyncio.wait(
                [asyncio.ensure_future(each.until_status(BackendStatus.FAILED)) for each in (there.seat, other)],
                return_when=asyncio.FIRST_COMPLETED,
            )
            reasons = {each.link.status_reason for each in (there.seat, other)}
            assert any(reason and "signed in elsewhere" in reason for reason in reasons)


async def test_a_further_account_that_is_used_elsewhere_is_not_fought_for(tmp_path: Path) -> None:
    async with house(tmp_path, accounts=("ada",), patience=replace(PATIENCE, refused_wait_s=60)) as there:
        there.sim.close_session("ada")
        await there.sim.until(lambda: there.reads("ada", "getCurrentCallsPhoneEvents") == 2)
        there.sim.close_session("ada")
        await eventually(lambda: there.adapter.troubles == FOUGHT)
        with suppress(TimeoutError):
            await there.sim.until(lambda: "ada" in there.sim.logins, timeout_s=0.3)
        assert "ada" not in there.sim.logins
        assert there.seat.link.status is BackendStatus.LIVE


async def test_a_feed_that_is_left_at_once_leaves_nothing_behind() -> None:
    async with simulated() as sim:
        adapter = adapter_for(sim, accounts=(), room_list=False)
        async with adapter.feed():
            pass
        await sim.until(lambda: not sim.logins)
        await adapter.aclose()
    gc.collect()


async def test_a_fault_of_ours_ends_the_feed_and_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError

    async with simulated() as sim:
        adapter = adapter_for(sim, accounts=("ada",))
        feed = adapter.feed()
        reports = await feed.__aenter__()
        monkeypatch.setattr(adapter._rooms, "entered", fault)
        sim.someone_joins(ROOM, login="ada")
        with pytest.raises(LinkDown) as caught:
            await asyncio.wait_for(taken(reports, asyncio.ensure_future(asyncio.Event().wait())), 5)
        with pytest.raises(ZeroDivisionError):
            await feed.__aexit__(LinkDown, caught.value, None)
        await adapter.aclose()
