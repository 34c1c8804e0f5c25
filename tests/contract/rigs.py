"""The rigs by name, and a busy time for any of them."""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random

from adapters.kazoo.simulator import Generation
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.bandwidth_rig import BandwidthRig
from tests.contract.kazoo_rig import KazooRig
from tests.contract.rig import Rig
from tests.contract.ringcentral_rig import RingCentralRig
from tests.contract.xivo_rig import XivoRig

RIGS: dict[str, Callable[[], Rig]] = {
    **{f"kazoo-{generation.value}": partial(KazooRig, generation) for generation in Generation},
    "kazoo-master": partial(KazooRig, Generation.K4_2, master=True),
    "xivo": XivoRig,
    "xivo-2019": partial(XivoRig, old=True),
    "ringcentral": RingCentralRig,
    "ringcentral-webhook": partial(RingCentralRig, notifications="webhook"),
    "ringcentral-account": partial(RingCentralRig, account_wide=True),
    "bandwidth": BandwidthRig,
}
"""Every rig by name; kinds come before the dash."""


_MOST_PEOPLE = 15
"""In one room, so that it fits into each backend's."""


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
            case 3 | 4 if len(people) > (0 if rig.rooms_stay else 1):  # else it would be over for ever
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
