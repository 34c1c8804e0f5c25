"""Bandwidth's conferences, members and calls as our rooms and participants: pure functions, each trap written down."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from adapters.kit.understanding import JsonObject
from gateway.model.commands import CreateRoom, SettingsPatch, UpdateSettings
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import Participant, Room, RoomSettings, RoomState

MOST_PARTICIPANTS = 20
_LONGEST_CALLBACK_TIMEOUT_MS = 10_000
_LARGEST_COUNT = 2**31 - 1
_USER_INFO = re.compile(r"^([a-z][a-z0-9+.-]*://)?[^/?#]*@", re.IGNORECASE)
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


# ---- their values ----


def flag(raw: object) -> bool | None:
    """Read a boolean, which some of their pages and all queries have as text; None for what is none."""
    return raw if isinstance(raw, bool) else {"true": True, "false": False}.get(text(raw) or "")


def count(raw: object) -> int | None:
    """Read a number that counts something, which may come as text; None for what is none."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 10:
        raw = int(raw)
    whole = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw <= _LARGEST_COUNT
    return int(raw) if whole and isinstance(raw, int | float) and raw == int(raw) else None


def text(raw: object) -> str | None:
    """Read a text; None for what is none, or empty."""
    return raw if isinstance(raw, str) and raw else None


def instant(raw: object) -> datetime | None:
    """Read an instant; None for what is none.

    Shape: with `Z`, with milliseconds, or with an offset of hours alone; without any, since the pages say UTC.
    """
    try:
        read = datetime.fromisoformat(text(raw) or "")
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def id_in(address: object) -> str | None:
    """Take the id out of the URL, or path, of a thing: its last segment."""
    path = re.split(r"[?#]", text(address) or "", maxsplit=1)[0]
    return path.rstrip("/").rpartition("/")[2] or None


def without_user(address: str | None) -> str | None:
    """Leave user and password out of a URL: ours is the secret by which our hook knows Bandwidth."""
    return None if address is None else _USER_INFO.sub(r"\1", address)


# ---- members and calls ----


def has_left(member: MemberJson) -> bool:
    """Whether a member is one of those that the list keeps although they left."""
    return member.get("state") == "completed" or text(member.get("removedTime")) is not None


def call_of(member: MemberJson) -> str | None:
    """Name the call of a member, which is told as a URL."""
    return text(member.get("callId")) or id_in(member.get("call"))


def is_over(call: CallJson) -> bool:
    """Whether a call has ended, or was never answered."""
    return call.get("state") in ("completed", "rejected")


def is_ringing(call: CallJson) -> bool:
    """Whether a call has not been answered yet."""
    return call.get("state") == "started"


def number_of(call: CallJson) -> str | None:
    """Say whose call it is: who was called, or who called; None as long as its direction is not told."""
    match call.get("direction"):
        case "out":
            return text(call.get("to"))
        case "in":
            return text(call.get("from"))
        case _:
            return None


def effective(of_room: bool | None, own: bool | None) -> bool | None:
    """Say whether a member is muted, or on hold: the flag of the conference comes on top of their own.

    Shape: a conference that was never muted does not say so; what its members say of themselves then holds.
    """
    return True if of_room else own


def participant(
    member_id: str,
    *,
    call_id: str | None,
    number: str | None,
    muted: bool | None,
    on_hold: bool | None,
    joined_at: datetime | None,
) -> Participant:
    """Map one presence: a member, with the number of the call that carries it.

    Shape: Bandwidth knows no names, roles, or users; a viewer recognises their own presence by the number.
    """
    return Participant(
        id=ParticipantId(member_id),
        leg_id=call_id,
        number=number,
        user_id=number,
        muted=muted,
        on_hold=on_hold,
        joined_at=joined_at,
    )


# ---- conferences ----


def is_completed(conference: ConferenceJson) -> bool:
    """Whether a conference is over, which it then is for ever."""
    return conference.get("state") == "completed" or text(conference.get("completedTime")) is not None


def room(
    conference: ConferenceJson,
    name: str | None,
    people: Mapping[ParticipantId, Participant],
    *,
    active: bool,
    on_hold: bool | None,
    started_at: datetime | None,
) -> Room:
    """Map one conference.

    Shape: while nobody has been in it, it waits as long as need be; after that it ends with the last who leaves.
    """
    number = text(conference.get("from"))
    return Room(
        id=RoomId(conference["id"]),
        name=name,
        numbers=None if number is None else (number,),
        state=RoomState.ACTIVE if active else RoomState.IDLE,
        permanent=not active,
        on_hold=on_hold,
        started_at=started_at if active else None,
        settings=settings_of(conference),
        participants=people,
    )


