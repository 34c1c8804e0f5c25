"""The rooms of one backend as they are now, and the only place where their state changes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.hub.hub import Hub, Update
from gateway.hub.log import Numbered, RoomLog
from gateway.model.events import ChangedField, Event, ParticipantUpdated, RoomAppeared, RoomRemoved, RoomUpdated
from gateway.model.history import Draft, appearance, apply, diff
from gateway.model.ids import BackendId, ParticipantId, Position, RoomId, RoomKey
from gateway.model.repair import RoomMemory, repair, replay
from gateway.model.reports import CommandFailedReport, EndReport, LeaveReport, PictureReport, RoomReports
from gateway.model.room import LeaveReason, Room, RoomFacts, RoomState

_REPORTS_KEPT_PER_READING = 100_000
_REMOVED_KEPT = 256
_LONG_AGO = datetime.fromtimestamp(0, UTC)
"""When a room was last active that has been idle ever since we know it."""

Wanted = Callable[[Room | None], bool]
"""Whether a room is as a command wants it; asked with None when the room is gone."""
_Waiter = tuple[Wanted, asyncio.Future[Position]]


@dataclass(frozen=True, slots=True)
class RoomAt:
    """A room, the position in its log that this state reflects, and when anything last happened in it."""

    key: RoomKey
    room: Room
    position: Position
    active_at: datetime


@dataclass(slots=True)
class _Entry:
    room: Room
    log: RoomLog
    active_at: datetime
    touched_at: datetime
    memory: RoomMemory = field(default_factory=RoomMemory)
    waiting: list[_Waiter] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """What was reported while the backend was being asked, to be laid over its answer.

    Shape: `memories` are those of the rooms when the reading began; `spoiled` once more was reported than is kept: then
           the answer is worth nothing and has to be asked for again.
    """

    reports: dict[RoomId, list[RoomReports]] = field(default_factory=dict)
    memories: dict[RoomId, RoomMemory] = field(default_factory=dict)
    appeared: set[RoomId] = field(default_factory=set)
    count: int = 0

    @property
    def spoiled(self) -> bool:
        """Whether reports had to be let go."""
        return self.count > _REPORTS_KEPT_PER_READING

    def keep(self, report: RoomReports, memory: RoomMemory) -> None:
        """Remember a report that arrived while this reading is open; `memory` has not learned of it yet."""
        self.count += 1
        if report.room_id not in self.memories:
            self.memories[report.room_id] = memory.copy()
        if not self.spoiled:
            self.reports.setdefault(report.room_id, []).append(report)


class RoomTable:
    """All rooms of one backend: takes reports and readings, writes events, numbers and publishes them.

    Its methods are synchronous and called by one link only, so that each room has a single writer.
    """

    def __init__(self, backend_id: BackendId, hub: Hub, *, log_max_events: int = 256) -> None:
        self.backend_id = backend_id
        self._hub = hub
        self._log_max_events = log_max_events
        self._entries: dict[RoomId, _Entry] = {}
        self._readings: list[Reading] = []
        self._removed: dict[RoomId, Position] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[RoomAt]:
        for entry in self._entries.values():
            yield self._at(entry)

    def get(self, room_id: RoomId) -> RoomAt | None:
        """Give a room as it is now."""
        entry = self._entries.get(room_id)
        return None if entry is None else self._at(entry)

    def removed_at(self, room_id: RoomId) -> Position | None:
        """Give the position at which a room that is gone was removed, as long as that is remembered."""
        return None if room_id in self._entries else self._removed.get(room_id)

    def events_after(self, room_id: RoomId, position: Position) -> list[Numbered] | None:
        """Give what happened in a room since a position, or None when the log cannot tell."""
        entry = self._entries.get(room_id)
        return None if entry is None else entry.log.after(position)

    # ---- what the backend reports ----

    def report(self, report: RoomReports) -> bool:
        """Take a report of the backend; True when the room has to be read: it is not known, or this is not believed."""
        entry = self._entries.get(report.room_id)
        for reading in self._readings:
            reading.keep(report, entry.memory if entry else RoomMemory())
        if entry is None and isinstance(report, PictureReport):
            self._appear(report.room)
            return False
        if entry is None:
            return not isinstance(report, LeaveReport | EndReport | CommandFailedReport)
        repaired = repair(entry.room, entry.memory, report, _now())
        self._write(entry, repaired.events)
        return repaired.doubt

    # ---- what the backend answers when asked ----

    def open_reading(self) -> Reading:
        """Begin to keep reports; call it before the backend is asked, and `close_reading` in any case."""
        reading = Reading()
        self._readings.append(reading)
        return reading

    def close_reading(self, reading: Reading) -> None:
        """Stop keeping reports."""
        self._readings.remove(reading)

    def would_empty(self, reading: Reading, room: Room) -> bool:
        """Whether an answer says that nobody is left in a room where we know of people."""
        entry = self._entries.get(room.id)
        return bool(entry and entry.room.participants) and not self._current(reading, room).participants

    def missing(self, rooms: Iterable[Room], reading: Reading) -> list[RoomAt]:
        """Give the rooms that an answer about all rooms leaves out."""
        listed = {room.id for room in rooms} | reading.appeared
        return [self._at(entry) for room_id, entry in self._entries.items() if room_id not in listed]

    def take(self, reading: Reading, room: Room) -> None:
        """Take over what the backend answered about one room."""
        current = replace(self._current(reading, room), stale=False)
        entry = self._entries.get(room.id)
        if entry is not None:
            self._write(entry, diff(entry.room, current, _now(), entry.memory.expected))
        else:
            self._appear(current)

    def remove(self, room_id: RoomId) -> None:
        """Forget a room that exists no longer; who was in it leaves, and those who watch it are told the end.

        A future of `until` that is not content with that is never done.
        """
        entry = self._entries.get(room_id)
        if entry is None:
            return
        draft = Draft(entry.room, _now(), entry.memory.expected)
        if entry.room.state is RoomState.ACTIVE:
            draft.end(LeaveReason.FOUND_GONE, permanent=False)
        self._write(entry, draft.events)
        del self._entries[room_id]
        self._publish(entry, RoomRemoved(_now(), entry.room))
        self._removed[room_id] = entry.log.position
        if len(self._removed) > _REMOVED_KEPT:
            del self._removed[next(iter(self._removed))]
        self._settle(entry, None)
        self._hub.end_room(self._key(room_id))

    # ---- what the link and the desk know ----

    def mark_stale(self) -> None:
        """Say of all rooms that this is only their last known state."""
        for entry in self._entries.values():
            draft = Draft(entry.room, _now())
            draft.tell(RoomFacts(), stale=True)
            self._write(entry, draft.events)

    def expect(self, room_id: RoomId, leaving: Mapping[ParticipantId, LeaveReason]) -> None:
        """Know why participants are about to leave, because a command that does it is on its way."""
        if entry := self._entries.get(room_id):
            here = entry.room.participants
            entry.memory.expected.update({each: reason for each, reason in leaving.items() if each in here})

    def no_longer_expect(self, room_id: RoomId, participant_ids: Iterable[ParticipantId]) -> None:
        """Take that back: the command was refused or had no effect."""
        if entry := self._entries.get(room_id):
            for participant_id in participant_ids:
                entry.memory.expected.pop(participant_id, None)

    def until(self, room_id: RoomId, wanted: Wanted) -> asyncio.Future[Position]:
        """Give a future for the position of the event that next leaves the room as wanted; cancel it to stop waiting.

        It is never done if the room is not known, or is removed and not wanted so.
        """
        waiter: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        if entry := self._entries.get(room_id):
            entry.waiting = [*_undone(entry.waiting), (wanted, waiter)]
        return waiter

    def sweep(self, *, ended_for: timedelta, idle_for: timedelta) -> None:
        """Let ended rooms leave memory, and long-idle ones that nobody watches their logs: positions in them expire."""
        now = _now()
        for room_id, entry in list(self._entries.items()):
            quiet_for = now - entry.touched_at
            transient = not entry.room.permanent and entry.room.state is not RoomState.ACTIVE
            if transient and quiet_for >= ended_for:
                self.remove(room_id)
            elif entry.room.state is RoomState.IDLE and quiet_for >= idle_for and entry.log.sequence > 0:
                self._let_log_go(entry)

    # ---- inside ----

    def _let_log_go(self, entry: _Entry) -> None:
        if not self._hub.watchers_of(self._key(entry.room.id)) and not _undone(entry.waiting):
            entry.log = RoomLog(self._log_max_events)
            entry.memory = RoomMemory()
            self._hub.touch()

    def _current(self, reading: Reading, room: Room) -> Room:
        memory = reading.memories.get(room.id) or RoomMemory()
        return replay(room, memory, reading.reports.get(room.id, ()), _now())

    def _appear(self, room: Room) -> None:
        now = _now()
        entry = _Entry(room, RoomLog(self._log_max_events), room.started_at or _LONG_AGO, now)
        self._entries[room.id] = entry
        for reading in self._readings:
            reading.appeared.add(room.id)
        self._write(entry, appearance(room, now))

    def _write(self, entry: _Entry, events: Iterable[Event]) -> None:
        for event in events:
            entry.memory.note(entry.room, event)
            entry.room = apply(entry.room, event)
            entry.touched_at = event.at
            if _is_activity(event):
                entry.active_at = event.at
            self._publish(entry, event)
            self._settle(entry, entry.room)

    def _publish(self, entry: _Entry, event: Event) -> None:
        position = entry.log.append(event)
        self._hub.publish(Update(self._key(entry.room.id), position, event, entry.room))

    def _settle(self, entry: _Entry, room: Room | None) -> None:
        if entry.waiting:
            for wanted, waiter in entry.waiting:
                if not waiter.done() and wanted(room):
                    waiter.set_result(entry.log.position)
            entry.waiting = _undone(entry.waiting)

    def _key(self, room_id: RoomId) -> RoomKey:
        return RoomKey(self.backend_id, room_id)

    def _at(self, entry: _Entry) -> RoomAt:
        return RoomAt(self._key(entry.room.id), entry.room, entry.log.position, entry.active_at)


def _is_activity(event: Event) -> bool:
    """Whether an event brings its room to the top of a list: not who talks, nor how well we are informed."""
    match event:
        case ParticipantUpdated() | RoomAppeared():
            return False
        case RoomUpdated(_, _, changed):
            return changed != (ChangedField.STALE,)
        case _:
            return True


def _undone(waiting: Iterable[_Waiter]) -> list[_Waiter]:
    return [(wanted, waiter) for wanted, waiter in waiting if not waiter.done()]


def _now() -> datetime:
    return datetime.now(UTC)
