"""Reads responses that go on: server-sent events and multipart, byte by byte as they must be."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from tests.protocol.front import Front

SSE = {"Accept": "text/event-stream"}
MULTIPART = {"Accept": 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json'}
BOUNDARY = b"\r\n--graphql"
HEARTBEAT = ""
"""What a comment is read as, instead of the name of an event."""
_PATIENCE_S = 90.0


class Told(NamedTuple):
    """An event of a stream."""

    name: str
    data: Any
    id: str | None = None


class Stream:
    """A response that goes on."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._come = b""

    async def until(self, end: bytes) -> bytes | None:
        """Read on to some bytes, and give what is before them; None when the response has ended in order."""
        async with asyncio.timeout(_PATIENCE_S):
            while end not in self._come:
                more = await self.response.content.readany()
                if not more:
                    assert self._come == b"", self._come
                    return None
                self._come += more
        told, _, self._come = self._come.partition(end)
        return told

    async def rest(self) -> bytes:
        """Read everything to the end, which must come in order."""
        async with asyncio.timeout(_PATIENCE_S):
            return self._come + await self.response.read()


class EventStream(Stream):
    """Server-sent events, whose lines end with LF."""

    async def told(self, *, heartbeats: bool = False) -> Told | None:
        """Give what comes next; None at the end."""
        while (block := await self.until(b"\n\n")) is not None:
            assert b"\r" not in block
            if heartbeats or block != b":":
                return _told(block)
        return None

    async def result(self) -> Any:
        """Give the next result."""
        told = await self.told()
        assert told is not None, "the stream is over"
        assert told.name == "next", told
        return told.data

    async def event(self) -> Any:
        """Give the next event of a subscription, whose id has to be its position."""
        told = await self.told()
        assert told is not None, "the stream is over"
        assert "errors" not in told.data, told.data
        assert told.id == told.data.get("extensions", {}).get("cursor")
        (event,) = told.data["data"].values()
        return event

    async def is_complete(self) -> bool:
        """Whether it says that it is complete, and ends then."""
        return await self.told() == Told("complete", None) and await self.told() is None


class PartStream(Stream):
    """Parts as Apollo's clients read them: each up to the boundary behind it."""

    async def part(self) -> Any:
        """Give the next part that is no heartbeat; None at the end."""
        while (part := await self.any_part()) == {}:
            pass
        return part

    async def any_part(self) -> Any:
        """Give the next part; None at the end."""
        part = await self.until(BOUNDARY)
        assert part is not None, "the end has to be said"
        if part == b"":
            part = await self.until(BOUNDARY)
            assert part is not None
        head, _, body = part.partition(b"\r\n\r\n")
        assert head.lower().startswith(b"\r\ncontent-type: application/json\r\n")
        return json.loads(body)

    async def event(self) -> Any:
        """Give the next event of a subscription."""
        part = await self.part()
        assert "errors" not in part["payload"], part
        (event,) = part["payload"]["data"].values()
        return event

    async def is_over(self) -> bool:
        """Whether there is the closing delimiter, and nothing behind it."""
        return await self.rest() == b"--\r\n"


@asynccontextmanager
async def streaming(
    front: Front,
    query: str,
    *,
    path: str = "",
    method: str = "POST",
    headers: dict[str, str] = SSE,
    extensions: dict[str, Any] | None = None,
    session: aiohttp.ClientSession | None = None,
    **variables: Any,
) -> AsyncIterator[EventStream]:
    """Ask for server-sent events."""
    body = {"query": query, "variables": variables, "extensions": extensions or {}}
    asked = (
        {"json": body}
        if method == "POST"
        else {"params": {n: v if n == "query" else json.dumps(v) for n, v in body.items()}}
    )
    url = front.url + path
    async with (session or front.session).request(method, url, headers={**SSE, **headers}, **asked) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield EventStream(response)


@asynccontextmanager
async def parts(front: Front, query: str, **variables: Any) -> AsyncIterator[PartStream]:
    """Ask for multipart."""
    body = {"query": query, "variables": variables}
    async with front.session.post(front.url, json=body, headers=MULTIPART) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "multipart/mixed"
        yield PartStream(response)


def _told(block: bytes) -> Told:
    fields = dict(line.split(": ", 1) if ": " in line else (line[:-1], "") for line in block.decode().split("\n"))
    if fields == {"": ""}:
        return Told(HEARTBEAT, None)
    assert fields.keys() <= {"id", "event", "data"}
    return Told(fields["event"], json.loads(fields["data"]) if fields["data"] else None, fields.get("id"))
