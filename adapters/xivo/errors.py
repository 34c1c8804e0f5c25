"""XiVO's failures and what they mean to us: the only place that reads its texts.

    XivoError
    ├── RefusedError      XiVO answered a request with an error
    └── UnreachableError  no answer

Its texts may hold anything: only codes that are plain words are repeated.
"""

import re

from adapters.kit.understanding import NotUnderstoodError
from gateway.model.errors import (
    CommandError,
    CommandErrorCode,
    GatewayError,
    LinkDown,
    SignInRefused,
)

_PLAIN = re.compile(r"[A-Za-z0-9 _.:-]{1,64}")


class XivoError(Exception):
    """The root of what goes wrong between XiVO and us over HTTP; its text holds no secret."""


class RefusedError(XivoError):
    """XiVO answered a request with an error.

    Shape: `code` is None for an answer without one, as a proxy gives it. The status of one with a code means nothing.
    """

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(f"XiVO answered {status}")
        self.status = status
        self.code = code


class UnreachableError(XivoError):
    """There was no answer."""


# ---- signing in and on ----


def sign_in_failed(login: str, error: XivoError | NotUnderstoodError) -> GatewayError:
    """Say why an account could not sign in."""
    if not isinstance(error, RefusedError):
        return LinkDown(f"sign-in of '{login}': {error}")
    if error.code == "InvalidCredentials":
        return SignInRefused(f"XiVO does not know the account '{login}' or its password")
    answered = f"XiVO answered the sign-in of '{login}' with"
    if error.code in ("UnhandledError", "TokenExpired") or error.status >= 500:
        return LinkDown(f"{answered} {_named(error)}")
    if error.code is None:
        return SignInRefused(f"{answered} {_named(error)}: is `url` right?")
    return SignInRefused(f"{answered} {_named(error)}")


def handshake_refused(login: str) -> SignInRefused:
    """Say that the websocket takes no token of this account, not even a fresh one."""
    return SignInRefused(f"XiVO does not accept its own token for '{login}'")


def sign_on_failed(login: str, code: str) -> LinkDown:
    """Say that a session did not become ready: xuc gives up on it by itself after a while."""
    return LinkDown(f"XiVO could not start the session of '{login}': {_plain(code)}")


def no_line(login: str) -> SignInRefused:
    """Say that the account cannot be used."""
    return SignInRefused(f"the XiVO account '{login}' has no line: conferences need one")


def fought_over(login: str) -> SignInRefused:
    """Say that somebody else seems to use the account, so that connecting again at once would cut them off in turn."""
    return SignInRefused(f"XiVO ends the session of '{login}' again and again: is the account signed in elsewhere?")


# ---- commands ----

NOT_A_MEMBER = "NotAMember"
NOT_ORGANIZER = "NotOrganizer"
CANNOT_KICK_ORGANIZER = "CannotKickOrganizer"
PARTICIPANT_NOT_FOUND = "ParticipantNotFound"

_KNOWN = {
    NOT_A_MEMBER: CommandError(
        CommandErrorCode.NOT_A_MEMBER,
        "the XiVO account that acts here is not in this room: it has to join by phone first",
    ),
    NOT_ORGANIZER: CommandError(
        CommandErrorCode.NOT_ORGANIZER,
        "the XiVO account that acts here is no organizer of this room: it has to enter with the organizer PIN",
    ),
    CANNOT_KICK_ORGANIZER: CommandError(
        CommandErrorCode.CANNOT_KICK_ORGANIZER, "this participant is an organizer, and organizers cannot be kicked"
    ),
    PARTICIPANT_NOT_FOUND: CommandError(
        CommandErrorCode.PARTICIPANT_NOT_FOUND, "there is no such participant in the room, or no longer"
    ),
}
DOCUMENTED = frozenset(_KNOWN)
"""The codes whose commands are known; any other may be the answer to any command."""

GENERIC_ERROR = CommandError(CommandErrorCode.BACKEND_REFUSED, "XiVO answered the command with an error, and no reason")


def command_error(code: str) -> CommandError:
    """Say what the code of a failed command means."""
    known = _KNOWN.get(code)
    return known or CommandError(CommandErrorCode.BACKEND_REFUSED, f"XiVO refused the command: {_plain(code)}")


def _named(error: RefusedError) -> str:
    return str(error.status) if error.code is None else _plain(error.code)


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "(its reason is not repeated)"