_NATIVE: dict[str, Callable[[object], object]] = {
    **dict.fromkeys(("id", "state", "from", "createdTime", "completedTime", "profile", "callbackHttpMethod"), text),
    **dict.fromkeys(("hold", "mute"), flag),
    **dict.fromkeys(("activeMembers", "callbackTimeout"), count),
    **dict.fromkeys(("callbackUrl", "fallbackUrl"), lambda raw: without_user(text(raw))),
    "tag": text,
}
"""Every property that their page on reading a conference has, and how to read it."""


def settings_of(conference: ConferenceJson) -> RoomSettings:
    """Read the settings out of a conference: all are in its own words, but for the limit that all have."""
    read = {name: value(conference.get(name)) for name, value in _NATIVE.items()}
    native = {name: value for name, value in read.items() if value is not None}
    return RoomSettings(max_participants=MOST_PARTICIPANTS, native=native)


# ---- our settings as theirs ----


class _Setting(NamedTuple):
    """A setting that can be written: what it accepts, and how that is sent (None: not acceptable)."""

    accepts: str
    written: Callable[[object], object]
    only_new: bool = False


def _one_of(*words: str) -> Callable[[object], object]:
    return lambda raw: raw if raw in words else None


def _matching(pattern: re.Pattern[str]) -> Callable[[object], object]:
    return lambda raw: raw if isinstance(raw, str) and pattern.fullmatch(raw) else None


def _timeout_ms(raw: object) -> int | None:
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    return raw if whole and isinstance(raw, int) and 1 <= raw <= _LONGEST_CALLBACK_TIMEOUT_MS else None


def _method(raw: object) -> str | None:
    return raw.upper() if isinstance(raw, str) and raw.upper() in ("GET", "POST") else None


_WRITABLE: dict[str, _Setting] = {
    "from": _Setting("a number of the account, as + and digits", _matching(_NUMBER), only_new=True),
    "profile": _Setting(
        "interpret_digits or passthru_digits", _one_of("interpret_digits", "passthru_digits"), only_new=True
    ),
    "tag": _Setting("a text", lambda raw: raw if isinstance(raw, str) else None),
    "callbackTimeout": _Setting(f"milliseconds, from 1 to {_LONGEST_CALLBACK_TIMEOUT_MS}", _timeout_ms),
    "callbackHttpMethod": _Setting("GET or POST", _method),
    "fallbackUrl": _Setting("a URL that begins with http:// or https://", _matching(_WEB_ADDRESS)),
}
_IN_OUR_WORDS = (
    f"Bandwidth has no such setting; `native` takes {', '.join(_WRITABLE)}, and every conference holds"
    f" {MOST_PARTICIPANTS}"
)


def body_to_create(command: CreateRoom, number: str, callback_url: str) -> JsonObject:
    """Write what a new conference is to be like; `number` is what it has for `from` if the command names none.

    Shape: Bandwidth keeps no name for a conference; what is null is left to it.
    Errors: CommandRefused, with every setting that Bandwidth does not have.
    """
    given = {key: _not_null(value) if isinstance(value, Mapping) else value for key, value in command.settings.items()}
    return {"from": number, "callbackUrl": callback_url, **_body(_not_null(given), new=True)}


def body_to_update(command: UpdateSettings) -> JsonObject:
    """Write what is to change in a conference; empty where that is its name only.

    Errors: CommandRefused, with every setting that Bandwidth does not have, or cannot change any more.
    """
    return _body(command.settings, new=False)


def _not_null(given: Mapping[str, object]) -> JsonObject:
    """Leave out what is null: for Bandwidth that is not given."""
    return {key: value for key, value in given.items() if value is not None}


def _body(settings: SettingsPatch, *, new: bool) -> JsonObject:
    errors = [_refusal((_shown(key),), _IN_OUR_WORDS) for key in settings if key != "native"]
    native = settings.get("native", {})
    if not isinstance(native, Mapping):
        raise CommandRefused(*errors, _refusal(("native",), "must be an object, in Bandwidth's words"))
    errors += [_refusal(("native", key), why) for key, value in native.items() if (why := _objection(key, value, new))]
    if errors:
        raise CommandRefused(*errors)
    return {key: _WRITABLE[key].written(value) for key, value in native.items()}


def _objection(key: str, value: object, new: bool) -> str | None:
    if key == "callbackUrl":
        return "is the gateway's own: what happens in the conference is told to it there"
    if key not in _WRITABLE:
        return f"cannot be written; what can is {', '.join(_WRITABLE)}"
    setting = _WRITABLE[key]
    if setting.only_new and not new:
        return "is settled when the conference is created"
    if value is None:
        return f"cannot be cleared, only replaced: it is {setting.accepts}"
    return None if setting.written(value) is not None else f"is {setting.accepts}"


def _shown(name: str) -> str:
    """Name a setting of ours as the schema's input does."""
    first, *rest = name.split("_")
    return "".join([first, *(word.capitalize() for word in rest)])


def _refusal(field: tuple[str, ...], message: str) -> CommandError:
    return CommandError(CommandErrorCode.INVALID_INPUT, message, ("settings", *field))
