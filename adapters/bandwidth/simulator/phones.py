"""What those do who are called: answer at once, or let it ring for the hand of the test, or do not want to."""

from dataclasses import dataclass, field
from typing import Literal

from .calls import Call, Calls, CallState
from .timers import Timers

Behaviour = Literal["at once", "by hand", "busy", "rejects", "never"]


@dataclass(slots=True)
class Phones:
    """How numbers behave when they are called; what rings by hand rings without end, `never` until its time is over."""

    answers: Behaviour = "at once"
    by_number: dict[str, Behaviour] = field(default_factory=dict)

    def ring(self, call: Call, calls: Calls, timers: Timers) -> None:
        """Let the called number do what it does."""
        match self.by_number.get(call.called, self.answers):
            case "at once":
                calls.answer(call)
            case "busy":
                calls.reject(call, "USER_BUSY")
            case "rejects":
                calls.reject(call)
            case "never":
                timers.after(call.timeout_s, lambda: _ring_out(call, calls))
            case "by hand":
                return


def _ring_out(call: Call, calls: Calls) -> None:
    if call.state is CallState.STARTED:
        calls.ring_out(call)
