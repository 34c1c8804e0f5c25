"""From what happens to who is told of it: the event, its address, and the faults on its way."""

import asyncio
from random import Random

from .callbacks import Callbacks, Message
from .calls import Call
from .conferences import Conference
from .faults import Faults
from .notices import CallNotice, Notice, SoundNotice
from .wording import Wording

SHUFFLE_WINDOW_S = 0.03
_MOST_HELD = 10_000


class Notifier:
    """Tells whoever is to be called back: by the addresses of the time when it happened."""

    def __init__(self, faults: Faults, wording: Wording, callbacks: Callbacks, rng: Random) -> None:
        self._faults = faults
        self._wording = wording
        self._callbacks = callbacks
        self._rng = rng
        self._held: list[Message] = []
        self._window: asyncio.TimerHandle | None = None

    def tell(self, notice: Notice) -> None:
        """Send an event, if anybody wants it."""
        about = _about(notice)
        if about.hooks.url is None or self._faults.lose_callbacks or not self._callbacks.are_sent:
            return
        line = about.call_id if isinstance(about, Call) else about.conference_id
        message = Message(line, about.hooks, self._wording.event(notice))
        for _ in range(2 if self._faults.double_callbacks else 1):
            if self._faults.shuffle_callbacks and len(self._held) < _MOST_HELD:
                self._hold(message)
            else:
                self._callbacks.send(message)

    @property
    def holds(self) -> bool:
        """Whether something waits to be shuffled."""
        return bool(self._held)

    def flush(self) -> None:
        """Send now what waits to be shuffled."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        held, self._held = self._held, []
        self._rng.shuffle(held)
        for message in held:
            self._callbacks.send(message)

    def _hold(self, message: Message) -> None:
        self._held.append(message)
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(SHUFFLE_WINDOW_S, self.flush)


def _about(notice: Notice) -> Call | Conference:
    match notice:
        case CallNotice(call):
            return call
        case SoundNotice(hearer):
            return hearer
        case _:
            return notice.conference
