"""Cursors that were not given out for where they are used: each is refused by code, on its operation, over the wire."""

import base64
import random
import string
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.model.ids import BackendId, Position, RoomId, RoomKey
from gateway.schema.cursor import Cursors
from tests.gateway.schema.house import PBX, gid
from tests.protocol.front import Front, Wire, front_with

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) { __typename position } }"
ALPHABET = string.ascii_letters + string.digits + "-_"
_TELLING = 8
"""From which length on a cursor is none of the words of an error by chance."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with front_with(tmp_path_factory.mktemp("front")) as front:
        for room_id in ("board", "other"):
            await front.house.with_people(room_id, "anna")
        yield front


async def good_cursor(wire: Wire, room_id: str = "board") -> str:
    await wire.subscribe("good", EVENTS, id=gid(room_id))
    position: str = (await wire.event("good"))["position"]
    await wire.complete("good")
    return position


async def refused(wire: Wire, cursor: object) -> object:
    """Give the code that a cursor is refused with, by argument and beside the document."""
    await wire.subscribe("1", EVENTS, id=gid("board"), after=cursor)
    payload = {"query": EVENTS, "variables": {"id": gid("board")}, "extensions": {"cursor": cursor}}
    await wire.say({"id": "2", "type": "subscribe", "payload": payload})
    codes = [(await wire.refusal(operation_id))["extensions"]["code"] for operation_id in "12"]
    return codes[0] if codes[1] == "DELIVERY_GUARANTEE_UNSATISFIABLE" else codes


async def test_ten_thousand_mutated_cursors_are_refused(front: Front) -> None:
    dice = random.Random(7)
    async with front.wire() as wire:
        good = await good_cursor(wire)
        count = 10_000
        mutated = [mutation(good, dice) for _ in range(count)]
        for begin in range(0, count, 500):
            for number in range(begin, begin + 500):
                await wire.subscribe(f"{number}", EVENTS, id=gid("board"), after=mutated[number])
            for number in range(begin, begin + 500):
                error = await wire.refusal(f"{number}")
                assert error["extensions"]["code"] == "FORGED_CURSOR", mutated[number]
                # Shorter ones are found in any English sentence.
                assert len(mutated[number]) < _TELLING or mutated[number] not in error["message"]
        await wire.subscribe("after all", EVENTS, id=gid("board"), after=good)
        front.house.pbx.change("board", "anna", muted=dice.random() < 2)
        assert (await wire.event("after all"))["__typename"] == "ParticipantUpdated"
        await wire.complete("after all")
    await front.watched_by(0)


def mutation(good: str, dice: random.Random) -> str:
    """Change a cursor, never to itself."""
    place = dice.randrange(len(good))
    match dice.randrange(6):
        case 0:
            made = good[:place] + dice.choice(ALPHABET) + good[place + 1 :]
        case 1:
            made = good[:place]
        case 2:
            made = good[:place] + dice.choice(ALPHABET + "=é\n ") + good[place:]
        case 3:
            raw = bytearray(base64.urlsafe_b64decode(good))
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            made = base64.urlsafe_b64encode(raw).decode()
        case 4:
            made = good[place:] + good[:place]
        case _:
            made = "".join(dice.choices(ALPHABET, k=len(good)))
    return made if made != good else good + "="


async def test_cursors_of_other_rooms_tenants_and_secrets_are_foreign(front: Front) -> None:
    position = Position(1, 1)
    key, cursors = RoomKey(PBX, RoomId("board")), front.house.cursors
    foreign = [
        Cursors(b"another secret").encode("acme", key, position),
        cursors.encode("another tenant", key, position),
        cursors.encode("acme", RoomKey(PBX, RoomId("other")), position),
        cursors.encode("acme", RoomKey(BackendId("cloud"), RoomId("board")), position),
        cursors.encode("acm", RoomKey(BackendId("epbx"), RoomId("board")), position),
    ]
    async with front.wire() as wire:
        foreign.append(await good_cursor(wire, "other"))
        for each in foreign:
            assert await refused(wire, each) == "FORGED_CURSOR"


async def test_a_cursor_of_ours_that_never_was_is_answered_with_a_snapshot(front: Front) -> None:
    """It cannot be made without our secret, but before a restart it may have been given out."""
    key = RoomKey(PBX, RoomId("board"))
    async with front.wire() as wire:
        for position in (Position(0, 0), Position(2**64 - 1, 2**64 - 1), Position(1, 5)):
            cursor = front.house.cursors.encode("acme", key, position)
            await wire.subscribe("1", EVENTS, id=gid("board"), after=cursor)
            assert (await wire.event("1"))["__typename"] == "RoomSnapshot"
            await wire.complete("1")


@pytest.mark.parametrize("cursor", [7, True, [], {}, ["x"], 1.5])
async def test_what_is_no_text_is_no_cursor(front: Front, cursor: object) -> None:
    async with front.wire() as wire:
        await wire.subscribe("1", EVENTS, id=gid("board"), after=cursor)
        assert (await wire.refusal("1"))["extensions"]["code"] == "INVALID_INPUT"
        await wire.answer("1", "{ __typename }")


@pytest.mark.parametrize("cursor", ["x" * 50_000, "\u0000" * 32, "😀" * 8, "AAAA" * 8 + "\n", "." * 32])
async def test_odd_texts_are_forged_cursors(front: Front, cursor: str) -> None:
    async with front.wire() as wire:
        assert await refused(wire, cursor) == "FORGED_CURSOR"
