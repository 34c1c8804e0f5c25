"""What viewers ask of the desk: a command for a backend, or one that the desk has to work out first."""

from dataclasses import dataclass

from gateway.model.capability import Sparing
from gateway.model.commands import Action, Command
from gateway.model.ids import BackendId, RoomId


@dataclass(frozen=True, slots=True)
class AskEverybody:
    """Act on everybody in a room; `sparing` None leaves alone whom the backend's own command leaves alone."""

    action: Action
    room_id: RoomId
    sparing: frozenset[Sparing] | None = None


@dataclass(frozen=True, slots=True)
class AskMe:
    """Act on the viewer's own presence in a room: MUTE_ME or UNMUTE_ME."""

    action: Action
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class Ask:
    """A wish, and the backend it is for."""

    backend_id: BackendId
    wish: Command | AskEverybody | AskMe

    @property
    def room_id(self) -> RoomId | None:
        """The room it is about, if it is about one."""
        return getattr(self.wish, "room_id", None)
