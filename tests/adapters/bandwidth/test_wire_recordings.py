"""What the page and the pages about it have, byte for byte over a socket, as the gateway shows it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.bandwidth.simulator import BandwidthSimulator
from adapters.kit.listener import Listener
from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.errors import CommandErrorCode
from gateway.model.ids import ParticipantId
from gateway.model.room import Participant, RoomState
from tests.adapters.bandwidth.bandwidth_gateway import House, codes, gateway_at, simulated

RECORDINGS = Path(__file__).parents[2] / "recordings" / "bandwidth"
CONFERENCE = "conf-1"
EVERY_PROPERTY = {
    "id",
    "state",
    "from",
    "createdTime",
    "completedTime",
    "activeMembers",
    "hold",
    "mute",
    "profile",
    "callbackUrl",
    "callbackHttpMethod",
    "callbackTimeout",
    "fallbackUrl",
    "tag",
}


def raw(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


class Cloud:
    """A Bandwidth of a few lines that answers with recordings as they stand."""

    def __init__(self) -> None:
        self.conference = raw("facts-conference.json").replace(b'"completed"', b'"active"')
        self.conference = b"\n".join(line for line in self.conference.split(b"\n") if b"completedTime" not in line)
        self.members = raw("facts-members.json")
        self.asked: list[str] = []

    async def answer(self, request: Request) -> Response:
        path = request.url.path.partition("/users/")[2].partition("/")[2]
        self.asked.append(f"{request.method} {path}")
        if request.method == "POST":
            return Response(b"", 200)
        if path.startswith("conferences/"):
            found = self.members if path.endswith("/members") else self.conference
            return Response(found, media_type="application/json")
        if path == "calls":
            return Response(b"[]", media_type="application/json")
        return Response(raw("facts-call.json").replace(b'"c-1"', b'"%s"' % path.rpartition("/")[2].encode()))


@asynccontextmanager
async def recorded(folder: Path, cloud: Cloud, **settings: Any) -> AsyncIterator[House]:
    """A gateway at it."""
    listener = Listener(
        Starlette(routes=[Route("/{rest:path}", cloud.answer, methods=["GET", "POST"])]), "127.0.0.1", 0
    )
    await listener.start()
    try:
        url = f"http://127.0.0.1:{listener.port}"
        async with simulated() as (there, app), gateway_at(there, app, folder, url=url, **settings) as seat:
            await seat.until_status(BackendStatus.LIVE)
            yield there
    finally:
        await listener.stop()


async def test_the_answer_of_the_page_is_a_room_that_waits(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.conference = raw("seed-conference.json").replace(b"{conferenceId}", CONFERENCE.encode())
    async with recorded(tmp_path, cloud) as there:
        assert (await there.adopt(CONFERENCE)).outcome is CommandOutcome.CONFIRMED
        room = there.room(CONFERENCE)
        assert (room.state, room.permanent, room.numbers) == (RoomState.IDLE, True, ("+19703255647",))
        assert dict(room.participants) == {}
        assert there.native(CONFERENCE) == json.loads(cloud.conference)
        assert there.adapter._conferences.created_at(CONFERENCE) == datetime(2013, 7, 12, 17, 22, 47, tzinfo=UTC)
        assert f"POST conferences/{CONFERENCE}" in cloud.asked  # it tells nobody, and is to tell us
        assert not any("members" in each for each in cloud.asked)


async def test_every_property_is_shown_of_a_conference_that_runs_with_its_members(tmp_path: Path) -> None:
    cloud = Cloud()
    async with recorded(tmp_path, cloud) as there:
        assert (await there.adopt(CONFERENCE, "Board")).outcome is CommandOutcome.CONFIRMED
        await there.until(lambda: all(each.number for each in there.people(CONFERENCE).values()))
        native = there.native(CONFERENCE)
        assert set(native) == EVERY_PROPERTY - {"completedTime"}
        assert native == json.loads(cloud.conference)
        assert there.room(CONFERENCE).state is RoomState.ACTIVE
        joined_at = datetime(2013, 7, 12, 17, 54, 47, tzinfo=UTC)
        number = "+12025550101"
        assert list(there.people(CONFERENCE).values()) == [
            Participant(
                id=ParticipantId(f"member-{nth}"),
                leg_id=f"c-{nth}",
                number=number,
                user_id=number,
                muted=nth == 2,
                on_hold=False,
                joined_at=joined_at,
            )
            for nth in (1, 2)
        ]
        assert there.adapter.misunderstood == 0


async def test_numbers_and_flags_that_come_as_text_are_the_same(tmp_path: Path) -> None:
    cloud = Cloud()
    for value in (b"1", b"6000", b"false"):
        cloud.conference = cloud.conference.replace(b": " + value, b': "' + value + b'"')
    cloud.members = cloud.members.replace(b": false", b': "false"').replace(b": true", b': "true"')
    async with recorded(tmp_path, cloud) as there:
        await there.adopt(CONFERENCE)
        native = there.native(CONFERENCE)
        assert (native["activeMembers"], native["callbackTimeout"], native["hold"]) == (1, 6000, False)
        assert [each.muted for each in there.people(CONFERENCE).values()] == [False, True]


async def test_a_completed_conference_cannot_be_adopted_and_one_that_became_so_ends(tmp_path: Path) -> None:
    cloud = Cloud()
    running, cloud.conference = cloud.conference, raw("facts-conference.json")
    async with recorded(tmp_path, cloud, poll_interval_s=0.1) as there:
        assert codes(await there.adopt(CONFERENCE)) == [CommandErrorCode.ROOM_NOT_ACTIVE]
        cloud.conference = running
        assert (await there.adopt(CONFERENCE)).outcome is CommandOutcome.CONFIRMED
        cloud.conference = raw("facts-conference.json")
        await there.until(lambda: there.is_over(CONFERENCE))
        assert await there.kept() == set()


EVENTS = sorted(path.name for path in RECORDINGS.glob("facts-event-*.json"))


@pytest.mark.parametrize("order", [EVENTS, EVENTS[::-1]])
async def test_every_callback_of_the_pages_is_understood_in_any_order(tmp_path: Path, order: list[str]) -> None:
    cloud = Cloud()
    async with recorded(tmp_path, cloud) as there:
        await there.adopt(CONFERENCE)
        for name in order:
            assert await there.call_hook(raw(name), there.hook_secret) == 200
        await there.until(lambda: there.is_over(CONFERENCE))  # one of them says so
        assert there.adapter.misunderstood == 0


async def test_the_callbacks_of_a_member_tell_that_they_came_were_muted_and_left(tmp_path: Path) -> None:
    said = json.loads(raw("facts-event-member-joined.json"))
    cloud = Cloud()
    cloud.conference = cloud.conference.replace(b"conf-1", said["conferenceId"].encode())
    cloud.members = b"[]"
    conference, member = said["conferenceId"], ParticipantId(said["memberId"])
    async with recorded(tmp_path, cloud) as there:
        await there.adopt(conference)
        for name in ("joined", "muted", "left"):
            assert await there.call_hook(raw(f"facts-event-member-{name}.json"), there.hook_secret) == 200
        await there.until(lambda: there.left(conference))
        assert there.joined(conference) == [member]


async def test_the_simulator_shows_every_property_through_the_gateway_too(tmp_path: Path) -> None:
    async with simulated() as (there, app), gateway_at(there, app, tmp_path) as seat:
        await seat.until_status(BackendStatus.LIVE)
        more = {"tag": "standup", "fallbackUrl": "https://fallback.example/", "callbackTimeout": 6000}
        conference = await there.made("Board", {"native": more})
        assert set(there.native(conference)) == EVERY_PROPERTY - {"completedTime"}
        assert there.native(conference)["state"] == "created"
        assert isinstance(there.sim, BandwidthSimulator)
        member = there.sim.join(conference)
        await there.until_shown(conference, member)
        assert (there.native(conference)["state"], there.native(conference)["activeMembers"]) == ("active", 1)
