"""Writes down who was in which conference and when, for the history."""

from dataclasses import dataclass, field

from gateway.hub.hub import Update
from gateway.model.events import (
    ChangedField,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomEnded,
    RoomRemoved,
    RoomUpdated,
)
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.room import Participant, Room, RoomState
from gateway.storage import (
    BatchWriter,
    Conference,
    ConferenceEnded,
    ConferenceStarted,
    History,
    StayEnded,
    StayStarted,
    new_id,
    utc_now,
)

_WHO = {ChangedField.DISPLAY_NAME, ChangedField.NUMBER, ChangedField.USERNAME, ChangedField.ROLE}


@dataclass(slots=True)
class _Open:
    """A conference that is being written down.

    Shape: `left_over` are the stays that were open when the gateway last stopped and whose people were not seen since.
    """

    conference_id: str
    run_id: str | None
    stays: dict[ParticipantId, str] = field(default_factory=dict)
    left_over: dict[ParticipantId, str] = field(default_factory=dict)


class Recorder:
    """Turns updates into records for the database; a tap of the hub.

    What was open when the gateway last stopped is taken up again where the same run of the same room still goes on, and
    closed without a time where it does not: nobody saw when it ended.
    """

    def __init__(self, writer: BatchWriter, history: History) -> None:
        self._writer = writer
        self._history = history
        self._open: dict[RoomKey, _Open] = {}
        self._left_over: dict[BackendId, dict[RoomId, list[Conference]]] = {}

    async def recall(self, backend_id: BackendId) -> None:
        """Find out what was open when the gateway last stopped; called before the backend's link runs."""
        of_room = self._left_over.setdefault(backend_id, {})
        for conference in await self._history.open_conferences(backend_id):
            of_room.setdefault(RoomId(conference.room_id), []).append(conference)

    def settle(self, backend_id: BackendId) -> None:
        """Close what is still left over; called when the backend has been read for the first time."""
        for conferences in self._left_over.pop(backend_id, {}).values():
            for conference in conferences:
                self._close_left_over(conference)
        for key, opened in self._open.items():
            if key.backend_id == backend_id:
                self._end_left_over(opened)

    def note(self, update: Update) -> None:
        """Write down an update, if it is about somebody coming or going, or a conference beginning or ending."""
        match update.event:
            case RoomAppeared() | RoomUpdated():
                if update.room.state is RoomState.ACTIVE:
                    self._began(update.key, update.room)
            case ParticipantJoined(_, participant):
                self._joined(self._began(update.key, update.room), participant)
            case ParticipantUpdated(_, participant, changed) if not _WHO.isdisjoint(changed):
                opened = self._open.get(update.key)
                if opened is not None and (stay_id := opened.stays.get(participant.id)) is not None:
                    self._writer.put(_stay(opened, participant, stay_id))
            case ParticipantLeft(at, participant, reason):
                opened = self._open.get(update.key)
                stay_id = opened.stays.pop(participant.id, None) if opened else None
                if stay_id is not None:
                    self._writer.put(StayEnded(id=stay_id, left_at=at, leave_reason=reason.value))
            case RoomEnded(at) | RoomRemoved(at):
                if (opened := self._open.pop(update.key, None)) is not None:
                    self._end_left_over(opened)
                    self._writer.put(ConferenceEnded(id=opened.conference_id, ended_at=at))

    def _began(self, key: RoomKey, room: Room) -> _Open:
        opened = self._open.get(key)
        if opened is None:
            opened = self._open[key] = self._taken_up(key, room) or self._started(key, room)
        elif opened.run_id is None and room.run_id is not None:
            opened.run_id = room.run_id
            self._writer.put(_start(key, room, opened.conference_id))
        return opened

    def _taken_up(self, key: RoomKey, room: Room) -> _Open | None:
        known: Conference | None = None
        for conference in self._left_over.get(key.backend_id, {}).pop(key.room_id, ()):
            if known is None and room.run_id is not None and conference.run_id == room.run_id:
                known = conference
            else:
                self._close_left_over(conference)
        if known is None:
            return None
        still_open = {ParticipantId(stay.participant_id): stay.id for stay in known.stays if stay.leave_reason is None}
        return _Open(known.id, known.run_id, left_over=still_open)

    def _started(self, key: RoomKey, room: Room) -> _Open:
        started = _start(key, room, new_id())
        self._writer.put(started)
        return _Open(started.id, room.run_id)

    def _joined(self, opened: _Open, participant: Participant) -> None:
        stay_id = opened.left_over.pop(participant.id, None)
        if stay_id is None:
            stay_id = new_id()
            self._writer.put(_stay(opened, participant, stay_id))
        opened.stays[participant.id] = stay_id

    def _end_left_over(self, opened: _Open) -> None:
        for stay_id in opened.left_over.values():
            self._writer.put(StayEnded(id=stay_id, left_at=None))
        opened.left_over.clear()

    def _close_left_over(self, conference: Conference) -> None:
        for stay in conference.stays:
            if stay.leave_reason is None:
                self._writer.put(StayEnded(id=stay.id, left_at=None))
        self._writer.put(ConferenceEnded(id=conference.id, ended_at=None))


def _stay(opened: _Open, participant: Participant, stay_id: str) -> StayStarted:
    """Say who is in a conference; said again with the same id it fills in what has become known."""
    return StayStarted(
        id=stay_id,
        conference_id=opened.conference_id,
        participant_id=participant.id,
        joined_at=participant.joined_at or utc_now(),
        display_name=participant.display_name,
        number=participant.number,
        username=participant.username,
        role=participant.role and participant.role.value,
    )


def _start(key: RoomKey, room: Room, conference_id: str) -> ConferenceStarted:
    return ConferenceStarted(
        id=conference_id,
        backend_id=key.backend_id,
        room_id=key.room_id,
        run_id=room.run_id,
        room_name=room.name,
        started_at=room.started_at,
    )
