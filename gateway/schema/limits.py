"""How much one request may ask for, found out in time linear in the document's length, once per distinct document."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)
from strawberry.extensions import SchemaExtension

from gateway.schema.errors import RequestError, RequestErrorCode

_DOCUMENTS_KEPT = 200
_AMBIGUOUS = "`operationName` is needed, since the document has several operations"


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What a request may ask for.

    Units: `max_depth` levels of fields; `max_tokens` of a document; `max_fields` after every fragment is put where it
           is used; `page_default` and `page_max` entries on a page of a list. `max_fragments` and `max_same_name`
           (fields of one name; one with fields of its own counts as three) are there because validation compares each
           with each.
    """

    max_depth: int = 12
    max_tokens: int = 2000
    max_fields: int = 2000
    max_fragments: int = 100
    max_same_name: int = 200
    page_default: int = 50
    page_max: int = 200


@dataclass(frozen=True, slots=True)
class _Prepared:
    document: DocumentNode
    errors: tuple[GraphQLError, ...]


class Documents(SchemaExtension):
    """Parses and validates each distinct document once, within the limits of the request's context."""

    _prepared: _Prepared | None = None

    def on_operation(self) -> Iterator[None]:
        """Let the library's own parser, which has to tell of bad syntax, keep to the same limit."""
        self.execution_context.parse_options["max_tokens"] = self._limits.max_tokens
        yield

    def on_parse(self) -> Iterator[None]:
        """Hand over the document; one that cannot be parsed is left to the library, which knows how to answer it."""
        context = self.execution_context
        try:
            if context.query:
                self._prepared = _prepare(context.schema._schema, context.query, self._limits)  # noqa: SLF001
                context.graphql_document = self._prepared.document
        except GraphQLError:
            self._prepared = None
        yield

    def on_validate(self) -> Iterator[None]:
        """Hand over what is wrong with the document."""
        if self._prepared is not None:
            errors = list(self._prepared.errors)
            named = self.execution_context._provided_operation_name  # noqa: SLF001  # the public one guesses the first
            if not errors and named is None and _is_ambiguous(self._prepared.document):
                errors = [RequestError(RequestErrorCode.INVALID_INPUT, _AMBIGUOUS, argument="operationName")]
            self.execution_context.pre_execution_errors = errors
        yield

    @property
    def _limits(self) -> QueryLimits:
        limits: QueryLimits = self.execution_context.context.limits
        return limits


@lru_cache(maxsize=_DOCUMENTS_KEPT)
def _prepare(schema: GraphQLSchema, query: str, limits: QueryLimits) -> _Prepared:
    document = parse(query, max_tokens=limits.max_tokens)
    if (error := _too_much(document, limits)) is not None:
        return _Prepared(document, (error,))
    return _Prepared(document, tuple(validate(schema, document)))


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int
    fields: int


class _Measure:
    """Measures selection sets; each fragment once, however often it is used."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            each.name.value: each.selection_set
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._known: dict[str, _Size] = {}

    def of(self, selections: SelectionSetNode | None) -> _Size:
        """Measure a selection set; the depth of introspection is left to a rule of its own that graphql-core has."""
        depth, fields = 0, 0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                inside = self.of(selection.selection_set)
                levels = 0 if selection.name.value.startswith("__") else inside.depth
                inside = _Size(levels + 1, inside.fields + 1)
            elif isinstance(selection, FragmentSpreadNode):
                inside = self._of_fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                inside = self.of(selection.selection_set)
            else:
                raise TypeError(selection.kind)
            depth, fields = max(depth, inside.depth), fields + inside.fields
        return _Size(depth, fields)

    def _of_fragment(self, name: str) -> _Size:
        if name not in self._known:
            self._known[name] = _Size(0, 0)  # a fragment within itself: validation says so
            self._known[name] = self.of(self._fragments.get(name))
        return self._known[name]


def _is_ambiguous(document: DocumentNode) -> bool:
    """Whether a request has to name the operation it means; the library would take the first."""
    return sum(isinstance(each, OperationDefinitionNode) for each in document.definitions) > 1


def _most_of_one_name(document: DocumentNode) -> int:
    """Count the fields that share the commonest name, wherever they are: validation compares them all."""
    names: Counter[str] = Counter()
    waiting = [each.selection_set for each in document.definitions if isinstance(each, ExecutableDefinitionNode)]
    while waiting:
        for selection in waiting.pop().selections:
            inside = getattr(selection, "selection_set", None)
            if isinstance(selection, FieldNode):
                names[(selection.alias or selection.name).value] += 1 if inside is None else 3
            if isinstance(inside, SelectionSetNode):
                waiting.append(inside)
    return max(names.values(), default=0)


def _too_much(document: DocumentNode, limits: QueryLimits) -> RequestError | None:
    measure = _Measure(document)
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    try:
        sizes = [measure.of(each.selection_set) for each in operations]
    except RecursionError:
        return RequestError(RequestErrorCode.DOCUMENT_TOO_DEEP, "the document is nested too deeply")
    if (depth := max((each.depth for each in sizes), default=0)) > limits.max_depth:
        message = f"the document nests {depth} levels of fields; {limits.max_depth} are allowed"
        return RequestError(RequestErrorCode.DOCUMENT_TOO_DEEP, message)
    counted = (
        ("fields, its fragments included", max((each.fields for each in sizes), default=0), limits.max_fields),
        ("fragments", len(document.definitions) - len(operations), limits.max_fragments),
        ("fields of one name", _most_of_one_name(document), limits.max_same_name),
    )
    for what, count, allowed in counted:
        if count > allowed:
            return RequestError(RequestErrorCode.DOCUMENT_TOO_LARGE, f"too many {what}: {count}; {allowed} are allowed")
    return None
