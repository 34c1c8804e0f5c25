"""The places of the API about calls.

Inferred: a call may only be made for a conference that can still be joined; what is asked of a call in the wrong state
          is 403 call-invalid-state; a list begins with the oldest; a call that is transferred leaves its conference.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from .api import Answer, Request, Route
from .calls import Call, Calls
from .conferences import Conferences
from .conferencing import check_number
from .failures import bad_value
from .faults import Faults
from .given import Given
from .hooks import Hooks
from .phones import Phones
from .shapes import Json
from .sounds import Sounds
from .timers import Timers
from .wording import Wording

_ALL = "calls"
_ONE = "calls/{call}"
_LONGEST_RINGING_S = 300
_MOST_SIP_HEADERS = 5
_TOLD_ONLY = ("bridgeId", "recordingEnabled", "recordingMaxDuration", "recordingFileFormat", "transcriptionEnabled")
"properties of a call that have no effect here"
_STATES = ("active", "rejected", "completed", "transferring")


class Calling:
    """Answers what is asked about calls."""

    def __init__(
        self,
        faults: Faults,
        calls: Calls,
        conferences: Conferences,
        *,
        phones: Phones,
        timers: Timers,
        sounds: Sounds,
        wording: Wording,
        base_url: Callable[[], str],
    ) -> None:
        self._faults = faults
        self._calls = calls
        self._conferences = conferences
        self._phones = phones
        self._timers = timers
        self._sounds = sounds
        self._wording = wording
        self._base_url = base_url
        self.routes = (
            Route("POST", _ALL, self._create, "dialling", "c"),
            Route("GET", _ALL, self._list, "calls"),
            Route("GET", _ONE, self._read, "calls"),
            Route("POST", _ONE, self._update, "calls"),
            Route("POST", f"{_ONE}/audio", self._play, "calls"),
        )

    def _create(self, request: Request) -> Answer:
        given = request.body
        caller, called = given.phone("from"), given.phone("to", sip=True)
        check_number(self._faults, caller)
        conference_id = given.text("conferenceId")
        if conference_id is not None:
            self._conferences.open(conference_id)
        call = self._calls.dial(
            caller,
            called,
            conference_id=conference_id,
            tag=given.text("tag"),
            timeout_s=given.number("callTimeout", 1, _LONGEST_RINGING_S, 60),
            hooks=Hooks().with_given(given),
            more=_told_only(given),
        )
        self._phones.ring(call, self._calls, self._timers)
        return Answer(made=f"calls/{call.call_id}")

    def _list(self, request: Request) -> Answer:
        query = request.query
        size, page = query.number("size", 1, 1_000, 25), query.number("page", 0, 1_000_000, 0)
        found = [call for call in self._calls.by_id.values() if _is_wanted(call, query)]
        if query.choice("sortOrder", ("asc", "desc"), "asc") == "desc":
            found.reverse()
        if "conferenceId" in query.fields or "bridgeId" in query.fields:
            return Answer([self._wording.call(one) for one in found])
        shown = found[page * size : (page + 1) * size]
        more = len(found) > (page + 1) * size
        return Answer([self._wording.call(one) for one in shown], headers=self._next(query, page + 1) if more else {})

    def _next(self, query: Given, page: int) -> dict[str, str]:
        asked = urlencode({**query.fields, "page": page})
        return {"Link": f'<{self._base_url()}/calls?{asked}>; rel="next"'}

    def _read(self, request: Request) -> Answer:
        return Answer(self._wording.call(self._calls.get(request.params["call"])))

    def _update(self, request: Request) -> Answer:
        call, given = self._calls.get(request.params["call"]), request.body
        hooks, more = call.hooks.with_given(given), _told_only(given)
        match given.choice("state", _STATES, ""):
            case "active":
                self._calls.answer(call)
            case "rejected":
                self._calls.reject(call)
            case "completed":
                self._calls.hang_up(call)
            case "transferring":
                self._calls.transfer(call, given.phone("transferTo", sip=True))
        call.hooks, call.more = hooks, {**call.more, **more}
        return Answer()

    def _play(self, request: Request) -> Answer:
        call = self._calls.get(request.params["call"])
        self._calls.check_up(call)
        self._sounds.asked(call, request.body)
        return Answer()


def _told_only(given: Given) -> Json:
    headers = given.fields.get("sipHeaders", {})
    if not isinstance(headers, dict) or len(headers) > _MOST_SIP_HEADERS:
        raise bad_value("sipHeaders", f"an object of at most {_MOST_SIP_HEADERS} headers")
    told: Json = {name: given.fields[name] for name in _TOLD_ONLY if name in given.fields}
    return {**told, "sipHeaders": headers} if headers else told


def _is_wanted(call: Call, query: Given) -> bool:
    is_so = {"conferenceId": call.conference_id, "from": call.caller, "to": call.called, "bridgeId": None}
    return all(query.fields.get(name, value) == value for name, value in is_so.items())
