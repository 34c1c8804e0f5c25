"""Events of one operation that are delivered together: executed once, written once, framed for each follower."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.operations.delivery import with_agreement
from gateway.operations.frames import text_head


class Delivery(NamedTuple):
    """One event as JSON, `{"data": …}`, and the position it stands at if the stream has any."""

    payload: bytes
    cursor: str | None


class Batch:
    """Some deliveries in order.

    Shape: a WebSocket message is a prefix of the follower's own (`{"id":…,"type":"next","payload":`), then the payload
           and `}`; only the prefix differs, and of the frame's head only by the prefix's length.
    """

    __slots__ = ("_chunks", "_heads", "_tails", "deliveries")

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self._tails = [delivery.payload + b"}" for delivery in deliveries]
        self._heads: dict[int, list[bytes]] = {}
        self._chunks: dict[Callable[[Sequence[Delivery]], bytes], bytes] = {}

    def frames(self, prefix: bytes) -> bytes:
        """Make the ready frames for a follower."""
        heads = self._heads.get(len(prefix)) or self._make_heads(len(prefix))
        if len(heads) == 1:
            return b"".join((heads[0], prefix, self._tails[0]))
        return b"".join([part for head, tail in zip(heads, self._tails, strict=True) for part in (head, prefix, tail)])

    def messages(self, prefix: bytes) -> list[bytes]:
        """Make the messages without frames."""
        return [prefix + tail for tail in self._tails]

    def chunk(self, write: Callable[[Sequence[Delivery]], bytes]) -> bytes:
        """Write all of it, once for all followers whose transport writes it in the same way."""
        chunk = self._chunks.get(write)
        if chunk is None:
            chunk = self._chunks[write] = write(self.deliveries)
        return chunk

    def agreed(self) -> "Batch":
        """Give the same with the agreement on the delivery guarantee in the first payload."""
        first, *others = self.deliveries
        return Batch([first._replace(payload=with_agreement(first.payload)), *others])

    def _make_heads(self, prefix_size: int) -> list[bytes]:
        heads = self._heads[prefix_size] = [text_head(prefix_size + len(tail)) for tail in self._tails]
        return heads
