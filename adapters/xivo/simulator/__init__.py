"""A small server that speaks xuc's sign-in and websocket, traps included, for tests and the demo.

Source: the protocol sheet of XiVO (the Conferences API page, the client library that comes with xuc, and what is
        inferred from both); it knows nothing of the adapter, so that the two can disagree. Where the sheet infers or
        knows nothing, the module that chose says so.
"""

from .commands import Command
from .crowd import crowd_of
from .faults import Faults
from .rooms import Member
from .server import XivoSimulator
from .truth import ParticipantTruth, RoomTruth, Seat
from .users import User

__all__ = ["Command", "Faults", "Member", "ParticipantTruth", "RoomTruth", "Seat", "User", "XivoSimulator", "crowd_of"]
