"""Reading rooms: each is followed before it is read, so that whatever happens meanwhile is reported."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from adapters.kazoo import mapping
from adapters.kazoo.client import Client, Conference
from adapters.kazoo.events import Interpreter
from adapters.kazoo.feed import Feed
from adapters.kazoo.settings import settings_of
from adapters.kit.understanding import JsonObject, NotUnderstoodError
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class RoomReader:
    """Reads the rooms of one account while a feed is open.

    Errors: its methods may raise a KazooError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, client: Client, interpreter: Interpreter, adhoc_rooms: Sequence[str]) -> None:
        self._client = client
        self._interpreter = interpreter
        self._adhoc_rooms = [RoomId(room_id) for room_id in adhoc_rooms]

    async def all(self, feed: Feed) -> list[Room]:
        """Read every stored room and every configured one without a document that somebody is in.

        Shape: running rooms are read one by one, idle ones come from the list. Of the idle ones, those that can be
               followed at once are, and then listed again, since one may have started in between; the others are
               followed later, with a doubt about all rooms at the end.
        """
        listed = await self._list()
        running = feed.not_followed(room.id for room, runs in listed if runs)
        idle = feed.not_followed(room.id for room, runs in listed if not runs)
        now = idle[: max(0, feed.at_once - len(running))]
        if now:
            await _each(now, feed.follow)
            listed = await self._list()
        idle_rooms = [room for room, runs in listed if not runs]
        stored = {room.id for room, _ in listed}
        adhoc = [room_id for room_id in self._adhoc_rooms if room_id not in stored]
        read = await _each([room for room, runs in listed if runs], lambda room: self._running(feed, room))
        read += await _each(adhoc, lambda room_id: self.one(feed, room_id))
        feed.follow_later(room.id for room in idle_rooms)
        return [*idle_rooms, *(room for room in read if room is not None)]

    async def one(self, feed: Feed, room_id: RoomId) -> Room | None:
        """Read one room with its settings; None for one without a document and with nobody in it.

        Kazoo's switches have two seconds to tell who is in a room, and whoever is late is left out of a success: a room
        that is nothing but the people in it is asked for twice before it is believed to be gone.
        """
        await feed.follow(room_id)
        for _ in range(2):
            conference = await self._client.conference(room_id)
            if conference is None:
                break
            room = self._room(room_id, conference)
            if room.permanent or room.participants:
                return room
        if room_id not in self._adhoc_rooms:
            await feed.unfollow(room_id)
        return None

    async def _running(self, feed: Feed, listed: Room) -> Room | None:
        """Read a room that runs according to the list; with nobody in it, it is asked for once more."""
        room = await self.one(feed, listed.id)
        if room is None or room.participants:
            return room
        return await self.one(feed, listed.id)

    async def _list(self) -> list[tuple[Room, bool]]:
        """List the stored rooms, each with whether it runs; an item that cannot be understood is left out."""
        found: dict[RoomId, tuple[Room, bool]] = {}
        for item in await self._client.conferences():
            if isinstance(room_id := item.get("id"), str):
                realtime = self._realtime(item)
                room = mapping.room(RoomId(room_id), item, realtime, (), permanent=True)
                found[room.id] = (room, realtime.running)
            else:
                self._interpreter.complain(NotUnderstoodError("conferences: an item without id"))
        return list(found.values())

    def _realtime(self, document: JsonObject, metadata: object = None) -> mapping.Realtime:
        try:
            return mapping.realtime_of(document, metadata)
        except NotUnderstoodError as error:
            self._interpreter.complain(error)
            return mapping.unclear_realtime(document, metadata)

    def _room(self, room_id: RoomId, conference: Conference) -> Room:
        realtime = self._realtime(conference.document, conference.metadata)
        people = self._people(realtime.participants or ())
        room = mapping.room(room_id, conference.document, realtime, people, permanent=conference.stored)
        return replace(room, settings=settings_of(conference.document)) if conference.stored else room

    def _people(self, raw: Iterable[object]) -> list[Participant]:
        people: dict[ParticipantId, Participant] = {}
        for each in raw:
            try:
                participant = mapping.listed_participant(each)
            except NotUnderstoodError as error:
                self._interpreter.complain(error)
            else:
                people[participant.id] = participant
        return list(people.values())


async def _each(items: Sequence[_Item], do: Callable[[_Item], Awaitable[_Answer]]) -> list[_Answer]:
    """Do something for all of them at once; the first failure stops the others."""
    tasks = [asyncio.ensure_future(do(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
