"""Where commands are handed in: checked, sent once, and answered with what was observed.

The way of a command: was it asked before, may the viewer do it, is there such a room and participant, can the backend?
Then it is sent, and the desk waits (bounded) for the event that shows its effect; a backend that stays silent is read
again.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from gateway.adapter import Receipt
from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.live.confirm import as_of, confirmed
from gateway.live.effects import ONE_BY_ONE, Effect, effect_of, effect_on
from gateway.live.link import BackendStatus, Link
from gateway.live.once import Once
from gateway.live.results import CommandOutcome, CommandResult, rejected, summed_up
from gateway.live.rights import forbidden
from gateway.live.table import RoomAt
from gateway.model.capability import CapabilityLevel, Sparing, Support
from gateway.model.commands import Action, AdoptRoom, BulkCommand, Command, Invite, ParticipantCommand, PlayMedia
from gateway.model.errors import (
    CommandError,
    CommandErrorCode,
    CommandRefused,
    GatewayError,
    LinkDown,
    OutcomeUnknown,
    refused,
)
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.reports import CommandFailedReport
from gateway.model.room import LeaveReason, Participant, ParticipantRole, RoomState
from gateway.model.viewer import Viewer
from gateway.storage import AuditRecord, BatchWriter

log = logging.getLogger(__name__)

_RETRY_AFTER_MS = 2000
"""When to come back to a backend that is not connected."""
_AT_ONCE = 8
"""How many commands of one COMPOSED ask are with the backend at the same time."""
_MAY_BE_MODERATOR = CommandError(
    CommandErrorCode.CONFLICT, "moderators are to be left alone, and the backend has not said whether this is one"
)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Errand:
    """A checked ask: whose, for which backend, how that does it, and about which room as it was then."""

    viewer: Viewer
    link: Link
    support: Support
    room_at: RoomAt | None
    deadline: float
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    @property
    def about(self) -> RoomAt:
        """The room of an ask that is about one."""
        if self.room_at is None:
            raise TypeError("this ask is about no room")
        return self.room_at


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the backend answered to a command; without an answer, what that makes of the outcome, and why."""

    receipt: Receipt = field(default_factory=Receipt)
    unseen: CommandOutcome = CommandOutcome.ACCEPTED
    error: CommandError | None = None


