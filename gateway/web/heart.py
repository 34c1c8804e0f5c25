"""Heartbeats for any number of sockets, with one task and no timer for any of them."""

import asyncio
from typing import Protocol

_BUCKETS = 61
"""A prime number: addresses, which hashes of objects are made of, have common factors."""


class Beating(Protocol):
    """What has a heart."""

    def beat(self) -> None:
        """Find out whether the other side lives; must be quick and not raise."""


class Heart:
    """Makes each of its members beat once in an interval, spread over it so that the work is."""

    def __init__(self, interval_s: float) -> None:
        self._pause_s = interval_s / _BUCKETS
        self._buckets: list[set[Beating]] = [set() for _ in range(_BUCKETS)]

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def add(self, beating: Beating) -> None:
        """Let one beat from now on."""
        self._buckets[hash(beating) % _BUCKETS].add(beating)

    def discard(self, beating: Beating) -> None:
        """Let one beat no more."""
        self._buckets[hash(beating) % _BUCKETS].discard(beating)

    async def run(self) -> None:
        """Beat until cancelled.

        After the event loop was held up, beats come later rather than quickly one after another, and only once what
        arrived meanwhile has been read: uvloop runs timers first. Otherwise everybody would be taken for dead.
        """
        while True:
            for bucket in self._buckets:
                await asyncio.sleep(self._pause_s)
                await asyncio.sleep(0)
                for beating in tuple(bucket):
                    beating.beat()
