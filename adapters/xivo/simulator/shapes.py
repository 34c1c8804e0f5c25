"""JSON objects as the simulator holds them."""

from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, object]


def decoded(raw: bytes | str) -> Json | None:
    """Read a JSON object; None for anything else a client may send."""
    try:
        return msgspec.json.decode(raw, type=Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def message(kind: str, payload: object) -> Json:
    """Put a payload into the envelope of every message of xuc."""
    return {"msgType": kind, "ctiMessage": payload}


def error(text: str) -> Json:
    """Make the generic failure; the shape of its payload is inferred."""
    return message("Error", {"Error": text})
