"""A small server that speaks the RingMe API as Telphin runs it, with its webhooks, traps included.

Source: the protocol sheet of Telphin (the page of the resource `conference`, the pages of RingMe and its operators,
        other clients, and what is inferred from them); it knows nothing of the adapter, so that the two can disagree.
        Where the sheet infers or knows nothing, the module that chose says so.
"""

from .api import Access
from .crowd import crowd_of
from .failures import ApiError, Forbidden
from .faults import Faults
from .notifier import Sent
from .ringing import Answers
from .rooms import DeclinedError
from .server import TelphinSimulator
from .subscriptions import Subscription
from .truth import ParticipantTruth, RoomTruth

__all__ = [
    "Access",
    "Answers",
    "ApiError",
    "DeclinedError",
    "Faults",
    "Forbidden",
    "ParticipantTruth",
    "RoomTruth",
    "Sent",
    "Subscription",
    "TelphinSimulator",
    "crowd_of",
]
