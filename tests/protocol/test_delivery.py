"""Delivery guarantees over WebSockets: what is agreed, and going on where a stream was when the gateway stopped."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.typing import Subprotocol

from gateway.model.ids import RoomKey
from gateway.web.app import WebLimits
from tests.gateway.schema.house import ADMIN, LIMITS, PBX, House, gid, house_with
from tests.protocol.busy import FOLLOW_ALL, PEOPLE, STATE, Picture, busy
from tests.protocol.front import BODY_MAX_BYTES, Front, Wire, front_of, front_with

EVENTS = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
    __typename position ... on RoomSnapshot { snapshotReason } } }"""
AGREED = "at-least-once-capabilities"
SUBSCRIBE = {"graphql-transport-ws": ("subscribe", "next"), "graphql-ws": ("start", "data")}
IDS = ("a", "b", "c", "d")
PATIENCE_S = 30.0


async def ask(wire: Wire, operation_id: str, extensions: dict[str, Any], query: str = EVENTS, **variables: Any) -> None:
    kind = SUBSCRIBE[wire.socket.subprotocol or ""][0]
    payload = {"query": query, "variables": variables, "extensions": extensions}
    await wire.say({"id": operation_id, "type": kind, "payload": payload})


async def payload(wire: Wire, operation_id: str = "1") -> Any:
    """Give the next payload of a subscription, which has its cursor beside it."""
    message = await wire.next(operation_id)
    assert message["type"] == SUBSCRIBE[wire.socket.subprotocol or ""][1], message
    come = message["payload"]
    assert come["extensions"]["cursor"] == come["data"]["roomEvents"]["position"]
    return come


# ---- what is agreed ----


@pytest.mark.parametrize("subprotocol", SUBSCRIBE)
async def test_the_first_event_and_no_other_says_what_was_agreed(tmp_path: Path, subprotocol: str) -> None:
    async with front_with(tmp_path, legacy_graphql_ws=True) as front:
        room = await front.house.with_people("board", "anna")
        async with front.wire(subprotocols=[Subprotocol(subprotocol)]) as wire:
            await ask(wire, "1", {"delivery-guarantee": "exactly-once, cursor"}, id=room)
            await ask(wire, "2", {}, id=room)
            assert (await payload(wire, "1"))["extensions"][AGREED] == "cursor"
            assert AGREED not in (await payload(wire, "2"))["extensions"]
            front.house.pbx.change("board", "anna", muted=True)
            for operation_id in "12":
                assert set((await payload(wire, operation_id))["extensions"]) == {"cursor"}


async def test_a_resume_goes_on_behind_the_cursor_and_says_so_with_its_first_event(front: Front) -> None:
    room = await front.house.with_people("board", "anna")
    async with front.wire() as wire:
        await ask(wire, "1", {}, id=room)
        start = (await payload(wire))["extensions"]["cursor"]
        await front.house.until_joined("board", "ben", "cleo")
        wanted = [(await payload(wire))["data"] for _ in "bc"]
        await ask(wire, "2", {"cursor": start, "delivery-guarantee": "cursor"}, id=room)
        come = [await payload(wire, "2") for _ in "bc"]
        assert [each["data"] for each in come] == wanted
        assert [AGREED in each["extensions"] for each in come] == [True, False]
        await ask(wire, "3", {"cursor": come[-1]["extensions"]["cursor"]}, id=room)
        front.house.pbx.join("board", "dan")
        assert (await payload(wire, "3"))["data"]["roomEvents"]["__typename"] == "ParticipantJoined"


@pytest.mark.parametrize(
    ("extensions", "code"),
    [
        ({"delivery-guarantee": "exactly-once"}, "DELIVERY_GUARANTEE_UNSUPPORTED"),
        ({"cursor": "x"}, "DELIVERY_GUARANTEE_UNSATISFIABLE"),
        ({"cursor": "x", "snapshot-fallback": True}, "FORGED_CURSOR"),
        ({"cursor": 7}, "INVALID_INPUT"),
        ({"delivery-guarantee": ["cursor"]}, "INVALID_INPUT"),
    ],
)
async def test_what_cannot_be_agreed_is_refused_by_code(front: Front, extensions: dict[str, Any], code: str) -> None:
    room = await front.house.with_people("board")
    async with front.wire() as wire:
        await ask(wire, "1", extensions, id=room)
        assert (await wire.refusal("1"))["extensions"]["code"] == code
        await ask(wire, "1", {}, id=room)
        await payload(wire)


