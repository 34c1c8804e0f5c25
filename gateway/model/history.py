"""How events move a room's state: `apply`, its inverse `diff`, and the Draft in which histories are written.

All of it is pure: the same room and the same input give the same events, and `apply` over the events gives the room
they were written for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from gateway.model.events import (
    PARTICIPANT_FIELDS,
    ROOM_FIELDS,
    ChangedField,
    CommandFailed,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomEnded,
    RoomUpdated,
)
from gateway.model.ids import ParticipantId
from gateway.model.room import NOBODY, LeaveReason, Participant, Room, RoomDetail, RoomFacts, RoomState

Expected = Mapping[ParticipantId, LeaveReason]
"""Why those leave whom a command of ours makes leave."""
NOTHING_EXPECTED: Expected = MappingProxyType({})
_TELLING = (LeaveReason.HUNG_UP, LeaveReason.KICKED)
"""Reasons that a backend gave, unlike those that say how a leave was noticed."""
_FIRST_WINS = ("joined_at",)
"""A backend's times wander (rounding, its restarts): what was known first stays."""
_WATCHED = ("role", "muted", "deafened", "on_hold", "talking", "floor")
"""What changes while somebody is there: once only a summary is told, that which it leaves open is unknown again."""
_FACTS = ("name", "numbers", "locked", "on_hold", "pin_required", "recording", "settings")


def apply(room: Room, event: Event) -> Room:
    """Give the room as it is after an event."""
    match event:
        case ParticipantJoined(_, participant) | ParticipantUpdated(_, participant, _):
            return replace(room, participants={**room.participants, participant.id: participant})
        case ParticipantLeft(_, participant, _):
            rest = dict(room.participants)
            del rest[participant.id]
            return replace(room, participants=rest)
        case CommandFailed():
            return room
        case _:
            return event.room


def diff(
    old: Room,
    new: Room,
    at: datetime,
    expected: Expected = NOTHING_EXPECTED,
    gone: LeaveReason = LeaveReason.FOUND_GONE,
) -> tuple[Event, ...]:
    """Write the events that lead from what was known to what a reading says.

    Shape: `gone` is why those left who are not in it any more.

    What the reading leaves open (None) stays as it was known, but for flags in a SUMMARY: nobody watches them any more.
    Leaves come before joins, also of somebody who left and came back unseen; a conference that the reading no longer
    shows, or that is another run, ends first.
    """
    draft = Draft(old, at, expected)
    another_run = None not in (old.run_id, new.run_id) and old.run_id != new.run_id
    if old.state is RoomState.ACTIVE and (new.state is not RoomState.ACTIVE or another_run):
        draft.end(gone, permanent=new.permanent)
    active = new.state is RoomState.ACTIVE
    draft.tell(
        new,
        state=new.state,
        detail=new.detail,
        permanent=new.permanent,
        stale=new.stale,
        run_id=(new.run_id or draft.room.run_id) if active else None,
        started_at=(draft.room.started_at or new.started_at) if active else None,
        ended_at=None if active else new.ended_at or draft.room.ended_at,
    )
    for known in list(draft.room.participants.values()):
        here = new.participants.get(known.id)
        if here is None or came_back(known, here):
            draft.leave(known.id, gone)
    forgettable = _WATCHED if new.detail is RoomDetail.SUMMARY else ()
    for participant in new.participants.values():
        if participant.id in draft.room.participants:
            draft.update(participant, forgettable)
        else:
            draft.join(participant)
    return tuple(draft.events)


