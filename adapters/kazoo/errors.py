"""Kazoo's failures and what they mean to us: the only place that reads its texts.

    KazooError
    ├── RefusedError         Crossbar answered a request with an error
    ├── RateLimitedError     it has told us to slow down for longer than the request can wait
    └── UnreachableError     no answer; `sent` says whether the request may have arrived

What arrived and is not what its name promises is the kit's NotUnderstoodError.

Kazoo's own texts may hold tokens, API keys and PINs: they choose our words, and are not repeated.
"""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

from adapters.kit import failures
from gateway.model.capability import Capability
from gateway.model.errors import (
    CommandError,
    CommandErrorCode,
    CommandRefused,
    GatewayError,
    LinkDown,
    OutcomeUnknown,
    SignInRefused,
    refused,
)

_PLAIN = re.compile(r"[A-Za-z0-9 _.,:-]{1,80}")
"""What we repeat of a text of Kazoo: names of codes, hang-up causes, numbers."""


class KazooError(failures.BackendError):
    """The root of what goes wrong between Kazoo and us; its text holds no secret."""

    backend = "Kazoo"


class RefusedError(KazooError):
    """Crossbar answered with an error.

    Shape: `of_kazoo` is False for an answer that has not Kazoo's envelope, as a proxy gives it.
    """

    def __init__(self, status: int, message: str, data: object, *, of_kazoo: bool) -> None:
        super().__init__(f"Kazoo answered {status}")
        self.status = status
        self.message = message
        self.data = data
        self.of_kazoo = of_kazoo

    @property
    def is_unknown_action(self) -> bool:
        """Whether this generation has no such action: 404 in 4.x, as for an unknown room, and 400 in 5."""
        if self.status == 404:
            return self.message == "faulty_request"
        return self.status == 400 and "enum" in _said_of_fields(self.data).get("action", {})


class RateLimitedError(failures.RateLimitedError, KazooError):
    """The pause Kazoo has forced on us is longer than this request can wait; it was not carried out."""


class UnreachableError(failures.UnreachableError, KazooError):
    """There was no answer."""


# ---- the link ----


def as_link_errors() -> AbstractContextManager[None]:
    """Turn Kazoo's failures into what the link understands.

    Errors: SignInRefused, LinkDown.
    """
    return failures.link_errors(RefusedError, _link_error)


def _link_error(error: RefusedError) -> GatewayError:
    if error.status in (401, 403):
        return SignInRefused("Kazoo does not let this account read its conferences")
    return LinkDown(str(error))


def sign_in_refused(error: RefusedError) -> GatewayError:
    """Say why a sign-in failed; an unknown API key is a 404 that repeats the key."""
    if error.status >= 500:
        return LinkDown(f"Kazoo answered the sign-in with {error.status}")
    if error.status == 401 and isinstance(error.data, dict) and "multi_factor_request" in error.data:
        return SignInRefused("Kazoo wants a second factor for this user: use an API key or another user")
    if error.status == 400 and (fields := sorted(_said_of_fields(error.data))):
        return SignInRefused(f"Kazoo refuses the sign-in for {', '.join(map(_plain, fields))}")
    if error.status in (401, 404):
        return SignInRefused("Kazoo does not know these credentials")
    return SignInRefused(f"Kazoo answered the sign-in with {error.status}")


def is_bad_token(texts: list[str]) -> bool:
    """Whether the event socket did not accept the token of a request."""
    return any(text.startswith(("failed to authenticate token", "authentication token required")) for text in texts)


def is_too_fast(texts: list[str]) -> bool:
    """Whether a request on the event socket came too soon after the others."""
    return any(text.startswith("rate limiting threshold hit") for text in texts)


def is_wrong_form(texts: list[str]) -> bool:
    """Whether a binding is written in the way of another generation."""
    return any(text.startswith("invalid format") for text in texts)


def subscription_refused(texts: list[str]) -> GatewayError:
    """Say why the events of a room are not to be had."""
    if is_wrong_form(texts):
        return SignInRefused("Kazoo does not know this form of subscription: is `generation` right?")
    if any(text.startswith("unauthorized") for text in texts):
        return SignInRefused("Kazoo does not let this account follow its conferences")
    if any(text.startswith("no available subscriptions") for text in texts):
        return SignInRefused("this Kazoo offers no conference events: its operator has to start bh_conference")
    if is_bad_token(texts):
        return SignInRefused("Kazoo does not accept its own token on the event socket")
    return LinkDown("Kazoo refused a subscription")


# ---- commands ----


class Place(NamedTuple):
    """Where in our input a field of Kazoo's comes from; `secret` ones are described by their code alone."""

    path: tuple[str, ...]
    secret: bool = False


Places = Mapping[str, Place]
"""Kazoo's field paths, or the beginnings of them, and where they come from."""


