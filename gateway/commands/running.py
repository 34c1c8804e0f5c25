"""How every long-running command starts its event loop and hears Ctrl-C."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import TypeVar

import click

if sys.platform == "win32":
    _LOOP_FACTORY = asyncio.new_event_loop
else:
    import uvloop

    _LOOP_FACTORY = uvloop.new_event_loop

_Result = TypeVar("_Result")


def run(work: Coroutine[object, object, _Result]) -> _Result:
    """Run to the end on the fastest event loop there is for the platform."""
    with asyncio.Runner(loop_factory=_LOOP_FACTORY) as runner:
        return runner.run(work)


async def stop_asked_for() -> None:
    """Wait for Ctrl-C, a polite kill, or the terminal being closed."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_number, asked.set)
    await asked.wait()


def leave_to_collector_what_comes() -> None:
    """Keep what is there now, modules and the schema above all, out of garbage collections: each would look at it."""
    gc.collect()
    gc.freeze()


def log_to_terminal() -> None:
    """Write what happens to standard error, a line each."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)


class Complaint(click.ClickException):
    """Ends a command with exit code 2 and a text for whoever typed it."""

    exit_code = 2
