"""Everything that a program shows of itself: its log at the finest, and its exceptions to the last detail."""

import traceback

import pytest

_OTHER_SIDE = ("uvicorn", "websockets", "aiohttp.access", "aiohttp.server", "aiohttp.web")
"""A simulator's own loggers; it is here only because tests have both ends in one process."""


def told(error: BaseException) -> str:
    """Everything an exception can show, and those that it came from."""
    shown, seen, open_ends = [], set(), [error]
    while open_ends:
        one = open_ends.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        shown += [*traceback.format_exception(one), str(one), repr(one), repr(vars(one)), repr(one.args)]
        open_ends += [each for each in (one.__cause__, one.__context__) if each is not None]
    return "".join(shown)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    ours = [record for record in caplog.records if not record.name.startswith(_OTHER_SIDE)]
    return "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in ours)
