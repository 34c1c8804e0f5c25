"""Event filters: which notifications a subscription wants, by the path it named."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from .failures import ApiError
from .people import Account, Extension
from .sessions import Notice

_OPTIONS = frozenset({"direction", "missedCall", "phoneNumber", "statusCode", "withRecordings", "sipData"})


class Wish(NamedTuple):
    """A filter as it is kept: `~` resolved, and None for the whole account."""

    extension_id: str | None
    options: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of one subscription.

    Inferred: `withRecordings` and `sipData` change nothing, and no call of the simulator is a missed one.
    """

    path: str
    wish: Wish

    def wants(self, notice: Notice, *, nobodys: bool) -> bool:
        """Whether this is about a party of the extension, or of the account; `nobodys` for legs that are nobody's."""
        party = notice.party
        if party.account_id is None:
            if not nobodys:
                return False
            whose = notice.session.owner_id
        else:
            whose = party.extension_id or ""
        return self.wish.extension_id in (None, whose) and all(_fits(notice, *one) for one in self.wish.options)


def _fits(notice: Notice, option: str, value: str) -> bool:
    party = notice.party
    match option:
        case "direction":
            return party.direction == value
        case "statusCode":
            return party.code.value == value
        case "phoneNumber":
            return value in (party.caller.phone_number, party.called.phone_number)
        case "missedCall":
            return value.lower() != "true"
        case _:
            return True


def read(text: object, account: Account, own: Extension) -> Filter:
    """Read a filter; only telephony sessions are offered here.

    Errors: ApiError 400 SUB-508.
    """
    path, _, query = str(text).partition("?")
    parts = path.removeprefix("/restapi/v1.0/").strip("/").split("/")
    options = frozenset(parse_qsl(query))
    match parts:
        case ["account", account_id, "telephony", "sessions"]:
            extension_id = None
        case ["account", account_id, "extension", extension, "telephony", "sessions"]:
            extension_id = own.extension_id if extension == "~" else extension
        case _:
            raise _bad(text)
    known = account_id in ("~", account.account_id) and extension_id in (None, *account.extensions)
    if not known or not {name for name, _ in options} <= _OPTIONS:
        raise _bad(text)
    return Filter(_resolved(account, extension_id, options), Wish(extension_id, options))


def event_path(account: Account, extension_id: str | None) -> str:
    """Write the path that a notification names."""
    middle = "" if extension_id is None else f"/extension/{extension_id}"
    return f"/restapi/v1.0/account/{account.account_id}{middle}/telephony/sessions"


def _resolved(account: Account, extension_id: str | None, options: frozenset[tuple[str, str]]) -> str:
    query = f"?{urlencode(sorted(options))}" if options else ""
    return event_path(account, extension_id) + query


def _bad(text: object) -> ApiError:
    return ApiError(400, "SUB-508", "Event filters are not valid", parameter=("eventFilters", str(text)))
