"""One request to the API: found in a table, counted, checked and answered.

Inferred: a slash at the end of a path may be missing; a body that is no JSON object is 400; the access level is looked
          at after the quota and before what the path names.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

from .failures import forbidden, invalid, not_found, of_status
from .faults import Faults
from .quota import Quota
from .shapes import Json, decoded

BASE = "/api/ver1.0/"
Access = Literal["Call API", "All"]
Purpose = Literal["read", "call", "configure", "upkeep"]
"what a place is for: `call` changes calls, `configure` needs the access level All, `upkeep` is about event handlers"


class Answer(NamedTuple):
    """What a request is answered with."""

    status: int
    body: Json | list[Json] | None = None
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    """A request that has found its place."""

    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json


Handler = Callable[[Request], Answer]


class Route(NamedTuple):
    """A place of the API; a part of `path` in braces is a parameter."""

    method: str
    path: str
    handler: Handler
    purpose: Purpose = "read"


class Api:
    """Answers requests that came with a good token."""

    def __init__(self, faults: Faults, quota: Quota, access: Access, routes: Sequence[Route]) -> None:
        self.commands: deque[str] = deque(maxlen=10_000)
        self.upkeep: deque[str] = deque(maxlen=10_000)
        self._faults = faults
        self._quota = quota
        self._access = access
        self._routes = [(route, _parts(route.path)) for route in routes]

    def answer(self, method: str, path: str, query: str, raw: bytes) -> tuple[Answer, Purpose]:
        """Answer a request, and tell what it was for.

        Errors: ApiError.
        """
        self._quota.take()
        route, params = self._found(method, path)
        self._note(route, f"{method} {path.removeprefix(BASE)}")
        self._check(route)
        body = decoded(raw)
        if body is None:
            raise invalid("body")
        return route.handler(Request(params, dict(parse_qsl(query, keep_blank_values=True)), body)), route.purpose

    def _found(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        parts = _parts(path.removeprefix(BASE))
        for route, wanted in self._routes:
            params = _matched(wanted, parts) if route.method == method else None
            if params is not None:
                return route, params
        raise not_found()

    def _note(self, route: Route, what: str) -> None:
        if route.purpose == "upkeep" and route.method != "GET":
            self.upkeep.append(what)
        elif route.purpose in ("call", "configure"):
            self.commands.append(what)

    def _check(self, route: Route) -> None:
        faults = self._faults
        if faults.forbidden is not None:
            raise forbidden(faults.forbidden)
        if route.purpose == "configure" and self._access != "All":
            raise forbidden("app_access_type_deny")
        if route.purpose == "upkeep" and faults.fail_upkeep is not None:
            raise of_status(faults.fail_upkeep)
        if route.purpose in ("call", "configure") and faults.fail_next is not None:
            status, faults.fail_next = faults.fail_next, None
            raise of_status(status)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in path.strip("/").split("/"))


def _matched(wanted: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    if len(wanted) != len(parts):
        return None
    params = {}
    for pattern, part in zip(wanted, parts, strict=True):
        if pattern.startswith("{"):
            params[pattern[1:-1]] = part
        elif pattern != part:
            return None
    return params
