"""What a GraphQL session needs of a WebSocket, whichever server it is on."""

from collections.abc import Callable, Sequence
from typing import Protocol


class Listener(Protocol):
    """Who is told what happens on an accepted socket; its methods are called on the event loop and must be quick."""

    def received(self, message: str | bytes) -> None:
        """Take a whole message: text as str, binary as bytes."""

    def held(self) -> None:
        """Learn that the socket is `blocked` now."""

    def drained(self) -> None:
        """Learn that the socket is no longer `blocked`."""

    def stopping(self) -> str:
        """Say the reason to close with, since the server stops; last messages may be sent now."""

    def gone(self) -> None:
        """Learn that the socket is closed, by whomever and however; called once, and nothing is called after it."""


class Socket(Protocol):
    """An accepted socket.

    Shape: `blocked` while more waits for the client than the socket's limit. What is sent then is kept all the same: to
           stop is up to the sender. A client that stays blocked for too long is cut off.
    """

    blocked: bool

    def send(self, messages: Sequence[bytes]) -> None:
        """Send text messages, in one write where the server allows it; does nothing once the socket is closed."""

    def write(self, frames: bytes) -> None:
        """Send what `frames_of` made, in the same way; only where `takes_frames`."""

    @property
    def short_way(self) -> Callable[[bytes], object] | None:
        """What writes frames at once, past all that `write` looks at; to be asked for anew when `held` or `drained`."""

    @property
    def takes_frames(self) -> bool:
        """Whether `write` may be used: it cannot behind a foreign server or with compression."""

    def close(self, code: int, reason: str) -> None:
        """Close in order; a reason that is too long for a close frame is cut."""
