"""What one client may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """How large, how many and how slow a connection may be.

    Units: bytes and seconds.
    Shape: a message of a client may have `message_max_bytes`. Once `outbox_max_bytes` wait for a client, its socket is
           `blocked`; after `stalled_s` of that it is cut. Every `heartbeat_s` a socket is pinged, and one that says
           nothing until the next time is cut. An HTTP request has to be whole within `request_s`.
    """

    message_max_bytes: int = 262_144
    outbox_max_bytes: int = 262_144
    heartbeat_s: float = 15.0
    stalled_s: float = 30.0
    request_s: float = 20.0
    compression: bool = False

    @property
    def outbox_low_bytes(self) -> int:
        """How much may wait until a client is no longer blocked."""
        return self.outbox_max_bytes // 4
