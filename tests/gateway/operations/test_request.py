"""Whatever is sent as a request is one, or is told what is wrong with it."""

import json
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.request import (
    MAX_DEPTH,
    BadRequest,
    GraphQLRequest,
    read_params,
    read_request,
    request_of,
)

MEMBERS = ("query", "variables", "operationName", "extensions", "documentId")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
REQUEST_LIKE = st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), JSON, max_size=6)


def why_not(body: bytes | str) -> str:
    with pytest.raises(BadRequest) as refusal:
        read_request(body)
    assert refusal.value.status == 400
    return str(refusal.value)


def nested(levels: int) -> bytes:
    return b'{"query": "{ a }", "variables": ' + b'{"a":' * (levels - 1) + b"{}" + b"}" * levels


def test_all_members_are_read() -> None:
    variables: dict[str, object] = {"first": 10, "filter": {"states": ["ACTIVE"]}}
    body = {
        "query": "query A { a }",
        "variables": variables,
        "operationName": "A",
        "extensions": {"cursor": "abc"},
        "documentId": "sha256:00",
    }
    expected = GraphQLRequest("query A { a }", variables, "A", {"cursor": "abc"}, "sha256:00")
    assert read_request(json.dumps(body)) == expected
    assert read_request(json.dumps(body).encode()) == expected
    assert request_of(body) == expected


def test_the_raw_payload_of_a_message_is_read_where_it_lies() -> None:
    class Message(msgspec.Struct):
        payload: msgspec.Raw

    message = msgspec.json.decode(b'{"id": "1", "payload": {"query": "{ a }"}}', type=Message)
    assert read_request(message.payload).query == "{ a }"


@pytest.mark.parametrize("absent", ["null", '""'])
def test_a_text_that_is_null_or_empty_counts_as_absent(absent: str) -> None:
    request = read_request(f'{{"query": "{{ a }}", "operationName": {absent}, "documentId": {absent}}}')
    assert request == GraphQLRequest("{ a }", {}, None, {}, None)
    assert read_request(f'{{"query": {absent}, "documentId": "x"}}').query is None


def test_objects_that_are_null_count_as_empty() -> None:
    assert read_request(b'{"query": "{ a }", "variables": null, "extensions": null}') == read_request(
        b'{"query": "{ a }", "variables": {}, "extensions": {}}'
    )


