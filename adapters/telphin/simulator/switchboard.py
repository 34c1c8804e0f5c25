"""How calls get into rooms and out of them: dialled, called back, invited, redirected, hung up.

Inferred: `#` ends a PIN, after a wrong one the room waits for the next, and after the third it hangs up; a call that is
          redirected keeps `CallID` and `CallAPIID`; of a call between a phone and a stranger it is the stranger who is
          redirected, of a phone in a room the phone; only guests whom a room called are recorded.
"""

from collections import deque
from collections.abc import Callable
from random import Random

from .calls import Call, Caller, Calls
from .extensions import CONFERENCE, PHONE, Extension, Extensions
from .happenings import Happening, Kind
from .history import Past
from .ringing import Ringing
from .rooms import DeclinedError, Leg, Room, Rooms

_MOST_WRONG_PINS = 3


class Switchboard:
    """Joins calls to rooms and tells what happens.

    Units: `clock` gives Unix seconds.
    """

    def __init__(
        self,
        extensions: Extensions,
        calls: Calls,
        rooms: Rooms,
        *,
        tell: Callable[[Happening], None],
        clock: Callable[[], float],
        rng: Random,
    ) -> None:
        self.calls = calls
        self.rooms = rooms
        self.ringing = Ringing(self.hang_up)
        self.past: deque[Past] = deque(maxlen=1_000)
        self._extensions = extensions
        self._tell = tell
        self._clock = clock
        self._rng = rng

    # Beginnings

    def dial(self, caller: Caller, room: Room, did: str | None = None) -> Leg:
        """Let somebody call a room; where it has a PIN they are asked for it.

        Errors: DeclinedError.
        """
        phones = (caller.phone,) if caller.phone else ()
        call = self.calls.begin(caller, room.extension.number, phones=phones, did=did)
        self._tell_phone(call, "dial-out", "CALLING")
        return self._admit(call, room)

    def stranger_calls(self, caller: Caller, phone: Extension) -> Call:
        """Let somebody outside talk to a phone."""
        call = self.calls.begin(caller, phone.number, phones=(phone,), called=phone)
        self._tell_phone(call, "dial-in", "CALLING")
        call.answered_at = self._clock()
        self._tell_phone(call, "answer", "ANSWER")
        return call

    def call_back(self, callers: list[Caller], called: str, arrived: Callable[[Room, Leg], None]) -> Call:
        """Ring somebody, and connect whoever answers first with a number; `arrived` happens if it is a room's."""
        phones = tuple(one.phone for one in callers if one.phone is not None)
        call = self.calls.begin(callers[0], called, phones=phones, by_callback=True)
        self.ringing.ring(call, lambda: self._connect(call, arrived))
        return call

    def invite(self, room: Room, number: str) -> Call:
        """Let a room call a guest, who is asked for nothing."""
        call = self.calls.begin(Caller(number), room.extension.number, phones=())
        self.ringing.ring(call, lambda: self._take_in(call, room))
        return call

    def _connect(self, call: Call, arrived: Callable[[Room, Leg], None]) -> None:
        call.phones = (call.caller.phone,) if call.caller.phone else ()
        target = self._extensions.with_number(call.dialled)
        room = self.rooms.by_id.get(target.extension_id) if target else None
        if room is None:
            call.called = target
            call.answered_at = self._clock()
            self._tell_phone(call, "answer", "ANSWER")
            return
        try:
            leg = self._admit(call, room)
        except DeclinedError:
            return
        arrived(room, leg)

    def _take_in(self, call: Call, room: Room) -> None:
        try:
            leg = self.rooms.arrive(room, call, guest=True)
            self._enter(room, leg, moderator=False)
        except DeclinedError as refusal:
            self.hang_up(call, refusal.status)

    # The door

    def _admit(self, call: Call, room: Room) -> Leg:
        try:
            leg = self.rooms.arrive(room, call)
            if room.settings.pin is None:
                self._enter(room, leg, moderator=False)
        except DeclinedError as refusal:
            self.hang_up(call, refusal.status)
            raise
        return leg

    def try_pin(self, room: Room, leg: Leg, pin: str) -> None:
        """Let somebody before the door try a PIN."""
        if pin in (room.settings.pin, room.settings.moderator_pin):
            try:
                self._enter(room, leg, moderator=pin == room.settings.moderator_pin)
            except DeclinedError as refusal:
                self.hang_up(leg.call, refusal.status)
            return
        leg.wrong_pins += 1
        if leg.wrong_pins >= _MOST_WRONG_PINS:
            self.hang_up(leg.call, "CANCEL")

    def _enter(self, room: Room, leg: Leg, *, moderator: bool) -> None:
        self.rooms.enter(room, leg, moderator=moderator)
        self._tell(Happening("dial-in", room.extension, leg.call, "CALLING"))
        self._tell(Happening("answer", room.extension, leg.call, "ANSWER"))
        self._tell_phone(leg.call, "answer", "ANSWER")

    # Endings

    def hang_up(self, call: Call, status: str = "ANSWER") -> None:
        """End a call, wherever it is; one that is over is left alone."""
        if self.calls.going_on.pop(call.call_api_id, None) is None:
            return
        self.ringing.forget(call.call_api_id)
        room = call.room
        self._leave_room(call, transferred=False)
        call.room = room
        self._tell_phone(call, "hangup", status)
        self.past.append(Past(call, status, self._clock()))

    def transfer(self, call: Call, target: Extension | None) -> None:
        """Let a call go on somewhere else; a room lets it in or declines, and elsewhere it is heard of no more."""
        self._leave_room(call, transferred=True)
        if call.caller.phone is None:
            self._tell_phone(call, "hangup", "ANSWER")
            call.phones = ()
        room = self.rooms.by_id.get(target.extension_id) if target else None
        call.called = target
        if room is not None:
            call.dialled = room.extension.number
            call.answered_at = None
            try:
                self._admit(call, room)
            except DeclinedError:
                return

    def _leave_room(self, call: Call, *, transferred: bool) -> None:
        seat = self.rooms.seat(call)
        if seat is None:
            return
        room, leg = seat
        if leg.entered_at is not None:
            duration_s = self._clock() - leg.entered_at
            told = Happening(
                "hangup", room.extension, call, "ANSWER", duration_s, transferred, self._recording(room, leg)
            )
            self._tell(told)
        self.rooms.leave(room, leg)

    def _recording(self, room: Room, leg: Leg) -> str | None:
        if not (leg.guest and room.settings.record_enabled):
            return None
        return f"{room.extension.extension_id}-{self._rng.getrandbits(64):016x}"

    def _tell_phone(self, call: Call, kind: Kind, status: str) -> None:
        duration_s = 0.0
        if kind == "hangup" and call.answered_at is not None:
            duration_s = self._clock() - call.answered_at
        # Of a callback the phone that was rung is told nothing before somebody answers.
        for phone in call.phones:
            self._tell(Happening(kind, phone, call, status, duration_s))

    def caller(self, number: str) -> Caller | None:
        """Tell who is called under a number; None for an extension that cannot be called back.

        Shape: a number that is no extension's is somebody outside.
        """
        extension = self._extensions.with_number(number)
        if extension is None:
            return Caller(number)
        if extension.kind != PHONE:
            return None
        return Caller(extension.number, extension.caller_id_name, extension)

    def room_of(self, extension: Extension) -> Room | None:
        """Find the room that an extension is."""
        return self.rooms.by_id.get(extension.extension_id) if extension.kind == CONFERENCE else None
