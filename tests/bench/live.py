"""The live engine beside the bare socket and its rivals: one table, every row a promise."""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import nan

import click
import psutil

from tests.bench import scenarios
from tests.bench.asking import BadAnswer
from tests.bench.contestants import BARE, GRAPHQL_WS, MERCURIUS, NAMES, OURS, STOCK, NoContestant, pin_client
from tests.bench.scenarios import Delivery, Throughput
from tests.bench.watchers import TooSlow

_SOCKETS_NEEDED = 11_000
_ROUNDS = 2
"""How often each contestant takes its turn; the better one counts, for all alike."""
_STOCK_SOCKETS = 1000
"""More of them take stock Strawberry minutes to open."""


@dataclass(slots=True)
class Row:
    """One line: what was measured, what is wanted, and what everybody came to."""

    what: str
    goal: str
    verdict: str
    cells: Mapping[str, str]


@dataclass(slots=True)
class Report:
    """The rows as they come, and what has to be known to believe them."""

    deliveries: int = 0
    faults: list[str] = field(default_factory=list)
    client_shares: list[tuple[float, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, what: str, result: Delivery) -> Delivery:
        """Count the deliveries of a result."""
        self.deliveries += result.deliveries
        self.client_shares.append((result.client_share, what))
        if result.faults:
            self.faults.append(f"{what}: {result.faults}")
        if result.message_bytes != scenarios.MESSAGE_BYTES:
            self.notes.append(f"{what}: messages of {result.message_bytes} bytes")
        return result

    def throughput(self, what: str, result: Throughput, cells: dict[str, str], name: str) -> float:
        """Write a rate into its cell."""
        self.client_shares.append((result.client_share, what))
        cells[name] = f"{result.per_second:,.0f}/s, {result.cpu_us:.0f} µs"
        return result.per_second

    def attempt(self, what: str, work: Callable[[], float]) -> float | str:
        """Take a number, or the reason why there is none."""
        click.echo(f"  {what} …", err=True)
        try:
            return work()
        except (NoContestant, TooSlow, BadAnswer) as failure:
            self.notes.append(f"{what}: {failure}")
            return str(failure) if isinstance(failure, NoContestant) else "failed"


_Values = dict[str, float | str]


def run(only: Iterable[str]) -> None:
    """Measure the rows named, or all, and print the table."""
    if not sys.platform.startswith("linux"):
        raise click.ClickException("this needs Linux: epoll, /proc, and processes kept to their cores")
    _allow_sockets()
    # What the clients hold is not garbage; a collection here would be measured as latency there.
    gc.disable()
    click.echo(pin_client(), err=True)
    report, rows, began, others = Report(), [], time.monotonic(), _others_s()
    for name in only or MEASURES:
        click.echo(name, err=True)
        rows += MEASURES[name](report)
    took_s = time.monotonic() - began
    disturbance = (_others_s() - others) / took_s
    report.notes.append(f"other processes used {disturbance:.0%} of a core meanwhile, in {took_s:.0f} s")
    _print(rows, report)


# ---- rows ----


def _delivery(report: Report) -> list[Row]:
    return [
        *_cpu(report, 1000, rate=8, events=16, rivals=NAMES),
        *_cpu(report, 4000, rate=2, events=5, rivals=(OURS, BARE, GRAPHQL_WS, MERCURIUS)),
    ]


def _cpu(report: Report, sockets: int, rate: float, events: int, rivals: Iterable[str]) -> list[Row]:
    rounds: dict[str, list[float | str]] = {name: [] for name in rivals}
    for turn in range(_ROUNDS):
        for name, values in rounds.items():
            if turn and name == STOCK:
                continue  # it takes longest, and nothing is compared with it
            # Above saturation a queue is measured, and not what a delivery costs.
            pace = rate / 4 if name == STOCK else rate
            what = f"{name}, {sockets:,} sockets"

            def work(name: str = name, pace: float = pace, what: str = what) -> float:
                return report.note(what, scenarios.delivery(name, sockets, pace, events)).cpu_us

            values.append(report.attempt(what, work))
    best = {
        name: min(values, key=lambda each: each if isinstance(each, float) else 1e9) for name, values in rounds.items()
    }
    ours, floor, rival = (_number(best.get(name)) for name in (OURS, BARE, GRAPHQL_WS))
    cells = {
        name: f"{value:.1f} µs ({value / floor:.2f} ×)" if isinstance(value, float) else value
        for name, value in best.items()
    }
    return [
        Row(
            f"CPU a delivery, {sockets:,} sockets in one room (× bare)",
            "≤ 1.6, aim ≤ 1.3",
            _verdict(ours / floor, 1.6, 1.3),
            cells,
        ),
        Row(
            f"the same, graphql-ws : ours, {sockets:,} sockets",
            "≥ 3, aim ≥ 4",
            _verdict(-rival / ours, -3, -4),
            {OURS: f"{rival / ours:.2f}"},
        ),
    ]


def _latency(report: Report) -> list[Row]:
    values: _Values = {}
    cells: dict[str, str] = {STOCK: "not run: 5 cores' work"}
    for name in (OURS, BARE, GRAPHQL_WS, MERCURIUS):
        what = f"{name}, latency"

        def work(name: str = name, what: str = what) -> float:
            result = report.note(what, scenarios.delivery(name, 1000, 20, 100))
            cells[name] = f"p50 {result.p50_ms:.1f}, p99 {result.p99_ms:.1f} ms"
            return result.p99_ms

        values[name] = report.attempt(what, work)
        cells.setdefault(name, str(values[name]))
    verdict = _verdict(_number(values[OURS]), 50, 25)
    return [Row("latency, 1,000 sockets, 20 events/s", "p99 ≤ 50 ms, aim ≤ 25", verdict, cells)]


def _memory(report: Report) -> list[Row]:
    pauses: dict[str, str] = {}
    pause_ms = nan
    values: _Values = {}
    for name in NAMES:
        sockets = _STOCK_SOCKETS if name == STOCK else 10_000

        def work(name: str = name, sockets: int = sockets) -> float:
            nonlocal pause_ms
            result = scenarios.memory(name, sockets)
            pauses[name] = f"{result.pause_without_ms:.0f} → {result.pause_ms:.0f} ms"
            if name == OURS:
                pause_ms = result.pause_ms
            return result.bytes_each / 1000

        values[name] = report.attempt(f"{name}, {sockets:,} idle sockets", work)
    if STOCK in pauses:
        pauses[STOCK] += f" ({_STOCK_SOCKETS:,})"
    cells = _cells(values, "{:.1f} kB")
    cells[STOCK] += f" ({_STOCK_SOCKETS:,})"
    return [
        Row(
            "memory an idle subscribed socket, 10,000 sockets",
            "≤ 20 kB, aim ≤ 12",
            _verdict(_number(values[OURS]), 20, 12),
            cells,
        ),
        Row("full garbage collection, without → with them", "≤ 20 ms", _verdict(pause_ms, 20, 20), pauses),
    ]


def _connect(report: Report) -> list[Row]:
    values, cells = _Values(), dict[str, str]()
    for name in NAMES:
        what = f"{name}, connecting"

        def work(name: str = name, what: str = what) -> float:
            result = scenarios.connecting(name, 500 if name == STOCK else 2000)
            return report.throughput(what, result, cells, name)

        values[name] = report.attempt(what, work)
        cells.setdefault(name, str(values[name]))
    ratio = _ratio(values, cells, GRAPHQL_WS)
    what = "connect, init, subscribe, first event (× graphql-ws)"
    return [Row(what, "≥ 1.3, aim ≥ 2.5", _verdict(-ratio, -1.3, -2.5), cells)]


def _rooms(report: Report) -> list[Row]:
    what = f"{OURS}, 1,000 rooms"

    def work() -> float:
        result = report.note(what, scenarios.delivery(OURS, 10_000, 1, 6, rooms=1000))
        return result.server_share * 100

    value = report.attempt(what, work)
    verdict = _verdict(_number(value), 60, 35)
    title = "1,000 rooms × 10 sockets, one event a room and second"
    return [Row(title, "≤ 60 % of a core, aim ≤ 35", verdict, _cells({OURS: value}, "{:.0f} %"))]


def _reads(report: Report) -> list[Row]:
    return [
        _read_row(report, "nothing changes", 0),
        _read_row(report, "20 events/s change them", 20),
    ]


def _read_row(report: Report, condition: str, changes_per_second: float) -> Row:
    values, cells, sizes = _Values(), dict[str, str](), dict[str, int]()
    for name in (OURS, MERCURIUS):
        what = f"{name}, rooms while {condition}"

        def work(name: str = name, what: str = what) -> float:
            result, body = scenarios.reads(name, 3, changes_per_second)
            sizes[name] = _checked_size(body)
            return report.throughput(what, result, cells, name)

        values[name] = report.attempt(what, work)
        cells.setdefault(name, str(values[name]))
    ratio = _ratio(values, cells, MERCURIUS)
    said = ", ".join(f"{name} {size:,} bytes" for name, size in sizes.items())
    report.notes.append(f"answers of `rooms` while {condition}: {said}")
    return Row(f"`rooms(first: 50)`, {condition} (× mercurius)", "≥ 1.0, aim ≥ 1.5", _verdict(-ratio, -1, -1.5), cells)


def _stalled(report: Report) -> list[Row]:
    pairs: list[tuple[float, float]] = []
    what = f"{OURS}, 5,000 sockets, 100 stalled"

    def work() -> float:
        alone, beside, left = scenarios.beside_stalled(OURS, 5000, 100, 2, 16)
        report.notes.append(f"{what}: {left} of them still connected at the end")
        pairs.append((report.note(what, alone).p99_ms, report.note(what, beside).p99_ms))
        return pairs[-1][1]

    for _ in range(_ROUNDS):
        value = report.attempt(what, work)
    without, beside = min(pairs, key=lambda pair: pair[1], default=(nan, _number(value)))
    rise = (beside / without - 1) * 100
    cells = {OURS: f"p99 {without:.1f} → {beside:.1f} ms ({rise:+.0f} %)"}
    return [Row("100 stalled readers among 5,000", "rise ≤ 10 %, aim none", _verdict(rise, 10, 0), cells)]


def _backend(report: Report) -> list[Row]:
    result: list[Delivery] = []

    def work() -> float:
        result.append(report.note("from Kazoo", scenarios.from_backend(1000, 20, 100)))
        return result[0].p99_ms

    value = report.attempt("from Kazoo, 1,000 sockets", work)
    cells = {OURS: f"p50 {result[0].p50_ms:.1f}, p99 {result[0].p99_ms:.1f} ms" if result else str(value)}
    met = _verdict(_number(value), 20, nan)
    verdict = "aim met" if met == "must met" and result[0].p50_ms <= 5 else met
    return [Row("Kazoo's frame in → clients' frames out, 1,000 sockets", "p99 ≤ 20 ms, aim p50 ≤ 5", verdict, cells)]


MEASURES: dict[str, Callable[[Report], list[Row]]] = {
    "delivery": _delivery,
    "latency": _latency,
    "memory": _memory,
    "connect": _connect,
    "rooms": _rooms,
    "reads": _reads,
    "stalled": _stalled,
    "backend": _backend,
}


# ---- inside ----


def _checked_size(body: bytes) -> int:
    """Give the size of an answer that has all rooms and participants.

    Errors: BadAnswer.
    """
    if body.count(b'"participantCount"') != 50 or body.count(b'"joinedAt"') != 200:
        raise BadAnswer(body[:200].decode(errors="replace"))
    return len(body)


def _ratio(values: _Values, cells: dict[str, str], rival: str) -> float:
    """Give how many times as often ours does it, and say so in its cell."""
    ratio = _number(values[OURS]) / _number(values[rival])
    cells[OURS] += f" ({ratio:.2f} ×)"
    return ratio


def _number(value: float | str | None) -> float:
    return value if isinstance(value, float) else nan


def _cells(values: _Values, form: str) -> dict[str, str]:
    return {name: form.format(value) if isinstance(value, float) else value for name, value in values.items()}


def _verdict(value: float, must: float, aim: float) -> str:
    """Judge a number of which less is better; what could not be measured is not judged."""
    if value != value:
        return "not measured"
    return "aim met" if value <= aim else "must met" if value <= must else "MISSED"


def _print(rows: Iterable[Row], report: Report) -> None:
    click.echo(f"| what | goal | verdict | {' | '.join(NAMES)} |")
    click.echo("|---" * (3 + len(NAMES)) + "|")
    for row in rows:
        cells = " | ".join(row.cells.get(name, "–") for name in NAMES)
        click.echo(f"| {row.what} | {row.goal} | {row.verdict} | {cells} |")
    click.echo(f"\nDeliveries counted: {report.deliveries:,}; lost, doubled, out of order or foreign: ", nl=False)
    click.echo("; ".join(report.faults) or "0")
    compared = [(share, what) for share, what in report.client_shares if not what.startswith(BARE)]
    if compared:
        share, what = max(compared)
        click.echo(f"The clients used {share:.0%} of their core at most ({what}): room for {1 / share:.1f} × as much.")
    for note in report.notes:
        click.echo(f"- {note}")


def _others_s() -> float:
    """Give the CPU seconds of this machine that were neither ours nor our servers'."""
    machine, ours = psutil.cpu_times(), os.times()
    busy_s: float = sum(machine[:8]) - machine.idle - machine.iowait  # guests, behind these, are counted within
    return busy_s - (ours.user + ours.system + ours.children_user + ours.children_system)


def _allow_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _SOCKETS_NEEDED:
        raise click.ClickException(f"{_SOCKETS_NEEDED:,} open files are needed; the limit is {most:,}")
    wanted = 20_000 if most == resource.RLIM_INFINITY else most
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
