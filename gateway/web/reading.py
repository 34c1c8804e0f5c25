"""Reads what clients send on WebSockets, with the parser of `websockets`."""

import logging
from collections.abc import Iterator, Sequence

from websockets.extensions import Extension
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from gateway.operations.frames import close_frame

_MESSAGES = frozenset((Opcode.TEXT, Opcode.BINARY, Opcode.CONT))
quiet_log = logging.getLogger("gateway.web.websockets")
"""For the library's classes, which else would log every frame, with whatever tokens are in it."""
quiet_log.setLevel(logging.WARNING)


class Reader:
    """Reads one client's frames.

    Shape: with extensions it belongs to one client for good, since they remember what came before.
    """

    __slots__ = ("_accounted", "_begun", "_fed", "_is_text", "_parser", "_refusal", "compresses")

    def __init__(self, message_max_bytes: int, extensions: Sequence[Extension] = ()) -> None:
        self._parser = Protocol(Side.SERVER, state=State.OPEN, max_size=message_max_bytes, logger=quiet_log)
        self._parser.extensions = list(extensions)
        self._begun: bytearray | None = None
        self._is_text = True
        self._refusal = b""
        self._fed = 0
        self._accounted = 0
        self.compresses = bool(extensions)

    def read(self, data: bytes) -> Iterator[str | bytes]:
        """Give the messages that are whole now; afterwards ask for the `answer`, and whether it `ended`."""
        self._fed += len(data)
        self._parser.receive_data(data)
        for frame in self._parser.events_received():
            if not isinstance(frame, Frame):
                continue
            self._accounted += _size(len(frame.data))
            if frame.opcode not in _MESSAGES or (whole := self._take(frame)) is None:
                continue
            message = self._decoded(whole)
            if message is None:
                return
            yield message

    def answer(self) -> bytes:
        """Give what has to be sent: pongs, and a close frame."""
        return self._refusal or b"".join(self._parser.data_to_send())

    @property
    def ended(self) -> bool:
        """Whether a close frame came, or something that no client may send."""
        return self._parser.state is not State.OPEN or self._refusal != b""

    @property
    def failed(self) -> bool:
        """Whether it ended with something that no client may send."""
        return self._refusal != b"" or self._parser.parser_exc is not None

    @property
    def idle(self) -> bool:
        """Whether no part of a message is held, so that it can read for another client.

        A client that writes lengths longer than needed is never seen as idle: that costs memory only.
        """
        return self._fed == self._accounted and self._begun is None and not self.ended and not self.compresses

    def compressed(self, messages: Sequence[bytes]) -> bytes:
        """Make the frames of text messages; none once it `ended`."""
        if self.ended:
            return b""
        for message in messages:
            self._parser.send_text(message)
        return self.answer()

    def _take(self, frame: Frame) -> bytes | None:
        """Take a part, and give what the message holds if it was the last one.

        Parts are joined as they come: a list of them would grow without limit, as they may be empty.
        """
        if self._begun is None:
            self._is_text = frame.opcode is Opcode.TEXT
            if frame.fin:
                return bytes(frame.data)
            self._begun = bytearray()
        self._begun += frame.data
        if not frame.fin:
            return None
        whole, self._begun = bytes(self._begun), None
        return whole

    def _decoded(self, data: bytes) -> str | bytes | None:
        """Give a message, or None when it is text and not UTF-8; what the parser found behind it counts no more."""
        if not self._is_text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            self._refusal = close_frame(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
            return None


class Readers:
    """Lends readers, since one takes over a kilobyte and ten objects that the garbage collector has to visit.

    A socket needs it only while it is being read, and keeps it only while part of a message has come.

    Units: a message may have `message_max_bytes`.
    """

    def __init__(self, message_max_bytes: int) -> None:
        self._message_max_bytes = message_max_bytes
        self._spare: Reader | None = None

    def lend(self) -> Reader:
        """Give a reader that holds nothing."""
        spare, self._spare = self._spare, None
        return spare or Reader(self._message_max_bytes)

    def take_back(self, reader: Reader) -> None:
        """Take an idle reader."""
        self._spare = reader


def _size(payload: int) -> int:
    """Give the size of a client's frame."""
    return payload + (6 if payload < 126 else 8 if payload < 65_536 else 14)
