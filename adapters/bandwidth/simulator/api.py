"""One request to the API: found in a table, counted, and answered or refused.

Inferred: what comes first is the credentials, then the user of the path, its place, and the rate.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from .failures import ApiError, bad_value
from .faults import Faults
from .given import Given
from .limits import Endpoint, Limits
from .shapes import Json, decoded, new_id


class Answer(NamedTuple):
    """What a request is answered with: a body, or none for what was changed, or the path of what was made."""

    body: object = None
    made: str | None = None
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    """A request that has found its place."""

    params: Mapping[str, str]
    query: Given
    body: Given


Handler = Callable[[Request], Answer]


class Route(NamedTuple):
    """A place of the API below the user; a part of `path` in braces is a parameter, `makes` the kind of id it makes."""

    method: str
    path: str
    handler: Handler
    endpoint: Endpoint
    makes: str | None = None


class Command(NamedTuple):
    """Something a client asked to be changed; the path is what follows the user."""

    method: str
    path: str
    body: Json


class Api:
    """Answers requests about the user's conferences and calls."""

    def __init__(self, faults: Faults, limits: Limits, rng: Random, routes: Iterable[Route]) -> None:
        self.commands: deque[Command] = deque(maxlen=10_000)
        self._faults = faults
        self._limits = limits
        self._rng = rng
        self._routes = [(route, _parts(route.path)) for route in routes]

    def answer(self, method: str, path: str, query: str, raw: bytes) -> Answer:
        """Answer a request; `path` is what follows the user.

        Errors: ApiError.
        """
        route, params = self._found(method, path)
        self._limits.take(route.endpoint)
        self._faults.check_next(method)
        body = decoded(raw) if raw.strip() else {}
        if body is None:
            raise bad_value("body", "a JSON object")
        if method == "POST":
            self.commands.append(Command(method, path, body))
            if self._faults.ignore_commands:
                return Answer(made=f"{path}/{new_id(route.makes, self._rng)}" if route.makes else None)
        return route.handler(Request(params, Given(dict(parse_qsl(query))), Given(body)))

    def _found(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        parts = _parts(path)
        for route, wanted in self._routes:
            params = _matched(wanted, parts) if route.method == method else None
            if params is not None:
                return route, params
        raise ApiError(404, "resource-not-found", f"The resource {path} could not be found")


def _parts(path: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in path.strip("/").split("/"))


def _matched(wanted: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    if len(wanted) != len(parts):
        return None
    pairs = list(zip(wanted, parts, strict=True))
    if any(pattern != part for pattern, part in pairs if not pattern.startswith("{")):
        return None
    return {pattern[1:-1]: part for pattern, part in pairs if pattern.startswith("{")}
