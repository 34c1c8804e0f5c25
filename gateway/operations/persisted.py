"""Documents that are asked for by name: those clients registered by sending them once, and those an operator trusts.

The texts `PersistedQueryNotFound` and `PersistedQueryNotSupported` belong to the protocol: some clients compare them
and not the code.

Source: GraphQL over HTTP, appendix "Persisted Documents" (`documentId`); Apollo's automatic persisted queries
        (`extensions.persistedQuery`).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NoReturn

import msgspec

from gateway.model.errors import GatewayError
from gateway.operations.request import GraphQLRequest
from gateway.schema.errors import RequestError, RequestErrorCode, invalid

_SHA256 = "sha256:"
_NONE: Mapping[str, str] = MappingProxyType({})
_EXTENSION = "extensions.persistedQuery"


class BadManifest(GatewayError, ValueError):
    """A file of trusted documents that cannot be used; says which file, and what is wrong where."""


class PersistedDocuments:
    """Finds the text of the document that a request means.

    Shape: `trusted` are texts by id; each can be asked for by its SHA-256 hash as well.
    Units: `kept` documents of `kept_bytes` together at most are remembered for clients; the longest unused go first.
    """

    def __init__(
        self,
        trusted: Mapping[str, str] = _NONE,
        *,
        only_trusted: bool = False,
        kept: int = 1000,
        kept_bytes: int = 4_194_304,
    ) -> None:
        by_hash = {_sha256(text): text for text in trusted.values()}
        self._trusted = by_hash | {name.removeprefix(_SHA256): text for name, text in trusted.items()}
        self._trusted_texts = frozenset(trusted.values())
        self._only_trusted = only_trusted
        self._kept = _Kept(kept, kept_bytes)

    def resolve(self, request: GraphQLRequest) -> str:
        """Give the text of the document; where it is sent and named as well, both have to agree.

        Errors: RequestError.
        """
        name, text = _name(request), request.query
        if self._only_trusted and text is not None and text not in self._trusted_texts:
            _refuse_untrusted()
        if name is None:
            return text or ""  # never empty: what neither sends nor names a document is no GraphQLRequest
        known = self._trusted.get(name) or self._kept.get(name)
        if text is None:
            return known or self._missing()
        if known != text and (expected := _sha256(text)) != name:
            where = "documentId" if request.document_id is not None else f"{_EXTENSION}.sha256Hash"
            message = f"`{where}` does not belong to `query`, whose SHA-256 hash is {expected}"
            raise RequestError(RequestErrorCode.PERSISTED_QUERY_HASH_MISMATCH, message, argument=where)
        return text

    def remember(self, request: GraphQLRequest, text: str) -> None:
        """Keep the text of a valid document, if the request registers it: it names the document and brings it along.

        To be called after every request whose document turned out valid, and for no other: so nobody fills the
        memory with rubbish.
        """
        if request.query is None or self._only_trusted or (name := _name(request)) is None:
            return
        if name == _sha256(text):
            self._kept.add(name, text)

    def _missing(self) -> NoReturn:
        if self._only_trusted:
            _refuse_untrusted()
        raise RequestError(RequestErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")


class _Kept:
    """The documents that were used last."""

    def __init__(self, max_count: int, max_bytes: int) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, name: str) -> str | None:
        if (text := self._texts.get(name)) is not None:
            self._texts.move_to_end(name)
        return text

    def add(self, name: str, text: str) -> None:
        size = _size(text)
        if name in self._texts or size > self._max_bytes:
            return
        self._texts[name] = text
        self._bytes += size
        while len(self._texts) > self._max_count or self._bytes > self._max_bytes:
            self._bytes -= _size(self._texts.popitem(last=False)[1])


class _ApolloOperation(msgspec.Struct):
    id: str
    body: str


class _ApolloManifest(msgspec.Struct):
    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[_ApolloOperation]


def load_manifest(path: Path) -> dict[str, str]:
    """Read a file of trusted documents.

    Shape: `{id: text}`, as Relay's compiler writes it too, or Apollo's persisted query manifest.
    Errors: BadManifest.
    """
    try:
        manifest = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise BadManifest(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadManifest(f"{path}: not valid JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise BadManifest(f"{path}: must be an object of ids and documents, or a manifest of Apollo's")
    documents: dict[str, str] = {}
    for name, text in _apollo(path, manifest) if "operations" in manifest else manifest.items():
        if not name or not isinstance(text, str) or not text.strip():
            raise BadManifest(f"{path}: {name!r}: an id and the text of a document are needed")
        if documents.setdefault(name, text) != text:
            raise BadManifest(f"{path}: {name!r} names two different documents")
    return documents


def _apollo(path: Path, manifest: object) -> list[tuple[str, str]]:
    try:
        operations = msgspec.convert(manifest, _ApolloManifest).operations
    except msgspec.ValidationError as error:
        raise BadManifest(f"{path}: not a manifest of Apollo's: {error}") from None
    return [(operation.id, operation.body) for operation in operations]


def _name(request: GraphQLRequest) -> str | None:
    """Give the name of the document that is asked for, without the prefix that says it is a SHA-256 hash."""
    if request.document_id is not None:
        return request.document_id.removeprefix(_SHA256)
    asked = request.extensions.get("persistedQuery")
    if asked is None:
        return None
    if not isinstance(asked, dict):
        raise invalid(_EXTENSION, "must be an object with `version` and `sha256Hash`")
    if asked.get("version") != 1:
        where, code = f"{_EXTENSION}.version", RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
        raise RequestError(code, "PersistedQueryNotSupported", argument=where, supported=[1])
    name = asked.get("sha256Hash")
    if not isinstance(name, str) or not name:
        raise invalid(f"{_EXTENSION}.sha256Hash", "must be a string: the SHA-256 hash of the document, in hexadecimal")
    return name


def _refuse_untrusted() -> NoReturn:
    message = "only documents that the operator has listed are run here, and this is none of them"
    raise RequestError(RequestErrorCode.DOCUMENT_NOT_TRUSTED, message)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _size(text: str) -> int:
    return len(text.encode())
