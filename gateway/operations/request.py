"""What a client asks to be run, however it came: as a JSON body, a socket's message, or the query of a URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from gateway.model.errors import GatewayError

MAX_DEPTH = 64
"""How deep variables and extensions may be nested: far less than what makes Python's own recursion fail later on."""

_PLACE = re.compile(r"byte \d+")
_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


class BadRequest(GatewayError):
    """A request that is none; the message says to the client what is wrong and where."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A well-formed request: it names a document in one way at least, which need not exist or be right.

    Shape: what is null or empty in the request is None or {} here, but for an empty text that is all the document there
           is; `document_id` is the member `documentId`.
    """

    query: str | None
    variables: dict[str, object]
    operation_name: str | None
    extensions: dict[str, object]
    document_id: str | None


def read_request(body: bytes | str) -> GraphQLRequest:
    """Read a request from JSON.

    Errors: BadRequest, whatever is wrong with it.
    """
    return request_of(_decoded(body, "the request"))


def request_of(value: object) -> GraphQLRequest:
    """Read a request from decoded JSON.

    Errors: BadRequest, whatever is wrong with it.
    """
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise BadRequest("a list of requests is not accepted: send one at a time")
        raise BadRequest(f"the request must be an object, not {_kind(value)}")
    request = GraphQLRequest(
        _text(value, "query"),
        _object(value, "variables"),
        _text(value, "operationName"),
        _object(value, "extensions"),
        _text(value, "documentId"),
    )
    if request.query is not None or request.document_id is not None or request.extensions.get("persistedQuery"):
        return request
    if value.get("query") == "":
        return replace(request, query="")  # a document like any other, if a wrong one
    raise BadRequest("no document: send its text as `query`, or name it as `documentId`")


def read_params(params: Mapping[str, str]) -> GraphQLRequest:
    """Read a request from the query of a URL, where `variables` and `extensions` are JSON.

    Errors: BadRequest, whatever is wrong with it.
    """
    objects = {name: _decoded(text, f"`{name}`") for name in ("variables", "extensions") if (text := params.get(name))}
    return request_of({**params, "variables": None, "extensions": None, **objects})


def _text(members: dict[str, object], name: str) -> str | None:
    value = members.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise BadRequest(f"`{name}` must be a string, not {_kind(value)}")


def _object(members: dict[str, object], name: str) -> dict[str, object]:
    value = members.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"`{name}` must be an object, not {_kind(value)}")
    if _is_too_deep(value):
        raise BadRequest(f"`{name}` is nested more than {MAX_DEPTH} levels deep")
    return value


def _is_too_deep(value: dict[str, object]) -> bool:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        if not inner:
            return False
        level = inner
    return any(isinstance(each, dict | list) for each in level)


def _decoded(text: bytes | str, what: str) -> object:
    if not text:
        raise BadRequest(f"{what} is empty")
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # JSON it is; with no type asked for, only numbers can still be wrong
        raise BadRequest(f"{what} has a number that is out of range") from None
    except msgspec.DecodeError as error:
        place = _PLACE.search(str(error))
        # "Near", because msgspec counts one too many for what follows the end.
        where = f", near {place.group()}" if place else ": it ends too early, or a character in it does"
        raise BadRequest(f"{what} is not valid JSON{where}") from None
    except UnicodeError:
        raise BadRequest(f"{what} is not valid UTF-8") from None
    except RecursionError:
        raise BadRequest(f"{what} is nested too deeply") from None


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value), "something else")
