"""WebSocket frames as a server sends them: whole text messages, not masked."""

import struct
from collections.abc import Sequence

_TEXT = 0x81
_MIDDLE = struct.Struct(">BBH")
_LONG = struct.Struct(">BBQ")


def text_head(size: int) -> bytes:
    """Make the head of a text frame whose payload has `size` bytes."""
    if size < 126:
        return bytes((_TEXT, size))
    return _MIDDLE.pack(_TEXT, 126, size) if size < 65_536 else _LONG.pack(_TEXT, 127, size)


def frames_of(messages: Sequence[bytes]) -> bytes:
    """Make the frames of some messages."""
    return b"".join([part for message in messages for part in (text_head(len(message)), message)])
