"""Makes the WebSocket frames that a server sends: unmasked, and each message in one of them."""

from collections.abc import Sequence

PING = b"\x89\x00"
_TEXT, _BINARY, _CLOSE = 0x81, 0x82, 0x88
_SHORT_HEADS = tuple(bytes((_TEXT, size)) for size in range(126))
REASON_MAX_BYTES = 123
"""A control frame carries 125 bytes, and two are the code."""


def text_head(payload_size: int) -> bytes:
    """Give the head of the frame of a text message of so many bytes."""
    return _SHORT_HEADS[payload_size] if payload_size < 126 else _long_head(_TEXT, payload_size)


def frames_of(messages: Sequence[bytes]) -> bytes:
    """Make the frames of text messages, to be written in one go."""
    parts: list[bytes] = []
    for message in messages:
        parts.append(text_head(len(message)))
        parts.append(message)
    return b"".join(parts)


def binary_frame(message: bytes) -> bytes:
    """Make the frame of a binary message."""
    size = len(message)
    return (bytes((_BINARY, size)) if size < 126 else _long_head(_BINARY, size)) + message


def close_frame(code: int, reason: str) -> bytes:
    """Make a close frame; a reason that is too long is cut."""
    cut = cut_to_fit(reason)
    return bytes((_CLOSE, 2 + len(cut))) + code.to_bytes(2) + cut


def cut_to_fit(reason: str) -> bytes:
    """Give as much of a reason as a close frame can carry, cut between two characters."""
    return reason.encode(errors="replace")[:REASON_MAX_BYTES].decode(errors="ignore").encode()


def _long_head(kind: int, size: int) -> bytes:
    return bytes((kind, 126)) + size.to_bytes(2) if size < 65_536 else bytes((kind, 127)) + size.to_bytes(8)
