"""A room's settings: Kazoo's conference document as ours, and changes of ours as a document.

Shape: a tone is "default" (Kazoo's `true`), "none" (`false`), or a tone string or media URI as it stands.
Source: schemas/conferences.json; require_moderator and wait_for_moderator are stored, and read by no open code.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from adapters.kazoo.errors import Place
from adapters.kazoo.generations import Generation
from adapters.kit.understanding import JsonObject, objects
from gateway.model.commands import SettingsPatch
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused
from gateway.model.room import RoomSettings

_LARGEST_COUNT = 2**31 - 1
DEFAULT_TONE = "default"
NO_TONE = "none"

_SECRET = re.compile("password|secret|token|^pins?$", re.IGNORECASE)
_NOT_SETTINGS = ("id", "name", "_read_only", "metadata", "members", "moderators", "admins", "duration", "is_locked")
_MOH = "Kazoo takes music on hold from a room's profile: set `native.profile` or `native.profile_name`"


class _Setting(NamedTuple):
    """One setting: its name among ours, in the schema's input, and its path in Kazoo's document."""

    ours: str
    shown: str
    path: tuple[str, ...]
    read: Callable[[object], object]


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else None


def _tone(value: object) -> str | None:
    if isinstance(value, bool):
        return DEFAULT_TONE if value else NO_TONE
    return _text(value)


_SETTINGS = (
    _Setting("max_participants", "maxParticipants", ("max_participants",), _count),
    _Setting("member_pins", "memberPins", ("member", "pins"), _texts),
    _Setting("moderator_pins", "moderatorPins", ("moderator", "pins"), _texts),
    _Setting("member_numbers", "memberNumbers", ("member", "numbers"), _texts),
    _Setting("moderator_numbers", "moderatorNumbers", ("moderator", "numbers"), _texts),
    _Setting("join_muted", "joinMuted", ("member", "join_muted"), _flag),
    _Setting("join_deafened", "joinDeafened", ("member", "join_deaf"), _flag),
    _Setting("moderator_join_muted", "moderatorJoinMuted", ("moderator", "join_muted"), _flag),
    _Setting("moderator_join_deafened", "moderatorJoinDeafened", ("moderator", "join_deaf"), _flag),
    _Setting("require_moderator", "requireModerator", ("require_moderator",), _flag),
    _Setting("wait_for_moderator", "waitForModerator", ("wait_for_moderator",), _flag),
    _Setting("announce_joins_by_name", "announceJoinsByName", ("play_name",), _flag),
    _Setting("entry_tone", "entryTone", ("play_entry_tone",), _tone),
    _Setting("exit_tone", "exitTone", ("play_exit_tone",), _tone),
    _Setting("welcome_prompt", "welcomePrompt", ("play_welcome",), _flag),
    _Setting("recording_enabled", "recordingEnabled", ("auto_record",), _flag),
    _Setting("owner_id", "ownerId", ("owner_id",), _text),
)
_OURS = {setting.ours: setting for setting in _SETTINGS}
_PATHS = {setting.path for setting in _SETTINGS}
_TONES = ("entry_tone", "exit_tone")
_PINS = ("member_pins", "moderator_pins")

PLACES: dict[str, Place] = {
    "name": Place(("name",)),
    "numbers": Place(("settings",)),
    "conference_numbers": Place(("settings", "native", "conference_numbers")),
    **{
        ".".join(setting.path): Place(("settings", setting.shown), secret=setting.ours in _PINS)
        for setting in _SETTINGS
    },
}
"""Where in our input the fields of Kazoo's validation errors come from."""


# ---- Kazoo's document as ours ----


def settings_of(document: JsonObject) -> RoomSettings:
    """Read the settings out of a conference document; what is of an unexpected type counts as not said."""
    known = {setting.ours: setting.read(_at(document, setting.path)) for setting in _SETTINGS}
    return RoomSettings(**known, native=_native(document))  # type: ignore[arg-type]  # the table pairs names with types


def _at(document: JsonObject, path: Iterable[str]) -> object:
    found: object = document
    for word in path:
        found = objects(found).get(word)
    return found


def _native(document: JsonObject) -> JsonObject:
    kept = {key: value for key, value in document.items() if key not in _NOT_SETTINGS}
    return _without_ours(kept, ())