async def test_a_position_that_is_no_longer_kept_is_refused_or_explained(tmp_path: Path) -> None:
    async with front_with(tmp_path, limits=replace(LIMITS, log_max_events=4)) as front:
        room = await front.house.with_people("board", "anna")
        async with front.wire() as wire:
            await ask(wire, "1", {}, id=room)
            start = (await payload(wire))["extensions"]["cursor"]
            await front.house.until_joined("board", *(f"guest {number}" for number in range(10)))
            await ask(wire, "2", {"cursor": start}, id=room)
            assert (await wire.refusal("2"))["extensions"]["code"] == "DELIVERY_GUARANTEE_UNSATISFIABLE"
            await ask(wire, "3", {"cursor": start, "snapshot-fallback": True}, id=room)
            await ask(wire, "4", {}, id=room, after=start)
            for operation_id in "34":
                event = (await payload(wire, operation_id))["data"]["roomEvents"]
                assert event["snapshotReason"] == "CURSOR_TOO_OLD"


# ---- the gateway stops ----


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with house_with(tmp_path, limits=replace(LIMITS, log_max_events=10_000)) as house:
        await house.until_live()
        await house.with_people("board", *PEOPLE)
        yield house


async def test_who_goes_on_from_the_last_words_of_a_gateway_misses_nothing(house: House) -> None:
    """It stops in the middle of much happening, and as many positions as fit are in the reason."""
    web = WebLimits((), BODY_MAX_BYTES)
    async with AsyncExitStack() as clients:
        async with front_of(house, web) as front:
            wires = [await clients.enter_async_context(front.wire()) for _ in range(20)]
            for wire in wires:
                for operation_id in IDS:
                    await ask(wire, operation_id, {}, id=gid("board"))
            listening = [asyncio.create_task(everything(wire)) for wire in wires]
            happening = asyncio.create_task(busy(front, 50))
            before = house.live.hub.version
            await house.until(lambda: house.live.hub.version > before + 60)
        told = await asyncio.gather(*listening)
    await happening
    async with front_of(house, web) as front, front.wire() as back:
        _, truth = await front.post(STATE, id=gid("board"))
        for number, (last, seen) in enumerate(told):
            assert list(last) == ["a", "b", "c"], "there is no room for a fourth"
            assert all(seen[each][-1] == last[each] for each in last)
            await ask(back, f"{number}", {"cursor": last["a"]}, id=gid("board"))
            positions = list(seen["a"])
            while positions[-1] != truth["data"]["room"]["position"]:
                positions.append((await payload(back, f"{number}"))["extensions"]["cursor"])
            assert contiguous(house, positions), "something was missed, doubled or out of order"


async def everything(wire: Wire) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read to the end, and give the positions in its reason, and those that had come."""
    seen: dict[str, list[str]] = {operation_id: [] for operation_id in IDS}
    async with asyncio.timeout(PATIENCE_S):
        async for text in wire.socket:
            come = json.loads(text)
            seen[come["id"]].append(come["payload"]["extensions"]["cursor"])
    code, reason = await wire.end()
    assert code == 1001
    first, *rest = (reason or "").split("; ")
    assert first == "going away"
    return dict(each.split("=", 1) for each in rest), seen


def contiguous(house: House, cursors: list[str]) -> bool:
    key = RoomKey(PBX, next(iter(house.pbx.rooms)))
    places = [house.cursors.decode(ADMIN.tenant, key, each).sequence for each in cursors]
    return places == list(range(places[0], places[0] + len(places)))


# ---- who comes while much happens ----


async def test_two_hundred_who_come_at_any_moment_of_a_busy_room_all_know_the_truth(tmp_path: Path) -> None:
    async with front_with(tmp_path, limits=replace(LIMITS, log_max_events=10_000)) as front:
        await front.house.with_people("board", *PEOPLE)
        happening = asyncio.create_task(busy(front, 300))
        dice = random.Random(4)

        async def come() -> Picture:
            for _ in range(dice.randrange(300)):
                await asyncio.sleep(0)
            picture = Picture()
            async with front.wire() as wire:
                await ask(wire, "1", {}, FOLLOW_ALL, id=gid("board"))
                while picture.name != "At last":
                    picture.take((await payload(wire))["data"]["roomEvents"])
            return picture

        pictures = await asyncio.gather(*(come() for _ in range(200)))
        await happening
        _, answer = await front.post(STATE, id=gid("board"))
        truth = answer["data"]["room"]
        muted = {edge["node"]["id"]: edge["node"]["muted"] for edge in truth["participants"]["edges"]}
        for picture in pictures:
            assert picture.reasons == ["START"]
            assert picture.muted == muted
            assert picture.positions[-1] == truth["position"]
            assert contiguous(front.house, picture.positions)
        assert len({picture.positions[0] for picture in pictures}) > 4, "they came at different moments"
