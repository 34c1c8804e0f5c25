"""Frames are read by the library as what they were made of."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from gateway.operations.frames import PING, binary_frame, close_frame, frames_of, text_head

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]


def as_read(data: bytes) -> list[Frame]:
    client = ClientProtocol(parse_uri("ws://gateway/"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    assert client.parser_exc is None
    return [each for each in client.events_received() if isinstance(each, Frame)]


def test_a_text_of_any_size_is_one_frame() -> None:
    for size in SIZES:
        message = b"x" * size
        assert as_read(text_head(size) + message) == [Frame(Opcode.TEXT, message)]
        assert as_read(binary_frame(message)) == [Frame(Opcode.BINARY, message)]


def test_several_texts_are_that_many_frames_in_order() -> None:
    messages = [b"x" * size for size in SIZES]
    assert [each.data for each in as_read(frames_of(messages))] == messages


def test_a_ping_is_empty() -> None:
    assert as_read(PING) == [Frame(Opcode.PING, b"")]


@given(st.text(st.characters(), max_size=200))
def test_a_reason_that_is_too_long_is_cut_between_characters(reason: str) -> None:
    """Half characters, which only JSON can say, become question marks."""
    (read,) = as_read(close_frame(4400, reason))
    close = Close.parse(read.data)
    sayable = reason.encode(errors="replace").decode()
    assert close.code == 4400
    assert sayable.startswith(close.reason)
    assert close.reason == sayable or len(close.reason.encode()) > 119
