"""JSON as the simulator holds it, and how it writes instants.

Inferred: GMT instants are written to the second, without a fraction.
"""

from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, object]


def decoded(raw: bytes) -> Json | None:
    """Read a JSON object, nothing as an empty one; None for anything else a client may send."""
    if not raw.strip():
        return {}
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def gmt(unix_s: float) -> str:
    """Write an instant as the fields that end in `_gmt` have it."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
