"""What can go wrong between us and a backend.

GatewayError
├── LinkDown          the backend cannot be reached, or cut us off: worth trying again
├── SignInRefused     it knows us not: an operator has to do something
├── CommandRefused    it (or we) will not do what was asked; carries a CommandError
├── OutcomeUnknown    the command went out and no answer came: it may or may not have acted
└── NotesUnavailable  what an adapter keeps over restarts cannot be read or written
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.capability import Capability


class CommandErrorCode(StrEnum):
    """Stable names of refusals; programs compare these, never the message."""

    NOT_A_MEMBER = "NOT_A_MEMBER"
    NOT_ORGANIZER = "NOT_ORGANIZER"
    CANNOT_KICK_ORGANIZER = "CANNOT_KICK_ORGANIZER"
    PARTICIPANT_NOT_FOUND = "PARTICIPANT_NOT_FOUND"
    ROOM_NOT_FOUND = "ROOM_NOT_FOUND"
    ROOM_NOT_ACTIVE = "ROOM_NOT_ACTIVE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    FORBIDDEN = "FORBIDDEN"
    INVALID_INPUT = "INVALID_INPUT"
    BACKEND_UNAVAILABLE = "BACKEND_UNAVAILABLE"
    BACKEND_REFUSED = "BACKEND_REFUSED"
    BACKEND_RATE_LIMITED = "BACKEND_RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class CommandError:
    """Why a command was not done.

    Shape: `field` is the path in the mutation's input; `message` is for people and holds no secret.
    Units: `retry_after_ms` is set only when trying again makes sense.
    """

    code: CommandErrorCode
    message: str
    field: tuple[str, ...] | None = None
    retry_after_ms: int | None = None
    capability: Capability | None = None


class GatewayError(Exception):
    """The root of all our errors; its text is fit for operators and holds no secret."""


class LinkDown(GatewayError):
    """The backend cannot be reached, or the connection ended."""


class SignInRefused(GatewayError):
    """The backend does not accept our credentials, or the account may not do what we need."""


class CommandRefused(GatewayError):
    """A command will not be done; nothing has changed, except as far as `errors` says."""

    def __init__(self, *errors: CommandError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class OutcomeUnknown(GatewayError):
    """A command was sent and no answer came."""


class NotesUnavailable(GatewayError):
    """What an adapter keeps over restarts cannot be read or written."""


def refused(
    code: CommandErrorCode,
    message: str,
    *,
    field: tuple[str, ...] | None = None,
    retry_after_ms: int | None = None,
    capability: Capability | None = None,
) -> CommandRefused:
    """Make the exception for a single refusal."""
    return CommandRefused(CommandError(code, message, field, retry_after_ms, capability))
