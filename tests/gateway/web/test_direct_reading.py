"""What clients send is read as the library's own server reads it, however it is cut and whoever reads beside."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from gateway.operations.frames import close_frame
from gateway.web.reading import Reader, Readers
from tests.gateway.web.direct_server import frame, text

MAX_BYTES = 1_000
Told = tuple[list[str | bytes], bytes, bool]
"""Messages, what is answered, and whether it ended."""


@dataclass
class Lent:
    """Reads one client as sockets do it: with a borrowed reader, kept only when it is not idle."""

    readers: Readers
    reader: Reader | None = None
    messages: list[str | bytes] = field(default_factory=list)
    answered: bytes = b""
    ended: bool = False

    def feed(self, data: bytes) -> None:
        if self.ended:
            return
        reader = self.reader or self.readers.lend()
        self.messages += reader.read(data)
        self.answered += reader.answer()
        self.ended = reader.ended
        self.reader = None if reader.idle else reader
        if reader.idle:
            self.readers.take_back(reader)

    @property
    def told(self) -> Told:
        return self.messages, self.answered, self.ended


def as_the_library_reads(data: bytes) -> Told:
    """Read a whole stream at once with a parser of its own."""
    parser = Protocol(Side.SERVER, state=State.OPEN, max_size=MAX_BYTES)
    parser.receive_data(data)
    messages: list[str | bytes] = []
    parts: list[Frame] = []
    for each in parser.events_received():
        assert isinstance(each, Frame)
        if each.opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            continue
        parts.append(each)
        if each.fin:
            whole = b"".join(part.data for part in parts)
            try:
                messages.append(whole.decode() if parts[0].opcode is Opcode.TEXT else whole)
            except UnicodeDecodeError:
                return messages, close_frame(CloseCode.INVALID_DATA, ""), True
            parts = []
    return messages, b"".join(parser.data_to_send()), parser.state is not State.OPEN


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Make a message in one frame or several, with control frames between them."""
    opcode = draw(st.sampled_from((Opcode.TEXT, Opcode.BINARY)))
    whole = draw(st.text(max_size=150)).encode() if opcode is Opcode.TEXT else draw(st.binary(max_size=400))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    made = b""
    for number, part in enumerate(parts):
        made += frame(Opcode.CONT if number else opcode, part, fin=number == len(parts) - 1)
        made += draw(st.just(b"") | st.binary(max_size=20).map(lambda payload: frame(Opcode.PING, payload)))
    return made


odd_frames = st.builds(
    frame, st.integers(0, 15), st.binary(max_size=130), fin=st.booleans(), rsv=st.sampled_from((0, 0, 0, 1, 4))
)
closes = st.builds(
    lambda code, reason: frame(Opcode.CLOSE, code + reason), st.binary(max_size=2), st.binary(max_size=9)
)
streams = st.lists(messages() | messages() | messages() | odd_frames | closes, max_size=6).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(streams))
    for place in draw(st.lists(st.integers(0, max(0, len(data) - 1)), max_size=2)) if data else ():
        data[place] ^= draw(st.integers(1, 255))
    return bytes(data)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    inside = sorted({cut % len(data) for cut in cuts} if data else set())
    for start, end in zip([0, *inside], [*inside, len(data)], strict=True):
        if start < end:
            yield data[start:end]


cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(
    st.lists(st.tuples(st.one_of(streams, mutated()), cuts), min_size=1, max_size=4), st.randoms(use_true_random=False)
)
def test_clients_that_share_readers_are_read_as_if_each_were_alone(
    plan: list[tuple[bytes, list[int]]], random: Random
) -> None:
    readers = Readers(MAX_BYTES)
    lent = [Lent(readers) for _ in plan]
    to_come = [list(pieces(data, at)) for data, at in plan]
    while any(to_come):
        number = random.choice([index for index, left in enumerate(to_come) if left])
        lent[number].feed(to_come[number].pop(0))
    for client, (data, _) in zip(lent, plan, strict=True):
        assert outcome(client.told) == outcome(as_the_library_reads(data))


def outcome(told: Told) -> tuple[list[str | bytes], list[tuple[int, bytes]], bool]:
    """Tell what was answered frame by frame; if it ended only the code, for the rest depends on where it was cut."""
    messages, answered, ended = told
    frames: list[tuple[int, bytes]] = []
    while answered:
        kind, size = answered[0] & 15, answered[1]
        payload, answered = answered[2 : 2 + size], answered[2 + size :]
        frames.append((kind, payload))
    return (
        messages,
        [(kind, payload[:2]) for kind, payload in frames if kind == Opcode.CLOSE] if ended else frames,
        ended,
    )


def test_a_reader_is_kept_while_part_of_a_message_has_come_and_no_longer() -> None:
    readers = Readers(MAX_BYTES)
    whole = text(b"x" * 200) + frame(Opcode.PING) + text(b"y", fin=False) + frame(Opcode.CONT, b"z")
    ends = {208, 214}
    client = Lent(readers)
    for number, byte in enumerate(whole, 1):
        client.feed(bytes((byte,)))
        assert (client.reader is None) == (number in ends | {len(whole)}), number
    assert client.messages == ["x" * 200, "yz"]


def test_empty_parts_without_end_take_no_memory() -> None:
    reader = Reader(MAX_BYTES)
    assert list(reader.read(text(b"begun ", fin=False))) == []
    for _ in range(1_000):
        assert list(reader.read(frame(Opcode.CONT, b"", fin=False) * 10)) == []
    assert list(reader.read(frame(Opcode.CONT, b"and ended"))) == ["begun and ended"]


def test_a_message_in_parts_may_be_as_large_as_one_in_one_part_and_no_larger() -> None:
    part = frame(Opcode.CONT, b"x" * 100, fin=False)
    exactly = Reader(MAX_BYTES)
    assert list(exactly.read(text(b"x" * 100, fin=False) + 8 * part + frame(Opcode.CONT, b"x" * 100))) == [
        "x" * MAX_BYTES
    ]
    larger = Reader(MAX_BYTES)
    assert list(larger.read(text(b"x" * 100, fin=False) + 9 * part + frame(Opcode.CONT, b"x"))) == []
    assert larger.failed
    assert larger.answer()[2:4] == (1009).to_bytes(2)
