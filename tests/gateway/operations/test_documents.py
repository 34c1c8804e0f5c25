"""A document is read once, and what is noted of it decides who may share."""

from dataclasses import replace

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from gateway.operations import documents as module
from gateway.operations.documents import Document, read_document
from gateway.schema.errors import RequestError
from gateway.schema.limits import QueryLimits
from tests.gateway.schema.house import SCHEMA

LIMITS = QueryLimits()


IN_ROOMS = "{ rooms { edges { node { ...R } } } }"
IS_ME = "fragment P on Participant { isMe }"
BOARD = 'subscription { roomEvents(roomId: "r") { ... on RoomUpdated { room { %s } } } }'
DEEP = "backend { rooms { edges { node { " * 4 + "id" + " } } } }" * 4


def document(text: str, limits: QueryLimits = LIMITS) -> Document:
    return read_document(SCHEMA._schema, text, limits)


def codes(text: str, limits: QueryLimits = LIMITS) -> set[object]:
    """Give the codes of all errors; where there are errors there are no operations."""
    found = document(text, limits)
    assert not found.operations or not found.errors
    return {(error.extensions or {}).get("code") for error in found.errors}


def is_personal(text: str, name: str | None = None) -> bool:
    return document(text).operation(name).personal


def test_a_text_is_read_once_and_each_text_for_itself() -> None:
    text = "{ viewer { subject } }"
    assert document(text) is document("".join(text))
    assert document(text).operation(None) is document(text).operation(None)
    assert document(text) is not document("{  viewer { subject } }")
    assert document(text) is not document(text, replace(LIMITS, max_depth=5)), "other limits may refuse it"


def test_the_number_of_documents_that_are_kept_has_a_bound() -> None:
    for number in range(module._DOCUMENTS_KEPT + 10):
        document(f"{{ wrong{number} }}")
    assert read_document.cache_info().currsize == module._DOCUMENTS_KEPT


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("{ rooms { edges { node { id capabilities { level } } } } }", False),
        ("{ viewer { subject } }", True),
        ("{ somebody: viewer { subject } }", True),
        ("{ viewer: backends { id } }", False),
        ("{ rooms { edges { node { me { id } } } } }", True),
        ("{ rooms { edges { node { ... { me { id } } } } } }", True),
        ("{ rooms { edges { node { ... on Room { mine: me { id } } } } } }", True),
        (f"{IN_ROOMS} fragment R on Room {{ participants {{ edges {{ node {{ ...P }} }} }} }} {IS_ME}", True),
        (f"{IN_ROOMS} fragment R on Room {{ name ...S }} fragment S on Room {{ id }}", False),
        ("query ($no: Boolean = false) { viewer @include(if: $no) { subject } backends { id } }", True),
    ],
)
def test_what_depends_on_who_asks_is_found_wherever_it_is_selected(text: str, personal: bool) -> None:
    assert is_personal(text) is personal


def test_each_operation_of_a_document_is_looked_at_for_itself() -> None:
    fragments = "fragment M on Query { viewer { subject } } fragment B on Backend { id }"
    text = "query Mine { ...M } query Ours { backends { ...B } }" + fragments
    assert is_personal(text, "Mine")
    assert not is_personal(text, "Ours")


@pytest.mark.parametrize(
    ("declared", "cursors", "variables"),
    [
        ("$after: Cursor", {"after"}, set()),
        ("$after: Cursor!", set(), {"after"}),
        ('$after: Cursor = "x"', set(), {"after"}),
    ],
)
def test_only_a_cursor_that_may_be_left_out_is_everybodys_own(
    declared: str, cursors: set[str], variables: set[str]
) -> None:
    text = f"subscription ($id: ID!, {declared}) {{ roomEvents(roomId: $id, after: $after) {{ __typename }} }}"
    operation = document(text).operation(None)
    assert operation.kind is OperationType.SUBSCRIPTION
    assert set(operation.cursors) == cursors
    assert set(operation.variables) == variables | {"id"}


def test_a_list_of_cursors_is_no_cursor() -> None:
    """No argument takes one today; so it is looked at without validation."""
    (operation,) = parse("query ($them: [Cursor]) { x }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (variable,) = operation.variable_definitions or ()
    assert not module._is_optional_cursor(variable)


@pytest.mark.parametrize(
    ("text", "lists_rooms"),
    [
        ("{ rooms { totalCount } }", True),
        (BOARD % "backend { rooms { totalCount } }", True),
        (BOARD % "rooms: name", False),
    ],
)
def test_lists_of_rooms_are_noticed(text: str, lists_rooms: bool) -> None:
    assert document(text).operation(None).lists_rooms is lists_rooms


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "PARSE_FAILED"),
        ("{", "PARSE_FAILED"),
        ('{ a(b: "', "PARSE_FAILED"),
        ("{ nothing }", "VALIDATION_FAILED"),
        ("query ($unused: Int) { viewer { subject } }", "VALIDATION_FAILED"),
        ("fragment R on Room { id }", "VALIDATION_FAILED"),
        ("type New { a: Int } { viewer { subject } }", "VALIDATION_FAILED"),
        ("{ viewer { subject } } query A { viewer { subject } }", "VALIDATION_FAILED"),
        ("query A { viewer { subject } } query A { viewer { subject } }", "VALIDATION_FAILED"),
        ("{ ...A } fragment A on Query { ...A }", "VALIDATION_FAILED"),
        ("{ ...Unknown }", "VALIDATION_FAILED"),
        ("subscription { __typename }", "VALIDATION_FAILED"),
        ("subscription ($no: Boolean!) { backendEvents @skip(if: $no) { occurredAt } }", "VALIDATION_FAILED"),
        ("subscription { backendEvents { occurredAt } participantEvents { roomId } }", "VALIDATION_FAILED"),
        ("{" + "a " * 3000 + "}", "DOCUMENT_TOO_LARGE"),
        ("{" + "a{" * 3000, "DOCUMENT_TOO_DEEP"),
        ("{ a(b: " + "[" * 900 + "]" * 900 + ") }", "DOCUMENT_TOO_DEEP"),
        (f"{{ rooms {{ edges {{ node {{ {DEEP} }} }} }} }}", "DOCUMENT_TOO_DEEP"),
    ],
)
def test_whatever_is_wrong_with_a_document_has_a_code(text: str, code: str) -> None:
    assert codes(text) == {code}
    assert codes(text) == {code}, "the second time too"


def test_the_operation_that_is_meant_has_to_be_clear() -> None:
    two = document("query A { viewer { subject } } query B { backends { id } }")
    assert (two.operation("A").name, two.operation("B").name) == ("A", "B")
    one = document("query A { viewer { subject } }")
    assert one.operation(None) is one.operation("A")
    for found, name in ((two, None), (two, "C"), (two, ""), (one, "B"), (document("{ viewer { subject } }"), "A")):
        with pytest.raises(RequestError) as refused:
            found.operation(name)
        assert refused.value.extensions == {"code": "INVALID_INPUT", "argument": "operationName"}
