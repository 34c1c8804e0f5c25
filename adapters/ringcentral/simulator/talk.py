"""What clients send on a socket: heartbeats, and requests that are answered like any other.

Inferred: what is neither gets an Error frame with WSG-400, requests of a socket are answered one after another, and
          oauth over the socket is 404.
"""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from .api import Answer, Api, Received
from .faults import Faults
from .links import Frame, Link, Links, error_frame
from .shapes import Json, child


class Talk:
    """Takes the frames of clients."""

    def __init__(self, faults: Faults, api: Api, links: Links, stirred: Callable[[], None]) -> None:
        self._faults = faults
        self._api = api
        self._links = links
        self._stirred = stirred

    async def take(self, link: Link, text: str) -> None:
        """Take one frame."""
        meta, body = _read(text)
        if self._faults.hang:
            return
        self._links.replay(link)
        message_id = str(meta.get("messageId", ""))
        match meta.get("type"):
            case "Heartbeat":
                self._links.send(link, [{"type": "Heartbeat", "messageId": message_id}])
            case "ClientRequest":
                self._links.send(link, await self._requested(link, meta, body))
            case _:
                wrong = error_frame(message_id or str(uuid4()), 400, "WSG-400", "Malformed message")
                self._links.send(link, wrong)

    async def _requested(self, link: Link, meta: Json, body: Json | None) -> Frame:
        method, target = str(meta.get("method", "")).upper(), str(meta.get("path", ""))
        if query := child(meta, "query"):
            target += ("&" if "?" in target else "?") + urlencode(query)
        self._api.requests.append(Received(method, target.partition("?")[0], "socket"))
        before = link.subscription
        answer = await self._api.answer(link.login, link, method, target, body)
        self._stirred()
        renewed = link.subscription is not None and link.subscription is not before
        return self._reply(str(meta.get("messageId", "")), answer, self._links.renewed(link) if renewed else None)

    @staticmethod
    def _reply(message_id: str, answer: Answer, wsc: Json | None) -> Frame:
        headers: Json = {"RCRequestId": str(uuid4()), **answer.headers}
        if answer.body is not None:
            headers["Content-Type"] = "application/json"
        meta: Json = {"type": "ClientRequest", "messageId": message_id, "status": answer.status, "headers": headers}
        if wsc is not None:
            meta["wsc"] = wsc
        return [meta] if answer.body is None else [meta, answer.body]


def _read(text: str) -> tuple[Json, Json | None]:
    """Read a frame: its meta, empty when it is none, and its body, None when that is no object."""
    try:
        frame = msgspec.json.decode(text, type=list[object])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}, None
    meta = frame[0] if frame else None
    body: object = frame[1] if len(frame) > 1 else {}
    return (meta if isinstance(meta, dict) else {}), (body if isinstance(body, dict) else {} if body is None else None)
