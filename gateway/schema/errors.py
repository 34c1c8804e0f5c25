"""How errors reach clients: ours with a code, everything unexpected without a word of what it was.

    RequestError   the one kind of error that operations raise on purpose; programs read `extensions.code`

Refusals of commands are no errors in this sense: they are in the mutation's payload.
"""

import logging
import secrets
from enum import StrEnum

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

log = logging.getLogger(__name__)

_SAID_BY_THE_LIBRARY = (GraphQLError, MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


class RequestErrorCode(StrEnum):
    """Stable names in `extensions.code`."""

    BAD_REQUEST = "BAD_REQUEST"
    INVALID_INPUT = "INVALID_INPUT"
    ROOM_NOT_FOUND = "ROOM_NOT_FOUND"
    FORGED_CURSOR = "FORGED_CURSOR"
    SLOW_CONSUMER = "SLOW_CONSUMER"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    DELIVERY_GUARANTEE_UNSUPPORTED = "DELIVERY_GUARANTEE_UNSUPPORTED"
    DELIVERY_GUARANTEE_UNSATISFIABLE = "DELIVERY_GUARANTEE_UNSATISFIABLE"
    PARSE_FAILED = "PARSE_FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS"
    DOCUMENT_TOO_DEEP = "DOCUMENT_TOO_DEEP"
    DOCUMENT_TOO_LARGE = "DOCUMENT_TOO_LARGE"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_HASH_MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    SERVER_STOPPING = "SERVER_STOPPING"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class RequestError(GraphQLError):
    """An operation that cannot be answered, for a reason the client is told."""

    def __init__(self, code: RequestErrorCode, message: str, *, argument: str | None = None, **details: object) -> None:
        named = details if argument is None else {"argument": argument, **details}
        super().__init__(message, extensions={"code": code.value, **named})


def invalid(argument: str, message: str) -> RequestError:
    """Say which argument is wrong, by its path as the client wrote it (`filter.backendIds`)."""
    return RequestError(RequestErrorCode.INVALID_INPUT, f"{argument}: {message}", argument=argument)


def shown(error: GraphQLError) -> GraphQLError:
    """Give an error as a client may see it; one that nobody meant is logged and named by a random id."""
    if isinstance(error, GraphQLSyntaxError) and (code := _limit_passed(error)) is not None:
        return GraphQLError(error.message, source=error.source, positions=error.positions, extensions={"code": code})
    original = error.original_error
    if original is None or isinstance(original, _SAID_BY_THE_LIBRARY):
        return error
    error_id = secrets.token_hex(6)
    log.error("request error %s at %s", error_id, error.path, exc_info=original)
    extensions = {"code": RequestErrorCode.INTERNAL_ERROR.value, "errorId": error_id}
    return GraphQLError(
        f"internal error {error_id}",
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _limit_passed(error: GraphQLSyntaxError) -> str | None:
    """Tell the parser's own limits from bad syntax; it says them apart by nothing but text."""
    if "Document contains more than" in error.message:
        return RequestErrorCode.DOCUMENT_TOO_LARGE.value
    if "nested too deeply" in error.message:
        return RequestErrorCode.DOCUMENT_TOO_DEEP.value
    return None
