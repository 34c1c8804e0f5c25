"""What is known of the calls that carry participants: whose they are, and that they are over."""

from typing import TypeVar

from adapters.bandwidth import mapping
from adapters.bandwidth.wire import CallJson

_MOST = 10_000

_Value = TypeVar("_Value")


class Calls:
    """The calls of one backend, told of before or after somebody comes by them; the oldest are forgotten."""

    def __init__(self) -> None:
        self._numbers: dict[str, str | None] = {}
        self._over: dict[str, None] = {}

    def number(self, call_id: str | None) -> str | None:
        """Whose call it is, as far as is known."""
        return self._numbers.get(call_id or "")

    def is_settled(self, call_id: str) -> bool:
        """Whether asking is of no use any more."""
        return call_id in self._numbers

    def is_over(self, call_id: str | None) -> bool:
        """Whether it is known to have ended: it carries nobody any more, whatever comes late."""
        return call_id in self._over

    def learn(self, call: CallJson) -> None:
        """Take an answer about a call; whose it is may still be left open by it."""
        _keep(self._numbers, call["id"], mapping.number_of(call) or self.number(call["id"]))

    def give_up(self, call_id: str) -> None:
        """Take that nobody can tell whose it is."""
        _keep(self._numbers, call_id, self.number(call_id))

    def end(self, call_id: str) -> None:
        """Take that it is over; a call is never taken up again."""
        _keep(self._over, call_id, None)


def _keep(kept: dict[str, _Value], call_id: str, value: _Value) -> None:
    kept[call_id] = value
    if len(kept) > _MOST:
        del kept[next(iter(kept))]
