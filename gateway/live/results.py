"""What a command is answered with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.errors import CommandError
from gateway.model.ids import Position, RoomKey
from gateway.model.room import Participant


class CommandOutcome(StrEnum):
    """CONFIRMED: the effect was observed. ACCEPTED: the backend took it. REJECTED: not done. UNKNOWN: nobody knows."""

    CONFIRMED = "CONFIRMED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class ParticipantResult:
    """What a command for everybody came to for one of them."""

    participant: Participant
    outcome: CommandOutcome
    error: CommandError | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command came to.

    Shape: `position` is that of the event which shows the effect, in the log of the room `key`; `participant` is whom
           it was about, as of that event. It can be stored and given again, so it refers to the room only by its key;
           `voice_call_token` is a secret, and never stored.
    """

    outcome: CommandOutcome
    errors: tuple[CommandError, ...] = ()
    key: RoomKey | None = None
    position: Position | None = None
    participant: Participant | None = None
    results: tuple[ParticipantResult, ...] = ()
    voice_call_token: str | None = field(default=None, repr=False)


def rejected(*errors: CommandError, key: RoomKey | None = None) -> CommandResult:
    """Answer that nothing was done."""
    return CommandResult(CommandOutcome.REJECTED, errors, key)


def summed_up(key: RoomKey, results: Sequence[CommandResult], participants: Sequence[Participant]) -> CommandResult:
    """Answer a command for everybody from what it came to for each of them.

    The position is the last of theirs. It is CONFIRMED when it is for each, REJECTED when it is for each, UNKNOWN when
    it is for any, else ACCEPTED.
    """
    each = tuple(
        ParticipantResult(participant, result.outcome, result.errors[0] if result.errors else None)
        for participant, result in zip(participants, results, strict=True)
    )
    outcomes = {result.outcome for result in results} or {CommandOutcome.CONFIRMED}
    outcome = outcomes.pop() if len(outcomes) == 1 else CommandOutcome.ACCEPTED
    if CommandOutcome.UNKNOWN in outcomes:
        outcome = CommandOutcome.UNKNOWN
    position = max((result.position for result in results if result.position), default=None)
    errors = tuple(dict.fromkeys(error for result in results for error in result.errors))
    return CommandResult(outcome, errors, key, position, results=each)
