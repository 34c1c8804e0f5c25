"""How many of Kazoo's frames one core turns into numbered events: parse, translate, repair, apply, number, publish."""

import time
from collections.abc import Callable
from itertools import cycle
from random import Random

import msgspec

from adapters.kazoo.events import Interpreter, Reply
from gateway.hub.hub import Hub
from gateway.live.table import RoomTable
from gateway.model.ids import BackendId, RoomId
from gateway.model.reports import RosterDoubtReport
from gateway.model.room import Room

_FRAMES = 60_000
_ROOMS = 20
_PEOPLE = 50
_GOAL = 10_000


def measure() -> str:
    """Say the rate, and the ratio to only decoding the same frames' JSON."""
    frames = _frames()
    decoding_s = _timed(lambda: [msgspec.json.decode(frame) for frame in frames])
    table = RoomTable(BackendId("kazoo"), Hub())
    reading = table.open_reading()
    for nth in range(_ROOMS):
        table.take(reading, Room(id=RoomId(f"room{nth}"), name=f"Room {nth}"))
    table.close_reading(reading)
    interpreter = Interpreter()
    doubts = 0

    def run() -> None:
        nonlocal doubts
        for frame in frames:
            report = interpreter.read(frame, "account")
            if report is not None and not isinstance(report, Reply | RosterDoubtReport):
                doubts += table.report(report)

    whole_s = _timed(run)
    numbered = sum(room.position.sequence for room in table)
    if doubts or interpreter.misunderstood:
        raise AssertionError(f"{doubts} doubts, {interpreter.misunderstood} misunderstood: not what was to be measured")
    rate = _FRAMES / whole_s
    return (
        f"{rate:,.0f} frames/s on one core ({whole_s / _FRAMES * 1e6:.1f} µs each, {numbered:,} events numbered), "
        f"{whole_s / decoding_s:.1f} × decoding their JSON; goal ≥ {_GOAL:,}: {'met' if rate >= _GOAL else 'MISSED'}"
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _frames() -> list[bytes]:
    """Make a busy time: rooms fill up, then people talk, mute themselves, leave and come back."""
    rng = Random(1)
    made: list[bytes] = []
    numbers = cycle(range(1, 1 << 30))
    inside: dict[int, dict[int, dict[str, bool]]] = {room: {} for room in range(_ROOMS)}
    while len(made) < _FRAMES:
        room = rng.randrange(_ROOMS)
        people = inside[room]
        if len(people) < _PEOPLE and (len(people) < _PEOPLE // 2 or rng.random() < 0.2):
            who, event = next(numbers), "add-member"
            people[who] = {"speak": True, "hear": True, "talking": False}
        else:
            who = rng.choice(list(people))
            event = rng.choice(["start-talking", "stop-talking"] * 4 + ["mute-member", "unmute-member", "del-member"])
            flags = people[who]
            match event:
                case "del-member":
                    del people[who]
                case "start-talking" | "stop-talking":
                    flags["talking"] = not flags["talking"]
                    event = "start-talking" if flags["talking"] else "stop-talking"
                case _:
                    flags["speak"] = not flags["speak"]
                    event = "unmute-member" if flags["speak"] else "mute-member"
        made.append(_frame(event, room, who, people.get(who, {}), len(made)))
    return made


def _frame(event: str, room: int, who: int, flags: dict[str, bool], nth: int) -> bytes:
    call_id = f"{who}.7f3a9b@10.26.0.5"
    data = {
        "event": event,
        "event_category": "conference",
        "event_name": "event",
        "account_id": "account",
        "conference_id": f"room{room}",
        "instance_id": f"run-{room}",
        "call_id": call_id,
        "participant_id": who,
        "caller_id_name": f"Caller {who}",
        "caller_id_number": "+12025550100",
        "channel_presence_id": "1000@demo.sip.example",
        "custom_channel_vars": {"account_id": "account", "owner_id": f"user{who % 100}", "username": f"sip{who % 100}"},
        "conference_channel_vars": {"is_moderator": False, "member_id": who, "floor": False, **flags},
        "app_name": "ecallmgr",
        "app_version": "4.0.0",
        "msg_id": f"{nth:016x}",
    }
    key = f"conference.event.{event}.account.room{room}.{who}"
    return msgspec.json.encode({"action": "event", "name": "event", "routing_key": key, "data": data})
