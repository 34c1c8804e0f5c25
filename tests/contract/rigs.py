"""A rig a backend: its adapter, its simulator, and hands for what only people and networks do."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from adapters.kazoo import KazooAdapter
from adapters.kazoo.simulator import Generation, KazooSimulator
from gateway.adapter import Adapter
from gateway.model.ids import ParticipantId, RoomId


class Person(NamedTuple):
    """Somebody in a room as they really are, or as the gateway has them, with None where it does not know."""

    name: str | None
    muted: bool | None
    deafened: bool | None
    talking: bool | None
    moderator: bool | None


class Rig(Protocol):
    """What a simulator must be able to do for the suite."""

    kind: str
    identity: str
    """The backend's user that `somebody_joins(owner=True)` is."""

    def adapter(self) -> Adapter:
        """Make an adapter with right credentials."""

    def stranger(self) -> tuple[Adapter, str]:
        """Make an adapter with a wrong secret, and give that secret."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def start(self) -> None:
        """Begin to serve; after a `stop` at the same address and with the same rooms."""

    async def stop(self) -> None:
        """Be gone, as after a crash."""

    def furnish(self, name: str) -> RoomId:
        """Have a room with nobody in it."""

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        """Let somebody in."""

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        """Let somebody hang up."""

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        """Set muted, deafened or talking, as by the phone."""

    def cut(self) -> None:
        """Break the connection that carries events."""

    def send_garbage(self) -> None:
        """Send what is no frame of the protocol."""

    def lose_next_leaves(self) -> None:
        """From now on, do not report who leaves."""

    def obey(self, obedient: bool) -> None:
        """Accept commands, and do them or not."""

    def commands(self) -> int:
        """How many commands have arrived."""

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        """Who really is where."""


class KazooRig:
    """Kazoo in one of its generations; the master branch is 4.2 and can be asked to record."""

    def __init__(self, generation: Generation, *, master: bool = False) -> None:
        self.kind = "kazoo"
        self._sim = KazooSimulator(generation=generation, master=master)
        self._number = 0
        self.identity = self._sim.owner_id

    def adapter(self) -> Adapter:
        return self._adapter(self._sim.password)

    def stranger(self) -> tuple[Adapter, str]:
        wrong = "not-the-password"
        return self._adapter(wrong), wrong

    def _adapter(self, password: str) -> Adapter:
        return KazooAdapter.configured(
            {
                "url": f"{self._sim.base_url}/v2",
                "socket_url": self._sim.socket_url,
                "account_name": self._sim.account_name,
                "username": self._sim.username,
                "password": password,
                "recording": True,
            }
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        await self._sim.start()

    async def stop(self) -> None:
        await self._sim.stop()

    def furnish(self, name: str) -> RoomId:
        self._number += 1
        return RoomId(self._sim.add_room(name, numbers=[str(6000 + self._number)]))

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        owner_id = self.identity if owner else None
        call_id = self._sim.someone_joins(room, name, moderator=moderator, muted=False, owner_id=owner_id)
        return ParticipantId(call_id)

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        self._sim.someone_leaves(room, who)

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        hands = {"muted": self._sim.set_muted, "deafened": self._sim.set_deafened, "talking": self._sim.talks}
        hands[flag](room, who, value)

    def cut(self) -> None:
        self._sim.drop_link()

    def send_garbage(self) -> None:
        self._sim.send_raw(b'{"action":"event","data":{"event":')
        self._sim.send_raw(b'{"action":"event","data":{"event":"add-member","event_category":"conference"}}')
        self._sim.send_raw(b"[" * 10_000)

    def lose_next_leaves(self) -> None:
        self._sim.faults.drop_events.update({"del-member", "conference-destroy"})

    def obey(self, obedient: bool) -> None:
        self._sim.faults.ignore_commands = not obedient

    def commands(self) -> int:
        return len(self._sim.commands)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(room_id): {
                ParticipantId(call_id): Person(
                    each["name"], each["muted"], each["deafened"], each["talking"], each["moderator"]
                )
                for call_id, each in room["participants"].items()
            }
            for room_id, room in self._sim.truth().items()
        }


RIGS: dict[str, Callable[[], Rig]] = {
    **{f"kazoo-{generation.value}": partial(KazooRig, generation) for generation in Generation},
    "kazoo-master": partial(KazooRig, Generation.K4_2, master=True),
}
"""Every rig by name; kinds come before the dash."""


async def live_a_while(rig: Rig, rooms: list[RoomId], *, steps: int, seed: int) -> None:
    """Let people come, talk and go, with a cut now and then; whoever runs this lets the loop turn in between."""
    rng = Random(seed)
    inside: dict[RoomId, list[ParticipantId]] = {room: [] for room in rooms}
    for step in range(steps):
        room = rng.choice(rooms)
        people = inside[room]
        match rng.randrange(10):
            case 0 | 1 | 2:
                people.append(rig.somebody_joins(room, f"Caller {step}", moderator=rng.random() < 0.2))
            case 3 | 4 if people:
                rig.leaves(room, people.pop(rng.randrange(len(people))))
            case 9 if rng.random() < 0.1:
                rig.cut()
            case what if people:
                flag = ("muted", "deafened", "talking")[what % 3]
                rig.set_flag(room, rng.choice(people), flag, value=rng.random() < 0.5)
            case _:
                pass
        if step % 7 == 0:
            await asyncio.sleep(0)
