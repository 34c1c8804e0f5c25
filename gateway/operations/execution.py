"""Runs one operation through Strawberry and writes the result as JSON."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import msgspec
from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, create_source_event_stream
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as StrawberryExecutor

from gateway.operations.documents import Operation
from gateway.schema.context import Context
from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.schema.feed import Feed
from gateway.schema.schema import GatewaySchema

_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class RequestRefused(Exception):
    """A request of which nothing was done: the document, a variable or an argument is wrong."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Answer:
    """An execution result.

    Shape: `body` is a JSON object, `{"data": …}` and perhaps `errors`; `clean` when there are no errors; `has_data`
           when `data` is not null.
    """

    body: bytes
    clean: bool = True
    has_data: bool = True


class _Executor(StrawberryExecutor):
    """Collects the fields of an operation once for all its runs.

    graphql-core remembers the fields within fields by the identity of the list they are selected in. It makes the
    outermost lists anew for each run, so that nothing of it would be found again, and all of it kept: executors of one
    operation share that memory.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outermost: list[dict[str, Any]] = []

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: dict[str, Any],
        serially: bool,  # as it is in graphql-core
        new_defer_usages: Sequence[Any],
    ) -> Any:
        """Take the lists that the first run took."""
        if not self._outermost:
            self._outermost.append(grouped_field_set)
        return super().execute_collected_root_fields(
            root_type, root_value, self._outermost[0], serially, new_defer_usages
        )


class Execution:
    """An operation with its variables and context, ready to be run any number of times."""

    def __init__(
        self, schema: GatewaySchema, operation: Operation, variables: Mapping[str, object], context: Context
    ) -> None:
        """Bind the variables.

        Errors: RequestRefused.
        """
        built = _Executor.build(
            schema._schema,  # noqa: SLF001  # strawberry has no public way to what it is made of
            operation.document,
            context_value=context,
            raw_variable_values=dict(variables),
            operation_name=operation.name,
            is_awaitable=_is_awaitable,
        )
        if isinstance(built, list):
            raise RequestRefused([_about_variables(error) for error in built])
        self._schema = schema
        self._executor = built

    def feed(self) -> Feed[Any]:
        """Resolve the field of a subscription.

        Errors: RequestRefused.
        """
        stream = create_source_event_stream(self._executor)
        if isinstance(stream, ExecutionResult):
            raise RequestRefused(self._shown(stream.errors or []))
        if not isinstance(stream, Feed):
            raise TypeError(f"a subscription field must give a Feed, not {type(stream).__name__}")
        return stream

    def run(self, root: object = None, extensions: Mapping[str, object] | None = None) -> Answer | Awaitable[Answer]:
        """Run a query or mutation, or with an event as root a subscription once; awaitable if any field has to wait."""
        executor = self._executor.build_per_event_executor(root)
        result: Any = executor.execute_operation()
        if isinstance(result, ExecutionResult):
            return self._written(result, extensions)
        return self._awaited(result, extensions)

    async def _awaited(self, result: Awaitable[ExecutionResult], extensions: Mapping[str, object] | None) -> Answer:
        return self._written(await result, extensions)

    def _written(self, result: ExecutionResult, extensions: Mapping[str, object] | None) -> Answer:
        response: dict[str, object] = {"data": result.data}
        if result.errors:
            response["errors"] = [error.formatted for error in self._shown(result.errors)]
        if extensions is not None:
            response["extensions"] = extensions
        return Answer(written(response), not result.errors, result.data is not None)

    def _shown(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        shown = list(errors)
        self._schema.process_errors(shown)
        return shown


def written(value: object) -> bytes:
    """Write JSON; a name from a backend may hold half a character, which only an escape can say."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def refusal(errors: list[GraphQLError]) -> Answer:
    """Write the answer to a request of which nothing was done."""
    return Answer(written({"errors": [error.formatted for error in errors]}), clean=False, has_data=False)


def _about_variables(error: GraphQLError) -> GraphQLError:
    if not error.extensions:
        error.extensions = {"code": RequestErrorCode.INVALID_INPUT.value}
    return error


def as_refused(error: RequestError) -> RequestRefused:
    """Refuse a request for one reason."""
    return RequestRefused([error])
