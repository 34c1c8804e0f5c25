"""Reads and commands over HTTP: a method an endpoint of the API, their JSON in and out."""

from typing import NamedTuple, TypeVar

from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, shaped
from adapters.telphin.errors import RefusedError
from adapters.telphin.transport import Request, Transport
from adapters.telphin.wire import (
    CallbackJson,
    ConferenceJson,
    CurrentCallJson,
    EventJson,
    ExtensionJson,
)

_CLIENT = ("client", "@me")
_CONFERENCE = "conference"
_PAGE_SIZE = "100"
_MOST_PAGES = 1000

_Shape = TypeVar("_Shape")


class CurrentCalls(NamedTuple):
    """The calls of all phones; of those that are not complete, one or more could not be understood."""

    calls: list[CurrentCallJson]
    complete: bool


class Client:
    """Telphin's endpoints; commands are urgent, reads are when they are said to be.

    An entry of a list that cannot be understood is left out and complained of.

    Errors: each method may raise a TelphinError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, transport: Transport, complaints: Complaints | None = None) -> None:
        self.transport = transport
        self._complaints = complaints or Complaints("Telphin")

    # ---- conference extensions ----

    async def conference_extensions(self) -> list[ExtensionJson]:
        """List the extensions that are conferences, page by page.

        Shape: no page says whether it is the last, and Telphin may give fewer than were asked for: what follows the
               last one is empty, tells nothing new, or is not there. The type is looked at again, since that it can be
               asked for is not documented.
        Errors: NotUnderstoodError for a list that never ends.
        """
        found: dict[str, ExtensionJson] = {}
        for number in range(1, _MOST_PAGES + 1):
            known = len(found)
            found |= {str(each["id"]): each for each in await self._page(number)}
            if len(found) == known:
                return [each for each in found.values() if each.get("type") == _CONFERENCE]
        raise NotUnderstoodError("extension: the listing has no end")

    async def _page(self, number: int) -> list[ExtensionJson]:
        query = {"type": _CONFERENCE, "page": str(number), "per_page": _PAGE_SIZE}
        try:
            answer = await self._read(*_CLIENT, "extension", "", query=query)
        except RefusedError as error:
            if number == 1 or not error.is_gone:
                raise
            return []
        return self._understood(_entries(answer, "extension"), ExtensionJson, "extension")

    async def extension(self, extension_id: str) -> ExtensionJson | None:
        """Read one extension; None means that there is no such one."""
        try:
            answer = await self._read(*_CLIENT, "extension", _word(extension_id))
        except RefusedError as error:
            if error.is_gone:
                return None
            raise
        return _extension(answer)

    async def create_extension(self, body: JsonObject) -> ExtensionJson:
        """Create an extension; without a `status` in the body it is blocked."""
        return _extension(await self._do("POST", *_CLIENT, "extension", "", body=body))

    async def update_extension(self, extension_id: str, body: JsonObject) -> ExtensionJson:
        """Change an extension; its number cannot be changed."""
        return _extension(await self._do("PUT", *_CLIENT, "extension", _word(extension_id), body=body))

    async def delete_extension(self, extension_id: str) -> None:
        """Remove an extension."""
        await self._do("DELETE", *_CLIENT, "extension", _word(extension_id))

    async def conference(self, extension_id: str, *, urgent: bool = False) -> ConferenceJson | None:
        """Read the settings of a conference; None means that there is no such one."""
        try:
            answer = await self._read("extension", _word(extension_id), _CONFERENCE, "", urgent=urgent)
        except RefusedError as error:
            if error.is_gone:
                return None
            raise
        return shaped(answer, ConferenceJson, _CONFERENCE)

    async def update_conference(self, extension_id: str, body: JsonObject) -> ConferenceJson:
        """Change the settings of a conference, as far as the body names them."""
        answer = await self._do("PUT", "extension", _word(extension_id), _CONFERENCE, "", body=body)
        return shaped(answer, ConferenceJson, _CONFERENCE)

    # ---- calls ----

    async def current_calls(self) -> CurrentCalls:
        """List the calls of all phone extensions: other extensions have none here, whoever is on them."""
        entries = _entries(await self._read(*_CLIENT, "current_calls", ""), "current_calls")
        calls = self._understood(entries, CurrentCallJson, "current_calls")
        return CurrentCalls(calls, complete=len(calls) == len(entries))

    async def hang_up(self, extension_id: str, call_api_id: str) -> None:
        """End a call."""
        await self._do("DELETE", "extension", _word(extension_id), "current_calls", _word(call_api_id))

    async def call_back(self, extension_id: str, body: JsonObject) -> CallbackJson:
        """Ring each of `src_num`, and when one is answered, `dst_num`."""
        answer = await self._do("POST", "extension", _word(extension_id), "callback", "", body=body)
        return shaped(answer, CallbackJson, "callback")

    # ---- subscriptions ----

    async def events(self, extension_id: str) -> list[EventJson]:
        """List who is told what happens at an extension, other applications among them."""
        answer = await self._read("extension", _word(extension_id), "event", "")
        return self._understood(_entries(answer, "event"), EventJson, "event")

    async def create_event(self, extension_id: str, url: str, event_type: str) -> EventJson:
        """Have one kind of what happens at an extension posted to an address."""
        body: JsonObject = {"url": url, "event_type": event_type, "method": "POST"}
        path = ("extension", _word(extension_id), "event", "")
        return shaped(await self._ask("POST", path, body=body), EventJson, "event")

    async def delete_event(self, extension_id: str, event_id: str) -> None:
        """End a subscription; one that is gone already counts as ended.

        An empty id would end all of the extension, those of other applications too: it counts as gone.
        """
        try:
            await self._ask("DELETE", ("extension", _word(extension_id), "event", _word(event_id)))
        except RefusedError as error:
            if not error.is_gone:
                raise

    # ---- one request ----

    async def _do(self, method: str, *path: str, body: JsonObject | None = None) -> object:
        return await self._ask(method, path, body=body, urgent=True)

    async def _read(self, *path: str, query: dict[str, str] | None = None, urgent: bool = False) -> object:
        return await self._ask("GET", path, query=query, urgent=urgent)

    async def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: dict[str, str] | None = None,
        body: JsonObject | None = None,
        urgent: bool = False,
    ) -> object:
        request = Request(method=method, path=path, urgent=urgent, query=query or {}, body=body)
        return await self.transport.ask(request)

    def _understood(self, entries: list[object], shape: type[_Shape], where: str) -> list[_Shape]:
        found = []
        for each in entries:
            try:
                found.append(shaped(each, shape, where))
            except NotUnderstoodError as error:
                self._complaints.add(error)
        return found


def _word(given: str) -> str:
    """Take an id as a word of a path: another would name something else.

    Errors: RefusedError, as Telphin answers for what it does not know.
    """
    if given in ("", ".", ".."):
        raise RefusedError(404)
    return given


def _entries(answer: object, where: str) -> list[object]:
    return shaped(answer, list[object], where)


def _extension(answer: object) -> ExtensionJson:
    return shaped(answer, ExtensionJson, "extension")
