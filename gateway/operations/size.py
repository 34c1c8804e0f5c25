"""How much a document asks for, found out in time linear in its length, before it is validated."""

from collections import Counter
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.schema.errors import RequestError, RequestErrorCode
from gateway.schema.limits import QueryLimits


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


def too_much(document: DocumentNode, limits: QueryLimits) -> RequestError | None:
    """Say which limit a document exceeds, if any."""
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
