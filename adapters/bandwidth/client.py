"""Reads and commands over HTTP: a method an endpoint of conferences and calls, their JSON in and out."""

import re
from collections.abc import Mapping
from typing import TypeVar

from yarl import URL

from adapters.bandwidth.errors import NO_CALL, NO_CONFERENCE, NO_MEMBER, RefusedError
from adapters.bandwidth.pace import Endpoint
from adapters.bandwidth.transport import Answer, Request, Transport
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from adapters.kit.understanding import JsonObject, NotUnderstoodError, shaped

_CONFERENCES = "conferences"
_CALLS = "calls"
_MOST_PAGES = 100
_ID = re.compile(r"[\w.~-]+", re.ASCII)

_Shape = TypeVar("_Shape")


class Client:
    """Bandwidth's endpoints; commands are urgent, reads are when they are said to be.

    Errors: each method may raise a BandwidthError or NotUnderstoodError.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def probe(self) -> None:
        """Find out whether the credentials are good, and are those of the user."""
        answer = await self._read((_CALLS,), query={"size": "1"})
        shaped(answer.body, list[object], _CALLS)

    # ---- conferences ----

    async def create_conference(self, body: JsonObject) -> str:
        """Create a conference that nobody is in, and give its id."""
        return _id_of(await self._do((_CONFERENCES,), body))

    async def conference(self, conference_id: str, *, urgent: bool = False) -> ConferenceJson | None:
        """Read a conference; None means that Bandwidth does not know it."""
        try:
            answer = await self._read(_conference(conference_id), urgent=urgent)
        except RefusedError as error:
            if error.is_gone:
                return None
            raise
        return shaped(answer.body, ConferenceJson, "conference")

    async def update_conference(self, conference_id: str, body: JsonObject) -> None:
        """Change a conference, or end it."""
        await self._do(_conference(conference_id), body)

    async def play_to_conference(self, conference_id: str, body: JsonObject) -> None:
        """Play or speak to everybody in a conference."""
        await self._do((*_conference(conference_id), "audio"), body)

    # ---- members ----

    async def members(self, conference_id: str, *, urgent: bool = False) -> list[MemberJson]:
        """List who is in a conference, and who was.

        Source: the API's pages know no paging of it; Bandwidth's Python client follows a `Link` all the same.
        """
        return await self._listed((*_conference(conference_id), "members"), MemberJson, urgent=urgent)

    async def add_member(self, conference_id: str, body: JsonObject) -> str:
        """Bring a call into a conference, and give the id of the member that it is there."""
        return _id_of(await self._do((*_conference(conference_id), "members"), body))

    async def update_member(self, conference_id: str, member_id: str, body: JsonObject) -> None:
        """Change a member, or remove it."""
        await self._do(_member(conference_id, member_id), body)

    async def play_to_member(self, conference_id: str, member_id: str, body: JsonObject) -> None:
        """Play or speak to one member."""
        await self._do((*_member(conference_id, member_id), "audio"), body)

    # ---- calls ----

    async def create_call(self, body: JsonObject) -> str:
        """Dial somebody, and give the id of the call."""
        return _id_of(await self._do((_CALLS,), body))

    async def call(self, call_id: str, *, urgent: bool = False) -> CallJson | None:
        """Read a call; None means that Bandwidth does not know it."""
        try:
            answer = await self._read(_call(call_id), urgent=urgent)
        except RefusedError as error:
            if error.is_gone:
                return None
            raise
        return shaped(answer.body, CallJson, "call")

    async def calls_of(self, conference_id: str) -> list[CallJson]:
        """List the calls that were made for a conference."""
        return await self._listed((_CALLS,), CallJson, query={"conferenceId": conference_id})

    async def update_call(self, call_id: str, body: JsonObject) -> None:
        """Change a call, or hang it up."""
        await self._do(_call(call_id), body)

    # ---- one request ----

    async def _do(self, path: tuple[str, ...], body: JsonObject) -> Answer:
        endpoint = Endpoint.DIALLING if path == (_CALLS,) else _endpoint(path)
        return await self.transport.ask(Request(method="POST", path=path, endpoint=endpoint, urgent=True, body=body))

    async def _read(
        self, path: tuple[str, ...], *, query: Mapping[str, str] | None = None, urgent: bool = False
    ) -> Answer:
        return await self.transport.ask(_reading(path, query or {}, urgent))

    async def _listed(
        self,
        path: tuple[str, ...],
        shape: type[_Shape],
        *,
        query: Mapping[str, str] | None = None,
        urgent: bool = False,
    ) -> list[_Shape]:
        """Read a list to its end: with a page missing, somebody who is there would seem to be gone.

        Errors: NotUnderstoodError for one that never ends, or goes on elsewhere.
        """
        found: list[_Shape] = []
        request = _reading(path, query or {}, urgent)
        for _ in range(_MOST_PAGES):
            answer = await self.transport.ask(request)
            found += [shaped(each, shape, path[-1]) for each in shaped(answer.body, list[object], path[-1])]
            if answer.next_page is None:
                return found
            if _place(answer.next_page) != _place(self.transport.url(request)):
                raise NotUnderstoodError(f"{path[-1]}: the list goes on elsewhere")
            request = _reading(path, dict(answer.next_page.query), urgent)
        raise NotUnderstoodError(f"{path[-1]}: the list has no end")


def _reading(path: tuple[str, ...], query: Mapping[str, str], urgent: bool) -> Request:
    return Request(method="GET", path=path, endpoint=_endpoint(path), urgent=urgent, query=query)


def _place(url: URL) -> tuple[str, str | None, int | None, str]:
    return url.scheme, url.host, url.port, url.path


def _endpoint(path: tuple[str, ...]) -> Endpoint:
    return Endpoint.CONFERENCES if path[0] == _CONFERENCES else Endpoint.CALLS


def _conference(conference_id: str) -> tuple[str, str]:
    return (_CONFERENCES, _word(conference_id, NO_CONFERENCE))


def _member(conference_id: str, member_id: str) -> tuple[str, ...]:
    return (*_conference(conference_id), "members", _word(member_id, NO_MEMBER))


def _call(call_id: str) -> tuple[str, str]:
    return (_CALLS, _word(call_id, NO_CALL))


def _word(given: str, code: str) -> str:
    """Take an id, which comes from anywhere, as a word of a path: another would name something else.

    Errors: RefusedError, as Bandwidth answers for what it does not know.
    """
    if given in ("", ".", "..") or "/" in given:
        raise RefusedError(404, "not-found", code)
    return given


def _id_of(created: Answer) -> str:
    """Find the id of what was created, which the answer only has as the last word of its address.

    Errors: NotUnderstoodError: it was created all the same.
    """
    word = re.split(r"[?#]", created.location or "", maxsplit=1)[0].rpartition("/")[2]
    if not _ID.fullmatch(word) or word in (".", ".."):
        raise NotUnderstoodError("no id in the address of what was created")
    return word
