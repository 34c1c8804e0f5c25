"""A crowd for a simulator: people who come, talk, mute themselves and go, in rooms with names one believes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Generic, NamedTuple, Protocol, TypeVar

from gateway.simulator import Liveliness

_MODERATORS = 0.15
"the share of moderators among those who join"
_MOOD_CHANGES = 0.03
"how often something that happens in a room makes it busy or lets it run out"


class Caller(NamedTuple):
    """Somebody who may call in; the number is from the range kept for fiction."""

    name: str
    number: str


class Cast(NamedTuple):
    """Where the crowd lives: what rooms and people are called, and `number` makes up one from the range for fiction."""

    rooms: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    number: Callable[[Random], str]


class Presence(Protocol):
    """Somebody in a room, as far as the crowd looks at them."""

    muted: bool
    deafened: bool
    talking: bool


Someone = TypeVar("Someone", bound=Presence)


class Hands(Protocol[Someone]):
    """What the crowd does in a simulator; the room is whatever `add_room` gave."""

    def add_room(self, name: str, place: int) -> str:
        """Make the room that has this place among the crowd's rooms, counted from 0."""

    def seat_host(self, room: str) -> None:
        """Seat somebody for good whom a viewer can be, so that a viewer can act on their own presence."""

    def people(self, room: str) -> Sequence[Someone]:
        """Who is in the room now."""

    def stays(self, who: Someone) -> bool:
        """Whether the crowd must not let them leave."""

    def join(self, room: str, caller: Caller, *, moderator: bool) -> None:
        """Let somebody join; when the room does not let them in, nothing happens."""

    def leave(self, room: str, who: Someone) -> None:
        """Let them hang up."""

    def talk(self, room: str, who: Someone, talking: bool) -> None:
        """Let them begin or end to talk."""

    def set_muted(self, room: str, who: Someone, muted: bool) -> None:
        """Let them press the key on their phone."""

    def set_deafened(self, room: str, who: Someone, deafened: bool) -> None:
        """Let them press the key on their phone."""


class Crowd(Generic[Someone]):
    """Seeded life in a simulator's rooms: some are busy, in others people only leave until they are idle again."""

    def __init__(self, hands: Hands[Someone], cast: Cast, liveliness: Liveliness) -> None:
        self.room_ids: list[str] = []
        self._hands = hands
        self._cast = cast
        self._rooms = liveliness.rooms
        self._people = liveliness.people
        self._churn = liveliness.churn
        self._talk_rate = liveliness.talk_rate
        self._rng = Random(liveliness.seed)
        self._busy: set[str] = set()

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Furnish the rooms, and keep them alive while the block runs."""
        self.furnish()
        life = asyncio.create_task(self.run(), name="crowd")
        try:
            yield
        finally:
            life.cancel()
            await asyncio.wait({life})

    def furnish(self) -> None:
        """Create the rooms; two in three start with people in them, the others idle."""
        for index in range(self._rooms):
            again, place = divmod(index, len(self._cast.rooms))
            name = self._cast.rooms[place] + (f" {again + 1}" if again else "")
            room_id = self._hands.add_room(name, index)
            self.room_ids.append(room_id)
            if index % 3 != 2:
                self._busy.add(room_id)
                for _ in range(self._rng.randint(1, self._people)):
                    self._join(room_id)
        if self.room_ids:
            self._hands.seat_host(self.room_ids[0])

    def step(self) -> None:
        """One thing happens somewhere, or nothing where nothing can."""
        room_id = self._rng.choice(self.room_ids)
        if self._rng.random() * (self._churn + self._talk_rate) < self._talk_rate:
            self._talk(room_id)
        else:
            self._stir(room_id)

    async def run(self) -> None:
        """Let things happen at the given rates until cancelled."""
        rate = self._churn + self._talk_rate
        if rate <= 0 or not self.room_ids:
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._rng.expovariate(rate)
            # At high rates several steps are due at once, and the loop must still turn between them.
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.step()

    def _stir(self, room_id: str) -> None:
        if self._rng.random() < _MOOD_CHANGES:
            self._busy ^= {room_id}
        here = len(self._hands.people(room_id))
        chance = self._rng.random()
        if chance < 0.3:
            self._press_keys(room_id)
        elif room_id in self._busy and self._rng.random() * self._people >= here:
            self._join(room_id)
        else:
            self._leave(room_id)

    def _join(self, room_id: str) -> None:
        if len(self._hands.people(room_id)) >= self._people:
            return
        caller = self._caller()
        moderator = self._rng.random() < _MODERATORS
        self._hands.join(room_id, caller, moderator=moderator)

    def _leave(self, room_id: str) -> None:
        here = [one for one in self._hands.people(room_id) if not self._hands.stays(one)]
        if here:
            self._hands.leave(room_id, self._rng.choice(here))

    def _talk(self, room_id: str) -> None:
        able = [one for one in self._hands.people(room_id) if not one.muted]
        if able:
            chosen = self._rng.choice(able)
            self._hands.talk(room_id, chosen, not chosen.talking)

    def _press_keys(self, room_id: str) -> None:
        here = self._hands.people(room_id)
        if not here:
            return
        chosen = self._rng.choice(here)
        if self._rng.random() < 0.8:
            self._hands.set_muted(room_id, chosen, not chosen.muted)
        else:
            self._hands.set_deafened(room_id, chosen, not chosen.deafened)

    def _caller(self) -> Caller:
        cast, rng = self._cast, self._rng
        return Caller(f"{rng.choice(cast.first_names)} {rng.choice(cast.last_names)}", cast.number(rng))
