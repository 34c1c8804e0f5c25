"""What the suite needs of a backend: its adapter, its simulator, and hands for what only people and networks do."""

from collections.abc import Mapping, Set
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Protocol, Self

from gateway.adapter import Adapter
from gateway.model.commands import SettingsPatch
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import ParticipantRole


class Person(NamedTuple):
    """Somebody in a room as they really are, or as the gateway has them, with None where it does not know."""

    name: str | None
    muted: bool | None
    deafened: bool | None
    talking: bool | None
    moderator: bool | None
    on_hold: bool | None = None


class Rig(Protocol):
    """What a simulator must be able to do for the suite, and in what backends differ beyond their capabilities."""

    kind: str
    identity: str
    """The backend's user that `somebody_joins(owner=True)` is."""
    rooms_stay: bool
    """Rooms have names and outlive their conferences; else a room is one conference: nameless, and gone with it."""
    moderators_join: bool
    """Whoever joins may be a moderator; else only those are who are always there."""
    guest_role: ParticipantRole | None
    """What whoever joins is said to be who is no moderator."""
    names_people: bool
    """Whoever joins is shown with their name."""
    names_guests: bool
    """An invitation can say by which name a guest is shown."""
    some_settings: SettingsPatch
    """What a room can be made with."""
    other_settings: SettingsPatch
    """What those can be changed to."""
    flags: tuple[str, ...]
    """The flags of a participant that `set_flag` can set."""
    told: frozenset[str]
    """Those of `flags` that the backend tells by itself; the others have to be read."""

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
        """Have a room with nobody in it but those who are always there."""

    def open_elsewhere(self) -> RoomId:
        """Have a room that no gateway knows of, where the backend lists none."""

    def begin(self, room: RoomId, token: str | None) -> None:
        """Let the conference begin in a room that the gateway has made; `token` is what it was told for that."""

    def empty(self, room: RoomId) -> None:
        """Let everybody hang up, those too who are always there."""

    def always_there(self, room: RoomId) -> Set[ParticipantId]:
        """Who is in the room for as long as its conference runs; also once it is over."""

    def bearer(self, room: RoomId, flag: str, who: ParticipantId) -> ParticipantId:
        """Whose flag can be set: theirs, or only that of somebody who is always there."""

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        """Let somebody in; an owner who is always there is in already."""

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        """Let somebody hang up."""

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        """Set one of `flags`, as by the phone or another app."""

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


class Served(Protocol):
    """A simulator on its port."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Usual:
    """In what backends differ, as it is with most."""

    rooms_stay = True
    moderators_join = True
    guest_role: ParticipantRole | None = ParticipantRole.PARTICIPANT
    names_people = True
    names_guests = True
    some_settings: SettingsPatch = MappingProxyType({"member_pins": ["4711"], "join_muted": False})
    other_settings: SettingsPatch = MappingProxyType({"member_pins": None, "join_muted": True})
    flags: tuple[str, ...] = ("muted", "deafened", "talking")
    told = frozenset(flags)

    def open_elsewhere(self) -> RoomId:
        raise AssertionError("all of its rooms are known")

    def always_there(self, room: RoomId) -> Set[ParticipantId]:
        return frozenset()

    def bearer(self, room: RoomId, flag: str, who: ParticipantId) -> ParticipantId:
        return who


class OnSimulator(Usual):
    """What rigs on our simulators do in the same way."""

    def __init__(self, sim: Served) -> None:
        self._served = sim

    def begin(self, room: RoomId, token: str | None) -> None:
        assert token is None
        self.somebody_joins(room, "Ann")

    def empty(self, room: RoomId) -> None:
        for who in list(self.truth()[room]):
            self.leaves(room, who)

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
