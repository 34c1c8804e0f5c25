"""Prints what the gateway costs, beside the goals: `python -m tests.bench [name …]`, and `live` for the live engine."""

import asyncio
from collections.abc import Callable

import click

from tests.bench import frames, live, memory, processes, scenarios, xivo

MEASURES: dict[str, Callable[[], str]] = {
    "frames": frames.measure,
    "xivo": xivo.measure,
    "memory": memory.measure,
    "start": lambda: asyncio.run(processes.start()),
    "idle": lambda: asyncio.run(processes.idle()),
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*MEASURES, "live"]))
@click.option("--only", help=f"Of `live`, only these rows, with commas: {', '.join(live.MEASURES)}.")
@click.option("--profile", is_flag=True, help="Instead of `live`'s table, where the gateway's time goes.")
def main(names: tuple[str, ...], only: str | None, *, profile: bool) -> None:
    """Run the measures named, or all but `live`."""
    for name in names or MEASURES:
        if name != "live":
            click.echo(f"{name:<8} {MEASURES[name]()}")
        elif profile:
            click.echo(scenarios.profile(1000, 8, 40))
        else:
            live.run(_rows(only))


def _rows(only: str | None) -> list[str]:
    rows = [each.strip() for each in (only or "").split(",") if each.strip()]
    if unknown := set(rows) - set(live.MEASURES):
        raise click.UsageError(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(live.MEASURES)}")
    return rows


if __name__ == "__main__":
    main()
