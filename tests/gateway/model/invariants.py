"""What must hold of every event in every history, whatever a backend reported."""

from gateway.hub.hub import Update
from gateway.model.events import (
    PARTICIPANT_FIELDS,
    ROOM_FIELDS,
    ChangedField,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomAppeared,
    RoomEnded,
    RoomRemoved,
    RoomUpdated,
)
from gateway.model.history import apply
from gateway.model.ids import ParticipantId, Position
from gateway.model.repair import RoomMemory
from gateway.model.room import Participant, Room, RoomFacts, RoomState


class Follower:
    """A watcher who believes nothing: folds the events by itself and checks each of them."""

    def __init__(self, room: Room | None = None, position: Position | None = None) -> None:
        self.room = room
        self.position = position
        self.events: list[Event] = []

    def note(self, update: Update) -> None:
        """Take an update of the hub."""
        expected = Position(update.position.epoch, 1)
        if self.position is not None and self.position.epoch == update.position.epoch:
            expected = Position(self.position.epoch, self.position.sequence + 1)
        assert update.position == expected
        self.position = update.position
        self.take(update.event)
        assert isinstance(update.event, RoomRemoved) or update.room == self.room

    def take(self, event: Event) -> None:
        """Take the next event."""
        before = self.room
        if before is None or isinstance(event, RoomAppeared):
            assert before is None
            assert isinstance(event, RoomAppeared)
            assert not event.room.participants
            before = event.room
        else:
            _check(before, event)
        self.events.append(event)
        after = apply(before, event)
        assert after.state is RoomState.ACTIVE or not after.participants
        assert after.state is RoomState.ACTIVE or after.run_id is None
        assert after.state is not RoomState.ACTIVE or after.ended_at is None
        self.room = None if isinstance(event, RoomRemoved) else after


def _check(before: Room, event: Event) -> None:
    match event:
        case ParticipantJoined(_, participant):
            assert participant.id not in before.participants
            assert participant.joined_at is not None
            assert participant.left_at is None
        case ParticipantUpdated(_, participant, changed):
            known = before.participants[participant.id]
            assert changed
            assert changed == _differing(PARTICIPANT_FIELDS, known, participant)
            assert participant.left_at is None
        case ParticipantLeft(_, participant, _):
            known = before.participants[participant.id]
            assert not known.talking
            assert _differing(PARTICIPANT_FIELDS, known, participant) == ()
            assert participant.left_at is not None
        case RoomUpdated(_, room, changed):
            assert changed
            assert sorted(changed) == sorted(_differing(ROOM_FIELDS, before, room))
            assert room.participants == before.participants
        case RoomEnded(_, room):
            assert before.state is RoomState.ACTIVE
            assert not before.participants
            assert room.state is not RoomState.ACTIVE
            assert room.ended_at is not None
        case RoomRemoved(_, room):
            assert not before.participants
            assert room == before


def _differing(
    table: dict[str, ChangedField], before: Participant | RoomFacts, after: Participant | RoomFacts
) -> tuple[ChangedField, ...]:
    return tuple(field for name, field in table.items() if getattr(before, name) != getattr(after, name))


def assert_bounded(memory: RoomMemory, room: Room) -> None:
    """Check that a room's memory cannot grow with its history."""
    assert len(memory.departed) <= 256
    assert len(memory.past_runs) <= 8
    assert len(memory.expected) <= len(room.participants)


def presences(events: list[Event]) -> dict[ParticipantId, list[str]]:
    """Give each participant's comings and goings."""
    told: dict[ParticipantId, list[str]] = {}
    for event in events:
        match event:
            case ParticipantJoined(_, participant):
                told.setdefault(participant.id, []).append("joined")
            case ParticipantUpdated(_, participant, _):
                told.setdefault(participant.id, []).append("updated")
            case ParticipantLeft(_, participant, _):
                told.setdefault(participant.id, []).append("left")
    return told
