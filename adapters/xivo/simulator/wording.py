"""What xuc says: rooms, participants and calls as its messages have them.

Inferred: an own Leave lists who is still there; `conferenceName` comes with a Join of a participant only (the page
          lists the field, its sample has none); `since` of a participant counts from that participant's join.
"""

from collections.abc import Callable, Iterable

from .faults import Faults
from .phones import ESTABLISHED, Call
from .rooms import Kind, Member, Room
from .shapes import Json, message
from .users import User


class Wording:
    """Writes messages; what differs by observer is given the observer's own presence.

    Units: `clock` gives Unix seconds; `since` is whole seconds, all other times are epoch milliseconds.
    """

    def __init__(self, faults: Faults, clock: Callable[[], float]) -> None:
        self._faults = faults
        self._clock = clock

    def room_list(self, rooms: Iterable[Room]) -> Json:
        """Say who is in which room, to anybody with a line."""
        return message("ConferenceList", [_listed(room) for room in rooms])

    def own(self, kind: Kind, room: Room, observer: Member) -> Json:
        """Tell a user that they have entered or left a room."""
        payload: Json = {
            "eventType": kind.value,
            "uniqueId": observer.unique_id,
            "conferenceNumber": room.number,
            "conferenceName": room.name,
            "participants": [self._participant(one, observer) for one in room.members.values()],
            "since": self._since(room.start_ms) if room.start_ms else 0,
        }
        return message("ConferenceEvent", payload)

    def person(self, kind: Kind, room: Room, person: Member, observer: Member) -> Json:
        """Tell a user in a room of somebody else there, or of themselves."""
        payload: Json = {
            "eventType": kind.value,
            "uniqueId": observer.unique_id,
            "conferenceNumber": room.number,
            **self._participant(person, observer),
        }
        if kind is Kind.JOIN:
            payload["conferenceName"] = room.name
        return message("ConferenceParticipantEvent", payload)

    def _participant(self, person: Member, observer: Member) -> Json:
        told: Json = {
            "index": person.index,
            "callerIdName": person.name,
            "callerIdNum": person.number,
            "since": self._since(person.join_ms),
            "isTalking": person.talking,
            "role": "Organizer" if person.organizer else "User",
            "isMuted": person.muted,
            "isMe": person.login is not None and person.login == observer.login,
        }
        if person.login is not None:
            told["username"] = person.login
        if not self._faults.old:
            told["isDeaf"] = person.deafened
        if self._faults.strange_frames:
            told["phoneNumber"] = person.number
        return told

    def _since(self, start_ms: int) -> int:
        return max(0, int(self._clock() * 1000) - start_ms) // 1000


def _listed(room: Room) -> Json:
    return {
        "number": room.number,
        "name": room.name,
        "pinRequired": room.pin is not None,
        "startTime": room.start_ms,
        "members": [_member(one) for one in room.members.values()],
    }


def _member(one: Member) -> Json:
    told: Json = {
        "joinOrder": one.index,
        "joinTime": one.join_ms,
        "muted": one.muted,
        "name": one.name,
        "number": one.number,
    }
    return told if one.login is None else {**told, "username": one.login}


def phone_event(call: Call, kind: str) -> Json:
    """Tell a user what their phone does."""
    return message("PhoneEvent", _call(call, kind))


def current_calls(calls: Iterable[Call]) -> Json:
    """List the calls of a user."""
    return message("CurrentCallsPhoneEvents", {"events": [_call(call, ESTABLISHED) for call in calls]})


def _call(call: Call, kind: str) -> Json:
    return {
        "eventType": kind,
        "DN": call.user.number,
        "otherDN": call.other,
        "linkedId": call.unique_id,
        "uniqueId": call.unique_id,
        "userData": {"XIVO_USERID": str(call.user.user_id)},
    }


def line_config(user: User) -> Json:
    """Describe the user's line, with the secret that a telephone in a browser needs."""
    line: Json = {"name": "", "xivoIp": "192.0.2.10", "hasDevice": user.number is not None, "webRtc": False}
    if user.number is None:
        return message("LineConfig", {"id": "-", **line})
    name = f"line{user.user_id}"
    return message("LineConfig", {"id": str(user.user_id), **line, "name": name, "password": sip_password(user)})


def sip_password(user: User) -> str:
    """Make up the secret of a line, always the same."""
    return f"sip-secret-of-{user.login}"


def early(user: User) -> list[Json]:
    """Say what comes unasked at the start of a session."""
    config: Json = {
        "userId": user.user_id,
        "fullName": user.name,
        "mobileNumber": "",
        "agentId": 0,
        "dndEnabled": False,
    }
    return [
        message("UserConfigUpdate", config),
        message("UserConfigUpdate", {"userId": user.user_id, "fullName": None, "voiceMailEnabled": False}),
        message("RightProfile", {"profile": "NoRightForAccess", "rights": []}),
        message("PhoneStatusUpdate", {"status": "AVAILABLE" if user.number else "UNAVAILABLE"}),
    ]
