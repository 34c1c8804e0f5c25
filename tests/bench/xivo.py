"""What XiVO's frames cost: a pushed list of all rooms of which one has changed, and an update of one participant."""

import time
from collections.abc import Callable

import msgspec

from adapters.xivo.events import Interpreter
from adapters.xivo.roster import Rooms
from adapters.xivo.told import Entered, PersonTold, RoomsListed
from gateway.hub.hub import Hub
from gateway.live.table import RoomTable
from gateway.model.ids import BackendId
from gateway.model.reports import RosterDoubtReport

_ROOMS = 200
_PEOPLE = 5
_LISTS = 100
_UPDATES = 10_000
_STARTED_MS = 1_719_650_000_000
_LIST_GOAL_MS = 10
_UPDATE_GOAL = 10_000


def measure() -> str:
    """Say both, each with its ratio to only decoding the same frames' JSON."""
    table, rooms, interpreter = RoomTable(BackendId("xivo"), Hub()), Rooms(), Interpreter()

    def take(frame: bytes) -> None:
        told = interpreter.read(frame)
        match told:
            case RoomsListed():
                reports = rooms.listed(told)
            case Entered():
                reports = rooms.entered("ada", told)
            case PersonTold():
                reports = rooms.person("ada", told)
            case _:
                raise AssertionError(told)
        for report in reports:
            if isinstance(report, RosterDoubtReport) or table.report(report):
                raise AssertionError(f"{report}: not what was to be measured")

    lists = [_list(muted=muted) for muted in (True, False)]
    take(lists[1])
    list_s, list_ratio = _timed(lists * (_LISTS // 2), take)
    take(_entered())
    update_s, update_ratio = _timed([_update(talking=talking) for talking in (True, False)] * (_UPDATES // 2), take)
    numbered = sum(room.position.sequence for room in table)
    if numbered < _LISTS + _UPDATES:
        raise AssertionError(f"{numbered} events")
    met = list_s * 1e3 <= _LIST_GOAL_MS and 1 / update_s >= _UPDATE_GOAL
    return (
        f"a list of {_ROOMS} rooms × {_PEOPLE}: {list_s * 1e3:.1f} ms, {list_ratio:.1f} × decoding its JSON; goal ≤ "
        f"{_LIST_GOAL_MS} ms; an update: {update_s * 1e6:.0f} µs, {update_ratio:.1f} × decoding; goal ≥ "
        f"{_UPDATE_GOAL:,}/s: {'met' if met else 'MISSED'}"
    )


def _timed(frames: list[bytes], take: Callable[[bytes], None]) -> tuple[float, float]:
    """Give the seconds for one, and how many times those of decoding it they are."""
    began = time.process_time()
    for frame in frames:
        msgspec.json.decode(frame)
    decoded = time.process_time()
    for frame in frames:
        take(frame)
    return (time.process_time() - decoded) / len(frames), (time.process_time() - decoded) / (decoded - began)


def _frame(kind: str, payload: object) -> bytes:
    return msgspec.json.encode({"msgType": kind, "ctiMessage": payload})


def _list(*, muted: bool) -> bytes:
    rooms = [
        {
            "number": str(4000 + nth),
            "name": f"Room {nth}",
            "pinRequired": False,
            "startTime": _STARTED_MS,
            "members": [
                {
                    "joinOrder": order,
                    "joinTime": _STARTED_MS + order,
                    "muted": muted and nth == 0 and order == 1,
                    "name": f"Caller {order}",
                    "number": f"01990{order:05d}",
                }
                for order in range(1, _PEOPLE + 1)
            ],
        }
        for nth in range(_ROOMS)
    ]
    return _frame("ConferenceList", rooms)


def _person(index: int, *, talking: bool = False) -> dict[str, object]:
    return {
        "index": index,
        "callerIdName": f"Caller {index}",
        "callerIdNum": f"01990{index:05d}",
        "since": 0,
        "isTalking": talking,
        "role": "User",
        "isMuted": False,
        "isMe": index == 1,
        "isDeaf": False,
    }


def _own() -> dict[str, object]:
    return {"uniqueId": "1719650000.8", "conferenceNumber": "4000", "conferenceName": "Room 0", "since": 0}


def _entered() -> bytes:
    people = [_person(index) for index in range(1, _PEOPLE + 1)]
    return _frame("ConferenceEvent", {"eventType": "Join", **_own(), "participants": people})


def _update(*, talking: bool) -> bytes:
    return _frame("ConferenceParticipantEvent", {"eventType": "Update", **_own(), **_person(2, talking=talking)})
