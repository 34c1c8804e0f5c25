"""What clients say on a WebSocket, whichever of the two protocols they speak, and how a socket is closed."""

from enum import IntEnum

import msgspec


class CloseCode(IntEnum):
    """Why the gateway closes a socket; the protocol's own codes and some of every WebSocket."""

    DONE = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    FAULT = 1011
    BAD_MESSAGE = 4400
    NOT_LET_IN = 4401
    UNKNOWN_PROTOCOL = 4406
    TOO_LATE = 4408
    ID_IN_USE = 4409
    LET_IN_ALREADY = 4429


class Message(msgspec.Struct):
    """A message as it came; what its payload means is for the protocol."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(Message)
_object_or_null = msgspec.json.Decoder(dict[str, object] | None)


class Fault(Exception):
    """A message that is none; it closes the socket."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def decoded(message: str | bytes) -> Message:
    """Read a message.

    Errors: Fault.
    """
    if isinstance(message, bytes):
        raise Fault(CloseCode.BAD_MESSAGE, "binary messages are not understood")
    try:
        return _decoder.decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Fault(CloseCode.BAD_MESSAGE, "not a message of the protocol") from None


def checked_object(payload: msgspec.Raw) -> dict[str, object] | None:
    """Read a payload that is an object if it is there.

    Errors: Fault.
    """
    try:
        value: dict[str, object] | None = _object_or_null.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Fault(CloseCode.BAD_MESSAGE, "`payload` must be an object") from None
    return value
