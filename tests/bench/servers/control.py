"""How the benchmark commands a server: a line of JSON each on standard input, answered by one on standard output."""

import asyncio
import cProfile
import gc
import io
import json
import pstats
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_TICK_S = 0.01
"""What is due within this time happens in one turn of the loop."""
_PROFILED_LINES = 40


class Control:
    """Obeys until standard input ends.

    Shape: `happen(room, text)` makes one event in the nth room; its text has the event's number and time, then padding.
    """

    def __init__(self, rooms: int, happen: Callable[[int, str], None]) -> None:
        self._rooms = rooms
        self._happen = happen
        self._sequence = 0
        self._pad = ""
        self._profile = cProfile.Profile()

    async def obey(self, hello: Mapping[str, object]) -> None:
        """Say that the server is ready, then do what is asked."""
        _answer(hello)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            _answer(await self._obeyed(json.loads(line)))

    async def _obeyed(self, command: Mapping[str, Any]) -> Mapping[str, object]:
        match command:
            case {"emit": {"rate": rate, "count": count}}:
                await self._emit(rate * self._rooms, count)
            case {"pad": size}:
                self._pad = "~" * size
            case {"usage": _}:
                return _usage()
            case {"gc": _}:
                return {"pause_ms": _collected_ms()}
            case {"profile": True}:
                self._profile.enable()
            case {"profile": False}:
                return {"profile": self._profiled()}
        return {}

    async def _emit(self, per_second: float, count: int) -> None:
        """Let `count` events happen in each room, all rooms taking turns."""
        began, done, total = time.monotonic(), 0, count * self._rooms
        while done < total:
            due = min(total, int((time.monotonic() - began) * per_second) + 1)
            for nth in range(done, due):
                number = self._sequence + nth // self._rooms
                self._happen(nth % self._rooms, f"#{number:08d}@{time.monotonic_ns():019d}{self._pad}")
            done = due
            await asyncio.sleep(max(_TICK_S, began + done / per_second - time.monotonic()))
        self._sequence += count

    def _profiled(self) -> str:
        self._profile.disable()
        out = io.StringIO()
        pstats.Stats(self._profile, stream=out).sort_stats("tottime").print_stats(_PROFILED_LINES)
        return out.getvalue()


def _answer(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _usage() -> dict[str, object]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {"cpu_s": used.ru_utime + used.ru_stime, "rss": pages * resource.getpagesize()}


def _collected_ms() -> float:
    began = time.perf_counter()
    gc.collect()
    return (time.perf_counter() - began) * 1000
