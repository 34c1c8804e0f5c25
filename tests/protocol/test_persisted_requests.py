"""Documents asked for by name: by their hash once they were sent, or by an id that the operator gave them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.operations.persisted import PersistedDocuments
from tests.protocol.front import Front, Wire, front_with
from tests.protocol.streams import streaming
from tests.protocol.test_websocket import FOLLOW

WHO = "{ viewer { subject } }"
ADA = {"data": {"viewer": {"subject": "ada"}}}
TRUSTED = {"who": WHO, "follow": FOLLOW}


def named(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}


async def post(front: Front, **body: Any) -> Any:
    async with front.session.post(front.url, json=body) as response:
        assert response.status == 200
        return await response.json()


def code(answer: Any) -> str:
    (error,) = answer["errors"]
    found: str = error["extensions"]["code"]
    return found


async def over_socket(wire: Wire, **payload: Any) -> Any:
    await wire.say({"id": "1", "type": "subscribe", "payload": payload})
    message = await wire.next("1")
    if message["type"] == "error":
        return {"errors": message["payload"]}
    await wire.next("1")
    return message["payload"]


async def test_a_document_is_sent_once_and_asked_for_by_its_hash_on_every_transport(front: Front) -> None:
    missing = await post(front, extensions=named(WHO))
    assert (missing["errors"][0]["message"], code(missing)) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    assert await post(front, query=WHO, extensions=named(WHO)) == ADA
    assert await post(front, extensions=named(WHO)) == ADA
    assert await front.get(extensions=json.dumps(named(WHO))) == (200, ADA)
    async with front.wire() as wire:
        assert await over_socket(wire, extensions=named(WHO)) == ADA


async def test_it_can_be_registered_by_get_and_over_a_socket(front: Front) -> None:
    await front.get(query=WHO, extensions=json.dumps(named(WHO)))
    async with front.wire() as wire:
        assert await over_socket(wire, extensions=named(WHO)) == ADA
        await over_socket(wire, query="{ __typename }", extensions=named("{ __typename }"))
    assert await post(front, extensions=named("{ __typename }")) == {"data": {"__typename": "Query"}}


async def test_a_subscription_is_asked_for_by_its_hash(front: Front) -> None:
    room = await front.house.with_people("board")
    for query in (FOLLOW, ""):
        async with streaming(front, query, extensions=named(FOLLOW), id=room) as stream:
            assert (await stream.event())["__typename"] == "RoomSnapshot"


async def test_what_is_not_valid_is_not_kept(front: Front) -> None:
    for text in ("{", "{ nothing }"):
        assert code(await post(front, query=text, extensions=named(text))).endswith("_FAILED")
        assert code(await post(front, extensions=named(text))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_document_under_the_hash_of_another_is_refused(front: Front) -> None:
    answer = await post(front, query="{ __typename }", extensions=named(WHO))
    assert code(answer) == "PERSISTED_QUERY_HASH_MISMATCH"
    assert code(await post(front, extensions=named(WHO))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("only_trusted", [False, True])
async def test_a_trusted_document_is_asked_for_by_its_id(tmp_path: Path, only_trusted: bool) -> None:
    async with front_with(tmp_path, persisted=PersistedDocuments(TRUSTED, only_trusted=only_trusted)) as front:
        room = await front.house.with_people("board")
        assert await post(front, documentId="who") == ADA
        assert await front.get(documentId="who") == (200, ADA)
        assert await post(front, extensions=named(WHO)) == ADA
        async with front.wire() as wire:
            assert await over_socket(wire, documentId="who") == ADA
            await wire.say(
                {"id": "2", "type": "subscribe", "payload": {"documentId": "follow", "variables": {"id": room}}}
            )
            assert (await wire.event("2"))["__typename"] == "RoomSnapshot"


async def test_where_only_trusted_documents_are_run_no_other_is(tmp_path: Path) -> None:
    async with front_with(tmp_path, persisted=PersistedDocuments(TRUSTED, only_trusted=True)) as front:
        assert await post(front, query=WHO) == ADA
        other = "{ __typename }"
        for asked in ({"query": other}, {"query": other, "extensions": named(other)}, {"extensions": named(other)}):
            assert code(await post(front, **asked)) == "DOCUMENT_NOT_TRUSTED"
        async with front.wire() as wire:
            assert code(await over_socket(wire, query=other)) == "DOCUMENT_NOT_TRUSTED"
