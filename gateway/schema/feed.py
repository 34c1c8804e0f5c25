"""What a field of Subscription resolves to: where its events come from, and how one follower begins."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from gateway.hub.hub import Watch

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Resume:
    """A position that came beside the document, not as an argument of the field.

    Shape: `insists`: the follower wants exactly what came later, or an error; otherwise a snapshot may stand for it.
    """

    cursor: str
    insists: bool


class Feed(ABC, Generic[Event]):
    """A stream of events as one subscription field with its arguments selects them.

    Whoever calls `begin` and `watch` without awaiting in between misses nothing and gets nothing twice. Everything is
    synchronous; one feed is watched once, for all who follow the same.
    Shape: `resumable`: it has positions, so that one may `begin` at any that is still kept.
    """

    resumable: ClassVar[bool] = False

    @abstractmethod
    def watch(self, note: Callable[[Event | None], None]) -> Watch[Any]:
        """Call `note` with each event from now on; with None at the end."""

    @abstractmethod
    def begin(self, resume: Resume | None = None) -> list[Event]:
        """Give what comes first: the state as it is now, or what was missed.

        Errors: RequestError.
        """

    @abstractmethod
    def version(self) -> Hashable:
        """Give what is another thing whenever `begin()` would give something else."""

    @abstractmethod
    def lost(self) -> list[Event]:
        """Give what stands for everything that a follower was too slow for.

        Errors: RequestError, where nothing can.
        """

    def since(self, event: Event) -> list[Event]:
        """Give what came after an event that `begin` gave a while ago; without positions, what stands for it.

        Errors: RequestError.
        """
        return self.lost()

    def cursor(self, event: Event) -> str | None:
        """Give the position that an event stands at, as its follower may hand it back."""
        return None

    def replaces(self, event: Event) -> Hashable | None:
        """Give a key if an event makes a waiting one of the same key superfluous; None where each has to be sent."""
        return None

    def __aiter__(self) -> AsyncIterator[Event]:
        """Look like a stream to graphql-core, which takes nothing else from a subscription field."""
        return self._not_iterated()

    @staticmethod
    def _not_iterated() -> NoReturn:
        raise TypeError("a feed is watched, not iterated")
