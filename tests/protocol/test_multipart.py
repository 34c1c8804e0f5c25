"""Multipart subscriptions, as Apollo's clients ask for them."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from gateway.web.app import WebLimits
from gateway.web.limits import SocketLimits
from tests.gateway.schema.house import House, gid
from tests.protocol.front import BODY_MAX_BYTES, Front, front_of, front_with
from tests.protocol.streams import MULTIPART, parts
from tests.protocol.test_websocket import FOLLOW, MUTE

ONLY_MULTIPART = {"Accept": "multipart/mixed;subscriptionSpec=1.0"}


async def test_a_room_is_followed(front: Front) -> None:
    room = await front.house.with_people("board", "guest")
    async with parts(front, FOLLOW, id=room) as stream:
        assert (await stream.event())["__typename"] == "RoomSnapshot"
        for name in ("Anna", "\r\n--graphql--\r\n", "half \ud83d"):
            front.house.pbx.join("board", name, display_name=name)
            assert (await stream.event())["participant"] == {"displayName": name}
        assert stream.response.headers["Content-Type"] == "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"


async def test_a_strict_reader_of_multipart_understands_it_at_once(front: Front) -> None:
    """Each part before the next one comes."""
    room = await front.house.with_people("board", "guest")
    body = {"query": FOLLOW, "variables": {"id": room}}
    async with front.session.post(front.url, json=body, headers=MULTIPART) as response:
        reader = aiohttp.MultipartReader.from_response(response)
        for expected in ("RoomSnapshot", "ParticipantJoined", "ParticipantJoined"):
            part = await reader.next()
            assert isinstance(part, aiohttp.BodyPartReader)
            assert part.headers["Content-Type"] == "application/json"
            assert (await part.json())["payload"]["data"]["roomEvents"]["__typename"] == expected
            front.house.pbx.join("board", f"after {part.headers} {id(part)}")


async def test_the_stream_of_a_room_that_is_gone_ends(front: Front) -> None:
    room = await front.house.with_people("board")
    async with parts(front, FOLLOW, id=room) as stream:
        await stream.event()
        front.house.pbx.remove_room("board")
        assert (await stream.rest()).endswith(b"--\r\n")
    await front.watched_by(0)


async def test_a_quiet_stream_is_kept_alive(tmp_path: Path) -> None:
    async with front_with(tmp_path, socket=SocketLimits(heartbeat_s=0.02)) as front:
        room = await front.house.with_people("board")
        async with parts(front, FOLLOW, id=room) as stream:
            await stream.event()
            assert [await stream.any_part() for _ in range(5)] == [{}] * 5


async def test_a_subscription_that_is_refused_is_told_in_a_part(front: Front) -> None:
    async with parts(front, FOLLOW, id=gid("nowhere")) as stream:
        part = await stream.part()
        assert part["payload"]["errors"][0]["extensions"]["code"] == "ROOM_NOT_FOUND"
        assert await stream.is_over()


async def test_whatever_is_one_answer_is_told_as_json_to_those_who_take_it(front: Front) -> None:
    for query, member in (("{ viewer { subject } }", "data"), ("subscription { nothing }", "errors"), ("{", "errors")):
        async with front.session.post(front.url, json={"query": query}, headers=MULTIPART) as response:
            assert (response.status, response.content_type) == (200, "application/json")
            assert member in await response.json()


async def test_whatever_is_one_answer_is_one_part_to_those_who_take_nothing_else(front: Front) -> None:
    await front.house.with_people("board", "anna")
    body = {"query": MUTE, "variables": {"id": gid("board", "anna")}}
    async with front.session.post(front.url, json=body, headers=ONLY_MULTIPART) as response:
        assert (response.status, response.content_type) == (200, "multipart/mixed")
        reader = aiohttp.MultipartReader.from_response(response)
        part = await reader.next()
        assert isinstance(part, aiohttp.BodyPartReader)
        assert (await part.json())["payload"]["data"]["muteParticipant"]["outcome"] == "CONFIRMED"
        assert await reader.next() is None


async def test_who_follows_while_the_gateway_stops_is_told_so(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            front.session = await clients.enter_async_context(aiohttp.ClientSession())
            stream = await clients.enter_async_context(parts(front, FOLLOW, id=gid("board")))
            await stream.event()
        part = await stream.part()
        assert part["payload"] is None
        assert part["errors"][0]["extensions"]["code"] == "SERVER_STOPPING"
        assert await stream.is_over()
