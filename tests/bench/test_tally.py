"""The benchmark's counter sees what a gateway must never do."""

from collections.abc import Iterable

import pytest

from tests.bench.tally import Tally


def tally_of(arrivals: Iterable[tuple[int, int]], *, watchers: int = 2, first: int = 5, count: int = 3) -> Tally:
    tally = Tally()
    tally.begin(watchers, first, count)
    for watcher, sequence in arrivals:
        tally.take(watcher, sequence, latency_ns=1_000_000 * sequence)
    return tally


ALL = [(watcher, sequence) for sequence in (5, 6, 7) for watcher in (0, 1)]


def test_every_event_once_and_in_order_is_no_fault() -> None:
    tally = tally_of(ALL)
    assert tally.complete
    assert tally.delivered == tally.expected == 6
    assert tally.faults() is None


@pytest.mark.parametrize(
    ("arrivals", "faults"),
    [
        pytest.param(ALL[:-1], "1 lost", id="the last one is missing"),
        pytest.param([each for each in ALL if each != (0, 6)], "1 lost", id="one in the middle is missing"),
        pytest.param([each for each in ALL if each[0] == 0], "3 lost", id="a watcher got nothing"),
        pytest.param([*ALL, (1, 7)], "1 doubled", id="one came twice"),
        pytest.param([*ALL[:2], *ALL], "2 doubled", id="the first came twice to both"),
        pytest.param([(0, 5), (0, 7), (0, 6), *ALL[1::2]], "1 out of order", id="two changed places"),
        pytest.param([(0, 5), (0, 7), (0, 7), *ALL[1::2]], "1 lost, 1 doubled", id="one came in place of another"),
    ],
)
def test_what_is_lost_doubled_or_out_of_order_is_counted(arrivals: list[tuple[int, int]], faults: str) -> None:
    assert tally_of(arrivals).faults() == faults


def test_a_run_is_not_complete_while_deliveries_are_missing() -> None:
    assert not tally_of(ALL[:-1]).complete


def test_percentiles_are_those_of_the_deliveries() -> None:
    tally = tally_of([(0, sequence) for sequence in range(1, 101)], watchers=1, first=1, count=100)
    assert tally.percentile_ms(0.5) == 50
    assert tally.percentile_ms(0.99) == 99
    assert tally.percentile_ms(1) == 100
