"""A command with an idempotency key acts once, whoever repeats it and whatever crashes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.live.asks import Ask, AskEverybody
from gateway.live.desk import Desk
from gateway.live.link import BackendStatus
from gateway.live.once import Once
from gateway.live.results import CommandOutcome, CommandResult
from gateway.model.capability import Sparing
from gateway.model.commands import Action, CreateRoom, UpdateSettings
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.viewer import Viewer, ViewerRole
from gateway.storage import Storage
from gateway.storage.engine import Database, parse_url
from gateway.storage.idempotency import Idempotency
from tests.gateway.live.desk_side import BOARD, LOCK, MUTE_ANNA, MUTE_BEN, Faulty, do, eventually, rows
from tests.gateway.schema.house import ADMIN, CLOUD, PBX, House, house_with

OTHER = Viewer("otto", "acme", frozenset(ViewerRole))
FOREIGN = Viewer("ada", "umbrella", frozenset(ViewerRole))
SECRET = b"0" * 32


def code(result: CommandResult) -> CommandErrorCode:
    (error,) = result.errors
    return error.code


async def test_a_repeat_gets_the_first_answer_and_does_not_act(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    first = await do(house, MUTE_ANNA, "k")
    pbx.change("board", "anna", muted=False)
    await house.until(lambda: not house.room("board").room.participants["anna"].muted)
    assert first.outcome is CommandOutcome.CONFIRMED
    assert await do(house, MUTE_ANNA, "k") == first
    assert pbx.executed == [MUTE_ANNA]


async def test_of_repeats_at_the_same_time_one_acts_and_all_get_its_answer(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.hold.clear()
    asking = [asyncio.create_task(do(house, MUTE_ANNA, "k")) for _ in range(20)]
    await eventually(lambda: pbx.executed)
    pbx.hold.set()
    answers = await asyncio.gather(*asking)
    assert pbx.executed == [MUTE_ANNA]
    assert {answer.outcome for answer in answers} == {CommandOutcome.CONFIRMED}
    assert len({answer.position for answer in answers}) == 1


async def test_a_repeat_after_a_restart_gets_the_first_answer(tmp_path: Path, pbx: Faulty) -> None:
    pbx.open_room("board")
    pbx.join("board", "anna")
    pbx.join("board", "ben")
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        first = await do(house, AskEverybody(Action.MUTE_ALL, BOARD), "k")
        kicked = await do(house, AskEverybody(Action.KICK_ALL, BOARD, frozenset({Sparing.MODERATORS})), "all")
        assert {each.outcome for each in (first, kicked)} == {CommandOutcome.CONFIRMED}
    sent = list(pbx.executed)
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        assert await do(house, AskEverybody(Action.MUTE_ALL, BOARD), "k") == first
        assert await do(house, AskEverybody(Action.KICK_ALL, BOARD, frozenset({Sparing.MODERATORS})), "all") == kicked
    assert pbx.executed == sent


async def test_a_key_stands_for_one_command(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna", "ben")
    await do(house, MUTE_ANNA, "k")
    for other in (MUTE_BEN, LOCK):
        answer = await do(house, other, "k")
        assert (answer.outcome, code(answer)) == (CommandOutcome.REJECTED, CommandErrorCode.CONFLICT)
        assert answer.errors[0].field == ("idempotencyKey",)
    assert (await house.live.desk.do(ADMIN, Ask(CLOUD, MUTE_ANNA), "k")).errors[0].code is CommandErrorCode.CONFLICT
    assert pbx.executed == [MUTE_ANNA]


async def test_settings_of_one_key_are_compared_by_what_they_say(house: House, pbx: Faulty) -> None:
    await house.with_people("board")
    one = UpdateSettings(BOARD, None, {"member_pins": ("1",), "native": {"a": 1, "b": 2}})
    same = UpdateSettings(BOARD, None, {"native": {"b": 2, "a": 1}, "member_pins": ("1",)})
    other = UpdateSettings(BOARD, None, {"native": {"b": 2, "a": 1}, "member_pins": ("2",)})
    first = await do(house, one, "k")
    assert await do(house, same, "k") == first
    assert code(await do(house, other, "k")) is CommandErrorCode.CONFLICT
    assert pbx.executed == [one]


async def test_settings_of_any_size_and_spelling_have_a_fingerprint(house: House, pbx: Faulty) -> None:
    odd = CreateRoom("half \ud83d", {"native": {"big": 2**70, "deep": [[{"\ud83d": None}]]}})
    pbx.silent = True
    first = await do(house, odd, "k")
    assert await do(house, odd, "k") == first
    assert pbx.executed == [odd]


async def test_the_same_key_of_another_viewer_is_another(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    for viewer in (ADMIN, OTHER, FOREIGN):
        await do(house, MUTE_ANNA, "k", viewer)
    assert len(pbx.executed) == 3


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_has_a_length(house: House, pbx: Faulty, key: str) -> None:
    await house.with_people("board", "anna")
    answer = await do(house, MUTE_ANNA, key)
    assert (code(answer), answer.errors[0].field) == (CommandErrorCode.INVALID_INPUT, ("idempotencyKey",))
    assert pbx.executed == []


async def test_a_refusal_that_invites_another_try_is_not_kept(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.drop_link(reachable=False)
    await house.until(lambda: house.live.links[PBX].status is BackendStatus.STALE)
    answer = await do(house, MUTE_ANNA, "k")
    assert (code(answer), answer.errors[0].retry_after_ms) == (CommandErrorCode.BACKEND_UNAVAILABLE, 2000)
    pbx.reachable = True
    await house.until_live()
    assert (await do(house, MUTE_ANNA, "k")).outcome is CommandOutcome.CONFIRMED


async def test_a_refusal_that_does_not_is_kept(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    pbx.refusal = CommandError(CommandErrorCode.BACKEND_REFUSED, "no")
    first = await do(house, MUTE_ANNA, "k")
    pbx.refusal = None
    assert first.outcome is CommandOutcome.REJECTED
    assert await do(house, MUTE_ANNA, "k") == first
    assert len(pbx.executed) == 1


async def test_what_was_under_way_when_the_gateway_stopped_has_an_unknown_outcome(tmp_path: Path, pbx: Faulty) -> None:
    pbx.open_room("board")
    pbx.join("board", "anna")
    pbx.hold.clear()
    async with house_with(tmp_path, pbx) as house:
        await house.until_live()
        asking = asyncio.create_task(do(house, MUTE_ANNA, "k"))
        await eventually(lambda: pbx.executed)
    await asyncio.wait([asking])
    assert asking.cancelled()
    async with Storage.open(_url(tmp_path), abandoned_after_s=0) as storage:
        answer = await Once(storage.idempotency, SECRET).do(ADMIN, Ask(PBX, MUTE_ANNA), "k", _must_not_act)
    assert (answer.outcome, code(answer)) == (CommandOutcome.UNKNOWN, CommandErrorCode.TIMEOUT)


async def test_what_another_process_is_doing_now_is_said_to_be_under_way(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> CommandResult:
        begun.set()
        await go_on.wait()
        return CommandResult(CommandOutcome.ACCEPTED)

    async with Storage.open(_url(tmp_path)) as ours, Storage.open(_url(tmp_path)) as theirs:
        doing = asyncio.create_task(Once(theirs.idempotency, SECRET).do(ADMIN, Ask(PBX, MUTE_ANNA), "k", slowly))
        await begun.wait()
        once = Once(ours.idempotency, SECRET)
        answer = await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", _must_not_act)
        assert (code(answer), answer.errors[0].retry_after_ms) == (CommandErrorCode.CONFLICT, 1000)
        go_on.set()
        first = await doing
        assert await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", _must_not_act) == first


async def test_without_the_database_nothing_is_sent(house: House, pbx: Faulty) -> None:
    await house.with_people("board", "anna")
    nowhere = Database(parse_url("postgresql://nobody@127.0.0.1:1/nothing"))
    desk = Desk(house.live.links, Once(Idempotency(nowhere), SECRET), house.storage.writer)
    answer = await desk.do(ADMIN, Ask(PBX, MUTE_ANNA), "k")
    assert (answer.outcome, code(answer)) == (CommandOutcome.REJECTED, CommandErrorCode.BACKEND_UNAVAILABLE)
    assert answer.errors[0].retry_after_ms
    assert pbx.executed == []
    assert (await desk.do(ADMIN, Ask(PBX, MUTE_ANNA))).outcome is CommandOutcome.CONFIRMED
    await desk.aclose()
    await nowhere.aclose()


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """Let the database answer to nobody."""
    with closing(sqlite3.connect(folder / "gateway.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_an_answer_that_could_not_be_kept_is_given_again(tmp_path: Path) -> None:
    """The database fails between the command and its answer."""
    acted = 0
    async with Storage.open(_url(tmp_path)):
        pass
    database = Database(parse_url(_url(tmp_path)), answer_within_s=0.3)
    once = Once(Idempotency(database), SECRET)

    async def act() -> CommandResult:
        nonlocal acted
        acted += 1
        await lock.__aenter__()
        return CommandResult(CommandOutcome.ACCEPTED)

    lock = locked(tmp_path)
    first = await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", act)
    await lock.__aexit__(None, None, None)
    assert await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", _must_not_act) == first
    assert acted == 1
    await database.aclose()


async def test_a_refusal_that_could_not_be_forgotten_may_be_tried_again(tmp_path: Path) -> None:
    async with Storage.open(_url(tmp_path)):
        pass
    database = Database(parse_url(_url(tmp_path)), answer_within_s=0.3)
    once = Once(Idempotency(database), SECRET)
    lock = locked(tmp_path)

    async def refused() -> CommandResult:
        await lock.__aenter__()
        error = CommandError(CommandErrorCode.BACKEND_UNAVAILABLE, "away", retry_after_ms=1)
        return CommandResult(CommandOutcome.REJECTED, (error,))

    async def act() -> CommandResult:
        return CommandResult(CommandOutcome.ACCEPTED)

    assert (await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", refused)).outcome is CommandOutcome.REJECTED
    await lock.__aexit__(None, None, None)
    assert (await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", act)).outcome is CommandOutcome.ACCEPTED
    assert (await once.do(ADMIN, Ask(PBX, MUTE_ANNA), "k", _must_not_act)).outcome is CommandOutcome.ACCEPTED
    await database.aclose()


async def test_a_fault_in_the_first_does_not_take_those_who_repeat_with_it(house: House, pbx: Faulty) -> None:
    """An adapter that falls over may have acted."""
    await house.with_people("board", "anna")
    pbx.hold.clear()
    pbx.fault = ZeroDivisionError("a slip")
    asking = [asyncio.create_task(do(house, MUTE_ANNA, "k")) for _ in range(3)]
    await eventually(lambda: pbx.executed)
    await eventually(lambda: len(house.live.desk._running) == 4)
    pbx.hold.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert len(pbx.executed) == 1
    told = [answer for answer in answers if isinstance(answer, CommandResult)]
    assert len(told) >= 2
    assert {answer.outcome for answer in told} == {CommandOutcome.UNKNOWN}
    assert (await do(house, MUTE_ANNA, "k")).outcome is CommandOutcome.UNKNOWN
    assert len(pbx.executed) == 1


async def test_what_is_kept_tells_no_secret(tmp_path: Path, house: House) -> None:
    await house.with_people("board")
    await do(house, UpdateSettings(BOARD, None, {"member_pins": ("83521947",)}), "my-own-key")
    (row,) = rows(tmp_path, "idempotency")
    assert row["answer"]
    for secret in ("83521947", "my-own-key"):
        assert secret not in repr(row)


async def _must_not_act() -> CommandResult:
    raise AssertionError("acted a second time")


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'gateway.sqlite3'}"
