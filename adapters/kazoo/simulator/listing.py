"""Filters and pages of a Crossbar listing."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from .answers import CrossbarError, complain
from .documents import Stored
from .shapes import Json, dig

DEFAULT_PAGE_SIZE = 50


class Page(NamedTuple):
    """One page and the keys the envelope gets; no keys when nothing was paged."""

    items: list[tuple[str, Stored]]
    envelope: Json


def keeps(stored: Stored, query: Mapping[str, str]) -> bool:
    """Whether a document passes every filter of the query."""
    return all(_passes(stored, name, value) for name, value in query.items())


def _passes(stored: Stored, name: str, value: str) -> bool:
    document = stored.document
    match name:
        case "has_key":
            return dig(document, value) is not None
        case "key_missing":
            return dig(document, value) is None
        case "has_value":
            return not _empty(dig(document, value))
        case "missing_value":
            return _empty(dig(document, value))
        case "created_from" | "created_to":
            return _within(stored.created, name, value)
        case "modified_from" | "modified_to":
            return _within(stored.modified, name, value)
    if name.startswith("filter_not_"):
        return _text(dig(document, name.removeprefix("filter_not_"))) != value
    if name.startswith("filter_"):
        return _text(dig(document, name.removeprefix("filter_"))) == value
    return True


def _within(moment: int, name: str, limit: str) -> bool:
    if not limit.isdecimal():
        return True
    return moment >= int(limit) if name.endswith("_from") else moment <= int(limit)


def _empty(value: object) -> bool:
    return value in (None, "", [], {})


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def page(found: dict[str, Stored], query: Mapping[str, str], *, invalid: str, max_listing: int | None) -> Page:
    """Sort by id, newest order first unless asked otherwise, and cut the page that was asked for."""
    kept = sorted(((room_id, one) for room_id, one in found.items() if keeps(one, query)), key=lambda item: item[0])
    if query.get("ascending") != "true":
        kept.reverse()
    if query.get("paginate") == "false":
        if max_listing is not None and len(kept) > max_listing:
            raise CrossbarError(416, "range not satisfiable", {"message": "range not satisfiable"})
        return Page(kept, {})
    size = _page_size(query.get("page_size"), invalid)
    start = _start(kept, query, invalid)
    shown = kept[start : start + size]
    envelope: Json = {"page_size": len(shown)}
    if shown:
        envelope["start_key"] = _opaque(shown[0][0])
    if start + size < len(kept):
        envelope["next_start_key"] = _opaque(kept[start + size][0])
    return Page(shown, envelope)


def _page_size(text: str | None, invalid: str) -> int:
    if text is None:
        return DEFAULT_PAGE_SIZE
    if not text.isdecimal() or int(text) < 1:
        complain(invalid, "page_size", "minimum", "page size must be at least 1", target=1, value=text)
    return int(text)


def _start(kept: list[tuple[str, Stored]], query: Mapping[str, str], invalid: str) -> int:
    """Where a start key points; at the next document when its own has gone meanwhile."""
    text = query.get("start_key")
    if text is None:
        return 0
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        complain(invalid, "start_key", "invalid", "start key is not valid", value=text)
    ascending = query.get("ascending") == "true"
    behind = (room_id >= key if ascending else room_id <= key for room_id, _ in kept)
    return next((index for index, reached in enumerate(behind) if reached), len(kept))


def _opaque(room_id: str) -> str:
    return base64.urlsafe_b64encode(room_id.encode()).rstrip(b"=").decode()
