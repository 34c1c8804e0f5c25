"""What the suite needs of a backend: its adapter, its simulator, and hands for what only people and networks do."""

from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from adapters.kit.listener import Serving
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


class OnSimulator:
    """What every rig on one of our simulators does in the same way."""

    def __init__(self, sim: Serving) -> None:
        self._served = sim

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        await self._served.start()

    async def stop(self) -> None:
        await self._served.stop()
