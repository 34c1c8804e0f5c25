"""What is known of every room: its extension, its settings, and who is in it; pure state, nothing is asked here.

Each change is told as a picture of the whole room. A room of which no reading was taken yet is not told of: a picture
of it would only have it read once more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.telphin.events import CallTold
from adapters.telphin.mapping import CallSeen, Places, calls_seen, is_pin_set, number_of, room_id
from adapters.telphin.presences import Presences, Seen
from adapters.telphin.settings import settings_of
from adapters.telphin.wire import ConferenceJson, CurrentCallJson, ExtensionJson
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport, PictureReport, Report
from gateway.model.room import Room, RoomDetail, RoomState

_GONE_KEPT = 1024


@dataclass(slots=True)
class _Known:
    """One room.

    Shape: `said_at` and `settings_at` are when what we have of its extension and its settings was asked for or
           answered: an answer to an older question is not taken. `read` once a reading has shown the room.
    """

    extension: ExtensionJson = field(repr=False)
    said_at: datetime
    inside: Presences
    conference: ConferenceJson | None = field(default=None, repr=False)
    settings_at: datetime | None = None
    started_at: datetime | None = None
    read: bool = False


class Rooms:
    """The rooms of one client of Telphin."""

    def __init__(self) -> None:
        self._known: dict[RoomId, _Known] = {}
        self._gone: dict[RoomId, datetime] = {}
        self._phones: set[str] = set()
        """Extensions whose calls are among the current ones, as these or their type have shown."""
        self._no_phones: set[str] = set()

    def ids(self) -> list[RoomId]:
        """Give the ids of all rooms."""
        return list(self._known)

    def all(self) -> list[Room]:
        """Give all rooms as they are now."""
        return [_room(known) for known in self._known.values()]

    def one(self, room: RoomId) -> Room | None:
        """Give one room as it is now; None where there is no such one, as far as is known."""
        known = self._known.get(room)
        return None if known is None else _room(known)

    def settings_at(self, room: RoomId) -> datetime | None:
        """Say when the settings of a room were asked for last; None where they have to be read."""
        known = self._known.get(room)
        return None if known is None else known.settings_at

    def hung_up_by(self, room: RoomId, participant_id: ParticipantId) -> Sequence[tuple[str, str]]:
        """Say at which extensions, and by which id, somebody's call may be ended, the likeliest first."""
        known = self._known.get(room)
        return () if known is None else known.inside.hung_up_by(participant_id)

    def kicked(self, room: RoomId, participant_id: ParticipantId) -> None:
        """Know that somebody's call was ended: who is not proved by the next reading is gone."""
        if (known := self._known.get(room)) is not None:
            known.inside.kicked(participant_id)

    # ---- what is told ----

    def told(self, told: CallTold, arrived_at: datetime) -> list[Report]:
        """Take an event; one about a room that there is not, or no longer, tells nothing."""
        known = self._known.get(RoomId(told.extension_id))
        if known is None:
            return []
        before = _room(known)
        doubtful = known.inside.told(told, arrived_at)
        return _changes(before, known, doubtful=doubtful)

    # ---- what is read ----

    def listed(self, extensions: Sequence[ExtensionJson], asked_at: datetime) -> list[Report]:
        """Take the list of all rooms."""
        return [report for extension in extensions for report in self.extension_read(extension, asked_at)]

    def missing(self, extensions: Sequence[ExtensionJson], asked_at: datetime) -> list[RoomId]:
        """Say which rooms a list lacks: they may be no more."""
        here = {room_id(extension) for extension in extensions}
        return [room for room, known in self._known.items() if room not in here and known.said_at <= asked_at]

    def extension_read(self, extension: ExtensionJson, asked_at: datetime) -> list[Report]:
        """Take what Telphin says of one room's extension; the room may be new."""
        room = room_id(extension)
        if (gone_at := self._gone.get(room)) is not None and asked_at <= gone_at:
            return []
        known = self._known.setdefault(room, _Known(extension, asked_at, Presences(room, self._phones)))
        if known.said_at > asked_at:
            return []
        before = _room(known)
        known.extension, known.said_at = extension, asked_at
        return _changes(before, known)

    def settings_read(self, room: RoomId, conference: ConferenceJson, asked_at: datetime) -> list[Report]:
        """Take the settings of one room."""
        known = self._known.get(room)
        if known is None or (known.settings_at is not None and known.settings_at > asked_at):
            return []
        before = _room(known)
        known.conference, known.settings_at = conference, asked_at
        return _changes(before, known)

    def unjudged(self) -> list[str]:
        """Say of which extensions people came that may be phones or not."""
        came_from = {each for known in self._known.values() for each in known.inside.came_from()}
        return sorted(came_from - self._phones - self._no_phones)

    def judged(self, extension_id: str, *, is_phone: bool) -> None:
        """Know whether an extension is a phone."""
        (self._phones if is_phone else self._no_phones).add(extension_id)

    def calls_read(
        self, calls: Iterable[CurrentCallJson], asked_at: datetime, *, complete: bool = True
    ) -> list[Report]:
        """Take the current calls of all phones: if they are complete, whoever of them has none any more has left."""
        places = Places(known.extension for known in self._known.values())
        by_room: dict[RoomId | None, list[CallSeen]] = {}
        for call in calls_seen(calls, places):
            by_room.setdefault(call.room_id, []).append(call)
            if call.phone_id is not None:
                self.judged(call.phone_id, is_phone=True)
        reports: list[Report] = []
        for room, known in self._known.items():
            before = _room(known)
            seen = Seen(by_room.get(room, ()), by_room.get(None, ()), complete)
            doubtful = known.inside.seen(seen, asked_at)
            reports += _changes(before, known, doubtful=doubtful)
        return reports

    def shown(self, rooms: Iterable[RoomId]) -> None:
        """Know that a reading of these rooms is complete: from now on they are told of."""
        for room in rooms:
            if (known := self._known.get(room)) is not None:
                known.read = True

    def gone(self, room: RoomId, at: datetime) -> None:
        """Know that a room is no more; it is taken out of the table by whoever read or deleted it."""
        self._known.pop(room, None)
        self._gone.pop(room, None)
        self._gone[room] = at
        if len(self._gone) > _GONE_KEPT:
            del self._gone[next(iter(self._gone))]


def _changes(before: Room, known: _Known, *, doubtful: bool = False) -> list[Report]:
    """Tell the picture of a room, if it is another than before, and whether it has to be read."""
    if not known.inside:
        known.started_at = None
    elif known.started_at is None:
        known.started_at = min((each.joined_at for each in known.inside.values() if each.joined_at), default=None)
    now = _room(known)
    if not known.read:
        return []
    picture: list[Report] = [PictureReport(room_id=now.id, room=now)] if now != before else []
    return [*picture, DoubtReport(room_id=now.id)] if doubtful else picture


def _room(known: _Known) -> Room:
    """Put together one room.

    Shape: what is seen of people is not all, and nothing of what they do in there: who moderates, who is muted, and
           whether the room is locked are never told.
    """
    number = number_of(known.extension)
    settings = None if known.conference is None else settings_of(known.conference, known.extension)
    return Room(
        id=room_id(known.extension),
        name=known.extension.get("label") or number,
        numbers=() if number is None else (number,),
        pin_required=is_pin_set(known.conference),
        settings=settings,
        state=RoomState.ACTIVE if known.inside else RoomState.IDLE,
        detail=RoomDetail.SUMMARY,
        permanent=True,
        started_at=known.started_at,
        participants=dict(known.inside),
    )
