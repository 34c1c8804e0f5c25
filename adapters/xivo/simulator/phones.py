"""The calls of the users' phones: what `PhoneEvent` tells and `getCurrentCallsPhoneEvents` lists."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from .users import User

DIALING = "EventDialing"
RINGING = "EventRinging"
ESTABLISHED = "EventEstablished"
RELEASED = "EventReleased"


@dataclass(slots=True, eq=False)
class Call:
    """One call of one user's line; `digits` are the keys pressed for a room that asks for a PIN."""

    unique_id: str
    user: User
    other: str
    digits: str = field(default="", repr=False)


class Phones:
    """Every call that goes on, in the order of their beginning.

    Shape: `tell` gets a call and the type of its phone event.
    """

    def __init__(self, clock: Callable[[], float], tell: Callable[[Call, str], None]) -> None:
        self.calls: dict[str, Call] = {}
        self._clock = clock
        self._tell = tell
        self._serial = itertools.count(1)

    def new_unique_id(self) -> str:
        """Name a channel as Asterisk does."""
        return f"{int(self._clock())}.{next(self._serial)}"

    def begin(self, user: User, other: str, *, incoming: bool = False) -> Call:
        """Let a call ring or dial, and be answered at once."""
        call = Call(self.new_unique_id(), user, other)
        self._tell(call, RINGING if incoming else DIALING)
        self.calls[call.unique_id] = call
        self._tell(call, ESTABLISHED)
        return call

    def end(self, unique_id: str) -> None:
        """End a call, if it is one of a user."""
        call = self.calls.pop(unique_id, None)
        if call is not None:
            self._tell(call, RELEASED)

    def of(self, login: str) -> list[Call]:
        """List the calls of a user, the current one last."""
        return [call for call in self.calls.values() if call.user.login == login]
