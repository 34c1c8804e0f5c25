"""What a room is set to: the eight fields of the resource `conference`, and what may be written there.

Inferred: a field that is left out stays as it is; a PIN is digits, an empty one is invalid and null takes it away; a
          moderator's PIN without one of participants is 400, also when only the latter is taken away; `max_members` is
          1 to 100; ids of sounds are not looked up; fields nobody knows are ignored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .failures import invalid
from .shapes import Json

MOST_MEMBERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceSettings:
    """The fields as they are on the wire."""

    announce_caller_name: bool = False
    enter_sound: int | None = None
    max_members: int | None = None
    pin: str | None = field(default=None, repr=False)
    moderator_pin: str | None = field(default=None, repr=False)
    mute_non_moderator: bool = False
    music_on_hold_sound: int | None = None
    record_enabled: bool = False

    @property
    def capacity(self) -> int:
        """How many the room takes."""
        return MOST_MEMBERS if self.max_members is None else self.max_members


def written(settings: ConferenceSettings) -> Json:
    """Write all fields, those that are not set as null."""
    return {one.name: getattr(settings, one.name) for one in fields(settings)}


def changed(settings: ConferenceSettings, body: Mapping[str, object]) -> ConferenceSettings:
    """Give what the settings are with the fields of a body.

    Errors: ApiError 400.
    """
    given: dict[str, Any] = {name: body[name] for name in _ALLOWED if name in body}
    for name, value in given.items():
        if not _ALLOWED[name](value):
            raise invalid(name)
    made = replace(settings, **given)
    if made.moderator_pin is not None and made.pin is None:
        raise invalid("moderator_pin")
    return made


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_sound(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _is_capacity(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_MEMBERS)


def _is_pin(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.isascii() and value.isdigit())


_ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "announce_caller_name": _is_flag,
    "enter_sound": _is_sound,
    "max_members": _is_capacity,
    "pin": _is_pin,
    "moderator_pin": _is_pin,
    "mute_non_moderator": _is_flag,
    "music_on_hold_sound": _is_sound,
    "record_enabled": _is_flag,
}
