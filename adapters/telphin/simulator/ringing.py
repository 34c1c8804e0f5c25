"""Phones that ring because somebody asked for it by the API or by a key, and what becomes of it."""

import asyncio
from collections.abc import Callable
from typing import Literal

from .calls import Call

Answers = Literal["at once", "by hand", "busy", "never"]
_RINGS_S = 30.0


class Ringing:
    """Lets those who are called answer: at once, by hand, not because they are busy, or never.

    Units: who never answers rings for 30 seconds.
    """

    def __init__(self, give_up: Callable[[Call, str], None]) -> None:
        self.answers: Answers = "at once"
        self._give_up = give_up
        self._waiting: dict[str, Callable[[], None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def ring(self, call: Call, picked_up: Callable[[], None]) -> None:
        """Ring; `picked_up` happens when somebody answers."""
        if self.answers == "at once":
            picked_up()
        elif self.answers == "busy":
            self._give_up(call, "BUSY")
        else:
            self._waiting[call.call_api_id] = picked_up
            if self.answers == "never":
                loop = asyncio.get_running_loop()
                self._timers[call.call_api_id] = loop.call_later(_RINGS_S, self._give_up, call, "NOANSWER")

    def answer(self, call_api_id: str) -> None:
        """Let somebody answer.

        Errors: LookupError when nothing rings there.
        """
        if call_api_id not in self._waiting:
            raise LookupError(f"nothing rings for {call_api_id}")
        picked_up = self._waiting[call_api_id]
        self.forget(call_api_id)
        picked_up()

    def forget(self, call_api_id: str) -> None:
        """Stop ringing."""
        self._waiting.pop(call_api_id, None)
        timer = self._timers.pop(call_api_id, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Give nobody up any more; who rings goes on ringing."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
