"""The event half: the users' sessions, what each of them may see, and the delivery of it.

Inferred: how a second login, a failed sign-on and a silent client end is unknown; here with 1000 and a word, with
          1000, and with a cut connection.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from random import Random

import msgspec

from adapters.kit.listener import EventSocket, text_frame

from .faults import Faults
from .phones import Call
from .rooms import Kind, Notice, Rooms
from .shapes import Json, message
from .users import User
from .wording import Wording, early, phone_event

_MOST_HELD = 10_000
_MOST_KEPT = 1_000
"frames of the transcript; a list of many rooms is long"
_STRANGE: tuple[Json, ...] = (
    {"msgType": "UserPreference", "ctiMessage": {"preferred": True}},
    {"msgType": "QueueMemberFlows", "ctiMessage": [1, None, "x"]},
    {"claz": "pong"},
    {"ctiMessage": {"eventType": "Join", "conferenceNumber": "4000"}},
    {"msgType": None, "ctiMessage": None},
    {},
)


@dataclass(slots=True, eq=False)
class Session:
    """One websocket of one user; `subscribed` to the list of rooms by having asked for it."""

    user: User
    socket: EventSocket
    logged_on: bool = False
    subscribed: bool = False


class Cti:
    """All sessions, and the way of everything that is told to them."""

    def __init__(self, faults: Faults, rooms: Rooms, wording: Wording, rng: Random) -> None:
        self.sessions: list[Session] = []
        self.frames_sent: deque[tuple[str, str]] = deque(maxlen=_MOST_KEPT)
        self._faults = faults
        self._rooms = rooms
        self._wording = wording
        self._rng = rng
        self._strange = cycle(_STRANGE)
        self._held: dict[str, deque[tuple[Session, bytes]]] = {}

    # Sessions

    def open(self, user: User, socket: EventSocket) -> Session:
        """Begin a session with what xuc says unasked."""
        session = Session(user, socket)
        if self._faults.double_login == "kick_first":
            for first in self.of(user.login):
                self.end(first, 1000, "second login")
        self.sessions.append(session)
        match self._faults.logged_on:
            case "ok":
                self._sign_on(session)
            case "error":
                self.send(session, message("LoggedOnError", {"Error": "loggedOnFailed"}))
                self.end(session, 1000)
            case "silent":
                pass
        return session

    def _sign_on(self, session: Session) -> None:
        session.logged_on = True
        self.send(session, message("LoggedOn", {}))
        unasked = early(session.user)
        self._rng.shuffle(unasked)
        for each in unasked:
            self.send(session, each)
        if self._faults.repeat_join_after_reconnect:
            for room in self._rooms.by_number.values():
                for one in room.members.values():
                    if one.login == session.user.login:
                        self._tell_event(session, self._wording.own(Kind.JOIN, room, one))

    def close(self, session: Session) -> None:
        """Forget a session whose connection has ended."""
        if session in self.sessions:
            self.sessions.remove(session)

    def cut(self, session: Session) -> None:
        """Break a session's connection."""
        self.close(session)
        session.socket.cut()

    def end(self, session: Session, code: int, reason: str = "") -> None:
        """Close a session's connection in order."""
        self.close(session)
        session.socket.say_goodbye(code, reason)

    def of(self, login: str | None) -> list[Session]:
        """List the sessions of a user, or all."""
        return [one for one in self.sessions if login in (None, one.user.login)]

    # What happens

    def tell(self, notice: Notice) -> None:
        """Tell of a change in a room: its events to who is inside, the list to who has asked for it."""
        if notice.kind is Kind.LEAVE and self._faults.lose_leaves:
            return
        if notice.listed and self._faults.list_first:
            self._push_list()
        if not (notice.kind is Kind.UPDATE and self._faults.lose_updates):
            self._tell_room(notice)
        if notice.listed and not self._faults.list_first:
            self._push_list()

    def _tell_room(self, notice: Notice) -> None:
        kind, room, member, _ = notice
        if kind is not Kind.UPDATE and member.login is not None:
            own = self._wording.own(kind, room, member)
            self._tell_all(self._present(member.login), own)
        for observer in room.members.values():
            if observer.login is None or (kind is Kind.JOIN and observer is member and not self._faults.join_of_self):
                continue
            sessions = self._present(observer.login)
            if sessions:
                self._tell_all(sessions, self._wording.person(kind, room, member, observer))

    def tell_call(self, call: Call, kind: str) -> None:
        """Tell a user what their phone does."""
        for session in self._present(call.user.login):
            self.send(session, phone_event(call, kind))

    def _present(self, login: str) -> list[Session]:
        return [one for one in self.of(login) if one.logged_on]

    def _tell_all(self, sessions: Iterable[Session], event: Json) -> None:
        for session in sessions:
            self._tell_event(session, event)

    def _tell_event(self, session: Session, event: Json) -> None:
        if self._faults.strange_frames:
            self.send(session, next(self._strange))
        for _ in range(2 if self._faults.duplicate_events else 1):
            self.send(session, event)

    def _push_list(self) -> None:
        listening = [one for one in self.sessions if one.subscribed]
        if listening and not self._faults.no_room_list:
            payload = msgspec.json.encode(self._wording.room_list(self._rooms.by_number.values()))
            for session in listening:
                self.send_raw(session, payload)

    # Frames

    def send(self, session: Session, frame: Json) -> None:
        """Send one message to one session."""
        self.send_raw(session, msgspec.json.encode(frame))

    def send_raw(self, session: Session, payload: bytes) -> None:
        """Send one text frame with these bytes, or hold it back."""
        held = self._held.get(session.user.login)
        if held is None:
            self._push(session, payload)
        elif len(held) < _MOST_HELD:
            held.append((session, payload))

    def hold(self, login: str) -> None:
        """From now on hold back what goes to a user's sessions."""
        self._held.setdefault(login, deque())

    def release(self, login: str) -> None:
        """Send what was held back, in its order, and hold no longer."""
        for session, payload in self._held.pop(login, ()):
            self._push(session, payload)

    def _push(self, session: Session, payload: bytes) -> None:
        if not self._faults.mute_pings and session.socket.push(text_frame(payload), None):
            self.frames_sent.append((session.user.login, payload.decode(errors="replace")))
