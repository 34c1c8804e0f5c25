"""What a socket does with messages, control frames and closing."""

import asyncio
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from gateway.operations.frames import frames_of
from gateway.web.limits import SocketLimits
from tests.gateway.web.direct_server import Host, accepted, frame, hosting, pair, text, until, until_gone

SMALL = SocketLimits(message_max_bytes=1_000)
WRONG = [
    (text(b"x" * 1_001), 1009),
    (text(b"x" * 600, fin=False) + frame(Opcode.CONT, b"x" * 401), 1009),
    (text(b"\xff"), 1007),
    (text(b"\xc3", fin=False) + frame(Opcode.CONT, b"x"), 1007),
    (frame(Opcode.CONT, b"of nothing"), 1002),
    (text(b"begun", fin=False) + text(b"again"), 1002),
    (text(b"x", rsv=4), 1002),
    (frame(3), 1002),
    (frame(Opcode.PING, b"x" * 126), 1002),
    (frame(Opcode.PING, fin=False), 1002),
    (b"\x81\x01x", 1002),
    (frame(Opcode.CLOSE, b"\x03"), 1002),
    (frame(Opcode.CLOSE, (1005).to_bytes(2)), 1002),
    (frame(Opcode.CLOSE, (1000).to_bytes(2) + b"\xff"), 1007),
]
"""What no client may send, and the close code it gets."""


async def test_messages_go_both_ways() -> None:
    async with hosting() as host, connect(f"ws://127.0.0.1:{host.port}/", compression=None) as client:
        seen = await host.latest()
        for message in ("", "é" * 100, "x" * 70_000, b"\x00\xff"):
            await client.send(message)
        await until(lambda: len(seen.messages) == 4)
        assert seen.messages == ["", "é" * 100, "x" * 70_000, b"\x00\xff"]
        seen.socket.send([b"one", b"", b"x" * 70_000])
        seen.socket.write(frames_of([b"two"]))
        seen.socket.send_binary(b"\x00" * 200)
        assert [await client.recv() for _ in range(5)] == ["one", "", "x" * 70_000, "two", b"\x00" * 200]


async def test_frames_that_come_together_are_all_taken() -> None:
    async with pair() as (raw, seen):
        raw.say(text(b"1"), text(b"2", fin=False), frame(Opcode.PING, b"now"), frame(Opcode.CONT, b"3"), text(b"4"))
        pong = await raw.frame()
        assert (pong.opcode, pong.data) == (Opcode.PONG, b"now")
        assert seen.messages == ["1", "23", "4"]


async def test_a_frame_is_taken_wherever_it_is_cut() -> None:
    async with pair() as (raw, seen):
        for byte in text(b"slow") + frame(Opcode.PING, b"really"):
            raw.say(bytes((byte,)))
            await raw.writer.drain()
        assert (await raw.frame()).data == b"really"
        assert seen.messages == ["slow"]


async def test_what_no_client_may_send_is_answered_with_its_code_and_what_is_behind_it_is_not_read() -> None:
    async with hosting(SMALL) as host:
        for wrong, code in WRONG:
            async with accepted(host) as (raw, seen):
                raw.say(text(b"before"), wrong, text(b"behind"))
                assert (await raw.closed())[0] == code, wrong
                assert await raw.rest() == b""
                raw.writer.close()
                await until_gone(seen)
                assert seen.messages == ["before"]


async def test_a_client_that_goes_on_sending_too_much_still_learns_why_it_was_closed() -> None:
    """Closing at once would make the kernel throw away our close frame."""
    async with pair(SMALL) as (raw, seen):
        raw.say(text(b"x" * 3_000_000))
        assert (await raw.closed())[0] == 1009
        assert await raw.reader.read() == b""  # its end in order, and not a reset
        raw.writer.close()
        await until_gone(seen)


async def test_a_client_that_stays_after_it_was_told_to_go_is_cut() -> None:
    async with pair(SMALL) as (raw, seen):
        raw.say(frame(3))
        await raw.closed()
        await until_gone(seen)


async def test_a_close_is_answered_with_the_same_and_the_connection_is_closed() -> None:
    async with pair() as (raw, seen):
        raw.say(text(b"before"), frame(Opcode.CLOSE, (4000).to_bytes(2) + b"bye"), text(b"behind"))
        assert await raw.closed() == (4000, "bye")
        assert await raw.rest() == b""
        await until_gone(seen)
        assert seen.messages == ["before"]


async def test_a_close_without_a_code_is_answered_without() -> None:
    async with pair() as (raw, _):
        raw.say(frame(Opcode.CLOSE))
        assert (await raw.frame()).data == b""
        assert await raw.rest() == b""


async def test_we_close_and_the_client_answers() -> None:
    async with hosting() as host, connect(f"ws://127.0.0.1:{host.port}/") as client:
        seen = await host.latest()
        seen.socket.close(4408, "too late")
        seen.socket.close(4409, "only the first counts")
        seen.socket.send([b"nothing is sent any more"])
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4408, "too late")
        await until_gone(seen)
    assert seen.gone_count == 1


