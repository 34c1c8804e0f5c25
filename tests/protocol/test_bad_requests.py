"""HTTP requests of bad manners: each is told what is wrong with it, and none is a fault of the gateway."""

import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.model.ids import BackendId, RoomId, RoomKey
from gateway.schema.ids import backend_gid, room_gid
from tests.gateway.schema.house import PBX, gid
from tests.protocol.front import BODY_MAX_BYTES, Front, front_with

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}"
FOREIGN = room_gid(RoomKey(BackendId("elsewhere"), RoomId("board")))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """One gateway for all of them: it has to survive each."""
    async with front_with(tmp_path_factory.mktemp("front")) as front:
        yield front


def refused(answer: tuple[int, Any], status: int = 400) -> str:
    assert answer[0] == status
    (error,) = answer[1]["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "Traceback" not in error["message"]
    message: str = error["message"]
    return message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"{ __typename }"',
        b"true",
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{",
        b"query=%7B__typename%7D",
        b'{"query": "\xff\xfe"}',
        b"\xff\xfe\x00",
        b'{"query": "\\ud800"}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
        b"[" * 20_000,
        b'{"a":' * 10_000,
        DEEP,
        b"{}",
        b'{"query": null}',
        b'{"query": 7}',
        b'{"query": ["{ __typename }"]}',
        b'{"query": {"a": 1}}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "variables": 7}',
        b'{"query": "{ __typename }", "operationName": 7}',
        b'{"query": "{ __typename }", "operationName": ["A"]}',
        b'{"query": "{ __typename }", "operationName": {}}',
        b'{"query": "{ __typename }", "extensions": []}',
        b'{"variables": {}}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
async def test_a_body_that_is_no_request_is_told_so(front: Front, body: bytes) -> None:
    assert refused(await front.send(body))
    assert (await front.post("{ __typename }"))[0] == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "json",
        "application/json; charset=utf-16",
        "application/json;charset=latin1",
    ],
)
async def test_a_request_says_that_it_is_json(front: Front, kind: str) -> None:
    assert "content type" in refused(await front.send(b'{"query": "{ __typename }"}', kind), 415)


@pytest.mark.parametrize(
    "params",
    [
        {"query": "", "documentId": "", "variables": "["},
        {"query": "{ __typename }", "variables": "[]"},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "variables": "7"},
        {"query": "{ __typename }", "variables": "[" * 5000},
        {"query": "{ __typename }", "extensions": "7"},
        {"operationName": "A"},
        {f"p{number}": "" for number in range(30)},
    ],
    ids=str,
)
async def test_a_get_that_is_no_request_is_told_so(front: Front, params: dict[str, str]) -> None:
    assert refused(await front.get(**params))


async def test_a_body_has_a_limit(front: Front) -> None:
    fits = json.dumps({"query": "{ __typename }"}).encode()
    assert (await front.send(fits.ljust(BODY_MAX_BYTES)))[0] == 200
    assert str(BODY_MAX_BYTES) in refused(await front.send(fits.ljust(BODY_MAX_BYTES + 1)), 413)


