"""Calls of the user: how they come up and end, and who is told.

Inferred: a called number that is busy ends the call with USER_BUSY, one that rejects it with CALL_REJECTED, as `hangup`
          both; a call whose time to be answered is over is `completed` with the one event `timeout`; who gives up
          calling is ORIGINATOR_CANCEL. Calls that ended are forgotten when many others have.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from .failures import call_not_found, wrong_state
from .hooks import Hooks
from .notices import CallNotice, Tell
from .shapes import Json, new_id

_MOST_ENDED = 10_000


class CallState(StrEnum):
    """The state of a call, in its own word."""

    STARTED = "started"
    ACTIVE = "active"
    TRANSFERRING = "transferring"
    REJECTED = "rejected"
    COMPLETED = "completed"


OVER = (CallState.REJECTED, CallState.COMPLETED)


@dataclass(slots=True, eq=False, kw_only=True)
class Call:
    """One call; `conference_id` is the one it was made for or is in, `more` what was given and has no effect here.

    Units: instants are Unix seconds, `timeout_s` is how long it may ring.
    """

    call_id: str
    direction: str
    caller: str
    called: str
    started_at: float
    conference_id: str | None = None
    tag: str | None = None
    timeout_s: int = 60
    hooks: Hooks = field(default_factory=Hooks)
    more: Json = field(default_factory=dict)
    state: CallState = CallState.STARTED
    active_at: float | None = None
    ended_at: float | None = None

    @property
    def number(self) -> str:
        """Who is at the far end."""
        return self.called if self.direction == "out" else self.caller


class Calls:
    """All calls; `answered` and `ended` are for what else depends on them."""

    def __init__(self, clock: Callable[[], float], rng: Random, tell: Tell) -> None:
        self.by_id: dict[str, Call] = {}
        self.answered: Callable[[Call], None] = lambda _: None
        self.ended: Callable[[Call], None] = lambda _: None
        self._clock = clock
        self._rng = rng
        self._tell = tell
        self._over: dict[str, None] = {}

    def get(self, call_id: str) -> Call:
        """Errors: ApiError 404."""
        if call_id not in self.by_id:
            raise call_not_found(call_id)
        return self.by_id[call_id]

    def dial(
        self,
        caller: str,
        called: str,
        *,
        conference_id: str | None = None,
        tag: str | None = None,
        timeout_s: int = 60,
        hooks: Hooks | None = None,
        more: Json | None = None,
    ) -> Call:
        """Call somebody: it rings there."""
        call = Call(
            call_id=new_id("c", self._rng),
            direction="out",
            caller=caller,
            called=called,
            started_at=self._clock(),
            conference_id=conference_id,
            tag=tag,
            timeout_s=timeout_s,
            hooks=hooks or Hooks(),
            more=more or {},
        )
        self.by_id[call.call_id] = call
        return call

    def ring(self, caller: str, called: str, application_url: str | None) -> Call:
        """Let somebody call; the application of the called number is told."""
        call = Call(
            call_id=new_id("c", self._rng),
            direction="in",
            caller=caller,
            called=called,
            started_at=self._clock(),
            hooks=Hooks(application_url),
        )
        self.by_id[call.call_id] = call
        # The page has the state `active` here although nobody has answered yet.
        self._tell(CallNotice(call, "incomingcall", {"callState": "active"}))
        return call

    def answer(self, call: Call) -> None:
        """Let a call that rings be picked up.

        Errors: ApiError 403.
        """
        self.check_ringing(call)
        call.state, call.active_at = CallState.ACTIVE, self._clock()
        self._tell(CallNotice(call, "answer", {"callState": call.state}))
        self.answered(call)

    def hang_up(self, call: Call) -> None:
        """Let a call end.

        Errors: ApiError 403 when it has.
        """
        gives_up = call.state is CallState.STARTED
        self._end(call, CallState.COMPLETED, "ORIGINATOR_CANCEL" if gives_up else "NORMAL_CLEARING")

    def reject(self, call: Call, cause: str = "CALL_REJECTED") -> None:
        """Let a call that rings be refused.

        Errors: ApiError 403 when it does not ring.
        """
        self.check_ringing(call)
        self._end(call, CallState.REJECTED if call.direction == "in" else CallState.COMPLETED, cause)

    def ring_out(self, call: Call) -> None:
        """Let the time be over in which it could be answered.

        Errors: ApiError 403 when it does not ring.
        """
        self.check_ringing(call)
        self._end(call, CallState.COMPLETED, None)

    def transfer(self, call: Call, to: str) -> None:
        """Let a call go on with somebody else, outside of any conference.

        Errors: ApiError 403 when it is not up.
        """
        self.check_up(call)
        call.state, call.more = CallState.TRANSFERRING, {**call.more, "transferTo": to}
        self.ended(call)

    @staticmethod
    def check_up(call: Call) -> None:
        """Errors: ApiError 403 for a call that is not up."""
        if call.state is not CallState.ACTIVE:
            raise wrong_state(call.call_id, call.state)

    @staticmethod
    def check_ringing(call: Call) -> None:
        """Errors: ApiError 403 for a call that does not ring."""
        if call.state is not CallState.STARTED:
            raise wrong_state(call.call_id, call.state)

    def _end(self, call: Call, state: CallState, cause: str | None) -> None:
        if call.state in OVER:
            raise wrong_state(call.call_id, call.state)
        call.state, call.ended_at = state, self._clock()
        self.ended(call)
        if cause is None:
            self._tell(CallNotice(call, "timeout", {}))
        else:
            self._tell(CallNotice(call, "hangup", {"callState": "completed", "cause": cause}))
        self._forget_old(call)

    def _forget_old(self, call: Call) -> None:
        self._over[call.call_id] = None
        if len(self._over) > _MOST_ENDED:
            oldest = next(iter(self._over))
            del self._over[oldest], self.by_id[oldest]
