"""What a backend can do, to which degree, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # errors name a capability
    from gateway.model.errors import CommandErrorCode


class Capability(StrEnum):
    """Everything a backend may offer; the order is the one shown to clients."""

    LIST_ROOMS = "LIST_ROOMS"
    LIVE_PARTICIPANTS = "LIVE_PARTICIPANTS"
    TALKING = "TALKING"
    MUTE = "MUTE"
    UNMUTE = "UNMUTE"
    DEAFEN = "DEAFEN"
    UNDEAFEN = "UNDEAFEN"
    HOLD = "HOLD"
    UNHOLD = "UNHOLD"
    KICK = "KICK"
    MUTE_ME = "MUTE_ME"
    MUTE_ALL = "MUTE_ALL"
    UNMUTE_ALL = "UNMUTE_ALL"
    DEAFEN_ALL = "DEAFEN_ALL"
    UNDEAFEN_ALL = "UNDEAFEN_ALL"
    KICK_ALL = "KICK_ALL"
    LOCK = "LOCK"
    UNLOCK = "UNLOCK"
    HOLD_ROOM = "HOLD_ROOM"
    CLOSE = "CLOSE"
    INVITE = "INVITE"
    PLAY_MEDIA = "PLAY_MEDIA"
    RECORD = "RECORD"
    CREATE_ROOM = "CREATE_ROOM"
    UPDATE_SETTINGS = "UPDATE_SETTINGS"
    DELETE_ROOM = "DELETE_ROOM"
    START_CONFERENCE = "START_CONFERENCE"
    ADOPT_ROOM = "ADOPT_ROOM"


class CapabilityLevel(StrEnum):
    """NATIVE: one backend call. COMPOSED: the gateway does it with several. PHONE_ONLY: by keys on the phone."""

    NATIVE = "NATIVE"
    COMPOSED = "COMPOSED"
    PHONE_ONLY = "PHONE_ONLY"
    ABSENT = "ABSENT"


class Sparing(StrEnum):
    """Whom a command for everybody leaves alone."""

    ME = "ME"
    MODERATORS = "MODERATORS"


@dataclass(frozen=True, slots=True)
class Support:
    """How one capability is supported.

    Shape: `how` and `source` are for readers of the adapter; `reason` and `phone_keys` are shown to clients; `spares`
           is whom the backend's own command for everybody leaves alone; `code` is what a refused command answers where
           it is not possible in a room now (None: that nobody is in it, or that it does not fit its state).
    """

    level: CapabilityLevel
    how: str = ""
    source: str = ""
    reason: str | None = None
    phone_keys: str | None = None
    spares: frozenset[Sparing] = frozenset()
    code: "CommandErrorCode | None" = None

    @property
    def usable(self) -> bool:
        """Whether a command for it can be sent."""
        return self.level in (CapabilityLevel.NATIVE, CapabilityLevel.COMPOSED)


Capabilities = Mapping[Capability, Support]


def native(how: str, source: str, *, spares: frozenset[Sparing] = frozenset(), reason: str | None = None) -> Support:
    """Say that one backend call does it; a `reason` here tells clients of a limit."""
    return Support(CapabilityLevel.NATIVE, how, source, reason, None, spares)


def composed(how: str, source: str, *, spares: frozenset[Sparing] = frozenset(), reason: str | None = None) -> Support:
    """Say that the gateway does it with several calls."""
    return Support(CapabilityLevel.COMPOSED, how, source, reason, None, spares)


def phone_only(keys: str, reason: str, source: str) -> Support:
    """Say that only keys on the phone do it."""
    return Support(CapabilityLevel.PHONE_ONLY, "", source, reason, keys)


def absent(reason: str, source: str, *, code: "CommandErrorCode | None" = None) -> Support:
    """Say that it is not possible, and why: clients are shown the reason."""
    return Support(CapabilityLevel.ABSENT, "", source, reason, code=code)
