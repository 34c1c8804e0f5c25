"""How every long-running command starts its event loop and hears Ctrl-C."""

import asyncio
import gc
import itertools
import logging
import signal
import sys
from collections.abc import Coroutine, Mapping
from typing import TypeVar

import click

if sys.platform == "win32":
    _LOOP_FACTORY = asyncio.new_event_loop
else:
    import uvloop

    _LOOP_FACTORY = uvloop.new_event_loop

_Result = TypeVar("_Result")
_FULL = 2
"""The generation of a full collection."""
_EVERYTHING_EVERY = 100


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


def spare_the_collector() -> None:
    """Let a full garbage collection look only at what came since the last one, so that nobody waits for it.

    What has survived one is modules, the schema, rooms and sockets, which are freed without the collector when they
    go. Every hundredth one looks at everything all the same.
    """
    collections = itertools.count(1)

    def collected(phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] == _FULL and phase == "stop":
            gc.freeze()
        elif info["generation"] == _FULL and next(collections) % _EVERYTHING_EVERY == 0:
            gc.unfreeze()

    gc.callbacks.append(collected)
    gc.collect()


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
