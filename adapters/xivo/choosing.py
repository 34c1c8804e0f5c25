"""Which of the configured accounts does a command: XiVO lets every command be done by whoever sends it."""

from collections.abc import Sequence

from adapters.xivo.views import Seat
from gateway.model.errors import CommandErrorCode, refused
from gateway.model.room import ParticipantRole

_RANKS = {ParticipantRole.MODERATOR: 0, None: 1, ParticipantRole.PARTICIPANT: 2}
"""An account whose role XiVO has not told yet may be an organizer: it is tried rather than refused."""


def own_seat(seats: Sequence[Seat], identity: str | None) -> Seat | None:
    """Choose the account for what is about the viewer alone: their own, if it is configured and in the room."""
    return next((seat for seat in seats if seat.login == identity), None)


def organizer_seat(seats: Sequence[Seat], identity: str | None) -> Seat:
    """Choose the account for what only an organizer may do.

    Organizers come first, and among equals the viewer's own account, so that "everybody but me" and XiVO's own records
    mean the viewer; then whoever entered first. That the viewer may do it at all has been decided before: an account
    that stands in for them is the gateway's own way of doing what the viewer may.

    Errors: CommandRefused, NOT_A_MEMBER without an account in the room, NOT_ORGANIZER when none of them is one.
    """
    if not seats:
        message = "none of the XiVO accounts configured here is in the room"
        raise refused(CommandErrorCode.NOT_A_MEMBER, message)
    best = min(seats, key=lambda seat: (_RANKS[seat.role], seat.login != identity))
    if best.role is ParticipantRole.PARTICIPANT:
        message = "none of the XiVO accounts configured here is an organizer in the room"
        raise refused(CommandErrorCode.NOT_ORGANIZER, message)
    return best
