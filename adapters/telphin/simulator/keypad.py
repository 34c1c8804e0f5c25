"""The keys of somebody's telephone: the PIN before the door, and the star commands inside.

Inferred: `#` or the end of what is pressed ends the number of `*8`; who has been muted by `*91` may unmute themselves
          unless settings forbid it; who may not use a command presses it in vain; pauses take no time.
"""

import re

from .rooms import Leg, Room
from .switchboard import Switchboard

_COMMAND = re.compile(r"\*8(\d+)#?|\*(1|9[0-5])")


class Keypad:
    """Lets people press keys."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def press(self, room: Room, leg: Leg, keys: str) -> None:
        """Let somebody press keys; `W` and `w` are pauses."""
        keys = keys.replace("W", "").replace("w", "")
        while keys and leg.entered_at is None and leg.leg_id in room.legs:
            pin, ended, keys = keys.partition("#")
            if ended:
                self._switchboard.try_pin(room, leg, pin)
        for found in _COMMAND.finditer(keys):
            if leg.leg_id in room.legs:
                self._obey(room, leg, *found.groups())

    def _obey(self, room: Room, leg: Leg, number: str | None, command: str | None) -> None:
        is_extension = leg.call.caller.phone is not None
        if number is not None and is_extension:
            self._switchboard.invite(room, number)
        elif command == "1" and is_extension and (leg.moderator or not room.settings.mute_non_moderator):
            leg.muted = not leg.muted
        elif command is not None and command != "1" and leg.moderator:
            _moderate(room, command)


def _moderate(room: Room, command: str) -> None:
    match command:
        case "90" | "91":
            for leg in room.inside:
                leg.muted = leg.muted if leg.moderator else command == "91"
        case "92" | "93":
            room.locked = command == "92"
        case "94" | "95":
            room.notices = command == "95"
