"""A small server that speaks RingCentral's sign-in, Call Control and notifications, traps included.

Source: the protocol sheet of RingCentral (its documentation and OpenAPI, its own clients, recorded event streams, and
        what is inferred from them); it knows nothing of the adapter, so that the two can disagree. Where the sheet
        infers or knows nothing, the module that chose says so.
"""

from .api import Command
from .crowd import crowd_of
from .faults import Faults
from .links import SocketLimits
from .oauth import Lives
from .people import Device, Extension
from .server import RingCentralSimulator
from .sessions import Party, Session
from .truth import ParticipantTruth, RoomTruth

__all__ = [
    "Command",
    "Device",
    "Extension",
    "Faults",
    "Lives",
    "ParticipantTruth",
    "Party",
    "RingCentralSimulator",
    "RoomTruth",
    "Session",
    "SocketLimits",
    "crowd_of",
]
