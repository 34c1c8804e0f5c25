"""A scripted run: a lively hour in one room, in less than a second, and what clients must have got of it."""

from random import Random
from typing import Any

from gateway.hub.hub import Update
from gateway.model.events import ParticipantJoined, ParticipantLeft, ParticipantUpdated, RoomUpdated
from gateway.model.ids import RoomId
from gateway.model.room import Participant, Room
from tests.gateway.schema.house import ADMIN, House, gid

ROOM = "board"
GUESTS = ("anna", "bert")
LAST_NAME = "The end"
_WAVES = 11
_STEPS_A_WAVE = 11
_OTHER_HANDS = ("join", "leave", "mute", "lock", "rename")
# What would break careless framing: ends of lines, of events and of parts, and characters of several bytes.
_NAMES = (
    "Zoë",
    "会议室 🎧",
    "data: {}\n\nevent: complete\n\n",
    "\r\n--graphql--\r\n",
    'half "quoted\\',
    "\u2028\u2029\x7f",
    "long " + "ö🎧" * 500,
)


class Meeting:
    """Hands that let people join, be muted, talk and leave, and rename and lock the room."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._dice = Random(5)
        self._came = 0

    async def run(self) -> None:
        """Do all steps, a wave of them at once, and end with the name that clients wait for."""
        for wave in range(_WAVES):
            for step in range(_STEPS_A_WAVE):
                self._step(wave * _STEPS_A_WAVE + step)
            await self._house.until(self._is_known)
        self._house.pbx.tell(ROOM, name=LAST_NAME)
        await self._house.until(self._is_known)

    def _is_known(self) -> bool:
        at = self._house.room(ROOM)
        return at is not None and _state(at.room) == _state(self._house.pbx.rooms[RoomId(ROOM)])

    def _step(self, step: int) -> None:
        pbx, room = self._house.pbx, self._house.pbx.rooms[RoomId(ROOM)]
        somebody = self._dice.choice(list(room.participants.values()))
        # Only events of who talks may be merged, and only those in a row: with others between, every one has to come.
        hands = _OTHER_HANDS if step % 2 else ("talk", *_OTHER_HANDS)
        match self._dice.choice(hands):
            case "talk":
                pbx.change(ROOM, somebody.id, talking=not somebody.talking)
            case "mute":
                pbx.change(ROOM, somebody.id, muted=not somebody.muted)
            case "leave" if len(room.participants) > 2:
                pbx.leave(ROOM, somebody.id)
            case "lock":
                pbx.tell(ROOM, locked=not room.locked)
            case "rename":
                pbx.tell(ROOM, name=f"Board, item {step}")
            case _:
                self._join()

    def _join(self) -> None:
        self._came += 1
        self._house.pbx.join(ROOM, f"guest-{self._came}", display_name=_NAMES[self._came % len(_NAMES)])


def told_after(house: House, position: str) -> list[dict[str, Any]]:
    """Give what the hub published after a position and to the end of the run, as clients are told it."""
    everything = [_told(house, update) for update in house.seen]
    (start,) = (index for index, event in enumerate(everything) if event["position"] == position)
    end = next(index for index, event in enumerate(everything) if event.get("room", {}).get("name") == LAST_NAME)
    return everything[start + 1 : end + 1]


def _told(house: House, update: Update) -> dict[str, Any]:
    event = update.event
    position = house.cursors.encode(ADMIN.tenant, update.key, update.position)
    told: dict[str, Any] = {"__typename": type(event).__name__, "position": position}
    match event:
        case ParticipantJoined(participant=participant):
            return told | {"participant": _participant(participant)}
        case ParticipantUpdated(participant=participant, changed=changed):
            return told | {"participant": _participant(participant), "changed": [each.value for each in changed]}
        case ParticipantLeft(participant=participant, reason=reason):
            return told | {"participant": _participant(participant), "leaveReason": reason.value}
        case RoomUpdated(room=room, changed=changed):
            shown = {"__typename": "Room", "id": gid(ROOM), "name": room.name, "locked": room.locked}
            return told | {"room": shown, "changed": [each.value for each in changed]}
        case _:
            return told


def _state(room: Room) -> object:
    return room.name, room.locked, [_participant(each) for each in room.participants.values()]


def _participant(participant: Participant) -> dict[str, Any]:
    return {
        "__typename": "Participant",
        "id": gid(ROOM, participant.id),
        "displayName": participant.display_name,
        "muted": participant.muted,
        "talking": participant.talking,
    }
