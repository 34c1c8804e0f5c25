"""Bandwidth's rigs, and who really is where, as any client of it would find out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import aiohttp

from adapters.bandwidth import BandwidthAdapter
from adapters.bandwidth.simulator import BandwidthSimulator
from gateway.adapter import Adapter, Notes
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.hooks import WithHooks
from tests.contract.rig import Person, Rig

_NUMBER = "+12025550199"
_GARBAGE = (b'{"eventType":"conference-member","conferenceId":', b"[]", b'{"eventType":7}', b"[" * 10_000)


class _Shared(Notes):
    """Notes that all adapters of a rig have, as those of several processes on one database do."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def all(self) -> Mapping[str, str]:
        return dict(self.texts)

    async def put(self, key: str, text: str) -> None:
        self.texts[key] = text

    async def drop(self, key: str) -> None:
        self.texts.pop(key, None)


class _WithSharedNotes(BandwidthAdapter):
    shared: Notes

    def keep_notes(self, notes: Notes) -> None:
        super().keep_notes(self.shared)


class BandwidthRig(WithHooks):
    """A Bandwidth on which another application opens conferences and adds calls; they were adopted before.

    Only the first of several gateways is told of what happens in a conference: the others find it by reading.
    """

    rooms_stay = False
    moderators_join = False
    guest_role = None
    names_people = False
    names_guests = False
    some_settings = MappingProxyType({"native": {"tag": "hiring"}})
    other_settings = MappingProxyType({"native": {"tag": "hired"}})
    flags = ("muted", "on_hold")
    told = frozenset(flags)

    def __init__(self) -> None:
        self.kind = "bandwidth"
        self.identity = _NUMBER
        self._sim = BandwidthSimulator()
        super().__init__(self._sim)
        self._notes = _Shared()
        self._people = 0

    def adapter(self) -> Adapter:
        return self._adapter(self._sim.secret)

    def stranger(self) -> tuple[Adapter, str]:
        wrong = "not-the-secret"
        return self._adapter(wrong), wrong

    def _adapter(self, secret: str) -> Adapter:
        adapter = _WithSharedNotes.configured(
            {
                "url": self._sim.url,
                "user_id": self._sim.user_id,
                "token": self._sim.token,
                "secret": secret,
                "number": self._sim.number,
                "callback_url": self._hooks.next_url(),
                "requests_per_second": 10_000,
                "poll_interval_s": 0.2,  # that Bandwidth is gone, or calls no more, is found by asking
            }
        )
        adapter.shared = self._notes
        self._hooks.mount(adapter)
        return adapter

    def furnish(self, name: str) -> RoomId:
        room = self.open_elsewhere()
        self._notes.texts[f"conference:{room}"] = "{}"
        return room

    def open_elsewhere(self) -> RoomId:
        return RoomId(self._sim.open_conference())

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        assert not moderator
        self._people += 1
        return ParticipantId(self._sim.join(room, _NUMBER if owner else f"+1202555{self._people:04d}"))

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        self._sim.member_leaves(room, who)

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        {"muted": self._sim.set_muted, "on_hold": self._sim.set_hold}[flag](room, who, value)

    def cut(self) -> None:
        """Lose what is told next."""
        self._sim.faults.lose_callbacks = True

    def send_garbage(self) -> None:
        for conference_id in self._sim.truth():
            for garbage in _GARBAGE:
                self._sim.send(conference_id, garbage)

    def lose_next_leaves(self) -> None:
        self._sim.faults.lose_callbacks = True

    def obey(self, obedient: bool) -> None:
        self._sim.faults.ignore_commands = not obedient

    def commands(self) -> int:
        return len(self._sim.commands)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(conference_id): {
                ParticipantId(member_id): Person(None, each["muted"], None, None, None, each["on_hold"])
                for member_id, each in conference["participants"].items()
            }
            for conference_id, conference in self._sim.truth().items()
        }


RIGS: dict[str, Callable[[], Rig]] = {"bandwidth": BandwidthRig}


async def who_is_in(settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask the simulated Bandwidth itself, as any client of it would; that one is asked for calls, which it lists."""
    user = f"{settings['url']}/v1/users/{settings['user_id']}"
    who: dict[str, set[str]] = {}
    signed_in = {"Authorization": aiohttp.encode_basic_auth(settings["token"], settings["secret"])}
    async with aiohttp.ClientSession(headers=signed_in) as session:
        async with session.get(f"{user}/calls", params={"size": "1000"}) as response:
            calls = await response.json()
        for conference_id in {call["conferenceId"] for call in calls if call.get("conferenceId")}:
            async with session.get(f"{user}/conferences/{conference_id}/members") as response:
                members = await response.json()
            who[conference_id] = {each["id"] for each in members if each["state"] == "active"}
    return who
