"""The benchmark's clients find every event in the bytes, however they are cut."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from struct import pack

import pytest

from tests.bench.tally import Tally
from tests.bench.watchers import Watchers, _Stage, _Watcher

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="needs epoll")

ID = b"4a7b1b5e-8f4f-4b5c-9a57-2c1d3e4f5a6b"


def frame(sequence: int, *, pad: int = 300, operation_id: bytes = ID) -> bytes:
    text = b'{"id":"%b","type":"next","payload":{"name":"#%08d@%019d%b"}}' % (operation_id, sequence, 1, b"~" * pad)
    head = pack("!BB", 0x81, len(text)) if len(text) < 126 else pack("!BBH", 0x81, 126, len(text))
    return head + text


@contextmanager
def watching(count: int) -> Iterator[tuple[Watchers, socket.socket, _Watcher]]:
    tally = Tally()
    tally.begin(1, 0, count)
    ours, theirs = socket.socketpair()
    watchers = Watchers(0, "", tally)
    watcher = _Watcher(0, ours, ID, "room", _Stage.WATCHING)
    with ours, theirs:
        yield watchers, theirs, watcher
        watchers.close()


def tally_of(*pieces: bytes, count: int) -> Tally:
    with watching(count) as (watchers, theirs, watcher):
        for piece in pieces:
            theirs.sendall(piece)
            watchers._read(watcher)
        return watchers.tally


@pytest.mark.parametrize("pad", [0, 300])
def test_frames_are_counted_one_a_read(pad: int) -> None:
    assert tally_of(*[frame(each, pad=pad) for each in range(5)], count=5).faults() is None


def test_frames_cut_anywhere_are_counted_once() -> None:
    stream = b"".join(map(frame, range(3)))
    for cut in range(1, len(stream)):
        tally = tally_of(stream[:cut], stream[cut:], count=3)
        assert tally.faults() is None, cut


def test_what_stands_between_events_does_not_hide_them() -> None:
    ping, keep_alive = b"\x89\x00", b"\x81\x0f" + b'{"type":"pong"}'
    with watching(2) as (watchers, theirs, watcher):
        theirs.sendall(frame(0) + ping + keep_alive + frame(1))
        watchers._read(watcher)
        assert watchers.tally.faults() is None
        assert theirs.recv(100) == b"\x8a\x80" + bytes(4)


def test_a_frame_that_is_missing_or_comes_twice_or_is_somebody_elses_is_a_fault() -> None:
    assert tally_of(frame(0), frame(2), count=3).faults() == "1 lost"
    assert tally_of(frame(0), frame(1), frame(1), count=2).faults() == "1 doubled"
    foreign = frame(1, operation_id=ID[::-1])
    assert tally_of(frame(0), foreign, count=2).faults() == "1 foreign"
    assert tally_of(frame(0), foreign, foreign, count=2).faults() == "1 doubled, 2 foreign"


def test_a_close_of_the_server_is_remembered() -> None:
    with watching(1) as (watchers, theirs, watcher):
        watchers._by_fd[watcher.socket.fileno()] = watcher
        watchers._epoll.register(watcher.socket.fileno(), select.EPOLLIN)
        theirs.sendall(b"\x88\x06" + (4409).to_bytes(2, "big") + b"Sorr")
        watchers._read(watcher)
        assert watchers.ended == ["closed with 4409 Sorr"]
