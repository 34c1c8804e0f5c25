"""JSON objects as the simulator holds them, and how it writes instants."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, object]


def decoded(raw: bytes | str) -> Json | None:
    """Read a JSON object; None for anything else a client may send."""
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def child(value: Mapping[str, object], key: str) -> Json:
    """Give the object under this key, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def without_none(**fields: object) -> Json:
    """Leave out what is not known: the real thing writes no nulls."""
    return {key: value for key, value in fields.items() if value is not None}


def instant(unix_s: float) -> str:
    """Write an instant as notifications have it, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
