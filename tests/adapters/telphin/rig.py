"""Telphin's rigs, and who really is where, as any client of it would find out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import aiohttp

from adapters.telphin import TelphinAdapter
from adapters.telphin.simulator import TelphinSimulator
from gateway.adapter import Adapter
from gateway.model.commands import SettingsPatch
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.hooks import WithHooks
from tests.contract.rig import Person, Rig, Usual

_GARBAGE = (b"EventType=dial-in", b"\xff\xfe=%zz", b"EventType=hangup&SubCallID=&EventTime=now")


class TelphinRig(WithHooks):
    """A Telphin whose rooms are called from its own phones: of others it does not tell when events were lost."""

    moderators_join = False
    guest_role = None
    flags = ()
    told = frozenset()
    some_settings: SettingsPatch = MappingProxyType({**Usual.some_settings, "native": {"number": "860"}})

    def __init__(self) -> None:
        self.kind = "telphin"
        self._sim = TelphinSimulator()
        super().__init__(self._sim)
        self.identity = self._sim.add_phone("Me")

    def adapter(self) -> Adapter:
        return self._adapter(self._sim.app_secret)

    def stranger(self) -> tuple[Adapter, str]:
        wrong = "not-the-secret"
        return self._adapter(wrong), wrong

    def _adapter(self, secret: str) -> Adapter:
        adapter = TelphinAdapter.configured(
            {
                "url": self._sim.url,
                "app_id": self._sim.app_id,
                "app_secret": secret,
                "webhook_url": self._hooks.next_url(),
                "poll_interval_s": 0.2,  # that Telphin is gone, or calls no more, is found by asking
            }
        )
        self._hooks.mount(adapter)
        return adapter

    def furnish(self, name: str) -> RoomId:
        return RoomId(self._sim.add_room(name))

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        assert not moderator
        leg_id = self._sim.join(room, phone=self.identity if owner else None, name=name)
        return next(who for who, leg in self._legs(room).items() if leg == leg_id)

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        self._sim.leaves(room, self._legs(room)[who])

    def _legs(self, room: str) -> dict[ParticipantId, str]:
        """Legs by the ids that their calls give to participants."""
        return {ParticipantId(f"{room}-{leg.call.call_api_id}"): leg.leg_id for leg in self._sim.people(room)}

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        raise AssertionError("Telphin tells no flag")

    def cut(self) -> None:
        """Lose what is told next."""
        self._sim.faults.lose_webhooks = True

    def send_garbage(self) -> None:
        for room in self._sim.truth():
            for garbage in _GARBAGE:
                self._sim.send(room, garbage)

    def lose_next_leaves(self) -> None:
        self._sim.faults.lose_webhooks = True

    def obey(self, obedient: bool) -> None:
        self._sim.faults.ignore_commands = not obedient

    def commands(self) -> int:
        return len(self._sim.commands)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(room_id): {
                who: Person(room["participants"][leg_id]["name"], None, None, None, None)
                for who, leg_id in self._legs(room_id).items()
            }
            for room_id, room in self._sim.truth().items()
        }


RIGS: dict[str, Callable[[], Rig]] = {"telphin": TelphinRig}


async def who_is_in(settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask the simulated Telphin itself, as any client of it would: none of its answers shows people from outside."""
    grant = {
        "grant_type": "client_credentials",
        "client_id": settings["app_id"],
        "client_secret": settings["app_secret"],
    }
    me = f"{settings['url']}/api/ver1.0/client/@me"
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{settings['url']}/oauth/token", data=grant) as response:
            session.headers["Authorization"] = f"Bearer {(await response.json())['access_token']}"
        async with session.get(f"{me}/extension/", params={"type": "conference", "per_page": "100"}) as response:
            who: dict[str, set[str]] = {str(room["id"]): set() for room in await response.json()}
        async with session.get(f"{me}/current_calls/") as response:
            calls = await response.json()
    for call in calls:
        room = str((call["called_extension"] or {}).get("id"))
        if room in who and call["answer_time_gmt"]:
            who[room].add(f"{room}-{call['call_api_id']}")
    return who
