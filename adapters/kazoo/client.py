"""Reads and commands over HTTP: a method an endpoint of Crossbar, their JSON in and out."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from adapters.kazoo.errors import RefusedError
from adapters.kazoo.transport import Request, Transport
from adapters.kazoo.wire import EnvelopeJson
from adapters.kit.understanding import JsonObject, NotUnderstoodError, objects, shaped
from gateway.model.ids import RoomId

_PAGE_SIZE = "100"
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Conference:
    """What GET of one conference answers.

    Shape: `document` may be the defaults of a room that has none, see `stored`; `metadata` is Kazoo 5's realtime block.
    """

    document: JsonObject
    metadata: object
    stored: bool


class Client:
    """Crossbar's conference endpoints.

    Errors: each method may raise a KazooError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def templates(self) -> object | None:
        """List what the event socket offers; None where the module for it does not run. It needs no token."""
        try:
            answer = await self._transport.ask_openly(Request(method="GET", path=("websockets",), of_account=False))
        except RefusedError as error:
            if error.status >= 500:
                raise
            return None
        return answer.get("data")

    async def conferences(self) -> list[JsonObject]:
        """List the stored conferences, page by page; the key of the next page is handed back as it came.

        Errors: NotUnderstoodError for a listing that is no list or never ends.
        """
        found: list[JsonObject] = []
        query = {"page_size": _PAGE_SIZE}
        for _ in range(_MOST_PAGES):
            answer = await self._transport.ask(Request(method="GET", path=("conferences",), query=query))
            found += [objects(item) for item in shaped(answer.get("data"), list[object], "conferences")]
            key = answer.get("next_start_key")
            if key is None:
                return found
            query["start_key"] = key if isinstance(key, str) else msgspec.json.encode(key).decode()
        raise NotUnderstoodError("conferences: the listing has no end")

    async def conference(self, room_id: RoomId) -> Conference | None:
        """Read a conference with those in it; None where Kazoo says that there is none, as before 4.2.

        Shape: for an unknown id, 4.2 and later answer the defaults, without `revision` and `name`.
        """
        try:
            request = Request(method="GET", path=_path(room_id))
            answer = await self._transport.ask(request)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        document = shaped(answer.get("data"), JsonObject, "conference")
        stored = answer.get("revision") is not None or isinstance(document.get("name"), str)
        return Conference(document, answer.get("metadata"), stored)

    async def participants(self, room_id: RoomId) -> Sequence[object]:
        """Read who is in a room, as a bare list."""
        answer = await self._transport.ask(Request(method="GET", path=_path(room_id, "participants")))
        return shaped(answer.get("data"), list[object], "participants")

    async def act(
        self, room_id: RoomId, action: str, args: JsonObject | None = None, *, lasting_s: float = 0.0
    ) -> object:
        """Do something to a conference and give the `data` of the answer."""
        return await self._put(_path(room_id), action, args, lasting_s)

    async def act_on_everybody(self, room_id: RoomId, action: str) -> object:
        """Do something to all participants."""
        return await self._put(_path(room_id, "participants"), action, None)

    async def act_on_one(self, room_id: RoomId, index: int, action: str, args: JsonObject | None = None) -> object:
        """Do something to one participant, who is named by `participant_id`, not by call id."""
        return await self._put(_path(room_id, "participants", str(index)), action, args)

    async def create(self, document: JsonObject) -> JsonObject:
        """Store a new conference and give it as it is stored."""
        return await self._saved(Request(method="PUT", path=("conferences",), data=document))

    async def change(self, room_id: RoomId, patch: JsonObject) -> JsonObject:
        """Change a stored conference: objects merge, null removes, arrays are replaced."""
        return await self._saved(Request(method="PATCH", path=_path(room_id), data=patch))

    async def delete(self, room_id: RoomId) -> None:
        """Delete a stored conference; a running room runs on."""
        await self._transport.ask(Request(method="DELETE", path=_path(room_id)))

    async def _put(self, path: tuple[str, ...], action: str, args: JsonObject | None, lasting_s: float = 0.0) -> object:
        data: JsonObject = {"action": action, "data": args or {}}
        answer = await self._transport.ask(Request(method="PUT", path=path, data=data, lasting_s=lasting_s))
        return answer.get("data")

    async def _saved(self, request: Request) -> JsonObject:
        answer: EnvelopeJson = await self._transport.ask(request)
        return shaped(answer.get("data"), JsonObject, "conference")


def _path(room_id: RoomId, *more: str) -> tuple[str, ...]:
    """Name a conference: an id that is no word of a path would name the list of all, where a PUT creates.

    Errors: RefusedError, as Kazoo answers for an unknown room.
    """
    if room_id in ("", ".", ".."):
        raise RefusedError(404, "bad_identifier", None, of_kazoo=True)
    return ("conferences", room_id, *more)
