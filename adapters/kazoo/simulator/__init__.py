"""A small server that speaks Kazoo's Crossbar REST and Blackhole websocket, traps included, for tests and the demo.

Source: the protocol sheet of Kazoo (the Crossbar documentation of conferences and what the source of each
        generation does); it knows nothing of the adapter, so that the two can disagree.
"""

from .actions import EVERYBODY, Command
from .crowd import crowd_of
from .faults import Faults
from .generation import EVENT_NAMES, Generation
from .server import KazooSimulator
from .switch import JoinRefusedError

__all__ = [
    "EVENT_NAMES",
    "EVERYBODY",
    "Command",
    "Faults",
    "Generation",
    "JoinRefusedError",
    "KazooSimulator",
    "crowd_of",
]
