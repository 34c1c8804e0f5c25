"""The commands of one session, one at a time: only so can an error be told to whom it belongs.

xuc answers a command with nothing, or with an error that names neither the command nor the room. The lane is held until
the effect is seen, an error comes, or the time for one is over. A command that got no answer may still get its error
late: as long as that may be, an error that both it and a later command can have is blamed on neither.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from adapters.kit.understanding import JsonObject
from adapters.xivo.errors import DOCUMENTED, GENERIC_ERROR, command_error
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused, LinkDown, OutcomeUnknown, refused
from gateway.model.ids import RoomId

_DOUBT_S = 5.0
"""How long after it was sent an error to a command may still come."""
_MOST_UNANSWERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command.

    Shape: `frame` is asked when the turn has come; None says that it is already so, and nothing is sent. It may raise
           CommandRefused. `shown` tells whether the effect is visible, `codes` the errors the command can have, `moot`
           those of them that it has when somebody else brought the effect about before it: who is kicked may hang up.
    """

    room_id: RoomId | None
    frame: Callable[[], JsonObject | None]
    shown: Callable[[], bool]
    codes: frozenset[str]
    moot: frozenset[str] = frozenset()

    def can_have(self, code: str) -> bool:
        """Whether an error may be about this command: one that is not documented may be about any."""
        return code in self.codes or code not in DOCUMENTED


@dataclass(frozen=True, slots=True)
class LateFailure:
    """A command that had been taken for accepted turned out to have failed."""

    room_id: RoomId
    error: CommandError


class _Silence(Enum):
    """Ends of a command that are no refusal."""

    SHOWN = auto()
    DOUBTFUL = auto()
    CUT_OFF = auto()


@dataclass(slots=True)
class _Sent:
    order: Order
    at: float
    answer: asyncio.Future[CommandError | _Silence] = field(repr=False)

    def settle(self, answer: CommandError | _Silence) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Lane:
    """Sends commands in the order they were asked for, and finds out what became of each."""

    def __init__(
        self,
        send: Callable[[JsonObject], Awaitable[None]],
        answer_wait_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._answer_wait_s = answer_wait_s
        self._clock = clock
        self._turn = asyncio.Lock()
        self._open = True
        self._under_way: _Sent | None = None
        self._unanswered: deque[_Sent] = deque(maxlen=_MOST_UNANSWERED)
        self._seen: deque[_Sent] = deque(maxlen=_MOST_UNANSWERED)

    async def do(self, order: Order) -> None:
        """Do a command when its turn has come; return when its effect is seen, or no error has come in time.

        Errors: CommandRefused, OutcomeUnknown.
        """
        async with self._turn:
            if not self._open:
                raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, "the connection to XiVO was lost: try again later")
            frame = order.frame()
            if frame is None:
                return
            match await self._answered(order, frame):
                case CommandError() as error:
                    raise CommandRefused(error)
                case _Silence.DOUBTFUL:
                    raise OutcomeUnknown("XiVO answered with an error that may belong to an earlier command")
                case _Silence.CUT_OFF:
                    raise OutcomeUnknown("the connection to XiVO was lost: the command may or may not have acted")

    def look(self) -> None:
        """See whether effects are visible now; to be called when a frame of this session has been applied."""
        self._forget_old()
        for sent in [each for each in self._unanswered if each.order.shown()]:
            self._unanswered.remove(sent)
        if (waiting := self._awaiting()) is not None and waiting.order.shown():
            waiting.settle(_Silence.SHOWN)
            self._seen.append(waiting)

    def failed(self, code: str) -> LateFailure | None:
        """Learn that a command failed; a LateFailure if it is one that nobody waits for any more.

        What cannot be told to one command is blamed on none: who waits is told that the outcome is unknown.
        """
        self._forget_old()
        late = [each for each in self._unanswered if each.order.can_have(code)]
        moot = any(code in each.order.moot for each in self._seen)
        waiting = self._awaiting()
        if waiting is not None and waiting.order.can_have(code):
            self._blame(waiting, command_error(code), doubtful=bool(late) or moot)
            return None
        return None if moot else self._late_failure(late, code)

    def broken(self) -> bool:
        """Learn of an error without a code: it is blamed on who waits, if on nobody else; False when nobody does."""
        self._forget_old()
        if (waiting := self._awaiting()) is None:
            return False
        self._blame(waiting, GENERIC_ERROR, doubtful=bool(self._unanswered))
        return True

    def lost(self) -> None:
        """Learn that the connection is gone: there will be no answers, and nothing more is sent."""
        self._open = False
        self._unanswered.clear()
        if self._under_way is not None:
            self._under_way.settle(_Silence.CUT_OFF)

    async def _answered(self, order: Order, frame: JsonObject) -> CommandError | _Silence | None:
        """Send, and wait for what comes back; None is no answer in time, which means accepted."""
        answer: asyncio.Future[CommandError | _Silence] = asyncio.get_running_loop().create_future()
        sent = self._under_way = _Sent(order, self._clock(), answer)
        try:
            await self._send(frame)
            await asyncio.wait((answer,), timeout=self._answer_wait_s)
        except LinkDown:
            sent.settle(_Silence.CUT_OFF)
        finally:
            self._under_way = None
            if not answer.done():
                self._unanswered.append(sent)
        return answer.result() if answer.done() else None

    def _blame(self, waiting: _Sent, error: CommandError, *, doubtful: bool) -> None:
        """Tell who waits; if it may have been another's error, theirs may still come."""
        waiting.settle(_Silence.DOUBTFUL if doubtful else error)
        if doubtful:
            self._unanswered.append(waiting)

    def _awaiting(self) -> _Sent | None:
        """Give the command under way, if it has had no answer yet."""
        return None if self._under_way is None or self._under_way.answer.done() else self._under_way

    def _late_failure(self, late: list[_Sent], code: str) -> LateFailure | None:
        """Say in which room a command has failed late, if it can only have been there."""
        rooms = {each.order.room_id for each in late}
        if len(late) == 1:
            self._unanswered.remove(late[0])
        if len(rooms) != 1 or (room_id := rooms.pop()) is None:
            return None
        return LateFailure(room_id, command_error(code))

    def _forget_old(self) -> None:
        since = self._clock() - _DOUBT_S
        for kept in (self._unanswered, self._seen):
            while kept and kept[0].at < since:
                kept.popleft()
