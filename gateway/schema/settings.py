"""How rooms are configured, to be read and to be changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import strawberry
from strawberry.scalars import JSON

from gateway.model import room as model
from gateway.model.commands import SettingsPatch
from gateway.model.errors import CommandErrorCode, refused
from gateway.schema.told import may_give, told

TEXT_MAX_CHARS = 2048
_LIST_MAX_ENTRIES = 500


@dataclass
class _View:
    state: strawberry.Private[model.RoomSettings]
    secrets_shown: strawberry.Private[bool]

    def __getattr__(self, name: str) -> object:
        return getattr(self.state, name)

    @property
    def member_pins(self) -> list[str] | None:
        return self._pins(self.state.member_pins)

    @property
    def moderator_pins(self) -> list[str] | None:
        return self._pins(self.state.moderator_pins)

    @property
    def native(self) -> JSON:
        # Backends keep passwords beside the rest, under names that only they know.
        return JSON(dict(self.state.native) if self.secrets_shown else {})

    def _pins(self, pins: tuple[str, ...] | None) -> list[str] | None:
        return list(pins) if self.secrets_shown and pins is not None else None


@strawberry.type(
    description="How a room is configured. Null means that the backend does not say or has no such setting."
)
class RoomSettings(_View):
    """How a room is configured."""

    max_participants: int | None = told("How many may be in the room at once.")
    member_pins: list[str] | None = told("PINs by which participants enter. Null unless the viewer is ADMIN.")
    moderator_pins: list[str] | None = told("PINs by which moderators enter. Null unless the viewer is ADMIN.")
    member_numbers: list[str] | None = told("Numbers that participants dial.")
    moderator_numbers: list[str] | None = told("Numbers that moderators dial.")
    join_muted: bool | None = told("Whether participants are muted when they join.")
    join_deafened: bool | None = told("Whether participants are deafened when they join.")
    moderator_join_muted: bool | None = told("Whether moderators are muted when they join.")
    moderator_join_deafened: bool | None = told("Whether moderators are deafened when they join.")
    require_moderator: bool | None = told("Whether the conference ends when no moderator is left.")
    wait_for_moderator: bool | None = told("Whether participants hear music until a moderator joins.")
    announce_joins_by_name: bool | None = told("Whether the name of who joins is played to the room.")
    entry_tone: str | None = told("The sound played when somebody joins, as the backend names it.")
    exit_tone: str | None = told("The sound played when somebody leaves, as the backend names it.")
    music_on_hold: str | None = told("The music for those who wait, as the backend names it.")
    welcome_prompt: bool | None = told("Whether who joins is welcomed by a prompt.")
    recording_enabled: bool | None = told("Whether conferences in this room are recorded.")
    owner_id: str | None = told("The backend's user who owns the room.")
    native: JSON = told(
        "Everything else the backend stores for this room, as it calls it. Empty unless the viewer is ADMIN, since a "
        "backend may keep passwords there."
    )


@strawberry.input(description="Changes of a room's settings. Absent: unchanged. Null: cleared.")
class RoomSettingsInput:
    """Changes of a room's settings."""

    max_participants: int | None = may_give("How many may be in the room at once.")
    member_pins: list[str] | None = may_give("PINs by which participants enter.")
    moderator_pins: list[str] | None = may_give("PINs by which moderators enter.")
    member_numbers: list[str] | None = may_give("Numbers that participants dial.")
    moderator_numbers: list[str] | None = may_give("Numbers that moderators dial.")
    join_muted: bool | None = may_give("Whether participants are muted when they join.")
    join_deafened: bool | None = may_give("Whether participants are deafened when they join.")
    moderator_join_muted: bool | None = may_give("Whether moderators are muted when they join.")
    moderator_join_deafened: bool | None = may_give("Whether moderators are deafened when they join.")
    require_moderator: bool | None = may_give("Whether the conference ends when no moderator is left.")
    wait_for_moderator: bool | None = may_give("Whether participants hear music until a moderator joins.")
    announce_joins_by_name: bool | None = may_give("Whether the name of who joins is played to the room.")
    entry_tone: str | None = may_give("The sound played when somebody joins, as the backend names it.")
    exit_tone: str | None = may_give("The sound played when somebody leaves, as the backend names it.")
    music_on_hold: str | None = may_give("The music for those who wait, as the backend names it.")
    welcome_prompt: bool | None = may_give("Whether who joins is welcomed by a prompt.")
    recording_enabled: bool | None = may_give("Whether conferences in this room are recorded.")
    owner_id: str | None = may_give("The backend's user who owns the room.")
    native: JSON | None = may_give(
        "An object with more of the backend's own settings, as it calls them; cannot be null."
    )


def settings_patch(changes: RoomSettingsInput | None) -> SettingsPatch:
    """Give the changes a client asks for, by the model's names.

    Errors: CommandRefused.
    """
    return {} if not changes else dict(_checked(changes))


def _checked(changes: RoomSettingsInput) -> Iterator[tuple[str, object]]:
    for name in RoomSettingsInput.__annotations__:
        value = getattr(changes, name)
        if value is strawberry.UNSET:
            continue
        texts = value if isinstance(value, list) else [value]
        if len(texts) > _LIST_MAX_ENTRIES or any(
            isinstance(each, str) and len(each) > TEXT_MAX_CHARS for each in texts
        ):
            raise _refused(name, "is too long")
        if name == "native" and not isinstance(value, dict):
            raise _refused(name, "is an object whose names are the backend's own settings")
        yield name, tuple(value) if isinstance(value, list) else value


def _refused(name: str, what: str) -> Exception:
    first, *rest = name.split("_")
    public = first + "".join(map(str.capitalize, rest))
    return refused(CommandErrorCode.INVALID_INPUT, f"{public} {what}", field=("settings", public))
