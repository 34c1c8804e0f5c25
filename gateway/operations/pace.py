"""Holds back what a newer event may replace: who talks, which changes far more often than anybody can read."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any


class Pace:
    """Holds back events that a newer one may replace, so that each kind comes at most every `pace_s` seconds.

    Anything else that is sent lets go of what is held first, so that the order stays.
    """

    def __init__(self, pace_s: float, send: Callable[[Any], None]) -> None:
        self._pace_s = pace_s
        self._send = send
        self._held: dict[Hashable, Any] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._free_at = 0.0

    def held_back(self, key: Hashable | None, event: Any) -> bool:
        """Take an event, or say that it is to be sent now."""
        if key is None:
            self.release()
            return False
        loop = asyncio.get_running_loop()
        if self._timer is None and loop.time() >= self._free_at:
            self._free_at = loop.time() + self._pace_s
            return False
        self._held.pop(key, None)
        self._held[key] = event
        if self._timer is None:
            self._timer = loop.call_at(self._free_at, self._on_time)
        return True

    def release(self) -> None:
        """Send what is held."""
        held, self._held = self._held, {}
        self.stop()
        for event in held.values():
            self._send(event)

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_time(self) -> None:
        self._free_at = asyncio.get_running_loop().time() + self._pace_s
        self.release()
