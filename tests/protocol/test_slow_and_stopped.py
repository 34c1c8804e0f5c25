"""Clients that do not read, and a gateway that stops while clients are there."""

import socket
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from gateway.web.app import WebLimits
from gateway.web.limits import SocketLimits
from tests.gateway.schema.house import LIMITS, House
from tests.protocol.busy import busy, follow, see_the_gap
from tests.protocol.front import BODY_MAX_BYTES, front_of, front_with


async def test_a_slow_reader_is_told_of_the_gap_and_ends_up_with_the_truth(tmp_path: Path) -> None:
    """And the one beside them misses nothing."""
    limits = replace(LIMITS, log_max_events=10_000)
    async with front_with(tmp_path, limits=limits, socket=SocketLimits(outbox_max_bytes=65_536)) as front:
        await see_the_gap(front, 400)


async def test_the_gateway_stops_quickly_with_sockets_open(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            wires = [await clients.enter_async_context(front.wire()) for _ in range(20)]
            for wire in wires:
                await follow(wire)
                await wire.event("1")
            wires.append(await clients.enter_async_context(front.stranger()))
            await busy(front, 10)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert [(await wire.end())[0] for wire in wires] == [1001] * len(wires)
        assert house.live.hub.watchers == 0


async def test_the_gateway_stops_though_somebody_does_not_read(house: House) -> None:
    async with AsyncExitStack() as clients:
        async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
            slow = await clients.enter_async_context(front.wire(sock=front.narrow_socket(), max_queue=1))
            await follow(slow)
            await slow.event("1")
            await busy(front, 800)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        slow.socket.transport.abort()


async def test_the_gateway_stops_though_half_a_request_has_come(house: House) -> None:
    async with front_of(house, WebLimits((), BODY_MAX_BYTES)) as front:
        half = socket.create_connection(("127.0.0.1", front.port))
        half.sendall(b"POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{")
        await front.post("{ __typename }")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    half.close()
