"""What a frame of xuc tells, in plain values: `events.py` reads frames as these, `roster.py` and others act on them."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.room import ParticipantRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a listed room.

    Units: `joined_ms` is epoch milliseconds.
    """

    order: int
    joined_ms: int
    name: str | None = None
    number: str | None = None
    username: str | None = None
    muted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRoom:
    """A room of the room list.

    Units: `started_ms` is epoch milliseconds; 0 while nobody is in the room.
    """

    number: str
    name: str | None = None
    pin_required: bool | None = None
    started_ms: int = 0
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsListed:
    """All rooms, and who is in them: an answer to a question, or pushed because something changed."""

    rooms: tuple[ListedRoom, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Somebody in the account's own room, in full.

    Shape: `index` is a slot, not an identity: it is given to another once it is free.
    Units: `since_s` is how long they have been in the room.
    """

    index: int
    name: str | None = None
    number: str | None = None
    username: str | None = None
    role: ParticipantRole | None = None
    muted: bool | None = None
    deafened: bool | None = None
    talking: bool | None = None
    is_me: bool = False
    since_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The account itself has entered a room, where it finds these people; `unique_id` is its own call."""

    room: str
    room_name: str | None = None
    unique_id: str | None = None
    people: tuple[Described, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The account itself has left a room."""

    room: str
    unique_id: str | None = None


class PersonKind(StrEnum):
    """What happened to somebody in the account's own room."""

    JOIN = "Join"
    LEAVE = "Leave"
    UPDATE = "Update"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTold:
    """Somebody in the account's own room came, left, or is different now.

    Shape: `unique_id` is the account's own call, whomever this is about.
    """

    kind: PersonKind
    room: str
    room_name: str | None = None
    unique_id: str | None = None
    person: Described


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A command failed: neither which nor in which room is said."""

    code: str


@dataclass(frozen=True, slots=True)
class ErrorTold:
    """Something went wrong; its content has no known shape, and nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class SignedOn:
    """The session is ready."""


@dataclass(frozen=True, slots=True)
class SignOnFailed:
    """The session will not be ready; `code` is empty where none was said."""

    code: str


@dataclass(frozen=True, slots=True)
class LineTold:
    """Whether the account has a line."""

    has_line: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTold:
    """Something happened to a call of the account; `kind` is xuc's name of it."""

    kind: str
    unique_id: str | None = None
    other_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsTold:
    """The calls that the account has now."""

    calls: tuple[CallTold, ...]


Told = (
    RoomsListed
    | Entered
    | Exited
    | PersonTold
    | CommandFailed
    | ErrorTold
    | SignedOn
    | SignOnFailed
    | LineTold
    | CallTold
    | CallsTold
)
"""What a frame tells."""

CALL_ESTABLISHED = "EventEstablished"
CALL_ON_HOLD = "EventOnHold"
CALL_RELEASED = "EventReleased"
"""Kinds of CallTold that mean something to us: being in a room by phone, and being out of it."""
