"""The places of the API that tell and change calls: current calls, and calling back.

Inferred: the answer to a change of a call is the call; any extension may own a callback; a call in a room can be hung
          up and redirected by way of the room as well, though it is listed for phones alone; actions other than
          transfer change nothing that shows.
"""

import re

from .api import Answer, Request, Route
from .calls import Call, Caller
from .configuration import Configuration
from .extensions import Extension, Extensions
from .failures import invalid, not_found
from .faults import Faults
from .keypad import Keypad
from .rooms import Leg, Room
from .shapes import Json
from .switchboard import Switchboard
from .wording import call_json

_ACTIONS = frozenset(
    {"transfer", "attended_transfer", "eavesdrop", "whisper", "conference", "hold", "offhold", "park", "pickup"}
)
_DIGITS = re.compile(r"[0-9*#Ww]*", re.ASCII)


class Telephony:
    """Answers about calls."""

    def __init__(
        self,
        faults: Faults,
        extensions: Extensions,
        switchboard: Switchboard,
        keypad: Keypad,
        configuration: Configuration,
    ) -> None:
        self._faults = faults
        self._extensions = extensions
        self._switchboard = switchboard
        self._keypad = keypad
        self._configuration = configuration
        self.routes = (
            Route("GET", "client/{client}/current_calls", self._all_calls),
            Route("GET", "extension/{extension}/current_calls", self._calls_of_one),
            Route("PUT", "extension/{extension}/current_calls/{call}", self._act, "call"),
            Route("DELETE", "extension/{extension}/current_calls/{call}", self._hang_up, "call"),
            Route("POST", "extension/{extension}/callback", self._call_back, "call"),
        )

    # Current calls

    def _all_calls(self, request: Request) -> Answer:
        self._configuration.check_client(request)
        calls = self._switchboard.calls.going_on.values()
        return Answer(200, [call_json(call, phone) for call in calls for phone in call.phones])

    def _calls_of_one(self, request: Request) -> Answer:
        phone = self._extensions.named(request.params["extension"])
        return Answer(200, [call_json(call, phone) for call in self._switchboard.calls.of_phone(phone)])

    def _act(self, request: Request) -> Answer:
        extension, call = self._found(request)
        action = request.body.get("action")
        if action not in _ACTIONS:
            raise invalid("action")
        if action == "transfer":
            target = self._extensions.with_number(_text(request.body, "send_dst"))
            if not self._faults.ignore_commands:
                self._switchboard.transfer(call, target)
        return Answer(200, call_json(call, extension))

    def _hang_up(self, request: Request) -> Answer:
        _, call = self._found(request)
        if not self._faults.ignore_commands:
            self._switchboard.hang_up(call)
        return Answer(204)

    def _found(self, request: Request) -> tuple[Extension, Call]:
        extension = self._extensions.named(request.params["extension"])
        call = self._switchboard.calls.going_on.get(request.params["call"])
        if call is None:
            raise not_found("call")
        by_room = call.room is extension and not self._faults.phones_only
        if not (extension in call.phones or by_room):
            raise not_found("call")
        return extension, call

    # Callbacks

    def _call_back(self, request: Request) -> Answer:
        self._extensions.named(request.params["extension"])
        body = request.body
        callers, called, digits = self._callers(body), _text(body, "dst_num"), body.get("dst_dtmf") or ""
        if not (isinstance(digits, str) and _DIGITS.fullmatch(digits)):
            raise invalid("dst_dtmf")

        def arrived(room: Room, leg: Leg) -> None:
            self._keypad.press(room, leg, digits)

        if self._faults.ignore_commands:
            return Answer(201, {"call_id": "0" * 32, "call_api_id": "0" * 32})
        call = self._switchboard.call_back(callers, called, arrived)
        return Answer(201, {"call_id": call.call_id, "call_api_id": call.call_api_id})

    def _callers(self, body: Json) -> list[Caller]:
        numbers = body.get("src_num")
        if not isinstance(numbers, list) or not numbers:
            raise invalid("src_num")
        shown_number, shown_name = _optional(body, "caller_id_number"), _optional(body, "caller_id_name")
        callers = []
        for number in numbers:
            caller = self._switchboard.caller(number) if isinstance(number, str) and number else None
            if caller is None:
                raise invalid("src_num")
            callers.append(caller._replace(number=shown_number or caller.number, name=shown_name or caller.name))
        return callers


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name)
    return value


def _optional(body: Json, name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)
