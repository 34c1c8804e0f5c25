"""`watch`: a room, live in the terminal."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import click
from rich.console import Console, Group
from rich.live import Live as Screen
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gateway.commands.running import Complaint, run

_PROTOCOL = "graphql-transport-ws"
_RETRY_S = 1.0
_NEWS_SHOWN = 12

_FIND = """query ($room: String!, $id: ID!) {
  room(id: $id) { id }
  rooms(first: 2, filter: {search: $room}) { edges { node { id name } } }
}"""
_FIELDS = "id displayName number role muted deafened talking joinedAt"
_FOLLOW = f"""subscription ($id: ID!) {{
  roomEvents(roomId: $id) {{
    __typename occurredAt
    ... on RoomSnapshot {{ snapshotReason room {{ name state locked stale
      participants(first: 200) {{ edges {{ node {{ {_FIELDS} }} }} }} }} }}
    ... on RoomUpdated {{ changed room {{ name state locked stale }} }}
    ... on RoomEnded {{ room {{ name state locked stale }} }}
    ... on ParticipantJoined {{ participant {{ {_FIELDS} }} }}
    ... on ParticipantUpdated {{ changed participant {{ {_FIELDS} }} }}
    ... on ParticipantLeft {{ leaveReason participant {{ {_FIELDS} }} }}
    ... on CommandFailed {{ error {{ message }} }}
  }}
}}"""


@click.command()
@click.argument("url")
@click.argument("room")
def watch(url: str, room: str) -> None:
    """Show a room live: who is in it, who talks, who comes and goes. Ctrl-C ends it.

    URL is the gateway's GraphQL address, as http://127.0.0.1:8000/graphql; ROOM a room's name, one of its numbers, or
    its id. When the connection is lost it is made again.
    """
    try:
        run(_watch(url, room))
    except KeyboardInterrupt:
        return
    except aiohttp.InvalidURL:
        raise Complaint(f"{url!r} is no address; it looks like http://127.0.0.1:8000/graphql") from None


class _View:
    """What is known of the room, and how it is shown."""

    def __init__(self) -> None:
        self._room: dict[str, Any] = {}
        self._people: dict[str, dict[str, Any]] = {}
        self._news: list[str] = []
        self.trouble = ""

    def take(self, event: dict[str, Any]) -> None:
        """Take over one event."""
        self._room.update(event.get("room") or {})
        participant = event.get("participant")
        match event["__typename"]:
            case "RoomSnapshot":
                self._people = {edge["node"]["id"]: edge["node"] for edge in event["room"]["participants"]["edges"]}
            case "ParticipantLeft":
                self._people.pop(event["participant"]["id"], None)
            case "ParticipantJoined" | "ParticipantUpdated":
                self._people[event["participant"]["id"]] = event["participant"]
        detail = event.get("leaveReason") or event.get("snapshotReason") or ", ".join(event.get("changed") or ())
        detail = detail or (event.get("error") or {}).get("message", "")
        who = _name(participant) if participant else ""
        self._news.append(f"{_clock(event['occurredAt'])}  {event['__typename']:<19} {who} {detail}")
        del self._news[:-_NEWS_SHOWN]

    def __rich__(self) -> Group:
        state = "STALE: the backend is not connected" if self._room.get("stale") else self._room.get("state", "")
        locked = " · locked" if self._room.get("locked") else ""
        title = f"{escape(str(self._room.get('name')))} · {state}{locked} · {len(self._people)} participants"
        table = Table("", "name", "number", "role", "flags", "since", title=title, title_justify="left", expand=True)
        for each in self._people.values():
            flags = " ".join(name for name in ("muted", "deafened") if each[name])
            talking = Text("●", "green") if each["talking"] else ""
            table.add_row(talking, Text(_name(each)), each["number"], each["role"], flags, _clock(each["joinedAt"]))
        return Group(table, Text("\n".join(self._news)), Text(self.trouble, "red"))


async def _watch(url: str, room: str) -> None:
    view = _View()
    async with aiohttp.ClientSession() as session:
        room_id = await _find(session, url, room)
        with Screen(view, console=Console(), auto_refresh=False) as screen:
            while True:
                try:
                    async for event in _events(session, url, room_id):
                        view.trouble = ""
                        view.take(event)
                        screen.refresh()
                    break
                except (aiohttp.ClientError, OSError, ConnectionError) as error:
                    view.trouble = f"connection lost ({type(error).__name__} {error}); trying again"
                screen.refresh()
                await asyncio.sleep(_RETRY_S)


async def _find(session: aiohttp.ClientSession, url: str, room: str) -> str:
    """Find the room's id by what the user calls it."""
    try:
        body = {"query": _FIND, "variables": {"room": room, "id": room}}
        async with session.post(url, json=body) as response:
            answer = await response.json()
    except (aiohttp.ClientConnectionError, aiohttp.ContentTypeError, json.JSONDecodeError) as error:
        raise Complaint(f"{url}: no gateway answers there: {error}") from None
    data = answer.get("data") or {}
    if data.get("room"):
        return str(data["room"]["id"])
    found = [edge["node"] for edge in (data.get("rooms") or {"edges": []})["edges"]]
    exact = [each for each in found if each["name"] == room] or found
    if len(exact) != 1:
        raise Complaint(f"{'several rooms match' if exact else 'no room matches'} {room!r}")
    return str(exact[0]["id"])


async def _events(session: aiohttp.ClientSession, url: str, room_id: str) -> AsyncIterator[dict[str, Any]]:
    """Follow the room over graphql-transport-ws until it is gone.

    Errors: aiohttp.ClientError when the connection ends.
    """
    async with session.ws_connect(url, protocols=[_PROTOCOL], heartbeat=20) as socket:
        await socket.send_json({"type": "connection_init"})
        await socket.send_json(
            {"id": "1", "type": "subscribe", "payload": {"query": _FOLLOW, "variables": {"id": room_id}}}
        )
        async for frame in socket:
            message = frame.json()
            match message["type"]:
                case "next" if event := (message["payload"].get("data") or {}).get("roomEvents"):
                    yield event
                case "next" | "error":
                    raise Complaint(f"the gateway refused: {message['payload']}")
                case "complete":
                    return
                case "ping":
                    await socket.send_json({"type": "pong"})
    raise aiohttp.ServerDisconnectedError("the gateway closed the connection")


def _name(participant: dict[str, Any]) -> str:
    return str(participant["displayName"] or participant["number"] or participant["id"])


def _clock(instant: str | None) -> str:
    return "" if instant is None else datetime.fromisoformat(instant).astimezone().strftime("%H:%M:%S")
