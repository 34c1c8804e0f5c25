"""From what happens to who is told of it: the event, its address, and the faults on its way."""

from random import Random

from adapters.kit.shuffle import Shuffle

from .callbacks import Callbacks, Message
from .calls import Call
from .conferences import Conference
from .faults import Faults
from .notices import CallNotice, Notice, SoundNotice
from .wording import Wording


class Notifier:
    """Tells whoever is to be called back: by the addresses of the time when it happened."""

    def __init__(self, faults: Faults, wording: Wording, callbacks: Callbacks, rng: Random) -> None:
        self._faults = faults
        self._wording = wording
        self._callbacks = callbacks
        self.shuffle = Shuffle(rng, callbacks.send)

    def tell(self, notice: Notice) -> None:
        """Send an event, if anybody wants it."""
        about = _about(notice)
        if about.hooks.url is None or self._faults.lose_callbacks or not self._callbacks.are_sent:
            return
        line = about.call_id if isinstance(about, Call) else about.conference_id
        message = Message(line, about.hooks, self._wording.event(notice))
        for _ in range(2 if self._faults.double_callbacks else 1):
            if self._faults.shuffle_callbacks:
                self.shuffle.add(message)
            else:
                self._callbacks.send(message)


def _about(notice: Notice) -> Call | Conference:
    match notice:
        case CallNotice(call):
            return call
        case SoundNotice(hearer):
            return hearer
        case _:
            return notice.conference
