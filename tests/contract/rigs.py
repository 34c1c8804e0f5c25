"""The rigs by name, and a busy time for any of them."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from random import Random

from gateway import registry
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.rig import Rig

_MODULES = {kind: import_module(f"tests.adapters.{kind}.rig") for kind in registry.kinds()}
RIGS: dict[str, Callable[[], Rig]] = {name: rig for module in _MODULES.values() for name, rig in module.RIGS.items()}
"""Every rig by name; kinds come before the dash."""
_MOST_PEOPLE = 15
"""In one room, so that it fits into each backend's."""


async def who_is_in(kind: str, settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask a simulated backend who is in each room, by the ids of rooms and people."""
    found: dict[str, set[str]] = await _MODULES[kind].who_is_in(settings)
    return found


async def live_a_while(rig: Rig, rooms: list[RoomId], *, steps: int, seed: int) -> None:
    """Let people come, talk and go, with a cut now and then; whoever runs this lets the loop turn in between."""
    rng = Random(seed)
    inside: dict[RoomId, list[ParticipantId]] = {room: [] for room in rooms}
    for step in range(steps):
        room = rng.choice(rooms)
        people = inside[room]
        match rng.randrange(10):
            case 0 | 1 | 2 if len(people) < _MOST_PEOPLE:
                people.append(
                    rig.somebody_joins(room, f"Caller {step}", moderator=rng.random() < 0.2 and rig.moderators_join)
                )
            case 3 | 4 if len(people) > (
                0 if rig.rooms_stay or rig.always_there(room) else 1
            ):  # else it is over for ever
                rig.leaves(room, people.pop(rng.randrange(len(people))))
            case 9 if rng.random() < 0.1:
                rig.cut()
            case what if people and rig.flags:
                flag = rig.flags[what % len(rig.flags)]
                rig.set_flag(room, rig.bearer(room, flag, rng.choice(people)), flag, value=rng.random() < 0.5)
            case _:
                pass
        if step % 7 == 0:
            await asyncio.sleep(0)
