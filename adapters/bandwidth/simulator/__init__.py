"""A small server that speaks Bandwidth's voice API v1: conferences, calls around them and callbacks, traps included.

Source: the protocol sheet of Bandwidth (its archived pages and its own clients); it knows nothing of the adapter, so
        that the two can disagree. Where the sheet infers or knows nothing, the module that chose says so.
Absent: stored errors (`/errors`), bridges, recordings, gathering digits, and what telephone keys do in a conference.
"""

from .api import Command
from .calls import Call, CallState
from .conferences import Conference, ConferenceState, Member
from .crowd import crowd_of
from .failures import ApiError
from .faults import Faults
from .phones import Behaviour, Phones
from .server import BandwidthSimulator
from .truth import ParticipantTruth, RoomTruth
from .web import Received

__all__ = [
    "ApiError",
    "BandwidthSimulator",
    "Behaviour",
    "Call",
    "CallState",
    "Command",
    "Conference",
    "ConferenceState",
    "Faults",
    "Member",
    "ParticipantTruth",
    "Phones",
    "Received",
    "RoomTruth",
    "crowd_of",
]
