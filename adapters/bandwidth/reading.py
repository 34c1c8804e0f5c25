"""Reading conferences: no call lists them, so that those that are served are read one by one."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from adapters.bandwidth.client import Client
from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.errors import RefusedError
from adapters.bandwidth.events import Interpreter
from adapters.bandwidth.mapping import number_of
from adapters.bandwidth.served import Served
from adapters.bandwidth.webhook import address, is_ours
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from adapters.kit.understanding import NotUnderstoodError
from gateway.model.ids import RoomId
from gateway.model.reports import DoubtReport, Report

log = logging.getLogger(__name__)

_WHO_ARE_YOU, _NOT_YOU = 401, 403
_THEIR_FAULT = 500
Tell = Callable[[Iterable[Report]], Awaitable[None]]


class RoomReader:
    """Asks Bandwidth, and tells what the answers are worth as reports.

    Each answer is told before the next is waited for: pictures of a room that waited while callbacks told newer ones
    would undo these.

    Errors: its methods may raise a BandwidthError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(
        self, client: Client, conferences: Conferences, served: Served, interpreter: Interpreter, callback_url: str
    ) -> None:
        self.told_elsewhere: set[str] = set()
        """Conferences whose callbacks another application gets: what happens in them is found by reading alone."""
        self.unreadable: set[str] = set()
        """Conferences that Bandwidth has, as far as we know, and gives no usable answer about."""
        self._client = client
        self._conferences = conferences
        self._served = served
        self._interpreter = interpreter
        self._callback_url = callback_url

    async def all(self, tell: Tell) -> None:
        """Read every conference that is served; one that cannot be read costs itself only."""
        await self._know_served()
        for conference_id in self._served.names:
            await self._try(conference_id, tell)
        if self._served.names.keys() <= self.unreadable:
            await self._client.probe()  # is it that one, or Bandwidth as a whole?

    async def one(self, room_id: RoomId, tell: Tell) -> None:
        """Read one conference, and the calls of those in it whom nobody knows."""
        if not self._conferences.served(room_id):
            await self._know_served()
        if self._conferences.served(room_id):
            await self._try(room_id, tell)

    async def who_they_are(self, tell: Tell) -> None:
        """Read the calls of participants whose number nobody knows."""
        for conference_id in list(self._conferences.ids()):
            await self._who_is_in(conference_id, tell)

    async def _know_served(self) -> None:
        """Learn which conferences are served, here or by another process of the gateway."""
        await self._served.load()
        names = self._served.names
        for conference_id in self._conferences.ids() - names.keys():
            self._conferences.forget(conference_id)
        for conference_id, name in names.items():
            self._conferences.serve(conference_id, name)
        self.told_elsewhere &= names.keys()
        self.unreadable &= names.keys()

    async def _try(self, conference_id: str, tell: Tell) -> None:
        """Read one conference; it stays as it was known, if Bandwidth's answer about it is of no use."""
        try:
            await self._one(conference_id, tell)
            self.unreadable.discard(conference_id)
        except NotUnderstoodError as error:
            self._interpreter.complain(error)
            self.unreadable.add(conference_id)
        except RefusedError as error:
            if error.status in (_WHO_ARE_YOU, _NOT_YOU):
                raise
            log.info("bandwidth: the conference %s cannot be read: %s", conference_id, error)
            self.unreadable.add(conference_id)

    async def _one(self, conference_id: str, tell: Tell) -> None:
        asked_at = datetime.now(UTC)
        conference = await self._client.conference(conference_id)
        if conference is None:
            await tell(self._conferences.gone(conference_id))
        elif conference["id"] != conference_id:
            raise NotUnderstoodError("conference: the answer is about another one")
        else:
            members = await self._members(conference)
            await tell(self._conferences.read(conference, members, asked_at))
        if not self._conferences.served(conference_id):
            self.told_elsewhere.discard(conference_id)
            await self._served.drop(conference_id)
        elif conference is not None:
            await self._have_it_tell_us(conference_id, conference.get("callbackUrl"), tell)
            await self._who_is_in(conference_id, tell)

    async def _members(self, conference: ConferenceJson) -> list[MemberJson]:
        """Read who is in a conference; where nobody was yet, or is any more, that is not asked."""
        return await self._client.members(conference["id"]) if conference.get("state") == "active" else []

    async def _have_it_tell_us(self, conference_id: str, callback_url: str | None, tell: Tell) -> None:
        """Have changes told to us, if nobody else is told: callbacks of another application are left to it.

        What has changed since the reading, and before that, is told to nobody: it is read once more.
        """
        self.told_elsewhere.discard(conference_id)
        ours = address(self._callback_url, self._served.secret)
        if callback_url == ours:
            return
        if callback_url and not is_ours(callback_url, self._callback_url, self._served.secret):
            self.told_elsewhere.add(conference_id)
            return
        try:
            await self._client.update_conference(conference_id, {"callbackUrl": ours, "callbackHttpMethod": "POST"})
        except RefusedError as error:
            if error.status == _WHO_ARE_YOU:
                raise
            # It may have been completed since it was read.
            log.info("bandwidth: the conference %s is not told to us: %s", conference_id, error)
        else:
            await tell([DoubtReport(room_id=RoomId(conference_id))])

    async def _who_is_in(self, conference_id: str, tell: Tell) -> None:
        """Read the calls of those whose number nobody knows: all with one request, and then those it left out."""
        if not self._conferences.calls_wanted(conference_id):
            return
        for call in await self._calls_of(conference_id):
            await tell(self._conferences.call_read(call))
        for call_id in self._conferences.calls_wanted(conference_id):
            await self._call(call_id, tell)

    async def _calls_of(self, conference_id: str) -> list[CallJson]:
        """Read the calls of a conference; where that is not to be had, they are read one by one."""
        try:
            return await self._client.calls_of(conference_id)
        except NotUnderstoodError as error:
            self._interpreter.complain(error)
        except RefusedError as error:
            if error.status == _WHO_ARE_YOU:
                raise
        return []

    async def _call(self, call_id: str, tell: Tell) -> None:
        """Read one call; one that cannot be read costs that number only."""
        call: CallJson | None = None
        try:
            call = await self._client.call(call_id)
        except NotUnderstoodError as error:
            self._interpreter.complain(error)
        except RefusedError as error:
            if error.status == _WHO_ARE_YOU:
                raise
            if error.status >= _THEIR_FAULT:
                return  # it may be read another time
        if call is None or number_of(call) is None:
            self._conferences.gave_up(call_id)
        else:
            await tell(self._conferences.call_read(call))