async def test_a_body_without_a_length_has_the_same_limit(front: Front) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"query": "{ __typename }"'
        for _ in range(8):
            yield b" " * (BODY_MAX_BYTES // 8)
        yield b"}"

    headers = {"Content-Type": "application/json"}
    async with front.session.post(front.url, data=chunks(), headers=headers) as response:
        assert "Content-Length" not in response.request_info.headers
        assert refused((response.status, await response.json()), 413)


@pytest.mark.parametrize("asked", [b"", b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"])
async def test_who_hangs_up_in_the_middle_of_a_request_is_nobodys_fault(front: Front, asked: bytes) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
    rude = socket.create_connection(("127.0.0.1", front.port))
    rude.sendall(head + asked)
    assert (await front.post("{ __typename }"))[0] == 200
    rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset instead of a goodbye
    rude.close()
    assert (await front.post("{ __typename }"))[0] == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ nothing }", "nothing"),
        ("{ viewer { pin } }", "pin"),
        ("{ room { id } }", "id"),
        ("{ viewer }", "viewer"),
        ("{ ...Missing }", "Missing"),
        ("{ ...A } fragment A on Query { ...A }", "A"),
        ("query ($a: Nothing) { viewer { subject } }", "Nothing"),
        ("{ viewer { subject }", "Syntax Error"),
        ("\ufeff\x00", "Syntax Error"),
        ("", "Syntax Error"),
        ("query A { viewer { subject } } query A { viewer { subject } }", "A"),
    ],
)
async def test_a_document_that_does_not_fit_the_schema_is_told_where(front: Front, query: str, words: str) -> None:
    status, answer = await front.post(query)
    assert status == 200
    assert "data" not in answer
    assert any(words in error["message"] for error in answer["errors"])
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"PARSE_FAILED" if words == "Syntax Error" else "VALIDATION_FAILED"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ rooms { edges { node " + "{ backend { rooms { edges { node " * 3 + "{ id" + " }" * 15 + "}", "TOO_DEEP"),
        ("{ " + "a: __typename " * 1000 + "}", "TOO_LARGE"),
        ("{ a " * 5000, "TOO_DEEP"),
        ("#\n" * 5000 + "{ __typename }", "TOO_LARGE"),
        ("{ " + " ".join(f"...F{n}" for n in range(150)) + " }" + " fragment F0 on Query { a }" * 150, "TOO_LARGE"),
    ],
)
async def test_a_document_that_asks_for_too_much_is_told_so_by_code(front: Front, query: str, code: str) -> None:
    _, answer = await front.post(query)
    assert answer.get("data") is None
    assert answer["errors"][0]["extensions"]["code"] == f"DOCUMENT_{code}"


async def test_fragments_within_fragments_cost_no_more_than_the_same_text_without(front: Front) -> None:
    """Each fragment uses the next one twice: spelled out, it would be a million times as much."""

    async def least_s(uses: int) -> float:
        took: list[float] = []
        for attempt in range(5):
            chain = [f"fragment F{n} on Room {{ a{attempt}: id " + f"...F{n + 1} " * uses + "}" for n in range(20)]
            tail = f" fragment F20 on Room {{ id }} query ($id: ID!) {{ room(id: $id) {{ ...F{attempt} }} }}"
            began = time.perf_counter()
            status, _ = await front.post(" ".join(chain) + tail, id=gid("board"))
            took.append(time.perf_counter() - began)
            assert status == 200
        return min(took)

    flat, bomb = await least_s(1), await least_s(2)
    assert bomb < flat * 20


@pytest.mark.parametrize("first", [-1, 201, 2_000_000_000, 99_999_999_999, 1e300, "ten", [[]], {}])
async def test_absurd_page_sizes_are_refused(front: Front, first: object) -> None:
    _, answer = await front.post("query ($first: Int) { rooms(first: $first) { totalCount } }", first=first)
    assert answer.get("data") is None
    assert "first" in answer["errors"][0]["message"]
    _, answer = await front.post(f"{{ rooms(first: {json.dumps(first)}) {{ totalCount }} }}")
    assert answer.get("data") is None


IDS = ["", "x", "board", "0" * 5000, "é", "\x00", "Ujo=", backend_gid(PBX), gid("board", "anna"), "null", "-1"]


@pytest.mark.parametrize("room_id", IDS, ids=lambda text: text[:20])
async def test_an_id_that_is_none_is_named_in_queries(front: Front, room_id: str) -> None:
    _, answer = await front.post("query ($id: ID!) { room(id: $id) { name } }", id=room_id)
    assert answer["data"] == {"room": None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "INVALID_INPUT", "argument": "id"}


@pytest.mark.parametrize("room_id", IDS, ids=lambda text: text[:20])
async def test_an_id_that_is_none_is_named_in_mutations(front: Front, room_id: str) -> None:
    mutation = "mutation ($id: ID!) { lockRoom(input: {roomId: $id}) { outcome errors { code field } room { id } } }"
    status, answer = await front.post(mutation, id=room_id)
    error = {"code": "INVALID_INPUT", "field": ["input", "roomId"]}
    assert (status, answer) == (200, {"data": {"lockRoom": {"outcome": "REJECTED", "errors": [error], "room": None}}})
    assert front.house.pbx.executed == []


@pytest.mark.parametrize("room_id", [gid("nowhere"), FOREIGN])
async def test_a_room_of_nobody_is_null_and_cannot_be_locked(front: Front, room_id: str) -> None:
    assert (await front.post("query ($id: ID!) { room(id: $id) { name } }", id=room_id))[1] == {"data": {"room": None}}
    mutation = "mutation ($id: ID!) { lockRoom(input: {roomId: $id}) { outcome errors { code field } } }"
    _, answer = await front.post(mutation, id=room_id)
    error = {"code": "ROOM_NOT_FOUND", "field": ["input", "roomId"]}
    assert answer["data"]["lockRoom"] == {"outcome": "REJECTED", "errors": [error]}
