"""Prints what the gateway costs, beside the goals: `python -m tests.bench [name …]`."""

import asyncio
import sys
from collections.abc import Callable

import click

from tests.bench import frames, memory, processes

MEASURES: dict[str, Callable[[], str]] = {
    "frames": frames.measure,
    "memory": memory.measure,
    "start": lambda: asyncio.run(processes.start()),
    "idle": lambda: asyncio.run(processes.idle()),
}


def main() -> None:
    """Run the measures named on the command line, or all."""
    for name in sys.argv[1:] or MEASURES:
        click.echo(f"{name:<8} {MEASURES[name]()}")


if __name__ == "__main__":
    main()
