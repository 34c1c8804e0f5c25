"""What happens to an extension in a call: the thing that events tell.

Inferred: a room tells dial-in and then answer when somebody enters, after the PIN, and hangup when they leave; who is
          not let in shows in no event of the room; a guest whom the room called is told as if they had dialled in.
"""

from typing import Literal, NamedTuple

from .calls import Call
from .extensions import Extension

Kind = Literal["dial-in", "dial-out", "answer", "hangup"]


class Happening(NamedTuple):
    """One thing that happened to one extension; `status` is what events call CallStatus.

    Units: duration_s is seconds.
    """

    kind: Kind
    extension: Extension
    call: Call
    status: str
    duration_s: float = 0.0
    transferred: bool = False
    recording: str | None = None
