"""Telphin's rigs, and who really is where, as any client of it would find out."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from adapters.telphin import TelphinAdapter
from adapters.telphin.simulator import TelphinSimulator
from gateway.adapter import Adapter
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.hooks import Hooks
from tests.contract.rig import OnSimulator, Person, Rig

_GARBAGE = (b"EventType=dial-in", b"\xff\xfe=%zz", b"EventType=hangup&SubCallID=&EventTime=now")


class TelphinRig(OnSimulator):
    """A Telphin whose rooms are called from its own phones: of others it does not tell when events were lost."""

    moderators_join = False
    guest_role = None
    flags = ()
    told = frozenset()

    def __init__(self) -> None:
        self.kind = "telphin"
        self._sim = TelphinSimulator()
        super().__init__(self._sim)
        self._hooks = Hooks()
        self.identity = self._sim.add_phone("Me")

    async def __aenter__(self) -> Self:
        await self._hooks.start()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._hooks.stop()

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
        return ParticipantId(self._sim.join(room, phone=self.identity if owner else None, name=name))

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        self._sim.leaves(room, who)

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
                ParticipantId(leg_id): Person(each["name"], None, None, None, None)
                for leg_id, each in room["participants"].items()
            }
            for room_id, room in self._sim.truth().items()
        }


RIGS: dict[str, Callable[[], Rig]] = {"telphin": TelphinRig}
