"""Frames of Blackhole as reports: each is translated, ignored by name with a reason, or unknown and counted.

Events come in any order from 4.x, so that a frame is believed only about what it is named for: `mute-member` tells that
somebody is muted now, and whatever else it carries may be older than what we know.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.kazoo import mapping
from adapters.kazoo.wire import ErrorsJson, EventHeadJson, FrameJson, PresenceJson
from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, decoded, objects, shaped
from gateway.model.ids import RoomId
from gateway.model.reports import (
    EndReport,
    JoinReport,
    LeaveReport,
    Report,
    RoomReport,
    StartReport,
    UpdateReport,
)
from gateway.model.room import Participant, RoomFacts


@dataclass(frozen=True, slots=True)
class Reply:
    """Blackhole's answer to a request of ours; `errors` is None for a success."""

    request_id: str
    errors: list[str] | None
    data: JsonObject


@dataclass(frozen=True, slots=True)
class _Told:
    """Where an event belongs."""

    room_id: RoomId
    run_id: str | None


_Translate = Callable[[_Told, object], Report]


def _started(told: _Told, _: object) -> Report:
    return StartReport(room_id=told.room_id, run_id=told.run_id)


def _ended(told: _Told, _: object) -> Report:
    return EndReport(room_id=told.room_id, run_id=told.run_id)


def _locked(value: bool) -> _Translate:
    return lambda told, _: RoomReport(room_id=told.room_id, run_id=told.run_id, facts=RoomFacts(locked=value))


def _joined(told: _Told, data: object) -> Report:
    raw = shaped(data, PresenceJson, "event")
    return JoinReport(room_id=told.room_id, run_id=told.run_id, participant=mapping.participant(raw))


def _left(told: _Told, data: object) -> Report:
    gone = mapping.sparse(shaped(data, PresenceJson, "event"))
    return LeaveReport(room_id=told.room_id, run_id=told.run_id, participant_id=gone.id, index=gone.index)


def _changed(change: Callable[[Participant], Participant]) -> _Translate:
    def translate(told: _Told, data: object) -> Report:
        meant = mapping.sparse(shaped(data, PresenceJson, "event"))
        return UpdateReport(room_id=told.room_id, run_id=told.run_id, participant=change(meant))

    return translate


TRANSLATED: dict[str, _Translate] = {
    "conference-create": _started,
    "conference-destroy": _ended,
    "lock": _locked(True),
    "unlock": _locked(False),
    "add-member": _joined,
    "del-member": _left,
    "mute-member": _changed(lambda meant: replace(meant, muted=True)),
    "unmute-member": _changed(lambda meant: replace(meant, muted=False)),
    "deaf-member": _changed(lambda meant: replace(meant, deafened=True)),
    "undeaf-member": _changed(lambda meant: replace(meant, deafened=False)),
    "start-talking": _changed(lambda meant: replace(meant, talking=True)),
    "stop-talking": _changed(lambda meant: replace(meant, talking=False)),
}
"""All that Kazoo publishes unless its operator adds to `publish_conference_event`."""

_NO_FIELD = "no field of ours depends on it"
IGNORED: dict[str, str] = {
    "floor-change": "it names who gains the floor and not who loses it; readings tell both",
    "start-recording": "Kazoo's state does not tell whether it records, so that a lost event could never be repaired",
    "stop-recording": "as start-recording",
    "kick-member": "del-member follows",
    "hup-member": "del-member follows",
    "dtmf-member": "keys pressed may be a PIN, and " + _NO_FIELD,
    "energy-level-member": "several a second, and " + _NO_FIELD,
    "play-file": _NO_FIELD,
    "play-file-done": _NO_FIELD,
}
"""Actions of the media server that an operator may add."""


class UnknownEventError(NotUnderstoodError):
    """An event whose name says nothing to us."""


def translate(data: object, account_id: str) -> Report | None:
    """Turn the `data` of an event into a report; None for one that is ignored.

    Errors: NotUnderstoodError.
    """
    head = shaped(data, EventHeadJson, "event")
    name = head["event"]
    if (head.get("account_id") or _account_of_leg(head)) not in (None, account_id):
        return None
    translated = TRANSLATED.get(name)
    if translated is not None:
        return translated(_Told(RoomId(head["conference_id"]), head.get("instance_id") or None), data)
    if name in IGNORED:
        return None
    raise UnknownEventError(f"unknown event {name[:40]!r}")


def _account_of_leg(head: EventHeadJson) -> str | None:
    """Old events name their account only among the variables of the leg."""
    found = objects(head.get("custom_channel_vars")).get("account_id")
    return found if isinstance(found, str) else None


class Interpreter:
    """Reads the frames of one backend, counts those it does not understand, and hands each event on once."""

    def __init__(self) -> None:
        self._complaints = Complaints("Kazoo")
        self._seen: dict[tuple[str, str], None] = {}

    def read(self, raw: bytes, account_id: str) -> Report | Reply | None:
        """Read one frame; None for one that is of no use. Whatever it is, it does not raise."""
        try:
            return self._read(raw, account_id)
        except NotUnderstoodError as error:
            self.complain(error)
            return None

    @property
    def misunderstood(self) -> int:
        """How much could not be understood."""
        return self._complaints.count

    def complain(self, error: NotUnderstoodError) -> None:
        """Count something that could not be understood."""
        self._complaints.add(error)

    def _read(self, raw: bytes, account_id: str) -> Report | Reply | None:
        plain = decoded(raw, "frame")
        frame = shaped(plain, FrameJson, "frame")
        match frame.get("action"):
            case "event":
                return self._event(frame.get("data"), account_id)
            case "reply":
                return _reply(frame)
            case None:
                return self._event(plain, account_id)  # before 4.2 an event may come bare, as the reference page has it
            case other:
                raise NotUnderstoodError(f"frame: unknown action {other[:40]!r}")

    def _event(self, data: object, account_id: str) -> Report | None:
        return None if self._is_repeated(data) else translate(data, account_id)

    def _is_repeated(self, data: object) -> bool:
        """Whether this very event came before: two bindings of one socket deliver it twice."""
        said = objects(data)
        msg_id, name = said.get("msg_id"), said.get("event")
        if not isinstance(msg_id, str) or not isinstance(name, str) or not msg_id:
            return False
        key = (msg_id[:_LONGEST_ID], name[:_LONGEST_ID])
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _EVENTS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False


_EVENTS_REMEMBERED = 4096
_LONGEST_ID = 64


def _reply(frame: FrameJson) -> Reply:
    request_id = frame.get("request_id") or ""
    if frame.get("status") != "error":
        return Reply(request_id, None, objects(frame.get("data")))
    return Reply(request_id, shaped(frame.get("data"), ErrorsJson, "reply").get("errors", []), {})
