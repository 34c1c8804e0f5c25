"""Kazoo's rigs, and who really is where, as any client of it would find out."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial

import aiohttp

from adapters.kazoo import KazooAdapter
from adapters.kazoo.simulator import Generation, KazooSimulator
from gateway.adapter import Adapter
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.rig import OnSimulator, Person, Rig


class KazooRig(OnSimulator):
    """Kazoo in one of its generations; the master branch is 4.2 and can be asked to record."""

    def __init__(self, generation: Generation, *, master: bool = False) -> None:
        self.kind = "kazoo"
        self._sim = KazooSimulator(generation=generation, master=master)
        super().__init__(self._sim)
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


async def who_is_in(settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask the simulated Kazoo itself, as any client of it would."""
    digest = hashlib.md5(f"{settings['username']}:{settings['password']}".encode()).hexdigest()
    login = {"data": {"credentials": digest, "method": "md5", "account_name": settings["account_name"]}}
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{settings['url']}/user_auth", json=login) as response:
            signed_in = await response.json()
        session.headers["X-Auth-Token"] = signed_in["auth_token"]
        rooms = f"{settings['url']}/accounts/{signed_in['data']['account_id']}/conferences"
        async with session.get(rooms) as response:
            ids = [room["id"] for room in (await response.json())["data"]]
        who = {}
        for room_id in ids:
            async with session.get(f"{rooms}/{room_id}/participants") as response:
                who[room_id] = {each["call_id"] for each in (await response.json())["data"]}
        return who
