"""A room's settings: Telphin's conference properties and its extension as ours, and changes of ours as theirs.

Source: the page "Conference (/conference/)", which has eight properties. The limits there are checked before anything
is sent; a sound is the id of a file at Telphin, which we show as text.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.kit.understanding import JsonObject
from adapters.telphin.mapping import number_of
from adapters.telphin.wire import ConferenceJson, ExtensionJson
from gateway.model.commands import SettingsPatch
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused
from gateway.model.room import RoomSettings

MOST_PARTICIPANTS = 100
"""What Telphin takes where no number is set."""
STATUSES = ("active", "blocked")
_LARGEST_ID = 2**63 - 1
_SOUND_ID = re.compile(r"[1-9][0-9]{0,18}")
"""As it is read back: without zeros in front."""
_PIN = re.compile(r"[0-9]{1,32}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_SHOWN = (
    "name",
    "status",
    "label",
    "domain",
    "create_date",
    "caller_id_name",
    "client_id",
    "extension_group_id",
    "dial_rule_id",
    "dial_rule_limit",
    "message_did",
    "ani_rfc3325",
    "did_as_transfer_caller_id",
)
"""What is shown of the extension; its `extra_params` may hold anything, secrets too."""


class _Setting(NamedTuple):
    """One setting: its name in the schema's input and in Telphin's, how it is read, checked and written."""

    shown: str
    theirs: str
    read: Callable[[object], object]
    accepts: Callable[[object], bool]
    write: Callable[[object], object]
    accepted: str


# ---- Telphin's as ours ----


def settings_of(conference: ConferenceJson, extension: ExtensionJson) -> RoomSettings:
    """Read the settings of a room; what was not said stays open."""
    said: Mapping[str, object] = {**conference}
    known = {ours: each.read(said[each.theirs]) for ours, each in _SETTINGS.items() if each.theirs in said}
    return RoomSettings(**known, native=native_of(extension))  # type: ignore[arg-type]  # the table pairs names with types


def native_of(extension: ExtensionJson) -> JsonObject:
    """Give what Telphin keeps of an extension beside the settings of its conference, in its words."""
    said: Mapping[str, object] = {**extension}
    return {"number": number_of(extension), **{key: said[key] for key in _SHOWN if key in said}}


def _flag(value: object) -> bool:
    return value is True


def _limit(value: object) -> object:
    return MOST_PARTICIPANTS if value is None else value


def _sound(value: object) -> str | None:
    return None if value is None else str(value)


def _pins(value: object) -> tuple[str, ...]:
    return (str(value),) if value else ()


# ---- ours as Telphin's ----


def patch_to_wire(patch: SettingsPatch, stored: ConferenceJson | None = None) -> tuple[JsonObject, JsonObject]:
    """Write a change as the body for the conference and the one for its extension; empty where nothing changes.

    Shape:  `stored` is what Telphin has now, None for a room that is to be made. The page does not say whether a
            property that is left out stays as it is: all of them are sent.
    Errors: CommandRefused, with every setting that Telphin does not have or take.
    """
    extension, errors = _extension_change(patch.get("native"), new=stored is None)
    errors += [error for ours, value in patch.items() if (error := _objection(ours, value))]
    if errors:
        raise CommandRefused(*errors)
    changes = {each.theirs: each.write(patch[ours]) for ours, each in _SETTINGS.items() if ours in patch}
    conference: JsonObject = {**(stored or {}), **changes} if changes else {}
    if conference.get("moderator_pin") and not conference.get("pin"):
        shown = "moderator_pins" if patch.get("moderator_pins") else "member_pins"
        raise CommandRefused(_invalid(_SETTINGS[shown].shown, "Telphin takes a moderator PIN only with a member PIN"))
    return conference, extension


def number_wanted(patch: SettingsPatch) -> str:
    """Give the number that a new room is to have.

    Errors: CommandRefused: Telphin does not choose one by itself.
    """
    native = patch.get("native")
    number = native.get("number") if isinstance(native, Mapping) else None
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        message = 'is the number of the new room, as text of digits ("850"): Telphin does not choose one'
        raise CommandRefused(_invalid("native", message, "number"))
    return number


def _objection(ours: str, value: object) -> CommandError | None:
    if ours == "native":
        return None  # looked at as a whole
    setting = _SETTINGS.get(ours)
    if setting is None:
        return _invalid(_camel(ours), "Telphin has no such setting")
    return None if setting.accepts(value) else _invalid(setting.shown, setting.accepted)


def _extension_change(native: object, *, new: bool) -> tuple[JsonObject, list[CommandError]]:
    """Write what of `native` can be changed, and say what cannot."""
    if native is None:
        return {}, []
    if not isinstance(native, Mapping):
        return {}, [_invalid("native", "must be an object, in Telphin's words")]
    errors = [error for key, value in native.items() if (error := _objection_to_native(str(key), value, new=new))]
    return {key: value for key, value in native.items() if key != "number"}, errors


def _objection_to_native(key: str, value: object, *, new: bool) -> CommandError | None:
    if key == "status":
        return None if value in STATUSES else _invalid("native", 'is "active" or "blocked"', key)
    if key == "number":
        return None if new else _invalid("native", "the number of a room of Telphin cannot be changed", key)
    return _invalid("native", "cannot be set here: only `status` can, and `number` of a new room", key)


def _invalid(shown: str, message: str, *path: str) -> CommandError:
    return CommandError(CommandErrorCode.INVALID_INPUT, message, ("settings", shown, *path))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_PARTICIPANTS


def _is_sound(value: object) -> bool:
    is_id = isinstance(value, str) and _SOUND_ID.fullmatch(value) is not None
    return value is None or (is_id and int(str(value)) <= _LARGEST_ID)


def _is_one_pin(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list | tuple) and len(value) <= 1 and all(_is_pin(each) for each in value)


def _is_pin(value: object) -> bool:
    return isinstance(value, str) and _PIN.fullmatch(value) is not None


def _as_it_is(value: object) -> object:
    return value


def _written_sound(value: object) -> int | None:
    return None if value is None else int(str(value))


def _written_pin(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else None


def _switch(shown: str, theirs: str) -> _Setting:
    return _Setting(shown, theirs, _flag, _is_flag, _flag, "is true or false")


def _file(shown: str, theirs: str) -> _Setting:
    accepted = "is the id of a sound file at Telphin, as text of digits without zeros in front; null means none"
    return _Setting(shown, theirs, _sound, _is_sound, _written_sound, accepted)


def _one_pin(shown: str, theirs: str) -> _Setting:
    accepted = "is a list of one PIN of 1 to 32 digits, as Telphin has one for all; an empty list means none"
    return _Setting(shown, theirs, _pins, _is_one_pin, _written_pin, accepted)


_LIMIT = f"is 1 to {MOST_PARTICIPANTS}, which is what Telphin takes where no number is set"
_SETTINGS = {
    "max_participants": _Setting("maxParticipants", "max_members", _limit, _is_limit, _as_it_is, _LIMIT),
    "member_pins": _one_pin("memberPins", "pin"),
    "moderator_pins": _one_pin("moderatorPins", "moderator_pin"),
    "join_muted": _switch("joinMuted", "mute_non_moderator"),
    "announce_joins_by_name": _switch("announceJoinsByName", "announce_caller_name"),
    "entry_tone": _file("entryTone", "enter_sound"),
    "music_on_hold": _file("musicOnHold", "music_on_hold_sound"),
    "recording_enabled": _switch("recordingEnabled", "record_enabled"),
}
"""By our names."""