def test_members_nobody_knows_are_ignored() -> None:
    assert read_request(b'{"query": "{ a }", "id": [1], "doc_id": {}}') == GraphQLRequest("{ a }", {}, None, {}, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the request is empty"),
        (b"null", "the request must be an object, not null"),
        (b"7", "the request must be an object, not a number"),
        (b'"{ a }"', "the request must be an object, not a string"),
        (b"true", "the request must be an object, not a boolean"),
        (b'[{"query": "{ a }"}]', "a list of requests is not accepted: send one at a time"),
        (b"{}", "no document: send its text as `query`, or name it as `documentId`"),
        (b'{"query": null}', "no document: send its text as `query`, or name it as `documentId`"),
        (
            b'{"query": null, "extensions": {"persistedQuery": null}}',
            "no document: send its text as `query`, or name it",
        ),
        (b'{"query": 7}', "`query` must be a string, not a number"),
        (b'{"query": ["{ a }"]}', "`query` must be a string, not a list"),
        (b'{"query": false}', "`query` must be a string, not a boolean"),
        (b'{"query": "{ a }", "variables": []}', "`variables` must be an object, not a list"),
        (b'{"query": "{ a }", "variables": "{}"}', "`variables` must be an object, not a string"),
        (b'{"query": "{ a }", "variables": 1.5}', "`variables` must be an object, not a number"),
        (b'{"query": "{ a }", "operationName": {}}', "`operationName` must be a string, not an object"),
        (b'{"query": "{ a }", "extensions": [1]}', "`extensions` must be an object, not a list"),
        (b'{"documentId": 7}', "`documentId` must be a string, not a number"),
        (b"{", "the request is not valid JSON: it ends too early"),
        (b"query=%7Ba%7D", "the request is not valid JSON, near byte 0"),
        (b'{"query": "{ a }"} x', "the request is not valid JSON, near byte 20"),
        (b'{"query": "{ a }", "variables": {"a": NaN}}', "the request is not valid JSON, near byte 38"),
        (b'{"query": "\\ud800 alone"}', "the request is not valid JSON, near byte 17"),
        (b'{"query": "{ a }", "variables": {"a": 1e999}}', "the request has a number that is out of range"),
        (b'{"query": "\xff\xfe"}', "the request is not valid UTF-8"),
        ('{"query": "\ud800"}', "the request is not valid UTF-8"),
        (b"[" * 20_000, "the request is nested too deeply"),
        (b'{"a":' * 20_000, "the request is nested too deeply"),
        (nested(MAX_DEPTH + 1), f"`variables` is nested more than {MAX_DEPTH} levels deep"),
        (nested(MAX_DEPTH + 1).replace(b"variables", b"extensions"), f"`extensions` is nested more than {MAX_DEPTH}"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_wrong_is_said_with_its_place(body: bytes | str, message: str) -> None:
    assert why_not(body).startswith(message)


def test_variables_may_be_nested_as_deep_as_said() -> None:
    assert read_request(nested(MAX_DEPTH)).variables
    lists = b'{"query": "{ a }", "variables": {"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}}"
    assert read_request(lists).variables
    assert "nested more than" in why_not(lists.replace(b"[[", b"[[[").replace(b"]]", b"]]]"))


def test_a_registered_document_needs_no_text() -> None:
    named = {"version": 1, "sha256Hash": "ab"}
    assert request_of({"extensions": {"persistedQuery": named}}) == GraphQLRequest(
        None, {}, None, {"persistedQuery": named}, None
    )
    assert request_of({"documentId": "ab"}).document_id == "ab"


def test_a_get_has_its_objects_as_json() -> None:
    params = {
        "query": "query A { a }",
        "variables": '{"first": 10}',
        "operationName": "A",
        "extensions": '{"cursor": "abc"}',
        "documentId": "x",
        "utm_source": "7",
    }
    assert read_params(params) == GraphQLRequest("query A { a }", {"first": 10}, "A", {"cursor": "abc"}, "x")


@pytest.mark.parametrize("absent", ["", "null", "{}"])
def test_a_get_may_leave_its_objects_empty(absent: str) -> None:
    params = {"query": "{ a }", "variables": absent, "extensions": absent, "operationName": ""}
    assert read_params(params) == GraphQLRequest("{ a }", {}, None, {}, None)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "no document"),
        ({"documentId": ""}, "no document"),
        ({"query": "{ a }", "variables": "[]"}, "`variables` must be an object, not a list"),
        ({"query": "{ a }", "variables": "{"}, "`variables` is not valid JSON: it ends too early"),
        ({"query": "{ a }", "variables": "{a:1}"}, "`variables` is not valid JSON, near byte 1"),
        ({"query": "{ a }", "variables": "[" * 5000}, "`variables` is nested too deeply"),
        ({"query": "{ a }", "extensions": "7"}, "`extensions` must be an object, not a number"),
    ],
    ids=str,
)
def test_a_get_that_is_wrong_is_told_where(params: Mapping[str, str], message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_params(params)
    assert str(refusal.value).startswith(message)


def check(request: GraphQLRequest) -> None:
    """Every text can be sent on, the objects are objects, and there is a document to look for."""
    for text in (request.query or None, request.operation_name, request.document_id):
        assert text is None or text.encode()
    assert type(request.variables) is type(request.extensions) is dict
    assert request.query is not None or request.document_id or request.extensions["persistedQuery"] is not None


@given(st.binary() | REQUEST_LIKE.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_request_or_are_refused(body: bytes) -> None:
    with suppress(BadRequest):
        check(read_request(body))


@given(REQUEST_LIKE.map(lambda value: json.dumps({"query": "{ a }", **value})), st.data())
def test_a_request_with_any_byte_broken_is_a_request_or_is_refused(text: str, data: st.DataObject) -> None:
    body = bytearray(text, "utf-8")
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRequest):
        check(read_request(bytes(body)))


@given(JSON | REQUEST_LIKE)
def test_any_decoded_value_is_a_request_or_is_refused(value: object) -> None:
    with suppress(BadRequest):
        check(request_of(value))


@given(st.dictionaries(st.sampled_from(MEMBERS), st.text() | REQUEST_LIKE.map(json.dumps)))
def test_any_params_are_a_request_or_are_refused(params: dict[str, str]) -> None:
    with suppress(BadRequest):
        check(read_params(params))
