"""Telphin's extensions and current calls as our rooms and who is in them: pure functions, each trap written down."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.telphin.events import known_number
from adapters.telphin.wire import ConferenceJson, CurrentCallJson, ExtensionJson
from gateway.model.ids import RoomId

CONFERENCE = "conference"
"""The type of an extension that is a room."""
PHONE = "phone"
"""The type of one whose calls are among the current ones."""
_CALL_ID = re.compile(r"[0-9A-Za-z._-]{1,128}")


def room_id(extension: ExtensionJson) -> RoomId:
    """Name the room that an extension is."""
    return RoomId(str(extension["id"]))


def number_of(extension: ExtensionJson) -> str | None:
    """Give the number to dial for an extension: what its name has behind the client's prefix."""
    return _plain(extension.get("name") or "").rpartition("*")[2] or None


def is_pin_set(conference: ConferenceJson | None) -> bool | None:
    """Whether a room asks for a PIN; None where its settings are not known."""
    return None if conference is None or "pin" not in conference else bool(conference["pin"])


def gmt(raw: str | None) -> datetime | None:
    """Read a `*_gmt` time; None for what is none.

    Units: UTC without saying so, `YYYY-MM-DD HH:MM:SS`, sometimes with a fraction.
    """
    try:
        read = datetime.fromisoformat(raw) if raw else None
        return None if read is None else read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSeen:
    """A current call of a phone.

    Shape: `room_id` is the room that it leads into, None where it names none: it may have come there by way of a menu
           or a transfer; `phone_id` is the extension of the phone; `answered` is False while it rings.
    """

    room_id: RoomId | None
    call_api_id: str
    phone_id: str | None
    callback_id: str | None = None
    number: str | None = None
    name: str | None = None
    answered: bool = True
    began_at: datetime | None = None
    answered_at: datetime | None = None


class Places:
    """By what a call can name a room: its extension's id, its full name, or its number."""

    def __init__(self, extensions: Iterable[ExtensionJson]) -> None:
        self._by_id: dict[str, RoomId] = {}
        self._by_name: dict[str, RoomId] = {}
        for extension in extensions:
            found = room_id(extension)
            self._by_id[found] = found
            names = (_plain(extension.get("name") or ""), number_of(extension))
            self._by_name.update({name: found for name in names if name})

    def named(self, value: object) -> RoomId | None:
        """Find the room that is named by an "extension info", or by a number that was called.

        Shape: what an extension info looks like is not documented: an object with `id` or `name`, a name, an id.
        """
        match value:
            case bool():
                return None
            case int():
                return self._by_id.get(str(value))
            case str():
                return self._by_name.get(_plain(value))
            case Mapping():
                info = (value.get("id"), value.get("extension_id"))
                by_id = (self._by_id.get(str(each)) for each in info if isinstance(each, int | str))
                return next((found for found in by_id if found), None) or self.named(str(value.get("name", "")))
            case _:
                return None

    def led_to(self, call: CurrentCallJson) -> RoomId | None:
        """Find the room at the other end of a phone's call: it was called, or it dialled the phone."""
        ends = (call.get("called_extension"), call.get("called_number"), call.get("caller_extension"))
        return next((found for end in ends if (found := self.named(end))), None)


def calls_seen(calls: Iterable[CurrentCallJson], places: Places) -> Iterator[CallSeen]:
    """Give the calls of phones.

    Shape: one with `real_call` false is booked at a phone and talks elsewhere: whoever it is is not in the room. Who
           is in the room is the phone: the caller of what flows out of it, the called of what flows in.
    """
    for call in calls:
        if call.get("real_call") is False or not _CALL_ID.fullmatch(call["call_api_id"]):
            continue
        inward = call.get("call_flow") == "in"
        yield CallSeen(
            room_id=places.led_to(call),
            call_api_id=call["call_api_id"],
            phone_id=_text(call.get("extension_id")),
            callback_id=_call_id(call.get("callback_id")),
            number=known_number(_text(call.get("called_number") if inward else call.get("caller_id_number"))),
            name=None if inward else _text(call.get("caller_id_name")),
            answered=bool(call.get("answer_time_gmt")),
            began_at=gmt(call.get("init_time_gmt")),
            answered_at=gmt(call.get("answer_time_gmt")),
        )


def _plain(name: str) -> str:
    """Give a full name without its domain."""
    return name.partition("@")[0]


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, int | str) and value != "" else None


def _call_id(value: object) -> str | None:
    found = _text(value)
    return found if found and _CALL_ID.fullmatch(found) else None
