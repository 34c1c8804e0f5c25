"""One request to the API, by whichever way it came: found in a table, counted, checked and answered."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from .failures import ApiError, of_status
from .faults import Faults, Scope
from .limits import Group, Limits
from .links import Link
from .oauth import Login
from .people import Extension
from .shapes import Json

BASE = "/restapi/v1.0/"


class Answer(NamedTuple):
    """What a request is answered with."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    """A request that has found its place; `link` is the socket it came on."""

    login: Login
    link: Link | None
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    @property
    def asker(self) -> Extension:
        """Who asks."""
        return self.login.extension


Handler = Callable[[Request], Awaitable[Answer]]


class Route(NamedTuple):
    """A place of the API; a part of `path` in braces is a parameter. `command` for what changes telephony."""

    method: str
    path: str
    handler: Handler
    group: Group
    scope: Scope | None = None
    command: bool = False


class Command(NamedTuple):
    """Something a client asked telephony to change."""

    extension_id: str
    method: str
    path: str
    body: Json


class Received(NamedTuple):
    """One request, without what proves an identity; `way` is http or socket."""

    method: str
    path: str
    way: str


class Api:
    """Answers requests of somebody who has signed in."""

    def __init__(self, faults: Faults, limits: Limits, routes: Sequence[Route]) -> None:
        self.commands: deque[Command] = deque(maxlen=10_000)
        self.requests: deque[Received] = deque(maxlen=10_000)
        self._faults = faults
        self._limits = limits
        self._routes = [(route, _parts(route.path)) for route in routes]

    async def answer(self, login: Login, link: Link | None, method: str, target: str, body: Json | None) -> Answer:
        """Answer a request; `target` is the path with its query, and a body of None is no JSON object."""
        headers: dict[str, str] = {}
        try:
            if self._faults.http_status is not None:
                raise of_status(self._faults.http_status)
            route, params = self._found(method, target.partition("?")[0])
            headers = self._limits.take(login.extension.extension_id, route.group)
            self._check_scope(route)
            request = Request(login, link, params, dict(parse_qsl(target.partition("?")[2])), _checked(body))
            if route.command:
                path = target.removeprefix(BASE)
                self.commands.append(Command(login.extension.extension_id, method, path, request.body))
            answer = await route.handler(request)
        except ApiError as failure:
            return Answer(failure.status, failure.body, {**headers, **failure.headers})
        return answer._replace(headers={**headers, **answer.headers})

    def _found(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        parts = _parts(path.removeprefix(BASE)) if path.startswith(BASE) else ()
        for route, wanted in self._routes:
            params = _matched(wanted, parts) if route.method == method else None
            if params is not None:
                return route, params
        raise ApiError(404, "CMN-120", "Invalid URI")

    def _check_scope(self, route: Route) -> None:
        if route.scope is not None and route.scope == self._faults.forbidden_scope:
            raise ApiError(403, "CMN-401", f"In order to call this API endpoint, application needs [{route.scope}]")


def _checked(body: Json | None) -> Json:
    if body is None:
        raise ApiError(400, "CMN-103", "Request body is not valid JSON")
    return body


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
