"""A room's recent events, by which a watcher who was away catches up."""

import secrets
from collections import deque
from dataclasses import dataclass

from gateway.model.events import Event
from gateway.model.ids import Position


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event and its place in its room's log."""

    position: Position
    event: Event


class RoomLog:
    """The last events of one room, numbered without gaps.

    Shape: `epoch` is random, so that no position of another log, or of one before a restart, is taken for one of this.
    """

    __slots__ = ("_events", "epoch", "sequence")

    def __init__(self, max_events: int) -> None:
        self.epoch = secrets.randbits(63)
        self.sequence = 0
        self._events: deque[Event] = deque(maxlen=max_events)

    @property
    def position(self) -> Position:
        """Where the newest event stands."""
        return Position(self.epoch, self.sequence)

    def append(self, event: Event) -> Position:
        """Give an event its number and keep it; the oldest makes room."""
        self.sequence += 1
        self._events.append(event)
        return self.position

    def after(self, position: Position) -> list[Numbered] | None:
        """Give all events later than a position of this epoch, or None when some of them are no longer kept."""
        missed = self.sequence - position.sequence
        if position.epoch != self.epoch or not 0 <= missed <= len(self._events):
            return None
        newest = list(self._events)[len(self._events) - missed :]
        first = position.sequence + 1
        return [Numbered(Position(self.epoch, first + nth), event) for nth, event in enumerate(newest)]
