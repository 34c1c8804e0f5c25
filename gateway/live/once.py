"""Lets a command with an idempotency key act once, and gives its first answer to every repeat."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from gateway.live.asks import Ask
from gateway.live.results import CommandOutcome, CommandResult, rejected
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.viewer import Viewer
from gateway.storage import (
    Abandoned,
    Answered,
    Conflict,
    Idempotency,
    InProgress,
    KeyOwner,
    Reserved,
    StorageUnavailable,
)

_KEY_MAX_CHARS = 200
_RETRY_AFTER_MS = 1000
_NOT_STORED_MAX = 1000
_CUT_SHORT = CommandResult(
    CommandOutcome.UNKNOWN,
    (
        CommandError(
            CommandErrorCode.TIMEOUT, "the gateway was stopped while it did this command: it may or may not have acted"
        ),
    ),
)
_Place = tuple[KeyOwner, str]


class Once:
    """Remembers commands by their viewer and key.

    Shape: `secret` keeps what is stored of a command's input (there may be PINs in it) from being guessed. The last
           answers that the database did not take are kept in memory.
    """

    def __init__(self, kept: Idempotency, secret: bytes) -> None:
        self._kept = kept
        self._secret = secret
        self._under_way: dict[_Place, asyncio.Future[CommandResult]] = {}
        self._not_stored: dict[_Place, CommandResult] = {}

    async def do(
        self, viewer: Viewer, ask: Ask, key: str, act: Callable[[], Awaitable[CommandResult]]
    ) -> CommandResult:
        """Act if this viewer has not used the key before; else give the first answer.

        A refusal that invites another try is not kept: nothing was done, and the repeat may act.
        """
        if not 1 <= len(key) <= _KEY_MAX_CHARS:
            message = f"an idempotency key has 1 to {_KEY_MAX_CHARS} characters"
            return rejected(CommandError(CommandErrorCode.INVALID_INPUT, message, ("idempotencyKey",)))
        owner = KeyOwner(viewer.tenant, viewer.subject)
        try:
            reservation = await self._kept.reserve(owner, key, self._fingerprint(ask))
        except StorageUnavailable:
            message = "the gateway cannot reach its database, and without it a repeat could act twice"
            return rejected(CommandError(CommandErrorCode.BACKEND_UNAVAILABLE, message, retry_after_ms=_RETRY_AFTER_MS))
        match reservation:
            case Reserved():
                return await self._first(owner, key, act)
            case Answered(answer):
                return msgspec.convert(answer, CommandResult)
            case InProgress():
                return await self._same_as_first(owner, key, act)
            case Conflict():
                message = "this idempotency key was used for another command"
                return rejected(CommandError(CommandErrorCode.CONFLICT, message, ("idempotencyKey",)))
            case Abandoned():
                return _CUT_SHORT

    async def _first(self, owner: KeyOwner, key: str, act: Callable[[], Awaitable[CommandResult]]) -> CommandResult:
        under_way: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._under_way[owner, key] = under_way
        result, stored = _CUT_SHORT, False
        try:
            result = await act()
            stored = await self._store(owner, key, result)
        finally:
            del self._under_way[owner, key]
            if not stored:
                self._remember(owner, key, result)
            under_way.set_result(result)
        return result

    async def _store(self, owner: KeyOwner, key: str, result: CommandResult) -> bool:
        """Store the answer; when the database fails now, the key stays reserved, so that nothing acts again."""
        try:
            if _may_be_tried_again(result):
                await self._kept.release(owner, key)
            else:
                await self._kept.finish(owner, key, msgspec.to_builtins(replace(result, voice_call_token=None)))
        except StorageUnavailable:
            return False
        return True

    def _remember(self, owner: KeyOwner, key: str, result: CommandResult) -> None:
        self._not_stored[owner, key] = result
        if len(self._not_stored) > _NOT_STORED_MAX:
            del self._not_stored[next(iter(self._not_stored))]

    async def _same_as_first(
        self, owner: KeyOwner, key: str, act: Callable[[], Awaitable[CommandResult]]
    ) -> CommandResult:
        if (under_way := self._under_way.get((owner, key))) is not None:
            return await asyncio.shield(under_way)
        if (result := self._not_stored.get((owner, key))) is not None:
            return await self._first(owner, key, act) if _may_be_tried_again(result) else result
        message = "this command is being done right now"
        return rejected(CommandError(CommandErrorCode.CONFLICT, message, retry_after_ms=_RETRY_AFTER_MS))

    def _fingerprint(self, ask: Ask) -> str:
        plain = msgspec.to_builtins((ask.backend_id, ask.wish.action, ask.wish), order="deterministic")
        # Not msgspec's JSON: ids may hold halves of characters, which only escapes can say.
        return hashlib.blake2b(json.dumps(plain).encode(), key=self._secret, digest_size=16).hexdigest()


def _may_be_tried_again(result: CommandResult) -> bool:
    return any(error.retry_after_ms is not None for error in result.errors)
