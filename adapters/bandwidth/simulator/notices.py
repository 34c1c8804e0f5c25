"""What has happened and may have to be told to somebody; what it looks like on the wire is not decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from .calls import Call
    from .conferences import Conference, Member


class ConferenceNotice(NamedTuple):
    """A conference was created or completed."""

    conference: Conference


class MemberNotice(NamedTuple):
    """A member came, went, or was muted or held; `active_members` are there since."""

    conference: Conference
    member: Member
    active_members: int


class SoundNotice(NamedTuple):
    """A sound in a conference, or to one of its members by their call, has started or is done."""

    hearer: Conference | Call
    is_sentence: bool
    status: str
    tag: str | None


class CallNotice(NamedTuple):
    """Something happened to a call; `more` are properties of just this event."""

    call: Call
    event_type: str
    more: dict[str, object]


Notice: TypeAlias = ConferenceNotice | MemberNotice | SoundNotice | CallNotice
Tell: TypeAlias = Callable[[Notice], None]
