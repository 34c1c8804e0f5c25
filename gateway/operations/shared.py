"""One running subscription for all who follow the same: each event is executed once and delivered to everybody."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from graphql import GraphQLError

from gateway.hub.hub import Watch
from gateway.operations.batch import Batch, Delivery
from gateway.operations.delivery import extensions_of
from gateway.operations.execution import Answer, Execution
from gateway.operations.pace import Pace
from gateway.operations.turns import Turns
from gateway.schema.errors import RequestError
from gateway.schema.feed import Feed

_EVENTS_WAITING_MAX = 1000
"""How many events wait for their turn before one snapshot takes the place of all."""
_TIDY_FROM = 64
"""Empty places in a list of followers are not worth tidying up while there are few."""


Lane = tuple[Callable[[bytes], object], bytes]
"""The short way to a follower: what writes frames, and the prefix of its messages."""


class Follower(ABC):
    """One subscriber, on whatever transport; a transport says how it is delivered to.

    Shape: `shared` is what it follows and `place` where it stands there; `waits_for` its first event; `aside` while
           deliveries have to look closer: it is `lagging`, or `owed`: its first event has to carry what was agreed.
    """

    __slots__ = ("aside", "cursor_before_lag", "lagging", "owed", "place", "shared", "waits_for")

    def __init__(self) -> None:
        self.shared: SharedOperation | None = None
        self.place = 0
        self.aside = False
        self.lagging = False
        self.owed = False
        self.cursor_before_lag: str | None = None
        self.waits_for: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def blocked(self) -> bool:
        """Whether the client has too much waiting to be sent more."""

    @abstractmethod
    def deliver(self, batch: Batch) -> None:
        """Send some events; not called while `blocked`."""

    @abstractmethod
    def finish(self, errors: Sequence[GraphQLError]) -> None:
        """Say that nothing comes any more, because of errors or (without any) because it is over."""

    def lane(self) -> Lane | None:
        """Give the short way past `deliver` if there is one now; `relane` is to be called whenever that changes."""
        return None

    def relane(self) -> None:
        """Learn that `lane` gives another thing now."""
        if self.shared is not None:
            self.shared.relane(self)

    def agree(self) -> bool:
        """Learn that events carry cursors since they were asked for, and say whether the first one has to tell so."""
        return True

    @property
    def last_cursor(self) -> str | None:
        """The position of the last event that was sent, where the stream has positions."""
        return self.cursor_before_lag if self.lagging or self.shared is None else self.shared.cursor_of(self)

    def drained(self) -> None:
        """Go on after being `blocked`: with what stands for the events that were not sent meanwhile."""
        if self.lagging and self.shared is not None and not self.blocked:
            self.shared.catch_up(self)
        else:
            self.relane()

    def stop(self) -> None:
        """Follow no longer; may be called at any time."""
        if self.waits_for is not None:
            # Not before it has begun: what it was to wait for would then never be awaited by anybody.
            asyncio.get_running_loop().call_soon(self.waits_for.cancel)
            self.waits_for = None
        elif self.shared is not None:
            self.shared.leave(self)


@dataclass(slots=True)
class _Pass:
    """Events on their way to the followers in places below `end`; it is open for more events while `end` is None."""

    events: list[Any]
    end: int | None = None
    batch: Batch | None = None
    next: int = 0


class SharedOperation:
    """A subscription that runs once for all its followers.

    A newcomer gets its beginning and stands behind the events that are on their way, so that it misses nothing and gets
    nothing twice.
    Shape: `version` gives what is another thing whenever what a newcomer gets first would be another.
    Units: an event that `Feed.replaces` gives a key for is sent at once, and then at most every `pace_s` seconds.
    """

    def __init__(
        self,
        execution: Execution,
        feed: Feed[Any],
        turns: Turns,
        *,
        version: Callable[[], Hashable],
        pace_s: float,
        ended: Callable[[], None],
    ) -> None:
        self.feed = feed
        self._version = version
        self._execution = execution
        self._turns = turns
        self._ended = ended
        self._pace = Pace(pace_s, self._add)
        # In the order of the followers: walking over the objects themselves costs more than writing does.
        self._lanes: list[Lane | None] = []
        self._followers: list[Follower | None] = []
        self._count = 0
        self._passes: deque[_Pass] = deque()
        self.over = False
        self._errors: tuple[GraphQLError, ...] = ()
        self._beginning: tuple[Hashable, Batch] | None = None
        self._last_cursor: str | None = None
        self._watch: Watch[Any] | None = None

    @property
    def followers(self) -> int:
        """How many follow."""
        return self._count

    # ---- beginning ----

    def beginning(self) -> tuple[Sequence[Any], Batch | Awaitable[Batch]]:
        """Give what a newcomer without a position gets first: events, and the same executed."""
        version = self._version()
        if self._beginning is not None and self._beginning[0] == version:
            return (), self._beginning[1]
        events = self.feed.begin()
        batch = self.batch_of(events)
        if isinstance(batch, Batch):
            self._beginning = (version, batch)
        return events, batch

    def batch_of(self, events: Sequence[Any]) -> Batch | Awaitable[Batch]:
        """Execute some events; awaitable if any field of them has to wait."""
        answers = [self._execution.run(event, extensions_of(self.feed.cursor(event))) for event in events]
        written = [answer for answer in answers if isinstance(answer, Answer)]
        return self._batch(events, written) if len(written) == len(answers) else self._awaited(events, answers)

    def join(self, follower: Follower, beginning: Batch, *, agreed: bool = False) -> None:
        """Let a newcomer in behind everything that has happened, all of which is in its beginning."""
        if self._watch is None:
            self._watch = self.feed.watch(self._note)
        self._seal()
        follower.shared, follower.place = self, len(self._followers)
        self._followers.append(follower)
        self._count += 1
        if beginning.deliveries and not self._passes:  # everybody has everything, so this is where they all are
            self._last_cursor = beginning.deliveries[-1].cursor
        follower.lagging = bool(beginning.deliveries) and follower.blocked
        follower.owed = agreed and (follower.lagging or not beginning.deliveries)
        follower.aside = follower.lagging or follower.owed
        self._lanes.append(None if follower.aside else follower.lane())
        if beginning.deliveries and not follower.lagging:
            follower.deliver(beginning.agreed() if agreed else beginning)

    def relane(self, follower: Follower) -> None:
        """Take the short way to a follower from now on, or no longer."""
        self._lanes[follower.place] = None if follower.aside else follower.lane()

    def leave(self, follower: Follower) -> None:
        """Let a follower go; the last one ends the operation."""
        self._take_out(follower)
        self._end_or_tidy()

    def catch_up(self, follower: Follower) -> None:
        """Give a follower that was too slow what stands for the events it was not sent."""
        self._take_out(follower)
        if self.over:
            follower.finish(self._errors)
            self._end_or_tidy()
            return
        self._seal()
        try:
            beginning = self.batch_now(self.feed.lost())
        except RequestError as error:
            follower.finish((error,))
            self._end_or_tidy()
            return
        self.join(follower, beginning, agreed=follower.owed)

    def cursor_of(self, follower: Follower) -> str | None:
        """Give the position of the last event that a follower who is not lagging has been sent."""
        cursor = self._last_cursor
        for each in self._passes:
            has_it = each.next > follower.place or (each.end is not None and each.end <= follower.place)
            if has_it and each.events:
                cursor = self.feed.cursor(each.events[-1])
        return cursor

    # ---- delivering ----

    def deliver_some(self, limit: int) -> int:
        """Deliver to the next `limit` followers of what is on its way."""
        self._tidy()
        made = 0
        while self._passes and made < limit:
            made += self._deliver_pass(self._passes[0], limit - made)
        if not self._passes:
            if self.over:
                made += self._finish(limit - made)
            elif self._count:
                self._end_or_tidy()
        return made

    def _deliver_pass(self, current: _Pass, limit: int) -> int:
        batch = current.batch or self._start(current)
        begin, end = current.next, len(self._followers) if current.end is None else current.end
        stop = min(end, begin + limit)
        failed = True
        try:
            if batch.deliveries:
                self._deliver_to(range(begin, stop), current, batch)
            failed = False
        finally:
            if failed:  # one of them, which is nothing to those behind it
                self._turns.due(self)
        if stop >= end and self._passes:
            self._passes.popleft()
            if batch.deliveries:
                self._last_cursor = batch.deliveries[-1].cursor
        return stop - begin

    def _deliver_to(self, places: range, current: _Pass, batch: Batch) -> None:
        lanes, frames = self._lanes, batch.frames
        for place in places:
            current.next = place + 1
            lane = lanes[place]  # only now, since a delivery may make others leave
            if lane is None:
                self._look_closer(self._followers[place], batch)
            else:
                write, prefix = lane
                write(frames(prefix))

    def _start(self, current: _Pass) -> Batch:
        if current.end is None:
            current.end = len(self._followers)
        current.batch = self.batch_now(current.events)
        return current.batch

    def _look_closer(self, follower: Follower | None, batch: Batch) -> None:
        if follower is None or follower.lagging:
            return
        if follower.blocked:
            follower.cursor_before_lag = self._last_cursor
            follower.lagging = follower.aside = True
        elif follower.owed:
            follower.aside = follower.owed = False
            self.relane(follower)
            follower.deliver(batch.agreed())
        else:
            follower.deliver(batch)

    def _note(self, event: Any | None) -> None:
        if event is None:
            self.over = True
            self._pace.release()
            self._turns.due(self)
        elif not self.over and not self._pace.held_back(self.feed.replaces(event), event):
            self._add(event)

    def _add(self, event: Any) -> None:
        last = self._passes[-1] if self._passes else None
        if last is None or last.end is not None:
            last = _Pass([])
            self._passes.append(last)
        last.events.append(event)
        if len(last.events) > _EVENTS_WAITING_MAX:
            self._give_up_waiting(last)
        self._turns.due(self)

    def _give_up_waiting(self, last: _Pass) -> None:
        """Let what stands for lost events stand for all that waits: the gateway itself does not keep up."""
        try:
            last.events = list(self.feed.lost())
        except RequestError as error:
            last.events = []
            self.over, self._errors = True, (error,)

    def _seal(self) -> None:
        """Let nobody who comes from now on get what is on its way."""
        self._pace.release()
        if self._passes and self._passes[-1].end is None:
            self._passes[-1].end = len(self._followers)

    # ---- ending ----

    def _finish(self, limit: int) -> int:
        here = [each for each in self._followers if each is not None and not each.lagging][:limit]
        for follower in here:
            if follower.shared is self:  # it may have left when another one was told
                self.leave(follower)
                follower.finish(self._errors)
        return len(here)

    def _take_out(self, follower: Follower) -> None:
        follower.shared = None
        self._followers[follower.place] = self._lanes[follower.place] = None
        self._count -= 1

    def _end_or_tidy(self) -> None:
        if self._count == 0 and self._watch is not None:
            self._watch.close()
            self._pace.stop()
            self._passes.clear()
            self._ended()
        elif not self._passes:
            self._tidy()

    def _tidy(self) -> None:
        """Take out empty places, once they are many; not while deliveries are made."""
        if len(self._followers) <= max(_TIDY_FROM, 2 * self._count):
            return
        moved = [0, *accumulate(each is not None for each in self._followers)]
        for each in self._passes:
            each.next, each.end = moved[each.next], None if each.end is None else moved[each.end]
        here = [each for each in self._followers if each is not None]
        self._lanes = [self._lanes[follower.place] for follower in here]
        for place, follower in enumerate(here):
            follower.place = place
        self._followers = [*here]

    def batch_now(self, events: Sequence[Any]) -> Batch:
        """Execute events of which no field has to wait."""
        batch = self.batch_of(events)
        if not isinstance(batch, Batch):
            raise TypeError("a field of an event must not wait for anything")
        return batch

    def _batch(self, events: Sequence[Any], answers: Sequence[Answer]) -> Batch:
        written = zip(events, answers, strict=True)
        return Batch([Delivery(answer.body, self.feed.cursor(event)) for event, answer in written])

    async def _awaited(self, events: Sequence[Any], answers: Sequence[Answer | Awaitable[Answer]]) -> Batch:
        return self._batch(events, [each if isinstance(each, Answer) else await each for each in answers])
