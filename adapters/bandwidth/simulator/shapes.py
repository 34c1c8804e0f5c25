"""JSON objects as the simulator holds them, and how it writes instants and ids."""

import string
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, object]
_LETTERS = string.ascii_lowercase + "234567"
_TWO_HOURS_WEST = timezone(timedelta(hours=-2))


def decoded(raw: bytes) -> Json | None:
    """Read a JSON object; None for anything else a client may send."""
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def without_none(**fields: object) -> Json:
    """Leave out what is not set: it is missing in what the real thing answers."""
    return {key: value for key, value in fields.items() if value is not None}


def second(unix_s: float | None, *, hours_only: bool = False) -> str | None:
    """Write an instant as resources have it; `hours_only` is the way of the older samples, `…T15:54:47-02`."""
    if unix_s is None:
        return None
    if hours_only:
        return datetime.fromtimestamp(unix_s, _TWO_HOURS_WEST).strftime("%Y-%m-%dT%H:%M:%S-02")
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millisecond(unix_s: float) -> str:
    """Write an instant as events have it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(kind: str, rng: Random) -> str:
    """Make the id of a conference (`conf`), a member or a call (`c`)."""
    return f"{kind}-{''.join(rng.choices(_LETTERS, k=26))}"
