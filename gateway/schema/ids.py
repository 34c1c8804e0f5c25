"""Global ids: opaque to clients, and the same after a restart, since they hold nothing but the native ids."""

import base64
import binascii
from enum import Enum
from typing import NamedTuple

import strawberry

from gateway.model.errors import GatewayError
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey

_MAX_CHARS = 4096


class MalformedId(GatewayError):
    """An id that the gateway never gave out, or one of something else."""


class ParticipantKey(NamedTuple):
    """A presence among all rooms."""

    room: RoomKey
    participant_id: ParticipantId


class _Kind(Enum):
    BACKEND = "B"
    ROOM = "R"
    PARTICIPANT = "P"
    CONFERENCE = "C"


_PARTS = {_Kind.BACKEND: 1, _Kind.ROOM: 2, _Kind.PARTICIPANT: 3, _Kind.CONFERENCE: 1}


def backend_gid(backend_id: BackendId) -> strawberry.ID:
    """Write the id of a backend."""
    return _write(_Kind.BACKEND, backend_id)


def room_gid(key: RoomKey) -> strawberry.ID:
    """Write the id of a room."""
    return _write(_Kind.ROOM, *key)


def participant_gid(key: RoomKey, participant_id: ParticipantId) -> strawberry.ID:
    """Write the id of a participant."""
    return _write(_Kind.PARTICIPANT, *key, participant_id)


def conference_gid(conference_id: str) -> strawberry.ID:
    """Write the id of a past conference."""
    return _write(_Kind.CONFERENCE, conference_id)


def parse_backend(text: str) -> BackendId:
    """Read the id of a backend.

    Errors: MalformedId.
    """
    return BackendId(_read(text, _Kind.BACKEND)[0])


def parse_room(text: str) -> RoomKey:
    """Read the id of a room.

    Errors: MalformedId.
    """
    backend_id, room_id = _read(text, _Kind.ROOM)
    return RoomKey(BackendId(backend_id), RoomId(room_id))


def parse_participant(text: str) -> ParticipantKey:
    """Read the id of a participant.

    Errors: MalformedId.
    """
    backend_id, room_id, participant_id = _read(text, _Kind.PARTICIPANT)
    return ParticipantKey(RoomKey(BackendId(backend_id), RoomId(room_id)), ParticipantId(participant_id))


def parse_node(text: str) -> BackendId | RoomKey | ParticipantKey:
    """Read the id of anything that can be fetched by id.

    Errors: MalformedId.
    """
    kind, _ = _split(text)
    if kind is _Kind.BACKEND:
        return parse_backend(text)
    return parse_participant(text) if kind is _Kind.PARTICIPANT else parse_room(text)


def _write(kind: _Kind, *parts: str) -> strawberry.ID:
    # Native ids may contain any character, so that each needs its length.
    plain = kind.value + "".join([f"{len(part)}:{part}" for part in parts])
    encoded = base64.urlsafe_b64encode(plain.encode("utf-8", "surrogatepass"))
    return strawberry.ID(encoded.rstrip(b"=").decode("ascii"))


def _read(text: str, wanted: _Kind) -> list[str]:
    kind, parts = _split(text)
    if kind is not wanted:
        raise MalformedId(f"this is the id of a {kind.name.lower()}, not of a {wanted.name.lower()}")
    return parts


def _split(text: str) -> tuple[_Kind, list[str]]:
    try:
        kind, parts = _taken_apart(text)
    except (ValueError, binascii.Error):
        raise MalformedId("this is not an id that the gateway gave out") from None
    if len(parts) != _PARTS[kind] or _write(kind, *parts) != text:
        raise MalformedId("this is not an id that the gateway gave out")
    return kind, parts


def _taken_apart(text: str) -> tuple[_Kind, list[str]]:
    if len(text) > _MAX_CHARS:
        raise ValueError("too long")
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    plain = raw.decode("utf-8", "surrogatepass")
    parts, rest = [], plain[1:]
    while rest:
        length, _, rest = rest.partition(":")
        size = int(length)
        parts.append(rest[:size])
        rest = rest[size:]
    return _Kind(plain[:1]), parts
