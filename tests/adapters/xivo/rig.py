"""XiVO's rigs, and who really is where, as any client of it would find out."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import aiohttp

from adapters.xivo import XivoAdapter
from adapters.xivo.simulator import XivoSimulator
from gateway.adapter import Adapter
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.rig import OnSimulator, Person, Rig

_PASSWORD = "of-nobody"
_SEATED = ("ada", "ben", "cem", "dov")


class XivoRig(OnSimulator):
    """A XiVO of today, or of 2019: then without deafen, close and invite, and it forgets who sits where.

    What the gateway is told of a room depends on whether one of its accounts sits in it: whoever joins a room without
    one comes as one of them, as long as there are any, and so does every third after that.
    """

    def __init__(self, *, old: bool = False) -> None:
        self.kind = "xivo"
        self.identity = "owner"
        self._sim = XivoSimulator()
        super().__init__(self._sim)
        self._old = old
        self._sim.faults.old = old
        self._sim.faults.repeat_join_after_reconnect = not old
        self._sim.faults.strange_frames = not old
        self._sim.faults.duplicate_events = old
        self._people = 0
        self._rooms = 0
        self._sim.add_user("gateway", _PASSWORD, number="1000")
        for nth, login in enumerate((self.identity, *_SEATED)):
            self._sim.add_user(login, _PASSWORD, number=str(1001 + nth))

    def adapter(self) -> Adapter:
        return self._adapter(_PASSWORD)

    def stranger(self) -> tuple[Adapter, str]:
        wrong = "not-the-password"
        return self._adapter(wrong), wrong

    def _adapter(self, password: str) -> Adapter:
        return XivoAdapter.configured(
            {
                "url": self._sim.url,
                "login": "gateway",
                "password": password,
                "accounts": dict.fromkeys((self.identity, *_SEATED), _PASSWORD),
                "lacks": ("deafen", "close", "invite") if self._old else (),
                "answer_wait_s": 0.3,
            }
        )

    def furnish(self, name: str) -> RoomId:
        self._rooms += 1
        return RoomId(self._sim.add_room(str(4000 + self._rooms), name))

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        self._people += 1
        login = self.identity if owner else self._login_for(room)
        if login is not None:
            number = str(1001 + (self.identity, *_SEATED).index(login))
            self._sim.add_user(login, _PASSWORD, name=name, number=number)
        seat = self._sim.someone_joins(
            room, name, f"01990{self._people:05d}", login=login, organizer=moderator, muted=False
        )
        return ParticipantId(f"{seat.index}-{seat.join_ms}")

    def _login_for(self, room: RoomId) -> str | None:
        seen = any(each.login for each in self._sim.people(room))
        free = next((login for login in _SEATED if not self._sim.rooms_of(login)), None)
        return free if not seen or self._people % 3 == 0 else None

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        self._sim.someone_leaves(room, _index(who))

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        hands = {"muted": self._sim.set_muted, "deafened": self._sim.set_deafened, "talking": self._sim.talks}
        hands[flag](room, _index(who), value)

    def cut(self) -> None:
        self._sim.drop_link()

    def send_garbage(self) -> None:
        self._sim.send_raw(b'{"msgType":"ConferenceList","ctiMessage":[{"number":')
        self._sim.send_raw(b'{"msgType":"ConferenceParticipantEvent","ctiMessage":{"eventType":"Join","index":"1"}}')
        self._sim.send_raw(b"[" * 10_000)

    def lose_next_leaves(self) -> None:
        self._sim.faults.lose_leaves = True

    def obey(self, obedient: bool) -> None:
        self._sim.faults.ignore_commands = not obedient

    def commands(self) -> int:
        return len(self._sim.commands)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(number): {
                ParticipantId(f"{seat.index}-{seat.join_ms}"): Person(
                    each["name"], each["muted"], each["deafened"], each["talking"], each["moderator"]
                )
                for seat, each in room["participants"].items()
            }
            for number, room in self._sim.truth().items()
        }


def _index(who: ParticipantId) -> int:
    return int(who.partition("-")[0])


RIGS: dict[str, Callable[[], Rig]] = {"xivo": XivoRig, "xivo-2019": partial(XivoRig, old=True)}


async def who_is_in(settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask the simulated XiVO itself, as any client of it would."""
    api = f"{settings['url']}/xuc/api/2.0"
    login = {"login": settings["login"], "password": settings["password"]}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{api}/auth/login", json=login) as response:
            token = (await response.json())["token"]
        async with session.ws_connect(f"{api}/cti?token={token}") as socket:
            frame: dict[str, Any] = {}
            while frame.get("msgType") != "ConferenceList":
                frame = await socket.receive_json()
                if frame.get("msgType") == "LoggedOn":
                    await socket.send_json({"claz": "web", "command": "getList", "objectType": "meetme"})
    return {
        room["number"]: {f"{member['joinOrder']}-{member['joinTime']}" for member in room["members"]}
        for room in frame["ctiMessage"]
    }
