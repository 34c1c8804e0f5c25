"""A document can be asked for by its name, and an operator can say that no other is run."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway.operations.persisted import BadManifest, PersistedDocuments, load_manifest
from gateway.operations.request import GraphQLRequest, request_of
from gateway.schema.errors import RequestError

LOBBY = "query Lobby { rooms(first: 20) { totalCount } }"
OTHER = "query Other { viewer { subject } }"
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_hash(name: object, text: str | None = None, version: object = 1) -> GraphQLRequest:
    return request_of({"query": text, "extensions": {"persistedQuery": {"version": version, "sha256Hash": name}}})


def by_id(name: str, text: str | None = None) -> GraphQLRequest:
    return request_of({"query": text, "documentId": name})


def plain(text: str) -> GraphQLRequest:
    return request_of({"query": text})


def refusal(documents: PersistedDocuments, request: GraphQLRequest) -> RequestError:
    with pytest.raises(RequestError) as refused:
        documents.resolve(request)
    return refused.value


def code(documents: PersistedDocuments, request: GraphQLRequest) -> str:
    extensions = refusal(documents, request).extensions
    assert extensions is not None
    return str(extensions["code"])


def register(documents: PersistedDocuments, *texts: str) -> None:
    for text in texts:
        request = by_hash(sha256(text), text)
        documents.remember(request, documents.resolve(request))


def test_a_document_that_is_sent_is_run_as_it_is() -> None:
    assert PersistedDocuments().resolve(plain(LOBBY)) == LOBBY


def test_a_client_is_asked_for_the_text_once() -> None:
    documents = PersistedDocuments()
    first = refusal(documents, by_hash(sha256(LOBBY)))
    assert (first.message, first.extensions) == ("PersistedQueryNotFound", {"code": NOT_FOUND})
    register(documents, LOBBY)
    assert documents.resolve(by_hash(sha256(LOBBY))) == LOBBY
    assert documents.resolve(by_id(f"sha256:{sha256(LOBBY)}")) == LOBBY


def test_registering_works_by_document_id_as_well() -> None:
    documents = PersistedDocuments()
    request = by_id(f"sha256:{sha256(LOBBY)}", LOBBY)
    documents.remember(request, documents.resolve(request))
    assert documents.resolve(by_hash(sha256(LOBBY))) == LOBBY


def test_what_was_not_found_valid_is_not_kept() -> None:
    documents = PersistedDocuments()
    assert documents.resolve(by_hash(sha256(LOBBY), LOBBY)) == LOBBY
    assert code(documents, by_hash(sha256(LOBBY))) == NOT_FOUND


def test_what_nobody_registers_is_not_kept() -> None:
    documents = PersistedDocuments()
    documents.remember(plain(LOBBY), LOBBY)
    assert code(documents, by_hash(sha256(LOBBY))) == NOT_FOUND


def test_a_hash_of_another_document_is_refused_and_the_right_one_told() -> None:
    documents = PersistedDocuments()
    register(documents, OTHER)
    error = refusal(documents, by_hash(sha256(OTHER), LOBBY))
    assert error.extensions == {"code": MISMATCH, "argument": "extensions.persistedQuery.sha256Hash"}
    assert sha256(LOBBY) in error.message
    assert documents.resolve(by_hash(sha256(OTHER))) == OTHER
    wrong_id = refusal(documents, by_id("sha256:00", LOBBY))
    assert wrong_id.extensions == {"code": MISMATCH, "argument": "documentId"}


def test_nobody_can_register_under_a_foreign_hash() -> None:
    documents = PersistedDocuments()
    documents.remember(by_hash(sha256(OTHER), LOBBY), LOBBY)
    assert code(documents, by_hash(sha256(OTHER))) == NOT_FOUND


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_another_version_of_the_protocol_is_not_supported(version: object) -> None:
    error = refusal(PersistedDocuments(), by_hash(sha256(LOBBY), LOBBY, version))
    assert error.message == "PersistedQueryNotSupported"
    assert error.extensions == {
        "code": "PERSISTED_QUERY_NOT_SUPPORTED",
        "argument": "extensions.persistedQuery.version",
        "supported": [1],
    }


@pytest.mark.parametrize("name", [None, 7, "", ["ab"], {}])
def test_a_hash_that_is_none_is_named(name: object) -> None:
    error = refusal(PersistedDocuments(), by_hash(name, LOBBY))
    assert error.extensions == {"code": "INVALID_INPUT", "argument": "extensions.persistedQuery.sha256Hash"}


@pytest.mark.parametrize("asked", [7, "ab", [], False])
def test_an_extension_of_the_wrong_shape_is_named(asked: object) -> None:
    error = refusal(PersistedDocuments(), request_of({"query": LOBBY, "extensions": {"persistedQuery": asked}}))
    assert error.extensions == {"code": "INVALID_INPUT", "argument": "extensions.persistedQuery"}


def test_the_longest_unused_documents_are_forgotten_first() -> None:
    documents = PersistedDocuments(kept=2)
    register(documents, "{ a }", "{ b }")
    assert documents.resolve(by_hash(sha256("{ a }"))) == "{ a }"
    register(documents, "{ c }")
    assert code(documents, by_hash(sha256("{ b }"))) == NOT_FOUND
    assert documents.resolve(by_hash(sha256("{ a }"))) == "{ a }"
    assert documents.resolve(by_hash(sha256("{ c }"))) == "{ c }"


def test_documents_are_kept_within_their_bytes() -> None:
    documents = PersistedDocuments(kept_bytes=11)
    register(documents, "{ a }", "{ b }", "{ a }")
    assert documents.resolve(by_hash(sha256("{ a }"))) == "{ a }"
    register(documents, "{ éé }")
    assert code(documents, by_hash(sha256("{ a }"))) == NOT_FOUND
    assert code(documents, by_hash(sha256("{ b }"))) == NOT_FOUND
    assert documents.resolve(by_hash(sha256("{ éé }"))) == "{ éé }"


def test_a_document_too_large_to_keep_drives_no_other_out() -> None:
    documents = PersistedDocuments(kept_bytes=8)
    register(documents, "{ a }", "{ aaaaaaaaaa }")
    assert documents.resolve(by_hash(sha256("{ a }"))) == "{ a }"
    assert code(documents, by_hash(sha256("{ aaaaaaaaaa }"))) == NOT_FOUND


@pytest.mark.parametrize("only_trusted", [False, True])
def test_a_trusted_document_is_found_by_its_id_and_by_its_hash(only_trusted: bool) -> None:
    documents = PersistedDocuments({"lobby-1": LOBBY, f"sha256:{sha256(OTHER)}": OTHER}, only_trusted=only_trusted)
    assert documents.resolve(by_id("lobby-1")) == LOBBY
    assert documents.resolve(by_hash("lobby-1")) == LOBBY
    assert documents.resolve(by_hash(sha256(LOBBY))) == LOBBY
    assert documents.resolve(by_id(f"sha256:{sha256(LOBBY)}")) == LOBBY
    assert documents.resolve(by_hash(sha256(OTHER))) == OTHER
    assert documents.resolve(by_id("lobby-1", LOBBY)) == LOBBY
    assert documents.resolve(plain(LOBBY)) == LOBBY


def test_the_text_beside_a_trusted_id_has_to_be_its_own() -> None:
    documents = PersistedDocuments({"lobby-1": LOBBY})
    assert code(documents, by_id("lobby-1", OTHER)) == MISMATCH
    assert code(documents, by_id("nothing", OTHER)) == MISMATCH


def test_the_id_in_the_manifest_wins_over_the_hash_of_another_document() -> None:
    documents = PersistedDocuments({"a": LOBBY, sha256(LOBBY): OTHER})
    assert documents.resolve(by_hash(sha256(LOBBY))) == OTHER
    documents.remember(by_hash(sha256(LOBBY), LOBBY), LOBBY)
    assert documents.resolve(by_hash(sha256(LOBBY))) == OTHER


@pytest.mark.parametrize(
    "request_",
    [
        plain(OTHER),
        by_hash(sha256(OTHER)),
        by_hash(sha256(OTHER), OTHER),
        by_id("nothing"),
        by_id("lobby-1", OTHER),
        by_hash(sha256(LOBBY), OTHER),
    ],
    ids=lambda request: f"{request.document_id or ''} {request.query or ''} {request.extensions or ''}"[:60],
)
def test_where_only_trusted_documents_run_every_other_is_refused(request_: GraphQLRequest) -> None:
    documents = PersistedDocuments({"lobby-1": LOBBY}, only_trusted=True)
    documents.remember(by_hash(sha256(OTHER), OTHER), OTHER)
    assert code(documents, request_) == NOT_TRUSTED


def written(folder: Path, manifest: object) -> Path:
    path = folder / "documents.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), encoding="utf-8")
    return path


def test_a_manifest_of_ids_and_texts_is_read(tmp_path: Path) -> None:
    manifest = {"d41d8cd98f00b204e9800998ecf8427e": LOBBY, "other": OTHER}
    assert load_manifest(written(tmp_path, manifest)) == manifest


def test_a_manifest_of_apollos_is_read(tmp_path: Path) -> None:
    operations = [
        {"id": sha256(LOBBY), "name": "Lobby", "type": "query", "body": LOBBY},
        {"id": sha256(LOBBY), "name": "Lobby", "type": "query", "body": LOBBY, "clientName": "ios"},
        {"id": "other", "name": "Other", "type": "query", "body": OTHER},
    ]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    assert load_manifest(written(tmp_path, manifest)) == {sha256(LOBBY): LOBBY, "other": OTHER}


APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 20_000, "not valid JSON"),
        ([LOBBY], "must be an object of ids and documents"),
        ({"lobby": 7}, "'lobby': an id and the text of a document are needed"),
        ({"lobby": " "}, "'lobby': an id and the text of a document are needed"),
        ({"": LOBBY}, "'': an id and the text of a document are needed"),
        ({"operations": []}, "not a manifest of Apollo's: Object missing required field `format`"),
        ({**APOLLO, "format": "apollo-operations", "operations": []}, "at `$.format`"),
        ({**APOLLO, "version": 2, "operations": []}, "at `$.version`"),
        ({**APOLLO, "operations": {}}, "at `$.operations`"),
        ({**APOLLO, "operations": [{"id": "a", "body": "{ a }"}, {"id": "b"}]}, "at `$.operations[1]`"),
        (
            {**APOLLO, "operations": [{"id": "a", "body": "{ a }"}, {"id": "a", "body": "{ b }"}]},
            "'a' names two different documents",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_manifest_that_cannot_be_used_is_told_by_file_and_place(tmp_path: Path, manifest: object, what: str) -> None:
    path = written(tmp_path, manifest)
    with pytest.raises(BadManifest) as refused:
        load_manifest(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert what in str(refused.value)


def test_a_manifest_in_another_encoding_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_bytes(b'{"lobby": "{ \xe9 }"}')
    with pytest.raises(ValueError, match="not valid JSON"):
        load_manifest(path)


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match=r"missing\.json: cannot be read: No such file"):
        load_manifest(tmp_path / "missing.json")