class Desk:
    """Does commands for viewers.

    Units: a command is answered after `confirm_s` seconds at the latest, however far it is by then.
    """

    def __init__(
        self, links: Mapping[BackendId, Link], once: Once, audit: BatchWriter, *, confirm_s: float = 3.0
    ) -> None:
        self._links = links
        self._once = once
        self._audit = audit
        self._confirm_s = confirm_s
        self._running: set[asyncio.Task[object]] = set()

    async def do(self, viewer: Viewer, ask: Ask, idempotency_key: str | None = None) -> CommandResult:
        """Do what the viewer asks and say what it came to; refusals are part of the answer.

        A viewer who goes away while waiting does not stop what was begun.
        """
        doing = self._begin(self._do_and_record(viewer, ask, idempotency_key))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            doing.add_done_callback(_log_fault)  # nobody else will be told of it
            raise

    async def aclose(self) -> None:
        """Stop waiting for anything that is still under way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _do_and_record(self, viewer: Viewer, ask: Ask, idempotency_key: str | None) -> CommandResult:
        began = time.monotonic()
        result = CommandResult(CommandOutcome.UNKNOWN)  # unless it comes to an end
        try:
            if idempotency_key is None:
                result = await self._try(viewer, ask)
            else:
                result = await self._once.do(viewer, ask, idempotency_key, partial(self._try, viewer, ask))
        finally:
            self._audit.put(_audited(viewer, ask, result, time.monotonic() - began))
        return result

    async def _try(self, viewer: Viewer, ask: Ask) -> CommandResult:
        try:
            errand = self._check(viewer, ask)
            match ask.wish:
                case AskEverybody() as wish:
                    return await self._everybody(errand, wish)
                case AskMe() as wish:
                    return await self._act(errand, _on_me(errand, wish))
                case command:
                    return await self._act(errand, command)
        except CommandRefused as refusal:
            key = None if ask.room_id is None else RoomKey(ask.backend_id, ask.room_id)
            return rejected(*refusal.errors, key=key)

    # ---- may it be done at all ----

    def _check(self, viewer: Viewer, ask: Ask) -> _Errand:
        capability = ask.wish.action.capability
        if (reason := forbidden(viewer, capability)) is not None:
            raise refused(CommandErrorCode.FORBIDDEN, f"{ask.wish.action} {reason}", capability=capability)
        link = self._links.get(ask.backend_id)
        if link is None:
            raise refused(CommandErrorCode.INVALID_INPUT, "there is no such backend", field=("backendId",))
        room_at = None if ask.room_id is None else _room(link, ask.room_id)
        support = link.adapter.capabilities()[capability]
        _be_usable(support, ask.wish.action, CommandErrorCode.NOT_SUPPORTED)
        if link.status is not BackendStatus.LIVE:
            message = f"{link.name} is not connected now"
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, message, retry_after_ms=_RETRY_AFTER_MS)
        if room_at is not None:
            _be_possible_in(room_at, link, ask.wish.action)
            _know_participant(room_at, ask)
        deadline = asyncio.get_running_loop().time() + self._confirm_s
        return _Errand(viewer, link, support, room_at, deadline)

    # ---- one command ----

    async def _act(self, errand: _Errand, command: Command) -> CommandResult:
        with _expecting(errand, _leaving(errand, command)):
            sent = await self._send(errand, command)
            if errand.room_at is None:
                return await self._made(errand, sent)
            effect = effect_of(command, sent.receipt)
            concerned = sent.receipt.participant_id or getattr(command, "participant_id", None)
            return await self._answer(errand, effect, sent, concerned)

    async def _send(self, errand: _Errand, command: Command) -> _Sent:
        """Hand a command to the backend, and wait for its answer as long as the viewer is willing to.

        Errors: CommandRefused.
        """
        sending = self._begin(_execute(errand, command))
        patience_s = errand.deadline - asyncio.get_running_loop().time()
        await asyncio.wait({sending}, timeout=patience_s)
        if not sending.done():
            sending.add_done_callback(partial(_tell_late_refusal, errand))
            error = CommandError(CommandErrorCode.TIMEOUT, f"{errand.link.name} has not answered yet")
            # A telephone may ring for longer than anybody waits for an answer: that is no fault.
            return _Sent() if isinstance(command, Invite) else _Sent(unseen=CommandOutcome.UNKNOWN, error=error)
        try:
            return _Sent(await sending)
        except OutcomeUnknown as silence:
            return _Sent(unseen=CommandOutcome.UNKNOWN, error=CommandError(CommandErrorCode.TIMEOUT, str(silence)))

    async def _answer(
        self, errand: _Errand, effect: Effect | None, sent: _Sent, participant_id: ParticipantId | None
    ) -> CommandResult:
        """Say what a command that was sent came to, as far as can be seen."""
        before = errand.about
        position = None if effect is None else await confirmed(errand.link, before, effect, errand.deadline)
        if position is not None:
            participant = participant_id and as_of(errand.link, before, position, participant_id)
            return CommandResult(CommandOutcome.CONFIRMED, (), before.key, position, participant or None)
        errors = () if sent.error is None else (sent.error,)
        known = None if participant_id is None else before.room.participants.get(participant_id)
        return CommandResult(sent.unseen, errors, before.key, participant=known)

    async def _made(self, errand: _Errand, sent: _Sent) -> CommandResult:
        """Say where the room is that a command made or adopted."""
        made = sent.receipt.room
        if made is None:
            return CommandResult(sent.unseen, () if sent.error is None else (sent.error,))
        key = RoomKey(errand.link.id, made.id)
        with suppress(TimeoutError, LinkDown):
            async with asyncio.timeout_at(errand.deadline):
                await errand.link.reread(made.id)
        now = errand.link.table.get(made.id)
        return CommandResult(
            CommandOutcome.ACCEPTED if now is None else CommandOutcome.CONFIRMED,
            (),
            key,
            None if now is None else now.position,
            voice_call_token=sent.receipt.voice_call_token,
        )

    # ---- everybody in a room ----

    async def _everybody(self, errand: _Errand, wish: AskEverybody) -> CommandResult:
        spares = errand.support.spares if wish.sparing is None else wish.sparing
        mine = own_presence(errand.viewer, errand.about)
        concerned = [each for each in errand.about.room.participants.values() if not _spared(each, spares, mine)]
        if errand.support.level is CapabilityLevel.NATIVE and spares == errand.support.spares:
            results = await self._all_at_once(errand, wish, concerned)
        else:
            results = await self._one_by_one(errand, wish, concerned, spares)
        as_they_are = [result.participant or each for result, each in zip(results, concerned, strict=True)]
        return summed_up(errand.about.key, results, as_they_are)

    async def _all_at_once(
        self, errand: _Errand, wish: AskEverybody, concerned: Sequence[Participant]
    ) -> list[CommandResult]:
        action = ONE_BY_ONE[wish.action]
        leaving = dict.fromkeys((each.id for each in concerned), LeaveReason.KICKED) if action is Action.KICK else {}
        with _expecting(errand, leaving):
            sent = await self._send(errand, BulkCommand(wish.action, wish.room_id))
            return await asyncio.gather(
                *(self._answer(errand, effect_on(action, each.id), sent, each.id) for each in concerned)
            )

    async def _one_by_one(
        self, errand: _Errand, wish: AskEverybody, concerned: Sequence[Participant], spares: frozenset[Sparing]
    ) -> list[CommandResult]:
        async def one(participant: Participant) -> CommandResult:
            if Sparing.MODERATORS in spares and participant.role is None:
                return rejected(_MAY_BE_MODERATOR)
            try:
                command = ParticipantCommand(ONE_BY_ONE[wish.action], wish.room_id, participant.id)
                return await self._act(errand, command)
            except CommandRefused as refusal:
                return rejected(*refusal.errors)

        return await asyncio.gather(*map(one, concerned))

    def _begin(self, work: Coroutine[object, object, _Result]) -> asyncio.Task[_Result]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def own_presence(viewer: Viewer, room_at: RoomAt) -> Participant | None:
    """Find the viewer among those in a room, by the user of the backend that they are."""
    identity = viewer.identities.get(room_at.key.backend_id)
    if identity is None:
        return None
    return next((each for each in room_at.room.participants.values() if each.user_id == identity), None)


async def _execute(errand: _Errand, command: Command) -> Receipt:
    """Wait for a turn with the backend, also when whoever asked has had their answer meanwhile."""
    identity = errand.viewer.identities.get(errand.link.id)
    room = None if errand.room_at is None else errand.room_at.room
    async with errand.at_once:
        return await errand.link.adapter.execute(command, room, identity)


def _on_me(errand: _Errand, wish: AskMe) -> ParticipantCommand:
    mine = own_presence(errand.viewer, errand.about)
    if mine is None:
        raise refused(CommandErrorCode.NOT_A_MEMBER, "as far as the backend says, you are not in this room")
    return ParticipantCommand(wish.action, wish.room_id, mine.id)


def _room(link: Link, room_id: RoomId) -> RoomAt:
    room_at = link.table.get(room_id)
    if room_at is None:
        raise refused(CommandErrorCode.ROOM_NOT_FOUND, "there is no such room", field=("roomId",))
    return room_at


def _be_usable(support: Support, action: Action, code: CommandErrorCode) -> None:
    if not support.usable:
        keys = f" (keys on the phone: {support.phone_keys})" if support.phone_keys else ""
        raise refused(code, f"{action}: {support.reason or 'not possible'}{keys}", capability=action.capability)


def _be_possible_in(room_at: RoomAt, link: Link, action: Action) -> None:
    narrowed = link.adapter.capabilities_in(room_at.room).get(action.capability)
    if narrowed is not None:
        active = room_at.room.state is RoomState.ACTIVE
        otherwise = CommandErrorCode.CONFLICT if active else CommandErrorCode.ROOM_NOT_ACTIVE
        _be_usable(narrowed, action, narrowed.code or otherwise)


def _know_participant(room_at: RoomAt, ask: Ask) -> None:
    match ask.wish:
        case ParticipantCommand(_, _, participant_id) | PlayMedia(_, _, participant_id):
            if participant_id is not None and participant_id not in room_at.room.participants:
                message = "there is no such participant in the room, or no longer"
                raise refused(CommandErrorCode.PARTICIPANT_NOT_FOUND, message, field=("participantId",))


def _spared(participant: Participant, spares: frozenset[Sparing], mine: Participant | None) -> bool:
    if Sparing.MODERATORS in spares and participant.role is ParticipantRole.MODERATOR:
        return True
    return Sparing.ME in spares and mine is not None and participant.id == mine.id


def _leaving(errand: _Errand, command: Command) -> Mapping[ParticipantId, LeaveReason]:
    """Say who leaves because of a command, and with which reason."""
    match command:
        case ParticipantCommand(Action.KICK, _, participant_id):
            return {participant_id: LeaveReason.KICKED}
        case _ if command.action is Action.CLOSE:
            return dict.fromkeys(errand.about.room.participants, LeaveReason.ROOM_CLOSED)
        case _:
            return {}


@contextmanager
def _expecting(errand: _Errand, leaving: Mapping[ParticipantId, LeaveReason]) -> Iterator[None]:
    """Let leaves during a command that causes them be known for what they are."""
    if not leaving:
        yield
        return
    room_id = errand.about.key.room_id
    errand.link.table.expect(room_id, leaving)
    try:
        yield
    finally:
        errand.link.table.no_longer_expect(room_id, leaving)


def _tell_late_refusal(errand: _Errand, sending: asyncio.Task[Receipt]) -> None:
    """Tell those who watch the room that a command failed after it had been answered."""
    _log_fault(sending)
    failure = None if sending.cancelled() else sending.exception()
    if isinstance(failure, CommandRefused) and errand.room_at is not None:
        for error in failure.errors:
            errand.link.table.report(CommandFailedReport(room_id=errand.room_at.key.room_id, error=error))


def _log_fault(task: asyncio.Task[_Result]) -> None:
    """Log a slip of the gateway or an adapter, in a task whose end nobody waits for."""
    if not task.cancelled() and not isinstance(fault := task.exception(), GatewayError | None):
        log.error("a command was stopped by a fault of the gateway", exc_info=fault)


def _room_concerned(ask: Ask, result: CommandResult) -> RoomId | None:
    """Say which room a command was about: one that was made is known by its result, one to adopt by its own id."""
    if ask.room_id is not None:
        return ask.room_id
    if result.key is not None:
        return result.key.room_id
    return RoomId(ask.wish.native_id) if isinstance(ask.wish, AdoptRoom) else None


def _audited(viewer: Viewer, ask: Ask, result: CommandResult, took_s: float) -> AuditRecord:
    return AuditRecord(
        at=datetime.now(UTC),
        tenant=viewer.tenant,
        subject=viewer.subject,
        backend_id=ask.backend_id,
        room_id=_room_concerned(ask, result),
        participant_id=getattr(ask.wish, "participant_id", None),
        command=ask.wish.action.value,
        outcome=result.outcome.value,
        error_code=result.errors[0].code.value if result.errors else None,
        duration_ms=round(took_s * 1000),
        address=None,
    )
