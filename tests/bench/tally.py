"""Counts what arrives at each watcher: nothing lost, nothing doubled, nothing out of order, and how late."""

from array import array
from math import ceil


class Tally:
    """What a crowd of watchers received of a numbered run of events.

    Shape: every watcher is to get every sequence number of the run once, in order. `foreign` counts messages under an
           operation id that is not the watcher's.
    Units: latencies are nanoseconds.
    """

    def __init__(self) -> None:
        self.delivered = 0
        self.doubled = 0
        self.disordered = 0
        self.foreign = 0
        self.latencies = array("q")
        self._skipped = 0
        self._next: list[int] = []
        self._missing: dict[tuple[int, int], None] = {}
        self._first = self._end = 0

    def begin(self, watchers: int, first: int, count: int) -> None:
        """Expect the sequence numbers from `first` on at so many watchers."""
        self.delivered = self.doubled = self.disordered = self.foreign = self._skipped = 0
        self.latencies = array("q")
        self._next = [first] * watchers
        self._missing.clear()
        self._first, self._end = first, first + count

    def take(self, watcher: int, sequence: int, latency_ns: int) -> None:
        """Count one delivery."""
        self.delivered += 1
        self.latencies.append(latency_ns)
        expected = self._next[watcher]
        if sequence == expected:
            self._next[watcher] = expected + 1
        elif sequence > expected:
            self._missing.update(dict.fromkeys((watcher, each) for each in range(expected, sequence)))
            self._skipped += sequence - expected
            self._next[watcher] = sequence + 1
        elif (watcher, sequence) in self._missing:
            del self._missing[watcher, sequence]
            self._skipped -= 1
            self.disordered += 1
        else:
            self.doubled += 1

    @property
    def expected(self) -> int:
        """How many deliveries make the run complete."""
        return len(self._next) * (self._end - self._first)

    @property
    def lost(self) -> int:
        """How many have not arrived."""
        return self._skipped + sum(self._end - each for each in self._next)

    @property
    def complete(self) -> bool:
        """Whether as many have arrived as were to come."""
        return self.delivered >= self.expected

    def percentile_ms(self, share: float) -> float:
        """Give the latency that this share of the deliveries did not exceed."""
        ranked = sorted(self.latencies)
        return ranked[max(0, ceil(share * len(ranked)) - 1)] / 1e6 if ranked else float("nan")

    def faults(self) -> str | None:
        """Say what was wrong; None when every event came once, in order, to everybody."""
        counts = {
            "lost": self.lost,
            "doubled": self.doubled,
            "out of order": self.disordered,
            "foreign": self.foreign,
        }
        wrong = [f"{count:,} {name}" for name, count in counts.items() if count]
        return ", ".join(wrong) or None
