"""The demo as a newcomer meets it: one command, and stock clients do everything there is to do."""

import asyncio
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from gateway import registry
from gateway.commands.demo import CURL
from tests.contract.rigs import who_is_in
from tests.whole.commands import running

_PATIENCE_S = 120.0
_PEOPLE = gql("""
  query { rooms(orderBy: PARTICIPANT_COUNT_DESC, first: 20, filter: {states: [ACTIVE]}) { edges { node {
    id name position backend { kind } participants { totalCount edges { node { id displayName muted role } } } } } } }
""")
_FOLLOW = gql("""
  subscription ($room: ID!, $after: Cursor) { roomEvents(roomId: $room, after: $after) {
    __typename position roomId
    ... on RoomSnapshot { snapshotReason room { participants { edges { node { id muted } } } } }
    ... on ParticipantJoined { participant { id muted } }
    ... on ParticipantUpdated { changed participant { id muted talking } }
    ... on ParticipantLeft { leaveReason participant { id } } } }
""")
_MUTE = gql("""
  mutation ($id: ID!) { muteParticipant(input: {participantId: $id}) {
    outcome position errors { code message } participant { id muted } } }
""")
_STATUS = gql("subscription { backendEvents { backend { kind status statusReason } } }")
_QUIET = ("--seed=3", "--churn=0")
_ALL = """{ rooms(first: 200) { edges { node {
  stale nativeId backend { kind } participants(first: 200) { edges { node { nativeId } } } } } } }"""


@pytest.fixture(name="demo")
async def _demo() -> AsyncIterator[dict[str, str]]:
    async with running("demo", "--port=0", "--json", "--seed=7", "--rooms=3", "--churn=40") as (_, addresses):
        yield addresses


async def test_a_stock_client_lists_rooms_follows_one_and_mutes_somebody(demo: dict[str, str]) -> None:
    """One room through join, talk, mute and leave; a mute is CONFIRMED at the position of the event that is seen."""
    client = Client(transport=WebsocketsTransport(demo["ws"]))
    async with client as session, asyncio.timeout(_PATIENCE_S), AsyncExitStack() as stack:
        rooms = [edge["node"] for edge in (await session.execute(_PEOPLE))["rooms"]["edges"]]
        # The others do not tell who talks, or let only those who are in a room act in it.
        room = next(each for each in rooms if each["backend"]["kind"] == "KAZOO")
        events = await stack.enter_async_context(aclosing(session.subscribe(gql_with(_FOLLOW, room=room["id"]))))
        snapshot = (await anext(events))["roomEvents"]
        assert (snapshot["__typename"], snapshot["snapshotReason"]) == ("RoomSnapshot", "START")
        inside = {edge["node"]["id"]: edge["node"]["muted"] for edge in snapshot["room"]["participants"]["edges"]}
        muted: dict[str, Any] | None = None
        seen: set[str] = set()
        while not seen >= {"JOINED", "LEFT", "TALKING", "MUTED", "SEEN"}:
            event = (await anext(events))["roomEvents"]
            who = event.get("participant", {}).get("id")
            match event["__typename"]:
                case "ParticipantJoined":
                    assert who not in inside
                    seen.add("JOINED")
                    inside[who] = event["participant"]["muted"]
                    if muted is None:
                        result = (await session.execute(gql_with(_MUTE, id=who)))["muteParticipant"]
                        # They may have left again, or pressed their own key: what counts is a mute that was ours.
                        muted = result if result["outcome"] == "CONFIRMED" else None
                case "ParticipantUpdated":
                    inside[who] = event["participant"]["muted"]
                    seen.update(event["changed"])
                case "ParticipantLeft":
                    del inside[who]
                    seen.add("LEFT")
            if muted and event["position"] == muted["position"]:
                assert event["changed"] == ["MUTED"]
                assert (who, event["participant"]["muted"]) == (muted["participant"]["id"], True)
                seen.add("SEEN")


def gql_with(document: Any, **variables: str) -> Any:
    """Give a request of its own for each use: the stock client keeps variables in it."""
    request = gql(document.payload["query"])
    request.variable_values = variables
    return request


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
async def test_the_printed_curl_shows_events(demo: dict[str, str]) -> None:
    command = CURL.replace("URL", demo["graphql"])
    curl = await asyncio.create_subprocess_shell(command, stdout=PIPE, stderr=DEVNULL, start_new_session=True)
    assert curl.stdout is not None
    async with asyncio.timeout(_PATIENCE_S):
        while not (line := await curl.stdout.readline()).startswith(b"data: "):
            assert line
    os.killpg(curl.pid, signal.SIGTERM)
    await curl.communicate()
    (event,) = json.loads(line.removeprefix(b"data: "))["data"].values()
    assert event["participant"]["displayName"]


async def test_a_killed_simulator_shows_as_stale_and_a_new_one_as_live_and_true() -> None:
    async with running("demo", "--port=0", "--json", *_QUIET) as (demo, addresses):
        commands = {each: set(each.cmdline()) for each in psutil.Process(demo.pid).children()}
        for kind in registry.kinds():
            simulator = next(each for each, command in commands.items() if {"simulate", kind} <= command)
            await _replaced(kind, simulator, addresses)


async def _replaced(kind: str, simulator: psutil.Process, addresses: dict[str, str]) -> None:
    """Kill a simulator and start it again, and see what the gateway makes of that."""
    port = next(each.laddr.port for each in simulator.net_connections() if each.status == psutil.CONN_LISTEN)
    client = Client(transport=WebsocketsTransport(addresses["ws"]))
    async with client as session, aclosing(session.subscribe(_STATUS)) as statuses, asyncio.timeout(_PATIENCE_S):
        await _until(statuses, kind, "LIVE")
        before = await _rooms(addresses["graphql"], kind)
        simulator.kill()
        await _until(statuses, kind, "STALE")
        stale = await _rooms(addresses["graphql"], kind)
        assert all(room["stale"] for room in stale)
        assert _who(stale) == _who(before)
        async with running("simulate", kind, f"--port={port}", "--json", "--talk-rate=0", *_QUIET) as (_, said):
            await _until(statuses, kind, "LIVE")
            live = await _rooms(addresses["graphql"], kind)
            assert not any(room["stale"] for room in live)
            assert _who(live) == await who_is_in(kind, said["settings"])


async def _until(statuses: Any, kind: str, status: str) -> None:
    backend: dict[str, str] = {}
    while (backend.get("kind"), backend.get("status")) != (kind.upper(), status):
        backend = (await anext(statuses))["backendEvents"]["backend"]


async def _rooms(url: str, kind: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(url, json={"query": _ALL}) as response:
        rooms = [edge["node"] for edge in (await response.json())["data"]["rooms"]["edges"]]
    return [room for room in rooms if room["backend"]["kind"] == kind.upper()]


def _who(rooms: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {room["nativeId"]: {edge["node"]["nativeId"] for edge in room["participants"]["edges"]} for room in rooms}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_however_it_is_stopped_it_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path) -> None:
    async with running("demo", "--port=0", "--json", TMPDIR=str(tmp_path)) as (demo, _):
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) == len(registry.kinds()) + 1
        assert os.listdir(tmp_path)  # noqa: PTH208  # no pathlib where a loop runs
        demo.send_signal(ending)
        async with asyncio.timeout(_PATIENCE_S):
            assert await demo.wait() == 0
    assert not any(child.is_running() for child in children)
    assert not os.listdir(tmp_path)  # noqa: PTH208
