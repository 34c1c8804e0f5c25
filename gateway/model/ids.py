"""Identifiers, each a type of its own, so that one cannot be passed where another is meant."""

from typing import NamedTuple, NewType

BackendId = NewType("BackendId", str)
"""A configured backend's `id` in the gateway's configuration."""
RoomId = NewType("RoomId", str)
"""The backend's own identifier of a room; unique within its backend."""
ParticipantId = NewType("ParticipantId", str)
"""The backend's own identifier of one presence in one room; unique within its room."""


class RoomKey(NamedTuple):
    """A room among all backends."""

    backend_id: BackendId
    room_id: RoomId


class Position(NamedTuple):
    """A place in one room's event log.

    Shape: `epoch` names the log (it is new whenever the room enters memory), `sequence` counts its events from 1.
    """

    epoch: int
    sequence: int
