"""What a client may ask of xuc, who may ask it, and what then happens.

Inferred: `numConf` must be a string and integers integers; what is not gets the generic error, as do unknown commands;
          mute-all reaches other organizers; the caller of close leaves last; conferenceReset and
          includeToConference have no effect that is known, and have none here.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from .cti import Cti, Session
from .dialling import Dialling
from .faults import Faults
from .rooms import Member, Room, Rooms
from .shapes import Json, error, message
from .wording import Wording, current_calls, line_config

Value = TypeVar("Value")

_NEWER = frozenset(
    {
        "conferenceDeafen",
        "conferenceUndeafen",
        "conferenceClose",
        "conferenceInvite",
        "conferenceReset",
        "includeToConference",
    }
)


class Command(NamedTuple):
    """One web command as a client sent it."""

    login: str
    frame: Json


class RefusedError(Exception):
    """The generic failure with its text."""


class ConferenceError(Exception):
    """The failure of a conference command; `code` is all that is said about it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Commands:
    """Reads are answered at once; commands act as their user, now, later or never."""

    def __init__(self, faults: Faults, rooms: Rooms, dialling: Dialling, cti: Cti, wording: Wording) -> None:
        self.received: deque[Command] = deque(maxlen=10_000)
        self.reads: deque[Command] = deque(maxlen=10_000)
        self._faults = faults
        self._rooms = rooms
        self._dialling = dialling
        self._cti = cti
        self._wording = wording
        self._pending: set[asyncio.TimerHandle] = set()
        self._answers: Mapping[str, Callable[[Session, Json], Json]] = {
            "getConfig": self._get_config,
            "getList": self._get_list,
            "getCurrentCallsPhoneEvents": self._get_calls,
        }
        self._effects = self._table()

    def _table(self) -> Mapping[str, Callable[[Session, Json], None]]:
        return {
            "conferenceMuteMe": lambda session, frame: self._mute_me(session, frame, muted=True),
            "conferenceUnmuteMe": lambda session, frame: self._mute_me(session, frame, muted=False),
            "conferenceMuteAll": lambda session, frame: self._mute_all(session, frame, muted=True),
            "conferenceUnmuteAll": lambda session, frame: self._mute_all(session, frame, muted=False),
            "conferenceMute": lambda session, frame: self._mute(session, frame, muted=True),
            "conferenceUnmute": lambda session, frame: self._mute(session, frame, muted=False),
            "conferenceDeafen": lambda session, frame: self._deafen(session, frame, deafened=True),
            "conferenceUndeafen": lambda session, frame: self._deafen(session, frame, deafened=False),
            "conferenceKick": self._kick,
            "conferenceClose": self._close,
            "conferenceInvite": self._invite,
            "conferenceReset": lambda *_: None,
            "includeToConference": lambda *_: None,
            "conference": self._merge_calls,
            "dial": self._dial,
            "sendDtmf": self._press,
            "hangup": self._hang_up,
        }

    def take(self, session: Session, frame: Json) -> None:
        """Take one web command; before LoggedOn it is lost."""
        if not session.logged_on:
            return
        name = frame.get("command")
        answer = self._answers.get(name) if isinstance(name, str) else None
        if answer is not None:
            self.reads.append(Command(session.user.login, frame))
            self._guarded(session, lambda: self._cti.send(session, answer(session, frame)))
            return
        self.received.append(Command(session.user.login, frame))
        if self._faults.drop_after_command is not None:
            self._cti.cut(session)
        if not self._faults.ignore_commands and self._faults.drop_after_command != "before":
            self._obey(session, frame)

    def cancel(self) -> None:
        """Forget every command that has not acted yet."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()

    def _obey(self, session: Session, frame: Json) -> None:
        self.later(self._faults.effect_delay_s, lambda: self._guarded(session, lambda: self._effect(session, frame)))

    def later(self, delay_s: float, act: Callable[[], object]) -> None:
        """Let something happen now or after a while."""
        if delay_s <= 0:
            act()
            return

        def due() -> None:
            self._pending.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(delay_s, due)
        self._pending.add(handle)

    def _guarded(self, session: Session, act: Callable[[], None]) -> None:
        try:
            act()
        except ConferenceError as failure:
            self._cti.send(session, message("ConferenceCommandError", {"error": failure.code}))
        except RefusedError as failure:
            self._cti.send(session, error(str(failure)))

    def _effect(self, session: Session, frame: Json) -> None:
        name = frame.get("command")
        effect = self._effects.get(name) if isinstance(name, str) else None
        if effect is None or (self._faults.old and name in _NEWER):
            raise RefusedError("Unknown command")
        effect(session, frame)

    # Reads

    def _get_config(self, session: Session, frame: Json) -> Json:
        if frame.get("objectType") != "line":
            raise RefusedError("Unknown objectType")
        return line_config(session.user)

    def _get_list(self, session: Session, frame: Json) -> Json:
        if frame.get("objectType") != "meetme" or self._faults.no_room_list:
            raise RefusedError("Unknown objectType")
        if session.user.number is None:
            raise RefusedError("User has no line")
        session.subscribed = True
        return self._wording.room_list(self._rooms.by_number.values())

    def _get_calls(self, session: Session, _: Json) -> Json:
        return current_calls(self._dialling.phones.of(session.user.login))

    # In the user's room

    def _mute_me(self, session: Session, frame: Json, *, muted: bool) -> None:
        self._rooms.set_muted(*self._seat(session, frame), muted)

    def _mute_all(self, session: Session, frame: Json, *, muted: bool) -> None:
        room, me = self._chair(session, frame)
        for one in list(room.members.values()):
            if not (muted and one is me):
                self._rooms.set_muted(room, one, muted)

    def _mute(self, session: Session, frame: Json, *, muted: bool) -> None:
        self._rooms.set_muted(*self._target(session, frame), muted)

    def _deafen(self, session: Session, frame: Json, *, deafened: bool) -> None:
        self._rooms.set_deafened(*self._target(session, frame), deafened)

    def _kick(self, session: Session, frame: Json) -> None:
        room, target = self._target(session, frame)
        if target.organizer:
            raise ConferenceError("CannotKickOrganizer")
        self._rooms.leave(room, target)

    def _close(self, session: Session, frame: Json) -> None:
        room, me = self._chair(session, frame)
        for one in [one for one in room.members.values() if one is not me]:
            self._rooms.leave(room, one)
        self._rooms.leave(room, me)

    def _invite(self, session: Session, frame: Json) -> None:
        room, _ = self._chair(session, frame)
        exten, role = _given(frame, "exten", str), _given(frame, "role", str)
        _given(frame, "earlyJoin", bool)
        if role not in ("User", "Organizer"):
            raise RefusedError("Invalid role")
        answers = self._faults.invite_answers
        if answers != "busy":
            delay_s = 0.0 if answers == "joins" else answers
            self.later(delay_s, lambda: self._dialling.answer(room, exten, organizer=role == "Organizer"))

    def _seat(self, session: Session, frame: Json) -> tuple[Room, Member]:
        room = self._rooms.by_number.get(_given(frame, "numConf", str))
        me = room.member_of(session.user.login) if room else None
        if room is None or me is None:
            raise ConferenceError("NotAMember")
        return room, me

    def _chair(self, session: Session, frame: Json) -> tuple[Room, Member]:
        room, me = self._seat(session, frame)
        if not me.organizer:
            raise ConferenceError("NotOrganizer")
        return room, me

    def _target(self, session: Session, frame: Json) -> tuple[Room, Member]:
        index = _given(frame, "index", int)
        room, _ = self._chair(session, frame)
        if index not in room.members:
            raise ConferenceError("ParticipantNotFound")
        return room, room.members[index]

    # The user's phone

    def _merge_calls(self, session: Session, _: Json) -> None:
        """Let the phone itself connect two calls, which shows nowhere."""
        if len(self._dialling.phones.of(session.user.login)) < 2:
            raise RefusedError("Not enough calls")

    def _dial(self, session: Session, frame: Json) -> None:
        if session.user.number is None:
            raise RefusedError("User has no line")
        self._dialling.dial(session.user, _given(frame, "destination", str))

    def _press(self, session: Session, frame: Json) -> None:
        key = _given(frame, "key", str)
        calls = self._dialling.phones.of(session.user.login)
        if not calls or len(key) != 1 or key not in "0123456789*#":
            raise RefusedError("Invalid key, or no call")
        self._dialling.press(calls[-1], key)

    def _hang_up(self, session: Session, frame: Json) -> None:
        wanted = frame.get("uniqueId")
        calls = self._dialling.phones.of(session.user.login)
        found = [call for call in calls if wanted in (None, call.unique_id)]
        if not found:
            raise RefusedError("No such call")
        self._dialling.hang_up(found[-1].unique_id)


def _given(frame: Json, key: str, kind: type[Value]) -> Value:
    value = frame.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RefusedError(f"Invalid {key}")
    return value
