"""JSON objects as the simulator holds them, and the few ways it reads and merges them."""

from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, object]

GREGORIAN_OFFSET_S = 62_167_219_200
"Kazoo counts seconds from year 0."


def decoded(raw: bytes | str) -> Json | None:
    """Read a JSON object; None for anything else a client may send."""
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def child(parent: Json, key: str) -> Json:
    """Find the object under this key, or an empty one."""
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def dig(document: Json, path: str) -> object | None:
    """Find what stands under a dotted path; None when nothing does."""
    found: object = document
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found


def merge(old: Json, change: Json) -> Json:
    """Kazoo's PATCH: objects merge deeply, null removes a key, arrays are replaced."""
    merged = dict(old)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(child(merged, key), value)
        else:
            merged[key] = value
    return merged


def gregorian(unix_s: float) -> int:
    """Turn Unix seconds into Gregorian ones."""
    return int(unix_s) + GREGORIAN_OFFSET_S
