"""Waits for the event that shows a command's effect, and asks the backend when it stays silent."""

import asyncio

from gateway.live.effects import Effect, shown_in
from gateway.live.link import Link
from gateway.live.table import RoomAt
from gateway.model.errors import LinkDown
from gateway.model.events import ParticipantLeft
from gateway.model.ids import ParticipantId, Position
from gateway.model.room import Participant


async def confirmed(link: Link, before: RoomAt, effect: Effect, deadline: float) -> Position | None:
    """Give the position of the event that shows the effect; None when it was not seen by then.

    Shape:  `before` is the room as it was before the command was sent. If it was already as wanted, or if backends do
            not report such an effect, a new reading decides; else half of the time is left to the event first.
    Units:  `deadline` in seconds of the loop's clock.
    """
    room_id = before.key.room_id
    if (gone_at := link.table.removed_at(room_id)) is not None:
        return gone_at if effect.wanted(None) else None
    already = effect.wanted(before.room)
    if not already and (position := _already_seen(link, before, effect)) is not None:
        return position
    waiter = link.table.until(room_id, effect.wanted)
    try:
        async with asyncio.timeout_at(deadline):
            if effect.told and not already:
                left_s = deadline - asyncio.get_running_loop().time()
                await asyncio.wait({waiter}, timeout=left_s / 2)
            if not waiter.done():
                await link.reread(room_id)
            now = link.table.get(room_id)
            if not waiter.done() and now is not None and effect.wanted(now.room):
                return now.position
            return await waiter
    except (TimeoutError, LinkDown):
        return None
    finally:
        waiter.cancel()


def as_of(link: Link, before: RoomAt, position: Position, participant_id: ParticipantId) -> Participant | None:
    """Give a participant as of the event at a position; one who has left as they left."""
    previous = Position(position.epoch, position.sequence - 1)
    for numbered in link.table.events_after(before.key.room_id, previous) or ():
        match numbered.event:
            case ParticipantLeft(_, participant, _) if participant.id == participant_id:
                return participant
    now = link.table.get(before.key.room_id)
    known = None if now is None else now.room.participants.get(participant_id)
    return known or before.room.participants.get(participant_id)


def _already_seen(link: Link, before: RoomAt, effect: Effect) -> Position | None:
    """Look for the effect in what happened since the command was sent: events often overtake the backend's answer."""
    events = link.table.events_after(before.key.room_id, before.position)
    return shown_in(before.room, events, effect.wanted) if events else None
