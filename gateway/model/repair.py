"""How reports become a true history: joined before anything else, left exactly once, doubt instead of a guess.

A backend's reports arrive late, doubled and out of order. What cannot be believed is not applied: it raises a doubt,
and the room is read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from gateway.model.events import CommandFailed, Event, ParticipantJoined, ParticipantLeft, RoomEnded
from gateway.model.history import Draft, apply, came_back, diff
from gateway.model.ids import ParticipantId
from gateway.model.reports import (
    CommandFailedReport,
    DoubtReport,
    EndReport,
    JoinReport,
    LeaveReport,
    PictureReport,
    RoomReport,
    RoomReports,
    StartReport,
    UpdateReport,
)
from gateway.model.room import LeaveReason, Participant, Room, RoomFacts, RoomState

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_DEPARTED_KEPT = 256
_RUNS_KEPT = 8


@dataclass(slots=True)
class RoomMemory:
    """What has to be remembered of a room beside its state, to recognise reports that are late or doubled.

    Shape: `departed` are those who left, with the index they had; `past_runs` the conferences that are over; `expected`
           the reason for leaves that a command of ours is about to cause. All are bounded.
    """

    departed: dict[ParticipantId, int | None] = field(default_factory=dict)
    past_runs: dict[str, None] = field(default_factory=dict)
    expected: dict[ParticipantId, LeaveReason] = field(default_factory=dict)

    def note(self, room: Room, event: Event) -> None:
        """Remember what an event means for later reports; `room` is as it was before the event."""
        match event:
            case ParticipantJoined(_, participant):
                self.departed.pop(participant.id, None)
            case ParticipantLeft(_, participant, _):
                self.depart(participant.id, participant.index)
                self.expected.pop(participant.id, None)
            case RoomEnded() if room.run_id is not None:
                _keep(self.past_runs, room.run_id, None, _RUNS_KEPT)

    def depart(self, participant_id: ParticipantId, index: int | None) -> None:
        """Remember that somebody is gone, known to us or not; of several presences the latest counts."""
        before = self.departed.get(participant_id)
        if before is not None and index is not None:
            index = max(before, index)
        _keep(self.departed, participant_id, index, _DEPARTED_KEPT)

    def has_departed(self, participant: Participant) -> bool:
        """Whether a report about somebody not in the room is about a presence that is over."""
        if participant.id not in self.departed:
            return False
        index = self.departed[participant.id]
        return index is None or participant.index is None or participant.index <= index

    def copy(self) -> "RoomMemory":
        """Give one of its own to whoever wants to try something out."""
        return RoomMemory(dict(self.departed), dict(self.past_runs), dict(self.expected))


@dataclass(frozen=True, slots=True)
class Repaired:
    """The events a report was worth, and whether the room should be read again because it could not be believed."""

    events: tuple[Event, ...] = ()
    doubt: bool = False


_NOTHING = Repaired()
_DOUBT = Repaired(doubt=True)


def repair(room: Room, memory: RoomMemory, report: RoomReports, at: datetime) -> Repaired:
    """Write the events that a report is worth in this room; `memory` learns from reports, not yet from the events."""
    if isinstance(report, DoubtReport):
        return _DOUBT
    if isinstance(report, CommandFailedReport):
        return Repaired((CommandFailed(at, report.error),))
    if isinstance(report, PictureReport):
        unseen = LeaveReason.FOUND_GONE if room.stale else LeaveReason.UNKNOWN  # when the link was down, nobody told it
        return Repaired(diff(room, replace(report.room, stale=room.stale), at, memory.expected, unseen))
    if report.run_id is not None:
        if report.run_id in memory.past_runs:
            return _NOTHING
        if room.run_id is not None and report.run_id != room.run_id:
            # Another run while one is known: the end of ours was lost, or the switch runs the room twice.
            return _DOUBT
    return _within_the_run(Draft(room, at, memory.expected), memory, report)


def _within_the_run(
    draft: Draft,
    memory: RoomMemory,
    report: StartReport | EndReport | JoinReport | LeaveReport | UpdateReport | RoomReport,
) -> Repaired:
    match report:
        case StartReport():
            _be_active(draft, report.run_id)
            return Repaired(tuple(draft.events))
        case EndReport():
            return _ended(draft, memory, report)
        case JoinReport():
            return _joined(draft, memory, report)
        case LeaveReport():
            return _left(draft, memory, report)
        case UpdateReport():
            return _updated(draft, memory, report)
        case RoomReport():
            draft.tell(report.facts)
            return Repaired(tuple(draft.events))


def _joined(draft: Draft, memory: RoomMemory, report: JoinReport) -> Repaired:
    participant = report.participant
    known = draft.room.participants.get(participant.id)
    if known is not None and came_back(known, participant):
        draft.leave(participant.id, LeaveReason.UNKNOWN)  # their leave was lost
        known = None
    if known is not None:
        # Said before, or late: what it says otherwise may well be older than what is known.
        doubt = came_back(participant, known) or draft.fill_in(participant)
        return Repaired(tuple(draft.events), doubt)
    if memory.has_departed(participant):
        return _DOUBT
    _be_active(draft, report.run_id)
    draft.join(participant)
    return Repaired(tuple(draft.events))


def _left(draft: Draft, memory: RoomMemory, report: LeaveReport) -> Repaired:
    known = draft.room.participants.get(report.participant_id)
    if known is None:
        memory.depart(report.participant_id, report.index)
        return _NOTHING
    if report.index is not None and known.index is not None and report.index < known.index:
        return _NOTHING  # an earlier presence of the same id
    memory.depart(report.participant_id, report.index)
    draft.leave(known.id, report.reason)
    return Repaired(tuple(draft.events))


def _updated(draft: Draft, memory: RoomMemory, report: UpdateReport) -> Repaired:
    known = draft.room.participants.get(report.participant.id)
    if known is None:
        return _NOTHING if memory.has_departed(report.participant) else _DOUBT
    if came_back(known, report.participant):
        return _DOUBT
    if came_back(report.participant, known):
        return _NOTHING
    draft.update(report.participant)
    return Repaired(tuple(draft.events))


def _ended(draft: Draft, memory: RoomMemory, report: EndReport) -> Repaired:
    if draft.room.state is not RoomState.ACTIVE:
        if report.run_id is not None:
            _keep(memory.past_runs, report.run_id, None, _RUNS_KEPT)
        return _NOTHING
    if report.run_id is not None and draft.room.run_id is None:
        draft.tell(RoomFacts(), run_id=report.run_id)  # so that its late reports are known for what they are
    draft.end(LeaveReason.ROOM_CLOSED, permanent=draft.room.permanent)
    return Repaired(tuple(draft.events))


def _be_active(draft: Draft, run_id: str | None) -> None:
    if draft.room.state is not RoomState.ACTIVE:
        draft.start(run_id)
    elif draft.room.run_id is None and run_id is not None:
        draft.tell(RoomFacts(), run_id=run_id)


def replay(room: Room, memory: RoomMemory, reports: Iterable[RoomReports], at: datetime) -> Room:
    """Bring a reading up to date with the reports that arrived while it was made, and give the room as it must be now.

    A reading tells the state of some moment between its request and its answer. What was reported in between is laid
    over it: what the reading already had does no harm a second time, and what it had not yet is not lost. `memory` is
    that of the moment when the reading began: a run that ended since then may still be in it.
    """
    scratch, said_ended_at = memory.copy(), room.ended_at
    for report in reports:
        # An end or a leave that names no presence may be older than the reading: whoever joins after it is believed.
        vague = isinstance(report, EndReport) or (isinstance(report, LeaveReport) and report.index is None)
        departed = dict(scratch.departed) if vague else scratch.departed
        for event in repair(room, scratch, report, at).events:
            scratch.note(room, event)
            room = apply(room, event)
        scratch.departed = departed
        if isinstance(report, EndReport) and room.state is not RoomState.ACTIVE:
            # What was laid over a reading from after the end is over too; when it ended is known from elsewhere.
            room = replace(room, locked=None, on_hold=None, recording=None, ended_at=said_ended_at)
    return room


def _keep(kept: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
