"""Parses and validates each distinct document once, and notes what its operations need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableDefinitionNode,
    parse,
    validate,
)

from gateway.operations.size import too_much
from gateway.schema.errors import RequestError, RequestErrorCode, invalid, shown
from gateway.schema.limits import QueryLimits
from gateway.schema.viewer import PERSONAL_FIELDS

_DOCUMENTS_KEPT = 300
_ROOMS = "rooms"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a document.

    Shape: `variables` are those it declares, except `cursors`: optional ones of the scalar Cursor, which say where
           to begin and change nothing else; `personal` when it selects what depends on who asks, not just on rights;
           `lists_rooms` when it selects lists of rooms, which are different after a change of any room.
    """

    document: DocumentNode
    name: str | None
    kind: OperationType
    variables: frozenset[str]
    cursors: frozenset[str]
    personal: bool
    lists_rooms: bool


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that was parsed; it has errors, or operations by their names."""

    operations: Mapping[str | None, Operation]
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> Operation:
        """Choose the operation that is meant.

        Errors: RequestError.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if (found := self.operations.get(name)) is not None:
            return found
        if name is None:
            message = "`operationName` is needed, since the document has several operations"
            raise RequestError(RequestErrorCode.INVALID_INPUT, message, argument="operationName")
        raise invalid("operationName", f"the document has no operation {name!r}")


@lru_cache(maxsize=_DOCUMENTS_KEPT)
def read_document(schema: GraphQLSchema, text: str, limits: QueryLimits) -> Document:
    """Read a document; what is wrong with it is part of what is remembered."""
    try:
        node = parse(text, max_tokens=limits.max_tokens)
    except GraphQLSyntaxError as error:
        return Document({}, (_with_code(shown(error), RequestErrorCode.PARSE_FAILED),))
    if (excess := too_much(node, limits)) is not None:
        return Document({}, (excess,))
    if errors := validate(schema, node):
        return Document({}, tuple(_with_code(error, RequestErrorCode.VALIDATION_FAILED) for error in errors))
    return Document({each.name: each for each in _operations(node)})


def _operations(node: DocumentNode) -> Iterator[Operation]:
    fragments = {each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)}
    for definition in node.definitions:
        if isinstance(definition, OperationDefinitionNode):
            declared = {each.variable.name.value: each for each in definition.variable_definitions or ()}
            cursors = frozenset(name for name, each in declared.items() if _is_optional_cursor(each))
            fields = _fields(definition.selection_set, fragments)
            yield Operation(
                node,
                definition.name.value if definition.name else None,
                definition.operation,
                frozenset(declared) - cursors,
                cursors,
                not PERSONAL_FIELDS.isdisjoint(fields),
                _ROOMS in fields,
            )


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """Collect the names of all fields that are selected, each fragment looked at once."""
    names: set[str] = set()
    spread: set[str] = set()
    waiting = [selections]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                names.add(selection.name.value)
            inside = getattr(selection, "selection_set", None)
            if isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                inside = fragments[selection.name.value].selection_set
            if isinstance(inside, SelectionSetNode):
                waiting.append(inside)
    return names


def _is_optional_cursor(variable: VariableDefinitionNode) -> bool:
    """Whether a variable is a cursor that may be left out, and nothing else comes in its place then."""
    kind = variable.type
    return isinstance(kind, NamedTypeNode) and kind.name.value == "Cursor" and variable.default_value is None


def _with_code(error: GraphQLError, code: RequestErrorCode) -> GraphQLError:
    error.extensions = {"code": code.value, **(error.extensions or {})}
    return error.with_traceback(None)  # it is kept, and with it whatever the first to ask held in hand