def _without_ours(part: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """Leave out what has a field of its own, and whatever may be a secret."""
    kept: JsonObject = {}
    for key, value in part.items():
        if (*path, key) in _PATHS or _SECRET.search(key):
            continue
        inner = _without_ours(value, (*path, key)) if isinstance(value, dict) else value
        if inner != {} or value == {}:
            kept[key] = inner
    return kept


# ---- changes of ours as a document ----


def patch_of(name: str | None, settings: SettingsPatch, generation: Generation) -> JsonObject:
    """Write the change of a document: null clears, lists are replaced.

    Errors: CommandRefused, with every setting that Kazoo does not have.
    """
    errors = [error for key, value in settings.items() if (error := _objection(key, value, generation))]
    if errors:
        raise CommandRefused(*errors)
    patch: JsonObject = dict(_merged({}, objects(settings.get("native"))))
    for key, value in settings.items():
        if key != "native":
            patch = _merged(patch, _nested(_OURS[key].path, _written(key, value)))
    return patch if name is None else {**patch, "name": name}


def document_of(name: str | None, settings: SettingsPatch, generation: Generation) -> JsonObject:
    """Write a new document: what is cleared is not there.

    Errors: CommandRefused.
    """
    return _without_nulls(patch_of(name, settings, generation))


def places_in(settings: SettingsPatch) -> dict[str, Place]:
    """Say where the complaints about this change belong; `numbers` means whichever list of numbers it has."""
    lists = [_OURS[key].shown for key in ("member_numbers", "moderator_numbers") if settings.get(key)]
    native = {key: Place(("settings", "native", key), secret=True) for key in objects(settings.get("native"))}
    numbers = Place(("settings", lists[0])) if len(lists) == 1 else PLACES["numbers"]
    return {**native, **PLACES, "numbers": numbers}


def _objection(key: str, value: object, generation: Generation) -> CommandError | None:
    if key == "music_on_hold":
        return _invalid(("musicOnHold",), _MOH)
    if key == "native":
        return _objection_to_native(value)
    if key not in _OURS:
        return _invalid((key,), "Kazoo has no such setting")
    shown = (_OURS[key].shown,)
    if key == "recording_enabled" and generation is not Generation.K5:
        return _invalid(shown, "this Kazoo version cannot record by itself: it begins with Kazoo 5")
    if key == "max_participants" and isinstance(value, int) and value <= 1:
        return _invalid(shown, "Kazoo applies a limit only if it is greater than 1; null means no limit")
    if key in _TONES and value == "":
        return _invalid(shown, f'is "{DEFAULT_TONE}", "{NO_TONE}", a tone string or a media address')
    return None


def _objection_to_native(value: object) -> CommandError | None:
    if not isinstance(value, Mapping):
        return _invalid(("native",), "must be an object, in Kazoo's words")
    for path in _leaves(value, ()):
        if path[0] in _NOT_SETTINGS or path[0].startswith("pvt_") or any(path[: len(ours)] == ours for ours in _PATHS):
            return _invalid(("native", *path), "has a field of its own, or is not to be written")
    return None


def _leaves(part: Mapping[str, object], path: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for key, value in part.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def _invalid(field: tuple[str, ...], message: str) -> CommandError:
    return CommandError(CommandErrorCode.INVALID_INPUT, message, ("settings", *field))


def _written(key: str, value: object) -> object:
    if key in _TONES and value in (DEFAULT_TONE, NO_TONE):
        return value == DEFAULT_TONE
    return list(value) if isinstance(value, tuple) else value


def _nested(path: tuple[str, ...], value: object) -> JsonObject:
    for word in reversed(path):
        value = {word: value}
    return objects(value)


def _merged(old: JsonObject, change: Mapping[str, object]) -> JsonObject:
    merged = dict(old)
    for key, value in change.items():
        merged[key] = _merged(objects(merged.get(key)), value) if isinstance(value, Mapping) and value else value
    return merged


def _without_nulls(part: JsonObject) -> JsonObject:
    inner = {key: _without_nulls(value) if isinstance(value, dict) else value for key, value in part.items()}
    return {key: value for key, value in inner.items() if value is not None}
