"""Reading conferences: no call lists them, so that those known are read one by one, and presence tells of others."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.calls import Calls
from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.errors import RefusedError
from adapters.ringcentral.events import Interpreter, session_read
from adapters.ringcentral.wire import ActiveCallJson, PresenceJson, SessionJson
from gateway.model.ids import RoomId
from gateway.model.reports import Report
from gateway.model.room import ParticipantRole

_CONFERENCE = "conference"
"""What presence has for the number of the other side of a call that is the host's leg of a conference."""


Tell = Callable[[Iterable[Report]], Awaitable[None]]


class RoomReader:
    """Asks RingCentral, and tells what the answers are worth as reports.

    Each answer is told before the next is waited for: pictures of a room that waited while events told newer ones would
    undo these.

    Errors: its methods may raise a RingCentralError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, calls: Calls, interpreter: Interpreter, settings: RingCentralSettings) -> None:
        self._client = client
        self._calls = calls
        self._interpreter = interpreter
        self._of_account = settings.scope == "account"

    async def all(self, tell: Tell) -> None:
        """Read every conference that is known, and those that presence tells of."""
        discovered = await self._discovered()
        for room_id in dict.fromkeys([*self._calls.rooms_known(), *discovered]):
            await self._one(room_id, tell, discovered)

    async def one(self, room_id: RoomId, tell: Tell) -> None:
        """Read one conference, and the calls of those in it whom nobody knows."""
        await self._one(room_id, tell, None)

    async def _one(self, room_id: RoomId, tell: Tell, discovered: Sequence[RoomId] | None) -> None:
        asked_at = datetime.now(UTC)
        session = await self._session(room_id)
        if session is not None:
            await tell(self._calls.read(session_read(session, self._interpreter.complain), asked_at))
            await self.whom_calls_carry(tell)
        elif not await self._goes_on_elsewhere(room_id, discovered):
            await tell(self._calls.ended(room_id))

    async def whom_calls_carry(self, tell: Tell) -> None:
        """Read the calls of participants whom nobody knows."""
        for session_id in self._calls.wanted:
            await self._call(session_id, tell)

    async def _call(self, session_id: str, tell: Tell) -> None:
        """Read one call, for who is at its other end; one that cannot be read costs that name only."""
        asked_at = datetime.now(UTC)
        try:
            session = await self._session(session_id)
            if session is not None:
                await tell(self._calls.read(session_read(session, self._interpreter.complain), asked_at))
        except NotUnderstoodError as error:
            self._interpreter.complain(error)
        except RefusedError as error:
            if error.lacks_permission or error.is_bad_token:
                raise
        await tell(self._calls.unreadable(session_id))  # settled, whatever the answer is about

    async def _session(self, session_id: str) -> SessionJson | None:
        """Read a call or conference; None for what is gone, and for what only a colleague may read."""
        try:
            return await self._client.session(session_id)
        except RefusedError as error:
            if not self._of_account or error.status != 403 or error.lacks_permission:
                raise
            return None

    async def _goes_on_elsewhere(self, room_id: RoomId, discovered: Sequence[RoomId] | None) -> bool:
        """Whether presence tells of a conference that cannot be read: then it is a colleague's."""
        if not self._of_account or self._is_ours(room_id):
            return False
        return room_id in (await self._discovered() if discovered is None else discovered)

    def _is_ours(self, room_id: RoomId) -> bool:
        """Whether our own user is the host of a conference, so that it can be read for as long as it runs."""
        room = self._calls.one(room_id)
        people = room.participants.values() if room else ()
        return any(
            each.role is ParticipantRole.MODERATOR and each.user_id == self._calls.extension_id for each in people
        )

    async def _discovered(self) -> list[RoomId]:
        presences: list[PresenceJson]
        presences = await self._client.account_presence() if self._of_account else [await self._client.presence()]
        calls = [call for presence in presences for call in presence.get("activeCalls") or ()]
        return [RoomId(session_id) for call in calls if (session_id := _conference_of(call)) is not None]


def _conference_of(call: ActiveCallJson) -> str | None:
    return call.get("telephonySessionId") if call.get("to") == _CONFERENCE else None