async def test_nothing_that_comes_after_we_closed_is_told() -> None:
    async with pair() as (raw, seen):
        seen.answer = lambda _: seen.socket.close(4400, "no")
        raw.say(text(b"first"), text(b"second"), frame(Opcode.PING, b"pongs neither"))
        assert await raw.closed() == (4400, "no")
        raw.say(text(b"third"), frame(Opcode.CLOSE, (4400).to_bytes(2)))
        assert await raw.rest() == b""
        assert seen.messages == ["first"]


async def test_a_client_that_does_not_answer_our_close_is_cut() -> None:
    async with pair() as (raw, seen):
        began = asyncio.get_running_loop().time()
        seen.socket.close(4000, "")
        await raw.rest()
        assert 1.5 < asyncio.get_running_loop().time() - began < 4
        await until_gone(seen)


async def test_a_reason_that_is_too_long_is_cut() -> None:
    async with pair() as (raw, seen):
        seen.socket.close(4000, "€" * 100)
        assert await raw.closed() == (4000, "€" * 41)


@pytest.mark.parametrize("how", ["cut", "end"])
async def test_a_client_that_leaves_without_a_word_is_gone(how: str) -> None:
    async with pair() as (raw, seen):
        raw.say(text(b"half a mess")[:-3])
        if how == "cut":
            raw.writer.transport.abort()
        else:
            raw.writer.write_eof()
        await until_gone(seen)
        seen.socket.send([b"into nothing"])
        seen.socket.close(4000, "")
        seen.socket.abort()
        await asyncio.sleep(0)
    assert seen.gone_count == 1


async def test_an_aborted_socket_is_gone_and_tells_nothing_any_more() -> None:
    async with pair() as (raw, seen):
        seen.answer = lambda _: seen.socket.abort()
        raw.say(text(b"first"), text(b"second"))
        await raw.rest()
        await until_gone(seen)
    assert (seen.messages, seen.gone_count) == (["first"], 1)


def fail(*_: object) -> str:
    raise ValueError("a fault that a test made")


@pytest.mark.parametrize("when", ["received", "drained", "gone"])
async def test_a_fault_of_ours_is_logged_and_closes_the_socket(when: str, caplog: pytest.LogCaptureFixture) -> None:
    async with pair(SocketLimits(outbox_max_bytes=1_000)) as (raw, seen):
        setattr(seen, when, fail)
        match when:
            case "received":
                raw.say(text(b"x"), text(b"y"))
            case "drained":
                while not seen.socket.blocked:
                    seen.socket.send([b"x" * 100_000])
            case _:
                seen.socket.close(1011, "")
        assert await raw.closed() == (1011, "")
        raw.say(frame(Opcode.CLOSE))
        await raw.rest()
        await until(lambda: seen.socket.is_lost)
    assert len([each for each in caplog.records if each.levelno == logging.ERROR and each.exc_info]) == 1


async def test_many_pings_that_nobody_reads_the_answers_of_end_the_socket() -> None:
    async with pair(SocketLimits(outbox_max_bytes=10_000, stalled_s=0.2), narrow=True) as (raw, seen):
        flood = frame(Opcode.PING, b"x" * 125) * 100
        while not seen.gone_count:
            raw.say(flood)
            await asyncio.sleep(0)


def deflating(host: Host) -> connect:
    return connect(f"ws://127.0.0.1:{host.port}/", compression="deflate")


async def test_compression_is_agreed_on_where_it_is_switched_on() -> None:
    limits = SocketLimits(message_max_bytes=1_000, compression=True)
    async with hosting(limits) as host, deflating(host) as client:
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
        seen = await host.latest()
        assert not seen.socket.takes_frames
        for number in range(3):
            await client.send(f"the same again {number}" * 20)
            seen.socket.send([f"and back {number}".encode() * 20, b"short"])
            assert [await client.recv(), await client.recv()] == [f"and back {number}" * 20, "short"]
        await until(lambda: len(seen.messages) == 3)
        assert seen.messages == [f"the same again {number}" * 20 for number in range(3)]
        await client.send("x" * 100_000)  # small on the wire, too large for us
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1009


async def test_a_message_and_a_close_that_come_together_end_a_compressed_socket_in_order() -> None:
    async with hosting(SocketLimits(compression=True)) as host, deflating(host) as client:
        seen = await host.latest()
        seen.answer = lambda _: seen.socket.send([b"too late"])
        client.transport.write(text(b"x") + frame(Opcode.CLOSE, (1000).to_bytes(2)))
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1000


async def test_compression_is_off_unless_it_is_switched_on() -> None:
    async with hosting() as host, deflating(host) as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        assert (await host.latest()).socket.takes_frames


async def test_a_client_without_compression_is_served_where_it_is_switched_on() -> None:
    async with pair(SocketLimits(compression=True)) as (raw, seen):
        seen.socket.write(frames_of([b"plain"]))
        assert (await raw.frame()).data == b"plain"
        assert seen.socket.takes_frames