class Draft:
    """A room while events are being written for it: every method appends what really changes and applies it."""

    __slots__ = ("_expected", "at", "events", "room")

    def __init__(self, room: Room, at: datetime, expected: Expected = NOTHING_EXPECTED) -> None:
        self.room = room
        self.at = at
        self.events: list[Event] = []
        self._expected = expected

    def write(self, event: Event) -> None:
        """Append one event as it stands."""
        self.room = apply(self.room, event)
        self.events.append(event)

    def join(self, participant: Participant) -> None:
        """Let somebody in who is not there; without a time from the backend they joined now."""
        joined_at = participant.joined_at or self.at
        self.write(ParticipantJoined(self.at, replace(participant, joined_at=joined_at, left_at=None)))

    def update(self, said: Participant, forgettable: Sequence[str] = ()) -> None:
        """Take over what a sparse participant says of somebody who is there.

        Shape: `forgettable` are the fields that become unknown when it does not speak of them.
        """
        known = self.room.participants[said.id]
        changes: dict[str, Any] = {}
        for name in PARTICIPANT_FIELDS:
            value, before = getattr(said, name), getattr(known, name)
            if value == before or (value is None and name not in forgettable):
                continue
            if before is None or name not in _FIRST_WINS:
                changes[name] = value
        if changes:
            self._updated(known, changes)

    def fill_in(self, said: Participant) -> bool:
        """Take over only what was not known of somebody who is there; True when what was known is said otherwise."""
        known = self.room.participants[said.id]
        open_names = [name for name in PARTICIPANT_FIELDS if getattr(known, name) is None]
        self.update(Participant(id=said.id, **{name: getattr(said, name) for name in open_names}))
        settled = [name for name in PARTICIPANT_FIELDS if name not in open_names and name not in _FIRST_WINS]
        return any(getattr(said, name) not in (None, getattr(known, name)) for name in settled)

    def leave(self, participant_id: ParticipantId, reason: LeaveReason) -> None:
        """Let somebody go who is there; who was talking stops first. What was expected is more telling than a guess."""
        if reason not in _TELLING:
            reason = self._expected.get(participant_id, reason)
        if self.room.participants[participant_id].talking:
            self._updated(self.room.participants[participant_id], {"talking": False})
        self.write(ParticipantLeft(self.at, replace(self.room.participants[participant_id], left_at=self.at), reason))

    def tell(self, facts: RoomFacts, **state: Any) -> None:
        """Take over what is said of the room; `state` names fields of Room that no RoomFacts has."""
        said = {name: value for name in _FACTS if (value := getattr(facts, name)) is not None}
        changes = {name: value for name, value in {**said, **state}.items() if value != getattr(self.room, name)}
        if changes:
            self.write(RoomUpdated(self.at, replace(self.room, **changes), _names(ROOM_FIELDS, changes)))

    def start(self, run_id: str | None) -> None:
        """Begin a conference in a room where none runs."""
        self.tell(RoomFacts(), state=RoomState.ACTIVE, run_id=run_id, started_at=self.at, ended_at=None)

    def end(self, reason: LeaveReason, *, permanent: bool) -> None:
        """End the conference: everybody leaves, then the room is idle (or ended, if it is not permanent).

        Whether it is locked is unknown from here on: on some switches a lock does not outlive the conference.
        """
        for participant_id in list(self.room.participants):
            self.leave(participant_id, reason)
        state = RoomState.IDLE if permanent else RoomState.ENDED
        unknown = replace(self.room, locked=None, on_hold=None, recording=None)
        over = replace(unknown, state=state, ended_at=self.at, started_at=None, run_id=None, participants=NOBODY)
        self.write(RoomEnded(self.at, over))

    def _updated(self, known: Participant, changes: dict[str, Any]) -> None:
        self.write(ParticipantUpdated(self.at, replace(known, **changes), _names(PARTICIPANT_FIELDS, changes)))


def appearance(room: Room, at: datetime) -> tuple[Event, ...]:
    """Write the events by which a room becomes known: empty at first, then everybody who is in it."""
    empty = replace(room, participants=NOBODY)
    return (RoomAppeared(at, empty), *diff(empty, room, at))


def came_back(known: Participant, said: Participant) -> bool:
    """Whether what is said is about a later presence than the known one, whose leave must have been lost."""
    return said.index is not None and known.index is not None and said.index > known.index


def _names(table: dict[str, ChangedField], changes: dict[str, Any]) -> tuple[ChangedField, ...]:
    return tuple(table[name] for name in changes)
