"""What Crossbar's schema says about a conference document before it is saved."""

import re
from collections.abc import Callable

from .answers import Complaints
from .shapes import Json, dig

_DIGITS = re.compile(r"^[0-9]+$")
NUMBER_FIELDS = ("conference_numbers", "member.numbers", "moderator.numbers")
_PIN_FIELDS = ("member.pins", "moderator.pins")

Check = Callable[[Complaints, str, object], None]


def _typed(name: str, *accepted: type) -> Check:
    def check(found: Complaints, path: str, value: object) -> None:
        # A bool is an int in Python, not in JSON.
        wrong_bool = isinstance(value, bool) and bool not in accepted
        if wrong_bool or not isinstance(value, accepted):
            found.add(path, "type", f"Value did not match type(s): {name}", target=name, value=value)

    return check


def _text(least: int, most: int) -> Check:
    def check(found: Complaints, path: str, value: object) -> None:
        if not isinstance(value, str):
            found.add(path, "type", "Value did not match type(s): string", target="string", value=value)
        elif len(value) < least:
            found.add(path, "minLength", f"String must be at least {least} characters", target=least, value=value)
        elif len(value) > most:
            found.add(path, "maxLength", f"String must not be more than {most} characters", target=most, value=value)

    return check


def _digit_strings(found: Complaints, path: str, value: object) -> None:
    if not isinstance(value, list):
        found.add(path, "type", "Value did not match type(s): array", target="array", value=value)
        return
    texts = [item for item in value if isinstance(item, str)]
    if len(set(texts)) != len(texts):
        found.add(path, "uniqueItems", "List contains duplicate values", target=True)
    for index, item in enumerate(value):
        where = f"{path}.{index}"
        if not isinstance(item, str):
            found.add(where, "type", "Value did not match type(s): string", target="string", value=item)
        elif not _DIGITS.match(item):
            found.add(where, "pattern", "Failed to match pattern '^[0-9]+$'", target="^[0-9]+$", value=item)


_BOOLEAN = _typed("boolean", bool)
_TONE = _typed("boolean, string", bool, str)
_OBJECT = _typed("object", dict)
_STRING = _typed("string", str)
_CHECKS: dict[str, Check] = {
    "name": _text(1, 128),
    "owner_id": _text(32, 32),
    **dict.fromkeys((*NUMBER_FIELDS, *_PIN_FIELDS), _digit_strings),
    **dict.fromkeys(("member", "moderator", "profile", "controls"), _OBJECT),
    "max_participants": _typed("integer", int),
    "endconf_grace_time": _typed("integer", int),
    **dict.fromkeys(("play_entry_tone", "play_exit_tone"), _TONE),
    **dict.fromkeys(
        (
            "member.join_muted",
            "member.join_deaf",
            "member.play_entry_prompt",
            "moderator.join_muted",
            "moderator.join_deaf",
            "play_name",
            "play_welcome",
            "require_moderator",
            "wait_for_moderator",
            "allow_shareable_link",
        ),
        _BOOLEAN,
    ),
    **dict.fromkeys(
        (
            "max_members_media",
            "profile_name",
            "caller_controls",
            "moderator_controls",
            "bridge_username",
            "bridge_password",
            "focus",
            "language",
            "domain",
        ),
        _STRING,
    ),
    "flags": _typed("array", list),
}


def check_schema(found: Complaints, document: Json, *, flat: bool) -> None:
    """Types, lengths and patterns; keys the schema does not know are allowed.

    Shape: `profile` was a string in the 2016 schema (`flat`) and is an object since.
    """
    for path, check in _CHECKS.items():
        value = dig(document, path)
        if value is not None:
            (_STRING if flat and path == "profile" else check)(found, path, value)


def numbers_of(document: Json) -> set[str]:
    """Every number that leads into this conference."""
    lists = (dig(document, path) for path in NUMBER_FIELDS)
    return {number for numbers in lists if isinstance(numbers, list) for number in numbers if isinstance(number, str)}
