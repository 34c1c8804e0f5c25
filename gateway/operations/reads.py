"""Answers to queries, kept for as long as nothing has changed that they could show."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from gateway.operations.execution import Answer, Execution

_EXECUTIONS_KEPT = 1000
_BYTES_KEPT = 32 * 1024 * 1024
_ANSWER_MAX_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Read:
    execution: Execution
    version: int = -1
    answer: Answer | None = None


class Reads:
    """Executes identical reads once between two changes.

    An answer that did not have to wait for anything was made of live state only, all at one moment; so it holds as long
    as the version of the live state is the same. Answers with errors are not kept.
    """

    def __init__(self, version: Callable[[], int]) -> None:
        self._version = version
        self._reads: OrderedDict[Hashable, _Read] = OrderedDict()
        self._bytes = 0

    def answer(self, key: Hashable, make: Callable[[], Execution]) -> Answer | Awaitable[Answer]:
        """Answer a query.

        Errors: those of `make`.
        """
        read = self._reads.get(key)
        if read is None:
            read = self._reads[key] = _Read(make())
        version = self._version()
        if read.answer is not None and read.version == version:
            self._reads.move_to_end(key)
            return read.answer
        answer = read.execution.run()
        self._forget(read)
        if isinstance(answer, Answer) and answer.clean and len(answer.body) <= _ANSWER_MAX_BYTES:
            read.answer, read.version = answer, version
            self._bytes += len(answer.body)
        self._reads.move_to_end(key)
        self._make_room()
        return answer

    def _make_room(self) -> None:
        while len(self._reads) > _EXECUTIONS_KEPT or self._bytes > _BYTES_KEPT:
            _, oldest = self._reads.popitem(last=False)
            self._forget(oldest)

    def _forget(self, read: _Read) -> None:
        if read.answer is not None:
            self._bytes -= len(read.answer.body)
            read.answer = None