def as_command_errors(
    places: Places | None = None, capability: Capability | None = None
) -> AbstractContextManager[None]:
    """Turn Kazoo's failures into what the command desk understands.

    Errors: CommandRefused, OutcomeUnknown.
    """
    return failures.command_errors(RefusedError, lambda error: command_error(error, places or {}, capability))


def command_error(error: RefusedError, places: Places, capability: Capability | None) -> GatewayError:
    """Say what an error answer means for a command."""
    if error.is_unknown_action:
        return refused(CommandErrorCode.NOT_SUPPORTED, "this Kazoo does not know the action", capability=capability)
    if error.status == 400:
        return CommandRefused(*_invalid(error.data, places))
    if error.status >= 500:
        return _server_error(error)
    code, message = _BY_STATUS.get(error.status, (CommandErrorCode.BACKEND_REFUSED, "Kazoo refused the command"))
    return refused(code, message)


_BY_STATUS = {
    401: (CommandErrorCode.FORBIDDEN, "Kazoo does not accept its own token"),
    402: (CommandErrorCode.BACKEND_REFUSED, "Kazoo wants a charge accepted first"),
    403: (CommandErrorCode.FORBIDDEN, "Kazoo does not allow this to the gateway's account"),
    404: (CommandErrorCode.ROOM_NOT_FOUND, "Kazoo has no stored conference with this id"),
    409: (CommandErrorCode.CONFLICT, "somebody else changed the room's settings at the same time"),
}


def _server_error(error: RefusedError) -> GatewayError:
    if error.of_kazoo or error.status == 503:
        return refused(CommandErrorCode.BACKEND_UNAVAILABLE, f"Kazoo failed with {error.status}")
    return OutcomeUnknown("a proxy answered in Kazoo's place: the command may or may not have been carried out")


def not_obeyed() -> CommandRefused:
    """Say that a success was none: Kazoo answers so when a command crashed inside."""
    return refused(CommandErrorCode.BACKEND_REFUSED, "Kazoo answered success, but not to this command")


def dial_failed(cause: str | None) -> CommandRefused:
    """Say why nobody joined, from a hang-up cause or the text of a whole failure."""
    text = _plain(cause or "unknown")
    if "find a media server" in text:
        return refused(CommandErrorCode.BACKEND_UNAVAILABLE, "Kazoo has no media server for this room")
    if "time" in text.lower():
        return refused(CommandErrorCode.TIMEOUT, "nobody answered the call in time")
    return refused(CommandErrorCode.BACKEND_REFUSED, f"the call did not reach the room: {text}")


def _said_of_fields(data: object) -> dict[str, dict[str, object]]:
    """Read a validation error: what is said of each field path, by code."""
    found = data if isinstance(data, dict) else {}
    return {path: said for path, said in found.items() if isinstance(said, dict)}


def _invalid(data: object, places: Places) -> list[CommandError]:
    errors = [
        CommandError(CommandErrorCode.INVALID_INPUT, _complaint(codes, place.secret), place.path or None)
        for path, codes in _said_of_fields(data).items()
        for place in (_place(path, places),)
    ]
    return errors or [CommandError(CommandErrorCode.INVALID_INPUT, "Kazoo refuses the input")]


def _place(path: str, places: Places) -> Place:
    for known in sorted(places, key=len, reverse=True):
        if path == known or path.startswith(f"{known}."):
            rest = tuple(_plain(word) for word in path[len(known) + 1 :].split(".") if word)
            return Place((*places[known].path, *rest), places[known].secret)
    return Place((), secret=True)


_COMPLAINTS = {
    "required": "is required",
    "type": "has the wrong type",
    "enum": "is not one of the accepted values",
    "minItems": "has too few entries",
    "uniqueItems": "has an entry twice",
    "minLength": "is too short",
    "maxLength": "is too long",
    "minimum": "is too small",
    "maximum": "is too large",
    "pattern": "must consist of digits",
    "unique": "is already in use in this account",
    "not_found": "is not known to Kazoo",
    "invalid": "is not valid",
}
_TOLD = {"minItems", "minLength", "maxLength", "minimum", "maximum"}
"""Codes whose `target` is the limit."""


def _complaint(codes: Mapping[str, object], secret: bool) -> str:
    return "; ".join(_sentence(code, said if isinstance(said, dict) else {}, secret) for code, said in codes.items())


def _sentence(code: str, said: Mapping[str, object], secret: bool) -> str:
    text = _COMPLAINTS.get(code, f"is refused by Kazoo ({_plain(code)})")
    if code in _TOLD and isinstance(target := said.get("target"), int):
        return f"{text}: the limit is {target}"
    if code == "unique" and not secret and isinstance(cause := said.get("cause"), str):
        return f"{text}: {_plain(cause)}"
    return text


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "(not repeated)"
