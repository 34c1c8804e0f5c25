"""What xuc has told of all rooms, by the room list and by the accounts that sit in them, as reports: no I/O in here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.xivo import mapping
from adapters.xivo.scene import Known, Scene
from adapters.xivo.told import (
    CALL_ESTABLISHED,
    CALL_ON_HOLD,
    CALL_RELEASED,
    CallsTold,
    CallTold,
    Described,
    Entered,
    Exited,
    PersonKind,
    PersonTold,
    RoomsListed,
)
from adapters.xivo.views import Seat, View
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import Report, RosterDoubtReport
from gateway.model.room import Room

_CALLS_REMEMBERED = 256
_DOUBTS_REMEMBERED = 256


def _now() -> datetime:
    return datetime.now(UTC)


class Rooms:
    """All rooms of one XiVO."""

    def __init__(self, *, clock: Callable[[], datetime] = _now, name_within: timedelta = timedelta(seconds=1)) -> None:
        self._clock = clock
        self._name_within = name_within
        self._known = Known()
        self._scenes: dict[str, Scene] = {}
        self._waiting: set[Scene] = set()
        self._released: dict[tuple[str, str], None] = {}
        self._doubted: set[str] = set()
        self._calls: dict[str, tuple[CallTold, ...]] = {}
        """The calls that each account had when it signed on: often before any list has told which numbers are rooms."""

    @property
    def has_lists(self) -> bool:
        """Whether the room list is to be had; without it a room is known only while an account sits in it."""
        return self._known.has_lists

    @has_lists.setter
    def has_lists(self, value: bool) -> None:
        self._known.has_lists = value

    # ---- the room list ----

    def listed(self, told: RoomsListed, asked_at: datetime | None = None) -> list[Report]:
        """Take a room list; `asked_at` is when it was asked for, if it was."""
        now_ms, asked_ms = self._now_ms(), mapping.epoch_ms(asked_at) if asked_at else None
        self._compare_clocks(told, now_ms)
        self._doubted.clear()
        rooms = {room.number: room for room in told.rooms}
        unlisted = {number: scene for number, scene in self._scenes.items() if number not in rooms}
        self._scenes = {number: self._scene(number) for number in rooms} | unlisted
        reports: list[Report] = []
        for number, room in rooms.items():
            scene = self._scenes[number]
            if not scene.is_known(room):
                scene.take_list(room, now_ms, asked_ms)
                reports += self._told(scene)
        for scene in unlisted.values():
            scene.is_unlisted(now_ms)
            reports += self._told(scene)
        for login in self._calls:
            reports += self._seated_by_calls(login)
        return _once(reports)

    def _compare_clocks(self, told: RoomsListed, now_ms: int) -> None:
        """Learn how far our clock can at most be ahead: nobody is listed before they have joined."""
        joined_ms = [member.joined_ms for room in told.rooms for member in room.members]
        if joined_ms:
            self._known.clues.ahead_ms = min(self._known.clues.ahead_ms, now_ms - max(joined_ms))

    # ---- the accounts inside ----

    def entered(self, login: str, told: Entered) -> list[Report]:
        """Take that an account has entered a room, and whom it finds there."""
        scene = self._scenes.setdefault(told.room, self._scene(told.room))
        scene.told_name = told.room_name or scene.told_name
        scene.enter(View(login, True, told.unique_id), told.people, self._now_ms())
        return self._told(scene)

    def exited(self, login: str, told: Exited) -> list[Report]:
        """Take that an account has left a room."""
        self._release(login, told.unique_id)
        self._calls.pop(login, None)  # without an id it might be any of them
        view = self._view(login, told.room)
        if view is None or (None not in (view.unique_id, told.unique_id) and view.unique_id != told.unique_id):
            return []
        return self._rise(self._scenes[told.room], login, left=True)

    def in_calls(self, login: str, told: CallsTold) -> list[Report]:
        """Take the calls of an account: one to a room means that it sits there."""
        self._calls[login] = tuple(call for call in told.calls if call.kind in _IN_ROOM)
        return self._seated_by_calls(login)

    def _seated_by_calls(self, login: str) -> list[Report]:
        reports: list[Report] = []
        for call in self._calls[login]:
            scene = self._scenes.get(call.other_number or "")
            if scene is not None and login not in scene.views and not self._is_released(login, call.unique_id):
                scene.sit(View(login, False, call.unique_id))
                reports += self._told(scene)
        return reports

    def call(self, login: str, told: CallTold) -> list[Report]:
        """Take what happened to a call of an account: the end of that which carries it in a room is its leave."""
        if told.kind != CALL_RELEASED or told.unique_id is None:
            return []
        self._release(login, told.unique_id)
        reports: list[Report] = []
        for scene in list(self._scenes.values()):
            view = scene.views.get(login)
            if view is not None and view.unique_id == told.unique_id:
                reports += self._rise(scene, login, left=True)
        return reports

    def lost(self, login: str) -> list[Report]:
        """Take that an account's session is gone, and with it all that it told."""
        self._calls.pop(login, None)
        reports: list[Report] = []
        for scene in [each for each in self._scenes.values() if login in each.views]:
            reports += self._rise(scene, login, left=False)
        return _once(reports)

    def person(self, login: str, told: PersonTold) -> list[Report]:
        """Take what an account is told of somebody in its room.

        Only who sits in a room is told of it: for a room that is known, an event is proof of that. Nothing is believed
        of a room that no list has had.
        """
        view = self._view(login, told.room) or self._proven(login, told)
        if view is None:
            return self._doubt(told)
        scene, now_ms = self._scenes[told.room], self._now_ms()
        scene.told_name = told.room_name or scene.told_name
        if told.kind is PersonKind.LEAVE:
            scene.leave(view, told.person, now_ms)
            return self._told(scene)
        scene.tell(view, told.person, now_ms, joining=told.kind is PersonKind.JOIN)
        return self._reports(scene)

    def _proven(self, login: str, told: PersonTold) -> View | None:
        """Make a view for an account that must be in the room; a leave is no proof: it may be the account's own."""
        scene = self._scenes.get(told.room)
        if told.kind is PersonKind.LEAVE or self._is_released(login, told.unique_id):
            return None
        if scene is None and self.has_lists:
            return None
        scene = self._scenes.setdefault(told.room, self._scene(told.room))
        scene.sit(View(login, False, told.unique_id))
        return scene.views[login]

    def _doubt(self, told: PersonTold) -> list[Report]:
        """Ask for the rooms to be read again, once for each room until the next list."""
        if told.room in self._scenes or told.room in self._doubted or len(self._doubted) >= _DOUBTS_REMEMBERED:
            return []
        self._doubted.add(told.room)
        return [RosterDoubtReport()]

    # ---- those whose name is awaited ----

    @property
    def wants_list(self) -> bool:
        """Whether a list would tell something that is needed: the name of somebody, or who is in a room at all."""
        waiting = any(scene.doubted or scene.held for scene in self._waiting)
        return self.has_lists and (waiting or bool(self._doubted))

    @property
    def next_due(self) -> datetime | None:
        """When `overdue` has to be called next."""
        since = [each.held_since_ms for scene in self._waiting for each in scene.held if each.held_since_ms is not None]
        return None if not since else mapping.instant(min(since) + self._name_within_ms)

    def overdue(self) -> list[Report]:
        """Name those whom no list has named in time."""
        reports: list[Report] = []
        for scene in list(self._waiting):
            scene.name_held(self._now_ms() - self._name_within_ms)
            reports += self._told(scene)
        return reports

    # ---- what is known ----

    def all(self) -> list[Room]:
        """Give all rooms as they are now."""
        return [scene.picture() for scene in self._scenes.values()]

    def one(self, room_id: RoomId) -> Room | None:
        """Give one room as it is now."""
        scene = self._scenes.get(room_id)
        return None if scene is None else scene.picture()

    def with_number(self, room_id: RoomId, number: str) -> list[ParticipantId]:
        """Give those in a room whose number it is."""
        scene = self._scenes.get(room_id)
        here = scene.here if scene else ()
        return [each.id for each in here if each.id is not None and each.number == number]

    def seats(self, room_id: RoomId) -> list[Seat]:
        """Give the accounts that sit in a room, in order of entering."""
        scene = self._scenes.get(room_id)
        return [] if scene is None else [view.seat for view in scene.views.values()]

    def occupant(self, room_id: RoomId, participant_id: ParticipantId, login: str) -> Described | None:
        """Give a participant as the view of `login` has its slot now; None when they left or it is somebody else's."""
        view = self._view(login, room_id)
        return None if view is None else self._scenes[room_id].now(view, participant_id)

    def is_disputed(self, room_id: RoomId, participant_id: ParticipantId) -> bool:
        """Whether list and events disagree on whether a participant is muted."""
        scene = self._scenes.get(room_id)
        return scene is not None and scene.is_disputed(participant_id)

    def at(self, room_id: RoomId, login: str, index: int) -> Described | None:
        """Give whoever is in a slot by the view of `login`."""
        view = self._view(login, room_id)
        seen = view.slots.get(index) if view else None
        return None if seen is None else seen.described

    # ---- inside ----

    def _told(self, scene: Scene) -> list[Report]:
        """Finish a change of a room: report it, or that nobody can see the room any longer."""
        if scene.listed is None and not scene.views:
            self._waiting.discard(scene)
            del self._scenes[scene.number]
            return [*scene.reports(), RosterDoubtReport()]
        scene.report()
        return self._reports(scene)

    def _reports(self, scene: Scene) -> list[Report]:
        if scene.doubted or scene.held:
            self._waiting.add(scene)
        else:
            self._waiting.discard(scene)
        return scene.reports()

    def _rise(self, scene: Scene, login: str, *, left: bool) -> list[Report]:
        scene.rise(login, self._now_ms(), left=left)
        return self._told(scene)

    def _release(self, login: str, unique_id: str | None) -> None:
        """Remember a call that is over: what is still told through it is no proof of being in a room."""
        if unique_id is not None:
            self._released[login, unique_id] = None
            if len(self._released) > _CALLS_REMEMBERED:
                del self._released[next(iter(self._released))]

    def _is_released(self, login: str, unique_id: str | None) -> bool:
        return unique_id is not None and (login, unique_id) in self._released

    def _scene(self, number: str) -> Scene:
        return self._scenes.get(number) or Scene(number, self._known)

    def _view(self, login: str, number: str) -> View | None:
        scene = self._scenes.get(number)
        return None if scene is None else scene.views.get(login)

    @property
    def _name_within_ms(self) -> int:
        return self._name_within // timedelta(milliseconds=1)

    def _now_ms(self) -> int:
        return mapping.epoch_ms(self._clock())


_IN_ROOM = (CALL_ESTABLISHED, CALL_ON_HOLD)


def _once(reports: list[Report]) -> list[Report]:
    """Leave out repeated doubts about the roster."""
    doubts = [each for each in reports if isinstance(each, RosterDoubtReport)]
    return [each for each in reports if not isinstance(each, RosterDoubtReport)] + doubts[:1]
