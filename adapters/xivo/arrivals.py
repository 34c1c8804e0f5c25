"""Who was invited and has not come yet: xuc tells of a guest only when they join."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.xivo.roster import Rooms
from gateway.model.ids import ParticipantId, RoomId

_RINGING_S = 60.0
"""Nobody lets a telephone ring for longer."""


class Arrival:
    """One guest, by the number that was called."""

    def __init__(self, rooms: Rooms, room_id: RoomId, number: str) -> None:
        self._rooms = rooms
        self._room_id = room_id
        self._number = number
        self._before = frozenset(self._here())
        self._come: asyncio.Future[ParticipantId] = asyncio.get_running_loop().create_future()

    def look(self) -> None:
        """See whether somebody with the number is in the room who was not."""
        come = next((each for each in self._here() if each not in self._before), None)
        if come is not None and not self._come.done():
            self._come.set_result(come)

    def done(self) -> bool:
        """Whether they have come."""
        return self._come.done()

    async def within_the_ringing(self) -> ParticipantId | None:
        """Wait for them as long as a telephone rings; None when they have not come."""
        await asyncio.wait({self._come}, timeout=_RINGING_S)
        return self._come.result() if self._come.done() else None

    def _here(self) -> list[ParticipantId]:
        return self._rooms.with_number(self._room_id, self._number)


class Arrivals:
    """All guests who are awaited."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._awaited: set[Arrival] = set()

    @contextmanager
    def expected(self, room_id: RoomId, number: str) -> Iterator[Arrival]:
        """Look out for a guest while the block runs."""
        arrival = Arrival(self._rooms, room_id, number)
        self._awaited.add(arrival)
        try:
            yield arrival
        finally:
            self._awaited.remove(arrival)

    def look(self) -> None:
        """See who has come; called whenever a room may have changed."""
        for arrival in self._awaited:
            arrival.look()
